#include "synthema/torch/any_order_network.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/imputed_table.hpp"
#include "src/generate/tabular/private_file.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "src/privacy/bisection.hpp"
#include "src/torch/column_classes.hpp"
#include "src/torch/column_network.hpp"
#include "src/torch/mapped_memory.hpp"
#include "src/torch/network_ensemble.hpp"
#include "src/torch/network_training.hpp"
#include "src/torch/private_training.hpp"
#include "src/torch/threads_guard.hpp"
#include "synthema/core/exponential.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/conditions.hpp"
#include "synthema/generate/tabular/private_marginals.hpp"
#include "synthema/privacy/renyi_accountant.hpp"

namespace synthema {

namespace {

using detail::ColumnClasses;
using detail::ColumnNetwork;
using detail::kUnknownClass;

constexpr std::uint64_t kCellStream = 1, kClassStream = 2, kAttemptStream = 4;  // of a sample
constexpr std::uint64_t kInitialStream = 1, kTrainingStream = 2, kValidationStream = 3,
                        kSettlingStream = 4;  // of a fit
constexpr std::size_t kTile = 256;  // rows that are drawn together, always as many: see ColumnNetwork::scores
constexpr std::size_t kMostParameters = 16'000'000;
constexpr double kRate = 2e-3, kPrivateRate = 3e-2;         // noise forbids many steps, so they are long
constexpr std::size_t kRowsOfBlock = std::size_t{1} << 16;  // that one thread codes
constexpr std::size_t kLeastClasses = 8, kMostNumberClasses = 128, kRowsOfClass = 20;
constexpr std::size_t kFewPeople = 2000, kMembersOfFew = 5, kMostMembers = 20;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr ColumnClasses::Classes kNothing{kUnknownClass, kUnknownClass, kUnknownClass};
constexpr double kNever = -std::numeric_limits<double>::infinity();

struct Size {
  const char* name;
  std::size_t width, head;
};
constexpr std::array<Size, 3> kSizes{{{"small", 64, 16}, {"medium", 128, 32}, {"large", 256, 64}}};

void check(const NetworkPrivacy& privacy) {
  check_epsilon(privacy.epsilon);
  check_delta(privacy.delta);
  const auto require = [](bool holds, const char* field, const char* what) {
    if (!holds) throw ConfigError({.field = field}, what);
  };
  require(privacy.epsilon > 0, "epsilon",
          "Nothing can be learnt with an epsilon of 0; 1 is a common choice.");
  require(privacy.clip > 0 && std::isfinite(privacy.clip), "clip",
          "The norm to which gradients are cut is a positive number.");
  require(privacy.sampling_rate > 0 && privacy.sampling_rate <= 1, "sampling_rate",
          "The share of people in a step lies above 0 and is at most 1.");
  require(privacy.steps >= 1 && privacy.steps <= 10'000'000, "steps", "There are 1 to 10,000,000 steps.");
  require(privacy.rows_per_person >= 1 && privacy.rows_per_person <= 100, "rows_per_person",
          "At least one row and at most 100 rows of a person are used.");
  require(privacy.bins >= 2 && privacy.bins <= detail::kMostClasses - 1, "bins",
          "A number has 2 to 254 bins.");
  require(privacy.first_share > 0 && privacy.first_share < 1, "first_share",
          "The share of single columns lies between 0 and 1.");
}

void check(const AnyOrderNetworkOptions& options) {
  if (std::ranges::find(kSizes, options.size, &Size::name) == kSizes.end())
    throw ConfigError({.field = "size"}, message("A network is 'small', 'medium' or 'large'; '", options.size,
                                                 "' is none of these."));
  if (options.rounds < 1) throw ConfigError({.field = "rounds"}, "At least one round is learnt.");
  if (!(options.validation > 0 && options.validation <= 0.5))
    throw ConfigError({.field = "validation"},
                      "The share of people set aside lies above 0 and is at most 0.5.");
  if (options.members > kMostMembers)
    throw ConfigError({.field = "members"}, message("At most ", kMostMembers, " networks are joined."));
  if (!(options.rate >= 0 && options.rate <= 1))
    throw ConfigError({.field = "rate"}, "The rate of learning is at most 1; 0 leaves it to the method.");
  for (const auto& [column, temperature] : options.temperature)
    if (!(temperature > 0 && std::isfinite(temperature)))
      throw ConfigError({.field = column}, "The temperature of a column is a positive number.");
  if (options.privacy) check(*options.privacy);
}

// Half the width and heads until a wide table's network fits.
detail::NetworkShape shape_of(std::vector<std::size_t> classes, const std::string& name,
                              std::size_t members) {
  const Size& size = *std::ranges::find(kSizes, name, &Size::name);
  detail::NetworkShape shape{std::move(classes), size.width, size.head};
  while (shape.width > 32 && members * ColumnNetwork(shape).parameters() > kMostParameters) {
    shape.width /= 2;
    shape.head = std::max<std::size_t>(shape.head / 2, 16);
  }
  return shape;
}

}  // namespace

// Everything that a fit finds out; never changed afterwards, so that threads may share it.
struct AnyOrderNetwork::Fitted {
  struct Block;

  CodedTable coded;  // without codes
  // Of a private fit: the columns again, whose states are what the network's classes are of.
  std::vector<PrivateColumn> told;
  Ledger ledger;
  std::vector<PrivateSpending> spending;
  std::vector<std::size_t> order;
  RowRules rules;
  std::vector<OwnedCounts> all;  // by column, as all of these
  std::vector<ColumnClasses> classes;
  std::vector<std::size_t> first;  // variable of the column
  std::vector<double> temperature;
  detail::NetworkShape member;           // of each network that learnt
  std::optional<ColumnNetwork> network;  // all of them, joined
  detail::Floats parameters;
  double loss = std::numeric_limits<double>::quiet_NaN();
  std::size_t rounds = 0, members = 1, threads = 0;

  void arrange(const AnyOrderNetworkOptions& options);
  bool is_private() const { return !told.empty(); }
  // States stand in for labels where a column was told privately.
  ColumnClasses classes_of(std::size_t column) const {
    if (!is_private()) return {coded.columns[column], all[column]};
    return {states_of(told[column]), all[column]};
  }
  static ColumnCoding states_of(const PrivateColumn& column) {
    ColumnCoding out;
    out.form = CodingForm::category;
    out.missing = column.missing;
    out.labels.resize(column.states - (column.missing ? 1 : 0));
    return out;
  }
  std::uint32_t missing_code(std::size_t column) const {
    if (!is_private()) return coded.columns[column].missing_code();
    const PrivateColumn& own = told[column];
    return own.missing ? own.missing_state() : own.states;  // no class has that
  }
  ColumnClasses::Classes classes_of_cell(std::size_t column, double cell) const {
    if (!is_private()) return classes[column].of_cell(coded.columns[column], cell);
    const PrivateColumn& own = told[column];
    if (std::isnan(cell) ? !own.missing : std::isinf(cell)) return kNothing;
    return classes[column].of_code(own.state_of(cell));
  }
  bool is_ordered(std::size_t column) const {
    if (is_private() && coded.columns[column].is_category() &&
        states_of(told[column]).labels.size() != coded.columns[column].labels.size())
      return false;
    return !coded.columns[column].is_category() ||
           (coded.columns[column].ordered && classes[column].variables() == 1);
  }
  // Rules, order and network of a coded table; then what its rows teach, given as classes: of each member by
  // itself, and joined.
  void arrange_coded(const AnyOrderNetworkOptions& options);
  void learn(const AnyOrderNetworkOptions& options, const detail::ClassColumns& rows,
             const ProgressSink& progress, const CancelToken& cancel);
  void add_known(std::size_t column, double cell, float* sum) const;
  Table draw_rows(const SampleRequest& request, const CellConditions& conditions, bool whole) const;
  void settle(const Random& random);
};

namespace {

std::vector<std::size_t> order_of(const CodedTable& coded, const RowRules& rules, const std::string& target,
                                  bool target_last = false) {
  std::vector<std::size_t> out;
  const auto index = [&](const std::string& name) {
    return static_cast<std::size_t>(&coded.schema.at(name) - coded.schema.fields.data());
  };
  const auto add = [&](std::size_t column) {
    if (std::ranges::find(out, column) == out.end() && coded.columns[column].modelled())
      out.push_back(column);
  };
  if (!target.empty()) add(index(target));
  if (target.empty())
    for (const Field* field : coded.schema.with_role(Role::target)) add(index(field->name));
  const auto targets = static_cast<std::ptrdiff_t>(out.size());
  for (std::size_t c = 0; c < coded.columns.size(); ++c) add(c);
  if (target_last) std::rotate(out.begin(), out.begin() + targets, out.end());
  return rules.ordered(out);
}

}  // namespace

// What follows from the coding, the counts and the order.
void AnyOrderNetwork::Fitted::arrange(const AnyOrderNetworkOptions& options) {
  classes.resize(coded.columns.size());
  first.resize(coded.columns.size());
  temperature.assign(coded.columns.size(), 1.0);
  std::vector<std::size_t> sizes;
  for (std::size_t c = 0; c < coded.columns.size(); ++c) {
    if (!coded.columns[c].modelled()) continue;
    classes[c] = classes_of(c);
    first[c] = sizes.size();
    for (std::size_t v = 0; v < classes[c].variables(); ++v) sizes.push_back(classes[c].classes(v));
  }
  for (const auto& [name, value] : options.temperature)
    temperature[static_cast<std::size_t>(&coded.schema.at(name) - coded.schema.fields.data())] = value;
  member = shape_of(std::move(sizes), options.size, members);
  network.emplace(detail::joined_shape(member, members));
  threads = options.threads;
}

void AnyOrderNetwork::Fitted::add_known(std::size_t column, double cell, float* sum) const {
  const ColumnClasses::Classes known = classes_of_cell(column, cell);
  for (std::size_t v = 0; v < classes[column].variables(); ++v)
    network->add(parameters.data(), first[column] + v, known[v], sum);
}

// Some rows on one thread: what is known of each, and what its next column may be.
struct AnyOrderNetwork::Fitted::Block {
  const Fitted& model;
  std::vector<std::uint64_t> numbers;  // of rows, kTile at most
  std::vector<double> cells;           // rows x columns
  std::vector<std::uint8_t> known;
  detail::Floats sums;  // kTile x width
  ColumnNetwork::Workspace space;
  std::vector<double> shares;  // of classes of one row

