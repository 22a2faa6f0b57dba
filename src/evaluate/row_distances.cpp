#include "src/evaluate/row_distances.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/evaluate/nearest_intervals.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/mean.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/shared_work.hpp"

namespace synthema::detail {

namespace {

// Below these the cut at 0 moves the mean of fresh rows from 1/2 by more than 0.01 (simulated).
constexpr std::size_t kFewestHeld = 10;
constexpr double kFewestWon = 5;

MixedSpace space_of(const Table& training, const Table& synthetic, const Table* holdout,
                    std::vector<std::string> columns) {
  std::vector<const Table*> scale_by{&training};
  if (holdout) scale_by.push_back(holdout);
  if (columns.empty()) columns = shared_columns(training, synthetic, holdout);
  return {scale_by, std::move(columns)};
}

// Rows in parts of about `each` rows, whole units each, the units shuffled; a last part that is not full is
// left out, unless it is the only one.
std::vector<std::vector<std::size_t>> parts_of(const Units& units, std::vector<std::size_t> order,
                                               std::size_t each, Random random) {
  std::vector<std::vector<std::size_t>> rows_of(units.count);
  for (std::size_t row = 0; row < units.of_row.size(); ++row) rows_of[units.of_row[row]].push_back(row);
  random.shuffle(order);
  std::vector<std::vector<std::size_t>> out(1);
  for (const std::size_t unit : order) {
    if (out.back().size() >= each) out.emplace_back();
    out.back().insert(out.back().end(), rows_of[unit].begin(), rows_of[unit].end());
  }
  if (out.size() > 1 && out.back().size() < each) out.pop_back();
  for (auto& part : out) std::sort(part.begin(), part.end());
  return out;
}

NearestOne nearest_one(const NeighbourIndex& among, const NeighbourIndex& queries, bool other_units,
                       const EvaluationContext& context) {
  const auto found = among.nearest_to(
      queries,
      {.neighbours = 1, .other_owners = other_units, .threads = context.threads, .cancel = context.cancel});
  NearestOne out;
  for (const Neighbour& one : found) {
    out.distance.push_back(one.distance);
    out.row.push_back(one.row);
  }
  return out;
}

constexpr std::size_t at(Rows which) {
  return static_cast<std::size_t>(which);
}

}  // namespace

std::vector<NearestFew> nearest_few(std::span<const NeighbourIndex::RowOf> rows,
                                    const NeighbourIndex& queries, const EvaluationContext& context,
                                    std::size_t at_once) {
  constexpr std::size_t kFew = std::tuple_size_v<NearestFew>;
  std::vector<NearestFew> out(queries.rows());
  for (std::size_t first = 0; first < rows.size(); first += at_once) {
    const auto some = rows.subspan(first, std::min(at_once, rows.size() - first));
    std::vector<Neighbour> found = NeighbourIndex::of(some).nearest_to(
        queries, {.neighbours = kFew, .threads = context.threads, .cancel = context.cancel});
    for (Neighbour& one : found) one.row += static_cast<std::uint32_t>(first);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::span<const Neighbour> here = std::span(found).subspan(i * kFew, kFew);
      std::array<Neighbour, 2 * kFew> both;
      std::merge(out[i].begin(), out[i].end(), here.begin(), here.end(), both.begin());
      std::copy_n(both.begin(), kFew, out[i].begin());
    }
  }
  return out;
}

RowDistances::RowDistances(const Table& training, const Table& synthetic, const Table* holdout,
                           std::uint64_t seed, std::vector<std::string> columns)
    : space_(space_of(training, synthetic, holdout, std::move(columns))), seed_(seed) {
  const std::array<const Table*, 3> tables{&training, holdout, &synthetic};
  for (std::size_t i = 0; i < tables.size(); ++i)
    if (tables[i]) {
      encoded_[i] = space_.encode(*tables[i]);  // labels get their codes in this order
      units_[i] = Units::of(*tables[i]);
      unit_order_[i] = units_by_content(*tables[i], units_[i], space_.names());
      keys_[i] = content_keys(*tables[i], space_.names());
    }
}

