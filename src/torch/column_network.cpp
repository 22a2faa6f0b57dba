#include "src/torch/column_network.hpp"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "src/torch/guard.hpp"
#include "src/torch/threads_guard.hpp"
#include "synthema/core/exponential.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kMultiple = 16;  // floats of a cache line: each array begins at one
constexpr std::size_t kWaves = 6;      // of the first vectors of classes with an order

std::size_t rounded(std::size_t n) {
  return (n + kMultiple - 1) / kMultiple * kMultiple;
}

at::Tensor matrix(const float* from, std::size_t rows, std::size_t columns) {
  return at::from_blob(const_cast<float*>(from),
                       {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)}, at::kFloat);
}

// out = a b, with a {n, k}, b {k, m}; tensors may be transposed views.
void product(float* out, const at::Tensor& a, const at::Tensor& b) {
  at::Tensor to = matrix(out, static_cast<std::size_t>(a.size(0)), static_cast<std::size_t>(b.size(1)));
  at::mm_out(to, a, b);
}

// Pairs of independent normal numbers (Box and Muller 1958).
class Normals {
 public:
  explicit Normals(Random random) : random_(random) {}
  double operator()() {
    if (spare_) {
      spare_ = false;
      return other_;
    }
    const double radius = std::sqrt(-2 * std::log(1 - random_.uniform()));
    const double angle = 2 * std::numbers::pi * random_.uniform();
    other_ = radius * std::sin(angle);
    spare_ = true;
    return radius * std::cos(angle);
  }

 private:
  Random random_;
  double other_ = 0;
  bool spare_ = false;
};

}  // namespace

ColumnNetwork::ColumnNetwork(NetworkShape shape) : shape_(std::move(shape)) {
  const auto take = [&](std::size_t size) {
    const std::size_t at = parameters_;
    parameters_ += rounded(size);
    return at;
  };
  for (const std::size_t classes : shape_.classes) {
    Place place;
    place.padded = rounded(classes);
    place.vectors = take(classes * shape_.width);
    place.shift = take(shape_.width);
    place.inner = take(shape_.width * shape_.head);
    place.inner_bias = take(shape_.head);
    place.outer = take(shape_.head * place.padded);
    place.outer_bias = take(place.padded);
    places_.push_back(place);
  }
}

void ColumnNetwork::initialise(std::span<float> parameters, std::span<const std::vector<double>> shares,
                               const std::vector<bool>& ordered, const Random& random) const {
  std::ranges::fill(parameters, 0.0F);
  const double known = std::max(1.0, static_cast<double>(variables()) / 2);
  for (std::size_t v = 0; v < variables(); ++v) {
    const Place& at = places_[v];
    const std::size_t classes = shape_.classes[v];
    Normals normal(random.stream(v));
    const auto fill = [&](std::size_t from, std::size_t size, double deviation) {
      for (std::size_t i = 0; i < size; ++i) parameters[from + i] = static_cast<float>(deviation * normal());
    };
    const double deviation = 1 / std::sqrt(known);
    if (ordered[v] && classes > 2) {
      for (std::size_t unit = 0; unit < shape_.width; ++unit) {
        double waves[kWaves];
        for (double& wave : waves) wave = normal() * deviation / std::sqrt(kWaves / 2.0);
        for (std::size_t c = 0; c < classes; ++c) {
          const double place = (static_cast<double>(c) + 0.5) / static_cast<double>(classes);
          double sum = 0;
          for (std::size_t k = 0; k < kWaves; ++k)
            sum += waves[k] * std::cos(std::numbers::pi * static_cast<double>(k + 1) * place);
          parameters[at.vectors + c * shape_.width + unit] = static_cast<float>(sum);
        }
      }
    } else {
      fill(at.vectors, classes * shape_.width, deviation);
    }
    fill(at.shift, shape_.width, 0.5);
    fill(at.inner, shape_.width * shape_.head, std::sqrt(2.0 / static_cast<double>(shape_.width)));
    for (std::size_t i = 0; i < shape_.head; ++i)
      for (std::size_t c = 0; c < classes; ++c)
        parameters[at.outer + i * at.padded + c] =
            static_cast<float>(0.1 * normal() / std::sqrt(static_cast<double>(shape_.head)));
    for (std::size_t c = 0; c < classes; ++c)
      parameters[at.outer_bias + c] = static_cast<float>(std::log(std::max(shares[v][c], 1e-9)));
  }
}

