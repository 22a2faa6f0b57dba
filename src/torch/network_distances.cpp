// Numbers of AnyOrderNetwork that are learnt as their distance from one before them (order_distance.hpp).
#include <algorithm>
#include <cmath>
#include <ranges>

#include "src/generate/tabular/candidates.hpp"
#include "src/torch/network_block.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema {

namespace {

using detail::kAttemptStream;
using detail::kBaseStream;
using detail::kCandidates;

using detail::kMissing;
using detail::kNever;

}  // namespace

// Where what they are measured from is always there, so that classes tell of distances alone, which codes
// become.
void AnyOrderNetwork::Fitted::measure(const CodingOptions& options) {
  const auto is_there = [](std::uint8_t open) { return open != 0; };
  std::vector<std::pair<std::size_t, std::vector<std::uint32_t>>> codes;
  distances.resize(coded.columns.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto learnt = detail::learn_distance(coded, rules, order[i], std::span(order).first(i), options);
    if (!learnt || !std::ranges::all_of(learnt->open, is_there)) continue;
    distances[order[i]] =
        std::make_shared<const detail::DistanceCounts>(detail::DistanceCounts{*learnt, learnt->counts()});
    codes.emplace_back(order[i], std::move(learnt->codes));
  }
  for (auto& [column, own] : codes) coded.codes[column] = std::move(own);
}

// The cell at a drawn distance; where the rules refuse that, at others from the likely classes, or any number
// that they leave.
std::optional<double> AnyOrderNetwork::Fitted::Block::cell_at_distance(std::size_t i, std::size_t column,
                                                                       double drawn,
                                                                       const std::vector<double>& likely,
                                                                       const Random& random,
                                                                       const detail::RuledCell& cell) const {
  const detail::DistanceCounts& distance = *model.distances[column];
  const std::vector<OwnedCounts>& counts = model.classes[column].counts();
  std::vector<double> present = likely;
  for (std::size_t c = 0; c < present.size(); ++c)
    if (present[c] > 0 && counts[c].codes.front() >= distance.coding.codes()) present[c] = 0;
  const bool is_ever = std::ranges::any_of(present, [](double share) { return share > 0; });
  Random choice = random.stream(kAttemptStream).stream(numbers[i]).stream(column);
  const auto draw = [&](std::uint64_t attempt, const PhiloxBlock& block) -> std::optional<double> {
    if (attempt == 0) return drawn;
    if (!is_ever) return std::nullopt;
    return draw_cell(distance.coding, counts[choice.weighted(present)].view(), block);
  };
  if (const auto found = detail::draw_at_distance(distance, cell, random, numbers[i], draw)) return found;
  for (std::size_t c = 0; c < present.size(); ++c)
    if (present[c] > 0)
      present[c] *= detail::admitted_of(distance, cell, counts[c].view()).view().total() /
                    static_cast<double>(counts[c].view().total());
  if (std::ranges::any_of(present, [](double share) { return share > 0; })) {
    const CodeCounts some = counts[choice.weighted(present)].view();
    if (const auto found = detail::admitted_at_distance(distance, cell, some, random, numbers[i]))
      return found;
  }
  if (const auto end = detail::end_at_distance(distance, cell)) return end;
  const CodeCounts all[] = {model.all[column].view()};
  return cell.draw(all, kMissing, random, numbers[i]);
}

// What fixed numbers are measured from, where that is free, comes before all that depends on either; from the
// last to the first, so that it is known when what it is measured from itself is drawn.
void AnyOrderNetwork::Fitted::Block::draw_bases(const Random& random) {
  for (const std::size_t column : std::views::reverse(model.order)) {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      if (!is_known(i, column) &&
          std::ranges::any_of(model.measured[column], [&](std::size_t later) { return is_known(i, later); }))
        rows.push_back(i);
    if (!rows.empty()) draw_base(column, random.stream(kBaseStream).stream(column), rows);
  }
}