NeighbourIndex RowDistances::index_of(Rows which, const std::vector<std::size_t>& chosen) {
  return index(which).part(chosen);
}

const NeighbourIndex& RowDistances::index(Rows which) {
  auto& held = indexes_[at(which)];
  if (!held) {
    std::vector<std::uint32_t> owners;
    for (const std::size_t unit : units(which).of_row) owners.push_back(static_cast<std::uint32_t>(unit));
    held.emplace(space_, std::move(encoded_[at(which)]), std::move(owners));
  }
  return *held;
}

const NearestTwo& RowDistances::nearest(Rows from, Rows to, const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  auto& held = nearest_[at(from)][at(to)];
  if (!held) {
    const auto found = index(to).nearest_to(
        index(from),
        {.neighbours = 2, .other_owners = from == to, .threads = context.threads, .cancel = context.cancel});
    held.emplace();
    for (std::size_t i = 0; i < found.size(); i += 2) {
      held->first.push_back(found[i].distance);
      held->row.push_back(found[i].row);
      held->second.push_back(found[i + 1].distance);
    }
  }
  return *held;
}

bool RowDistances::searches_two(Rows from, Rows to) const {
  return (to == Rows::training && (from != Rows::training || rows(Rows::holdout) == 0)) ||
         nearest_[at(from)][at(to)];
}

const std::vector<double>& RowDistances::first(Rows from, Rows to, const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  if (searches_two(from, to)) return nearest(from, to, context).first;
  auto& held = first_[at(from)][at(to)];
  if (!held) held = nearest_one(index(to), index(from), from == to, context);
  return held->distance;
}

const std::vector<std::uint32_t>& RowDistances::first_rows(Rows from, Rows to,
                                                           const EvaluationContext& context) {
  first(from, to, context);
  return searches_two(from, to) ? nearest_[at(from)][at(to)]->row : first_[at(from)][at(to)]->row;
}

std::vector<std::size_t> RowDistances::taken(Rows which, bool equal) const {
  if (equal) {
    const Random random = Random(seed_).stream(0x65717561).stream(at(which));
    return parts_of(units(which), unit_order_[at(which)], equal_rows(), random).front();
  }
  std::vector<std::size_t> all(rows(which));
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

// Given which rows are nearest, each of them is the winner's with the same probability, where all rows are of
// one distribution: so the winner's share of them is right on average. Any choice among them that is blind to
// whose they are keeps that.
void RowDistances::share_ties(std::vector<double>& won, const Contest& contest,
                              const std::vector<std::size_t>& tied, const std::vector<double>& distances,
                              const EvaluationContext& context, NearestTo* nearest_to) {
  struct Key {
    std::uint64_t contents;
    std::size_t side, row;
  };
  const std::array<Rows, 2> sides{contest.winner, contest.loser};
  std::vector<Key> keys;
  for (const std::size_t side : {0, 1})
    for (const std::size_t row : taken(sides[side], contest.equal))
      keys.push_back({keys_[at(sides[side])][row], side, row});
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.contents < b.contents; });
  std::vector<NeighbourIndex::RowOf> different;
  std::vector<std::uint64_t> contents;
  std::vector<std::array<double, 2>> counts;  // the winner's, the loser's rows of these contents
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i == 0 || keys[i].contents != keys[i - 1].contents) {
      different.push_back({&index(sides[keys[i].side]), keys[i].row});
      contents.push_back(keys[i].contents);
      counts.push_back({0, 0});
    }
    ++counts.back()[keys[i].side];
  }
  const std::vector<std::size_t> asked = taken(contest.from, contest.equal);
  const std::vector<std::size_t>& unit_of = units(contest.from).of_row;
  std::vector<std::vector<std::size_t>> rows_of(units(contest.from).count);
  for (const std::size_t row : asked) rows_of[unit_of[row]].push_back(row);
  std::vector<std::size_t> queries;
  for (const std::size_t i : tied) queries.push_back(asked[i]);
  const std::vector<NearestFew> found = nearest_few(different, index_of(contest.from, queries), context);
  for (std::size_t i = 0; i < tied.size(); ++i) {
    std::array<double, 2> near{0, 0};
    for (const Neighbour& one : found[i]) {
      if (one.distance != distances[tied[i]] || !std::isfinite(one.distance)) continue;
      for (const std::size_t side : {0, 1}) {
        near[side] += counts[one.row][side];
        if (sides[side] != contest.from) continue;
        for (const std::size_t own : rows_of[unit_of[queries[i]]])
          near[side] -= keys_[at(contest.from)][own] == contents[one.row] ? 1 : 0;
      }
    }
    // Nothing left where all that were looked at are of the row's own unit.
    won[tied[i]] = near[0] + near[1] > 0 ? near[0] / (near[0] + near[1]) : 0.5;
    if (!nearest_to) continue;
    for (const Neighbour& one : found[i])
      if (one.distance == distances[tied[i]])
        (*nearest_to)[contents[one.row]] += (counts[one.row][0] + counts[one.row][1]) / (near[0] + near[1]);
  }
}

