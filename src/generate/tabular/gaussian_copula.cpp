#include "synthema/generate/tabular/gaussian_copula.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <map>

#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/exclusive_groups.hpp"
#include "src/generate/tabular/normal_box.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "src/generate/tabular/score_correlation.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/conditions.hpp"

namespace synthema {

namespace {

using detail::Matrix;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1>;

using detail::normal_share;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// Share below a code and with it.
std::pair<double, double> share_of(const OwnedCounts& counts, std::uint32_t code) {
  const auto at = static_cast<std::size_t>(std::lower_bound(counts.codes.begin(), counts.codes.end(), code) -
                                           counts.codes.begin());
  const double total = counts.view().total();
  const double below = at == 0 ? 0.0 : counts.cumulative[at - 1];
  const double with = at < counts.codes.size() && counts.codes[at] == code ? counts.cumulative[at] : below;
  return {below / total, with / total};
}

// Normal score of each code, standardised, and its expansion in the normal variable (score_correlation.hpp).
struct Scores {
  std::vector<double> by_code;  // labels that are not handed on get that of the middle
  std::vector<double> coefficients;
};

Scores scores_of(const OwnedCounts& counts, std::size_t codes) {
  std::vector<double> scores, cumulative;
  double mean = 0, square = 0, below = 0;
  const double total = counts.view().total();
  for (const std::uint32_t rows : counts.cumulative) {
    const double with = rows / total;
    scores.push_back(normal_quantile((below + with) / 2));
    cumulative.push_back(with);
    mean += (with - below) * scores.back();
    square += (with - below) * scores.back() * scores.back();
    below = with;
  }
  Scores out{std::vector<double>(codes), detail::hermite_coefficients(scores, cumulative)};
  const double deviation = std::sqrt(std::max(square - mean * mean, 0.0));
  if (deviation > 0)
    for (std::size_t i = 0; i < scores.size(); ++i)
      out.by_code[counts.codes[i]] = (scores[i] - mean) / deviation;
  return out;
}

Matrix lower_factor(Matrix covariance) {
  for (double ridge = 0; ridge < 1; ridge = ridge == 0 ? 1e-9 : ridge * 10) {
    const Eigen::LLT<Matrix> factor(covariance +
                                    ridge * Matrix::Identity(covariance.rows(), covariance.cols()));
    if (factor.info() == Eigen::Success) return factor.matrixL();
  }
  throw GenerationError(
      "The correlations cannot be factorised; fit again, or leave out columns that are equal.");
}

// The variables in the order of drawing: those that a condition fixes, then the others.
struct Given {
  std::vector<Eigen::Index> order;
  std::size_t fixed = 0;
  bool limited = false;  // whether numbers under an order stand for their places
  RowMatrix factor;      // lower, of the correlations in this order
};

Given given(const Matrix& correlations, const std::vector<bool>& is_fixed) {
  Given out;
  for (const bool now : {true, false})
    for (std::size_t i = 0; i < is_fixed.size(); ++i)
      if (is_fixed[i] == now) out.order.push_back(static_cast<Eigen::Index>(i));
  out.fixed = static_cast<std::size_t>(std::ranges::count(is_fixed, true));
  if (!out.order.empty()) out.factor = lower_factor(correlations(out.order, out.order));
  return out;
}

// Of `rows` rows, correlations with what `variables` leave open of one of them are noise below this variance.
double least_told(std::size_t variables, double rows) {
  return std::clamp(static_cast<double>(variables) / std::max(rows, 1.0), 0.01, 0.1);
}

double unit(std::uint32_t bits) {
  return (bits + 0.5) / 4294967296.0;
}

// The normal scores of the share that a taken cell has, or its being there or missing.
std::pair<double, double> scores_of_cell(const ColumnCoding& coding, const OwnedCounts& counts, double cell,
                                         bool missing) {
  constexpr double kEdge = 1e-9;
  std::uint32_t code = coding.missing_code();
  if (missing || (coding.is_category() && !std::isnan(cell))) code = static_cast<std::uint32_t>(cell);
  if (!missing && !coding.is_category())
    code = static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(
        std::lower_bound(coding.values.begin(), coding.values.end(), cell) - coding.values.begin(),
        static_cast<std::ptrdiff_t>(coding.values.size()) - 1));
  const auto [below, with] = share_of(counts, code);
  return {below > 0 ? normal_quantile(std::min(below, 1 - kEdge)) : -kInfinity,
          with < 1 ? normal_quantile(std::max(with, kEdge)) : kInfinity};
}

// The noise of a variable once its cell is taken (normal_box.hpp); `drawn` where that says nothing.
double told_noise(const std::pair<double, double>& scores, double mean, double spread, double least,
                  double drawn, std::uint32_t bits) {
  if (spread * spread < least) return drawn;
  return std::clamp(
      detail::confined_normal((scores.first - mean) / spread, (scores.second - mean) / spread, unit(bits)),
      -detail::kFarthestTold, detail::kFarthestTold);
}

// The share of places below this one, and its inverse.
double share_of_place(std::span<const double> places, double place) {
  const auto above = std::ranges::upper_bound(places, place);
  if (above == places.begin()) return 0;
  if (above == places.end()) return 1;
  const double low = *(above - 1);
  return (static_cast<double>(above - places.begin() - 1) + (place - low) / (*above - low)) /
         static_cast<double>(places.size() - 1);
}
double place_of_share(std::span<const double> places, double share) {
  const double at = share * static_cast<double>(places.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(at), places.size() - 2);
  return places[below] + (at - static_cast<double>(below)) * (places[below + 1] - places[below]);
}

// Normal score of a share, as far out as it can be told.
double score_of_share(double share) {
  return share <= 0 ? -kInfinity : share >= 1 ? kInfinity : normal_quantile(share);
}

// Whether the cells that are known determine this one. Then it says nothing that they do not say.
bool is_determined(const detail::RuledCell& ruled, const OwnedCounts& counts) {
  if (ruled.columns[ruled.column].is_category()) return ruled.left_of(counts.view()).codes.size() == 1;
  const auto range = ruled.rules.range(ruled.column, ruled.row, ruled.columns);
  return range && range->first == range->second;
}

// Normal scores at which the entries of counts begin and end.
std::vector<double> bounds_of(const OwnedCounts& counts) {
  std::vector<double> out{-kInfinity};
  const double total = counts.view().total();
  for (const std::uint32_t with : counts.cumulative)
    out.push_back(with == total ? kInfinity : normal_quantile(with / total));
  return out;
}

// As entry_densities, of a number that is drawn as it is.
void listed_density(const ColumnCoding& coding, const OwnedCounts& counts, double cell,
                    std::vector<EntryDensity>& out) {
  out.clear();
  const auto at = std::ranges::lower_bound(counts.codes, cell, {}, [&](std::uint32_t code) {
    return code < coding.codes() ? coding.values[code] : kInfinity;
  });
  if (at != counts.codes.end() && *at < coding.codes() && coding.values[*at] == cell)
    out.push_back({static_cast<std::size_t>(at - counts.codes.begin()), 1 / measure_width(coding)});
}

// The counts of an entry as they are where its normal variable has this mean and spread.
OwnedCounts counts_given(const OwnedCounts& counts, std::span<const double> bounds, double mean,
                         double spread) {
  constexpr double kWhole = 1U << 30;
  OwnedCounts out;
  std::uint32_t total = 0;
  double below = 0;
  for (std::size_t i = 0; i < counts.codes.size(); ++i) {
    const double with = normal_share((bounds[i + 1] - mean) / spread);
    const auto weight = static_cast<std::uint32_t>(std::nearbyint(kWhole * (with - below)));
    below = with;
    if (weight == 0) continue;
    out.codes.push_back(counts.codes[i]);
    out.cumulative.push_back(total += weight);
  }
  return out;
}

}  // namespace

