#include "synthema/evaluate/fidelity/column_shapes.hpp"

#include <cmath>
#include <map>

#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/distance.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Outcome = std::optional<double>;
using Frequencies = std::map<std::string, double>;

Frequencies counts_of(const Column& column) {
  Frequencies out;
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) ++out[detail::category_at(column, row)];
  return out;
}

double sum_of(const Frequencies& counts) {
  double sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

double total_variation(Frequencies real, const Frequencies& synthetic, Convention convention) {
  if (convention == Convention::sdmetrics)
    for (const auto& [name, count] : synthetic) real.try_emplace(name, 1e-6);
  Frequencies difference;
  const double n = sum_of(real), m = sum_of(synthetic);
  for (const auto& [name, count] : real) difference[name] += count / n;
  for (const auto& [name, count] : synthetic) difference[name] -= count / m;
  double sum = 0;
  for (const auto& [name, d] : difference) sum += std::abs(d);
  return sum / 2;
}

Outcome shape(const Column& real, const Column& synthetic, Convention convention) {
  if (detail::is_category(real.kind())) {
    const Frequencies r = counts_of(real), s = counts_of(synthetic);
    if (r.empty() || s.empty()) return std::nullopt;
    return 1 - total_variation(r, s, convention);
  }
  std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  if (convention == Convention::sdmetrics)
    for (auto* values : {&r, &s})
      for (double& value : *values)
        if (std::abs(value) < 1e15) value = std::nearbyint(value * 1e14) / 1e14;
  return 1 - ks_distance(std::move(r), std::move(s));
}

Outcome missing(const Column& real, const Column& synthetic, Convention) {
  if (real.size() == 0 || synthetic.size() == 0) return std::nullopt;
  const auto share = [](const Column& c) {
    return static_cast<double>(c.null_count()) / static_cast<double>(c.size());
  };
  return 1 - std::abs(share(real) - share(synthetic));
}

Outcome boundary_adherence(const Column& real, const Column& synthetic, Convention convention) {
  const std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  // SDMetrics: a missing synthetic value is out of bounds if the real column has none.
  const bool missing_fail = convention == Convention::sdmetrics && real.null_count() == 0;
  const std::size_t n = missing_fail ? synthetic.size() : s.size();
  if (r.empty() || n == 0) return std::nullopt;
  const auto range = std::minmax_element(r.begin(), r.end());
  const double low = *range.first, high = *range.second;
  const auto inside = std::count_if(s.begin(), s.end(), [&](double v) { return v >= low && v <= high; });
  return static_cast<double>(inside) / static_cast<double>(n);
}

Outcome range_coverage(const Column& real, const Column& synthetic, Convention) {
  const std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  const auto [r_low, r_high] = std::minmax_element(r.begin(), r.end());
  const auto [s_low, s_high] = std::minmax_element(s.begin(), s.end());
  const double width = *r_high - *r_low;
  if (!(width > 0)) return std::nullopt;
  const double below = std::max(0.0, (*s_low - *r_low) / width);
  const double above = std::max(0.0, (*r_high - *s_high) / width);
  return std::max(0.0, 1 - (below + above));
}

Outcome category_coverage(const Column& real, const Column& synthetic, Convention) {
  const Frequencies r = counts_of(real), s = counts_of(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  const auto seen = std::count_if(r.begin(), r.end(), [&](const auto& e) { return s.contains(e.first); });
  return static_cast<double>(seen) / static_cast<double>(r.size());
}

Outcome category_adherence(const Column& real, const Column& synthetic, Convention) {
  const Frequencies r = counts_of(real), s = counts_of(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  double inside = 0;
  for (const auto& [name, count] : s)
    if (r.contains(name)) inside += count;
  return inside / sum_of(s);
}

struct Measure {
  std::string_view name, estimand, definition;
  bool numbers, categories;
  Outcome (*of)(const Column&, const Column&, Convention);
};

// By ColumnMeasure.
constexpr Measure kMeasures[] = {
    {"column_shapes", "Mean over columns of how alike the distributions of one column are.",
     "numbers 1 - KS distance, categories 1 - total variation distance", true, true, shape},
    {"missing_value_similarity", "Mean over columns of how alike the shares of missing values are.",
     "1 - |share missing in real - in synthetic|", true, true, missing},
    {"boundary_adherence", "Mean over numeric columns of the share of values within the real extremes.",
     "share of synthetic values in [min real, max real]", true, false, boundary_adherence},
    {"range_coverage", "Mean over numeric columns of how much of the real range is reached.",
     "max(0, 1 - uncovered ends / real range)", true, false, range_coverage},
    {"category_coverage", "Mean over category columns of the share of real categories that occur.",
     "real categories seen in synthetic / real categories", false, true, category_coverage},
    {"category_adherence", "Mean over category columns of the share of rows with a real category.",
     "synthetic rows whose category is real / synthetic rows", false, true, category_adherence}};

std::optional<double> mean_of_parts(const std::vector<ScorePart>& parts) {
  RatioRows ratio;
  for (const ScorePart& part : parts)
    if (part.value) ratio.add(*part.value);
  return ratio.value();
}

std::vector<ScorePart> parts_of(const Measure& measure, const Table& real, const Table& synthetic,
                                Convention convention) {
  std::vector<ScorePart> out;
  for (const std::string& name : detail::shared_columns(real, synthetic)) {
    const Column &r = real.column(name), &s = synthetic.column(name);
    if (detail::is_number(r.kind()) ? !measure.numbers : !measure.categories) continue;
    const Outcome value = measure.of(r, s, convention);
    out.push_back({name, value, s.size() - s.null_count(),
                   value ? "" : "undefined: no values, or a real column without spread"});
  }
  return out;
}

}  // namespace

ColumnFidelity::ColumnFidelity(ColumnMeasure measure, Convention convention)
    : measure_(measure),
      convention_(require_convention(convention, kConventions, kMeasures[static_cast<int>(measure)].name)) {}

std::string_view ColumnFidelity::name() const {
  return kMeasures[static_cast<int>(measure_)].name;
}

Score ColumnFidelity::evaluate(const Table* real, const Table& synthetic,
                               const EvaluationContext& context) const {
  const Measure& measure = kMeasures[static_cast<int>(measure_)];
  Score score = start_score(*this, std::string(measure.estimand), std::string(measure.definition));
  score.convention = std::string(name_of(convention_));
  if (!real) return undefined(std::move(score), "No real table was given.");
  score.n = synthetic.rows();
  score.parts = parts_of(measure, *real, synthetic, convention_);
  score.value = mean_of_parts(score.parts);
  if (!score.value)
    return undefined(std::move(score),
                     "The tables share no column with values that this measure applies to.");
  score.no_interval = "A bootstrap of distances between distributions is biased, so none is shown.";
  if (context.holdout)
    if (const auto value = mean_of_parts(parts_of(measure, *real, *context.holdout, convention_)))
      score.ceiling = Bound{*value, message("holdout, ", counted(context.holdout->rows(), "real row"))};
  return score;
}

}  // namespace synthema
