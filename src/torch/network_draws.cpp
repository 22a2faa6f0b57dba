#include <algorithm>
#include <cmath>

#include "src/generate/tabular/row_blocks.hpp"
#include "src/torch/network_block.hpp"
#include "src/torch/threads_guard.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/special_numbers.hpp"

namespace synthema {

namespace {

using detail::ColumnClasses;
using detail::kAttemptStream;
using detail::kCellStream;
using detail::kClassStream;
using detail::kNothing;
using detail::kUnknownClass;

using detail::kMissing;

}  // namespace

void AnyOrderNetwork::Fitted::add_known(std::size_t column, const ColumnClasses::Classes& known,
                                        float* sum) const {
  for (std::size_t v = 0; v < classes[column].variables(); ++v)
    network->add(parameters.data(), first[column] + v, known[v], sum);
}

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
  const auto& distance = model.distances[column];
  return draw_cell(distance ? distance->coding : model.coded.columns[column], of.counts()[drawn[0]].view(),
                   random);
}

// Draws the column of these rows; those for which the rules leave nothing get into `stuck`.
void AnyOrderNetwork::Fitted::Block::draw_column(std::size_t column, const Random& random, bool whole,
                                                 bool forced, const std::vector<std::size_t>& rows,
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
    const detail::RuledCell under{model.rules, model.coded.columns, column, row(i), whole, false, forced};
    if (model.distances[column]) {
      const auto found = cell_at_distance(i, column, cell, likely[k], own, under);
      found ? learn_of(i, column, *found) : stuck.push_back(i);
      continue;
    }
    if (watched && !under.admits(cell)) {
      auto found = ruled(i, column, cell, likely[k], own, under);
      if (!found && forced) found = kMissing;
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

// Of a number that was told privately and that a list of combinations names: those that are left, or missing.
std::vector<std::vector<double>> AnyOrderNetwork::Fitted::Block::listed_by_class(
    std::size_t column, const detail::RuledCell& cell) const {
  std::vector<std::vector<double>> out(model.classes[column].classes(0));
  const auto add = [&](double one) {
    const std::uint8_t own = model.classes_of_cell(column, one)[0];
    if (own < out.size() && cell.admits(one)) out[own].push_back(one);
  };
  for (const double number : cell.rules.listed(column)) add(number);
  add(kMissing);
  return out;
}

// One of them, by how likely its class is.
std::optional<double> AnyOrderNetwork::Fitted::Block::listed_number(std::size_t i, std::size_t column,
                                                                    const std::vector<double>& likely,
                                                                    const Random& random,
                                                                    const detail::RuledCell& cell) const {
  const std::vector<std::vector<double>> of_class = listed_by_class(column, cell);
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
    // Drawing until it comes would lose the rows in which it is unlikely.
    if (const auto only = cell.determined()) return only;
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
      total += left[c] =
          likely[c] * cell.redrawn_of(counts[c].view()).view().total() / counts[c].view().total();
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
                                                                const Random& random, bool whole,
                                                                bool forced) {
  std::vector<std::uint32_t> dead(numbers.size(), static_cast<std::uint32_t>(columns()));
  std::vector<double> fixed(columns());
  if (!conditions.empty())
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      conditions.row(numbers[i], fixed);
      for (const std::size_t column : model.order)
        if (!std::isnan(fixed[column])) learn_of(i, column, fixed[column]);
    }
  std::vector<std::size_t> rows, stuck;
  if (!conditions.empty()) draw_bases(random);
  for (const std::size_t column : model.order) {
    rows.clear();
    for (std::size_t i = 0; i < numbers.size(); ++i)
      if (dead[i] == columns() && !known[i * columns() + column]) rows.push_back(i);
    if (rows.empty()) continue;
    stuck.clear();
    draw_column(column, random, whole, forced, rows, stuck);
    for (const std::size_t i : stuck) dead[i] = static_cast<std::uint32_t>(column);
  }
  return dead;
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
      const auto dead =
          block.draw(conditions, attempt == 0 ? random : random.stream(kAttemptStream).stream(attempt), whole,
                     whole && attempt + 1 == detail::kMostAttempts);
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
  return detail::decoded(coded, cells, request.rows, random, threads, whole);
}

}  // namespace synthema
