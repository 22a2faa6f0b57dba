// Rows of SequentialTrees in which something is fixed: candidates, and what they weigh.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "src/generate/tabular/candidates.hpp"
#include "src/generate/tabular/normal_scores.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "src/generate/tabular/tree_distances.hpp"
#include "src/generate/tabular/tree_row.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema {

namespace {

// Values that are looked at for the share that rules leave: of a leaf, and of the whole column, which counts
// as much as one row of it.
constexpr std::size_t kLookedAt = 256, kLookedAtOfAll = 32;
using detail::kMissing;
constexpr double kProposedMissing = std::numeric_limits<double>::infinity();  // in RowState::proposed

// A share of a leaf's rows, and of the whole column's, as that of the leaf with one more row in the
// proportions of the whole column, so that nothing is impossible.
double with_prior(double share, const CodeCounts& leaf, double share_of_all, const CodeCounts& all) {
  const double prior = std::max(share_of_all, 0.5 / std::max<double>(all.total(), 1));
  return (share * leaf.total() + prior) / (leaf.total() + 1.0);
}

double share_of_point(const ColumnCoding& coding, const CodeCounts& leaf, const CodeCounts& all,
                      double cell) {
  return with_prior(share_at(coding, leaf, cell), leaf, share_at(coding, all, cell), all);
}

double share_left(const detail::RuledCell& ruled, const CodeCounts& leaf, const CodeCounts& all,
                  std::uint32_t first = 0, std::uint32_t last = std::numeric_limits<std::uint32_t>::max()) {
  return with_prior(ruled.share_left(leaf, kLookedAt, first, last), leaf,
                    ruled.share_left(all, kLookedAtOfAll, first, last), all);
}

// Of what may follow a refused draw (RuledCell::redrawn_of).
double share_redrawn(const detail::RuledCell& ruled, const CodeCounts& leaf, const CodeCounts& all) {
  if (ruled.rules.combined(ruled.column)) return share_left(ruled, leaf, all);
  return share_left(ruled, leaf, all, 0, static_cast<std::uint32_t>(ruled.columns[ruled.column].codes()));
}

double log_share_present(const ColumnCoding& coding, const CodeCounts& counts) {
  const auto at = std::ranges::lower_bound(counts.codes, coding.codes()) - counts.codes.begin();
  const std::uint32_t there = at == 0 ? 0 : counts.cumulative[static_cast<std::size_t>(at - 1)];
  return counts.total() == 0 ? 0.0 : std::log(std::max(0.001, static_cast<double>(there) / counts.total()));
}

double rows_between(const CodeCounts& counts, std::uint32_t first, std::uint32_t last) {
  const auto before = [&](std::uint32_t code) {
    const auto at = std::ranges::lower_bound(counts.codes, code) - counts.codes.begin();
    return at == 0 ? 0.0 : static_cast<double>(counts.cumulative[static_cast<std::size_t>(at - 1)]);
  };
  return before(last) - before(first);
}

// Codes that count as a fixed cell, from the first to below the second: its own, or its class of numbers.
std::pair<std::uint32_t, std::uint32_t> codes_like(const ColumnCoding& coding, double cell) {
  if (coding.is_category()) {
    const auto code = static_cast<std::uint32_t>(cell);
    return {code, code + 1};
  }
  const std::vector<std::uint8_t>& classes = coding.part_classes;
  const auto like = std::ranges::equal_range(classes, classes[coding.part_of(cell)]);
  return coding.codes_in(static_cast<std::size_t>(like.begin() - classes.begin()),
                         static_cast<std::size_t>(like.end() - classes.begin()));
}

}  // namespace

