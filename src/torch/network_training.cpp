#include "src/torch/network_training.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>
#include <numeric>

#include "src/torch/threads_guard.hpp"
#include "src/torch/workers.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema::detail {

namespace {

constexpr double kFirst = 0.9, kSecond = 0.999, kTiny = 1e-8;  // Adam's
constexpr double kAverage = 0.99;
constexpr double kFall = 0.3;
constexpr double kGain = 1e-4;  // of the loss; less is none
constexpr std::size_t kWarmUp = 50;
constexpr std::size_t kMostWaves = 16;
constexpr std::uint8_t kBias = 0, kWeight = 1, kOrdered = 2;  // kinds of parameters: the last have waves too
constexpr std::size_t kLeastSteps = 30, kMostSteps = 1000;    // of a round
constexpr std::size_t kMostChecked = 20'000;
constexpr std::uint64_t kRowStream = 1, kOrderStream = 2, kCheckStream = 3;

struct Step {
  float gradient_scale, size, correction;
};

// Adam's state of some numbers.
struct Moments {
  Floats mean, square;
  explicit Moments(std::size_t size) : mean(size), square(size) {}
  // By how much number i moves.
  float move(std::size_t i, float gradient, const Step& step) {
    constexpr auto first = static_cast<float>(kFirst), second = static_cast<float>(kSecond);
    mean[i] = first * mean[i] + (1 - first) * gradient;
    square[i] = second * square[i] + (1 - second) * gradient * gradient;
    return -step.size * mean[i] / (std::sqrt(square[i] * step.correction) + static_cast<float>(kTiny));
  }
};

// Waves over the classes of an array {classes, units} with these strides.
class Waves {
 public:
  Waves(std::size_t offset, std::size_t classes, std::size_t class_stride, std::size_t units,
        std::size_t unit_stride)
      : offset_(offset),
        classes_(classes),
        class_stride_(class_stride),
        units_(units),
        unit_stride_(unit_stride),
        count_(std::min(kMostWaves, classes - 1)),
        heights_(classes * count_),
        moments_(count_ * units) {
    for (std::size_t c = 0; c < classes; ++c)
      for (std::size_t k = 0; k < count_; ++k)
        heights_[c * count_ + k] =
            static_cast<float>(std::cos(std::numbers::pi * static_cast<double>(k) *
                                        (static_cast<double>(c) + 0.5) / static_cast<double>(classes)));
  }

  void learn(const Floats& gradient, const Step& step, Floats& parameters) {
    std::vector<float> moves(count_);
    for (std::size_t unit = 0; unit < units_; ++unit) {
      const std::size_t from = offset_ + unit * unit_stride_;
      std::ranges::fill(moves, 0.0F);
      for (std::size_t c = 0; c < classes_; ++c)
        for (std::size_t k = 0; k < count_; ++k)
          moves[k] += heights_[c * count_ + k] * gradient[from + c * class_stride_];
      for (std::size_t k = 0; k < count_; ++k) moves[k] = moments_.move(unit * count_ + k, moves[k], step);
      for (std::size_t c = 0; c < classes_; ++c) {
        float sum = 0;
        for (std::size_t k = 0; k < count_; ++k) sum += heights_[c * count_ + k] * moves[k];
        parameters[from + c * class_stride_] += sum;
      }
    }
  }