// The contexts of all variables, {variables, rows, width}, after their first activation.
void ColumnNetwork::read_contexts(const float* parameters, const OrderedRows& chunk, Workspace& space) const {
  const std::size_t rows = chunk.rows.size(), width = shape_.width, count = variables();
  space.contexts.resize(count * rows * width);
  space.run.resize(width);
  for (std::size_t i = 0; i < rows; ++i) {
    std::ranges::fill(space.run, 0.0F);
    float* const run = space.run.data();
    for (std::size_t p = 0; p < count; ++p) {
      const std::size_t v = chunk.order[i * count + p];
      const Place& at = places_[v];
      float* const context = space.contexts.data() + (v * rows + i) * width;
      const float* const shift = parameters + at.shift;
      const std::uint8_t known = chunk.classes[v][chunk.rows[i]];
      for (std::size_t k = 0; k < width; ++k) context[k] = std::max(run[k] + shift[k], 0.0F);
      if (known == kUnknownClass) continue;
      const float* const vector = parameters + at.vectors + known * width;
      for (std::size_t k = 0; k < width; ++k) run[k] += vector[k];
    }
  }
}

// Memory for one variable after the other.
ColumnNetwork::Pass ColumnNetwork::shared_pass(std::size_t rows, Workspace& space) const {
  const auto at_least = [](Floats& floats, std::size_t size) {
    if (floats.size() < size) floats.resize(size);
    return floats.data();
  };
  return {at_least(space.heads, rows * shape_.head), at_least(space.scores, rows * rounded(kMostClasses)),
          at_least(space.narrow, rows * shape_.head), at_least(space.wide, rows * shape_.width)};
}

void ColumnNetwork::forward(const float* parameters, std::size_t variable, std::size_t rows,
                            const float* context, const Pass& pass) const {
  const Place& at = places_[variable];
  const std::size_t width = shape_.width, head = shape_.head;
  product(pass.heads, matrix(context, rows, width), matrix(parameters + at.inner, width, head));
  const float* const bias = parameters + at.inner_bias;
  for (std::size_t i = 0; i < rows; ++i) {
    float* const row = pass.heads + i * head;
    for (std::size_t k = 0; k < head; ++k) row[k] = std::max(row[k] + bias[k], 0.0F);
  }
  product(pass.scores, matrix(pass.heads, rows, head), matrix(parameters + at.outer, head, at.padded));
  const float* const outer_bias = parameters + at.outer_bias;
  for (std::size_t i = 0; i < rows; ++i) {
    float* const row = pass.scores + i * at.padded;
    for (std::size_t c = 0; c < at.padded; ++c) row[c] += outer_bias[c];
  }
}

double ColumnNetwork::read_loss(std::size_t variable, const OrderedRows& chunk, const Pass& pass,
                                bool derive) const {
  const std::size_t rows = chunk.rows.size(), classes = shape_.classes[variable];
  const std::size_t padded = places_[variable].padded;
  double sum = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    float* const row = pass.scores + i * padded;
    const std::uint8_t target = chunk.classes[variable][chunk.rows[i]];
    if (target == kUnknownClass) {
      std::fill_n(row, padded, 0.0F);
      continue;
    }
    const float highest = *std::max_element(row, row + classes), own = row[target];
    float total = 0;
    for (std::size_t c = 0; c < classes; ++c) row[c] = exponential(row[c] - highest);
    for (std::size_t c = 0; c < classes; ++c) total += row[c];
    sum += std::log(static_cast<double>(total)) - static_cast<double>(own - highest);
    if (!derive) continue;
    const float scale = 1 / total;
    for (std::size_t c = 0; c < classes; ++c) row[c] *= scale;
    row[target] -= 1;
    for (std::size_t c = classes; c < padded; ++c) row[c] = 0;
  }
  return sum;
}

void ColumnNetwork::backward(const float* parameters, std::size_t variable, std::size_t rows,
                             const float* context, const Pass& pass) const {
  const Place& at = places_[variable];
  const std::size_t width = shape_.width, head = shape_.head;
  product(pass.narrow, matrix(pass.scores, rows, at.padded),
          matrix(parameters + at.outer, head, at.padded).t());
  for (std::size_t i = 0; i < rows * head; ++i) pass.narrow[i] = pass.heads[i] > 0 ? pass.narrow[i] : 0.0F;
  product(pass.wide, matrix(pass.narrow, rows, head), matrix(parameters + at.inner, width, head).t());
  for (std::size_t i = 0; i < rows * width; ++i) pass.wide[i] = context[i] > 0 ? pass.wide[i] : 0.0F;
}

