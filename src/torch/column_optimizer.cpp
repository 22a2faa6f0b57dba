#include "src/torch/column_optimizer.hpp"

#include <algorithm>
#include <numbers>
#include <utility>

namespace synthema::detail {

namespace {

constexpr double kFirst = 0.9, kSecond = 0.999, kTiny = 1e-8;  // Adam's
constexpr double kAverage = 0.99;
constexpr std::size_t kWarmUp = 50;
constexpr std::size_t kMostWaves = 16;
// Kinds of parameters: those of classes with an order have waves too, those that are held do not learn.
constexpr std::uint8_t kBias = 0, kWeight = 1, kOrdered = 2, kHeld = 3;

}  // namespace

inline float ColumnOptimizer::Moments::move(std::size_t i, float gradient, const Step& step) {
  constexpr auto first = static_cast<float>(kFirst), second = static_cast<float>(kSecond);
  mean[i] = first * mean[i] + (1 - first) * gradient;
  square[i] = second * square[i] + (1 - second) * gradient * gradient;
  return -step.size * mean[i] / (std::sqrt(square[i] * step.correction) + static_cast<float>(kTiny));
}

ColumnOptimizer::Waves::Waves(std::size_t offset, std::size_t classes, std::size_t class_stride,
                              std::size_t units, std::size_t unit_stride)
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

void ColumnOptimizer::Waves::learn(const Floats& gradient, const Step& step, Floats& parameters) {
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

ColumnOptimizer::ColumnOptimizer(const ColumnNetwork& network, const std::vector<bool>& ordered,
                                 OptimizerOptions options, Floats parameters, Workers& workers)
    : options_(options),
      workers_(workers),
      parameters_(std::move(parameters)),
      average_(parameters_),
      moments_(parameters_.size()),
      kinds_(parameters_.size(), kBias) {
  for (std::size_t v = 0; v < network.variables(); ++v)
    arrange(network, v, ordered[v] && network.shape().classes[v] > 2);
}

// Biases and shifts do not decay.
void ColumnOptimizer::arrange(const ColumnNetwork& network, std::size_t variable, bool waves) {
  const ColumnNetwork::Place& at = network.place(variable);
  const std::size_t classes = network.shape().classes[variable];
  const std::size_t width = network.shape().width, head = network.shape().head;
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

// Sums in their order, then Adam, float by float, so that threads may share them as they like; then waves,
// array by array.
void ColumnOptimizer::step(std::span<Floats> gradients, double scale, double full_rate) {
  const auto steps = static_cast<double>(++steps_);
  const double rate = full_rate * std::min(1.0, steps / static_cast<double>(kWarmUp));
  const Step step{static_cast<float>(scale), static_cast<float>(rate / (1 - std::pow(kFirst, steps))),
                  static_cast<float>(1 / (1 - std::pow(kSecond, steps)))};
  const auto shrink = static_cast<float>(1 - rate * options_.decay);
  const auto keep = static_cast<float>(std::min(kAverage, (1 + steps) / (10 + steps)));
  const auto own = static_cast<float>(options_.own_rate);
  Floats& gradient = gradients[0];
  over_floats([&](std::size_t i) {
    if (kinds_[i] == kHeld) return;
    for (std::size_t c = 1; c < gradients.size(); ++c) gradient[i] += gradients[c][i];
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

void ColumnOptimizer::hold_all_but(const ColumnNetwork& network, std::span<const std::uint32_t> variables) {
  std::vector<std::uint8_t> kinds(kinds_.size(), kHeld);
  std::vector<std::size_t> outers;
  for (const std::uint32_t v : variables) {
    const auto [from, to] = network.own_layers(v);
    std::copy(kinds_.begin() + static_cast<std::ptrdiff_t>(from),
              kinds_.begin() + static_cast<std::ptrdiff_t>(to),
              kinds.begin() + static_cast<std::ptrdiff_t>(from));
    outers.push_back(network.place(v).outer);
  }
  kinds_ = std::move(kinds);
  std::erase_if(
      waves_, [&](const Waves& waves) { return std::ranges::find(outers, waves.offset()) == outers.end(); });
}

void ColumnOptimizer::restart(const Floats& from) {
  parameters_ = from;
  average_ = from;
}

}  // namespace synthema::detail
