#include "synthema/evaluate/fidelity/column_pairs.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "src/evaluate/association.hpp"
#include "src/evaluate/has_columns.hpp"
#include "src/evaluate/label_counts.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Numbers = std::vector<double>;
constexpr std::size_t kBins = 10;
constexpr std::size_t kMostPaired = 1414;  // of which there are a million pairs

std::optional<double> correlation(const Column& a, const Column& b, Correlation kind) {
  Numbers x, y;
  for (std::size_t row = 0; row < a.size(); ++row)
    if (!a.is_null(row) && !b.is_null(row)) x.push_back(a.number_at(row)), y.push_back(b.number_at(row));
  return kind == Correlation::pearson ? detail::pearson(x, y)
                                      : detail::pearson(detail::mean_ranks(x), detail::mean_ranks(y));
}

using Codes = std::vector<std::uint32_t>;

// A column as cell numbers, the same in all tables; 0 is missing.
class Cells {
 public:
  explicit Cells(const Column& real) : numeric_(detail::is_number(real.kind())) {
    const Numbers values = numeric_ ? detail::numbers_of(real) : Numbers();
    if (values.empty()) return;
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    for (std::size_t i = 1; i < kBins; ++i)  // inner edges as numpy.linspace has them
      edges_.push_back(*low + static_cast<double>(i) * ((*high - *low) / kBins));
  }

  std::size_t count() const { return 1 + (numeric_ ? kBins : codes_.size()); }
  Codes of(const Column& column) {
    Codes of_label;
    if (!numeric_)
      for (const std::string& label : detail::labels_of(column))
        of_label.push_back(codes_.try_emplace(label, static_cast<std::uint32_t>(count())).first->second);
    Codes out(column.size());
    for (std::size_t row = 0; row < out.size(); ++row)
      if (!column.is_null(row))
        out[row] = numeric_ ? bin(column.number_at(row)) : of_label[detail::label_code(column, row)];
    return out;
  }

 private:
  std::uint32_t bin(double value) const {
    const auto above = std::upper_bound(edges_.begin(), edges_.end(), value);
    return 1 + static_cast<std::uint32_t>(above - edges_.begin());
  }
  bool numeric_;
  Numbers edges_;
  std::unordered_map<std::string, std::uint32_t> codes_;
};

// The pairs of columns that two tables share.
struct Alike {
  const Table* table;
  std::vector<const Column*> columns = {};  // by column of the real table; null where the two do not share it
  std::vector<Codes> codes = {};            // by column, too
  std::vector<std::optional<double>> values = {};  // by pair of columns
  std::vector<char> constant = {};                 // by pair of numbers: whether one has no spread here

  bool shares(std::size_t a, std::size_t b) const { return columns[a] && columns[b]; }
  // Whether one of the columns has no values.
  bool lost(std::size_t a, std::size_t b) const {
    return detail::is_empty(*columns[a]) || detail::is_empty(*columns[b]);
  }
  std::optional<double> mean() const {
    RatioRows ratio;
    for (const auto& value : values)
      if (value) ratio.add(*value);
    return ratio.value();
  }
};

// The real table beside others, all of which have rows: it is coded and counted once for all of them.
class PairComparison {
 public:
  PairComparison(const Table& real, std::vector<Alike> others, Correlation kind,
                 const EvaluationContext& context)
      : real_(real), others_(std::move(others)), kind_(kind), names_(detail::shared_columns(real, real)) {
    code_columns(context);
    for (std::size_t a = 0; a < names_.size(); ++a)
      for (std::size_t b = a + 1; b < names_.size(); ++b) pairs_.emplace_back(a, b);
    for (Alike& other : others_) {
      other.values.resize(pairs_.size());
      other.constant.resize(pairs_.size());
    }
    parallel_for(
        pairs_.size(),
        [&](std::size_t p) {
          context.cancel.check();
          numbers(p) ? correlate(p) : count(p);
        },
        context.threads);
  }