 private:
  std::size_t offset_, classes_, class_stride_, units_, unit_stride_, count_;
  Floats heights_;  // classes x waves
  Moments moments_;
};

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
        parameters_(std::move(parameters)),
        average_(parameters_),
        moments_(parameters_.size()),
        kinds_(parameters_.size(), kBias),
        rate_(options.rate),
        rows_(table.learnt) {
    checked_ = table.checked;
    if (checked_.size() > kMostChecked) checked_.resize(kMostChecked);
    for (std::size_t v = 0; v < network.variables(); ++v) arrange(v);
    gradients_.resize((options.batch + options.chunk - 1) / options.chunk);
    for (Floats& gradient : gradients_) gradient.resize(parameters_.size());
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
        best.parameters = average_;
      }
      const bool stops = idle >= options_.patience && falls == options_.falls;
      tell(progress, stops ? options_.rounds : round + 1, loss, best.loss);
      if (stops) break;
      if (idle < options_.patience) continue;
      idle = 0;
      ++falls;
      rate_ *= kFall;
      parameters_ = best.parameters;
      average_ = best.parameters;
    }
    return best;
  }

 private:
  // Biases and shifts do not decay.
  void arrange(std::size_t variable) {
    const ColumnNetwork::Place& at = network_.place(variable);
    const std::size_t classes = network_.shape().classes[variable];
    const std::size_t width = network_.shape().width, head = network_.shape().head;
    const bool waves = table_.ordered[variable] && classes > 2;
    const auto mark = [&](std::size_t from, std::size_t size, std::uint8_t kind) {
      std::fill_n(kinds_.begin() + static_cast<std::ptrdiff_t>(from), size, kind);
    };
    mark(at.vectors, classes * width, waves ? kOrdered : kWeight);
    mark(at.inner, width * head, kWeight);
    mark(at.outer, head * at.padded, waves ? kOrdered : kWeight);
    if (!waves) return;
    waves_.emplace_back(at.vectors, classes, width, width, 1);
    waves_.emplace_back(at.outer, classes, 1, head, at.padded);
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

  // Orders of variables, row after row.
  std::vector<std::uint32_t> orders(std::span<const std::uint32_t> rows, const Random& random) const {
    std::vector<std::uint32_t> out, groups;
    out.reserve(rows.size() * network_.variables());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Random own = random.stream(i);
      groups = table_.order;
      if (own.uniform() >= options_.own_order) own.shuffle(groups);
      for (const std::uint32_t group : groups)
        out.insert(out.end(), table_.groups[group].begin(), table_.groups[group].end());
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
                  const std::vector<std::uint32_t> order = orders(some, random.stream(chunk));
                  network_.loss(parameters_.data(), {table_.classes, some, order}, space,
                                gradients_[chunk].data());
                });
    ++step_;
    update((rows.size() + options_.chunk - 1) / options_.chunk, rows.size());
  }

  // Sums of chunks in their order, then Adam, float by float, so that threads may share them as they like;
  // then waves, array by array.
  void update(std::size_t chunks, std::size_t rows) {
    const auto steps = static_cast<double>(step_);
    const double rate = rate_ * std::min(1.0, steps / static_cast<double>(kWarmUp));
    const Step step{static_cast<float>(1.0 / static_cast<double>(rows)),
                    static_cast<float>(rate / (1 - std::pow(kFirst, steps))),
                    static_cast<float>(1 / (1 - std::pow(kSecond, steps)))};
    const auto shrink = static_cast<float>(1 - rate * options_.decay);
    const auto keep = static_cast<float>(std::min(kAverage, (1 + steps) / (10 + steps)));
    const auto own = static_cast<float>(options_.own_rate);
    Floats& gradient = gradients_[0];
    over_floats([&](std::size_t i) {
      for (std::size_t c = 1; c < chunks; ++c) gradient[i] += gradients_[c][i];
      gradient[i] *= step.gradient_scale;
      const float kept = kinds_[i] != kBias ? parameters_[i] * shrink : parameters_[i];
      const float move = moments_.move(i, gradient[i], step);
      parameters_[i] = kept + (kinds_[i] == kOrdered ? own * move : move);
    });
    split(&workers_, static_cast<std::int64_t>(waves_.size()), [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t w = from; w < to; ++w)
        waves_[static_cast<std::size_t>(w)].learn(gradient, step, parameters_);
    });
    over_floats([&](std::size_t i) { average_[i] = keep * average_[i] + (1 - keep) * parameters_[i]; });
  }

  template <class Work>
  void over_floats(const Work& work) {
    split(&workers_, static_cast<std::int64_t>(parameters_.size()), [&](std::int64_t from, std::int64_t to) {
      for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i) work(i);
    });
  }

  double check() {
    std::vector<double> sums((checked_.size() + options_.chunk - 1) / options_.chunk);
    over_chunks(checked_.size(), options_.chunk,
                [&](std::size_t chunk, std::size_t first, std::size_t last, auto& space) {
                  const auto some = std::span(checked_).subspan(first, last - first);
                  const std::vector<std::uint32_t> order =
                      orders(some, random_.stream(kCheckStream).stream(chunk));
                  sums[chunk] = network_.loss(average_.data(), {table_.classes, some, order}, space);
                });
    return std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(checked_.size());
  }

  const ColumnNetwork& network_;
  const TrainingTable& table_;
  const TrainingOptions& options_;
  Random random_;
  Workers workers_;
  std::vector<ColumnNetwork::Workspace> spaces_;
  Floats parameters_, average_;
  Moments moments_;
  std::vector<std::uint8_t> kinds_;  // of parameters
  std::vector<Waves> waves_;
  std::vector<Floats> gradients_;
  double rate_;
  std::vector<std::uint32_t> rows_, checked_;
  std::size_t at_ = 0;
  std::uint64_t epoch_ = 0, step_ = 0;
};

}  // namespace

Trained train(const ColumnNetwork& network, const TrainingTable& table, const TrainingOptions& options,
              Floats parameters, const Random& random, const ProgressSink& progress,
              const CancelToken& cancel) {
  return Trainer(network, table, options, std::move(parameters), random).run(progress, cancel);
}

}  // namespace synthema::detail
