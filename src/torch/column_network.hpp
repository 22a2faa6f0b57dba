// The network behind AnyOrderNetwork: how the classes of a variable are distributed given those of any
// others.
//
// What is known of a row is the sum of one learnt vector for each known class (as in NADE: Uria, Murray and
// Larochelle, "A deep and tractable density estimator", ICML 2014, section 3). The sums along an order of the
// variables are the contexts of all of them, so that a row is learnt from in all its variables at once,
// whatever its order, at a cost linear in their number. Each variable reads its context through a layer of
// its own:
//
//   z = relu(t_v + sum of E_u[class of u] over known u)     {width}
//   g = relu(z W_v + b_v)                                   {head}
//   p = softmax(g V_v + c_v)                                {classes of v}
//
// Gradients are written out by hand: one pass has no graph to build, and a chunk of rows is one thread's work
// from the first product to the last, so that sums have one order whatever the number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <span>
#include <utility>
#include <vector>

#include "src/cpu/aligned.hpp"
#include "synthema/core/export.hpp"
#include "synthema/core/random.hpp"

namespace synthema::detail {

inline constexpr std::uint8_t kUnknownClass = 255;  // says nothing and is not learnt
inline constexpr std::size_t kMostClasses = 255;

using Floats = cpu::AlignedVector<float>;

// Rows of a table in classes, variable by variable.
using ClassColumns = std::vector<std::pmr::vector<std::uint8_t>>;

struct NetworkShape {
  std::vector<std::size_t> classes;    // of each variable, 1 to kMostClasses
  std::size_t width = 256, head = 64;  // multiples of 16
};

// Some rows and the order in which each takes its variables, row after row.
struct OrderedRows {
  const ClassColumns& classes;
  std::span<const std::uint32_t> rows;
  std::span<const std::uint32_t> order;  // rows x variables
};

class SYNTHEMA_EXPORT ColumnNetwork {
 public:
  // Memory of one thread.
  struct Workspace {
    Floats contexts, heads, scores, narrow, wide, run;
    Floats kept;  // all of clipped_gradient's passes
  };

  explicit ColumnNetwork(NetworkShape shape);
  const NetworkShape& shape() const { return shape_; }
  std::size_t variables() const { return shape_.classes.size(); }
  std::size_t parameters() const { return parameters_; }
  std::size_t padded_classes(std::size_t variable) const { return places_[variable].padded; }

  // Where the arrays of a variable begin: vectors {classes, width}, shift {width}, inner {width, head}, its
  // bias {head}, outer {head, padded}, its bias {padded}.
  struct Place {
    std::size_t vectors = 0, shift = 0, inner = 0, inner_bias = 0, outer = 0, outer_bias = 0, padded = 0;
  };
  const Place& place(std::size_t variable) const { return places_[variable]; }
  // Where those that only this variable's scores depend on begin and end: all but its vectors.
  std::pair<std::size_t, std::size_t> own_layers(std::size_t variable) const {
    return {places_[variable].shift,
            variable + 1 < places_.size() ? places_[variable + 1].vectors : parameters_};
  }

  // `shares` are those of the classes of each variable: the network begins with them. The vectors of classes
  // with an order are smooth in it.
  void initialise(std::span<float> parameters, std::span<const std::vector<double>> shares,
                  const std::vector<bool>& ordered, const Random& random) const;

  // Sum over the rows of minus the natural logarithm of their probability. With a gradient: of that sum, all
  // of it written. `each`, where it is not empty, gets the part of every variable added. `only`, where it is
  // not empty: of these variables, and of the gradient their own layers are written.
  double loss(const float* parameters, const OrderedRows& chunk, Workspace& space, float* gradient = nullptr,
              std::span<double> each = {}, std::span<const std::uint32_t> only = {}) const;

  // The gradient of loss(), all of it written, but for each unit's part in it: what the rows of a unit add up
  // to is scaled down to an L2 norm of at most `clip`. `units` tells which one each row is of; rows of a unit
  // stand together. Returned is the norm of the gradient of each row by itself, before. The norm of a unit is
  // bounded by the sum of those of its rows, and all are scaled by a thousandth less than would do, which
  // leaves room for the rounding of sums.
  //
  // No gradient of a single row is made: in each array it is the product of two vectors that are there anyway
  // (Goodfellow, "Efficient per-example gradient computations", 2015), so that its norm is that of the two.
  std::vector<double> clipped_gradient(const float* parameters, const OrderedRows& chunk,
                                       std::span<const std::uint32_t> units, double clip, Workspace& space,
                                       float* gradient) const;

  // Adds what a class says to the sum of a row, {width}.
  void add(const float* parameters, std::size_t variable, std::uint8_t known, float* sum) const;
  // {rows, padded_classes}: scores of the classes given the sums of what is known, {rows, width}. Bytes of a
  // row depend on `rows`, not on the other rows.
  void scores(const float* parameters, std::size_t variable, std::size_t rows, const float* sums,
              Workspace& space) const;

 private:
  // Of one variable, row by row: heads {head}, scores {padded} and derivatives by heads {head} and by the
  // context {width}.
  struct Pass {
    float *heads, *scores, *narrow, *wide;
  };
  Pass shared_pass(std::size_t rows, Workspace& space) const;
  void read_contexts(const float* parameters, const OrderedRows& chunk, Workspace& space) const;
  void forward(const float* parameters, std::size_t variable, std::size_t rows, const float* context,
               const Pass& pass) const;
  // The loss of one variable; with `derive`, its scores become derivatives.
  double read_loss(std::size_t variable, const OrderedRows& chunk, const Pass& pass, bool derive) const;
  // Derivatives by heads and context.
  void backward(const float* parameters, std::size_t variable, std::size_t rows, const float* context,
                const Pass& pass) const;
  // Of the variable's own arrays but its vectors.
  void write_gradient(std::size_t variable, std::size_t rows, const float* context, const Pass& pass,
                      float* gradient) const;
  // `derived`: {variables, rows, width}, by the contexts.
  void learn_vectors(const OrderedRows& chunk, const float* derived, Workspace& space, float* gradient) const;
  // Calls work(variable, class, derivative by its vector) for what is known of a row.
  template <class Work>
  void over_vectors(const OrderedRows& chunk, std::size_t row, const float* derived, Workspace& space,
                    const Work& work) const;

  NetworkShape shape_;
  std::vector<Place> places_;
  std::size_t parameters_ = 0;
};

}  // namespace synthema::detail