  explicit Block(const Fitted& of) : model(of) {}

  std::size_t columns() const { return model.coded.columns.size(); }
  std::size_t width() const { return model.network->shape().width; }
  KnownCells row(std::size_t i) const {
    return {std::span(cells).subspan(i * columns(), columns()),
            std::span(known).subspan(i * columns(), columns())};
  }
  float* sum(std::size_t i) { return sums.data() + i * width(); }

  void begin(std::vector<std::uint64_t> rows) {
    numbers = std::move(rows);
    cells.assign(numbers.size() * columns(), 0.0);
    known.assign(cells.size(), 0);
    sums.assign(kTile * width(), 0.0F);
  }
  void set(std::size_t i, std::size_t column, double cell) {
    cells[i * columns() + column] = cell;
    known[i * columns() + column] = 1;
  }
  void learn_of(std::size_t i, std::size_t column, double cell) {
    set(i, column, cell);
    model.add_known(column, cell, sum(i));
  }
  // Scores of all rows for a variable of a column.
  void ask(std::size_t column, std::size_t variable) {
    model.network->scores(model.parameters.data(), model.first[column] + variable, kTile, sums.data(), space);
  }
  // Of the classes of a row that pass, from what was asked; false where none does.
  template <class Passes>
  bool read_shares(std::size_t i, std::size_t column, std::size_t variable, const Passes& passes) {
    const std::size_t count = model.classes[column].classes(variable);
    const std::size_t padded = model.network->padded_classes(model.first[column] + variable);
    const float* const scores = space.scores.data() + i * padded;
    const auto heat = static_cast<float>(1 / model.temperature[column]);
    float highest = -std::numeric_limits<float>::infinity();
    for (std::size_t c = 0; c < count; ++c)
      if (passes(c)) highest = std::max(highest, scores[c]);
    shares.assign(count, 0.0);
    double total = 0;
    for (std::size_t c = 0; c < count; ++c)
      if (passes(c)) total += shares[c] = detail::exponential((scores[c] - highest) * heat);
    if (total > 0)
      for (double& share : shares) share /= total;
    return total > 0;
  }
  bool read_first(std::size_t i, std::size_t column, bool whole) {
    const std::vector<OwnedCounts>& counts = model.classes[column].counts();
    const std::uint32_t missing = model.missing_code(column);
    const auto passes = [&](std::size_t c) {
      return !counts[c].codes.empty() && !(whole && counts[c].codes.front() == missing);
    };
    return read_shares(i, column, 0, passes);
  }
  bool read_next(std::size_t i, std::size_t column, std::size_t variable,
                 const ColumnClasses::Classes& begun) {
    return read_shares(i, column, variable, [&](std::size_t c) {
      return model.classes[column].exists(begun, variable, static_cast<std::uint8_t>(c));
    });
  }
  std::uint8_t choose(std::uint32_t bits) const {
    double left = (bits + 0.5) / 4294967296.0;
    std::size_t last = 0;
    for (std::size_t c = 0; c < shares.size(); ++c) {
      if (shares[c] <= 0) continue;
      last = c;
      if ((left -= shares[c]) < 0) break;
    }
    return static_cast<std::uint8_t>(last);
  }

  std::vector<std::uint32_t> draw(const CellConditions& conditions, const Random& random, bool whole);
  void draw_column(std::size_t column, const Random& random, bool whole, const std::vector<std::size_t>& rows,
                   std::vector<std::size_t>& stuck);
  double drawn_cell(std::size_t column, const ColumnClasses::Classes& drawn, const PhiloxBlock& random) const;
  void draw_labels(std::size_t column, const Random& random, const std::vector<std::size_t>& rows,
                   std::vector<ColumnClasses::Classes>& classes);
  std::vector<double> not_refused(std::size_t column, const std::vector<double>& likely,
                                  const detail::RuledCell& cell) const;
  std::optional<double> listed_number(std::size_t i, std::size_t column, const std::vector<double>& likely,
                                      const Random& random, const detail::RuledCell& cell) const;
  std::optional<double> ruled(std::size_t i, std::size_t column, double free,
                              const std::vector<double>& likely, const Random& random,
                              const detail::RuledCell& cell) const;
  std::vector<double> further_shares(std::size_t column, std::span<const ColumnClasses::Classes> classes);
  std::vector<double> label_ratios(std::size_t column, std::span<const double> labels);
  std::vector<double> told_densities(std::size_t column, std::span<const double> cells_asked);
  std::pair<std::size_t, std::size_t> classes_near(std::size_t column, double cell) const;
  double log_density(std::size_t column, double cell, double ratio, const detail::RuledCell& ruled) const;
};

// Further variables of labels that share a class: each of them sees what the one before is.
void AnyOrderNetwork::Fitted::Block::draw_labels(std::size_t column, const Random& random,
                                                 const std::vector<std::size_t>& rows,
                                                 std::vector<ColumnClasses::Classes>& classes) {
  const ColumnClasses& of = model.classes[column];
  const std::size_t variable = model.first[column];
  const detail::Floats before = sums;
  for (std::size_t v = 1; v < of.variables(); ++v) {
    for (std::size_t k = 0; k < rows.size(); ++k)
      model.network->add(model.parameters.data(), variable + v - 1, classes[k][v - 1], sum(rows[k]));
    ask(column, v);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      if (!of.continues(classes[k][0]) || !read_next(rows[k], column, v, classes[k])) continue;
      const PhiloxBlock bits = random.stream(kClassStream).block(numbers[rows[k]], column + (v << 32));
      classes[k][v] = choose(bits[0]);
    }
  }
  sums = before;
}

double AnyOrderNetwork::Fitted::Block::drawn_cell(std::size_t column, const ColumnClasses::Classes& drawn,
                                                  const PhiloxBlock& random) const {
  const ColumnClasses& of = model.classes[column];
  const bool continues = of.continues(drawn[0]);
  if (model.is_private())
    return model.told[column].draw(continues ? of.label(drawn) : of.counts()[drawn[0]].codes.front(), random);
  if (continues) return of.label(drawn);
  return draw_cell(model.coded.columns[column], of.counts()[drawn[0]].view(), random);
}