double normal_quantile(double share) {
  return detail::normal_quantile_of(share);
}

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

namespace {

// A member that is known to be set says that those before it are not.
void imply_unset(const std::vector<std::vector<std::size_t>>& groups, std::span<const ColumnCoding> columns,
                 std::span<double> cells) {
  for (const std::vector<std::size_t>& group : groups) {
    const auto set =
        std::ranges::find_if(group, [&](std::size_t c) { return is_set_cell(columns[c], cells[c]); });
    if (set == group.end()) continue;
    for (auto before = group.begin(); before != set; ++before)
      if (const ColumnCoding& coding = columns[*before]; std::isnan(cells[*before]) && !coding.missing)
        cells[*before] = coding.is_category() ? 0 : coding.cell_of_number(0);
  }
}

// Whether a member before it is known to be set: then it says nothing.
bool follows_set(const std::vector<std::vector<std::size_t>>& groups, std::span<const ColumnCoding> columns,
                 std::span<const double> cells, std::size_t column) {
  return std::ranges::any_of(groups, [&](const std::vector<std::size_t>& group) {
    const auto at = std::ranges::find(group, column);
    return at != group.end() &&
           std::any_of(group.begin(), at, [&](std::size_t c) { return is_set_cell(columns[c], cells[c]); });
  });
}

}  // namespace

