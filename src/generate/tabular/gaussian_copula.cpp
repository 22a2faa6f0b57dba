#include "synthema/generate/tabular/gaussian_copula.hpp"

#include <Eigen/Dense>
#include <cmath>

#include "src/generate/tabular/exclusive_groups.hpp"
#include "src/generate/tabular/normal_box.hpp"
#include "src/generate/tabular/normal_scores.hpp"
#include "src/generate/tabular/order_distance.hpp"
#include "src/generate/tabular/products_by_people.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/special_numbers.hpp"

namespace synthema {

// What a table says about the normal vector, by variable and row.
struct GaussianCopula::Evidence {
  detail::Matrix scores, present;                 // present: 1 where the row says something
  std::vector<std::vector<double>> coefficients;  // of the scores (score_correlation.hpp)
};

namespace {

using detail::Matrix;

using detail::kMissing;

// The counts of each column, of a member of a group those of the rows that are open to it (`open`).
std::vector<OwnedCounts> counts_of_columns(const CodedTable& coded,
                                           std::vector<std::vector<std::uint8_t>>& open,
                                           std::size_t threads) {
  std::vector<OwnedCounts> out(coded.columns.size());
  parallel_for(
      out.size(),
      [&](std::size_t c) {
        if (!coded.columns[c].modelled()) return;
        const ColumnCoding& coding = coded.columns[c];
        std::vector<std::uint32_t> codes;
        bool may_be_unset = false;
        for (std::size_t row = 0; row < open[c].size(); ++row) {
          if (open[c][row] == 0) continue;
          const std::uint32_t code = coded.codes[c][row];
          codes.push_back(code);
          const bool unknown = code == coding.pooled_code();
          may_be_unset = may_be_unset || !(unknown || detail::is_set_code(coding, code));
        }
        // The last of a one-hot group always follows: no row says anything by it.
        if (!may_be_unset) std::ranges::fill(open[c], std::uint8_t{0});
        out[c] = count_codes(coding, may_be_unset ? codes : coded.codes[c]);
      },
      threads);
  return out;
}

// Over the rows in which both variables are there.
std::vector<double> correlations_of(const Matrix& scores, const Matrix& rows,
                                    std::span<const std::vector<double>> coefficients,
                                    std::span<const std::uint32_t> people, std::size_t threads) {
  Matrix raw = detail::products_by_people(scores, rows, people, threads);
  parallel_for(
      coefficients.size(),
      [&](std::size_t first) {
        const auto i = static_cast<Eigen::Index>(first);
        raw(i, i) = 1;
        for (Eigen::Index j = 0; j < i; ++j) {
          const double of_columns = rows(i, j) > 0 ? raw(i, j) / rows(i, j) : 0.0;
          raw(i, j) = raw(j, i) = detail::score_correlation(
              coefficients[first], coefficients[static_cast<std::size_t>(j)], of_columns);
        }
      },
      threads);
  const Matrix found = coefficients.empty() ? raw : detail::nearest_correlation(raw);
  return {found.data(), found.data() + found.size()};
}

// Quantiles of sorted places, from 0 to 1.
std::vector<double> quantiles_of(std::span<const double> places) {
  constexpr std::size_t kMostPlaces = 256, kRowsOfPlace = 10;
  const std::size_t steps = std::clamp<std::size_t>(places.size() / kRowsOfPlace, 1, kMostPlaces);
  std::vector<double> out{0};
  for (std::size_t k = 1; k < steps; ++k) out.push_back(places[k * places.size() / steps]);
  out.push_back(1);
  return out;
}

// Of a variable of very many values.
std::vector<double> even_coefficients() {
  constexpr std::size_t kValues = 256;
  std::vector<double> even, cumulative;
  for (std::size_t k = 0; k < kValues; ++k) {
    even.push_back(normal_quantile((static_cast<double>(k) + 0.5) / kValues));
    cumulative.push_back(static_cast<double>(k + 1) / kValues);
  }
  return detail::hermite_coefficients(even, cumulative);
}

}  // namespace

// The variables of the normal vector: a value of each modelled column, then for each number that may be
// missing whether it is.
std::vector<GaussianCopula::Variable> GaussianCopula::variables_of(const CodedTable& coded,
                                                                   const RowRules& rules,
                                                                   std::span<const OwnedCounts> counts) {
  std::vector<Variable> out;
  for (const std::size_t c : detail::modelled_order(rules, coded.columns))
    out.push_back({c, false, counts[c]});
  for (std::size_t i = 0, values = out.size(); i < values; ++i) {
    Variable& value = out[i];
    const ColumnCoding& coding = coded.columns[value.column];
    std::vector<std::uint32_t>& codes = value.counts.codes;
    if (coding.is_category() || codes.empty() || codes.back() != coding.missing_code()) continue;
    const std::uint32_t total = value.counts.cumulative.back();
    codes.pop_back();
    value.counts.cumulative.pop_back();
    const std::uint32_t present = codes.empty() ? 0 : value.counts.cumulative.back();
    out.push_back({value.column, true, {{0, 1}, {present, total}}});
  }
  return out;
}

GaussianCopula::Evidence GaussianCopula::evidence_of(std::span<const std::vector<std::uint8_t>> open) const {
  const auto p = static_cast<Eigen::Index>(variables_.size());
  const auto n = static_cast<Eigen::Index>(coded_.rows);
  Evidence out{Matrix::Zero(n, p), Matrix::Zero(n, p), std::vector<std::vector<double>>(variables_.size())};
  parallel_for(
      variables_.size(),
      [&](std::size_t i) {
        const Variable& variable = variables_[i];
        const ColumnCoding& coding = coded_.columns[variable.column];
        const std::vector<std::uint32_t>& codes = coded_.codes[variable.column];
        detail::Scores own = detail::scores_of(variable.counts, variable.missing ? 2 : coding.codes() + 2);
        const auto column = static_cast<Eigen::Index>(i);
        out.coefficients[i] = std::move(own.coefficients);
        for (Eigen::Index row = 0; row < n; ++row) {
          const std::vector<std::uint8_t>& says = open[variable.column];
          if (!says.empty() && says[static_cast<std::size_t>(row)] == 0) continue;
          const std::uint32_t code = codes[static_cast<std::size_t>(row)];
          const bool is_missing = code == coding.missing_code();
          const bool is_unknown = code == coding.pooled_code();
          if (!coding.is_category() && (is_unknown || (is_missing && !variable.missing))) continue;
          out.present(row, column) = 1;
          out.scores(row, column) = own.by_code[variable.missing ? (is_missing ? 1 : 0) : code];
        }
      },
      options_.threads);
  return out;
}

void GaussianCopula::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  cancel.check();
  GaussianCopula fitted(options_);
  fitted.coded_ = code_table(real, {.rare_below = options_.rare_below, .threads = options_.threads});
  fitted.rules_ = RowRules(fitted.coded_.schema, fitted.coded_.columns);
  std::vector<std::vector<std::uint8_t>> open = detail::open_rows(
      fitted.coded_,
      detail::drawn_groups(fitted.rules_, detail::modelled_order(fitted.rules_, fitted.coded_.columns)));
  const std::vector<OwnedCounts> counts = counts_of_columns(fitted.coded_, open, options_.threads);
  fitted.variables_ = variables_of(fitted.coded_, fitted.rules_, counts);
  Evidence evidence = fitted.evidence_of(open);
  cancel.check();
  const auto correlate = [&] {
    const Matrix rows = evidence.present.transpose() * evidence.present;
    return correlations_of(evidence.scores, rows, evidence.coefficients, fitted.coded_.people,
                           options_.threads);
  };
  fitted.correlations_ = correlate();
  fitted.measure(evidence);
  fitted.limit(evidence);
  if (fitted.is_limited()) fitted.limited_ = correlate();
  fitted.coded_.codes.clear();
  fitted.coded_.people.clear();
  if (progress)
    progress(
        {.phase = "fit", .done = fitted.variables_.size(), .total = fitted.variables_.size(), .note = {}});
  *this = std::move(fitted);
}

