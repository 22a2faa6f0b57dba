#include "synthema/evaluate/fidelity/column_pairs.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_map>

#include "src/evaluate/association.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Numbers = std::vector<double>;
constexpr std::size_t kBins = 10;
constexpr std::uint32_t kMissing = 0xFFFFFFFF;

std::optional<double> correlation(const Column& a, const Column& b, Correlation kind) {
  Numbers x, y;
  for (std::size_t row = 0; row < a.size(); ++row)
    if (!a.is_null(row) && !b.is_null(row)) x.push_back(a.number_at(row)), y.push_back(b.number_at(row));
  return kind == Correlation::pearson ? detail::pearson(x, y)
                                      : detail::pearson(detail::mean_ranks(x), detail::mean_ranks(y));
}

// A column as cell numbers, the same in both tables.
class Cells {
 public:
  explicit Cells(const Column& real) {
    if (!detail::is_number(real.kind())) return;
    numeric_ = true;
    const Numbers values = detail::numbers_of(real);
    if (values.empty()) return;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    for (std::size_t i = 1; i < kBins; ++i)  // inner edges as numpy.linspace has them
      edges_.push_back(*low + static_cast<double>(i) * ((*high - *low) / kBins));
  }
  std::vector<std::uint32_t> of(const Column& column) {
    std::vector<std::uint32_t> out;
    for (std::size_t row = 0; row < column.size(); ++row)
      out.push_back(column.is_null(row) ? kMissing
                    : numeric_          ? bin(column.number_at(row))
                                        : code(column, row));
    return out;
  }

 private:
  std::uint32_t bin(double value) const {
    return static_cast<std::uint32_t>(std::upper_bound(edges_.begin(), edges_.end(), value) - edges_.begin());
  }
  std::uint32_t code(const Column& column, std::size_t row) {
    return codes_.try_emplace(detail::category_at(column, row), static_cast<std::uint32_t>(codes_.size()))
        .first->second;
  }
  bool numeric_ = false;
  Numbers edges_;
  std::unordered_map<std::string, std::uint32_t> codes_;
};

using Codes = std::vector<std::uint32_t>;

double contingency_similarity(const Codes& real_a, const Codes& real_b, const Codes& synthetic_a,
                              const Codes& synthetic_b) {
  std::unordered_map<std::uint64_t, std::int64_t> real, synthetic;
  const auto key = [](std::uint32_t a, std::uint32_t b) { return (std::uint64_t{a} << 32) | b; };
  for (std::size_t i = 0; i < real_a.size(); ++i) ++real[key(real_a[i], real_b[i])];
  for (std::size_t i = 0; i < synthetic_a.size(); ++i) ++synthetic[key(synthetic_a[i], synthetic_b[i])];
  const auto n = static_cast<double>(real_a.size()), m = static_cast<double>(synthetic_a.size());
  double sum = 0;
  for (const auto& [cell, count] : real) {
    const auto other = synthetic.find(cell);
    const double there = other == synthetic.end() ? 0 : static_cast<double>(other->second) / m;
    sum += std::abs(static_cast<double>(count) / n - there);
  }
  for (const auto& [cell, count] : synthetic)
    if (!real.contains(cell)) sum += static_cast<double>(count) / m;
  return 1 - sum / 2;
}

std::vector<ScorePart> all_pairs(const Table& real, const Table& synthetic, Correlation kind,
                                 const EvaluationContext& context) {
  const std::vector<std::string> names = detail::shared_columns(real, synthetic);
  std::vector<Codes> real_codes, synthetic_codes;
  for (const std::string& name : names) {
    Cells cells(real.column(name));
    real_codes.push_back(cells.of(real.column(name)));
    synthetic_codes.push_back(cells.of(synthetic.column(name)));
  }
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t a = 0; a < names.size(); ++a)
    for (std::size_t b = a + 1; b < names.size(); ++b) pairs.emplace_back(a, b);
  std::vector<ScorePart> parts(pairs.size());
  const auto number = [&](std::size_t i) { return detail::is_number(real.column(names[i]).kind()); };
  parallel_for(
      pairs.size(),
      [&](std::size_t p) {
        context.cancel.check();
        const auto [a, b] = pairs[p];
        parts[p] = {names[a] + " x " + names[b], std::nullopt, synthetic.rows(), "contingency"};
        if (number(a) && number(b)) {
          const auto r = correlation(real.column(names[a]), real.column(names[b]), kind);
          const auto s = correlation(synthetic.column(names[a]), synthetic.column(names[b]), kind);
          if (r && s) parts[p].value = 1 - std::abs(*r - *s) / 2;
          parts[p].note = r && s ? "correlation" : "undefined: a column is constant or has no values";
        } else {
          parts[p].value =
              contingency_similarity(real_codes[a], real_codes[b], synthetic_codes[a], synthetic_codes[b]);
        }
      },
      context.threads);
  return parts;
}

std::optional<double> mean_of(const std::vector<ScorePart>& parts) {
  RatioRows ratio;
  for (const ScorePart& part : parts)
    if (part.value) ratio.add(*part.value);
  return ratio.value();
}

}  // namespace

Score ColumnPairs::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  Score score = start_score(*this, "Mean over pairs of columns of how alike their dependence is.",
                            correlation_ == Correlation::pearson
                                ? "numbers 1 - |Pearson difference| / 2, else 1 - TVD of joint cells"
                                : "numbers 1 - |Spearman difference| / 2, else 1 - TVD of joint cells");
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  score.n = synthetic.rows();
  score.parts = all_pairs(*real, synthetic, correlation_, context);
  score.value = mean_of(score.parts);
  if (!score.value) return undefined(std::move(score), "The tables share no pair of columns with values.");
  score.no_interval = "A bootstrap of distances between distributions is biased, so none is shown.";
  if (context.holdout && context.holdout->rows() > 0)
    if (const auto value = mean_of(all_pairs(*real, *context.holdout, correlation_, context)))
      score.ceiling = Bound{*value, message("holdout, ", counted(context.holdout->rows(), "real row"))};
  const Table loose = detail::independent_marginals(*real, context.seed);
  if (const auto value = mean_of(all_pairs(*real, loose, correlation_, context)))
    score.floor = Bound{*value, "the real columns, each shuffled apart"};
  return score;
}

}  // namespace synthema
