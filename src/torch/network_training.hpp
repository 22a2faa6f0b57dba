// Learning of a ColumnNetwork: Adam (Kingma and Ba, ICLR 2015) on batches of rows in fixed chunks, each row
// in an order of its own; a moving average of the parameters is what is kept (Polyak and Juditsky 1992).
// Every round it is tried on people who were set aside; where that gets no better, the rate falls, and after
// its last fall learning stops at the best state. The own layers of `last` then go on from there while the
// vectors of classes stand still, so that each has a best state of its own.
//
// Classes with an order learn twice: slowly each for itself, and together as the first waves over their
// places (the cosine transform), which are parameters of their own to Adam. So what changes smoothly with a
// number is learnt from few rows, and what does not is learnt all the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/torch/column_network.hpp"
#include "synthema/core/progress.hpp"

namespace synthema::detail {

struct TrainingOptions {
  std::size_t batch = 512, chunk = 128;  // rows; a chunk is one thread's
  std::size_t rounds = 100;              // at most
  std::size_t patience = 3;              // rounds without gain before the rate falls
  std::size_t falls = 2;
  double rate = 2e-3;
  double decay = 0.3;      // of weights, by rate and step (Loshchilov and Hutter, ICLR 2019)
  double own_rate = 0.1;   // share of the rate at which classes with an order learn each for itself
  double own_order = 0.5;  // share of rows that take the order in which samples are drawn
  std::size_t threads = 0;
};

struct TrainingTable {
  const ClassColumns& classes;
  std::vector<std::vector<std::uint32_t>> groups;  // variables of each column, which stay together
  std::vector<std::uint32_t> order;                // of groups, in which samples are drawn
  std::vector<bool> ordered;                       // variables whose classes have an order
  std::vector<std::uint32_t> last = {};        // variables whose own layers at last learn on alone, if any
  std::vector<std::uint32_t> learnt, checked;  // rows
};

struct Trained {
  Floats parameters;
  double loss = 0;  // mean over the rows that were checked, in nats
  std::size_t rounds = 0;
  bool cancelled = false;  // before it would have ended by itself
};

// Orders of variables, row after row: the share `own_order` of them is the one in which samples are drawn.
std::vector<std::uint32_t> orders_of(const TrainingTable& table, double own_order, std::size_t rows,
                                     const Random& random);

// Cancelled where that comes before the first round is over; later what is best so far is returned.
Trained train(const ColumnNetwork& network, const TrainingTable& table, const TrainingOptions& options,
              Floats parameters, const Random& random, const ProgressSink& progress,
              const CancelToken& cancel);

}  // namespace synthema::detail
