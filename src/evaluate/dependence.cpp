#include "synthema/evaluate/fidelity/dependence.hpp"

#include <cmath>
#include <limits>

#include "src/evaluate/association.hpp"
#include "src/evaluate/cells.hpp"
#include "src/evaluate/has_columns.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "src/evaluate/value_ids.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Numbers = std::vector<double>;
using Codes = std::vector<std::uint32_t>;
using Found = std::optional<double>;
using enum DependenceMeasure;

struct NamedDependence {
  std::string_view name, estimand, definition;
};
// By DependenceMeasure.
constexpr NamedDependence kNamedDependence[] = {
    {"spearman_similarity", "Mean over pairs of numeric columns of how alike their rank correlation is.",
     "1 - |Spearman difference| / 2"},
    {"cramers_v_similarity", "Mean over pairs of category columns of how alike their association is.",
     "1 - |difference of Cramer's V|"},
    {"correlation_ratio_similarity",
     "Mean over pairs of a category and a number of how alike their dependence is.",
     "1 - |difference of the correlation ratio eta|"},
    {"mutual_information_similarity", "Mean over pairs of columns of how alike their dependence is.",
     "1 - |difference of mutual information / mean entropy|, cells of 10 quantile bins or labels"},
    {"correlation_matrix_difference", "Distance of the correlation matrices of both tables.",
     "Frobenius norm of the difference; Pearson, Cramer's V, correlation ratio"},
    {"mutual_information_difference", "Distance of the matrices of normalised mutual information.",
     "Frobenius norm of the difference; cells of 10 quantile bins or labels"}};

const NamedDependence& named(DependenceMeasure measure) {
  return kNamedDependence[static_cast<std::size_t>(measure)];
}
bool is_norm(DependenceMeasure measure) {
  return measure == matrix_difference || measure == information_difference;
}

constexpr std::uint32_t kAbsent = 0xFFFFFFFF;

// The columns of one table in the forms that measures need.
struct Prepared {
  std::vector<bool> number;
  std::vector<const Column*> columns;
  std::vector<Numbers> numbers, ranks;  // ranks only where no value is missing
  std::vector<Codes> codes;             // labels, or cells where information is measured
  std::vector<std::size_t> labels;
};

// What all tables share: names, and cells that the real table decides.
struct Frame {
  std::vector<std::string> names;
  std::vector<detail::ColumnCells> cells;
  DependenceMeasure measure;
  Convention convention;

  bool of_information() const { return measure == mutual_information || measure == information_difference; }
  bool of_values() const { return of_information() && convention == Convention::syntheval; }
};

Frame frame_of(const Table& real, const Table& synthetic, DependenceMeasure measure, Convention convention) {
  Frame out{detail::shared_columns(real, synthetic), {}, measure, convention};
  for (const std::string& name : out.names)
    out.cells.emplace_back(std::vector<const Column*>{&real.column(name)}, detail::CellOptions{});
  return out;
}

void add_codes(Prepared& out, const Frame& frame, std::size_t c, const Column& column) {
  Codes codes;
  std::size_t labels = 0;
  if (frame.of_information() && !frame.of_values()) {
    for (const std::uint8_t cell : frame.cells[c].of(column)) codes.push_back(cell);
    labels = frame.cells[c].count();
  } else if (frame.of_values() || detail::is_category(column.kind())) {
    detail::ValueIds ids;
    for (const std::uint64_t id : ids.of(column)) {
      codes.push_back(static_cast<std::uint32_t>(id));
      labels = std::max(labels, static_cast<std::size_t>(id) + 1);
    }
    if (!frame.of_values())
      for (std::uint32_t& code : codes)
        if (code == detail::kMissingValue) code = kAbsent;
  }
  out.codes.push_back(std::move(codes));
  out.labels.push_back(labels);
}

Prepared prepare(const Table& table, const Frame& frame) {
  Prepared out;
  for (std::size_t c = 0; c < frame.names.size(); ++c) {
    const Column& column = table.column(frame.names[c]);
    out.columns.push_back(&column);
    out.number.push_back(detail::is_number(column.kind()));
    Numbers numbers;
    if (out.number.back() && !frame.of_information())
      for (std::size_t row = 0; row < column.size(); ++row)
        numbers.push_back(column.is_null(row) ? 0 : column.number_at(row));
    out.ranks.push_back(frame.measure == spearman && column.null_count() == 0 ? detail::mean_ranks(numbers)
                                                                              : Numbers());
    out.numbers.push_back(std::move(numbers));
    add_codes(out, frame, c, column);
  }
  return out;
}

