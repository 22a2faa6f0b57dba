#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <map>

#include "src/generate/tabular/candidates.hpp"
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
constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Logarithm of how likely what the rules leave is where the column never has it: it is taken where all
// candidates are like that.
constexpr double kHardlyEver = -1000;

constexpr std::size_t kCandidates = 64;

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

}  // namespace

// What is the same for all rows of a sample, and one row after the other.
class GaussianCopula::Rows {
 public:
  Rows(const GaussianCopula& of, const SampleRequest& request);
  Table draw() const;

 private:
  // The variables in the order of drawing.
  struct Given {
    std::vector<Eigen::Index> order;
    std::size_t fixed = 0;     // up to here: fixed by a condition
    std::size_t weighed = 0;   // up to here: see weighed_of
    detail::RowMatrix factor;  // lower, of the correlations in this order
  };
  // One row while it is drawn.
  struct Row {
    std::uint64_t number = 0;
    std::vector<double> wanted;  // by column; empty where there are no conditions
    detail::RowCells cells;
    Vector noise;  // by place in the order of drawing
  };
  // A variable, what those before it say of its score, and its random numbers.
  struct Turn {
    std::size_t variable;
    double mean, spread;
    PhiloxBlock random;
  };

  void note_conditions();
  Given given(const std::vector<bool>& which) const;
  std::vector<std::uint8_t> weighed_of(const std::vector<bool>& which) const;
  Row row_of(std::uint64_t number) const;
  std::optional<std::size_t> try_row(Row& row, const Random& random) const;
  Turn turn_of(const Given& about, Eigen::Index k, const Row& row, const Random& own) const;
  KnownCells cells_before(std::size_t column, const Row& row, std::vector<std::uint8_t>& known) const;
  bool draw_variable(const Given& about, Eigen::Index k, Row& row, const Random& own) const;
  bool draw_weighed(const Given& about, Row& row, const Random& random) const;
  double weigh_fixed(const Turn& turn, Row& row, double& noise) const;
  std::optional<double> weigh_free(const Turn& turn, Row& row, double& noise, const Random& own) const;
  struct Confined {
    double weight;  // natural logarithm
    double noise;
  };
  Confined confined(const Turn& turn, std::span<const detail::Piece> pieces,
                    std::span<const detail::Piece> left) const;
  void tell(const Turn& turn, const Confined& by, double& noise) const;
  std::vector<detail::Piece> pieces_left(const Variable& variable, const KnownCells& row,
                                         const std::optional<Room>& room) const;
  std::optional<Room> room_of(const Variable& variable, const KnownCells& before) const {
    return variable.places.empty() ? std::nullopt : of_.room_of(variable, before);
  }

  const GaussianCopula& of_;
  const SampleRequest& request_;
  std::span<const ColumnCoding> columns_;
  const RowRules& rules_;
  CellConditions conditions_;
  Random random_;
  double least_;                                  // see told_noise
  std::vector<std::vector<std::size_t>> groups_;  // of which at most one member is set
  std::vector<std::vector<double>> bounds_;       // of variables that rules touch
  std::vector<std::size_t> position_;             // by column: of the variable that is its value
  // One distribution for each set of columns that a condition fixes.
  std::map<std::vector<bool>, Given> known_;
  std::vector<const Given*> by_condition_;
};

GaussianCopula::Rows::Rows(const GaussianCopula& of, const SampleRequest& request)
    : of_(of),
      request_(request),
      columns_(of.coded_.columns),
      rules_(of.rules_),
      conditions_(request.conditions.get(), columns_, of.name()),
      random_(request.seed),
      least_(detail::least_told(of.variables_.size(), of.rows_behind())),
      groups_(detail::drawn_groups(rules_, detail::modelled_order(rules_, columns_))),
      bounds_(of.variables_.size()),
      position_(columns_.size(), of.variables_.size()) {
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    const Variable& variable = of.variables_[i];
    if (rules_.touches(variable.column)) bounds_[i] = detail::bounds_of(variable.counts);
    if (!variable.missing) position_[variable.column] = i;
  }
  note_conditions();
  detail::refuse_contradictions(rules_, columns_, conditions_);
  rules_.refuse_too_many(request.rows, columns_);
}

