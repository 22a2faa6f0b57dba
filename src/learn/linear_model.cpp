#include "synthema/learn/linear_model.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "src/learn/links.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

using Vector = std::vector<double>;
constexpr std::size_t kBlock = 4096;      // rows
constexpr std::size_t kDirectSize = 512;  // largest second derivative that is solved as a matrix
constexpr std::size_t kDirectParts = 16;  // of the rows, whatever the number of threads

double dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
void add(Vector& a, double factor, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += factor * b[i];
}
double largest(const Vector& a) {
  double out = 0;
  for (const double value : a) out = std::max(out, std::abs(value));
  return out;
}

// Raw score of a row for one output; `weights` are that output's.
double score(const DesignMatrix& design, std::size_t row, const double* weights) {
  double sum = weights[design.columns];
  for (std::size_t e = row * design.entries; e < (row + 1) * design.entries; ++e)
    if (design.index[e] != DesignMatrix::none) sum += design.value[e] * weights[design.index[e]];
  return sum;
}
// weights += factor * row
void add_row(const DesignMatrix& design, std::size_t row, double factor, double* weights) {
  weights[design.columns] += factor;
  for (std::size_t e = row * design.entries; e < (row + 1) * design.entries; ++e)
    if (design.index[e] != DesignMatrix::none) weights[design.index[e]] += factor * design.value[e];
}

class Problem {
 public:
  Problem(const DesignMatrix& design, const Target& target, std::span<const std::uint32_t> rows,
          const LinearOptions& options)
      : design_(design),
        target_(target),
        rows_(rows),
        options_(options),
        outputs_(target.outputs()),
        stride_(design.columns + 1),
        size_(outputs_ * stride_),
        means_(rows.size() * outputs_) {}

  std::size_t size() const { return size_; }

  double value(const Vector& weights) const {
    Vector parts = summed(1, [&](std::size_t i, double* out) {
      Vector scores(outputs_);
      raw(weights, rows_[i], scores);
      out[0] += loss(scores, target_.values[rows_[i]]);
    });
    return parts[0] + penalty(weights);
  }

  // Also keeps every row's predicted mean for `curved` and `diagonal`.
  Vector gradient(const Vector& weights) {
    Vector out = summed(size_, [&](std::size_t i, double* sums) {
      Vector means(outputs_);
      raw(weights, rows_[i], means);
      detail::to_means(means, target_.classes);
      const double value = target_.values[rows_[i]];
      for (std::size_t k = 0; k < outputs_; ++k) {
        means_[i * outputs_ + k] = means[k];
        const double wanted = outputs_ == 1 ? value : (value == static_cast<double>(k) ? 1 : 0);
        add_row(design_, rows_[i], means[k] - wanted, sums + k * stride_);
      }
    });
    add_penalty(weights, out);
    return out;
  }

  // The second derivative times a direction.
  Vector curved(const Vector& direction) const {
    Vector out = summed(size_, [&](std::size_t i, double* sums) {
      Vector slopes(outputs_);
      raw(direction, rows_[i], slopes);
      const double* means = means_.data() + i * outputs_;
      double mean_slope = 0;
      for (std::size_t k = 0; k < outputs_; ++k) mean_slope += means[k] * slopes[k];
      for (std::size_t k = 0; k < outputs_; ++k) {
        const double weight =
            outputs_ == 1 ? curvature(means[0]) * slopes[0] : means[k] * (slopes[k] - mean_slope);
        add_row(design_, rows_[i], weight, sums + k * stride_);
      }
    });
    add_penalty(direction, out);
    return out;
  }

  // The second derivative as a matrix, of one output. Rows have few entries, so that the sum over pairs of
  // them costs far less than one product of the matrix with a vector for each step of conjugate gradients.
  Eigen::MatrixXd curvatures() const {
    const auto size = static_cast<Eigen::Index>(size_);
    std::vector<Eigen::MatrixXd> parts(std::min(kDirectParts, rows_.size() / kBlock + 1));
    parallel_for(
        parts.size(),
        [&](std::size_t p) {
          parts[p].setZero(size, size);
          double* sums = parts[p].data();
          for (std::size_t i = p * rows_.size() / parts.size(); i < (p + 1) * rows_.size() / parts.size();
               ++i)
            add_products(rows_[i], curvature(means_[i]), sums);
        },
        options_.threads);
    Eigen::MatrixXd out = std::move(parts.front());
    for (std::size_t p = 1; p < parts.size(); ++p) out += parts[p];
    for (Eigen::Index k = 0; k + 1 < size; ++k) out(k, k) += options_.l2;
    return out;
  }