// Draws the column of these rows; those for which the rules leave nothing get into `stuck`.
void AnyOrderNetwork::Fitted::Block::draw_column(std::size_t column, const Random& random, bool whole,
                                                 const std::vector<std::size_t>& rows,
                                                 std::vector<std::size_t>& stuck) {
  const ColumnClasses& of = model.classes[column];
  const Random own = random.stream(kCellStream), classes_of = random.stream(kClassStream);
  std::vector<ColumnClasses::Classes> drawn(rows.size(), kNothing);
  const bool watched = model.rules.touches(column);
  std::vector<std::vector<double>> likely(watched ? rows.size() : 0);
  ask(column, 0);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    if (!read_first(rows[k], column, whole)) continue;  // all that is left is missing
    drawn[k][0] = choose(classes_of.block(numbers[rows[k]], column)[0]);
    if (watched) likely[k] = shares;
  }
  if (of.variables() > 1) draw_labels(column, random, rows, drawn);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const std::size_t i = rows[k];
    double cell = kMissing;
    if (drawn[k][0] != kUnknownClass) cell = drawn_cell(column, drawn[k], own.block(numbers[i], column));
    const detail::RuledCell under{model.rules, model.coded.columns, column, row(i), whole};
    if (watched && !under.admits(cell)) {
      const auto found = ruled(i, column, cell, likely[k], own, under);
      if (!found) {
        stuck.push_back(i);
        continue;
      }
      cell = *found;
    }
    learn_of(i, column, cell);
  }
}

// Of a column that was told privately: the classes without those of which the rules refuse every label.
std::vector<double> AnyOrderNetwork::Fitted::Block::not_refused(std::size_t column,
                                                                const std::vector<double>& likely,
                                                                const detail::RuledCell& cell) const {
  const PrivateColumn& own = model.told[column];
  if (!own.coding.is_category()) return likely;
  std::vector<bool> left(own.states);
  for (std::uint32_t label = 0; label < own.label_states.size(); ++label)
    if (cell.admits(static_cast<double>(label))) {
      left[own.label_states[label]] = true;
      if (own.rest) left[own.rest_state()] = true;
    }
  if (own.missing) left[own.missing_state()] = cell.admits(kMissing);
  std::vector<double> out(likely.size());
  for (std::size_t c = 0; c < likely.size(); ++c) {
    const std::vector<std::uint32_t>& states = model.classes[column].counts()[c].codes;
    if (std::ranges::any_of(states, [&](std::uint32_t state) { return left[state]; })) out[c] = likely[c];
  }
  return out;
}

// Of a number that was told privately and that a list of combinations names: one of those that are left, by
// how likely its class is; missing where that is all.
std::optional<double> AnyOrderNetwork::Fitted::Block::listed_number(std::size_t i, std::size_t column,
                                                                    const std::vector<double>& likely,
                                                                    const Random& random,
                                                                    const detail::RuledCell& cell) const {
  std::vector<std::vector<double>> of_class(likely.size());
  const auto add = [&](double one) {
    const std::uint8_t own = model.classes_of_cell(column, one)[0];
    if (own < of_class.size() && cell.admits(one)) of_class[own].push_back(one);
  };
  for (const double number : cell.rules.listed(column)) add(number);
  add(kMissing);
  std::vector<double> weights(likely.size());
  for (std::size_t c = 0; c < weights.size(); ++c) weights[c] = of_class[c].empty() ? 0 : likely[c];
  if (std::ranges::all_of(weights, [](double weight) { return weight <= 0; })) return std::nullopt;
  Random choice = random.stream(numbers[i]);
  const std::vector<double>& left = of_class[choice.weighted(weights)];
  return left[choice.below(left.size())];
}

// After a refused draw: from the classes in proportion to what the rules leave of them. Labels that share a
// class are then drawn by how frequent they are.
std::optional<double> AnyOrderNetwork::Fitted::Block::ruled(std::size_t i, std::size_t column, double free,
                                                            const std::vector<double>& likely,
                                                            const Random& random,
                                                            const detail::RuledCell& cell) const {
  const std::vector<OwnedCounts>& counts = model.classes[column].counts();
  if (model.is_private()) {
    const Random again = random.stream(kAttemptStream).stream(column);
    if (cell.rules.combined(column) && !model.coded.columns[column].is_category())
      return listed_number(i, column, likely, again, cell);
    const std::vector<double> possible = not_refused(column, likely, cell);
    if (std::ranges::all_of(possible, [](double share) { return share <= 0; })) return std::nullopt;
    for (std::uint64_t attempt = 0; attempt < detail::kMostAttempts; ++attempt) {
      Random choice = again.stream(attempt).stream(numbers[i]);
      const std::size_t chosen = choice.weighted(possible);
      const CodeCounts codes = counts[chosen].view();
      const double wanted = choice.uniform() * codes.total();
      const auto at = std::upper_bound(codes.cumulative.begin(), codes.cumulative.end(), wanted,
                                       [](double a, std::uint32_t b) { return a < b; });
      const auto place = std::min<std::size_t>(static_cast<std::size_t>(at - codes.cumulative.begin()),
                                               codes.codes.size() - 1);
      const double drawn = model.told[column].draw(codes.codes[place], choice.stream(1).block(numbers[i], 0));
      if (cell.admits(drawn)) return drawn;
    }
    return std::nullopt;
  }
  std::vector<double> left(counts.size());
  double total = 0;
  for (std::size_t c = 0; c < likely.size(); ++c)
    if (likely[c] > 0)
      total += left[c] = likely[c] * cell.left_of(counts[c].view()).view().total() / counts[c].view().total();
  std::vector<CodeCounts> from;
  if (total > 0) {
    Random choice = random.stream(kAttemptStream).stream(numbers[i]).stream(column);
    from.push_back(counts[choice.weighted(left)].view());
  }
  from.push_back(model.all[column].view());
  return cell.draw(from, free, random, numbers[i]);
}

// Draws all rows; the column of the last dead end for those that ran into one, by row, else the number of
// columns.
std::vector<std::uint32_t> AnyOrderNetwork::Fitted::Block::draw(const CellConditions& conditions,
                                                                const Random& random, bool whole) {
  std::vector<std::uint32_t> dead(numbers.size(), static_cast<std::uint32_t>(columns()));
  std::vector<double> fixed(columns());
  if (!conditions.empty())
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      conditions.row(numbers[i], fixed);
      for (const std::size_t column : model.order)
        if (!std::isnan(fixed[column])) learn_of(i, column, fixed[column]);
    }
  std::vector<std::size_t> rows, stuck;
  for (const std::size_t column : model.order) {
    rows.clear();
    for (std::size_t i = 0; i < numbers.size(); ++i)
      if (dead[i] == columns() && !known[i * columns() + column]) rows.push_back(i);
    if (rows.empty()) continue;
    stuck.clear();
    draw_column(column, random, whole, rows, stuck);
    for (const std::size_t i : stuck) dead[i] = static_cast<std::uint32_t>(column);
  }
  return dead;
}

// How likely each row's further variables are given its first one; 1 where there are none. Classes that are
// unknown say nothing.
std::vector<double> AnyOrderNetwork::Fitted::Block::further_shares(
    std::size_t column, std::span<const ColumnClasses::Classes> classes) {
  const ColumnClasses& of = model.classes[column];
  std::vector<double> out(classes.size(), 1.0);
  const detail::Floats before = sums;
  for (std::size_t v = 1; v < of.variables(); ++v) {
    for (std::size_t i = 0; i < classes.size(); ++i)
      model.network->add(model.parameters.data(), model.first[column] + v - 1, classes[i][v - 1], sum(i));
    ask(column, v);
    for (std::size_t i = 0; i < classes.size(); ++i)
      if (of.continues(classes[i][0]) && read_next(i, column, v, classes[i])) out[i] *= shares[classes[i][v]];
  }
  sums = before;
  return out;
}

// How likely each row's label is among those of its class, against its share of the class by frequency; 1
// where it has the class for itself.
std::vector<double> AnyOrderNetwork::Fitted::Block::label_ratios(std::size_t column,
                                                                 std::span<const double> labels) {
  const ColumnClasses& of = model.classes[column];
  const ColumnCoding& coding = model.coded.columns[column];
  std::vector<ColumnClasses::Classes> classes(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    classes[i] =
        of.of_code(std::isfinite(labels[i]) ? static_cast<std::uint32_t>(labels[i]) : coding.pooled_code());
  std::vector<double> out = further_shares(column, classes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!std::isfinite(labels[i]) || !of.continues(classes[i][0])) continue;
    const CodeCounts counts = of.counts()[classes[i][0]].view();
    out[i] *= std::exp(-synthema::log_density(coding, counts, labels[i]));
  }
  return out;
}

