#include "src/generate/tabular/candidates.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kCandidates = 64;
constexpr std::uint64_t kCellStream = 1, kChoiceStream = 2;
constexpr double kNever = -std::numeric_limits<double>::infinity();

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
    bool is_first = true;
    std::size_t place = 0;
    for (const std::size_t c : columns.order) {
      if (place == count || weights[m] == kNever) break;
      if (columns.weighed[c] != 0) {
        PhiloxBlock block = candidate.block(number_of_row, c);
        if (is_free(c) && is_first) {
          block = own.block(number_of_row, c);
          block[0] += static_cast<std::uint32_t>(m * (std::uint64_t{1} << 32) / kCandidates);
          is_first = false;
        }
        const WeighedCell turn = columns.turn(place, c, {row.cells, past});
        const WeighedCell::Taken taken =
            is_free(c) ? turn.draw(block, candidate, number_of_row) : turn.fixed(columns.fixed[c], block);
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

}  // namespace synthema::detail