void GaussianCopula::Rows::note_conditions() {
  const std::vector<Variable>& variables = of_.variables_;
  std::vector<double> fixed(columns_.size());
  for (std::size_t i = 0; i < std::max<std::size_t>(1, conditions_.rows()); ++i) {
    std::vector<bool> which(variables.size());
    if (!conditions_.empty()) {
      conditions_.row(i, fixed);
      imply_unset(groups_, columns_, fixed);
      for (std::size_t k = 0; k < which.size(); ++k) which[k] = !std::isnan(fixed[variables[k].column]);
    }
    auto at = known_.find(which);
    if (at == known_.end()) at = known_.emplace(which, given(which)).first;
    by_condition_.push_back(&at->second);
  }
}

// By variable: 1 where it is fixed and rules bind it to one before it that is not, and where it is such a
// one, or bound to it and before the last of the fixed ones.
std::vector<std::uint8_t> GaussianCopula::Rows::weighed_of(const std::vector<bool>& which) const {
  const std::vector<Variable>& variables = of_.variables_;
  std::vector<std::uint8_t> out(variables.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!which[i] || variables[i].missing) continue;
    const auto is_open = [&](std::size_t c) { return position_[c] < i && !which[position_[c]]; };
    if (std::ranges::none_of(rules_.bound_to(variables[i].column), is_open)) continue;
    out[i] = 1;
    // All open ones before it, from one to the next.
    std::vector<std::size_t> from{variables[i].column};
    while (!from.empty()) {
      const std::size_t column = from.back();
      from.pop_back();
      for (const std::size_t other : rules_.bound_to(column)) {
        if (!is_open(other) || out[position_[other]] != 0) continue;
        out[position_[other]] = 1;
        from.push_back(other);
      }
    }
  }
  return out;
}

GaussianCopula::Rows::Given GaussianCopula::Rows::given(const std::vector<bool>& which) const {
  Given out;
  const std::vector<std::uint8_t> weighed = weighed_of(which);
  const auto add = [&](const auto& is_next) {
    for (std::size_t i = 0; i < which.size(); ++i)
      if (is_next(i)) out.order.push_back(static_cast<Eigen::Index>(i));
    return out.order.size();
  };
  out.fixed = add([&](std::size_t i) { return which[i] && weighed[i] == 0; });
  out.weighed = add([&](std::size_t i) { return weighed[i] != 0; });
  add([&](std::size_t i) { return !which[i] && weighed[i] == 0; });
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
  imply_unset(groups_, columns_, out.wanted);
  return out;
}

GaussianCopula::Rows::Turn GaussianCopula::Rows::turn_of(const Given& about, Eigen::Index k, const Row& row,
                                                         const Random& own) const {
  const auto i = static_cast<std::size_t>(about.order[static_cast<std::size_t>(k)]);
  return {i, about.factor.row(k).head(k).dot(row.noise.head(k)), about.factor(k, k),
          own.block(row.number, i)};
}

// Without those that rules bind to the column and that stand behind it, which may be fixed: `known` is what
// is left where there are some.
KnownCells GaussianCopula::Rows::cells_before(std::size_t column, const Row& row,
                                              std::vector<std::uint8_t>& known) const {
  const auto is_later = [&](std::size_t other) {
    return row.cells.known[other] != 0 && position_[other] > position_[column];
  };
  const std::span<const std::size_t> bound = rules_.bound_to(column);
  if (std::ranges::none_of(bound, is_later)) return row.cells.view();
  known = row.cells.known;
  for (const std::size_t other : bound)
    if (is_later(other)) known[other] = 0;
  return {row.cells.cells, known};
}

