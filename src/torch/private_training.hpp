// Learning of a ColumnNetwork with differential privacy: DP-SGD (Abadi, Chu, Goodfellow, McMahan, Mironov,
// Talwar and Zhang, "Deep learning with differential privacy", CCS 2016), with Adam on the noisy sums.
//
// Each step takes every person with the same probability, independently (Poisson sampling; by the noise
// source, since who takes part must stay secret), scales what each one adds to the gradient to a norm of at
// most `clip`, and adds Gaussian noise of standard deviation `clip` x `noise_multiplier` to the sum: one
// release of GaussianMechanism{noise_multiplier, sampling_rate}. How many steps there are is said beforehand.
// The order in which a row takes its variables comes from the noise source too. An order goes with the place
// in the sample: one person more moves those behind, whose gradients would then all be others if the orders
// were known, as those of a seed are. Secret ones are as likely in any arrangement, so that only the person
// is left of the difference. Nothing is ever tried on held-out people, and the loss is not told: both would
// be releases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "src/torch/network_training.hpp"
#include "src/torch/workers.hpp"
#include "synthema/privacy/noise.hpp"

namespace synthema::detail {

struct PrivateTrainingOptions {
  std::uint64_t steps = 1000;
  double sampling_rate = 0.02;
  double clip = 1;
  double noise_multiplier = 1;
  double people = 1;   // about how many there are, as told by noisy counts; for the scale of gradients only
  double rate = 2e-3;  // rises to this, then falls to 0 along a cosine
  double own_order = 0.5;
  std::size_t chunk = 64;  // rows
  std::size_t threads = 0;
};

// What is released: the noisy sum of cut gradients of a sample of people, step after step.
class SYNTHEMA_EXPORT PrivateGradients {
 public:
  // All references must outlive it. `people`: the rows of each, which are cut together.
  PrivateGradients(const ColumnNetwork& network, const TrainingTable& table,
                   const std::vector<std::vector<std::uint32_t>>& people,
                   const PrivateTrainingOptions& options, NoiseSource& noise);
  ~PrivateGradients();

  // At these parameters; by parameter.
  std::span<const double> next(const Floats& parameters);

  Workers& workers() { return workers_; }

 private:
  struct Chunk {
    std::vector<std::uint32_t> rows, units;
  };
  std::vector<Chunk> chunks_of(const std::vector<std::uint32_t>& sampled) const;
  void add(std::span<const Chunk> chunks, std::size_t first, const Floats& parameters, const Random& random);
  void add_noise();

  const ColumnNetwork& network_;
  const TrainingTable& table_;
  const std::vector<std::vector<std::uint32_t>>& people_;
  const PrivateTrainingOptions& options_;
  NoiseSource& noise_;
  Workers workers_;
  std::vector<ColumnNetwork::Workspace> spaces_;
  std::vector<double> sum_;
  std::vector<Floats> buffers_;
};

// The parameters that come back are the moving average. Cancelled, what was learnt so far comes back, which
// cost no more than all steps; before the first step these are the parameters that were given.
Floats train_privately(const ColumnNetwork& network, const TrainingTable& table,
                       const std::vector<std::vector<std::uint32_t>>& people,
                       const PrivateTrainingOptions& options, Floats parameters, NoiseSource& noise,
                       const ProgressSink& progress, const CancelToken& cancel);

// Numbers below `count`, each with this probability, independently; ascending.
SYNTHEMA_EXPORT std::vector<std::uint32_t> poisson_sample(std::size_t count, double rate, NoiseSource& noise);

}  // namespace synthema::detail
