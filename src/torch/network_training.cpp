#include "src/torch/network_training.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

#include "src/torch/column_optimizer.hpp"
#include "src/torch/threads_guard.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema::detail {

namespace {

constexpr double kFall = 0.3;
constexpr double kGain = 1e-4;                              // of the loss; less is none
constexpr std::size_t kLeastSteps = 30, kMostSteps = 1000;  // of a round
constexpr std::size_t kMostChecked = 20'000;
constexpr std::uint64_t kRowStream = 1, kOrderStream = 2, kCheckStream = 3;

class Trainer {
 public:
  Trainer(const ColumnNetwork& network, const TrainingTable& table, const TrainingOptions& options,
          Floats parameters, const Random& random)
      : network_(network),
        table_(table),
        options_(options),
        random_(random),
        workers_(thread_count(options.threads)),
        spaces_(workers_.size()),
        optimizer_(network, table.ordered, {options.decay, options.own_rate}, std::move(parameters),
                   workers_),
        rate_(options.rate),
        rows_(table.learnt) {
    checked_ = table.checked;
    if (checked_.size() > kMostChecked) checked_.resize(kMostChecked);
    gradients_.resize((options.batch + options.chunk - 1) / options.chunk);
    for (Floats& gradient : gradients_) gradient.resize(network.parameters());
  }

  Trained run(const ProgressSink& progress, const CancelToken& cancel) {
    const std::size_t steps =
        std::clamp((rows_.size() + options_.batch - 1) / options_.batch, kLeastSteps, kMostSteps);
    Trained best{.parameters = {}, .loss = std::numeric_limits<double>::infinity()};
    std::size_t idle = 0, falls = 0;
    double reference = best.loss;
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      for (std::size_t step = 0; step < steps; ++step) {
        if (cancel.cancelled()) {
          if (best.parameters.empty()) cancel.check();
          best.cancelled = true;
          return best;
        }
        learn(next_rows());
      }
      const double loss = check();
      best.rounds = round + 1;
      idle = loss < reference * (1 - kGain) || round == 0 ? 0 : idle + 1;
      reference = std::min(reference, loss);
      if (loss < best.loss || best.parameters.empty()) {
        best.loss = loss;
        best.parameters = optimizer_.average();
      }
      const bool stops = idle >= options_.patience && falls == options_.falls;
      tell(progress, stops ? options_.rounds : round + 1, loss, best.loss);
      if (stops) break;
      if (idle < options_.patience) continue;
      idle = 0;
      ++falls;
      rate_ *= kFall;
      optimizer_.restart(best.parameters);
    }
    if (!table_.last.empty()) learn_last(best, steps, cancel);
    return best;
  }

 private:
  void learn_last(Trained& best, std::size_t steps, const CancelToken& cancel) {
    optimizer_.restart(best.parameters);
    optimizer_.hold_all_but(network_, table_.last);
    only_ = table_.last;
    rate_ = options_.rate;
    std::vector<double> least = check_each();
    const double gain = kGain * best.loss;
    std::size_t idle = 0, falls = 0;
    for (std::size_t round = 0; round < options_.rounds; ++round) {
      for (std::size_t step = 0; step < steps; ++step) {
        if (cancel.cancelled()) return;
        learn(next_rows());
      }
      const std::vector<double> now = check_each();
      ++idle;
      for (const std::uint32_t v : table_.last) {
        if (now[v] >= least[v]) continue;
        if (now[v] < least[v] - gain) idle = 0;
        best.loss += now[v] - least[v];
        least[v] = now[v];
        const auto [from, to] = network_.own_layers(v);
        std::copy(optimizer_.average().begin() + static_cast<std::ptrdiff_t>(from),
                  optimizer_.average().begin() + static_cast<std::ptrdiff_t>(to),
                  best.parameters.begin() + static_cast<std::ptrdiff_t>(from));
      }
      if (idle < options_.patience) continue;
      if (falls++ == options_.falls) return;
      idle = 0;
      rate_ *= kFall;
      optimizer_.restart(best.parameters);
    }
  }

  void tell(const ProgressSink& progress, std::size_t done, double loss, double best) const {
    if (!progress) return;
    char note[96];
    std::snprintf(note, sizeof note, "validation loss %.4f, best %.4f", loss, best);
    progress({.phase = "fit", .done = done, .total = options_.rounds, .note = note});
  }