Found of_numbers(const Prepared& table, std::size_t a, std::size_t b, bool rank) {
  const Column &x = *table.columns[a], &y = *table.columns[b];
  if (x.null_count() + y.null_count() == 0)
    return rank ? detail::pearson(table.ranks[a], table.ranks[b])
                : detail::pearson(table.numbers[a], table.numbers[b]);
  Numbers of_a, of_b;
  for (std::size_t row = 0; row < x.size(); ++row)
    if (!x.is_null(row) && !y.is_null(row)) {
      of_a.push_back(table.numbers[a][row]);
      of_b.push_back(table.numbers[b][row]);
    }
  return rank ? detail::pearson(detail::mean_ranks(of_a), detail::mean_ranks(of_b))
              : detail::pearson(of_a, of_b);
}

Found of_labels(const Prepared& table, std::size_t a, std::size_t b, const Frame& frame) {
  Codes of_a, of_b;
  for (std::size_t row = 0; row < table.codes[a].size(); ++row)
    if (table.codes[a][row] != kAbsent && table.codes[b][row] != kAbsent) {
      of_a.push_back(table.codes[a][row]);
      of_b.push_back(table.codes[b][row]);
    }
  const detail::Contingency counts(of_a, of_b, table.labels[a], table.labels[b]);
  if (frame.of_information()) {
    const Found found = counts.normalised_information();
    return found || !frame.of_values() || of_a.empty() ? found : Found(1);
  }
  const bool library = frame.convention == Convention::syntheval;
  const Found squared = counts.cramers_v_squared(library);
  return squared && !library ? Found(std::sqrt(*squared)) : squared;
}

Found of_both(const Prepared& table, std::size_t label, std::size_t number, const Frame& frame) {
  Codes groups;
  Numbers values;
  const Column& column = *table.columns[number];
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row) && table.codes[label][row] != kAbsent) {
      groups.push_back(table.codes[label][row]);
      values.push_back(table.numbers[number][row]);
    }
  const Found squared = detail::correlation_ratio_squared(groups, table.labels[label], values);
  return squared && frame.convention == Convention::synthema ? Found(std::sqrt(*squared)) : squared;
}

Found strength(const Prepared& table, std::size_t a, std::size_t b, const Frame& frame) {
  if (frame.of_information()) return of_labels(table, a, b, frame);
  if (table.number[a] && table.number[b]) return of_numbers(table, a, b, frame.measure == spearman);
  if (!table.number[a] && !table.number[b]) return of_labels(table, a, b, frame);
  return table.number[a] ? of_both(table, b, a, frame) : of_both(table, a, b, frame);
}

// Whether the measure is of such a pair at all.
bool applies(const Prepared& table, std::size_t a, std::size_t b, DependenceMeasure measure) {
  const int numbers = (table.number[a] ? 1 : 0) + (table.number[b] ? 1 : 0);
  switch (measure) {
    case spearman:
      return numbers == 2;
    case cramers_v:
      return numbers == 0;
    case correlation_ratio:
      return numbers == 1;
    default:
      return true;
  }
}

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

std::vector<Found> strengths(const Table& table, const Frame& frame, const Pairs& pairs,
                             const EvaluationContext& context) {
  const Prepared prepared = prepare(table, frame);
  std::vector<Found> out(pairs.size());
  parallel_for(
      pairs.size(),
      [&](std::size_t p) {
        context.cancel.check();
        out[p] = strength(prepared, pairs[p].first, pairs[p].second, frame);
      },
      context.threads);
  return out;
}

// Whether one of the columns has no values.
bool lost(const Table& table, const Frame& frame, const Pairs::value_type& pair) {
  const auto is_empty = [&](std::size_t c) { return detail::is_empty(table.column(frame.names[c])); };
  return is_empty(pair.first) || is_empty(pair.second);
}

// By pair, how far a table that has no strength of it is from the real one: as far as can be where a column
// has no values; else one is constant, and depends on nothing. Left out, such a pair would make the score
// better. The libraries leave it out.
std::vector<Found> without_strength(const Table& table, const Prepared& kinds, const Frame& frame,
                                    const Pairs& pairs, const std::vector<Found>& real) {
  std::vector<Found> out(pairs.size());
  if (frame.convention != Convention::synthema) return out;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const auto [a, b] = pairs[p];
    if (lost(table, frame, pairs[p]))
      out[p] = kinds.number[a] && kinds.number[b] ? 2 : 1;
    else if (real[p])
      out[p] = std::abs(*real[p]);
  }
  return out;
}

