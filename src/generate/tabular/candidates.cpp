#include "src/generate/tabular/candidates.hpp"

#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {

// What fixed numbers, and those that are proposed themselves, propose for the free ones they are measured
// from.
class Proposals {
 public:
  explicit Proposals(const WeighedColumns& columns)
      : columns_(columns),
        cells_(columns.fixed.size()),
        missing_(columns.fixed.size()),
        by_(columns.fixed.size()),
        has_proposed_(columns.fixed.size()),
        nothing_(columns.fixed.size()) {
    if (columns.distances.empty()) return;
    for (const std::size_t c : columns.order)
      if (columns.weighed[c] != 0) turns_.push_back(c);
  }

  bool any() const {
    return std::ranges::any_of(by_, [](std::uint8_t by) { return by != 0; });
  }
  bool has(std::size_t column) const { return by_[column] != 0; }
  double of(std::size_t column) const { return cells_[column]; }  // NaN: missing
  double share_missing(std::size_t column) const { return missing_[column]; }
  bool has_proposed(std::size_t column) const { return has_proposed_[column] != 0; }

  void forget() {
    std::ranges::fill(by_, std::uint8_t{0});
    std::ranges::fill(has_proposed_, std::uint8_t{0});
  }
  // From the last of the order to the first. A column for which something beyond what samples reach was
  // proposed is returned.
  std::optional<std::size_t> draw(std::span<const double> cells, const Random& shared, const Random& own,
                                  std::uint64_t number_of_row, std::size_t candidate) {
    forget();
    for (std::size_t place = turns_.size(); place-- > 0;) {
      const std::size_t c = turns_[place];
      if (!columns_.distances[c]) continue;
      const DistanceCounts& distance = *columns_.distances[c];
      const std::size_t from = distance.from;
      const double cell = has(c) ? cells_[c] : columns_.fixed[c];
      if (columns_.weighed[from] == 0 || !std::isnan(columns_.fixed[from]) || has(from) || std::isnan(cell))
        continue;
      const auto at = static_cast<std::size_t>(std::ranges::find(turns_, from) - turns_.begin());
      const double missing = columns_.turn(at, from, {cells, nothing_}).share_missing();
      missing_[from] = missing;
      PhiloxBlock block = any() ? own.block(number_of_row, from) : shared.block(number_of_row, from);
      if (!any()) block[0] += begin_of(candidate, kCandidates);
      by_[from] = 1;
      const double share = unit_of(block[0]);
      cells_[from] = kMissing;
      if (share >= 1 - missing) continue;
      has_proposed_[c] = 1;
      block[0] = static_cast<std::uint32_t>(share / (1 - missing) * 4294967295.0);
      const double drawn = present_distance(distance, distance.counts.view(), block);
      if (std::isnan(drawn)) return from;
      const auto base = base_at_distance(columns_.codings, c, distance, cell, drawn, block[1]);
      if (!base) return from;
      cells_[from] = *base;
    }
    return std::nullopt;
  }

 private:
  const WeighedColumns& columns_;
  std::vector<std::size_t> turns_;       // weighed columns in the order
  std::vector<double> cells_, missing_;  // by column, as all of these; how often it is proposed as missing
  std::vector<std::uint8_t> by_, has_proposed_, nothing_;
};

std::optional<std::size_t> draw_weighed(const WeighedColumns& columns, RowCells& row,
                                        std::span<double> noises, const Random& random,
                                        std::uint64_t number_of_row, const CancelToken& cancel,
                                        Proposals* proposals) {
  const std::size_t count = noises.size();
  const Random own = random.stream(kCellStream);
  const auto is_free = [&](std::size_t c) { return std::isnan(columns.fixed[c]); };
  std::vector<double> weights(kCandidates), cells(kCandidates * count), told(kCandidates * count);
  std::vector<std::uint8_t> past(row.known.size());
  std::size_t stuck = 0;
  for (std::size_t m = 0; m < kCandidates; ++m) {
    cancel.check();
    const Random candidate = own.stream(m + 1);
    for (const std::size_t c : columns.order)
      if (columns.weighed[c] != 0 && is_free(c)) row.known[c] = 0;
    std::ranges::fill(past, std::uint8_t{0});
    if (proposals) {
      const Random shared = random.stream(kProposalStream), alone = shared.stream(m + 1);
      if (const auto beyond = proposals->draw(row.cells, shared, alone, number_of_row, m)) {
        weights[m] = kNever;
        stuck = *beyond;
      }
    }
    bool is_first = !proposals || !proposals->any();
    std::size_t place = 0;
    for (const std::size_t c : columns.order) {
      if (place == count || weights[m] == kNever) break;
      if (columns.weighed[c] != 0) {
        PhiloxBlock block = candidate.block(number_of_row, c);
        if (is_free(c) && is_first) {
          block = own.block(number_of_row, c);
          block[0] += begin_of(m, kCandidates);
          is_first = false;
        }
        const WeighedCell turn = columns.turn(place, c, {row.cells, past});
        const bool has_proposed = proposals && proposals->has_proposed(c);
        const WeighedCell::Taken taken =
            !is_free(c) ? turn.fixed(columns.fixed[c], block, has_proposed)
            : proposals && proposals->has(c)
                ? turn.proposed(proposals->of(c), block, proposals->share_missing(c), has_proposed)
                : turn.draw(block, candidate, number_of_row);
        weights[m] += taken.weight;
        if (taken.weight == kNever) stuck = c;
        row.set(c, taken.cell);
        cells[m * count + place] = taken.cell;
        told[m * count + place] = noises[place] = taken.noise;
        ++place;
      }
      past[c] = row.known[c];
    }
  }
  const auto chosen = draw_candidate(weights, random.stream(kChoiceStream).stream(number_of_row));
  if (!chosen) return stuck;
  std::size_t at = *chosen * count;
  std::ranges::copy_n(told.begin() + static_cast<std::ptrdiff_t>(at), static_cast<std::ptrdiff_t>(count),
                      noises.begin());
  for (const std::size_t c : columns.order)
    if (columns.weighed[c] != 0) row.set(c, cells[at++]);
  return std::nullopt;
}

}  // namespace

std::vector<std::uint8_t> weighed_columns(const RowRules& rules, std::span<const std::size_t> order,
                                          std::span<const double> fixed) {
  std::vector<std::uint8_t> out(fixed.size()), open(fixed.size());  // open: free, and before
  for (const std::size_t column : order) {
    if (std::isnan(fixed[column])) {
      open[column] = 1;
      continue;
    }
    const auto is_open = [&](std::size_t other) { return open[other] != 0; };
    if (std::ranges::none_of(rules.bound_to(column), is_open)) continue;
    out[column] = 1;
    std::vector<std::size_t> from{column};
    while (!from.empty()) {
      const std::size_t reached = from.back();
      from.pop_back();
      for (const std::size_t other : rules.bound_to(reached)) {
        if (!is_open(other) || out[other] != 0) continue;
        out[other] = 1;
        from.push_back(other);
      }
    }
  }
  return out;
}

std::optional<std::size_t> draw_weighed(const WeighedColumns& columns, RowCells& row,
                                        std::span<double> noises, const Random& random,
                                        std::uint64_t number_of_row, const CancelToken& cancel) {
  if (!columns.distances.empty()) {
    Proposals proposals(columns);
    const auto stuck = draw_weighed(columns, row, noises, random, number_of_row, cancel, &proposals);
    if (!stuck || !proposals.any()) return stuck;
  }
  return draw_weighed(columns, row, noises, random, number_of_row, cancel, nullptr);
}

}  // namespace synthema::detail