  std::vector<std::uint32_t> next_rows() {
    std::vector<std::uint32_t> out;
    while (out.size() < std::min(options_.batch, rows_.size())) {
      if (at_ == 0) {
        Random order = random_.stream(kRowStream).stream(epoch_++);
        order.shuffle(rows_);
      }
      out.push_back(rows_[at_]);
      at_ = (at_ + 1) % rows_.size();
    }
    return out;
  }

  // work(chunk, first row, last row, memory) for each chunk, on all threads.
  template <class Work>
  void over_chunks(std::size_t rows, std::size_t size, const Work& work) {
    const std::size_t chunks = (rows + size - 1) / size;
    std::atomic<std::size_t> next = 0;
    workers_.run(std::min(workers_.size(), chunks), [&](std::size_t worker) {
      const ThreadsGuard alone(1);
      for (std::size_t chunk = next++; chunk < chunks; chunk = next++)
        work(chunk, chunk * size, std::min(rows, (chunk + 1) * size), spaces_[worker]);
    });
  }

  void learn(const std::vector<std::uint32_t>& rows) {
    const Random random = random_.stream(kOrderStream).stream(step_);
    over_chunks(rows.size(), options_.chunk,
                [&](std::size_t chunk, std::size_t first, std::size_t last, auto& space) {
                  const auto some = std::span(rows).subspan(first, last - first);
                  const std::vector<std::uint32_t> order =
                      orders_of(table_, options_.own_order, some.size(), random.stream(chunk));
                  network_.loss(optimizer_.parameters().data(), {table_.classes, some, order}, space,
                                gradients_[chunk].data(), {}, only_);
                });
    ++step_;
    const std::size_t chunks = (rows.size() + options_.chunk - 1) / options_.chunk;
    optimizer_.step(std::span(gradients_).first(chunks), 1.0 / static_cast<double>(rows.size()), rate_);
  }

  double check() {
    const std::vector<double> each = check_each();
    return std::accumulate(each.begin(), each.end(), 0.0);
  }

  // Of each variable that learns, by row.
  std::vector<double> check_each() {
    std::vector<std::vector<double>> sums((checked_.size() + options_.chunk - 1) / options_.chunk);
    over_chunks(checked_.size(), options_.chunk,
                [&](std::size_t chunk, std::size_t first, std::size_t last, auto& space) {
                  const auto some = std::span(checked_).subspan(first, last - first);
                  const std::vector<std::uint32_t> order = orders_of(
                      table_, options_.own_order, some.size(), random_.stream(kCheckStream).stream(chunk));
                  sums[chunk].resize(network_.variables());
                  network_.loss(optimizer_.average().data(), {table_.classes, some, order}, space, nullptr,
                                sums[chunk], only_);
                });
    std::vector<double> out(network_.variables());
    for (const std::vector<double>& sum : sums)
      for (std::size_t v = 0; v < out.size(); ++v) out[v] += sum[v] / static_cast<double>(checked_.size());
    return out;
  }

  const ColumnNetwork& network_;
  const TrainingTable& table_;
  const TrainingOptions& options_;
  Random random_;
  Workers workers_;
  std::vector<ColumnNetwork::Workspace> spaces_;
  ColumnOptimizer optimizer_;
  std::vector<Floats> gradients_;
  double rate_;
  std::vector<std::uint32_t> rows_, checked_;
  std::span<const std::uint32_t> only_ = {};  // variables that still learn; empty: all
  std::size_t at_ = 0;
  std::uint64_t epoch_ = 0, step_ = 0;
};

}  // namespace

std::vector<std::uint32_t> orders_of(const TrainingTable& table, double own_order, std::size_t rows,
                                     const Random& random) {
  std::vector<std::uint32_t> out, groups;
  for (std::size_t i = 0; i < rows; ++i) {
    Random own = random.stream(i);
    groups = table.order;
    if (own.uniform() >= own_order) own.shuffle(groups);
    for (const std::uint32_t group : groups)
      out.insert(out.end(), table.groups[group].begin(), table.groups[group].end());
  }
  return out;
}

Trained train(const ColumnNetwork& network, const TrainingTable& table, const TrainingOptions& options,
              Floats parameters, const Random& random, const ProgressSink& progress,
              const CancelToken& cancel) {
  return Trainer(network, table, options, std::move(parameters), random).run(progress, cancel);
}

}  // namespace synthema::detail