void GaussianCopula::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  cancel.check();
  GaussianCopula fitted(options_);
  fitted.coded_ = code_table(real, {.rare_below = options_.rare_below, .threads = options_.threads});
  fitted.rules_ = RowRules(fitted.coded_.schema, fitted.coded_.columns);
  std::vector<std::vector<std::uint8_t>> open = detail::open_rows(
      fitted.coded_,
      detail::drawn_groups(fitted.rules_, detail::modelled_order(fitted.rules_, fitted.coded_.columns)));
  std::vector<OwnedCounts> counts(fitted.coded_.columns.size());
  parallel_for(
      counts.size(),
      [&](std::size_t c) {
        if (!fitted.coded_.columns[c].modelled()) return;
        const ColumnCoding& coding = fitted.coded_.columns[c];
        std::vector<std::uint32_t> codes;
        bool may_be_unset = false;
        for (std::size_t row = 0; row < open[c].size(); ++row) {
          if (open[c][row] == 0) continue;
          const std::uint32_t code = fitted.coded_.codes[c][row];
          codes.push_back(code);
          may_be_unset = may_be_unset || !detail::is_set_code(coding, code);
        }
        // The last of a one-hot group always follows: no row says anything by it.
        if (!may_be_unset) std::ranges::fill(open[c], std::uint8_t{0});
        counts[c] = count_codes(coding, may_be_unset ? std::move(codes) : fitted.coded_.codes[c]);
      },
      options_.threads);
  fitted.variables_ = variables_of(fitted.coded_, fitted.rules_, counts);
  const auto p = static_cast<Eigen::Index>(fitted.variables_.size());
  const auto n = static_cast<Eigen::Index>(real.rows());
  Matrix scores = Matrix::Zero(n, p), present = Matrix::Zero(n, p);
  std::vector<std::vector<double>> coefficients(fitted.variables_.size());
  parallel_for(
      fitted.variables_.size(),
      [&](std::size_t i) {
        const Variable& variable = fitted.variables_[i];
        const ColumnCoding& coding = fitted.coded_.columns[variable.column];
        const std::vector<std::uint32_t>& codes = fitted.coded_.codes[variable.column];
        Scores own = scores_of(variable.counts, variable.missing ? 2 : coding.codes() + 2);
        const auto column = static_cast<Eigen::Index>(i);
        coefficients[i] = std::move(own.coefficients);
        for (Eigen::Index row = 0; row < n; ++row) {
          const std::vector<std::uint8_t>& says = open[variable.column];
          if (!says.empty() && says[static_cast<std::size_t>(row)] == 0) continue;
          const std::uint32_t code = codes[static_cast<std::size_t>(row)];
          const bool is_missing = code == coding.missing_code();
          if (!variable.missing && is_missing && !coding.is_category()) continue;
          present(row, column) = 1;
          scores(row, column) = own.by_code[variable.missing ? (is_missing ? 1 : 0) : code];
        }
      },
      options_.threads);
  cancel.check();
  // Over the rows in which both are there.
  const Matrix rows = present.transpose() * present;
  const auto correlate = [&] {
    Matrix raw = scores.transpose() * scores;
    parallel_for(
        fitted.variables_.size(),
        [&](std::size_t first) {
          const auto i = static_cast<Eigen::Index>(first);
          raw(i, i) = 1;
          for (Eigen::Index j = 0; j < i; ++j) {
            const double of_columns = rows(i, j) > 0 ? raw(i, j) / rows(i, j) : 0.0;
            raw(i, j) = raw(j, i) = detail::score_correlation(
                coefficients[first], coefficients[static_cast<std::size_t>(j)], of_columns);
          }
        },
        options_.threads);
    const Matrix found = p > 0 ? detail::nearest_correlation(raw) : raw;
    return std::vector<double>(found.data(), found.data() + found.size());
  };
  fitted.correlations_ = correlate();
  fitted.limit(coefficients, {scores.data(), static_cast<std::size_t>(scores.size())},
               {present.data(), static_cast<std::size_t>(present.size())});
  if (fitted.is_limited()) fitted.limited_ = correlate();
  fitted.coded_.codes.clear();
  fitted.coded_.people.clear();
  if (progress)
    progress(
        {.phase = "fit", .done = fitted.variables_.size(), .total = fitted.variables_.size(), .note = {}});
  *this = std::move(fitted);
}

