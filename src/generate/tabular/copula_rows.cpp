#include <Eigen/Dense>
#include <cmath>
#include <map>

#include "src/generate/tabular/candidates.hpp"
#include "src/generate/tabular/exclusive_groups.hpp"
#include "src/generate/tabular/normal_box.hpp"
#include "src/generate/tabular/normal_scores.hpp"
#include "src/generate/tabular/order_distance.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/conditions.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"

namespace synthema {

namespace {

using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1>;

using detail::kMissing;

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

// What is the same for all rows of a sample, and one row after the other.
class GaussianCopula::Rows {
 public:
  Rows(const GaussianCopula& of, const SampleRequest& request);
  Table draw() const;

 private:
  // The variables in the order of drawing: fixed ones, those of candidates (candidates.hpp), the others.
  struct Given {
    std::vector<Eigen::Index> order;
    std::size_t fixed = 0, weighed = 0;  // where these end
    std::vector<std::uint8_t> weighs;    // by column: a value of a candidate
    detail::RowMatrix factor;            // lower, of the correlations in this order
  };
  // One row while it is drawn.
  struct Row {
    std::uint64_t number = 0;
    std::vector<double> wanted;  // by column; empty where there are no conditions
    detail::RowCells cells;
    Vector noise;  // by place in the order of drawing
  };

  void note_conditions();
  Given given(const std::vector<bool>& which, std::span<const double> fixed) const;
  Row row_of(std::uint64_t number) const;
  std::optional<std::size_t> try_row(Row& row, const Random& random) const;
  bool draw_variable(const Given& about, Eigen::Index k, Row& row, const Random& own) const;
  bool draw_distance(const Given& about, Eigen::Index k, const PhiloxBlock& block, Row& row,
                     const Random& own) const;
  std::optional<std::size_t> draw_candidates(const Given& about, Row& row, const Random& random) const;
  std::optional<detail::Room> room_of(const Variable& variable, const KnownCells& row) const {
    return variable.places.empty() ? std::nullopt : of_.room_of(variable, row);
  }

