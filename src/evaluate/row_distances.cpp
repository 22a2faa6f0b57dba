#include "src/evaluate/row_distances.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/shared_work.hpp"

namespace synthema::detail {

namespace {

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

std::vector<double> first_distances(const NeighbourIndex& among, const NeighbourIndex& queries,
                                    bool other_units, const EvaluationContext& context) {
  const auto found = among.nearest_to(
      queries,
      {.neighbours = 1, .other_owners = other_units, .threads = context.threads, .cancel = context.cancel});
  std::vector<double> out;
  for (const Neighbour& one : found) out.push_back(one.distance);
  return out;
}

constexpr std::size_t at(Rows which) {
  return static_cast<std::size_t>(which);
}

}  // namespace

RowDistances::RowDistances(const Table& training, const Table& synthetic, const Table* holdout,
                           std::uint64_t seed, std::vector<std::string> columns)
    : space_(space_of(training, synthetic, holdout, std::move(columns))), seed_(seed) {
  const std::array<const Table*, 3> tables{&training, holdout, &synthetic};
  for (std::size_t i = 0; i < tables.size(); ++i)
    if (tables[i]) {
      encoded_[i] = space_.encode(*tables[i]);  // labels get their codes in this order
      units_[i] = Units::of(*tables[i]);
      unit_order_[i] = units_by_content(*tables[i], units_[i], space_.names());
      if (i < keys_.size()) keys_[i] = content_keys(*tables[i], space_.names());
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
      held->second.push_back(found[i + 1].distance);
    }
  }
  return *held;
}

const std::vector<double>& RowDistances::first(Rows from, Rows to, const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  // Ratios of distances ask for the second nearest training row as well.
  const bool both = to == Rows::training && (from != Rows::training || rows(Rows::holdout) == 0);
  if (both || nearest_[at(from)][at(to)]) return nearest(from, to, context).first;
  auto& held = first_[at(from)][at(to)];
  if (!held) held = first_distances(index(to), index(from), from == to, context);
  return *held;
}

// Given which rows are nearest, each of them is a training row with the same probability, where synthetic
// rows do not know which those are: so their share is training's on average. Any choice among them that is
// blind to whose they are keeps that.
void RowDistances::share_ties(const std::vector<std::size_t>& tied, const EvaluationContext& context) {
  struct Key {
    std::uint64_t contents;
    Rows which;
    std::size_t row;
  };
  std::vector<Key> keys;
  for (const Rows which : {Rows::training, Rows::holdout})
    for (std::size_t row = 0; row < rows(which); ++row) keys.push_back({keys_[at(which)][row], which, row});
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) { return a.contents < b.contents; });
  MixedRows different{0, space_.columns(), {}};
  std::vector<std::array<double, 2>> counts;  // training, holdout rows of these contents
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i == 0 || keys[i].contents != keys[i - 1].contents) {
      const auto values = index(keys[i].which).row(keys[i].row);
      different.values.insert(different.values.end(), values.begin(), values.end());
      ++different.rows;
      counts.push_back({0, 0});
    }
    ++counts.back()[at(keys[i].which)];
  }
  constexpr std::size_t kMost = 8;
  const std::size_t most = std::min(kMost, different.rows);
  const NeighbourIndex among(space_, std::move(different));
  const auto found =
      among.nearest_to(index_of(Rows::synthetic, tied),
                       {.neighbours = most, .threads = context.threads, .cancel = context.cancel});
  for (std::size_t i = 0; i < tied.size(); ++i) {
    std::array<double, 2> near{0, 0};
    for (std::size_t k = i * most; k < (i + 1) * most && found[k].distance == found[i * most].distance; ++k)
      for (const std::size_t which : {0, 1}) near[which] += counts[found[k].row][which];
    (*won_)[tied[i]] = near[0] / (near[0] + near[1]);
  }
}

const std::vector<double>& RowDistances::won_by_training(const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  if (won_) return *won_;
  const std::vector<double>& to_training = first(Rows::synthetic, Rows::training, context);
  const std::vector<double>& to_holdout = first(Rows::synthetic, Rows::holdout, context);
  std::vector<std::size_t> tied;
  std::vector<double> won;
  for (std::size_t row = 0; row < to_training.size(); ++row) {
    won.push_back(to_training[row] < to_holdout[row] ? 1 : 0);
    if (to_training[row] == to_holdout[row]) tied.push_back(row);
  }
  won_ = std::move(won);
  if (!tied.empty()) share_ties(tied, context);
  return *won_;
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

std::size_t RowDistances::equal_rows() const {
  std::size_t out = std::min(rows(Rows::training), rows(Rows::synthetic));
  return rows(Rows::holdout) > 0 ? std::min(out, rows(Rows::holdout)) : out;
}

const NeighbourIndex& RowDistances::equal_index(Rows which) {
  auto& held = equal_indexes_[at(which)];
  if (!held) {
    const Random random = Random(seed_).stream(0x65717561).stream(at(which));
    held = index_of(which, parts_of(units(which), unit_order_[at(which)], equal_rows(), random).front());
  }
  return *held;
}

const std::vector<double>& RowDistances::equal_first(Rows from, Rows to, const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  if (rows(from) == equal_rows() && rows(to) == equal_rows()) return first(from, to, context);
  auto& held = equal_first_[at(from)][at(to)];
  if (!held) held = first_distances(equal_index(to), equal_index(from), from == to, context);
  return *held;
}

// Yale et al., "Generation and evaluation of privacy preserving synthetic health data", Neurocomputing 2020.
double RowDistances::adversarial_accuracy(Rows real, const EvaluationContext& context) {
  const auto farther_than_own = [&](Rows from, Rows to) {
    const std::vector<double>& other = equal_first(from, to, context);
    const std::vector<double>& own = equal_first(from, from, context);
    std::size_t count = 0;
    for (std::size_t i = 0; i < own.size(); ++i) count += other[i] > own[i];
    return static_cast<double>(count) / static_cast<double>(own.size());
  };
  return (farther_than_own(real, Rows::synthetic) + farther_than_own(Rows::synthetic, real)) / 2;
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
