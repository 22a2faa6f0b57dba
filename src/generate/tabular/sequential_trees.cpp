#include "synthema/generate/tabular/sequential_trees.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "src/generate/tabular/candidates.hpp"
#include "src/generate/tabular/coding_learner.hpp"
#include "src/generate/tabular/dominant_people.hpp"
#include "src/generate/tabular/imputed_table.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "src/generate/tabular/tree_distances.hpp"
#include "src/generate/tabular/tree_row.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/conditions.hpp"
#include "synthema/learn/distribution_tree.hpp"

namespace synthema {

namespace {

using detail::kCellStream;
using detail::kMissing;

void check(const SequentialTreesOptions& options) {
  if (!(options.min_gain >= 0))
    throw ConfigError({.field = "min_gain"}, "The smallest gain of a cut must be zero or positive.");
  if (options.particles < 1)
    throw ConfigError({.field = "particles"}, "At least one candidate a row is needed.");
  for (const std::vector<std::string>& names : options.combinations) {
    if (names.size() < 2)
      throw ConfigError({.field = "combinations"}, "A combination has at least two columns.");
    for (std::size_t i = 1; i < names.size(); ++i)
      if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) <
          names.begin() + static_cast<std::ptrdiff_t>(i))
        throw ConfigError({.field = "combinations"}, message("A combination names the column '", names[i],
                                                             "' twice; name each column once."));
  }
}

std::size_t leaf_size(const SequentialTreesOptions& options, std::size_t rows) {
  if (options.min_leaf > 0) return options.min_leaf;
  return std::clamp<std::size_t>(rows / 1000, 20, 50);
}

Table with_combinations(const Table& table, const std::vector<std::vector<std::string>>& combinations) {
  if (combinations.empty()) return table;
  Schema schema = table.schema();
  for (const std::vector<std::string>& names : combinations)
    schema.groups.push_back({.kind = "combinations", .fields = names});
  std::vector<Column> columns;
  for (std::size_t c = 0; c < table.columns(); ++c) columns.push_back(table.column(c));
  return Table(std::move(schema), std::move(columns));
}

// What other trees ask of the column, by row. Where people have several rows, an unknown cell is that of
// another row: most of the unknown ones may be of one person, and would lead a tree to that person.
std::vector<std::uint8_t> bins_of(const CodedTable& coded, std::size_t column) {
  const ColumnCoding& coding = coded.columns[column];
  std::vector<std::uint32_t> codes = coded.codes[column];
  if (coding.pooled && coded.schema.subject() != nullptr)
    detail::spread_evenly(codes, coding.pooled_code(), coding.pooled_code());
  std::vector<std::uint8_t> of_code(coding.codes() + 2), out;
  for (std::uint32_t code = 0; code < of_code.size(); ++code)
    if (code < coding.pooled_code() || coding.is_category()) of_code[code] = coding.bin_of_code(code);
  for (const std::uint32_t code : codes) out.push_back(of_code[code]);
  return out;
}

std::size_t index_of(const Schema& schema, const std::string& name) {
  return static_cast<std::size_t>(&schema.at(name) - schema.fields.data());
}

}  // namespace

SequentialTrees::SequentialTrees(SequentialTreesOptions options) : options_(std::move(options)) {
  check(options_);
}

CodeCounts SequentialTrees::LeafCounts::of(std::size_t leaf) const {
  const std::size_t from = begin[leaf], size = begin[leaf + 1] - from;
  if (size == 0) return all.view();  // nothing of the leaf may be handed on
  return {std::span(codes).subspan(from, size), std::span(cumulative).subspan(from, size)};
}

std::vector<std::string> SequentialTrees::order() const {
  std::vector<std::string> out;
  for (const std::size_t column : order_) out.push_back(coded_.schema.fields[column].name);
  return out;
}

std::vector<std::size_t> SequentialTrees::choose_order(const Table& real) const {
  const Schema& schema = real.schema();
  std::vector<std::size_t> out;
  const auto add = [&](std::size_t column) {
    if (std::ranges::find(out, column) == out.end() && coded_.columns[column].modelled())
      out.push_back(column);
  };
  for (const std::string& name : options_.first) add(index_of(schema, name));
  if (!options_.target.empty()) add(index_of(schema, options_.target));
  if (options_.target.empty())
    for (const Field* field : schema.with_role(Role::target)) add(index_of(schema, field->name));
  for (std::size_t c = 0; c < schema.fields.size(); ++c) add(c);
  return rules_.ordered(out);
}