// How likely the tree makes a fixed cell, under the rules beside the cells before it: the share of its code,
// of its class for numbers, as a part of what they leave. What follows from these cells is no news.
double SequentialTrees::log_share(std::size_t position, double cell, const RowState& state) const {
  const Step& step = steps_[position];
  const ColumnCoding& coding = coded_.columns[step.column];
  const CodeCounts leaf = step.counts.of(descend(step, state).leaf), all = step.counts.all.view();
  const auto [first, last] = codes_like(coding, cell);
  const auto share_in = [](const CodeCounts& few, const CodeCounts& many, std::uint32_t from,
                           std::uint32_t to) {
    const auto share = [&](const CodeCounts& counts) {
      return rows_between(counts, from, to) / std::max<double>(counts.total(), 1);
    };
    return std::log(with_prior(share(few), few, share(many), many));
  };
  if (!is_bound(step, state.past)) return share_in(leaf, all, first, last);
  if (step.distances && step.distances->is_measured({state.cells, state.past})) {
    const Distances& distances = *step.distances;
    const CodeCounts near = distances.counts.of(descend(step, state).leaf),
                     every = distances.counts.all.view();
    const double at = distances.cell_of(coded_.columns, step.column, cell, state.cells[distances.from]);
    const auto [shortest, longest] = reach_of(distances.coding);
    if (at < shortest || at > longest) return share_in(near, every, 0, 0);  // as good as never
    const auto [low, high] = codes_like(distances.coding, at);
    return share_in(near, every, low, high);
  }
  const detail::RuledCell before{rules_, coded_.columns, step.column, {state.cells, state.past}};
  const double present = log_share_present(coding, leaf);
  if (before.determined()) return present;
  const double own = before.admits(cell) ? share_in(leaf, all, first, last) : share_in(leaf, all, 0, 0);
  const double share = own - std::log(share_redrawn(before, leaf, all));
  return std::min(0.0, share) + (rules_.combined(step.column) ? 0.0 : present);
}

// What the rules leave of a column beside the cells before it.
double SequentialTrees::log_left(std::size_t position, const RowState& state) const {
  const Step& step = steps_[position];
  const detail::RuledCell before{rules_, coded_.columns, step.column, {state.cells, state.past}, state.whole};
  const CodeCounts leaf = step.counts.of(descend(step, state).leaf);
  if (state.whole || is_bound(step, state.past))
    return std::log(share_redrawn(before, leaf, step.counts.all.view()));
  return rules_.combined(step.column) ? 0.0 : log_share_present(coded_.columns[step.column], leaf);
}

// How likely this very cell is among what the rules leave beside the cells before it, missing ones aside: not
// that of its class, since all classes have about as many rows.
double SequentialTrees::log_taken(std::size_t position, double cell, const RowState& state) const {
  const Step& step = steps_[position];
  const ColumnCoding& coding = coded_.columns[step.column];
  const CodeCounts leaf = step.counts.of(descend(step, state).leaf), all = step.counts.all.view();
  const bool mixing = rules_.combined(step.column);
  return std::log(share_of_point(coding, leaf, all, cell)) - log_left(position, state) -
         (mixing && !state.whole ? log_share_present(coding, leaf) : 0.0);
}

// What a free cell says about the fixed ones behind it: which part of what the rules leave beside the cells
// before it they still leave beside the fixed ones. A cell that these determine: how likely it was.
double SequentialTrees::log_kept(std::size_t position, double cell, const RowState& state) const {
  const Step& step = steps_[position];
  const detail::RuledCell before{rules_, coded_.columns, step.column, {state.cells, state.past}, state.whole};
  const bool bound = state.whole || is_bound(step, state.past);
  if (bound && before.determined()) return 0;
  if (std::isnan(cell) && !rules_.combined(step.column)) return 0;  // missing is a part of combinations
  const detail::RuledCell now{rules_, coded_.columns, step.column, state.row(), state.whole};
  if (now.determined())
    return std::isnan(cell) ? -log_left(position, state) : log_taken(position, cell, state);
  const CodeCounts leaf = step.counts.of(descend(step, state).leaf);
  return std::log(share_redrawn(now, leaf, step.counts.all.view())) - log_left(position, state);
}

