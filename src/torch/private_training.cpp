#include "src/torch/private_training.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numbers>

#include "src/torch/column_optimizer.hpp"
#include "src/torch/threads_guard.hpp"
#include "src/torch/workers.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kBuffers = 8;  // gradients of chunks that are held at once, whatever the threads
constexpr std::uint64_t kTold = 50;  // steps between two messages

}  // namespace

PrivateGradients::PrivateGradients(const ColumnNetwork& network, const TrainingTable& table,
                                   const std::vector<std::vector<std::uint32_t>>& people,
                                   const PrivateTrainingOptions& options, NoiseSource& noise)
    : network_(network),
      table_(table),
      people_(people),
      options_(options),
      noise_(noise),
      workers_(thread_count(options.threads)),
      spaces_(workers_.size()),
      sum_(network.parameters()),
      buffers_(kBuffers, Floats(network.parameters())) {}

PrivateGradients::~PrivateGradients() = default;

std::vector<PrivateGradients::Chunk> PrivateGradients::chunks_of(
    const std::vector<std::uint32_t>& sampled) const {
  std::vector<Chunk> out;
  for (const std::uint32_t person : sampled) {
    if (out.empty() || out.back().rows.size() + people_[person].size() > options_.chunk) out.emplace_back();
    for (const std::uint32_t row : people_[person]) {
      out.back().rows.push_back(row);
      out.back().units.push_back(person);
    }
  }
  return out;
}

std::span<const double> PrivateGradients::next(const Floats& parameters) {
  const std::vector<Chunk> chunks = chunks_of(poisson_sample(people_.size(), options_.sampling_rate, noise_));
  const Random random(noise_.bits());
  std::ranges::fill(sum_, 0.0);
  for (std::size_t from = 0; from < chunks.size(); from += kBuffers)
    add(std::span(chunks).subspan(from, std::min(kBuffers, chunks.size() - from)), from, parameters, random);
  add_noise();
  return sum_;
}

// Gradients of chunks on all threads, then their sums in the order of the chunks.
void PrivateGradients::add(std::span<const Chunk> chunks, std::size_t first, const Floats& parameters,
                           const Random& random) {
  std::atomic<std::size_t> next = 0;
  workers_.run(std::min(workers_.size(), chunks.size()), [&](std::size_t worker) {
    const ThreadsGuard alone(1);
    for (std::size_t c = next++; c < chunks.size(); c = next++) {
      const std::vector<std::uint32_t> order =
          orders_of(table_, options_.own_order, chunks[c].rows.size(), random.stream(first + c));
      network_.clipped_gradient(parameters.data(), {table_.classes, chunks[c].rows, order}, chunks[c].units,
                                options_.clip, spaces_[worker], buffers_[c].data());
    }
  });
  split(&workers_, static_cast<std::int64_t>(sum_.size()), [&](std::int64_t from, std::int64_t to) {
    for (std::size_t c = 0; c < chunks.size(); ++c)
      for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i)
        sum_[i] += static_cast<double>(buffers_[c][i]);
  });
}

// Threads have sources of their own; the tests' one is a single sequence.
void PrivateGradients::add_noise() {
  const double sigma = options_.clip * options_.noise_multiplier;
  if (!noise_.is_private()) return add_gaussian_noise(sum_, sigma, noise_);
  split(&workers_, static_cast<std::int64_t>(sum_.size()), [&](std::int64_t from, std::int64_t to) {
    NoiseSource own = NoiseSource::operating_system();
    add_gaussian_noise(
        std::span(sum_).subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from)), sigma,
        own);
  });
}

std::vector<std::uint32_t> poisson_sample(std::size_t count, double rate, NoiseSource& noise) {
  std::vector<std::uint32_t> out;
  if (rate >= 1) {
    for (std::size_t i = 0; i < count; ++i) out.push_back(static_cast<std::uint32_t>(i));
    return out;
  }
  // How many are passed over before the next one is geometric.
  const double log_passed = std::log1p(-rate);
  for (double at = 0;; at += 1) {
    const double uniform = (static_cast<double>(noise.bits() >> 11) + 0.5) * 0x1p-53;
    at += std::floor(std::log(uniform) / log_passed);
    if (!(at < static_cast<double>(count))) return out;
    out.push_back(static_cast<std::uint32_t>(at));
  }
}

Floats train_privately(const ColumnNetwork& network, const TrainingTable& table,
                       const std::vector<std::vector<std::uint32_t>>& people,
                       const PrivateTrainingOptions& options, Floats parameters, NoiseSource& noise,
                       const ProgressSink& progress, const CancelToken& cancel) {
  PrivateGradients gradients(network, table, people, options, noise);
  ColumnOptimizer optimizer(network, table.ordered, {}, std::move(parameters), gradients.workers());
  std::vector<Floats> gradient(1, Floats(network.parameters()));
  const double scale = 1 / std::max(1.0, options.people * options.sampling_rate);
  for (std::uint64_t step = 0; step < options.steps && !cancel.cancelled(); ++step) {
    const std::span<const double> sum = gradients.next(optimizer.parameters());
    for (std::size_t i = 0; i < sum.size(); ++i) gradient[0][i] = static_cast<float>(sum[i]);
    const double along = static_cast<double>(step) / static_cast<double>(options.steps);
    optimizer.step(gradient, scale, options.rate * 0.5 * (1 + std::cos(std::numbers::pi * along)));
    if (progress && ((step + 1) % kTold == 0 || step + 1 == options.steps))
      progress({.phase = "fit", .done = step + 1, .total = options.steps, .note = {}});
  }
  return optimizer.average();
}

}  // namespace synthema::detail