struct Compared {
  Found value;
  std::vector<Found> by_pair;
  std::size_t without = 0;  // pairs that a table has no strength for
};

Compared compare(const std::vector<Found>& real, const std::vector<Found>& other,
                 const std::vector<Found>& without, DependenceMeasure measure) {
  Compared out;
  double sum = 0;
  for (std::size_t p = 0; p < real.size(); ++p) {
    out.by_pair.emplace_back();
    if (!real[p] || (!other[p] && !without[p])) {
      ++out.without;
      continue;
    }
    const double apart = other[p] ? std::abs(*real[p] - *other[p]) : *without[p];
    out.by_pair.back() = is_norm(measure) ? apart : 1 - (measure == spearman ? apart / 2 : apart);
    sum += is_norm(measure) ? apart * apart : *out.by_pair.back();
  }
  const auto count = static_cast<double>(real.size() - out.without);
  if (count > 0) out.value = is_norm(measure) ? std::sqrt(2 * sum) : sum / count;
  return out;
}

}  // namespace

Dependence::Dependence(DependenceMeasure measure, Convention convention)
    : measure_(measure),
      convention_(is_norm(measure) ? require_convention(convention, kConventions, named(measure).name)
                                   : require_convention(convention, std::span(kConventions).first(1),
                                                        named(measure).name)) {}

std::string_view Dependence::name() const {
  return named(measure_).name;
}
Direction Dependence::direction() const {
  return is_norm(measure_) ? Direction::lower : Direction::higher;
}
Range Dependence::range() const {
  return {0, is_norm(measure_) ? std::numeric_limits<double>::infinity() : 1};
}

Score Dependence::evaluate(const Table* real, const Table& synthetic,
                           const EvaluationContext& context) const {
  Score score =
      start_score(*this, std::string(named(measure_).estimand), std::string(named(measure_).definition));
  score.convention = std::string(name_of(convention_));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  const Frame frame = frame_of(*real, synthetic, measure_, convention_);
  const Prepared kinds = prepare(real->head(0), frame);
  Pairs pairs;
  for (std::size_t a = 0; a < frame.names.size(); ++a)
    for (std::size_t b = a + 1; b < frame.names.size(); ++b)
      if (applies(kinds, a, b, measure_)) pairs.emplace_back(a, b);
  const std::vector<Found> of_real = strengths(*real, frame, pairs, context);
  const std::vector<Found> of_synthetic = strengths(synthetic, frame, pairs, context);
  const auto compared = [&](const Table& table, const std::vector<Found>& there) {
    return compare(of_real, there, without_strength(table, kinds, frame, pairs, of_real), measure_);
  };
  const Compared found = compared(synthetic, of_synthetic);
  score.n = synthetic.rows();
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const auto [a, b] = pairs[p];
    score.parts.push_back({frame.names[a] + " x " + frame.names[b], found.by_pair[p], synthetic.rows(),
                           !found.by_pair[p] ? "undefined: a column is constant or has no values"
                           : of_synthetic[p] ? ""
                           : lost(synthetic, frame, pairs[p])
                               ? "no synthetic values of a column: the worst there is"
                               : detail::kNoDependence});
  }
  if (!found.value)
    return undefined(std::move(score), "The tables share no pair of columns that this measure applies to.");
  score.value = found.value;
  score.no_interval = "A bootstrap of distances between distributions is biased, so none is shown.";
  if (is_norm(measure_)) {
    const auto count = static_cast<double>(pairs.size() - found.without);
    score.parts.push_back({"root mean square of a pair", *found.value / std::sqrt(2 * count),
                           pairs.size() - found.without, "comparable between tables of any width"});
    if (found.without > 0)
      score.warnings.push_back(message(counted(found.without, "pair"), " of ", pairs.size(),
                                       " with a constant column counted as no difference."));
  }
  if (context.holdout && context.holdout->rows() > 0) {
    if (detail::has_columns(*context.holdout, *real, frame.names))
      if (const Compared fresh =
              compared(*context.holdout, strengths(*context.holdout, frame, pairs, context));
          fresh.value)
        score.ceiling =
            Bound{*fresh.value, message("holdout, ", counted(context.holdout->rows(), "real row"))};
  }
  const Table loose = detail::independent_marginals(*real, context.seed);
  if (const Compared none = compared(loose, strengths(loose, frame, pairs, context)); none.value)
    score.floor = Bound{*none.value, "the real columns, each shuffled apart"};
  return score;
}

}  // namespace synthema