// Of a fixed or proposed number: as log_share, but where it has proposed what it is measured from, against
// how often such a distance proposes.
double SequentialTrees::log_share_against(std::size_t position, double cell, const RowState& state) const {
  const Step& step = steps_[position];
  if (!step.distances || std::isnan(state.proposed[step.distances->from]))
    return log_share(position, cell, state);
  const Distances& distances = *step.distances;
  const CodeCounts every = distances.counts.all.view();
  const double base = state.cells[distances.from];
  if (!std::isnan(base)) {
    const auto [low, high] =
        codes_like(distances.coding, distances.cell_of(coded_.columns, step.column, cell, base));
    const double proposed = std::max(rows_between(every, low, high), 0.5) / every.total();
    return log_share(position, cell, state) - std::log(proposed) + log_share_present(distances.coding, every);
  }
  // Missing, in spite of what was proposed. The others are weighed by how likely one point is, so it is, too.
  return std::log(share_of_point(coded_.columns[step.column], step.counts.of(descend(step, state).leaf),
                                 step.counts.all.view(), cell));
}

// What fixed numbers are measured from is proposed by them: the number less a drawn distance. From the last
// of the order to the first, so that what is proposed proposes too; what is at a distance itself may be
// proposed as missing, and then proposes nothing. False where something lies beyond what samples have.
bool SequentialTrees::propose(std::size_t end, std::size_t candidate, const Random& random, std::uint64_t row,
                              RowState& state) const {
  bool is_first = true;
  for (std::size_t p = end; p-- > 0;) {
    const Step& step = steps_[p];
    if (!may_propose(step, state)) continue;
    const Distances& distances = *step.distances;
    const std::size_t from = distances.from;
    // The first are spread evenly over the distances.
    PhiloxBlock block = (is_first ? random : random.stream(candidate + 1)).block(row, from);
    if (is_first) block[0] += detail::begin_of(candidate, options_.particles);
    is_first = false;
    if (detail::unit_of(block[2]) < share_proposed_missing(from, state)) {
      state.proposed[from] = kProposedMissing;
      continue;
    }
    const double cell = state.is_fixed(step.column) ? state.fixed[step.column] : state.proposed[step.column];
    const double drawn = detail::present_distance(distances, distances.counts.all.view(), block);
    const auto base = std::isnan(drawn)
                          ? std::nullopt
                          : base_at_distance(coded_.columns, step.column, distances, cell, drawn, block[1]);
    if (!base) {
      state.stuck = from;
      return false;
    }
    state.proposed[from] = *base;
  }
  return true;
}

bool SequentialTrees::may_propose(const Step& step, const RowState& state) const {
  if (!step.distances) return false;
  const std::size_t from = step.distances->from;
  return (state.is_fixed(step.column) || std::isfinite(state.proposed[step.column])) &&
         !state.is_fixed(from) && std::isnan(state.proposed[from]);
}

double SequentialTrees::share_proposed_missing(std::size_t column, const RowState& state) const {
  const auto step = std::ranges::find(steps_, column, &Step::column);
  if (!step->distances || !coded_.columns[column].missing || state.whole) return 0;
  const Distances& distances = *step->distances;
  return 1 - std::exp(log_share_present(distances.coding, distances.counts.all.view()));
}

// Takes what is proposed; what is at no distance is missing as often as the leaf has it. False: the rules
// refuse it.
bool SequentialTrees::take_proposed(std::size_t position, const Random& random, std::uint64_t row,
                                    double& weight, RowState& state) const {
  const Step& step = steps_[position];
  const ColumnCoding& coding = coded_.columns[step.column];
  const detail::RuledCell ruled{rules_, coded_.columns, step.column, state.row(), state.whole};
  const std::size_t leaf = descend(step, state).leaf;
  const bool at_distance = step.distances && step.distances->is_measured({state.cells, state.past});
  const double present = at_distance
                             ? log_share_present(step.distances->coding, step.distances->counts.of(leaf))
                             : log_share_present(coding, step.counts.of(leaf));
  const auto [low, high] = reach_of(coding);
  double cell = state.proposed[step.column];
  if (std::isinf(cell) || (!step.distances && !state.whole && ruled.admits(kMissing) &&
                           detail::unit_of(random.block(row, step.column)[0]) >= std::exp(present)))
    cell = kMissing;
  if (!ruled.admits(cell)) {
    state.stuck = step.column;
    return false;
  }
  const double missing = share_proposed_missing(step.column, state);
  if (std::isnan(cell) && step.distances)
    weight += std::log(-std::expm1(present) / missing);
  else if (!std::isnan(cell))
    weight += (at_distance ? log_share_against(position, cell, state)
                           : log_taken(position, std::clamp(cell, low, high), state) +
                                 (step.distances ? present : 0.0)) -
              std::log1p(-missing);
  state.set(position, coding, step.column, cell);
  return true;
}