// Draws the variable at this place in the order, given those before it; false where the rules leave no value.
bool GaussianCopula::Rows::draw_variable(const Given& about, Eigen::Index k, Row& row,
                                         const Random& own) const {
  Turn turn = turn_of(about, k, row, own);
  const Variable& variable = of_.variables_[turn.variable];
  double& noise = row.noise[k];
  noise = normal_quantile(detail::unit_of(turn.random[0]));
  std::vector<std::uint8_t> known_before;
  const KnownCells before = cells_before(variable.column, row, known_before);
  const auto room = room_of(variable, before);
  const auto told = [&](double cell) {
    return detail::told_noise(of_.scores_of_taken(variable, cell, room), turn.mean, turn.spread, least_,
                              noise, turn.random[1]);
  };
  if (static_cast<std::size_t>(k) < about.fixed) {
    // What follows from those before it says nothing.
    if (variable.missing || !rules_.touches(variable.column) ||
        !detail::is_determined({rules_, columns_, variable.column, before}, variable.counts))
      noise = told(variable.missing ? 0.0 : row.wanted[variable.column]);
    return true;
  }
  double share = detail::normal_share(turn.mean + turn.spread * noise);
  if (room) share = room->from + (room->to - room->from) * detail::place_of_share(variable.places, share);
  const detail::RuledCell ruled{rules_, columns_, variable.column, row.cells.view()};
  if (variable.missing) {
    const CodeCounts counts = variable.counts.view();
    if (share * counts.total() >= counts.cumulative[0] && ruled.admits(kMissing))
      row.cells.set(variable.column, kMissing);
    return true;
  }
  turn.random[0] = static_cast<std::uint32_t>(std::clamp(share * 4294967296.0, 0.0, 4294967295.0));
  double cell = ruled.draw_freely(variable.counts.view(), turn.random);
  if (!ruled.admits(cell)) {
    const OwnedCounts given =
        room ? variable.counts
             : detail::counts_given(variable.counts, bounds_[turn.variable], turn.mean, turn.spread);
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

// The normal scores that the rules leave beside these cells.
std::vector<detail::Piece> GaussianCopula::Rows::pieces_left(const Variable& variable, const KnownCells& row,
                                                             const std::optional<Room>& room) const {
  const ColumnCoding& coding = columns_[variable.column];
  const std::vector<double>& bounds = bounds_[position_[variable.column]];
  const detail::RuledCell ruled{rules_, columns_, variable.column, row};
  std::vector<detail::Piece> out;
  const auto add = [&](double low, double high) {
    if (room) {
      low = score_under(variable, detail::normal_share(low), *room);
      high = score_under(variable, detail::normal_share(high), *room);
    }
    if (!out.empty() && out.back().high == low)
      out.back().high = high;
    else if (low < high)
      out.push_back({low, high, 1});
  };
  const std::vector<std::uint32_t>& codes = variable.counts.codes;
  if (coding.is_category() || ruled.is_listed()) {
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const double cell = coding.is_category() ? codes[i] : coding.values[codes[i]];
      if (codes[i] >= coding.codes() ? ruled.admits(kMissing) : ruled.admits(cell))
        add(bounds[i], bounds[i + 1]);
    }
    return out;
  }
  const auto range = rules_.range(variable.column, row, columns_);
  if (!range) return out;
  const auto value = [&](std::uint32_t code) { return coding.values[code]; };
  const auto low = std::ranges::lower_bound(codes, range->first, {}, value) - codes.begin(),
             high = std::ranges::upper_bound(codes, range->second, {}, value) - codes.begin();
  if (low < high) add(bounds[static_cast<std::size_t>(low)], bounds[static_cast<std::size_t>(high)]);
  return out;
}

// How likely a fixed cell is beside those before it; its noise is what it then says.
double GaussianCopula::Rows::weigh_fixed(const Turn& turn, Row& row, double& noise) const {
  const Variable& variable = of_.variables_[turn.variable];
  const double cell = row.wanted[variable.column];
  std::vector<std::uint8_t> known_before;
  const KnownCells before = cells_before(variable.column, row, known_before);
  const detail::RuledCell past{rules_, columns_, variable.column, before};
  if (!past.admits(cell)) return -kInfinity;
  if (detail::is_determined(past, variable.counts)) return 0;
  const auto room = room_of(variable, before);
  const Confined by = confined(turn, of_.pieces_of(turn.variable, bounds_[turn.variable], cell, past, room),
                               pieces_left(variable, before, room));
  tell(turn, by, noise);
  return by.weight;
}

// Draws a cell from what the rules leave beside those before it and all that is fixed; gives how much less
// that is than without these, nothing where it is none.
std::optional<double> GaussianCopula::Rows::weigh_free(const Turn& turn, Row& row, double& noise,
                                                       const Random& own) const {
  const Variable& variable = of_.variables_[turn.variable];
  std::vector<std::uint8_t> known_before;
  const KnownCells before = cells_before(variable.column, row, known_before);
  const auto room = room_of(variable, before);
  const detail::RuledCell now{rules_, columns_, variable.column, row.cells.view()},
      past{rules_, columns_, variable.column, before};
  const std::vector<detail::Piece> left = pieces_left(variable, before, room);
  if (const auto cell = now.determined()) {
    row.cells.set(variable.column, *cell);
    if (detail::is_determined(past, variable.counts)) return 0;
    const Confined by =
        confined(turn, of_.pieces_of(turn.variable, bounds_[turn.variable], *cell, past, room), left);
    tell(turn, by, noise);
    return by.weight;
  }
  const Confined by = confined(turn, pieces_left(variable, row.cells.view(), room), left);
  tell(turn, by, noise);
  double share = detail::normal_share(turn.mean + turn.spread * by.noise);
  if (room) share = room->from + (room->to - room->from) * detail::place_of_share(variable.places, share);
  PhiloxBlock random = turn.random;
  random[0] = static_cast<std::uint32_t>(std::clamp(share * 4294967296.0, 0.0, 4294967295.0));
  double cell = now.draw_freely(variable.counts.view(), random);
  if (!now.admits(cell)) {  // smoothed over the edge of what is left
    const CodeCounts from[] = {variable.counts.view()};
    const auto found = now.draw(from, cell, own, row.number);
    if (!found) return std::nullopt;
    cell = *found;
  }
  row.cells.set(variable.column, cell);
  return by.weight;
}

// The noise within these pieces, and how much less likely they are than `left`.
GaussianCopula::Rows::Confined GaussianCopula::Rows::confined(const Turn& turn,
                                                              std::span<const detail::Piece> pieces,
                                                              std::span<const detail::Piece> left) const {
  const double mass = detail::log_mass_of(pieces, turn.mean, turn.spread),
               drawn = detail::unit_of(turn.random[0]);
  if (!std::isfinite(mass)) return {kHardlyEver, normal_quantile(drawn)};
  return {std::max(mass - detail::log_mass_of(left, turn.mean, turn.spread), kHardlyEver),
          detail::confined_to(pieces, turn.mean, turn.spread, drawn)};
}

// As told_noise.
void GaussianCopula::Rows::tell(const Turn& turn, const Confined& by, double& noise) const {
  if (turn.spread * turn.spread >= least_)
    noise = std::clamp(by.noise, -detail::kFarthestTold, detail::kFarthestTold);
}

// Variables that rules bind to fixed ones behind them: one of several candidates, in proportion to how likely
// it makes what is fixed. The first variable of all candidates is spread evenly over what it may be.
bool GaussianCopula::Rows::draw_weighed(const Given& about, Row& row, const Random& random) const {
  const auto first = static_cast<Eigen::Index>(about.fixed), last = static_cast<Eigen::Index>(about.weighed);
  const Random own = random.stream(1);
  const auto column = [&](Eigen::Index k) {
    return of_.variables_[static_cast<std::size_t>(about.order[static_cast<std::size_t>(k)])].column;
  };
  const auto is_fixed = [&](Eigen::Index k) { return !std::isnan(row.wanted[column(k)]); };
  const auto count = static_cast<std::size_t>(last - first);
  std::vector<double> weights(kCandidates), cells(kCandidates * count), noises(kCandidates * count);
  for (std::size_t m = 0; m < kCandidates; ++m) {
    const Random candidate = own.stream(m + 1);
    for (Eigen::Index k = first; k < last; ++k)
      if (!is_fixed(k)) row.cells.known[column(k)] = 0;
    bool spread_evenly = false;
    for (Eigen::Index k = first; k < last && weights[m] > -kInfinity; ++k) {
      Turn turn = turn_of(about, k, row, candidate);
      if (!is_fixed(k) && !spread_evenly) {
        turn.random = own.block(row.number, turn.variable);
        turn.random[0] += static_cast<std::uint32_t>(m * (std::uint64_t{1} << 32) / kCandidates);
        spread_evenly = true;
      }
      double& noise = row.noise[k];
      noise = normal_quantile(detail::unit_of(turn.random[0]));
      weights[m] += is_fixed(k) ? weigh_fixed(turn, row, noise)
                                : weigh_free(turn, row, noise, candidate).value_or(-kInfinity);
    }
    for (std::size_t j = 0; j < count; ++j) {
      const Eigen::Index k = first + static_cast<Eigen::Index>(j);
      cells[m * count + j] = row.cells.cells[column(k)];
      noises[m * count + j] = row.noise[k];
    }
  }
  const auto chosen = detail::draw_candidate(weights, random.stream(2).stream(row.number));
  if (!chosen) return false;
  for (std::size_t j = 0; j < count; ++j) {
    const Eigen::Index k = first + static_cast<Eigen::Index>(j);
    row.cells.set(column(k), cells[*chosen * count + j]);
    row.noise[k] = noises[*chosen * count + j];
  }
  return true;
}

// Nothing, or the column that the rules leave no value.
std::optional<std::size_t> GaussianCopula::Rows::try_row(Row& row, const Random& random) const {
  const Given& about = *by_condition_[row.number % by_condition_.size()];
  const auto column = [&](Eigen::Index k) {
    return of_.variables_[static_cast<std::size_t>(about.order[static_cast<std::size_t>(k)])].column;
  };
  const auto first = static_cast<Eigen::Index>(about.fixed), last = static_cast<Eigen::Index>(about.weighed);
  const Random own = random.stream(1);
  row.cells.forget();
  for (std::size_t c = 0; c < row.wanted.size(); ++c)
    if (!std::isnan(row.wanted[c])) row.cells.set(c, row.wanted[c]);
  for (Eigen::Index k = 0; k < first; ++k) draw_variable(about, k, row, own);
  if (first < last && !draw_weighed(about, row, random)) return column(first);
  for (Eigen::Index k = last; k < row.noise.size(); ++k)
    if (!draw_variable(about, k, row, own)) return column(k);
  return std::nullopt;
}

Table GaussianCopula::Rows::draw() const {
  std::vector<std::vector<double>> cells(columns_.size());
  for (const Variable& variable : of_.variables_) cells[variable.column].resize(request_.rows);
  const auto draw_one = [&](std::size_t number, const Random& from) {
    Row row = row_of(number);
    detail::draw_row(number, from, columns_, [&](const Random& of_row) { return try_row(row, of_row); });
    for (const Variable& variable : of_.variables_)
      if (!variable.missing) cells[variable.column][number] = row.cells.cells[variable.column];
  };
  detail::over_rows(request_, of_.options_.threads, [&](std::size_t first, std::size_t last) {
    for (std::size_t number = first; number < last; ++number) draw_one(number, random_);
  });
  detail::make_unique(rules_, columns_, cells, request_, random_, draw_one);
  return detail::decoded(of_.coded_, cells, request_.rows, random_, of_.options_.threads);
}

Table GaussianCopula::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  return Rows(*this, request).draw();
}

}  // namespace synthema