std::vector<double> RowDistances::won(const Contest& contest, const std::vector<double>& to_winner,
                                      const std::vector<double>& to_loser, const EvaluationContext& context,
                                      NearestTo* nearest_to) {
  std::vector<std::size_t> tied;
  std::vector<double> out;
  for (std::size_t row = 0; row < to_winner.size(); ++row) {
    out.push_back(to_winner[row] < to_loser[row] ? 1 : 0);
    if (to_winner[row] == to_loser[row]) tied.push_back(row);
  }
  if (!tied.empty()) share_ties(out, contest, tied, to_winner, context, nearest_to);
  return out;
}

const std::vector<double>& RowDistances::won_by_training(const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  if (won_) return *won_;
  const std::array<Rows, 2> sides{Rows::training, Rows::holdout};
  const std::vector<double>&to_training = first(Rows::synthetic, Rows::training, context),
        &to_holdout = first(Rows::synthetic, Rows::holdout, context);
  const std::array<const std::vector<std::uint32_t>*, 2> nearest{
      &first_rows(Rows::synthetic, sides[0], context), &first_rows(Rows::synthetic, sides[1], context)};
  won_ = won({Rows::synthetic, sides[0], sides[1], false}, to_training, to_holdout, context, &won_from_);
  for (std::size_t row = 0; row < to_training.size(); ++row) {
    if (to_training[row] == to_holdout[row]) continue;
    const std::size_t side = to_training[row] < to_holdout[row] ? 0 : 1;
    won_from_[keys_[at(sides[side])][(*nearest[side])[row]]] += 1;
  }
  return *won_;
}

double RowDistances::independent_rows(const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  won_by_training(context);
  const std::array<Rows, 2> sides{Rows::training, Rows::holdout};
  std::unordered_map<std::uint64_t, double> times;  // how many real rows have these contents
  for (const Rows side : sides)
    for (const std::uint64_t key : keys_[at(side)])
      if (won_from_.contains(key)) ++times[key];
  std::vector<double> weights;  // by unit, of training, then of the holdout
  for (const Rows side : sides) {
    const std::size_t before = weights.size();
    weights.resize(before + units(side).count);
    for (std::size_t row = 0; row < rows(side); ++row)
      if (const auto found = won_from_.find(keys_[at(side)][row]); found != won_from_.end())
        weights[before + units(side).of_row[row]] += found->second / times[found->first];
  }
  return independent_items(weights, static_cast<double>(rows(Rows::synthetic)));
}