void ColumnNetwork::write_gradient(std::size_t variable, std::size_t rows, const float* context,
                                   const Pass& pass, float* gradient) const {
  const Place& at = places_[variable];
  const std::size_t width = shape_.width, head = shape_.head;
  const auto column_sums = [&](const float* of, std::size_t columns, float* to) {
    std::fill_n(to, columns, 0.0F);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < columns; ++k) to[k] += of[i * columns + k];
  };
  product(gradient + at.outer, matrix(pass.heads, rows, head).t(), matrix(pass.scores, rows, at.padded));
  column_sums(pass.scores, at.padded, gradient + at.outer_bias);
  product(gradient + at.inner, matrix(context, rows, width).t(), matrix(pass.narrow, rows, head));
  column_sums(pass.narrow, head, gradient + at.inner_bias);
  column_sums(pass.wide, width, gradient + at.shift);
}

// A class stands in the contexts of all variables after it.
template <class Work>
void ColumnNetwork::over_vectors(const OrderedRows& chunk, std::size_t row, const float* derived,
                                 Workspace& space, const Work& work) const {
  const std::size_t rows = chunk.rows.size(), width = shape_.width, count = variables();
  space.run.resize(width);
  std::ranges::fill(space.run, 0.0F);
  float* const run = space.run.data();
  for (std::size_t p = count; p-- > 0;) {
    const std::size_t v = chunk.order[row * count + p];
    const std::uint8_t known = chunk.classes[v][chunk.rows[row]];
    if (known != kUnknownClass) work(v, known, run);
    const float* const context = derived + (v * rows + row) * width;
    for (std::size_t k = 0; k < width; ++k) run[k] += context[k];
  }
}

void ColumnNetwork::learn_vectors(const OrderedRows& chunk, const float* derived, Workspace& space,
                                  float* gradient) const {
  const std::size_t width = shape_.width;
  for (std::size_t v = 0; v < variables(); ++v)
    std::fill_n(gradient + places_[v].vectors, rounded(shape_.classes[v] * width), 0.0F);
  for (std::size_t i = 0; i < chunk.rows.size(); ++i)
    over_vectors(chunk, i, derived, space, [&](std::size_t v, std::uint8_t known, const float* run) {
      float* const vector = gradient + places_[v].vectors + known * width;
      for (std::size_t k = 0; k < width; ++k) vector[k] += run[k];
    });
}

double ColumnNetwork::loss(const float* parameters, const OrderedRows& chunk, Workspace& space,
                           float* gradient, std::span<double> each,
                           std::span<const std::uint32_t> only) const {
  return guarded("learning a table", [&] {
    const c10::InferenceMode no_graph;
    const ThreadsGuard alone(1);
    const std::size_t rows = chunk.rows.size(), width = shape_.width;
    read_contexts(parameters, chunk, space);
    const Pass pass = shared_pass(rows, space);
    const std::size_t count = only.empty() ? variables() : only.size();
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t v = only.empty() ? i : only[i];
      float* const context = space.contexts.data() + v * rows * width;
      forward(parameters, v, rows, context, pass);
      const double own = read_loss(v, chunk, pass, gradient != nullptr);
      sum += own;
      if (!each.empty()) each[v] += own;
      if (!gradient) continue;
      backward(parameters, v, rows, context, pass);
      write_gradient(v, rows, context, pass, gradient);
      std::copy_n(pass.wide, rows * width, context);  // from here on what is derived by it
    }
    if (gradient && only.empty()) learn_vectors(chunk, space.contexts.data(), space, gradient);
    return sum;
  });
}

namespace {

double square_of(const float* from, std::size_t size) {
  double sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += static_cast<double>(from[i]) * static_cast<double>(from[i]);
  return sum;
}

// By row: what its gradient is multiplied by.
std::vector<float> factors_of(const std::vector<double>& norms, std::span<const std::uint32_t> units,
                              double clip) {
  constexpr double kRoom = 1 - 1e-3;
  std::vector<float> out(norms.size());
  for (std::size_t first = 0; first < norms.size();) {
    std::size_t last = first;
    double norm = 0;
    while (last < norms.size() && units[last] == units[first]) norm += norms[last++];
    // 0 where a gradient is beyond numbers.
    const double factor = norm <= clip * kRoom ? 1.0 : std::isfinite(norm) ? clip * kRoom / norm : 0.0;
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(first),
              out.begin() + static_cast<std::ptrdiff_t>(last), static_cast<float>(factor));
    first = last;
  }
  return out;
}

}  // namespace

