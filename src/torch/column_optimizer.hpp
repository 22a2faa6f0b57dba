// What makes a step of a ColumnNetwork's parameters of a gradient: Adam (Kingma and Ba, ICLR 2015) with
// weight decay, and waves for classes with an order (network_training.hpp says why); beside it a moving
// average of the parameters. It sees gradients only, so that what was made private stays so.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/torch/column_network.hpp"
#include "src/torch/workers.hpp"

namespace synthema::detail {

struct OptimizerOptions {
  double decay = 0.3;     // of weights, by rate and step (Loshchilov and Hutter, ICLR 2019)
  double own_rate = 0.1;  // share of the rate at which classes with an order learn each for itself
};

class SYNTHEMA_EXPORT ColumnOptimizer {
 public:
  ColumnOptimizer(const ColumnNetwork& network, const std::vector<bool>& ordered, OptimizerOptions options,
                  Floats parameters, Workers& workers);

  // The gradient is `scale` times the sum of these, added in their order (the first one is overwritten). The
  // first 50 steps are shorter.
  void step(std::span<Floats> gradients, double scale, double rate);
  void restart(const Floats& from);  // at these parameters and with this average
  // From now on all others stay where they are: only the own layers of these variables move.
  void hold_all_but(const ColumnNetwork& network, std::span<const std::uint32_t> variables);

  const Floats& parameters() const { return parameters_; }
  const Floats& average() const { return average_; }

 private:
  struct Step {
    float gradient_scale, size, correction;
  };
  // Adam's state of some numbers.
  struct Moments {
    Floats mean, square;
    explicit Moments(std::size_t size) : mean(size), square(size) {}
    float move(std::size_t i, float gradient, const Step& step);  // by how much number i moves
  };
  // Waves over the classes of an array {classes, units} with these strides.
  class Waves {
   public:
    Waves(std::size_t offset, std::size_t classes, std::size_t class_stride, std::size_t units,
          std::size_t unit_stride);
    void learn(const Floats& gradient, const Step& step, Floats& parameters);
    std::size_t offset() const { return offset_; }

   private:
    std::size_t offset_, classes_, class_stride_, units_, unit_stride_, count_;
    Floats heights_;  // classes x waves
    Moments moments_;
  };

  void arrange(const ColumnNetwork& network, std::size_t variable, bool waves);
  template <class Work>
  void over_floats(const Work& work) {
    split(&workers_, static_cast<std::int64_t>(parameters_.size()), [&](std::int64_t from, std::int64_t to) {
      for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i) work(i);
    });
  }

  OptimizerOptions options_;
  Workers& workers_;
  Floats parameters_, average_;
  Moments moments_;
  std::vector<std::uint8_t> kinds_;  // of parameters
  std::vector<Waves> waves_;
  std::uint64_t steps_ = 0;
};

}  // namespace synthema::detail