const detail::DistanceCounts* GaussianCopula::distance_of(const Variable& variable, const KnownCells& row) {
  return variable.distance && variable.distance->is_measured(row) ? variable.distance.get() : nullptr;
}

// Finds the numbers that stand for a distance; scores and coefficients of such a number become those of its
// distance, of rows without one there are none.
void GaussianCopula::measure(Evidence& evidence) {
  std::vector<std::size_t> before;
  for (std::size_t i = 0; i < variables_.size() && !variables_[i].missing; ++i) {
    Variable& variable = variables_[i];
    const auto learnt = detail::learn_distance(coded_, rules_, variable.column, before,
                                               {.rare_below = options_.rare_below, .threads = 1});
    before.push_back(variable.column);
    if (!learnt) continue;
    OwnedCounts counts = detail::present_of(learnt->coding, learnt->counts().view());
    detail::Scores own = detail::scores_of(counts, learnt->coding.codes() + 1);
    evidence.coefficients[i] = std::move(own.coefficients);
    for (std::size_t row = 0; row < coded_.rows; ++row) {
      const auto at = static_cast<Eigen::Index>(row), column = static_cast<Eigen::Index>(i);
      const bool says = learnt->codes[row] < learnt->coding.codes();
      evidence.present(at, column) = says ? 1 : 0;
      evidence.scores(at, column) = says ? own.by_code[learnt->codes[row]] : 0;
    }
    variable.distance =
        std::make_shared<const detail::DistanceCounts>(detail::DistanceCounts{*learnt, std::move(counts)});
  }
}