SequentialTrees::Step SequentialTrees::grow(std::size_t position,
                                            std::span<const std::vector<std::uint8_t>> bins,
                                            std::span<const std::uint32_t> rows,
                                            const CancelToken& cancel) const {
  Step step;
  step.column = order_[position];
  const ColumnCoding& coding = coded_.columns[step.column];
  const std::vector<std::uint32_t>& codes = coded_.codes[step.column];
  std::vector<TreeInput> inputs;
  for (std::size_t p = 0; p < position; ++p) {
    const ColumnCoding& input = coded_.columns[order_[p]];
    inputs.push_back({bins[p], input.bins, input.is_category()});
  }
  const auto distance = detail::learn_distance(coded_, rules_, step.column, std::span(order_).first(position),
                                               {.rare_below = options_.rare_below, .threads = 1});
  const ColumnCoding& drawn = distance ? distance->coding : coding;
  const std::vector<std::uint32_t>& codes_drawn = distance ? distance->codes : codes;
  std::vector<std::uint8_t> classes(codes.size());
  std::vector<std::uint32_t> known;  // rows; an unknown label is a class of its own
  for (const std::uint32_t row : rows) {
    if (!drawn.is_category() && codes_drawn[row] == drawn.pooled_code()) continue;
    classes[row] = drawn.class_of_code(codes_drawn[row]);
    known.push_back(row);
  }
  TreeTarget target{classes, drawn.classes, !drawn.is_category(), known};
  if (has_subjects()) target.people = coded_.people;
  const GrownTree grown = grow_distribution_tree(inputs, target,
                                                 {.min_samples_leaf = leaf_size(options_, codes.size()),
                                                  .min_gain = options_.min_gain,
                                                  .candidates = options_.predictors},
                                                 cancel);
  step.tree = grown.tree;
  step.counts = count_leaves(coding, codes, grown.begin, grown.rows);
  if (distance)
    step.distances = std::make_shared<const Distances>(
        Distances{*distance, count_leaves(drawn, codes_drawn, grown.begin, grown.rows, distance->open)});
  return step;
}

// Of these rows, where nobody has too many of them; none where too few people are left.
std::vector<std::uint32_t> SequentialTrees::codes_of_leaf(const ColumnCoding& coding,
                                                          const std::vector<std::uint32_t>& codes,
                                                          std::vector<std::uint32_t> rows) const {
  if (has_subjects()) {
    std::erase_if(rows, [&](std::uint32_t row) { return codes[row] == coding.pooled_code(); });
    detail::drop_surplus(coded_.people, options_.rare_below, rows);
  }
  const auto any = [](std::size_t) { return true; };
  std::vector<std::uint32_t> who, out;
  for (const std::uint32_t row : rows) who.push_back(coded_.people[row]);
  if (detail::people_with(who, options_.rare_below, any) < options_.rare_below) return {};
  for (const std::uint32_t row : rows) out.push_back(codes[row]);
  return out;
}

SequentialTrees::LeafCounts SequentialTrees::count_leaves(const ColumnCoding& coding,
                                                          const std::vector<std::uint32_t>& codes,
                                                          std::span<const std::size_t> begin,
                                                          std::span<const std::uint32_t> rows,
                                                          std::span<const std::uint8_t> open) const {
  const auto is_open = [&](std::uint32_t row) { return open.empty() || open[row] != 0; };
  LeafCounts out;
  out.begin = {0};
  std::vector<std::uint32_t> all;
  for (std::size_t leaf = 0; leaf + 1 < begin.size(); ++leaf) {
    std::vector<std::uint32_t> open_rows;
    for (std::size_t i = begin[leaf]; i < begin[leaf + 1]; ++i)
      if (is_open(rows[i])) open_rows.push_back(rows[i]);
    for (const std::uint32_t row : open_rows) all.push_back(codes[row]);
    const OwnedCounts counts = count_codes(coding, codes_of_leaf(coding, codes, std::move(open_rows)));
    out.codes.insert(out.codes.end(), counts.codes.begin(), counts.codes.end());
    out.cumulative.insert(out.cumulative.end(), counts.cumulative.begin(), counts.cumulative.end());
    out.begin.push_back(out.codes.size());
  }
  out.all = count_codes(coding, std::move(all));
  return out;
}