std::optional<GaussianCopula::Room> GaussianCopula::room_of(const Variable& variable,
                                                            const KnownCells& row) const {
  if (variable.given >= row.known.size() || !row.known[variable.given] ||
      std::isnan(row.cells[variable.given]))
    return std::nullopt;
  const auto range = rules_.range(variable.column, row, coded_.columns);
  if (!range) return std::nullopt;
  const std::vector<double>& values = coded_.columns[variable.column].values;
  const auto below = [&](auto at) {
    return share_of(variable.counts, static_cast<std::uint32_t>(at - values.begin())).first;
  };
  const Room out{below(std::ranges::lower_bound(values, range->first)),
                 below(std::ranges::upper_bound(values, range->second))};
  return out.to - out.from > 1e-9 ? std::optional(out) : std::nullopt;
}

// Finds the numbers under an order and how their places are distributed; `scores` and `present`, by variable
// and row, and the coefficients of such a number become those of its place.
void GaussianCopula::limit(std::vector<std::vector<double>>& coefficients, std::span<double> scores,
                           std::span<const double> present) {
  constexpr std::size_t kMostPlaces = 256, kRowsOfPlace = 10;
  const std::size_t rows = coded_.rows, count = variables_.size();
  const auto position = [&](std::size_t column) {
    return static_cast<std::size_t>(
        std::ranges::find_if(variables_,
                             [&](const Variable& v) { return !v.missing && v.column == column; }) -
        variables_.begin());
  };
  for (const auto& [column, given] : rules_.orders(coded_.columns)) {
    const std::size_t at = position(column);
    if (at >= count || position(given) >= at || !variables_[at].places.empty()) continue;
    Variable& variable = variables_[at];
    variable.given = given;
    const ColumnCoding& own = coded_.columns[column];
    std::vector<std::pair<double, double>> between(rows, {-1, -1});  // where the value's places begin and end
    std::vector<double> places;
    detail::RowCells state(coded_.columns.size());
    for (std::size_t row = 0; row < rows; ++row) {
      if (present[at * rows + row] == 0) continue;
      state.forget();
      for (std::size_t i = 0; i < at; ++i) {
        const ColumnCoding& coding = coded_.columns[variables_[i].column];
        const std::uint32_t code = coded_.codes[variables_[i].column][row];
        if (code < coding.codes())
          state.set(variables_[i].column, coding.is_category() ? code : coding.values[code]);
        else if (code == coding.missing_code())
          state.set(variables_[i].column, kMissing);
      }
      const auto room = room_of(variable, state.view());
      const std::uint32_t code = coded_.codes[column][row];
      if (!room || code >= own.codes()) continue;
      const auto [below, with] = share_of(variable.counts, code);
      const auto place = [&](double share) {
        return std::clamp((share - room->from) / (room->to - room->from), 0.0, 1.0);
      };
      between[row] = {place(below), place(with)};
      // Anywhere in what the value takes, so that few different values make no steps.
      const double part = Random(0).stream(column).stream(row).uniform();
      places.push_back(between[row].first + part * (between[row].second - between[row].first));
    }
    if (places.size() < 2) continue;
    std::ranges::sort(places);
    const std::size_t steps = std::clamp<std::size_t>(places.size() / kRowsOfPlace, 1, kMostPlaces);
    variable.places = {0};
    for (std::size_t k = 1; k < steps; ++k) variable.places.push_back(places[k * places.size() / steps]);
    variable.places.push_back(1);
    double mean = 0, square = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      if (between[row].first < 0) continue;
      const double share = (share_of_place(variable.places, between[row].first) +
                            share_of_place(variable.places, between[row].second)) /
                           2;
      scores[at * rows + row] = normal_quantile(std::clamp(share, 1e-4, 1 - 1e-4));
      mean += scores[at * rows + row];
      square += scores[at * rows + row] * scores[at * rows + row];
    }
    const auto n = static_cast<double>(places.size());
    mean /= n;
    const double deviation = std::sqrt(std::max(square / n - mean * mean, 1e-9));
    for (std::size_t row = 0; row < rows; ++row)
      if (between[row].first >= 0) scores[at * rows + row] = (scores[at * rows + row] - mean) / deviation;
    std::vector<double> even, cumulative;
    for (std::size_t k = 0; k < kMostPlaces; ++k) {
      even.push_back(normal_quantile((static_cast<double>(k) + 0.5) / kMostPlaces));
      cumulative.push_back(static_cast<double>(k + 1) / kMostPlaces);
    }
    coefficients[at] = detail::hermite_coefficients(even, cumulative);
  }
}