  const GaussianCopula& of_;
  const SampleRequest& request_;
  std::span<const ColumnCoding> columns_;
  const RowRules& rules_;
  CellConditions conditions_;
  Random random_;
  double least_;                                  // see told_noise
  std::vector<std::size_t> order_;                // of the columns
  std::vector<std::vector<std::size_t>> groups_;  // of which at most one member is set
  std::vector<std::vector<double>> bounds_;       // of variables that rules touch
  std::vector<std::vector<double>> bounds_of_distances_;
  std::vector<std::shared_ptr<const detail::DistanceCounts>> distances_;  // by column
  // One distribution for each set of columns that a condition fixes.
  std::map<std::vector<bool>, Given> known_;
  std::vector<const Given*> by_condition_;
};

GaussianCopula::Rows::Rows(const GaussianCopula& of, const SampleRequest& request)
    : of_(of),
      request_(request),
      columns_(of.coded_.columns),
      rules_(of.rules_),
      conditions_(request.conditions.get(), columns_, rules_, of.name()),
      random_(request.seed),
      least_(detail::least_told(of.variables_.size(), of.rows_behind())),
      order_(detail::modelled_order(rules_, columns_)),
      groups_(detail::drawn_groups(rules_, order_)),
      bounds_(of.variables_.size()),
      bounds_of_distances_(of.variables_.size()),
      distances_(of.coded_.columns.size()) {
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    const Variable& variable = of.variables_[i];
    if (rules_.touches(variable.column)) bounds_[i] = detail::bounds_of(variable.counts);
    if (!variable.distance) continue;
    bounds_of_distances_[i] = detail::bounds_of(variable.distance->counts);
    distances_[variable.column] = variable.distance;
  }
  note_conditions();
  detail::refuse_contradictions(rules_, columns_, conditions_);
  rules_.refuse_too_many(request.rows, columns_);
}

void GaussianCopula::Rows::note_conditions() {
  const std::vector<Variable>& variables = of_.variables_;
  std::vector<double> fixed(columns_.size(), kMissing);
  for (std::size_t i = 0; i < std::max<std::size_t>(1, conditions_.rows()); ++i) {
    std::vector<bool> which(variables.size());
    if (!conditions_.empty()) {
      conditions_.row(i, fixed);
      detail::imply_unset(groups_, columns_, fixed);
    }
    for (std::size_t k = 0; k < which.size(); ++k) which[k] = !std::isnan(fixed[variables[k].column]);
    auto at = known_.find(which);
    if (at == known_.end()) at = known_.emplace(which, given(which, fixed)).first;
    by_condition_.push_back(&at->second);
  }
}

GaussianCopula::Rows::Given GaussianCopula::Rows::given(const std::vector<bool>& which,
                                                        std::span<const double> fixed) const {
  Given out;
  out.weighs = detail::weighed_columns(rules_, order_, fixed);
  const auto weighs = [&](std::size_t i) {
    return !of_.variables_[i].missing && out.weighs[of_.variables_[i].column] != 0;
  };
  const auto add = [&](const auto& is_next) {
    for (std::size_t i = 0; i < which.size(); ++i)
      if (is_next(i)) out.order.push_back(static_cast<Eigen::Index>(i));
    return out.order.size();
  };
  out.fixed = add([&](std::size_t i) { return which[i] && !weighs(i); });
  out.weighed = add(weighs);
  add([&](std::size_t i) { return !which[i] && !weighs(i); });
  const auto p = static_cast<Eigen::Index>(which.size());
  const std::vector<double>& all = of_.limited_.empty() ? of_.correlations_ : of_.limited_;
  const Eigen::Map<const detail::Matrix> correlations(all.data(), p, p);
  if (p > 0) out.factor = detail::lower_factor(correlations(out.order, out.order));
  return out;
}

GaussianCopula::Rows::Row GaussianCopula::Rows::row_of(std::uint64_t number) const {
  Row out{number, std::vector<double>(conditions_.empty() ? 0 : columns_.size()),
          detail::RowCells(columns_.size()), Vector(static_cast<Eigen::Index>(of_.variables_.size()))};
  if (conditions_.empty()) return out;
  conditions_.row(number, out.wanted);
  detail::imply_unset(groups_, columns_, out.wanted);
  return out;
}

// Draws the variable at this place in the order, given those before it; false where the rules leave no value.
bool GaussianCopula::Rows::draw_variable(const Given& about, Eigen::Index k, Row& row,
                                         const Random& own) const {
  const auto i = static_cast<std::size_t>(about.order[static_cast<std::size_t>(k)]);
  const Variable& variable = of_.variables_[i];
  PhiloxBlock block = own.block(row.number, i);
  const double mean = about.factor.row(k).head(k).dot(row.noise.head(k));
  const double spread = about.factor(k, k);
  double& noise = row.noise[k];
  noise = normal_quantile(detail::unit_of(block[0]));
  const auto room = room_of(variable, row.cells.view());
  const auto told = [&](double cell) {
    return detail::told_noise(of_.scores_of_taken(variable, cell, row.cells.view(), room), mean, spread,
                              least_, noise, block[1]);
  };
  if (static_cast<std::size_t>(k) < about.fixed) {
    if (!follows_set(groups_, columns_, row.wanted, variable.column))
      noise = told(variable.missing ? 0.0 : row.wanted[variable.column]);
    return true;
  }
  const double score = mean + spread * noise;
  const double share = room ? room->share_of(score) : normal_share(score);
  const detail::RuledCell ruled{rules_, columns_, variable.column, row.cells.view(), false, true};
  if (variable.missing) {
    const CodeCounts counts = variable.counts.view();
    if (share * counts.total() >= counts.cumulative[0] && ruled.admits(kMissing))
      row.cells.set(variable.column, kMissing);
    return true;
  }
  block[0] = static_cast<std::uint32_t>(std::clamp(share * 4294967296.0, 0.0, 4294967295.0));
  if (distance_of(variable, row.cells.view())) return draw_distance(about, k, block, row, own);
  double cell = ruled.draw_freely(variable.counts.view(), block);
  if (!ruled.admits(cell)) {
    const OwnedCounts given =
        room ? variable.counts : detail::counts_given(variable.counts, bounds_[i], mean, spread);
    const CodeCounts from[] = {given.view(), variable.counts.view()};
    const auto left = ruled.draw(from, cell, own, row.number);
    if (!left) return false;
    cell = *left;
    // What follows depends on what was taken.
    if (!detail::is_determined(ruled, variable.counts)) noise = told(cell);
  }
  row.cells.set(variable.column, cell);
  return true;
}

// The same of a variable that stands for a distance; the first number of the block is its place there.
bool GaussianCopula::Rows::draw_distance(const Given& about, Eigen::Index k, const PhiloxBlock& block,
                                         Row& row, const Random& own) const {
  const auto i = static_cast<std::size_t>(about.order[static_cast<std::size_t>(k)]);
  const Variable& variable = of_.variables_[i];
  const detail::DistanceCounts& distance = *variable.distance;
  const double mean = about.factor.row(k).head(k).dot(row.noise.head(k)), spread = about.factor(k, k);
  const detail::RuledCell ruled{rules_, columns_, variable.column, row.cells.view(), false, true};
  OwnedCounts given;
  bool is_refused = false;
  const auto draw = [&](std::uint64_t attempt, const PhiloxBlock& again) -> std::optional<double> {
    if (attempt == 0) return draw_cell(distance.coding, distance.counts.view(), block);
    if (!is_refused) given = detail::counts_given(distance.counts, bounds_of_distances_[i], mean, spread);
    is_refused = true;
    return draw_cell(distance.coding, given.view(), again);
  };
  std::optional<double> cell = detail::draw_at_distance(distance, ruled, own, row.number, draw);
  const CodeCounts from[] = {variable.counts.view()};
  if (!cell) cell = detail::admitted_at_distance(distance, ruled, given.view(), own, row.number);
  if (!cell) cell = detail::end_at_distance(distance, ruled);
  if (!cell) cell = ruled.draw(from, kMissing, own, row.number);
  if (!cell) return false;
  if (is_refused && !detail::is_determined(ruled, variable.counts))
    row.noise[k] = detail::told_noise(of_.scores_of_taken(variable, *cell, row.cells.view(), std::nullopt),
                                      mean, spread, least_, row.noise[k], block[1]);
  row.cells.set(variable.column, *cell);
  return true;
}

std::optional<std::size_t> GaussianCopula::Rows::draw_candidates(const Given& about, Row& row,
                                                                 const Random& random) const {
  const std::span<double> noises(row.noise.data() + about.fixed, about.weighed - about.fixed);
  const auto turn = [&](std::size_t place, std::size_t column, const KnownCells& past) {
    const auto k = static_cast<Eigen::Index>(about.fixed + place);
    const auto i = static_cast<std::size_t>(about.order[about.fixed + place]);
    const Variable& variable = of_.variables_[i];
    const detail::DistanceCounts* const distance = distance_of(variable, past);
    return detail::WeighedCell{.past = {rules_, columns_, column, past, false, true},
                               .now = {rules_, columns_, column, row.cells.view(), false, true},
                               .counts = (distance ? distance->counts : variable.counts).view(),
                               .bounds = distance ? bounds_of_distances_[i] : bounds_[i],
                               .measured = variable.distance != nullptr,
                               .distance = distance,
                               .numbers = variable.counts.view(),
                               .mean = about.factor.row(k).head(k).dot(row.noise.head(k)),
                               .spread = about.factor(k, k),
                               .room = room_of(variable, past),
                               .least_told = least_};
  };
  return detail::draw_weighed({order_, about.weighs, row.wanted, turn, columns_, distances_}, row.cells,
                              noises, random, row.number, request_.cancel);
}

// Candidates, then one variable after the other; nothing, or the column that the rules leave no value.
std::optional<std::size_t> GaussianCopula::Rows::try_row(Row& row, const Random& random) const {
  const Given& about = *by_condition_[row.number % by_condition_.size()];
  const auto first = static_cast<Eigen::Index>(about.fixed), last = static_cast<Eigen::Index>(about.weighed);
  const Random own = random.stream(1);
  row.cells.forget();
  for (std::size_t c = 0; c < row.wanted.size(); ++c)
    if (!std::isnan(row.wanted[c])) row.cells.set(c, row.wanted[c]);
  for (Eigen::Index k = 0; k < first; ++k) draw_variable(about, k, row, own);
  if (first < last)
    if (const auto stuck = draw_candidates(about, row, random)) return stuck;
  for (Eigen::Index k = last; k < row.noise.size(); ++k)
    if (!draw_variable(about, k, row, own))
      return of_.variables_[static_cast<std::size_t>(about.order[static_cast<std::size_t>(k)])].column;
  return std::nullopt;
}

Table GaussianCopula::Rows::draw() const {
  std::vector<std::vector<double>> cells(columns_.size());
  for (const Variable& variable : of_.variables_) cells[variable.column].resize(request_.rows);
  const auto draw = [&](std::size_t number, const Random& from) {
    Row row = row_of(number);
    detail::draw_row(number, from, columns_, [&](const Random& of_row) { return try_row(row, of_row); });
    for (const Variable& variable : of_.variables_)
      if (!variable.missing) cells[variable.column][number] = row.cells.cells[variable.column];
  };
  detail::over_rows(request_, of_.options_.threads, [&](std::size_t first, std::size_t last) {
    for (std::size_t number = first; number < last; ++number) draw(number, random_);
  });
  detail::make_unique(rules_, columns_, cells, request_, random_, draw);
  return detail::decoded(of_.coded_, cells, request_.rows, random_, of_.options_.threads);
}

Table GaussianCopula::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  return Rows(*this, request).draw();
}

}  // namespace synthema