void SequentialTrees::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  SequentialTrees fitted(options_);
  fitted.coded_ = code_table(with_combinations(real, options_.combinations),
                             {.rare_below = options_.rare_below, .threads = options_.threads});
  fitted.rules_ = RowRules(fitted.coded_.schema, fitted.coded_.columns);
  fitted.order_ = fitted.choose_order(real);
  const std::size_t steps = fitted.order_.size();
  fitted.steps_.resize(steps);
  std::vector<std::vector<std::uint8_t>> bins(steps);
  parallel_for(
      steps, [&](std::size_t p) { bins[p] = bins_of(fitted.coded_, fitted.order_[p]); }, options_.threads);
  const std::vector<std::uint32_t> rows = detail::rows_by_person(fitted.coded_.people);
  ProgressCounter counter(progress, "fit", steps);
  // The last columns ask for the most others: they begin first.
  parallel_for(
      steps,
      [&](std::size_t i) {
        const std::size_t p = steps - 1 - i;
        fitted.steps_[p] = fitted.grow(p, bins, rows, cancel);
        counter.add(1);
      },
      options_.threads);
  counter.finish();
  fitted.note_limits();
  fitted.coded_.codes.clear();
  fitted.coded_.people.clear();
  *this = std::move(fitted);
}

const TreeNode& SequentialTrees::descend(const Step& step, const RowState& state) const {
  const auto nodes = step.tree.nodes();
  const TreeNode* node = nodes.data();
  while (!node->is_leaf()) {
    const ColumnCoding& input = coded_.columns[order_[node->column]];
    const bool left = node->goes_left(state.bins[node->column], static_cast<std::uint8_t>(input.bins - 1));
    node = &nodes[static_cast<std::size_t>(left ? node->left : node->right)];
  }
  return *node;
}

bool SequentialTrees::draw(std::size_t position, const Random& random, std::uint64_t row,
                           RowState& state) const {
  const Step& step = steps_[position];
  const ColumnCoding& coding = coded_.columns[step.column];
  const std::size_t number = descend(step, state).leaf;
  const CodeCounts leaf = step.counts.of(number);
  const detail::RuledCell ruled{rules_,      coded_.columns, step.column, state.row(),
                                state.whole, false,          state.forced};
  const bool at_distance = step.distances && step.distances->is_measured(state.row());
  std::optional<double> cell =
      at_distance
          ? detail::draw_at_distance(*step.distances, step.distances->levels(number), ruled, random, row)
          : ruled.draw_freely(leaf, random.block(row, step.column));
  if (!cell || !ruled.admits(*cell)) {
    const CodeCounts from[] = {leaf, step.counts.all.view()};
    cell = ruled.draw(from, cell.value_or(kMissing), random, row);
    if (!cell) {
      state.stuck = step.column;
      return false;
    }
  }
  state.set(position, coding, step.column, *cell);
  return true;
}

// Of a cell as `draw` gives it.
double SequentialTrees::log_density(const Step& step, std::size_t leaf, const detail::RuledCell& ruled,
                                    double cell) const {
  const CodeCounts from[] = {step.counts.of(leaf), step.counts.all.view()};
  if (!step.distances || !step.distances->is_measured(ruled.row)) return ruled.log_density(from, cell);
  return detail::log_density_at_distance(*step.distances, step.distances->levels(leaf), from, ruled, cell);
}

void SequentialTrees::note_limits() {
  RowState nothing(coded_.columns.size(), order_.size(), false);
  for (Step& step : steps_) {
    const detail::RuledCell alone{rules_, coded_.columns, step.column, nothing.row()};
    step.limited = rules_.touches(step.column) &&
                   alone.left_of(step.counts.all.view()).view().total() < step.counts.all.view().total();
  }
}

bool SequentialTrees::try_row(std::uint64_t row, const Random& random, RowState& state) const {
  std::size_t end = 0, first_free = order_.size();  // end: behind the last fixed column
  std::fill(state.known.begin(), state.known.end(), std::uint8_t{0});
  for (std::size_t p = 0; p < order_.size(); ++p) {
    const std::size_t column = order_[p];
    if (!state.is_fixed(column)) {
      first_free = std::min(first_free, p);
      continue;
    }
    end = p + 1;
    state.cells[column] = state.fixed[column];
    state.bins[p] = coded_.columns[column].bin_of(state.fixed[column]);
    state.known[column] = 1;  // rules look ahead to it
  }
  if (first_free < end && !draw_candidates(row, random, end, state)) return false;
  const Random own = random.stream(kCellStream);
  for (std::size_t p = end; p < order_.size(); ++p)
    if (!draw(p, own, row, state)) return false;
  return true;
}