// Of the cells of a column that was told privately; -inf where it never gives one, or the rules refuse it.
// The row's missing labels, and those that are not told, are in states of their own.
std::vector<double> AnyOrderNetwork::Fitted::Block::told_densities(std::size_t column,
                                                                   std::span<const double> cells_asked) {
  const PrivateColumn& own = model.told[column];
  const ColumnClasses& of = model.classes[column];
  const double width = own.coding.is_category() ? 0 : std::log(measure_width(own.coding));
  std::vector<double> out(cells_asked.size(), 0.0);
  std::vector<ColumnClasses::Classes> classes(cells_asked.size());
  for (const bool rest : {false, true}) {
    if (rest && !own.rest) break;
    for (std::size_t i = 0; i < classes.size(); ++i)
      classes[i] = rest ? of.of_code(own.rest_state()) : model.classes_of_cell(column, cells_asked[i]);
    std::vector<double> further(classes.size(), 1.0);
    if (of.variables() > 1) further = further_shares(column, classes);
    ask(column, 0);
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const double cell = cells_asked[i];
      if (classes[i][0] == kUnknownClass || (rest && !std::isfinite(cell)) || !read_first(i, column, false))
        continue;
      const std::uint32_t state = rest ? own.rest_state() : own.state_of(cell);
      out[i] += shares[classes[i][0]] * further[i] * std::exp(own.log_share(state, cell));
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const detail::RuledCell ruled{model.rules, model.coded.columns, column, row(i), false};
    const bool refused = model.rules.touches(column) && !ruled.admits(cells_asked[i]);
    out[i] = refused ? kNever : std::log(out[i]) - (std::isnan(cells_asked[i]) ? 0 : width);
  }
  return out;
}

// `shares` are those of the row's classes; `ratio` is from label_ratios.
double AnyOrderNetwork::Fitted::Block::log_density(std::size_t column, double cell, double ratio,
                                                   const detail::RuledCell& ruled) const {
  const ColumnCoding& coding = model.coded.columns[column];
  const std::vector<OwnedCounts>& counts = model.classes[column].counts();
  const auto [from, to] = classes_near(column, cell);
  double free = 0;
  for (std::size_t c = from; c < to; ++c)
    if (shares[c] > 0) free += shares[c] * std::exp(synthema::log_density(coding, counts[c].view(), cell));
  free *= ratio;
  if (!model.rules.touches(column) || std::isinf(cell)) return std::log(free);
  if (!ruled.admits(cell)) return kNever;
  double kept = 0, under = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (shares[c] <= 0) continue;
    const OwnedCounts left = ruled.left_of(counts[c].view());
    if (left.codes.empty()) continue;
    const double weight = shares[c] * left.view().total() / counts[c].view().total();
    kept += weight;
    if (c >= from && c < to) under += weight * std::exp(synthema::log_density(coding, left.view(), cell));
  }
  if (kept > 0) return std::log(free + std::max(0.0, 1 - kept) * under / kept);
  const CodeCounts all[] = {model.all[column].view()};
  return ruled.log_density(all, cell);
}

// Classes from which a cell may come: a number that few have gives one that lies beside it.
std::pair<std::size_t, std::size_t> AnyOrderNetwork::Fitted::Block::classes_near(std::size_t column,
                                                                                 double cell) const {
  const ColumnCoding& coding = model.coded.columns[column];
  const ColumnClasses& of = model.classes[column];
  if (coding.is_category() || std::isnan(cell)) {
    const std::uint8_t own = std::isinf(cell) ? kUnknownClass : of.of_cell(coding, cell)[0];
    return own == kUnknownClass ? std::pair(std::size_t{0}, std::size_t{0}) : std::pair(own + 0UL, own + 1UL);
  }
  if (!coding.replaced.empty() || std::isinf(cell)) return {0, of.classes(0)};
  constexpr std::size_t kReach = 257;  // values: see draw_cell
  const auto at = static_cast<std::size_t>(
      std::lower_bound(coding.values.begin(), coding.values.end(), cell) - coding.values.begin());
  std::size_t low = at > kReach ? at - kReach : 0, high = at + kReach;
  if (at >= coding.high_tail) low = std::min<std::size_t>(low, coding.high_tail);
  if (at < coding.low_tail) high = std::max<std::size_t>(high, coding.low_tail);
  const std::size_t last = coding.values.size() - 1;
  return {coding.value_classes[std::min(low, last)],
          coding.value_classes[std::min(high, last)] + std::size_t{1}};
}

// Moves the outer biases, along the order in which samples are drawn, until the classes of each column are as
// frequent among drawn rows as the column's counts say. After noisy learning the counts know that better.
void AnyOrderNetwork::Fitted::settle(const Random& random) {
  constexpr std::size_t kBlocks = 64, kPasses = 30;
  constexpr double kFarthest = 5;  // by which a bias moves
  const std::vector<double> heat = std::exchange(temperature, std::vector<double>(coded.columns.size(), 1.0));
  std::vector<Block> blocks;
  std::vector<std::size_t> rows(kTile);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  for (std::size_t b = 0; b < kBlocks; ++b) {
    std::vector<std::uint64_t> numbers;
    for (const std::size_t row : rows) numbers.push_back(b * kTile + row);
    blocks.emplace_back(*this).begin(std::move(numbers));
  }
  const auto over_blocks = [&](const auto& work) {
    parallel_for(
        kBlocks,
        [&](std::size_t b) {
          const detail::ThreadsGuard alone(1);
          work(b, blocks[b]);
        },
        threads);
  };
  for (const std::size_t column : order) {
    const std::size_t count = classes[column].classes(0);
    const std::vector<double> wanted = classes[column].shares(0);
    std::vector<std::vector<double>> likely(kBlocks);  // by row and class
    over_blocks([&](std::size_t b, Block& block) {
      block.ask(column, 0);
      for (const std::size_t row : rows) {
        block.read_first(row, column, false);
        likely[b].insert(likely[b].end(), block.shares.begin(), block.shares.end());
      }
    });
    std::vector<double> factors(count, 1.0);
    const auto moved = [&](std::span<const double> row, std::vector<double>& to) {
      double total = 0;
      for (std::size_t c = 0; c < count; ++c) total += to[c] = row[c] * factors[c];
      for (double& share : to) share /= total;
    };
    for (std::size_t pass = 0; pass < kPasses; ++pass) {
      std::vector<std::vector<double>> sums(kBlocks, std::vector<double>(count));
      over_blocks([&](std::size_t b, Block&) {
        std::vector<double> own(count);
        for (const std::size_t row : rows) {
          moved(std::span(likely[b]).subspan(row * count, count), own);
          for (std::size_t c = 0; c < count; ++c) sums[b][c] += own[c];
        }
      });
      for (std::size_t c = 0; c < count; ++c) {
        double sum = 0;
        for (const std::vector<double>& one : sums) sum += one[c];
        if (sum > 0 && wanted[c] > 0)
          factors[c] = std::clamp(factors[c] * wanted[c] * static_cast<double>(kBlocks * kTile) / sum,
                                  std::exp(-kFarthest), std::exp(kFarthest));
      }
    }
    float* const bias = parameters.data() + network->place(first[column]).outer_bias;
    for (std::size_t c = 0; c < count; ++c) bias[c] += static_cast<float>(std::log(factors[c]));
    over_blocks([&](std::size_t b, Block& block) {
      std::vector<ColumnClasses::Classes> drawn(kTile, kNothing);
      block.shares.resize(count);
      for (const std::size_t row : rows) {
        moved(std::span(likely[b]).subspan(row * count, count), block.shares);
        drawn[row][0] = block.choose(random.stream(kClassStream).block(block.numbers[row], column)[0]);
      }
      if (classes[column].variables() > 1) block.draw_labels(column, random, rows, drawn);
      for (const std::size_t row : rows)
        block.learn_of(row, column,
                       block.drawn_cell(column, drawn[row],
                                        random.stream(kCellStream).block(block.numbers[row], column)));
    });
  }
  temperature = heat;
}

