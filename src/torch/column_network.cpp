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

// Heads {rows, head} and scores {rows, padded} of one variable.
void ColumnNetwork::forward(const float* parameters, std::size_t variable, std::size_t rows,
                            const float* context, Workspace& space) const {
  const Place& at = places_[variable];
  const std::size_t width = shape_.width, head = shape_.head;
  space.heads.resize(std::max(space.heads.size(), rows * head));
  space.scores.resize(std::max(space.scores.size(), rows * rounded(kMostClasses)));
  product(space.heads.data(), matrix(context, rows, width), matrix(parameters + at.inner, width, head));
  const float* const bias = parameters + at.inner_bias;
  for (std::size_t i = 0; i < rows; ++i) {
    float* const row = space.heads.data() + i * head;
    for (std::size_t k = 0; k < head; ++k) row[k] = std::max(row[k] + bias[k], 0.0F);
  }
  product(space.scores.data(), matrix(space.heads.data(), rows, head),
          matrix(parameters + at.outer, head, at.padded));
  const float* const outer_bias = parameters + at.outer_bias;
  for (std::size_t i = 0; i < rows; ++i) {
    float* const row = space.scores.data() + i * at.padded;
    for (std::size_t c = 0; c < at.padded; ++c) row[c] += outer_bias[c];
  }
}

// The loss of one variable; with a gradient its scores become derivatives and its contexts too.
double ColumnNetwork::learn_variable(const float* parameters, std::size_t variable, const OrderedRows& chunk,
                                     Workspace& space, float* gradient) const {
  const Place& at = places_[variable];
  const std::size_t rows = chunk.rows.size(), width = shape_.width, head = shape_.head;
  const std::size_t classes = shape_.classes[variable];
  float* const context = space.contexts.data() + variable * rows * width;
  forward(parameters, variable, rows, context, space);
  double sum = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    float* const row = space.scores.data() + i * at.padded;
    const std::uint8_t target = chunk.classes[variable][chunk.rows[i]];
    if (target == kUnknownClass) {
      std::fill_n(row, at.padded, 0.0F);
      continue;
    }
    const float highest = *std::max_element(row, row + classes), own = row[target];
    float total = 0;
    for (std::size_t c = 0; c < classes; ++c) row[c] = exponential(row[c] - highest);
    for (std::size_t c = 0; c < classes; ++c) total += row[c];
    sum += std::log(static_cast<double>(total)) - static_cast<double>(own - highest);
    if (!gradient) continue;
    const float scale = 1 / total;
    for (std::size_t c = 0; c < classes; ++c) row[c] *= scale;
    row[target] -= 1;
    for (std::size_t c = classes; c < at.padded; ++c) row[c] = 0;
  }
  if (!gradient) return sum;

  const auto column_sums = [&](const float* of, std::size_t columns, float* to) {
    std::fill_n(to, columns, 0.0F);
    for (std::size_t i = 0; i < rows; ++i)
      for (std::size_t k = 0; k < columns; ++k) to[k] += of[i * columns + k];
  };
  space.narrow.resize(std::max(space.narrow.size(), rows * head));
  space.wide.resize(std::max(space.wide.size(), rows * width));
  const at::Tensor scores = matrix(space.scores.data(), rows, at.padded);
  product(gradient + at.outer, matrix(space.heads.data(), rows, head).t(), scores);
  column_sums(space.scores.data(), at.padded, gradient + at.outer_bias);
  product(space.narrow.data(), scores, matrix(parameters + at.outer, head, at.padded).t());
  for (std::size_t i = 0; i < rows * head; ++i) space.narrow[i] = space.heads[i] > 0 ? space.narrow[i] : 0.0F;
  const at::Tensor narrow = matrix(space.narrow.data(), rows, head);
  product(gradient + at.inner, matrix(context, rows, width).t(), narrow);
  column_sums(space.narrow.data(), head, gradient + at.inner_bias);
  product(space.wide.data(), narrow, matrix(parameters + at.inner, width, head).t());
  for (std::size_t i = 0; i < rows * width; ++i) context[i] = context[i] > 0 ? space.wide[i] : 0.0F;
  column_sums(context, width, gradient + at.shift);
  return sum;
}

// A class stands in the contexts of all variables after it.
void ColumnNetwork::learn_vectors(const OrderedRows& chunk, Workspace& space, float* gradient) const {
  const std::size_t rows = chunk.rows.size(), width = shape_.width, count = variables();
  for (std::size_t v = 0; v < count; ++v)
    std::fill_n(gradient + places_[v].vectors, rounded(shape_.classes[v] * width), 0.0F);
  for (std::size_t i = 0; i < rows; ++i) {
    std::ranges::fill(space.run, 0.0F);
    float* const run = space.run.data();
    for (std::size_t p = count; p-- > 0;) {
      const std::size_t v = chunk.order[i * count + p];
      const std::uint8_t known = chunk.classes[v][chunk.rows[i]];
      if (known != kUnknownClass) {
        float* const vector = gradient + places_[v].vectors + known * width;
        for (std::size_t k = 0; k < width; ++k) vector[k] += run[k];
      }
      const float* const context = space.contexts.data() + (v * rows + i) * width;
      for (std::size_t k = 0; k < width; ++k) run[k] += context[k];
    }
  }
}

double ColumnNetwork::loss(const float* parameters, const OrderedRows& chunk, Workspace& space,
                           float* gradient) const {
  return guarded("learning a table", [&] {
    const c10::InferenceMode no_graph;
    const ThreadsGuard alone(1);
    read_contexts(parameters, chunk, space);
    double sum = 0;
    for (std::size_t v = 0; v < variables(); ++v)
      sum += learn_variable(parameters, v, chunk, space, gradient);
    if (gradient) learn_vectors(chunk, space, gradient);
    return sum;
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
    forward(parameters, variable, rows, space.contexts.data(), space);
  });
}

}  // namespace synthema::detail