double GaussianCopula::rows_behind() const {
  double out = 0;
  for (const Variable& variable : variables_) out = std::max(out, variable.counts.view().total() + 0.0);
  return out;
}

Table GaussianCopula::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  const std::size_t columns = coded_.columns.size(), p = variables_.size();
  const CellConditions conditions(request.conditions.get(), coded_.columns, name());
  const Random random(request.seed);
  const Eigen::Map<const Matrix> correlations(correlations_.data(), static_cast<Eigen::Index>(p),
                                              static_cast<Eigen::Index>(p));
  const std::vector<std::vector<std::size_t>> groups =
      detail::drawn_groups(rules_, detail::modelled_order(rules_, coded_.columns));
  const Eigen::Map<const Matrix> limited_correlations(limited_.data(),
                                                      static_cast<Eigen::Index>(limited_.empty() ? 0 : p),
                                                      static_cast<Eigen::Index>(limited_.empty() ? 0 : p));
  // One distribution for each set of columns that a condition fixes.
  std::map<std::vector<bool>, Given> known;
  std::vector<const Given*> by_condition;
  std::vector<double> fixed(columns);
  for (std::size_t i = 0; i < std::max<std::size_t>(1, conditions.rows()); ++i) {
    std::vector<bool> is_fixed(p);
    if (!conditions.empty()) {
      conditions.row(i, fixed);
      imply_unset(groups, coded_.columns, fixed);
      for (std::size_t k = 0; k < p; ++k) is_fixed[k] = !std::isnan(fixed[variables_[k].column]);
    }
    auto at = known.find(is_fixed);
    if (at == known.end()) {
      // A number under an order that is fixed without the other one stands for its value.
      const bool limited = !limited_.empty() && std::ranges::none_of(variables_, [&](const Variable& v) {
        return !v.places.empty() && !conditions.empty() && !std::isnan(fixed[v.column]) &&
               std::isnan(fixed[v.given]);
      });
      at = known.emplace(is_fixed, given(limited ? limited_correlations : correlations, is_fixed)).first;
      at->second.limited = limited;
    }
    by_condition.push_back(&at->second);
  }
  detail::refuse_contradictions(rules_, coded_.columns, conditions);
  rules_.refuse_too_many(request.rows, coded_.columns);
  std::vector<std::vector<double>> cells(columns);
  for (const Variable& variable : variables_) cells[variable.column].resize(request.rows);
  std::vector<std::vector<double>> bounds(p);
  for (std::size_t i = 0; i < p; ++i)
    if (rules_.touches(variables_[i].column)) bounds[i] = bounds_of(variables_[i].counts);
  const double least = least_told(p, rows_behind());
  std::vector<CodeCounts> counts_of(columns);
  for (const Variable& variable : variables_)
    if (!variable.missing) counts_of[variable.column] = variable.counts.view();
  const detail::OpenMembers open(rules_, groups, coded_.columns, counts_of);
  // One variable after the other given those before it; nothing, or the column that the rules leave no value.
  const auto try_row = [&](const Given& about, const Random& of_row, std::uint64_t row,
                           std::span<const double> wanted,
                           detail::RowCells& state) -> std::optional<std::size_t> {
    const Random own = of_row.stream(1);
    state.forget();
    for (std::size_t k = 0; k < about.fixed; ++k)
      if (const Variable& variable = variables_[static_cast<std::size_t>(about.order[k])]; !variable.missing)
        state.set(variable.column, wanted[variable.column]);
    Vector noise(static_cast<Eigen::Index>(p));
    for (Eigen::Index k = 0; k < noise.size(); ++k) {
      const auto i = static_cast<std::size_t>(about.order[static_cast<std::size_t>(k)]);
      const Variable& variable = variables_[i];
      PhiloxBlock block = own.block(row, i);
      const double mean = about.factor.row(k).head(k).dot(noise.head(k));
      const double spread = about.factor(k, k);
      noise[k] = normal_quantile(unit(block[0]));
      const auto room =
          about.limited && !variable.places.empty() ? room_of(variable, state.view()) : std::optional<Room>();
      const auto told = [&](double cell) {
        return told_noise(scores_of_taken(variable, cell, room), mean, spread, least, noise[k], block[1]);
      };
      if (static_cast<std::size_t>(k) < about.fixed) {
        if (follows_set(groups, coded_.columns, wanted, variable.column)) continue;
        noise[k] = told(variable.missing ? 0.0 : wanted[variable.column]);
        continue;
      }
      double share = normal_share(mean + spread * noise[k]);
      if (room) share = room->from + (room->to - room->from) * place_of_share(variable.places, share);
      const detail::RuledCell ruled{rules_, coded_.columns, variable.column, state.view()};
      if (variable.missing) {
        const CodeCounts counts = variable.counts.view();
        if (share * counts.total() >= counts.cumulative[0] && ruled.admits(kMissing))
          state.set(variable.column, kMissing);
        continue;
      }
      block[0] = static_cast<std::uint32_t>(std::clamp(share * 4294967296.0, 0.0, 4294967295.0));
      const auto beside = open.counts_beside(variable.column, wanted, state.view());
      double cell = ruled.draw_freely(beside ? beside->view() : variable.counts.view(), block);
      if (beside) noise[k] = told(cell);
      if (!ruled.admits(cell)) {
        const OwnedCounts given =
            room ? variable.counts : counts_given(variable.counts, bounds[i], mean, spread);
        const CodeCounts from[] = {given.view(), variable.counts.view()};
        const auto left = ruled.draw(from, cell, own, row);
        if (!left) return variable.column;
        cell = *left;
        // What follows depends on what was taken.
        if (!is_determined(ruled, variable.counts)) noise[k] = told(cell);
      }
      state.set(variable.column, cell);
    }
    return std::nullopt;
  };
  const auto draw = [&](std::size_t row, const Random& from) {
    std::vector<double> wanted(conditions.empty() ? 0 : columns);
    detail::RowCells state(columns);
    if (!conditions.empty()) {
      conditions.row(row, wanted);
      imply_unset(groups, coded_.columns, wanted);
    }
    const Given& about = *by_condition[row % by_condition.size()];
    detail::draw_row(row, from, coded_.columns,
                     [&](const Random& of_row) { return try_row(about, of_row, row, wanted, state); });
    for (const Variable& variable : variables_)
      if (!variable.missing) cells[variable.column][row] = state.cells[variable.column];
  };
  detail::over_rows(request, options_.threads, [&](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) draw(row, random);
  });
  detail::make_unique(rules_, coded_.columns, cells, request, random, draw);
  return detail::decoded(coded_, cells, request.rows, random, options_.threads);
}

