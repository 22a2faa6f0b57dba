#include "synthema/learn/cox_model.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "synthema/core/error.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

constexpr std::size_t kMostColumns = 1000;
using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

double score_of(const DesignMatrix& design, std::size_t row, const double* weights) {
  double sum = 0;
  for (std::size_t e = row * design.entries; e < (row + 1) * design.entries; ++e)
    if (design.index[e] != DesignMatrix::none) sum += design.value[e] * weights[design.index[e]];
  return sum;
}

struct Likelihood {
  double value = 0;
  Vector slope;
  Matrix curvature;  // negative second derivative; its lower triangle
};

class Problem {
 public:
  Problem(const DesignMatrix& design, std::span<const double> duration, std::span<const char> event,
          double l2)
      : design_(design), duration_(duration), event_(event), l2_(l2), order_(duration.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](auto a, auto b) { return duration[a] != duration[b] ? duration[a] > duration[b] : a < b; });
  }

  // From the last time to the first: rows enter the risk set, then the events of that time are counted.
  // visit(time, events, first moment of risk, largest score) after each time with events.
  Likelihood at(const Vector& weights, bool derivatives,
                std::vector<std::pair<double, double>>* hazard) const {
    const auto size = weights.size();
    Likelihood out{-l2_ / 2 * weights.squaredNorm(), -l2_ * weights, Matrix()};
    if (derivatives) out.curvature = l2_ * Matrix::Identity(size, size);
    std::vector<double> scores(order_.size());
    for (std::size_t row = 0; row < scores.size(); ++row)
      scores[row] = score_of(design_, row, weights.data());
    const double most = scores.empty() ? 0 : *std::max_element(scores.begin(), scores.end());
    double total = 0;
    Vector first = Vector::Zero(size);
    Matrix second = derivatives ? Matrix(Matrix::Zero(size, size)) : Matrix();
    for (std::size_t i = 0; i < order_.size();) {
      const double time = duration_[order_[i]];
      double events = 0;
      for (; i < order_.size() && duration_[order_[i]] == time; ++i) {
        const std::size_t row = order_[i];
        const double risk = std::exp(scores[row] - most);
        total += risk;
        if (derivatives) add(row, risk, first, second);
        if (event_[row] == 0) continue;
        ++events;
        out.value += scores[row] - most;
        if (derivatives) add_row(row, 1, out.slope);
      }
      if (events == 0) continue;
      out.value -= events * std::log(total);
      if (hazard) hazard->emplace_back(time, events / total);
      if (!derivatives) continue;
      const Vector mean = first / total;
      out.slope -= events * mean;
      out.curvature += events / total * second;
      out.curvature.selfadjointView<Eigen::Lower>().rankUpdate(mean, -events);
    }
    return out;
  }

 private:
  void add_row(std::size_t row, double factor, Vector& to) const {
    for (std::size_t e = row * design_.entries; e < (row + 1) * design_.entries; ++e)
      if (design_.index[e] != DesignMatrix::none) to(design_.index[e]) += factor * design_.value[e];
  }
  void add(std::size_t row, double risk, Vector& first, Matrix& second) const {
    add_row(row, risk, first);
    const std::size_t begin = row * design_.entries, end = begin + design_.entries;
    for (std::size_t a = begin; a < end; ++a)
      for (std::size_t b = begin; design_.index[a] != DesignMatrix::none && b < end; ++b)
        if (design_.index[b] != DesignMatrix::none && design_.index[b] >= design_.index[a])
          second(design_.index[b], design_.index[a]) += risk * design_.value[a] * design_.value[b];
  }

  const DesignMatrix& design_;
  std::span<const double> duration_;
  std::span<const char> event_;
  double l2_;
  std::vector<std::size_t> order_;  // the longest duration first
};

}  // namespace

