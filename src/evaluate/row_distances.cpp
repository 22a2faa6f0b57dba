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
      encoded_[i] = space_.encode(*tables[i]);
      units_[i] = Units::of(*tables[i]);
      unit_order_[i] = units_by_content(*tables[i], units_[i], space_.names());
    }
}

NeighbourIndex RowDistances::index_of(Rows which, const std::vector<std::size_t>& chosen) const {
  const MixedRows& all = encoded_[at(which)];
  MixedRows rows{chosen.size(), all.columns, {}};
  rows.values.reserve(chosen.size() * all.columns);
  std::vector<std::uint32_t> owners;
  for (const std::size_t row : chosen) {
    const auto values = all.row(row);
    rows.values.insert(rows.values.end(), values.begin(), values.end());
    owners.push_back(static_cast<std::uint32_t>(units(which).of_row[row]));
  }
  return {space_, std::move(rows), std::move(owners)};
}

const NeighbourIndex& RowDistances::index(Rows which) {
  auto& held = indexes_[at(which)];
  if (!held) {
    std::vector<std::size_t> all(rows(which));
    std::iota(all.begin(), all.end(), std::size_t{0});
    held = index_of(which, all);
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

// Equally large parts, so that each is as likely as any other to hold the nearest of fresh rows.
void RowDistances::cut_parts() {
  const std::size_t few = std::min(rows(Rows::training), rows(Rows::holdout)),
                    many = std::max(rows(Rows::training), rows(Rows::holdout));
  // The smaller table is cut, too, where the rest of the larger would leave out many rows.
  part_rows_ = few;
  for (std::size_t cuts = 2; cuts <= 10 && cuts <= few && (many % part_rows_) * 20 > many; ++cuts)
    if (many % (few / cuts) < many % part_rows_) part_rows_ = few / cuts;
  const Random random = Random(seed_).stream(0x70617274);
  for (const Rows which : {Rows::training, Rows::holdout})
    parts_[at(which)] = parts_of(units(which), unit_order_[at(which)], part_rows_, random.stream(at(which)));
}

const std::vector<double>& RowDistances::won_by_training(const EvaluationContext& context) {
  const std::scoped_lock lock(mutex_);
  if (won_) return *won_;
  cut_parts();
  const std::size_t n = rows(Rows::synthetic);
  std::vector<double> least(n, std::numeric_limits<double>::infinity());
  std::array<std::vector<std::uint32_t>, 2> at_least{std::vector<std::uint32_t>(n),
                                                     std::vector<std::uint32_t>(n)};
  for (const Rows which : {Rows::training, Rows::holdout})
    for (const auto& part : parts_[at(which)]) {
      const bool whole = part.size() == rows(which);
      const std::vector<double> of_part =
          whole ? first(Rows::synthetic, which, context)
                : first_distances(index_of(which, part), index(Rows::synthetic), false, context);
      for (std::size_t row = 0; row < n; ++row) {
        if (of_part[row] > least[row]) continue;
        if (of_part[row] < least[row]) at_least[0][row] = at_least[1][row] = 0;
        least[row] = of_part[row];
        ++at_least[at(which)][row];
      }
    }
  won_.emplace(n);
  for (std::size_t row = 0; row < n; ++row)
    (*won_)[row] =
        static_cast<double>(at_least[0][row]) / static_cast<double>(at_least[0][row] + at_least[1][row]);
  return *won_;
}

double RowDistances::per_part(double won) const {
  const double training = won / static_cast<double>(parts(Rows::training));
  return training / (training + (1 - won) / static_cast<double>(parts(Rows::holdout)));
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