  Vector diagonal() const {
    Vector out = summed(size_, [&](std::size_t i, double* sums) {
      for (std::size_t k = 0; k < outputs_; ++k) {
        const double weight = curvature(means_[i * outputs_ + k]);
        double* own = sums + k * stride_;
        own[design_.columns] += weight;
        for (std::size_t e = rows_[i] * design_.entries; e < (rows_[i] + 1) * design_.entries; ++e)
          if (design_.index[e] != DesignMatrix::none)
            own[design_.index[e]] += weight * design_.value[e] * design_.value[e];
      }
    });
    for (std::size_t i = 0; i < size_; ++i)
      if (i % stride_ != design_.columns) out[i] += options_.l2;
    for (double& value : out) value = std::max(value, 1e-12);
    return out;
  }

 private:
  // body(i, sums) over the rows in fixed blocks; the blocks' sums are added in their order.
  template <class Body>
  Vector summed(std::size_t width, const Body& body) const {
    const std::size_t blocks = (rows_.size() + kBlock - 1) / kBlock;
    std::vector<Vector> parts(blocks);
    parallel_for(
        blocks,
        [&](std::size_t b) {
          parts[b].assign(width, 0);
          for (std::size_t i = b * kBlock; i < std::min(rows_.size(), (b + 1) * kBlock); ++i)
            body(i, parts[b].data());
        },
        options_.threads);
    Vector out(width);
    for (const Vector& part : parts) add(out, 1, part);
    return out;
  }
  // The lower triangle of weight * row row', column by column.
  void add_products(std::size_t row, double weight, double* sums) const {
    const std::size_t begin = row * design_.entries, end = begin + design_.entries, last = size_ - 1;
    for (std::size_t a = begin; a < end; ++a) {
      if (design_.index[a] == DesignMatrix::none) continue;
      const double scaled = weight * design_.value[a];
      sums[design_.index[a] * size_ + last] += scaled;
      for (std::size_t b = begin; b < end; ++b)
        if (design_.index[b] != DesignMatrix::none && design_.index[b] >= design_.index[a])
          sums[design_.index[a] * size_ + design_.index[b]] += scaled * design_.value[b];
    }
    sums[last * size_ + last] += weight;
  }
  void raw(const Vector& weights, std::size_t row, Vector& out) const {
    for (std::size_t k = 0; k < outputs_; ++k) out[k] = score(design_, row, weights.data() + k * stride_);
  }
  double curvature(double mean) const { return target_.classes == 0 ? 1 : mean * (1 - mean); }
  double loss(const Vector& scores, double value) const {
    return detail::loss(scores.data(), value, target_.classes);
  }
  double penalty(const Vector& weights) const {
    double sum = 0;
    for (std::size_t i = 0; i < size_; ++i)
      if (i % stride_ != design_.columns) sum += weights[i] * weights[i];
    return options_.l2 / 2 * sum;
  }
  void add_penalty(const Vector& weights, Vector& out) const {
    for (std::size_t i = 0; i < size_; ++i)
      if (i % stride_ != design_.columns) out[i] += options_.l2 * weights[i];
  }

  const DesignMatrix& design_;
  const Target& target_;
  std::span<const std::uint32_t> rows_;
  const LinearOptions& options_;
  std::size_t outputs_, stride_, size_;
  Vector means_;
};

// H^-1 of the negative gradient by Cholesky; empty where H is not positive enough for that, or too large.
Vector direct_step(const Problem& problem, const Vector& gradient, std::size_t outputs) {
  if (outputs > 1 || problem.size() > kDirectSize) return {};
  const Eigen::LLT<Eigen::MatrixXd> solved(problem.curvatures());
  if (solved.info() != Eigen::Success) return {};
  const Eigen::Map<const Eigen::VectorXd> slopes(gradient.data(), static_cast<Eigen::Index>(gradient.size()));
  const Eigen::VectorXd found = solved.solve(-slopes);
  if (!found.allFinite() || !(found.dot(slopes) < 0)) return {};
  return {found.data(), found.data() + found.size()};
}