std::pair<double, double> GaussianCopula::scores_of_taken(const Variable& variable, double cell,
                                                          const std::optional<Room>& room) const {
  const auto plain = scores_of_cell(coded_.columns[variable.column], variable.counts, cell, variable.missing);
  if (!room) return plain;
  return {score_under(variable, normal_share(plain.first), *room),
          score_under(variable, normal_share(plain.second), *room)};
}

// The normal score where a place stands for this share of the values.
double GaussianCopula::score_under(const Variable& variable, double share, const Room& room) {
  return score_of_share(
      share_of_place(variable.places, std::clamp((share - room.from) / (room.to - room.from), 0.0, 1.0)));
}

// What a row's cells say about the normal scores: for each variable where its score may lie and how likely
// the cell is from there.
std::optional<std::vector<detail::ScoreFunction>> GaussianCopula::score_functions(
    std::span<const std::size_t> active, std::span<const std::vector<double>> bounds,
    const std::vector<std::vector<double>>& cells, std::size_t row) const {
  std::vector<detail::ScoreFunction> out;
  std::vector<EntryDensity> entries;
  detail::RowCells state(coded_.columns.size());
  for (const std::size_t i : active) {
    const Variable& variable = variables_[i];
    const ColumnCoding& coding = coded_.columns[variable.column];
    const double cell = cells[variable.column][row];
    detail::ScoreFunction& function = out.emplace_back();
    const auto room = !limited_.empty() && !variable.places.empty() ? room_of(variable, state.view())
                                                                    : std::optional<Room>();
    const auto bound = [&](std::size_t entry) {
      const double plain = bounds[i][entry];
      return room ? score_under(variable, normal_share(plain), *room) : plain;
    };
    const auto add = [&](std::size_t entry, double density, std::vector<detail::Piece>& to) {
      if (const detail::Piece piece{bound(entry), bound(entry + 1), density}; piece.low < piece.high)
        to.push_back(piece);
    };
    if (variable.missing) {
      add(std::isnan(cell) ? 1 : 0, 1, function.pieces);
      continue;
    }
    const detail::RuledCell ruled{rules_, coded_.columns, variable.column, state.view()};
    if (!ruled.admits(cell)) return std::nullopt;
    if (ruled.is_listed())
      listed_density(coding, variable.counts, cell, entries);
    else
      entry_densities(coding, variable.counts.view(), cell, entries);
    for (const EntryDensity& one : entries) add(one.entry, one.density, function.pieces);
    if (rules_.touches(variable.column)) {
      const auto range = rules_.range(variable.column, state.view(), coded_.columns);
      if (range && range->first == range->second) {  // determined by the others
        function.pieces = {{-kInfinity, kInfinity, 1 / measure_width(coding)}};
        state.set(variable.column, cell);
        continue;
      }
      const OwnedCounts left = ruled.left_of(variable.counts.view());
      if (coding.is_category() && left.codes.size() == 1) {
        function.pieces = {{-kInfinity, kInfinity, 1}};
        state.set(variable.column, cell);
        continue;
      }
      std::size_t entry = 0;
      for (const std::uint32_t code : left.codes) {
        if (room) break;  // it has no other places
        while (variable.counts.codes[entry] != code) ++entry;
        if (!function.allowed.empty() && function.allowed.back().high == bounds[i][entry])
          function.allowed.back().high = bounds[i][entry + 1];
        else
          add(entry, 1, function.allowed);
      }
      // An end of the range, which is taken where the rules leave none of the values.
      if (left.codes.empty() && function.pieces.empty())
        function.pieces.push_back({-kInfinity, kInfinity, 1 / measure_width(coding)});
    }
    if (function.pieces.empty()) return std::nullopt;
    state.set(variable.column, cell);
  }
  return out;
}