std::vector<double> ColumnNetwork::clipped_gradient(const float* parameters, const OrderedRows& chunk,
                                                    std::span<const std::uint32_t> units, double clip,
                                                    Workspace& space, float* gradient) const {
  return guarded("learning a table privately", [&] {
    const c10::InferenceMode no_graph;
    const ThreadsGuard alone(1);
    const std::size_t rows = chunk.rows.size(), width = shape_.width, head = shape_.head;
    read_contexts(parameters, chunk, space);
    // All variables' derivatives by contexts come first, then the others of each.
    std::size_t size = variables() * width;
    for (const Place& at : places_) size += 2 * head + at.padded;
    if (space.kept.size() < rows * size) space.kept.resize(rows * size);
    std::vector<Pass> passes;
    float* next = space.kept.data() + rows * variables() * width;
    const auto take = [&](std::size_t columns) {
      float* const out = next;
      next += rows * columns;
      return out;
    };
    for (std::size_t v = 0; v < variables(); ++v) {
      float* const heads = take(head);
      float* const scores = take(places_[v].padded);
      passes.push_back({heads, scores, take(head), space.kept.data() + v * rows * width});
    }
    std::vector<double> norms(rows);  // squares at first
    for (std::size_t v = 0; v < variables(); ++v) {
      const float* const context = space.contexts.data() + v * rows * width;
      const Pass& pass = passes[v];
      const std::size_t padded = places_[v].padded;
      forward(parameters, v, rows, context, pass);
      static_cast<void>(read_loss(v, chunk, pass, true));
      backward(parameters, v, rows, context, pass);
      for (std::size_t i = 0; i < rows; ++i)  // each bias is as a column of ones beside what is multiplied
        norms[i] +=
            (1 + square_of(pass.heads + i * head, head)) * square_of(pass.scores + i * padded, padded) +
            (1 + square_of(context + i * width, width)) * square_of(pass.narrow + i * head, head) +
            square_of(pass.wide + i * width, width);
    }
    const float* const derived = space.kept.data();
    for (std::size_t i = 0; i < rows; ++i) {
      over_vectors(chunk, i, derived, space,
                   [&](std::size_t, std::uint8_t, const float* run) { norms[i] += square_of(run, width); });
      norms[i] = std::sqrt(norms[i]);
    }
    const std::vector<float> factors = factors_of(norms, units, clip);
    const auto scale = [&](float* of, std::size_t columns) {
      for (std::size_t i = 0; i < rows; ++i)
        for (std::size_t k = 0; k < columns; ++k) of[i * columns + k] *= factors[i];
    };
    // What is beyond numbers is not made finite by a factor of 0.
    const auto drop = [&](float* of, std::size_t columns) {
      for (std::size_t i = 0; i < rows; ++i)
        if (!(factors[i] > 0)) std::fill_n(of + i * columns, columns, 0.0F);
    };
    for (std::size_t v = 0; v < variables(); ++v) {
      const auto& [heads, scores, narrow, wide] = passes[v];
      float* const context = space.contexts.data() + v * rows * width;
      scale(scores, places_[v].padded);
      scale(narrow, head);
      scale(wide, width);
      drop(scores, places_[v].padded);
      drop(narrow, head);
      drop(wide, width);
      drop(heads, head);
      drop(context, width);
      write_gradient(v, rows, context, passes[v], gradient);
    }
    learn_vectors(chunk, derived, space, gradient);
    return norms;
  });
}

void ColumnNetwork::add(const float* parameters, std::size_t variable, std::uint8_t known, float* sum) const {
  if (known == kUnknownClass) return;
  const float* const vector = parameters + places_[variable].vectors + known * shape_.width;
  for (std::size_t k = 0; k < shape_.width; ++k) sum[k] += vector[k];
}

void ColumnNetwork::scores(const float* parameters, std::size_t variable, std::size_t rows, const float* sums,
                           Workspace& space) const {
  guarded("drawing rows of a table", [&] {
    const c10::InferenceMode no_graph;
    const ThreadsGuard alone(1);
    const std::size_t width = shape_.width;
    space.contexts.resize(std::max(space.contexts.size(), rows * width));
    const float* const shift = parameters + places_[variable].shift;
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < width; ++k)
        space.contexts[i * width + k] = std::max(sums[i * width + k] + shift[k], 0.0F);
    forward(parameters, variable, rows, space.contexts.data(), shared_pass(rows, space));
  });
}

}  // namespace synthema::detail