// Solves H step = -gradient until the residual is `share` of the gradient.
Vector newton_step(const Problem& problem, const Vector& gradient, double share) {
  const Vector diagonal = problem.diagonal();
  Vector step(gradient.size()), residual = gradient, preconditioned = gradient;
  for (double& value : residual) value = -value;
  const auto precondition = [&] {
    for (std::size_t i = 0; i < residual.size(); ++i) preconditioned[i] = residual[i] / diagonal[i];
  };
  precondition();
  Vector direction = preconditioned;
  double energy = dot(residual, preconditioned);
  const double enough = share * share * dot(gradient, gradient);
  for (std::size_t i = 0; i < 20 + 2 * gradient.size() && dot(residual, residual) > enough; ++i) {
    const Vector curved = problem.curved(direction);
    const double bend = dot(direction, curved);
    if (!(bend > 0)) break;  // a direction without curvature: what is solved so far still descends
    add(step, energy / bend, direction);
    add(residual, -energy / bend, curved);
    precondition();
    const double next = dot(residual, preconditioned);
    for (std::size_t k = 0; k < direction.size(); ++k)
      direction[k] = preconditioned[k] + next / energy * direction[k];
    energy = next;
  }
  return step;
}

}  // namespace

LinearModel::LinearModel(const DesignMatrix& design, const Target& target,
                         std::span<const std::uint32_t> rows, const LinearOptions& options)
    : classes_(target.classes), outputs_(target.outputs()), columns_(design.columns) {
  if (!(options.l2 >= 0)) throw ConfigError({.field = "l2"}, "The penalty must be zero or positive.");
  detail::check_target(target, design.rows, rows);
  Problem problem(design, target, rows, options);
  weights_.assign(problem.size(), 0);
  const auto n = static_cast<double>(rows.size());
  double value = problem.value(weights_);
  for (std::size_t i = 0; i < options.steps; ++i) {
    options.cancel.check();
    const Vector gradient = problem.gradient(weights_);
    const double slope = largest(gradient) / n;
    if (slope <= options.tolerance) {
      converged_ = true;
      return;
    }
    Vector step = direct_step(problem, gradient, outputs_);
    if (step.empty()) step = newton_step(problem, gradient, std::min(0.1, slope));
    const double descent = dot(gradient, step);
    double length = 1;
    for (;; length /= 2) {
      Vector tried = weights_;
      add(tried, length, step);
      const double reached = problem.value(tried);
      if (reached <= value + 1e-4 * length * descent) {
        weights_ = std::move(tried), value = reached;
        break;
      }
      if (length < 1e-6) {  // as good as rounding allows
        add(weights_, 1, step);
        if (largest(problem.gradient(weights_)) > largest(gradient)) add(weights_, -1, step);
        converged_ = slope <= std::sqrt(options.tolerance);
        return;
      }
    }
  }
}

Predictions LinearModel::predict(const DesignMatrix& design, std::span<const std::uint32_t> rows) const {
  if (design.columns != columns_)
    throw EvaluationError(message("The model was fitted on ", columns_, " columns, but the design has ",
                                  design.columns, "; use the same encoding."));
  const std::vector<std::uint32_t> every =
      rows.empty() ? all_rows(design.rows) : std::vector<std::uint32_t>();
  const std::span<const std::uint32_t> chosen = rows.empty() ? std::span<const std::uint32_t>(every) : rows;
  Predictions out{.width = std::max<std::size_t>(classes_, 1), .values = {}};
  out.values.resize(chosen.size() * out.width);
  Vector scores(outputs_);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (std::size_t k = 0; k < outputs_; ++k)
      scores[k] = score(design, chosen[i], weights_.data() + k * (columns_ + 1));
    detail::to_means(scores, classes_);
    double* row = out.values.data() + i * out.width;
    if (classes_ == 2)
      row[1] = scores[0], row[0] = 1 - scores[0];
    else
      std::copy(scores.begin(), scores.end(), row);
  }
  return out;
}

std::vector<double> LinearModel::coefficients(std::size_t output) const {
  const auto begin = weights_.begin() + static_cast<std::ptrdiff_t>(output * (columns_ + 1));
  return {begin, begin + static_cast<std::ptrdiff_t>(columns_)};
}

double LinearModel::intercept(std::size_t output) const {
  return weights_.at(output * (columns_ + 1) + columns_);
}

}  // namespace synthema
