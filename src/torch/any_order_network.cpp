#include "synthema/torch/any_order_network.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/imputed_table.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "src/torch/column_classes.hpp"
#include "src/torch/column_network.hpp"
#include "src/torch/network_training.hpp"
#include "src/torch/threads_guard.hpp"
#include "synthema/core/exponential.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/conditions.hpp"

namespace synthema {

namespace {

using detail::ColumnClasses;
using detail::ColumnNetwork;
using detail::kUnknownClass;

constexpr std::uint64_t kCellStream = 1, kClassStream = 2, kAttemptStream = 4;           // of a sample
constexpr std::uint64_t kInitialStream = 1, kTrainingStream = 2, kValidationStream = 3;  // of a fit
constexpr std::size_t kTile = 256;  // rows that are drawn together, always as many: see ColumnNetwork::scores
constexpr std::size_t kMostParameters = 16'000'000;
constexpr std::size_t kLeastClasses = 8, kMostNumberClasses = 128, kRowsOfClass = 20;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kNever = -std::numeric_limits<double>::infinity();

struct Size {
  const char* name;
  std::size_t width, head;
};
constexpr std::array<Size, 3> kSizes{{{"small", 64, 16}, {"medium", 128, 32}, {"large", 256, 64}}};

void check(const AnyOrderNetworkOptions& options) {
  if (std::ranges::find(kSizes, options.size, &Size::name) == kSizes.end())
    throw ConfigError({.field = "size"}, message("A network is 'small', 'medium' or 'large'; '", options.size,
                                                 "' is none of these."));
  if (options.rounds < 1) throw ConfigError({.field = "rounds"}, "At least one round is learnt.");
  if (!(options.validation > 0 && options.validation <= 0.5))
    throw ConfigError({.field = "validation"},
                      "The share of people set aside lies above 0 and is at most 0.5.");
  if (!(options.rate > 0 && options.rate <= 1))
    throw ConfigError({.field = "rate"}, "The rate of learning lies above 0 and is at most 1.");
  for (const auto& [column, temperature] : options.temperature)
    if (!(temperature > 0 && std::isfinite(temperature)))
      throw ConfigError({.field = column}, "The temperature of a column is a positive number.");
}

// Half the width and heads until a wide table's network fits.
detail::NetworkShape shape_of(std::vector<std::size_t> classes, const std::string& name) {
  const Size& size = *std::ranges::find(kSizes, name, &Size::name);
  detail::NetworkShape shape{std::move(classes), size.width, size.head};
  while (shape.width > 32 && ColumnNetwork(shape).parameters() > kMostParameters) {
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
  std::vector<std::size_t> order;
  RowRules rules;
  std::vector<OwnedCounts> all;  // by column, as all of these
  std::vector<ColumnClasses> classes;
  std::vector<std::size_t> first;  // variable of the column
  std::vector<double> temperature;
  std::optional<ColumnNetwork> network;
  detail::Floats parameters;
  double loss = std::numeric_limits<double>::quiet_NaN();
  std::size_t rounds = 0, threads = 0;

  void arrange(const AnyOrderNetworkOptions& options);
  bool is_ordered(std::size_t column) const {
    return !coded.columns[column].is_category() ||
           (coded.columns[column].ordered && classes[column].variables() == 1);
  }
  void add_known(std::size_t column, double cell, float* sum) const;
  Table draw_rows(const SampleRequest& request, const CellConditions& conditions, bool whole) const;
};

namespace {

std::vector<std::size_t> order_of(const CodedTable& coded, const RowRules& rules, const std::string& target) {
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
  for (std::size_t c = 0; c < coded.columns.size(); ++c) add(c);
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
    classes[c] = ColumnClasses(coded.columns[c], all[c]);
    first[c] = sizes.size();
    for (std::size_t v = 0; v < classes[c].variables(); ++v) sizes.push_back(classes[c].classes(v));
  }
  for (const auto& [name, value] : options.temperature)
    temperature[static_cast<std::size_t>(&coded.schema.at(name) - coded.schema.fields.data())] = value;
  network.emplace(shape_of(std::move(sizes), options.size));
  threads = options.threads;
}

void AnyOrderNetwork::Fitted::add_known(std::size_t column, double cell, float* sum) const {
  const ColumnClasses::Classes known = classes[column].of_cell(coded.columns[column], cell);
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
    const std::uint32_t missing = model.coded.columns[column].missing_code();
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
  void draw_labels(std::size_t column, const Random& random, const std::vector<std::size_t>& rows,
                   std::vector<ColumnClasses::Classes>& classes);
  std::optional<double> ruled(std::size_t i, std::size_t column, double free,
                              const std::vector<double>& likely, const Random& random,
                              const detail::RuledCell& cell) const;
  std::vector<double> label_ratios(std::size_t column, std::span<const double> labels);
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

// Draws the column of these rows; those for which the rules leave nothing get into `stuck`.
void AnyOrderNetwork::Fitted::Block::draw_column(std::size_t column, const Random& random, bool whole,
                                                 const std::vector<std::size_t>& rows,
                                                 std::vector<std::size_t>& stuck) {
  const ColumnCoding& coding = model.coded.columns[column];
  const ColumnClasses& of = model.classes[column];
  const Random own = random.stream(kCellStream), classes_of = random.stream(kClassStream);
  std::vector<ColumnClasses::Classes> drawn(rows.size(), {kUnknownClass, kUnknownClass, kUnknownClass});
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
    if (drawn[k][0] != kUnknownClass)
      cell = of.continues(drawn[k][0])
                 ? of.label(drawn[k])
                 : draw_cell(coding, of.counts()[drawn[k][0]].view(), own.block(numbers[i], column));
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

// After a refused draw: from the classes in proportion to what the rules leave of them. Labels that share a
// class are then drawn by how frequent they are.
std::optional<double> AnyOrderNetwork::Fitted::Block::ruled(std::size_t i, std::size_t column, double free,
                                                            const std::vector<double>& likely,
                                                            const Random& random,
                                                            const detail::RuledCell& cell) const {
  const std::vector<OwnedCounts>& counts = model.classes[column].counts();
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

// How likely each row's label is among those of its class, against its share of the class by frequency; 1
// where it has the class for itself.
std::vector<double> AnyOrderNetwork::Fitted::Block::label_ratios(std::size_t column,
                                                                 std::span<const double> labels) {
  const ColumnClasses& of = model.classes[column];
  const ColumnCoding& coding = model.coded.columns[column];
  std::vector<double> out(labels.size(), 1.0);
  std::vector<ColumnClasses::Classes> classes(labels.size());
  const detail::Floats before = sums;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool label = std::isfinite(labels[i]);
    classes[i] = of.of_code(label ? static_cast<std::uint32_t>(labels[i]) : coding.pooled_code());
    if (!label || !of.continues(classes[i][0])) continue;
    const CodeCounts counts = of.counts()[classes[i][0]].view();
    out[i] = std::exp(-synthema::log_density(coding, counts, labels[i]));
  }
  for (std::size_t v = 1; v < of.variables(); ++v) {
    for (std::size_t i = 0; i < labels.size(); ++i)
      model.network->add(model.parameters.data(), model.first[column] + v - 1, classes[i][v - 1], sum(i));
    ask(column, v);
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (of.continues(classes[i][0]) && read_next(i, column, v, classes[i])) out[i] *= shares[classes[i][v]];
  }
  sums = before;
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
  if (coding.listed || std::isinf(cell)) return {0, of.classes(0)};
  constexpr std::size_t kReach = 257;  // values: see draw_cell
  const auto at = static_cast<std::size_t>(
      std::lower_bound(coding.values.begin(), coding.values.end(), cell) - coding.values.begin());
  const std::size_t low = at > kReach ? at - kReach : 0, last = coding.values.size() - 1;
  return {coding.value_classes[std::min(low, last)],
          coding.value_classes[std::min(at + kReach, last)] + std::size_t{1}};
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
  return fitted_ ? fitted_->parameters.size() : 0;
}
double AnyOrderNetwork::validation_loss() const {
  return fitted_ ? fitted_->loss : kMissing;
}
std::size_t AnyOrderNetwork::rounds() const {
  return fitted_ ? fitted_->rounds : 0;
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

// People set aside, at least about 50 where the table is small.
void split_people(const CodedTable& coded, const AnyOrderNetworkOptions& options,
                  detail::TrainingTable& table) {
  const double least = std::min(0.3, 50.0 / static_cast<double>(coded.rows));
  const double share = std::max(options.validation, least);
  const Random random = Random(options.seed).stream(kValidationStream);
  for (std::uint32_t row = 0; row < coded.rows; ++row) {
    Random own = random.stream(coded.people[row]);
    (own.uniform() < share ? table.checked : table.learnt).push_back(row);
  }
  if (table.learnt.empty()) table.learnt = table.checked;
  if (table.checked.empty()) table.checked = table.learnt;
}

detail::TrainingOptions training_of(const AnyOrderNetworkOptions& options, std::size_t rows,
                                    std::size_t parameters, std::size_t variables, std::size_t width) {
  detail::TrainingOptions out;
  out.rounds = options.rounds;
  out.patience = options.patience;
  out.rate = options.rate;
  out.threads = options.threads;
  out.batch = std::clamp<std::size_t>(std::bit_floor(std::max<std::size_t>(rows, 64) / 64), 32, 512);
  out.chunk = std::max<std::size_t>(32, out.batch / 4);
  // A chunk's contexts, and a gradient for each chunk of a batch, must fit the memory.
  while (out.chunk > 16 && out.chunk * variables * width > std::size_t{1} << 25) out.chunk /= 2;
  while (out.batch > out.chunk && (out.batch / out.chunk) * parameters > std::size_t{1} << 26) out.batch /= 2;
  return out;
}

}  // namespace

void AnyOrderNetwork::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  for (const auto& [name, value] : options_.temperature) static_cast<void>(real.schema().at(name));
  if (!options_.target.empty()) static_cast<void>(real.schema().at(options_.target));
  auto made = std::make_unique<Fitted>();
  const std::size_t classes = std::clamp(real.rows() / kRowsOfClass, kLeastClasses, kMostNumberClasses);
  made->coded =
      code_table(real, {.rare_below = options_.rare_below, .classes = classes, .threads = options_.threads});
  CodedTable& coded = made->coded;
  made->rules = RowRules(coded.schema, coded.columns);
  if (!made->rules.keys().empty())
    throw GenerationError(
        {.field = "groups"},
        "The network does not keep keys (groups 'unique'), because it draws many rows at once; "
        "take SequentialTrees, or leave these groups out.");
  made->order = order_of(coded, made->rules, options_.target);
  made->all.resize(coded.columns.size());
  for (const std::size_t column : made->order)
    made->all[column] = count_codes(coded.columns[column], coded.codes[column]);
  made->arrange(options_);
  const ColumnNetwork& network = *made->network;
  if (network.variables() > 0) {
    const detail::ClassColumns rows = class_columns(coded, made->classes, options_.threads);
    detail::TrainingTable table{
        .classes = rows, .groups = {}, .order = {}, .ordered = {}, .learnt = {}, .checked = {}};
    std::vector<std::vector<double>> shares(network.variables());
    table.ordered.resize(network.variables());
    for (const std::size_t column : made->order) {
      auto& group = table.groups.emplace_back();
      table.order.push_back(static_cast<std::uint32_t>(table.groups.size() - 1));
      for (std::size_t v = 0; v < made->classes[column].variables(); ++v) {
        const std::size_t variable = made->first[column] + v;
        group.push_back(static_cast<std::uint32_t>(variable));
        shares[variable] = made->classes[column].shares(v);
        table.ordered[variable] = made->is_ordered(column);
      }
    }
    split_people(coded, options_, table);
    const Random random(options_.seed);
    detail::Floats initial(network.parameters());
    network.initialise(initial, shares, table.ordered, random.stream(kInitialStream));
    const detail::TrainingOptions how = training_of(options_, table.learnt.size(), network.parameters(),
                                                    network.variables(), network.shape().width);
    detail::Trained trained = detail::train(network, table, how, std::move(initial),
                                            random.stream(kTrainingStream), progress, cancel);
    made->parameters = std::move(trained.parameters);
    made->loss = trained.loss;
    made->rounds = trained.rounds;
  }
  coded.codes.clear();
  coded.people.clear();
  fitted_ = std::move(made);
}

Table AnyOrderNetwork::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  const CellConditions conditions(request.conditions.get(), fitted_->coded.columns, name());
  detail::refuse_contradictions(fitted_->rules, fitted_->coded.columns, conditions);
  return fitted_->draw_rows(request, conditions, false);
}

Table AnyOrderNetwork::impute(const Table& table, std::uint64_t seed, const ProgressSink& progress,
                              const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  detail::require_columns(fitted_->coded.columns, table);
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
  file.about["options"] = {
      {"target", options_.target}, {"size", options_.size},         {"rare_below", options_.rare_below},
      {"rounds", options_.rounds}, {"patience", options_.patience}, {"validation", options_.validation},
      {"rate", options_.rate},     {"seed", options_.seed},         {"temperature", options_.temperature}};
  file.about["order"] = model.order;
  file.about["rounds"] = model.rounds;
  // JSON has no NaN: nothing was learnt.
  if (std::isfinite(model.loss)) file.about["validation_loss"] = model.loss;
  detail::put_codings(file, model.coded);
  for (const std::size_t column : model.order)
    detail::put_counts(file, std::to_string(column) + ".all", model.all[column]);
  file.put("parameters", std::vector<float>(model.parameters.begin(), model.parameters.end()));
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
  out.rate = file.value<double>(options, "rate");
  out.seed = file.value<std::uint64_t>(options, "seed");
  out.temperature = file.value<std::map<std::string, double>>(options, "temperature");
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

}  // namespace

AnyOrderNetwork AnyOrderNetwork::load(std::string_view bytes, const std::string& path) {
  const detail::ModelArrays file(bytes, path, "any_order_network");
  auto made = std::make_unique<Fitted>();
  made->coded = detail::get_codings(file);
  made->order = file.value<std::vector<std::size_t>>(file.about, "order");
  check_order(file, made->coded, made->order);
  made->all.resize(made->coded.columns.size());
  for (const std::size_t column : made->order)
    made->all[column] =
        detail::get_counts(file, std::to_string(column) + ".all", made->coded.columns[column]);
  made->rounds = file.value<std::size_t>(file.about, "rounds");
  if (file.about.contains("validation_loss")) made->loss = file.value<double>(file.about, "validation_loss");
  std::optional<AnyOrderNetwork> out;
  try {
    out.emplace(options_from(file));
    made->arrange(out->options_);
    made->rules = detail::loaded_rules(file, made->coded);
  } catch (const ModelError&) {
    throw;
  } catch (const Error&) {
    file.fail("The options of the model are none.");
  }
  const std::vector<float> parameters = file.get<float>("parameters");
  file.require(parameters.size() == made->network->parameters(), "a network of another shape");
  file.require(std::ranges::all_of(parameters, [](float x) { return std::isfinite(x); }),
               "parameters that are no numbers");
  made->parameters.assign(parameters.begin(), parameters.end());
  out->fitted_ = std::move(made);
  return std::move(*out);
}

}  // namespace synthema