std::optional<detail::Room> GaussianCopula::room_of(const Variable& variable, const KnownCells& row) const {
  if (variable.given >= row.known.size() || !row.known[variable.given] ||
      std::isnan(row.cells[variable.given]))
    return std::nullopt;
  const auto range = rules_.range(variable.column, row, coded_.columns);
  if (!range) return std::nullopt;
  const std::vector<double>& values = coded_.columns[variable.column].values;
  const auto below = [&](auto at) {
    return detail::share_of(variable.counts, static_cast<std::uint32_t>(at - values.begin())).first;
  };
  const detail::Room out{below(std::ranges::lower_bound(values, range->first)),
                         below(std::ranges::upper_bound(values, range->second)), variable.places};
  return out.to - out.from > 1e-9 ? std::optional(out) : std::nullopt;
}

// Finds the numbers under an order and how their places are distributed; scores and coefficients of such a
// number become those of its place.
void GaussianCopula::limit(Evidence& evidence) {
  const auto position = [&](std::size_t column) {
    return static_cast<std::size_t>(
        std::ranges::find_if(variables_,
                             [&](const Variable& v) { return !v.missing && v.column == column; }) -
        variables_.begin());
  };
  for (const auto& [column, given] : rules_.orders(coded_.columns)) {
    const std::size_t at = position(column);
    if (at >= variables_.size() || position(given) >= at || !variables_[at].places.empty() ||
        variables_[at].distance)
      continue;
    variables_[at].given = given;
    limit_one(at, evidence);
  }
}

void GaussianCopula::limit_one(std::size_t at, Evidence& evidence) {
  Variable& variable = variables_[at];
  const std::size_t rows = coded_.rows;
  const auto i = static_cast<Eigen::Index>(at);
  std::vector<std::pair<double, double>> between(rows, {-1, -1});  // where the value's places begin and end
  std::vector<double> places;
  detail::RowCells state(coded_.columns.size());
  for (std::size_t row = 0; row < rows; ++row) {
    if (evidence.present(static_cast<Eigen::Index>(row), i) == 0) continue;
    state.forget();
    for (std::size_t k = 0; k < at; ++k) {
      const ColumnCoding& coding = coded_.columns[variables_[k].column];
      const std::uint32_t code = coded_.codes[variables_[k].column][row];
      if (code < coding.codes())
        state.set(variables_[k].column, coding.is_category() ? code : coding.values[code]);
      else if (code == coding.missing_code())
        state.set(variables_[k].column, kMissing);
    }
    const auto room = room_of(variable, state.view());
    const std::uint32_t code = coded_.codes[variable.column][row];
    if (!room || code >= coded_.columns[variable.column].codes()) continue;
    const auto [below, with] = detail::share_of(variable.counts, code);
    const auto place = [&](double share) {
      return std::clamp((share - room->from) / (room->to - room->from), 0.0, 1.0);
    };
    between[row] = {place(below), place(with)};
    // Anywhere in what the value takes, so that few different values make no steps.
    const double part = Random(0).stream(variable.column).stream(row).uniform();
    places.push_back(between[row].first + part * (between[row].second - between[row].first));
  }
  if (places.size() < 2) return;
  std::ranges::sort(places);
  variable.places = quantiles_of(places);
  double mean = 0, square = 0;
  const auto score = [&](std::size_t row) -> double& {
    return evidence.scores(static_cast<Eigen::Index>(row), i);
  };
  for (std::size_t row = 0; row < rows; ++row) {
    if (between[row].first < 0) continue;
    const double share = (detail::share_of_place(variable.places, between[row].first) +
                          detail::share_of_place(variable.places, between[row].second)) /
                         2;
    score(row) = normal_quantile(std::clamp(share, 1e-4, 1 - 1e-4));
    mean += score(row);
    square += score(row) * score(row);
  }
  const auto n = static_cast<double>(places.size());
  mean /= n;
  const double deviation = std::sqrt(std::max(square / n - mean * mean, 1e-9));
  for (std::size_t row = 0; row < rows; ++row)
    if (between[row].first >= 0) score(row) = (score(row) - mean) / deviation;
  evidence.coefficients[at] = even_coefficients();
}

double GaussianCopula::rows_behind() const {
  double out = 0;
  for (const Variable& variable : variables_) out = std::max(out, variable.counts.view().total() + 0.0);
  return out;
}

std::pair<double, double> GaussianCopula::scores_of_taken(const Variable& variable, double cell,
                                                          const KnownCells& row,
                                                          const std::optional<detail::Room>& room) const {
  if (const detail::DistanceCounts* const distance = distance_of(variable, row))
    return detail::scores_of_cell(
        distance->coding, distance->counts,
        distance->cell_of(coded_.columns, variable.column, cell, row.cells[distance->from]), false);
  const auto plain =
      detail::scores_of_cell(coded_.columns[variable.column], variable.counts, cell, variable.missing);
  if (!room) return plain;
  return {room->score_of(normal_share(plain.first)), room->score_of(normal_share(plain.second))};
}

}  // namespace synthema