Table AnyOrderNetwork::Fitted::draw_rows(const SampleRequest& request, const CellConditions& conditions,
                                         bool whole) const {
  const Random random(request.seed);
  std::vector<std::vector<double>> cells(coded.columns.size());
  for (const std::size_t column : order) cells[column].resize(request.rows);
  detail::over_rows(request, threads, [&](std::size_t first_row, std::size_t last_row) {
    const detail::ThreadsGuard alone(1);
    Block block(*this);
    std::vector<std::uint64_t> rows;
    for (std::size_t row = first_row; row < last_row; ++row) rows.push_back(row);
    for (std::uint64_t attempt = 0; !rows.empty(); ++attempt) {
      block.begin(rows);
      const auto dead = block.draw(
          conditions, attempt == 0 ? random : random.stream(kAttemptStream).stream(attempt), whole);
      rows.clear();
      std::size_t column_of_end = 0;
      for (std::size_t i = 0; i < block.numbers.size(); ++i) {
        if (dead[i] < coded.columns.size()) {
          rows.push_back(block.numbers[i]);
          column_of_end = dead[i];
          continue;
        }
        for (const std::size_t column : order)
          cells[column][block.numbers[i]] = block.cells[i * coded.columns.size() + column];
      }
      if (!rows.empty() && attempt + 1 == detail::kMostAttempts)
        detail::fail_row(coded.columns[column_of_end], rows.back());
    }
  });
  return detail::decoded(coded, cells, request.rows, random, threads);
}

// --- the class

AnyOrderNetwork::AnyOrderNetwork(AnyOrderNetworkOptions options) : options_(std::move(options)) {
  check(options_);
}
AnyOrderNetwork::~AnyOrderNetwork() = default;
AnyOrderNetwork::AnyOrderNetwork(AnyOrderNetwork&&) noexcept = default;
AnyOrderNetwork& AnyOrderNetwork::operator=(AnyOrderNetwork&&) noexcept = default;

bool AnyOrderNetwork::fitted() const {
  return fitted_ != nullptr;
}

const Schema& AnyOrderNetwork::schema() const {
  static const Schema none;
  return fitted_ ? fitted_->coded.schema : none;
}

std::vector<std::string> AnyOrderNetwork::order() const {
  std::vector<std::string> out;
  if (fitted_)
    for (const std::size_t column : fitted_->order) out.push_back(fitted_->coded.schema.fields[column].name);
  return out;
}

std::size_t AnyOrderNetwork::parameters() const {
  return fitted_ ? fitted_->members * ColumnNetwork(fitted_->member).parameters() : 0;
}
double AnyOrderNetwork::validation_loss() const {
  return fitted_ ? fitted_->loss : kMissing;
}
std::size_t AnyOrderNetwork::rounds() const {
  return fitted_ ? fitted_->rounds : 0;
}

const Ledger& AnyOrderNetwork::ledger() const {
  static const Ledger none;
  return fitted_ ? fitted_->ledger : none;
}
const std::vector<PrivateSpending>& AnyOrderNetwork::spending() const {
  static const std::vector<PrivateSpending> none;
  return fitted_ ? fitted_->spending : none;
}
bool AnyOrderNetwork::is_private() const {
  return fitted_ && fitted_->is_private() && fitted_->ledger.is_private();
}
std::vector<std::string> AnyOrderNetwork::untold() const {
  std::vector<std::string> out;
  if (fitted_)
    for (const PrivateColumn& column : fitted_->told)
      if (column.coding.form == CodingForm::absent) out.push_back(column.coding.field.name);
  return out;
}

std::vector<std::string> AnyOrderNetwork::unresolved() const {
  return fitted_ ? unresolved_of(fitted_->told) : std::vector<std::string>();
}

std::string AnyOrderNetwork::describe() const {
  detail::require_fitted(fitted());
  if (!fitted_->is_private())
    return "Not differentially private: fitted without a budget. Values that few people have are not handed "
           "on.\n";
  const LedgerEntry& entry = fitted_->ledger.entries().front();
  std::string out;
  if (!is_private())
    out +=
        "NOT PRIVATE: made with test noise that a seed repeats. Do not give this model or its rows away.\n";
  out +=
      message("Promise: epsilon ", entry.epsilon, ", delta ", entry.delta, ", for each ", entry.unit, ".\n");
  out += "Public: names, kinds and roles of the columns, and all that the schema states.\n";
  out += message("Learnt: ", entry.steps, " steps of DP-SGD, each with a share of ", entry.sampling_rate,
                 " of the people, gradients cut to a norm of ", options_.privacy->clip, ", noise multiplier ",
                 entry.noise_multiplier, ".\nSpent before, on single columns:\n");
  for (const PrivateSpending& one : fitted_->spending)
    out += message("  ", one.released, ": ", one.releases, " x ", one.mechanism, ", standard deviation ",
                   one.noise, ", rho ", one.rho,
                   one.delta > 0 ? message(", delta ", one.delta) : std::string(), "\n");
  for (const std::string& name : untold())
    out += message("Nothing could be told of '", name, "' under this budget; it is missing in every row.\n");
  for (const std::string& name : unresolved())
    out +=
        message("How fine the values of '", name,
                "' are could not be told under this budget; their decimals, or whole days, are a guess.\n");
  return out;
}

namespace {

// Classes of all variables, row by row.
detail::ClassColumns class_columns(const CodedTable& coded, const std::vector<ColumnClasses>& classes,
                                   std::size_t threads) {
  std::vector<std::pair<std::size_t, std::size_t>> variables;  // column, variable of it
  for (std::size_t c = 0; c < coded.columns.size(); ++c)
    for (std::size_t v = 0; v < classes[c].variables(); ++v) variables.emplace_back(c, v);
  detail::ClassColumns out(variables.size());
  parallel_for(
      variables.size(),
      [&](std::size_t i) {
        const auto [column, variable] = variables[i];
        for (const std::uint32_t code : coded.codes[column])
          out[i].push_back(classes[column].of_code(code)[variable]);
      },
      threads);
  return out;
}

// Networks that learn and are joined, each from other people.
std::size_t members_of(const AnyOrderNetworkOptions& options, const CodedTable& coded) {
  if (options.members > 0) return options.members;
  std::size_t people = 0;
  for (std::uint32_t row = 0; row < coded.rows; ++row) people += coded.people[row] == row;
  return people < kFewPeople ? kMembersOfFew : 1;
}

// The people that a member of several sets aside are a part of their own; those that a single network does,
// at least about 50 where the table is small.
void split_people(const CodedTable& coded, const AnyOrderNetworkOptions& options, std::size_t member,
                  std::size_t members, detail::TrainingTable& table) {
  const double least = std::min(0.3, 50.0 / static_cast<double>(coded.rows));
  const auto parts = static_cast<double>(members);
  const double share = members > 1 ? 1 / parts : std::max(options.validation, least);
  const double from = members > 1 ? static_cast<double>(member) / parts : 0;
  const Random random = Random(options.seed).stream(kValidationStream);
  table.learnt.clear();
  table.checked.clear();
  for (std::uint32_t row = 0; row < coded.rows; ++row) {
    Random own = random.stream(coded.people[row]);
    const double place = own.uniform();
    (place >= from && place < from + share ? table.checked : table.learnt).push_back(row);
  }
  if (table.learnt.empty()) table.learnt = table.checked;
  if (table.checked.empty()) table.checked = table.learnt;
}

detail::TrainingOptions training_of(const AnyOrderNetworkOptions& options, std::size_t rows,
                                    std::size_t parameters, std::size_t variables, std::size_t width) {
  detail::TrainingOptions out;
  out.rounds = options.rounds;
  out.patience = options.patience;
  out.rate = options.rate > 0 ? options.rate : kRate;
  out.threads = options.threads;
  out.batch = std::clamp<std::size_t>(std::bit_floor(std::max<std::size_t>(rows, 64) / 64), 32, 512);
  out.chunk = std::max<std::size_t>(32, out.batch / 4);
  // A chunk's contexts, and a gradient for each chunk of a batch, must fit the memory.
  while (out.chunk > 16 && out.chunk * variables * width > std::size_t{1} << 25) out.chunk /= 2;
  while (out.batch > out.chunk && (out.batch / out.chunk) * parameters > std::size_t{1} << 26) out.batch /= 2;
  return out;
}

CodingOptions coding_of(const AnyOrderNetworkOptions& options, std::size_t rows) {
  return {.rare_below = options.rare_below,
          .classes = std::clamp(rows / kRowsOfClass, kLeastClasses, kMostNumberClasses),
          .threads = options.threads};
}

// How the network's variables are grouped and ordered, and the shares of their classes, with which it begins.
struct Arranged {
  detail::TrainingTable table;
  std::vector<std::vector<double>> shares;
};
template <class Model>
Arranged arranged(const Model& model, const detail::ClassColumns& rows) {
  Arranged out{
      {.classes = rows, .groups = {}, .order = {}, .ordered = {}, .last = {}, .learnt = {}, .checked = {}},
      {}};
  out.shares.resize(model.network->variables());
  out.table.ordered.resize(model.network->variables());
  for (const std::size_t column : model.order) {
    auto& group = out.table.groups.emplace_back();
    out.table.order.push_back(static_cast<std::uint32_t>(out.table.groups.size() - 1));
    for (std::size_t v = 0; v < model.classes[column].variables(); ++v) {
      const std::size_t variable = model.first[column] + v;
      group.push_back(static_cast<std::uint32_t>(variable));
      out.shares[variable] = model.classes[column].shares(v);
      out.table.ordered[variable] = model.is_ordered(column);
    }
  }
  return out;
}

// Those of the target.
template <class Model>
std::vector<std::uint32_t> own_variables(const Model& model, const std::string& target) {
  std::vector<std::uint32_t> out;
  for (const std::size_t column : model.order) {
    const Field& field = model.coded.schema.fields[column];
    if (target.empty() ? std::ranges::find(field.roles, Role::target) == field.roles.end()
                       : field.name != target)
      continue;
    for (std::size_t v = 0; v < model.classes[column].variables(); ++v)
      out.push_back(static_cast<std::uint32_t>(model.first[column] + v));
  }
  return out;
}

[[noreturn]] void refuse_keys() {
  throw GenerationError(
      {.field = "groups"},
      "The network does not keep keys (groups 'unique'), because it draws many rows at once; "
      "take SequentialTrees, or leave these groups out.");
}

// Noisy counts of states as those of codes.
OwnedCounts counts_of(const NoisyMarginal& marginal) {
  OwnedCounts out;
  double sum = 0;
  for (std::size_t state = 0; state < marginal.counts.size(); ++state) {
    const double most = 4e9 / static_cast<double>(marginal.counts.size());  // sums have 32 bits
    sum += std::clamp(std::round(marginal.counts[state]), 1.0, std::max(most, 1.0));
    out.codes.push_back(static_cast<std::uint32_t>(state));
    out.cumulative.push_back(static_cast<std::uint32_t>(std::min(sum, 4e9)));
  }
  return out;
}

}  // namespace