// Whether the schema may take something away from the column, given what is known.
bool SequentialTrees::is_bound(const Step& step, std::span<const std::uint8_t> known) const {
  return step.limited || std::ranges::any_of(rules_.bound_to(step.column),
                                             [&](std::size_t other) { return known[other] != 0; });
}

// Whether a fixed column behind it takes something away from a free one.
bool SequentialTrees::looks_ahead(std::size_t position, const RowState& state) const {
  const std::size_t column = order_[position];
  return std::ranges::any_of(rules_.bound_to(column), [&](std::size_t other) {
    return state.is_fixed(other) && state.past[other] == 0;
  });
}

// Draws everything before `end` several times and takes one of these, by how likely it makes what is fixed.
bool SequentialTrees::draw_candidates(std::uint64_t row, const Random& random, std::size_t end,
                                      RowState& state) const {
  const bool has_proposals = std::ranges::any_of(std::span(steps_).first(end), [&](const Step& step) {
    return state.is_fixed(step.column) && may_propose(step, state);
  });
  return (has_proposals && draw_candidates(row, random, end, true, state)) ||
         draw_candidates(row, random, end, false, state);
}

bool SequentialTrees::draw_candidates(std::uint64_t row, const Random& random, std::size_t end,
                                      bool proposing, RowState& state) const {
  const Random own = random.stream(detail::kCellStream), proposals = random.stream(detail::kProposalStream);
  const std::size_t count = options_.particles;
  const std::vector<std::uint8_t> fixed = state.known;
  state.candidate_cells.resize(count);
  state.candidate_bins.resize(count);
  state.weights.assign(count, 0.0);
  for (std::size_t m = 0; m < count; ++m) {
    const Random candidate = own.stream(m + 1);
    state.known = fixed;
    std::ranges::fill(state.past, std::uint8_t{0});
    std::ranges::fill(state.proposed, kMissing);
    bool whole = !proposing || propose(end, m, proposals, row, state);
    for (std::size_t p = 0; whole && p < end; ++p) {
      const std::size_t column = order_[p];
      double& weight = state.weights[m];
      if (state.is_fixed(column)) {
        weight += log_share_against(p, state.fixed[column], state);
      } else if (!std::isnan(state.proposed[column])) {
        whole = take_proposed(p, candidate, row, weight, state);
      } else {
        whole = draw(p, candidate, row, state);
        if (whole && looks_ahead(p, state)) weight += log_kept(p, state.cells[column], state);
      }
      state.past[column] = 1;
    }
    if (!whole) state.weights[m] = -std::numeric_limits<double>::infinity();
    state.candidate_cells[m] = state.cells;
    state.candidate_bins[m] = state.bins;
  }
  state.known = fixed;
  std::ranges::fill(state.proposed, kMissing);
  auto chosen = detail::draw_candidate(state.weights, random.stream(detail::kChoiceStream).stream(row));
  if (!chosen && state.forced && !proposing) chosen = 0;
  if (!chosen) return false;
  state.cells = state.candidate_cells[*chosen];
  state.bins = state.candidate_bins[*chosen];
  for (std::size_t p = 0; p < end; ++p) state.known[order_[p]] = 1;
  return true;
}

}  // namespace synthema