std::optional<Interval> RowDistances::split_interval(const EvaluationContext& context, std::size_t groups) {
  return detail::split_interval(mean_of(won_by_training(context)), independent_rows(context), "rows",
                                units(Rows::training).name, 1 - 0.05 / static_cast<double>(groups));
}

Units RowDistances::by_nearest_training(const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  const std::vector<std::uint32_t>& rows = first_rows(Rows::synthetic, Rows::training, context);
  Units out = units(Rows::training).take(std::vector<std::size_t>(rows.begin(), rows.end()));
  out.name = message("nearest training ", out.name);
  return out;
}

std::vector<double> RowDistances::won_by_synthetic(const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  return won({Rows::training, Rows::synthetic, Rows::training, false},
             first(Rows::training, Rows::synthetic, context), first(Rows::training, Rows::training, context),
             context);
}

double RowDistances::won_by_chance() const {
  const auto training = static_cast<double>(units(Rows::training).count),
             holdout = static_cast<double>(units(Rows::holdout).count);
  return training / (training + holdout);
}

double RowDistances::against_chance(double won) const {
  const double chance = won_by_chance();
  return std::clamp(0.5 + (won - chance) / (1 - chance) / 2, 0.0, 1.0);
}

std::string RowDistances::no_share() const {
  const Units& held = units(Rows::holdout);
  const Units& synthetic = units(Rows::synthetic);
  const double won = (1 - won_by_chance()) * static_cast<double>(synthetic.count);
  if (held.count < kFewestHeld)
    return message("The holdout has ", held.count, " ", held.name, "; with fewer than ", kFewestHeld,
                   " fresh rows would not score 0.5 on average.");
  if (won < kFewestWon)
    return message("By chance a holdout row would be the nearest of only ", std::round(10 * won) / 10,
                   " synthetic ", synthetic.name, "; with fewer than ", kFewestWon,
                   " fresh rows would not score 0.5 on average. Give more synthetic or holdout rows.");
  return {};
}

std::size_t RowDistances::equal_rows() const {
  std::size_t out = std::min(rows(Rows::training), rows(Rows::synthetic));
  return rows(Rows::holdout) > 0 ? std::min(out, rows(Rows::holdout)) : out;
}

const NeighbourIndex& RowDistances::equal_index(Rows which) {
  auto& held = equal_indexes_[at(which)];
  if (!held) {
    held = index_of(which, taken(which, true));
  }
  return *held;
}

const std::vector<double>& RowDistances::equal_first(Rows from, Rows to, const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  if (rows(from) == equal_rows() && rows(to) == equal_rows()) return first(from, to, context);
  auto& held = equal_first_[at(from)][at(to)];
  if (!held) held = nearest_one(equal_index(to), equal_index(from), from == to, context);
  return held->distance;
}

// Yale et al., "Generation and evaluation of privacy preserving synthetic health data", Neurocomputing 2020.
double RowDistances::adversarial_accuracy(Rows real, const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  const auto own_is_nearer = [&](Rows from, Rows to) {
    const std::vector<double> found = won({from, from, to, true}, equal_first(from, from, context),
                                          equal_first(from, to, context), context);
    return std::accumulate(found.begin(), found.end(), 0.0) / static_cast<double>(found.size());
  };
  return (own_is_nearer(real, Rows::synthetic) + own_is_nearer(Rows::synthetic, real)) / 2;
}

std::shared_ptr<RowDistances> row_distances(const Table& training, const Table& synthetic,
                                            const EvaluationContext& context) {
  if (shared_columns(training, synthetic, context.holdout.get()).empty()) return nullptr;
  const auto make = [&] {
    return std::make_shared<RowDistances>(training, synthetic, context.holdout.get(), context.seed);
  };
  if (!context.shared) return make();
  return context.shared->get<RowDistances>(
      message("row distances ", &training, " ", &synthetic, " ", context.holdout.get(), " ", context.seed),
      make);
}

}  // namespace synthema::detail