// One network after the other. A cancelled fit keeps what has learnt a round.
void AnyOrderNetwork::Fitted::learn(const AnyOrderNetworkOptions& options, const detail::ClassColumns& rows,
                                    const ProgressSink& progress, const CancelToken& cancel) {
  coded.codes.clear();
  auto [table, shares] = arranged(*this, rows);
  if (members > 1) table.last = own_variables(*this, options.target);
  const Random random(options.seed);
  const ColumnNetwork one(member);
  std::vector<detail::Floats> learnt;
  double losses = 0;
  for (std::size_t m = 0; m < members && !cancel.cancelled(); ++m) {
    const auto own = [&](std::uint64_t stream) {
      return members > 1 ? random.stream(stream).stream(m) : random.stream(stream);
    };
    split_people(coded, options, m, members, table);
    detail::Floats initial(one.parameters());
    one.initialise(initial, shares, table.ordered, own(kInitialStream));
    const detail::TrainingOptions how =
        training_of(options, table.learnt.size(), one.parameters(), one.variables(), one.shape().width);
    const auto tell = [&](Progress step) {
      step.done += m * options.rounds;
      step.total = members * options.rounds;
      progress(step);
    };
    try {
      detail::Trained trained = detail::train(one, table, how, std::move(initial), own(kTrainingStream),
                                              progress ? ProgressSink(tell) : ProgressSink(), cancel);
      learnt.push_back(std::move(trained.parameters));
      losses += trained.loss;
      rounds = std::max(rounds, trained.rounds);
    } catch (const Cancelled&) {
      if (learnt.empty()) throw;
    }
  }
  if (learnt.empty()) cancel.check();
  loss = losses / static_cast<double>(learnt.size());
  for (const std::size_t there = learnt.size(); learnt.size() < members;)  // the same ones stand in
    learnt.push_back(learnt[learnt.size() - there]);
  parameters = detail::joined_parameters(one, learnt, *network);
}

double private_learning_noise(const NetworkPrivacy& privacy, double delta, double rho) {
  const GaussianMechanism counts{1 / std::sqrt(2 * rho)};
  const RenyiAccountant first = RenyiAccountant().add(counts);  // as good as the discrete one
  return detail::smallest_that(
      [&](double noise) {
        RenyiAccountant all = first;
        all.add(GaussianMechanism{noise, privacy.sampling_rate}, privacy.steps);
        return all.epsilon(delta).epsilon <= privacy.epsilon;
      },
      1.0, 2.0, 1e-4);
}

void AnyOrderNetwork::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  for (const auto& [name, value] : options_.temperature) static_cast<void>(real.schema().at(name));
  if (!options_.target.empty()) static_cast<void>(real.schema().at(options_.target));
  if (options_.privacy) {
    NoiseSource noise = NoiseSource::operating_system();
    return fit(real, noise, progress, cancel);
  }
  auto made = std::make_unique<Fitted>();
  made->coded = code_table(real, coding_of(options_, real.rows()));
  CodedTable& coded = made->coded;
  made->all.resize(coded.columns.size());
  for (std::size_t c = 0; c < coded.columns.size(); ++c)
    if (coded.columns[c].modelled()) made->all[c] = count_codes(coded.columns[c], coded.codes[c]);
  made->arrange_coded(options_);
  if (made->network->variables() > 0)
    made->learn(options_, class_columns(coded, made->classes, options_.threads), progress, cancel);
  coded.codes.clear();
  coded.people.clear();
  fitted_ = std::move(made);
}

void AnyOrderNetwork::fit(const ColumnSource& source, const std::string& spill, const ProgressSink& progress,
                          const CancelToken& cancel) {
  for (const auto& [name, value] : options_.temperature) static_cast<void>(source.schema.at(name));
  if (!options_.target.empty()) static_cast<void>(source.schema.at(options_.target));
  if (options_.privacy)
    throw ConfigError({.field = "epsilon"},
                      "A private fit needs the table as a whole; give it as a table, not as a source.");
  std::optional<detail::MappedMemory> disk;
  if (!spill.empty()) disk.emplace(spill);
  auto made = std::make_unique<Fitted>();
  made->all.resize(source.schema.fields.size());
  detail::ClassColumns rows;
  const std::size_t columns = source.schema.fields.size();
  const auto take = [&](const CodedTable& coded, std::size_t column) {
    cancel.check();
    if (progress) progress({.phase = "read", .done = column + 1, .total = columns, .note = {}});
    const ColumnCoding& coding = coded.columns[column];
    if (!coding.modelled()) return;
    made->all[column] = count_codes(coding, coded.codes[column]);
    const ColumnClasses classes(coding, made->all[column]);
    const std::size_t first = rows.size();
    std::pmr::memory_resource* const memory = disk ? &*disk : std::pmr::new_delete_resource();
    for (std::size_t v = 0; v < classes.variables(); ++v) {
      std::pmr::vector<std::uint8_t>& own = rows.emplace_back(memory);
      own.resize(coded.rows);
      parallel_for((coded.rows + kRowsOfBlock - 1) / kRowsOfBlock,
                   [&](std::size_t block) {
                     const std::size_t end = std::min(coded.rows, (block + 1) * kRowsOfBlock);
                     for (std::size_t row = block * kRowsOfBlock; row < end; ++row)
                       own[row] = classes.of_code(coded.codes[column][row])[v];
                   },
                   options_.threads);
    }
    for (std::size_t v = first; disk && v < rows.size(); ++v) disk->put_away(rows[v].data(), rows[v].size());
  };
  made->coded = code_columns(source, coding_of(options_, source.rows), take);
  made->arrange_coded(options_);
  if (made->network->variables() > 0) made->learn(options_, rows, progress, cancel);
  made->coded.codes.clear();
  made->coded.people.clear();
  fitted_ = std::move(made);
}

void AnyOrderNetwork::Fitted::arrange_coded(const AnyOrderNetworkOptions& options) {
  rules = RowRules(coded.schema, coded.columns);
  if (!rules.keys().empty()) refuse_keys();
  members = members_of(options, coded);
  order = order_of(coded, rules, options.target, members > 1);
  arrange(options);
}

