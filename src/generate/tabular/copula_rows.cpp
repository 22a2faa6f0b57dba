#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <map>

#include "src/generate/tabular/exclusive_groups.hpp"
#include "src/generate/tabular/normal_box.hpp"
#include "src/generate/tabular/normal_scores.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/generate/tabular/conditions.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"

namespace synthema {

namespace {

using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1>;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// The variables in the order of drawing: those that a condition fixes, then the others.
struct Given {
  std::vector<Eigen::Index> order;
  std::size_t fixed = 0;
  bool limited = false;      // whether numbers under an order stand for their places
  detail::RowMatrix factor;  // lower, of the correlations in this order
};

Given given(const detail::Matrix& correlations, const std::vector<bool>& is_fixed) {
  Given out;
  for (const bool now : {true, false})
    for (std::size_t i = 0; i < is_fixed.size(); ++i)
      if (is_fixed[i] == now) out.order.push_back(static_cast<Eigen::Index>(i));
  out.fixed = static_cast<std::size_t>(std::ranges::count(is_fixed, true));
  if (!out.order.empty()) out.factor = detail::lower_factor(correlations(out.order, out.order));
  return out;
}

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

// What is the same for all rows of a sample, and one row after the other.
class GaussianCopula::Rows {
 public:
  Rows(const GaussianCopula& of, const SampleRequest& request);
  Table draw() const;

 private:
  // One row while it is drawn.
  struct Row {
    std::uint64_t number = 0;
    std::vector<double> wanted;  // by column; empty where there are no conditions
    detail::RowCells cells;
    Vector noise;  // by place in the order of drawing
  };

  void note_conditions();
  bool is_fixed(double wanted) const { return !conditions_.empty() && !std::isnan(wanted); }
  Row row_of(std::uint64_t number) const;
  std::optional<std::size_t> try_row(Row& row, const Random& random) const;
  bool draw_variable(const Given& about, Eigen::Index k, Row& row, const Random& own) const;

  const GaussianCopula& of_;
  const SampleRequest& request_;
  std::span<const ColumnCoding> columns_;
  const RowRules& rules_;
  CellConditions conditions_;
  Random random_;
  double least_;                                  // see told_noise
  std::vector<std::vector<std::size_t>> groups_;  // of which at most one member is set
  detail::OpenMembers open_;
  std::vector<std::vector<double>> bounds_;  // of variables that rules touch
  // One distribution for each set of columns that a condition fixes.
  std::map<std::vector<bool>, Given> known_;
  std::vector<const Given*> by_condition_;
};

namespace {

std::vector<CodeCounts> counts_by_column(const auto& variables, std::size_t columns) {
  std::vector<CodeCounts> out(columns);
  for (const auto& variable : variables)
    if (!variable.missing) out[variable.column] = variable.counts.view();
  return out;
}

}  // namespace

GaussianCopula::Rows::Rows(const GaussianCopula& of, const SampleRequest& request)
    : of_(of),
      request_(request),
      columns_(of.coded_.columns),
      rules_(of.rules_),
      conditions_(request.conditions.get(), columns_, of.name()),
      random_(request.seed),
      least_(detail::least_told(of.variables_.size(), of.rows_behind())),
      groups_(detail::drawn_groups(rules_, detail::modelled_order(rules_, columns_))),
      open_(rules_, groups_, columns_, counts_by_column(of.variables_, columns_.size())),
      bounds_(of.variables_.size()) {
  for (std::size_t i = 0; i < bounds_.size(); ++i)
    if (rules_.touches(of.variables_[i].column)) bounds_[i] = detail::bounds_of(of.variables_[i].counts);
  note_conditions();
  detail::refuse_contradictions(rules_, columns_, conditions_);
  rules_.refuse_too_many(request.rows, columns_);
}

void GaussianCopula::Rows::note_conditions() {
  const std::vector<Variable>& variables = of_.variables_;
  const auto p = static_cast<Eigen::Index>(variables.size());
  std::vector<double> fixed(columns_.size());
  for (std::size_t i = 0; i < std::max<std::size_t>(1, conditions_.rows()); ++i) {
    std::vector<bool> which(variables.size());
    if (!conditions_.empty()) {
      conditions_.row(i, fixed);
      imply_unset(groups_, columns_, fixed);
    }
    for (std::size_t k = 0; k < which.size(); ++k) which[k] = is_fixed(fixed[variables[k].column]);
    auto at = known_.find(which);
    if (at == known_.end()) {
      // A number under an order that is fixed without the other one stands for its value.
      const bool limited = !of_.limited_.empty() && std::ranges::none_of(variables, [&](const Variable& v) {
        return !v.places.empty() && is_fixed(fixed[v.column]) && !is_fixed(fixed[v.given]);
      });
      const Eigen::Map<const detail::Matrix> correlations((limited ? of_.limited_ : of_.correlations_).data(),
                                                          p, p);
      at = known_.emplace(which, given(correlations, which)).first;
      at->second.limited = limited;
    }
    by_condition_.push_back(&at->second);
  }
}

GaussianCopula::Rows::Row GaussianCopula::Rows::row_of(std::uint64_t number) const {
  Row out{number, std::vector<double>(conditions_.empty() ? 0 : columns_.size()),
          detail::RowCells(columns_.size()), Vector(static_cast<Eigen::Index>(of_.variables_.size()))};
  if (conditions_.empty()) return out;
  conditions_.row(number, out.wanted);
  imply_unset(groups_, columns_, out.wanted);
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
  const auto room = about.limited && !variable.places.empty() ? of_.room_of(variable, row.cells.view())
                                                              : std::optional<Room>();
  const auto told = [&](double cell) {
    return detail::told_noise(of_.scores_of_taken(variable, cell, room), mean, spread, least_, noise,
                              block[1]);
  };
  if (static_cast<std::size_t>(k) < about.fixed) {
    if (!follows_set(groups_, columns_, row.wanted, variable.column))
      noise = told(variable.missing ? 0.0 : row.wanted[variable.column]);
    return true;
  }
  double share = detail::normal_share(mean + spread * noise);
  if (room) share = room->from + (room->to - room->from) * detail::place_of_share(variable.places, share);
  const detail::RuledCell ruled{rules_, columns_, variable.column, row.cells.view()};
  if (variable.missing) {
    const CodeCounts counts = variable.counts.view();
    if (share * counts.total() >= counts.cumulative[0] && ruled.admits(kMissing))
      row.cells.set(variable.column, kMissing);
    return true;
  }
  block[0] = static_cast<std::uint32_t>(std::clamp(share * 4294967296.0, 0.0, 4294967295.0));
  const auto beside = open_.counts_beside(variable.column, row.wanted, row.cells.view());
  double cell = ruled.draw_freely(beside ? beside->view() : variable.counts.view(), block);
  if (beside) noise = told(cell);
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

// One variable after the other; nothing, or the column that the rules leave no value.
std::optional<std::size_t> GaussianCopula::Rows::try_row(Row& row, const Random& random) const {
  const Given& about = *by_condition_[row.number % by_condition_.size()];
  const auto variable = [&](Eigen::Index k) -> const Variable& {
    return of_.variables_[static_cast<std::size_t>(about.order[static_cast<std::size_t>(k)])];
  };
  const Random own = random.stream(1);
  row.cells.forget();
  for (Eigen::Index k = 0; k < static_cast<Eigen::Index>(about.fixed); ++k)
    if (!variable(k).missing) row.cells.set(variable(k).column, row.wanted[variable(k).column]);
  for (Eigen::Index k = 0; k < row.noise.size(); ++k)
    if (!draw_variable(about, k, row, own)) return variable(k).column;
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