// One of the candidates, each a fixed number less a drawn distance, in proportion to how likely the network
// makes it and the distances from it (sampling and importance resampling, Rubin 1988). Where the rules refuse
// all of them the column is drawn as any other.
void AnyOrderNetwork::Fitted::Block::draw_base(std::size_t column, const Random& random,
                                               const std::vector<std::size_t>& rows) {
  const std::span<const ColumnCoding> codings = model.coded.columns;
  std::vector<double> bases(rows.size() * kCandidates), weights(bases.size(), kNever);
  ask(column, 0);
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const std::size_t i = rows[k];
    const std::size_t later =
        *std::ranges::find_if(model.measured[column], [&](std::size_t c) { return is_known(i, c); });
    const detail::DistanceCounts& distance = *model.distances[later];
    const OwnedCounts present = detail::present_of(distance.coding, distance.counts.view());
    const detail::RuledCell ruled{model.rules, codings, column, row(i), false};
    if (!read_first(i, column, true)) continue;
    for (std::size_t m = 0; m < kCandidates; ++m) {
      PhiloxBlock block = random.block(numbers[i], m);
      // Spread evenly over the distances.
      block[0] = detail::begin_of(m, kCandidates) + block[0] / static_cast<std::uint32_t>(kCandidates);
      const double drawn = draw_cell(distance.coding, present.view(), block);
      const auto base =
          detail::base_at_distance(codings, later, distance, row(i).cells[later], drawn, block[1]);
      if (!base || !ruled.admits(*base)) continue;
      const std::size_t at = m * rows.size() + k;
      bases[at] = *base;
      set(i, column, *base);
      weights[at] = log_gain(i, column) + log_share(i, column);
      known[i * columns() + column] = 0;
    }
  }
  for (std::size_t m = 0; m < kCandidates; ++m)
    weigh_distances(column, rows, std::span(bases).subspan(m * rows.size(), rows.size()),
                    std::span(weights).subspan(m * rows.size(), rows.size()));
  for (std::size_t k = 0; k < rows.size(); ++k) {
    std::vector<double> own;
    for (std::size_t m = 0; m < kCandidates; ++m) own.push_back(weights[m * rows.size() + k]);
    const auto chosen = detail::draw_candidate(own, random.stream(1).stream(numbers[rows[k]]));
    if (chosen) learn_of(rows[k], column, bases[*chosen * rows.size() + k]);
  }
}

// Adds to one candidate of each row how likely the network makes what is fixed at a distance from it; of the
// first, which proposed it, against how likely that distance is among all rows.
void AnyOrderNetwork::Fitted::Block::weigh_distances(std::size_t column, const std::vector<std::size_t>& rows,
                                                     std::span<const double> bases,
                                                     std::span<double> weights) {
  const detail::Floats before = sums;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    set(rows[k], column, bases[k]);
    model.add_known(column, classes_in(rows[k], column), sum(rows[k]));
  }
  std::vector<bool> has_proposed(rows.size());
  for (const std::size_t later : model.measured[column]) {
    ask(later, 0);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const std::size_t i = rows[k];
      if (!is_known(i, later) || weights[k] == kNever || !read_first(i, later, false)) continue;
      weights[k] += log_gain(i, later) + (has_proposed[k] ? log_share(i, later) : 0);
      has_proposed[k] = true;
      model.add_known(later, classes_in(i, later), sum(i));
    }
  }
  sums = before;
  for (const std::size_t i : rows) known[i * columns() + column] = 0;
}

// Of a row's number, by the shares that were read: how many times as likely its class is as among all rows.
double AnyOrderNetwork::Fitted::Block::log_gain(std::size_t i, std::size_t column) const {
  const std::uint8_t own = classes_in(i, column)[0];
  if (own == detail::kUnknownClass) return 0;
  const double all = model.classes[column].shares(0)[own];
  return shares[own] > 0 && all > 0 ? std::log(shares[own] / all) : kNever;
}

// How likely it is among all rows.
double AnyOrderNetwork::Fitted::Block::log_share(std::size_t i, std::size_t column) const {
  const auto [low, high] = reach_of(model.coded.columns[column]);
  const double cell = row(i).cells[column];
  const auto& distance = model.distances[column];
  if (!distance || !distance->is_measured(row(i)))
    return std::log(
        share_at(model.coded.columns[column], model.all[column].view(), std::clamp(cell, low, high)));
  return std::log(
      share_at(distance->coding, distance->counts.view(),
               distance->cell_of(model.coded.columns, column, cell, row(i).cells[distance->from])));
}

// Of the classes of one row, whose shares are read.
detail::DistanceShares AnyOrderNetwork::Fitted::Block::distance_shares(std::size_t column,
                                                                       const detail::RuledCell& ruled,
                                                                       double cell) const {
  const std::vector<OwnedCounts>& counts = model.classes[column].counts();
  detail::DistanceShares out;
  for (std::size_t c = 0; c < shares.size(); ++c) {
    if (shares[c] <= 0) continue;
    const auto own = detail::shares_of_distances(*model.distances[column], counts[c].view(), ruled, cell);
    out.end = own.end;
    out.missing += shares[c] * own.missing;
    out.taken += shares[c] * own.taken;
    out.refused += shares[c] * own.refused;
    out.density += shares[c] * own.density;
  }
  return out;
}

}  // namespace synthema