std::vector<double> GaussianCopula::log_prob(const Table& table, const ProgressSink& progress,
                                             const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const std::size_t p = variables_.size(), rows = table.rows();
  const std::vector<std::vector<double>> cells = cells_of(coded_.columns, table);
  std::vector<double> out = detail::log_share_of_absent(coded_.columns, cells, rows);
  std::vector<std::vector<double>> bounds;
  std::vector<bool> may_miss(coded_.columns.size());
  for (const Variable& variable : variables_) {
    bounds.push_back(bounds_of(variable.counts));
    if (variable.missing) may_miss[variable.column] = true;
  }
  // One factor for each set of variables that a row says something about: not the number where it is missing.
  struct Active {
    std::vector<std::size_t> variables;
    RowMatrix factor;
  };
  std::map<std::vector<bool>, Active> known;
  std::vector<const Active*> by_row(rows);
  const Eigen::Map<const Matrix> correlations((limited_.empty() ? correlations_ : limited_).data(),
                                              static_cast<Eigen::Index>(p), static_cast<Eigen::Index>(p));
  const double least = least_told(p, rows_behind());
  const bool ruled =
      std::ranges::any_of(variables_, [&](const Variable& v) { return rules_.touches(v.column); });
  std::vector<bool> says(p);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < p; ++i) {
      const Variable& variable = variables_[i];
      const bool missing = std::isnan(cells[variable.column][row]);
      const bool category = coded_.columns[variable.column].is_category();
      says[i] = variable.missing ? rules_.may_miss(variable.column) : category || !missing;
      if (missing && !category && (!may_miss[variable.column] || !rules_.may_miss(variable.column)))
        out[row] = -kInfinity;
    }
    auto at = known.find(says);
    if (at == known.end()) {
      Active active;
      for (std::size_t i = 0; i < p; ++i)
        if (says[i]) active.variables.push_back(i);
      // Whether numbers are missing comes first, so that shares sum to one over rows of any set; numbers of
      // many values, which say nearly what their score is, next, so that less is left to the points. Rules
      // are asked in the order of drawing.
      if (!ruled)
        std::ranges::stable_sort(active.variables, std::greater(), [&](std::size_t i) {
          return std::pair(variables_[i].missing, variables_[i].counts.codes.size());
        });
      const std::vector<Eigen::Index> chosen(active.variables.begin(), active.variables.end());
      if (!chosen.empty()) active.factor = lower_factor(correlations(chosen, chosen));
      at = known.emplace(says, std::move(active)).first;
    }
    by_row[row] = &at->second;
  }
  detail::over_rows(
      {.rows = rows, .progress = progress, .cancel = cancel}, options_.threads,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t row = first; row < last; ++row) {
          if (std::isinf(out[row])) continue;
          const Active& active = *by_row[row];
          const auto functions = score_functions(active.variables, bounds, cells, row);
          out[row] = functions ? detail::log_mean_product(
                                     {active.factor.data(), static_cast<std::size_t>(active.factor.size())},
                                     *functions, least)
                               : -kInfinity;
        }
      },
      "log_prob");
  return out;
}