void AnyOrderNetwork::fit(const Table& real, NoiseSource& noise, const ProgressSink& progress,
                          const CancelToken& cancel) {
  if (!options_.privacy)
    throw ConfigError({.field = "privacy"}, "A fit with noise needs a budget: set the options' privacy.");
  for (const auto& [name, value] : options_.temperature) static_cast<void>(real.schema().at(name));
  if (!options_.target.empty()) static_cast<void>(real.schema().at(options_.target));
  fit_privately(real, noise, progress, cancel);
}

// All that the data decide comes after the ledger, and from `budget` or the noisy sums of gradients.
void AnyOrderNetwork::fit_privately(const Table& real, NoiseSource& noise, const ProgressSink& progress,
                                    const CancelToken& cancel) {
  constexpr double kThresholdShare = 0.1;  // of delta, for labels that the schema does not name
  constexpr double kTargetShare = 4;       // of the target's first counts: as much as of so many columns
  const NetworkPrivacy& privacy = *options_.privacy;
  cancel.check();
  const Schema& schema = real.schema();
  if (real.columns() == 0) throw SchemaError("The table has no columns; there is nothing to learn.");
  if (std::ranges::find(schema.groups, "unique", &GroupRule::kind) != schema.groups.end()) refuse_keys();
  std::string target = options_.target;
  if (target.empty())
    if (const auto labels = schema.with_role(Role::target); !labels.empty()) target = labels.front()->name;

  const std::size_t unnamed = unnamed_label_columns(schema);
  const double threshold_delta = unnamed > 0 ? kThresholdShare * privacy.delta : 0;
  const double delta = privacy.delta - threshold_delta;
  const double rho = privacy.first_share * concentrated_budget(privacy.epsilon, delta);
  const double rows_each = schema.subject() ? static_cast<double>(privacy.rows_per_person) : 1.0;
  const double shares = static_cast<double>(real.columns()) + (target.empty() ? 0 : kTargetShare - 1);
  const PrivateDomainOptions domain_options{
      .bins = privacy.bins,
      .infer = privacy.infer,
      .column_rho = rho / shares,
      .target = target,
      .target_rho = kTargetShare * rho / shares,
      .threshold_delta = unnamed > 0 ? threshold_delta / static_cast<double>(unnamed) : 0,
      .threads = options_.threads};
  check_domain(real, domain_options, rows_each);
  const double multiplier = private_learning_noise(privacy, delta, rho);
  auto made = std::make_unique<Fitted>();
  const LedgerEntry entry{.mechanism = "DP-SGD: sampled Gaussian, after discrete Gaussian counts of columns",
                          .sensitivity = privacy.clip,
                          .unit = protected_unit(schema, privacy.rows_per_person),
                          .epsilon = privacy.epsilon,
                          .delta = privacy.delta,
                          .released = message("network of a table with ", real.columns(),
                                              real.columns() == 1 ? " column" : " columns"),
                          .private_noise = noise.is_private(),
                          .noise_multiplier = multiplier,
                          .sampling_rate = privacy.sampling_rate,
                          .steps = privacy.steps};
  if (!privacy.ledger.empty()) LedgerFile(privacy.ledger).append(entry);  // before the first draw
  made->ledger.add(entry);

  PrivateBudget budget(rho, rows_each, noise);
  const std::vector<std::size_t> used = rows_used(real, privacy.rows_per_person, noise);
  PrivateDomain domain = discover_domain(real, used, domain_options, budget);
  made->spending = budget.spending();
  made->told = std::move(domain.columns);
  made->coded.schema = schema;
  for (const PrivateColumn& column : made->told) made->coded.columns.push_back(column.coding);
  made->rules = RowRules(schema, made->coded.columns);
  made->order = order_of(made->coded, made->rules, options_.target);
  made->all.resize(made->told.size());
  made->coded.codes.resize(made->told.size());
  for (std::size_t c = 0, m = 0; c < made->told.size(); ++c) {
    if (!made->told[c].modelled()) continue;
    made->all[c] = counts_of(domain.marginals[m]);
    made->coded.codes[c] = std::move(domain.states[m++]);
  }
  made->arrange(options_);
  const ColumnNetwork& network = *made->network;
  if (network.variables() > 0) {
    const detail::ClassColumns rows = class_columns(made->coded, made->classes, options_.threads);
    const auto [table, begin] = arranged(*made, rows);
    std::vector<std::vector<std::uint32_t>> people;
    std::map<std::uint32_t, std::size_t> known;
    const std::vector<std::uint32_t> who = people_of(real);
    for (std::uint32_t row = 0; row < used.size(); ++row) {
      const auto [at, is_new] = known.emplace(who[used[row]], people.size());
      if (is_new) people.emplace_back();
      people[at->second].push_back(row);
    }
    const Random random(options_.seed);
    detail::Floats initial(network.parameters());
    network.initialise(initial, begin, table.ordered, random.stream(kInitialStream));
    const detail::PrivateTrainingOptions how{.steps = privacy.steps,
                                             .sampling_rate = privacy.sampling_rate,
                                             .clip = privacy.clip,
                                             .noise_multiplier = multiplier,
                                             .people = noisy_total(domain.marginals) / rows_each,
                                             .rate = options_.rate > 0 ? options_.rate : kPrivateRate,
                                             .threads = options_.threads};
    made->parameters = detail::train_privately(network, table, people, how, std::move(initial),
                                               random.stream(kTrainingStream), noise, progress, cancel);
    made->settle(random.stream(kSettlingStream));
  }
  made->coded.codes.clear();
  fitted_ = std::move(made);
}

Table AnyOrderNetwork::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  const CellConditions conditions(request.conditions.get(), fitted_->coded.columns, name());
  detail::refuse_contradictions(fitted_->rules, fitted_->coded.columns, conditions);
  return fitted_->draw_rows(request, conditions, false);
}

Table AnyOrderNetwork::impute(const Table& given, std::uint64_t seed, const ProgressSink& progress,
                              const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const Table table = detail::of_fitted_kinds(fitted_->coded.columns, given);
  const CellConditions conditions(&table, fitted_->coded.columns, name(), true);
  const SampleRequest request{.rows = table.rows(), .seed = seed, .progress = progress, .cancel = cancel};
  return detail::filled_table(table, fitted_->draw_rows(request, conditions, true));
}

std::vector<double> AnyOrderNetwork::log_prob(const Table& table, const ProgressSink& progress,
                                              const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const Fitted& model = *fitted_;
  const std::vector<std::vector<double>> cells = cells_of(model.coded.columns, table);
  std::vector<double> out = detail::log_share_of_absent(model.coded.columns, cells, table.rows());
  detail::over_rows(
      {.rows = table.rows(), .progress = progress, .cancel = cancel}, model.threads,
      [&](std::size_t first, std::size_t last) {
        const detail::ThreadsGuard alone(1);
        Fitted::Block block(model);
        std::vector<std::uint64_t> rows;
        for (std::size_t row = first; row < last; ++row) rows.push_back(row);
        block.begin(rows);
        for (const std::size_t column : model.order) {
          const auto own = std::span(cells[column]).subspan(first, last - first);
          if (model.is_private()) {
            const std::vector<double> told = block.told_densities(column, own);
            for (std::size_t i = 0; i < own.size(); ++i)
              if (std::isfinite(out[first + i] += told[i])) block.learn_of(i, column, own[i]);
            continue;
          }
          std::vector<double> ratios(own.size(), 1.0);
          if (model.classes[column].variables() > 1) ratios = block.label_ratios(column, own);
          block.ask(column, 0);
          for (std::size_t i = 0; i < own.size(); ++i) {
            double& sum = out[first + i];
            if (!std::isfinite(sum)) continue;
            const detail::RuledCell ruled{model.rules, model.coded.columns, column, block.row(i), false};
            if (block.read_first(i, column, false))
              sum += block.log_density(column, own[i], ratios[i], ruled);
            else if (!std::isnan(own[i]))
              sum = kNever;
            if (std::isfinite(sum)) block.learn_of(i, column, own[i]);
          }
        }
      },
      "log_prob");
  return out;
}