void SequentialTrees::sample_row(std::uint64_t row, const Random& random, RowState& state) const {
  std::uint64_t attempts = 0;
  detail::draw_row(row, random, coded_.columns, [&](const Random& of_row) {
    state.forced = state.whole && ++attempts == detail::kMostAttempts;
    return try_row(row, of_row, state) ? std::nullopt : std::optional(state.stuck);
  });
}

Table SequentialTrees::draw_rows(const SampleRequest& request, const CellConditions& conditions,
                                 bool whole) const {
  const std::size_t columns = coded_.columns.size();
  const Random random(request.seed);
  std::vector<std::vector<double>> cells(columns);
  for (const std::size_t column : order_) cells[column].resize(request.rows);
  const auto keep = [&](std::size_t row, const RowState& state) {
    for (const std::size_t column : order_) cells[column][row] = state.cells[column];
  };
  detail::over_rows(request, options_.threads, [&](std::size_t first, std::size_t last) {
    if (conditions.empty()) {
      // Column by column, so that a tree is read while it is near; what runs into a dead end begins again.
      std::vector<RowState> states(last - first, RowState(columns, order_.size(), false));
      std::vector<bool> whole_row(states.size(), true);
      const Random own = random.stream(kCellStream);
      for (RowState& state : states) state.whole = whole;
      for (std::size_t p = 0; p < order_.size(); ++p)
        for (std::size_t i = 0; i < states.size(); ++i)
          if (whole_row[i]) whole_row[i] = draw(p, own, first + i, states[i]);
      for (std::size_t i = 0; i < states.size(); ++i) {
        if (!whole_row[i]) sample_row(first + i, random, states[i]);
        keep(first + i, states[i]);
      }
      return;
    }
    RowState state(columns, order_.size(), true);
    state.whole = whole;
    for (std::size_t row = first; row < last; ++row) {
      conditions.row(row, state.fixed);
      sample_row(row, random, state);
      keep(row, state);
    }
  });
  if (!whole) {
    RowState state(columns, order_.size(), !conditions.empty());
    detail::make_unique(rules_, coded_.columns, cells, request, random,
                        [&](std::size_t row, const Random& again) {
                          if (!conditions.empty()) conditions.row(row, state.fixed);
                          sample_row(row, again, state);
                          keep(row, state);
                        });
  }
  return detail::decoded(coded_, cells, request.rows, random, options_.threads, whole);
}

Table SequentialTrees::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  const CellConditions conditions(request.conditions.get(), coded_.columns, rules_, name());
  detail::refuse_contradictions(rules_, coded_.columns, conditions);
  rules_.refuse_too_many(request.rows, coded_.columns);
  return draw_rows(request, conditions, false);
}

std::vector<double> SequentialTrees::log_prob(const Table& table, const ProgressSink& progress,
                                              const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const std::vector<std::vector<double>> cells = cells_of(coded_.columns, table);
  const std::vector<double> absent = detail::log_share_of_absent(coded_.columns, cells, table.rows());
  std::vector<double> out(table.rows());
  detail::over_rows(
      {.rows = table.rows(), .progress = progress, .cancel = cancel}, options_.threads,
      [&](std::size_t first, std::size_t last) {
        RowState state(coded_.columns.size(), order_.size(), false);
        for (std::size_t row = first; row < last; ++row) {
          std::fill(state.known.begin(), state.known.end(), std::uint8_t{0});
          double sum = absent[row];
          for (std::size_t p = 0; p < order_.size() && std::isfinite(sum); ++p) {
            const Step& step = steps_[p];
            const double cell = cells[step.column][row];
            const detail::RuledCell ruled{rules_, coded_.columns, step.column, state.row(), false};
            sum += log_density(step, descend(step, state).leaf, ruled, cell);
            if (!std::isfinite(sum)) break;
            state.cells[step.column] = cell;
            state.known[step.column] = 1;
            state.bins[p] = coded_.columns[step.column].bin_of(cell);
          }
          out[row] = sum;
        }
      },
      "log_prob");
  return out;
}

Table SequentialTrees::impute(const Table& given, std::uint64_t seed, const ProgressSink& progress,
                              const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const Table table = detail::of_fitted_kinds(coded_.columns, given);
  const CellConditions conditions(&table, coded_.columns, rules_, name(), true);
  const Table drawn = draw_rows({.rows = table.rows(), .seed = seed, .progress = progress, .cancel = cancel},
                                conditions, true);
  return detail::filled_table(table, drawn);
}

}  // namespace synthema
