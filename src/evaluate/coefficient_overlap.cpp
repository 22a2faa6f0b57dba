#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>

#include "src/evaluate/few_people.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/trial_rows.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/evaluate/utility/agreement.hpp"
#include "synthema/learn/design_matrix.hpp"
#include "synthema/learn/linear_model.hpp"

namespace synthema {

namespace {

constexpr std::size_t kMostColumns = 1000;

constexpr double kNoInformation = 1e-9;

struct Estimate {
  double value = 0, error = 0;  // coefficient and its standard error; error 0: cannot be told
};

// Names of the most frequent label of each category: what the others are compared with.
std::vector<std::string> reference_names(const Table& table, const std::vector<std::string>& columns) {
  std::vector<std::string> out;
  for (const std::string& name : columns) {
    const Column& column = table.column(name);
    if (!detail::is_category(column.kind())) continue;
    std::map<std::string, std::size_t> counts;
    for (std::size_t row = 0; row < column.size(); ++row)
      if (!column.is_null(row)) ++counts[detail::category_at(column, row)];
    std::string most;
    for (const auto& [label, count] : counts)
      if (most.empty() || count > counts[most]) most = label;
    if (!most.empty()) out.push_back(message(name, " = ", most));
  }
  return out;
}

// Names of labels, as above, of few people.
detail::FewPeople few_people(const Table& table, const std::vector<std::string>& columns) {
  detail::FewPeople out(Units::of(table));
  for (const std::string& name : columns) {
    const Column& column = table.column(name);
    if (!detail::is_category(column.kind())) continue;
    for (std::size_t row = 0; row < column.size(); ++row)
      if (!column.is_null(row)) out.add(message(name, " = ", detail::category_at(column, row)), row);
  }
  return out;
}

// Without the columns of references; entries of those are padding.
DesignMatrix without(DesignMatrix design, const std::vector<bool>& dropped) {
  for (std::uint32_t& index : design.index)
    if (index != DesignMatrix::none && dropped[index]) index = DesignMatrix::none;
  return design;
}

// Maximum likelihood and the inverse of the information, of the columns that vary in these rows.
std::vector<Estimate> estimates(const DesignMatrix& design, const Target& target,
                                const EvaluationContext& context) {
  const LinearModel model(design, target, target.rows_with_value(),
                          {.l2 = 1e-6, .threads = context.threads, .cancel = context.cancel});
  const std::vector<double> weights = model.coefficients();
  const auto size = static_cast<Eigen::Index>(design.columns + 1);
  Eigen::MatrixXd information = Eigen::MatrixXd::Zero(size, size);
  const Predictions predicted = model.predict(design);
  double squares = 0;
  std::vector<std::pair<Eigen::Index, double>> entries;
  for (std::size_t row = 0; row < design.rows; ++row) {
    const double mean = target.classes == 2 ? predicted.at(row, 1) : predicted.at(row);
    const double weight = target.classes == 2 ? mean * (1 - mean) : 1;
    squares += (target.values[row] - mean) * (target.values[row] - mean);
    entries.assign(1, {size - 1, 1.0});
    for (std::size_t e = row * design.entries; e < (row + 1) * design.entries; ++e)
      if (design.index[e] != DesignMatrix::none) entries.emplace_back(design.index[e], design.value[e]);
    for (const auto& [a, x] : entries)
      for (const auto& [b, y] : entries) information(a, b) += weight * x * y;
  }
  std::vector<Estimate> out(design.columns);
  // Columns that hardly vary or repeat others have next to no information of their own.
  const Eigen::VectorXd scale = information.diagonal().cwiseSqrt().cwiseMax(1e-150);
  const Eigen::MatrixXd scaled =
      scale.cwiseInverse().asDiagonal() * information * scale.cwiseInverse().asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solved(scaled);
  const Eigen::VectorXd& values = solved.eigenvalues();
  const Eigen::MatrixXd& vectors = solved.eigenvectors();
  // References and columns that repeat others are no parameters.
  const auto fitted = static_cast<double>((values.array() > kNoInformation).count());
  const double left = std::max(1.0, static_cast<double>(design.rows) - fitted);
  const double noise = target.classes == 2 ? 1 : squares / left;
  for (std::size_t k = 0; k < design.columns; ++k) {
    const auto i = static_cast<Eigen::Index>(k);
    double variance = 0;
    bool told = information(i, i) > kNoInformation;
    for (Eigen::Index e = 0; e < size && told; ++e) {
      const double share = vectors(i, e) * vectors(i, e);
      if (values(e) > kNoInformation)
        variance += share / values(e);
      else if (share > 1e-6)
        told = false;
    }
    out[k] = {weights[k], told ? std::sqrt(variance * noise) / scale(i) : 0};
  }
  return out;
}

std::optional<double> overlap(const Estimate& r, const Estimate& s) {
  if (!(r.error > 0) || !(s.error > 0)) return std::nullopt;
  constexpr double z = kNormal95;
  const double shared = std::min(r.value + z * r.error, s.value + z * s.error) -
                        std::max(r.value - z * r.error, s.value - z * s.error);
  if (!(shared > 0)) return 0;
  return (shared / (2 * z * r.error) + shared / (2 * z * s.error)) / 2;
}

struct Overlaps {
  std::vector<std::optional<double>> of;
  RatioRows mean;
};
Overlaps overlaps(const std::vector<Estimate>& r, const std::vector<Estimate>& s,
                  const std::vector<bool>& dropped) {
  Overlaps out;
  for (std::size_t k = 0; k < r.size(); ++k) {
    out.of.push_back(dropped[k] ? std::nullopt : overlap(r[k], s[k]));
    if (out.of.back()) out.mean.add(*out.of.back());
  }
  return out;
}

}  // namespace

Score CoefficientOverlap::evaluate(const Table* real, const Table& synthetic,
                                   const EvaluationContext& context) const {
  Score score =
      start_score(*this, "Mean overlap of the 95 % intervals of regression coefficients of both tables.",
                  "(o / |R| + o / |S|) / 2, o the shared length or 0 (Karr et al. 2006)");
  const auto rows = detail::trial_rows(real, synthetic, context, score);
  if (!rows) return score;
  if (rows->target.classes() > 2)
    return undefined(std::move(score),
                     "The target has more than two classes; this is of two, or of a number.");
  const DesignEncoding encoding(rows->training, rows->columns);
  const auto& names = encoding.names();
  if (names.size() > kMostColumns)
    return undefined(std::move(score),
                     message("The columns have more than ", kMostColumns, " coefficients."));
  std::vector<bool> dropped(names.size());
  for (const std::string& reference : reference_names(rows->training, rows->columns))
    for (std::size_t k = 0; k < names.size(); ++k)
      if (names[k] == reference) dropped[k] = true;
  const auto of = [&](const Table& table) {
    return estimates(without(encoding.apply(table), dropped), rows->target.of(table), context);
  };
  try {
    const std::vector<Estimate> r = of(rows->training), s = of(rows->synthetic);
    const Overlaps found = overlaps(r, s, dropped);
    const detail::FewPeople few = few_people(rows->training, rows->columns);
    for (std::size_t k = 0; k < names.size(); ++k)
      if (!dropped[k] && !few.have(std::string(names[k])))
        score.parts.push_back({std::string(names[k]), found.of[k], rows->synthetic.rows(),
                               found.of[k] ? message("real ", r[k].value, " +- ", 1.96 * r[k].error,
                                                     ", synthetic ", s[k].value, " +- ", 1.96 * s[k].error)
                                           : "undefined: one table cannot tell this coefficient"});
    score.value = found.mean.value();
    score.n = found.mean.numerator.size();
    if (score.value)
      if (const auto fresh = overlaps(r, of(rows->test), dropped).mean.value())
        score.ceiling = Bound{*fresh, message("the ", counted(rows->test.rows(), "test row"),
                                              " in the place of synthetic rows")};
  } catch (const EvaluationError& error) {
    return undefined(std::move(score), error.what());
  }
  if (!score.value) return undefined(std::move(score), "No coefficient can be told in both tables.");
  score.no_interval = "The overlaps share their rows, and a bootstrap of intervals is not valid.";
  score.floor = Bound{0, "theory: all intervals lie apart"};
  return score;
}

}  // namespace synthema