std::string AnyOrderNetwork::save() const {
  detail::require_fitted(fitted());
  const Fitted& model = *fitted_;
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"target", options_.target},
                           {"size", options_.size},
                           {"rare_below", options_.rare_below},
                           {"rounds", options_.rounds},
                           {"patience", options_.patience},
                           {"validation", options_.validation},
                           {"members", options_.members},
                           {"rate", options_.rate},
                           {"seed", options_.seed},
                           {"temperature", options_.temperature}};
  if (model.is_private()) {
    const NetworkPrivacy& p = *options_.privacy;
    file.about["privacy"] = {{"epsilon", p.epsilon}, {"delta", p.delta},
                             {"clip", p.clip},       {"sampling_rate", p.sampling_rate},
                             {"steps", p.steps},     {"rows_per_person", p.rows_per_person},
                             {"bins", p.bins},       {"first_share", p.first_share},
                             {"infer", p.infer}};
    file.about["private"] = is_private();
    file.about["ledger"] = detail::ArrayJson::parse(to_json(model.ledger));
    file.about["schema"] = detail::ArrayJson::parse(to_json(model.coded.schema));
    detail::put_spending(file, model.spending);
    detail::put_private_columns(file, model.told);
  } else {
    detail::put_codings(file, model.coded);
  }
  file.about["order"] = model.order;
  file.about["rounds"] = model.rounds;
  file.about["members"] = model.members;
  // JSON has no NaN: nothing was learnt.
  if (std::isfinite(model.loss)) file.about["validation_loss"] = model.loss;
  for (const std::size_t column : model.order)
    detail::put_counts(file, std::to_string(column) + ".all", model.all[column]);
  file.put("parameters", detail::packed_parameters(ColumnNetwork(model.member), model.members, *model.network,
                                                   model.parameters));
  if (model.is_private()) {
    const std::string digest = file.digest();
    file.about["digest"] = digest;
  }
  return file.file();
}

namespace {

AnyOrderNetworkOptions options_from(const detail::ModelArrays& file) {
  const auto options = file.value<detail::ArrayJson>(file.about, "options");
  AnyOrderNetworkOptions out;
  out.target = file.value<std::string>(options, "target");
  out.size = file.value<std::string>(options, "size");
  out.rare_below = file.value<std::size_t>(options, "rare_below");
  out.rounds = file.value<std::size_t>(options, "rounds");
  out.patience = file.value<std::size_t>(options, "patience");
  out.validation = file.value<double>(options, "validation");
  out.members = file.value<std::size_t>(options, "members");
  out.rate = file.value<double>(options, "rate");
  out.seed = file.value<std::uint64_t>(options, "seed");
  out.temperature = file.value<std::map<std::string, double>>(options, "temperature");
  if (!file.about.contains("privacy")) return out;
  const auto privacy = file.value<detail::ArrayJson>(file.about, "privacy");
  NetworkPrivacy& p = out.privacy.emplace();
  p.epsilon = file.value<double>(privacy, "epsilon");
  p.delta = file.value<double>(privacy, "delta");
  p.clip = file.value<double>(privacy, "clip");
  p.sampling_rate = file.value<double>(privacy, "sampling_rate");
  p.steps = file.value<std::uint64_t>(privacy, "steps");
  p.rows_per_person = file.value<std::size_t>(privacy, "rows_per_person");
  p.bins = file.value<std::size_t>(privacy, "bins");
  p.first_share = file.value<double>(privacy, "first_share");
  p.infer = file.value<bool>(privacy, "infer");
  return out;
}

void check_order(const detail::ModelArrays& file, const CodedTable& coded,
                 const std::vector<std::size_t>& order) {
  std::vector<bool> seen(coded.columns.size());
  for (const std::size_t column : order) {
    file.require(column < seen.size() && !seen[column] && coded.columns[column].modelled(),
                 "an order of columns that is none");
    seen[column] = true;
  }
  for (std::size_t c = 0; c < seen.size(); ++c) {
    file.require(seen[c] == coded.columns[c].modelled(), "an order that lacks a column");
    file.require(coded.columns[c].is_category() || coded.columns[c].classes < detail::kMostClasses,
                 "a number of too many classes");
  }
}

// What counts and steps cost, from their noise alone, must be what the ledger says or less.
void check_ledger(const detail::ModelArrays& file, const NetworkPrivacy& privacy, const Ledger& ledger,
                  std::span<const PrivateSpending> spending) {
  file.require(ledger.entries().size() == 1, "not one entry in its privacy ledger");
  const LedgerEntry& entry = ledger.entries().front();
  file.require(entry.private_noise == file.value<bool>(file.about, "private"),
               "a ledger that says something else about its noise");
  file.require(entry.sampling_rate == privacy.sampling_rate && entry.steps == privacy.steps &&
                   entry.sensitivity == privacy.clip && entry.epsilon == privacy.epsilon &&
                   entry.delta == privacy.delta,
               "a ledger of another fit");
  const double rows =
      ledger.entries().front().unit.starts_with("row,") ? 1.0 : static_cast<double>(privacy.rows_per_person);
  const auto [rho, delta] = detail::cost_of(file, spending, rows);
  file.require(rho > 0 && rho < 1e12 && delta < entry.delta && entry.noise_multiplier > 0,
               "no measurement in its ledger");
  RenyiAccountant all;
  all.add(GaussianMechanism{1 / std::sqrt(2 * rho)});
  all.add(GaussianMechanism{entry.noise_multiplier, entry.sampling_rate}, entry.steps);
  file.require(all.epsilon(entry.delta - delta).epsilon <= entry.epsilon * (1 + 1e-6),
               "more was spent than its ledger says");
}

// States of a private column, each once, with positive counts.
OwnedCounts get_state_counts(const detail::ModelArrays& file, std::size_t column, const PrivateColumn& told) {
  const std::string name = std::to_string(column) + ".all";
  ColumnCoding states;
  states.form = CodingForm::category;
  states.labels.resize(told.states);
  OwnedCounts out = detail::get_counts(file, name, states);
  file.require(out.codes.size() == told.states, "counts of other states than a column has");
  return out;
}

}  // namespace

AnyOrderNetwork AnyOrderNetwork::load(std::string_view bytes, const std::string& path) {
  detail::ModelArrays file(bytes, path, "any_order_network");
  auto made = std::make_unique<Fitted>();
  std::optional<AnyOrderNetwork> out;
  try {
    out.emplace(options_from(file));
    if (out->options_.privacy) {
      const auto digest = file.value<std::string>(file.about, "digest");
      file.about.erase("digest");
      file.require(file.digest() == digest, "it was changed after it was saved");
      made->coded.schema = schema_from_json(file.value<detail::ArrayJson>(file.about, "schema").dump());
      made->told = detail::get_private_columns(file, made->coded.schema);
      for (const PrivateColumn& column : made->told) made->coded.columns.push_back(column.coding);
      made->ledger = ledger_from_json(file.value<detail::ArrayJson>(file.about, "ledger").dump());
      made->spending = detail::get_spending(file);
      check_ledger(file, *out->options_.privacy, made->ledger, made->spending);
    } else {
      made->coded = detail::get_codings(file);
    }
  } catch (const ModelError&) {
    throw;
  } catch (const Error& error) {
    file.fail(error.what());
  }
  made->order = file.value<std::vector<std::size_t>>(file.about, "order");
  check_order(file, made->coded, made->order);
  made->all.resize(made->coded.columns.size());
  for (const std::size_t column : made->order) {
    if (made->is_private()) {
      const PrivateColumn& told = made->told[column];
      file.require(told.coding.is_category() || told.states <= detail::kMostClasses,
                   "a number of too many classes");
      made->all[column] = get_state_counts(file, column, told);
    } else {
      made->all[column] =
          detail::get_counts(file, std::to_string(column) + ".all", made->coded.columns[column]);
    }
  }
  made->rounds = file.value<std::size_t>(file.about, "rounds");
  made->members = file.value<std::size_t>(file.about, "members");
  file.require(made->members >= 1 && made->members <= kMostMembers, "a number of networks that is none");
  if (file.about.contains("validation_loss")) made->loss = file.value<double>(file.about, "validation_loss");
  try {
    made->arrange(out->options_);
    made->rules = detail::loaded_rules(file, made->coded);
  } catch (const ModelError&) {
    throw;
  } catch (const Error&) {
    file.fail("The options of the model are none.");
  }
  const std::vector<float> parameters = file.get<float>("parameters");
  const ColumnNetwork member(made->member);
  file.require(parameters.size() == made->members * member.parameters(), "a network of another shape");
  made->parameters = detail::unpacked_parameters(member, made->members, *made->network, parameters);
  file.require(std::ranges::all_of(made->parameters, [](float x) { return std::isfinite(x); }),
               "parameters that are no numbers");
  out->fitted_ = std::move(made);
  return std::move(*out);
}

}  // namespace synthema