std::string GaussianCopula::save() const {
  detail::require_fitted(fitted());
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"rare_below", options_.rare_below}};
  detail::put_codings(file, coded_);
  for (const Variable& variable : variables_) {
    const std::string key = std::to_string(variable.column);
    detail::put_counts(file, key + (variable.missing ? ".missing" : ".present"), variable.counts);
  }
  file.put("correlations", correlations_);
  if (!limited_.empty()) file.put("limited", limited_);
  for (const Variable& variable : variables_)
    if (!variable.places.empty()) {
      const std::string key = std::to_string(variable.column);
      file.put(key + ".places", variable.places);
      file.put(key + ".given", std::vector<std::uint64_t>{variable.given});
    }
  return file.file();
}

GaussianCopula GaussianCopula::load(std::string_view bytes, const std::string& path) {
  const detail::ModelArrays file(bytes, path, "gaussian_copula");
  GaussianCopula out;
  out.options_.rare_below =
      file.value<std::size_t>(file.value<detail::ArrayJson>(file.about, "options"), "rare_below");
  out.coded_ = detail::get_codings(file);
  out.rules_ = detail::loaded_rules(file, out.coded_);
  for (const bool missing : {false, true})
    for (const std::size_t c : detail::modelled_order(out.rules_, out.coded_.columns)) {
      const ColumnCoding& coding = out.coded_.columns[c];
      const std::string key = std::to_string(c) + (missing ? ".missing" : ".present");
      if (missing && !file.has(key + ".codes")) continue;
      if (!missing) {
        out.variables_.push_back({c, false, detail::get_counts(file, key, coding)});
        continue;
      }
      OwnedCounts counts{file.get<std::uint32_t>(key + ".codes"),
                         file.get<std::uint32_t>(key + ".cumulative")};
      file.require(counts.codes == std::vector<std::uint32_t>{0, 1} && counts.cumulative.size() == 2 &&
                       counts.cumulative[0] < counts.cumulative[1],
                   "counts of missing values that are none");
      out.variables_.push_back({c, true, std::move(counts)});
    }
  const std::size_t p = out.variables_.size();
  const auto get_correlations = [&](const char* name) {
    std::vector<double> found = file.get<double>(name);
    file.require(found.size() == p * p, "another number of correlations");
    for (std::size_t i = 0; i < p; ++i)
      for (std::size_t j = 0; j < p; ++j) {
        const double r = found[i * p + j];
        file.require(std::abs(r) <= 1.000001 && std::abs(r - found[j * p + i]) < 1e-9 &&
                         (i != j || std::abs(r - 1) < 1e-6),
                     "correlations that are none");
      }
    return found;
  };
  out.correlations_ = get_correlations("correlations");
  if (!file.has("limited")) return out;
  out.limited_ = get_correlations("limited");
  const auto orders = out.rules_.orders(out.coded_.columns);
  for (Variable& variable : out.variables_) {
    const std::string key = std::to_string(variable.column);
    const auto order =
        std::ranges::find(orders, variable.column, &std::pair<std::size_t, std::size_t>::first);
    if (variable.missing || order == orders.end() || !file.has(key + ".places")) continue;
    variable.places = file.get<double>(key + ".places");
    file.require(variable.places.size() >= 2 && variable.places.front() == 0 && variable.places.back() == 1 &&
                     std::ranges::is_sorted(variable.places) &&
                     std::ranges::none_of(variable.places, [](double x) { return std::isnan(x); }),
                 "places that are none");
    variable.given = order->second;  // of older files, which do not say it
    if (!file.has(key + ".given")) continue;
    const auto given = file.get<std::uint64_t>(key + ".given");
    file.require(
        given.size() == 1 &&
            std::ranges::find(orders, std::pair(variable.column, std::size_t{given[0]})) != orders.end(),
        "places beside a column that no rule orders");
    variable.given = given[0];
  }
  return out;
}

}  // namespace synthema