  const Alike& with(std::size_t other) const { return others_[other]; }
  std::vector<ScorePart> parts(std::size_t other) const {
    const Alike& alike = others_[other];
    std::vector<ScorePart> out;
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      const auto [a, b] = pairs_[p];
      if (!alike.shares(a, b)) continue;
      const char* note = !numbers(p)         ? "contingency"
                         : !alike.values[p]  ? "undefined: a column is constant or has no values"
                         : alike.lost(a, b)  ? "no synthetic values of a column: the worst there is"
                         : alike.constant[p] ? detail::kNoDependence
                                             : "correlation";
      out.push_back({names_[a] + " x " + names_[b], alike.values[p], alike.table->rows(), note});
    }
    return out;
  }

 private:
  bool numbers(std::size_t pair) const {
    const auto [a, b] = pairs_[pair];
    return detail::is_number(columns_[a]->kind()) && detail::is_number(columns_[b]->kind());
  }

  void code_columns(const EvaluationContext& context) {
    columns_.resize(names_.size());
    codes_.resize(names_.size());
    cells_.resize(names_.size());
    for (Alike& other : others_) {
      other.columns.resize(names_.size());
      other.codes.resize(names_.size());
    }
    parallel_for(
        names_.size(),
        [&](std::size_t c) {
          columns_[c] = &real_.column(names_[c]);
          Cells cells(*columns_[c]);
          codes_[c] = cells.of(*columns_[c]);
          for (Alike& other : others_) {
            if (!detail::has_columns(*other.table, real_, {names_[c]})) continue;
            other.columns[c] = &other.table->column(names_[c]);
            other.codes[c] = cells.of(*other.columns[c]);
          }
          cells_[c] = cells.count();
        },
        context.threads);
  }

  void correlate(std::size_t pair) {
    const auto [a, b] = pairs_[pair];
    const std::optional<double> real = correlation(*columns_[a], *columns_[b], kind_);
    for (Alike& other : others_) {
      if (!real || !other.shares(a, b)) continue;
      // Left out, what has no correlation would make the mean better: a constant column has 0.
      const std::optional<double> there = correlation(*other.columns[a], *other.columns[b], kind_);
      other.values[pair] = other.lost(a, b) ? 0 : 1 - std::abs(*real - there.value_or(0)) / 2;
      other.constant[pair] = !there;
    }
  }

  void count(std::size_t pair) {
    const auto [a, b] = pairs_[pair];
    const detail::Contingency real(codes_[a], codes_[b], cells_[a], cells_[b]);
    for (Alike& other : others_)
      if (other.shares(a, b))
        other.values[pair] =
            real.similarity(detail::Contingency(other.codes[a], other.codes[b], cells_[a], cells_[b]));
  }

  const Table& real_;
  std::vector<Alike> others_;
  Correlation kind_;
  std::vector<std::string> names_;
  std::vector<const Column*> columns_;  // of the real table, as what follows
  std::vector<Codes> codes_;
  std::vector<std::size_t> cells_;
  std::vector<std::pair<std::size_t, std::size_t>> pairs_;
};

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
  if (const std::size_t columns = detail::shared_columns(*real, *real).size(); columns > kMostPaired)
    return undefined(std::move(score),
                     message("The real table has ", columns, " columns, and pairs of at most ", kMostPaired,
                             " are compared; select some."));
  const bool held = context.holdout && context.holdout->rows() > 0;
  const Table loose = detail::independent_marginals(*real, context.seed);
  std::vector<Alike> others{{&synthetic}, {&loose}};
  if (held) others.push_back({context.holdout.get()});
  const PairComparison compared(*real, std::move(others), correlation_, context);
  score.n = synthetic.rows();
  score.parts = compared.parts(0);
  score.value = compared.with(0).mean();
  if (!score.value) return undefined(std::move(score), "The tables share no pair of columns with values.");
  score.no_interval = "A bootstrap of distances between distributions is biased, so none is shown.";
  if (held)
    if (const auto value = compared.with(2).mean())
      score.ceiling = Bound{*value, message("holdout, ", counted(context.holdout->rows(), "real row"))};
  if (const auto value = compared.with(1).mean())
    score.floor = Bound{*value, "the real columns, each shuffled apart"};
  return score;
}

}  // namespace synthema