CoxModel::CoxModel(const DesignMatrix& design, std::span<const double> duration, std::span<const char> event,
                   const CoxOptions& options) {
  if (!(options.l2 >= 0)) throw ConfigError({.field = "l2"}, "The penalty must be zero or positive.");
  if (duration.size() != design.rows || event.size() != design.rows)
    throw EvaluationError("A survival model needs one duration and one event for each row.");
  if (design.columns > kMostColumns)
    throw EvaluationError(message("A survival model takes at most ", kMostColumns,
                                  " columns of a design, not ", design.columns, "."));
  const auto events = static_cast<double>(std::count(event.begin(), event.end(), 1));
  if (events == 0) throw EvaluationError("A survival model needs at least one event.");
  const Problem problem(design, duration, event, options.l2);
  Vector weights = Vector::Zero(static_cast<Eigen::Index>(design.columns));
  for (std::size_t step = 0; step < options.steps; ++step) {
    options.cancel.check();
    const Likelihood here = problem.at(weights, true, nullptr);
    if (design.columns == 0 || here.slope.cwiseAbs().maxCoeff() <= options.tolerance * events) {
      converged_ = true;
      break;
    }
    const Eigen::LDLT<Matrix> solved(here.curvature);
    const Vector towards = solved.solve(here.slope);
    if (!towards.allFinite()) break;
    double length = 1;
    while (length > 1e-8 && !(problem.at(weights + length * towards, false, nullptr).value > here.value))
      length /= 2;
    if (length <= 1e-8) {  // as good as rounding allows
      converged_ = here.slope.cwiseAbs().maxCoeff() <= std::sqrt(options.tolerance) * events;
      break;
    }
    weights += length * towards;
  }
  weights_.assign(weights.data(), weights.data() + weights.size());
  std::vector<std::pair<double, double>> hazard;
  problem.at(weights, false, &hazard);
  const std::vector<double> fitted = risks(design);
  origin_ = *std::max_element(fitted.begin(), fitted.end());
  double sum = 0;
  for (auto one = hazard.rbegin(); one != hazard.rend(); ++one) {
    times_.push_back(one->first);
    hazard_.push_back(sum += one->second);
  }
}

std::vector<double> CoxModel::risks(const DesignMatrix& design) const {
  if (design.columns != weights_.size())
    throw EvaluationError(message("The model was fitted on ", weights_.size(),
                                  " columns, but the design has ", design.columns,
                                  "; use the same encoding."));
  std::vector<double> out;
  for (std::size_t row = 0; row < design.rows; ++row) out.push_back(score_of(design, row, weights_.data()));
  return out;
}

double CoxModel::survival(double risk, double time) const {
  const auto above = std::upper_bound(times_.begin(), times_.end(), time);
  if (above == times_.begin()) return 1;
  return std::exp(-hazard_[static_cast<std::size_t>(above - times_.begin()) - 1] * std::exp(risk - origin_));
}

std::optional<Concordance> concordance(std::span<const double> risks, std::span<const double> duration,
                                       std::span<const char> event, std::size_t threads,
                                       const CancelToken& cancel) {
  const std::size_t n = risks.size();
  std::vector<double> agree(n), pairs(n);  // of each row with all others
  parallel_for(
      n,
      [&](std::size_t i) {
        cancel.check();
        for (std::size_t j = 0; j < n; ++j) {
          const bool first = event[i] == 1 && (duration[i] < duration[j] ||
                                               (duration[i] == duration[j] && event[j] == 0 && i != j));
          const bool second = event[j] == 1 && (duration[j] < duration[i] ||
                                                (duration[i] == duration[j] && event[i] == 0 && i != j));
          if (!first && !second) continue;
          const double early = first ? risks[i] : risks[j], late = first ? risks[j] : risks[i];
          ++pairs[i];
          agree[i] += early > late ? 1.0 : early == late ? 0.5 : 0.0;
        }
      },
      threads, 64);
  const double all = std::accumulate(pairs.begin(), pairs.end(), 0.0);
  if (!(all > 0)) return std::nullopt;
  Concordance out{std::accumulate(agree.begin(), agree.end(), 0.0) / all, {}};
  for (std::size_t i = 0; i < n; ++i) out.influence.push_back(2 * (agree[i] - out.value * pairs[i]) / all);
  return out;
}

}  // namespace synthema
