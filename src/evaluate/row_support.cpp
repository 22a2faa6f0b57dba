#include "src/evaluate/row_support.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "src/evaluate/has_columns.hpp"
#include "src/evaluate/library_distances.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/learn/nearest_neighbours.hpp"

namespace synthema::detail {

namespace {

using Numbers = std::vector<double>;

std::vector<std::uint32_t> owners_of(const Units& units) {
  return {units.of_row.begin(), units.of_row.end()};
}

// Of each row's `each` neighbours the one at `place`.
std::vector<Neighbour> every(const std::vector<Neighbour>& found, std::size_t each, std::size_t place) {
  std::vector<Neighbour> out;
  for (std::size_t i = place; i < found.size(); i += each) out.push_back(found[i]);
  return out;
}
Numbers distances_of(const std::vector<Neighbour>& neighbours) {
  Numbers out;
  for (const Neighbour& one : neighbours) out.push_back(one.distance);
  return out;
}

// Squared Euclidean distance of rows to the centre of a table: numbers / range, labels as indicators of
// length 1 / sqrt 2, missing a label. A row adds, column by column, what its value alone decides.
class Centre {
 public:
  Centre(const Table& of, const std::vector<std::string>& columns, const std::vector<double>& ranges)
      : columns_(columns), ranges_(ranges) {
    for (const std::string& name : columns) {
      const Column& column = of.column(name);
      Part part;
      std::unordered_map<std::string, double> counts;
      double sum = 0;
      for (std::size_t row = 0; row < column.size(); ++row) {
        if (column.is_null(row))
          ++part.missing;
        else if (is_number(column.kind()))
          sum += column.number_at(row);
        else
          ++counts[category_at(column, row)];
      }
      const auto n = static_cast<double>(column.size());
      const double present = n - part.missing;
      part.missing /= n;
      if (is_number(column.kind())) {
        part.mean = present > 0 ? sum / present : 0;
        part.squares = part.missing * part.missing + (1 - part.missing) * (1 - part.missing);
      } else {
        part.squares = part.missing * part.missing;
        std::map<std::string, double> sorted(counts.begin(), counts.end());  // sums in one order
        for (const auto& [label, count] : sorted) {
          part.shares[label] = count / n;
          part.squares += count / n * (count / n);
        }
      }
      parts_.push_back(std::move(part));
    }
  }

  Numbers distances(const Table& table) const {
    Numbers out(table.rows());
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const Column& column = table.column(columns_[c]);
      const Part& part = parts_[c];
      std::vector<double> of_code;
      if (column.kind() == Kind::category)
        for (std::size_t code = 0; code < column.labels().size(); ++code)
          of_code.push_back(part.share(std::string(column.labels().text_at(code))));
      for (std::size_t row = 0; row < out.size(); ++row) {
        double share = part.missing;
        if (!column.is_null(row)) {
          if (is_number(column.kind())) {
            share = 1 - part.missing;
            const double apart = ranges_[c] > 0 ? (column.number_at(row) - part.mean) / ranges_[c] : 0;
            out[row] += apart * apart;
          } else {
            share = column.kind() == Kind::category ? of_code[static_cast<std::size_t>(column.codes()[row])]
                                                    : part.share(category_at(column, row));
          }
        }
        out[row] += (1 - 2 * share + part.squares) / 2;
      }
    }
    for (double& value : out) value = std::sqrt(std::max(0.0, value));
    return out;
  }

 private:
  struct Part {
    double mean = 0, missing = 0, squares = 0;
    std::unordered_map<std::string, double> shares;
    double share(const std::string& label) const {
      const auto found = shares.find(label);
      return found == shares.end() ? 0 : found->second;
    }
  };
  std::vector<std::string> columns_;
  std::vector<double> ranges_;
  std::vector<Part> parts_;
};

// Values, each the share of a row: 1, or of several that share one, their parts of it.
struct Share {
  double value = 0, of = 1;
  auto operator<=>(const Share&) const = default;
};
using Shares = std::vector<Share>;

// One row that these values share evenly; equal ones are one.
Shares shared_by(Numbers values) {
  std::sort(values.begin(), values.end());
  Shares out;
  for (std::size_t begin = 0, end = 0; begin < values.size(); begin = end) {
    while (end < values.size() && values[end] == values[begin]) ++end;
    out.push_back({values[begin], static_cast<double>(end - begin) / static_cast<double>(values.size())});
  }
  return out;
}

// 1 - 2 times the mean over the reference's ranks of |share within - rank|, of `rows` rows.
double agreement(Numbers reference, Shares inside, std::size_t rows) {
  std::sort(reference.begin(), reference.end());
  std::sort(inside.begin(), inside.end());
  const auto n = static_cast<double>(reference.size()), m = static_cast<double>(rows);
  double sum = 0, within = 0;
  std::size_t next = 0;
  for (const double rank : reference) {
    // Ties count to their last rank, as they do in the share within.
    const auto last = std::upper_bound(reference.begin(), reference.end(), rank) - reference.begin();
    for (; next < inside.size() && inside[next].value <= rank; ++next) within += inside[next].of;
    sum += std::abs(within / m - static_cast<double>(last) / n);
  }
  return 1 - 2 * sum / n;
}

std::vector<double> ranges_of(const MixedSpace& space) {
  std::vector<double> out;
  for (std::size_t c = 0; c < space.columns(); ++c)
    out.push_back(space.is_number(c) && space.range(c) > std::numeric_limits<double>::min() ? space.range(c)
                                                                                            : 0);
  return out;
}

}  // namespace

namespace {

// Balls that reach to the k-th nearest other row. Several rows may be at that distance, many where rows
// repeat each other: they share the places that are left of the k, so that a ball holds k other rows of its
// own table, and a fresh row weighs as much as if there were no ties.
struct Reach {
  Numbers radius, at_radius;
};

// `found`: k + 1 neighbours of each row. The last says whether more than k are within the radius.
Reach reach_of(const NeighbourIndex& index, const std::vector<Neighbour>& found, std::size_t neighbours,
               const SearchOptions& options) {
  Reach out;
  std::vector<std::size_t> tied;
  Numbers tied_radius, left;
  for (std::size_t row = 0; row < index.rows(); ++row) {
    const Neighbour* own = found.data() + row * (neighbours + 1);
    const double radius = own[neighbours - 1].distance;
    out.radius.push_back(radius);
    out.at_radius.push_back(1);
    if (own[neighbours].distance != radius || !std::isfinite(radius)) continue;
    tied.push_back(row);
    tied_radius.push_back(radius);
    left.push_back(static_cast<double>(
        std::count_if(own, own + neighbours, [&](const Neighbour& one) { return one.distance == radius; })));
  }
  if (tied.empty()) return out;
  index.each_within(
      index.part(tied), tied_radius,
      [&](std::size_t i, std::span<const Neighbour> rows) {
        const auto sharing = std::count_if(
            rows.begin(), rows.end(), [&](const Neighbour& one) { return one.distance == tied_radius[i]; });
        out.at_radius[tied[i]] = left[i] / static_cast<double>(sharing);
      },
      options);
  return out;
}

// The real rows and what is found among them alone.
struct RealSide {
  NeighbourIndex index;
  Reach reach;
  std::vector<Neighbour> nearest_other;
};

// Whether the first distance is the smaller one, ties shared.
double nearer(double one, double other) {
  return one < other ? 1 : one == other ? 0.5 : 0;
}

SearchOptions options_for(std::size_t neighbours, bool other_owners, const EvaluationContext& context) {
  return {.neighbours = neighbours,
          .other_owners = other_owners,
          .threads = context.threads,
          .cancel = context.cancel};
}

// Adds up from several threads in whole steps, so that their order changes nothing.
class Sums {
 public:
  explicit Sums(std::size_t rows) : steps_(rows) {}
  void add(std::size_t row, double share) {
    std::atomic_ref(steps_[row])
        .fetch_add(static_cast<std::uint64_t>(std::llround(share * kSteps)), std::memory_order_relaxed);
  }
  double of(std::size_t row) const { return static_cast<double>(steps_[row]) / kSteps; }
  std::size_t size() const { return steps_.size(); }

 private:
  static constexpr double kSteps = 4294967296;  // an index has fewer rows
  std::vector<std::uint64_t> steps_;
};

// Which real rows no ball of a synthetic row was seen to hold so far, and whether one does.
void add_other_balls(RowSupport& out, const NeighbourIndex& real, const NeighbourIndex& synthetic,
                     const Numbers& radius, const SearchOptions& options) {
  std::vector<std::size_t> open;
  for (std::size_t row = 0; row < out.recall.size(); ++row)
    if (out.recall[row] == 0) open.push_back(row);
  if (open.empty()) return;
  std::vector<char> held(open.size());
  real.part(open).each_within(
      synthetic, radius,
      [&](std::size_t, std::span<const Neighbour> rows) {
        for (const Neighbour& one : rows) std::atomic_ref(held[one.row]).store(1, std::memory_order_relaxed);
      },
      options);
  for (std::size_t i = 0; i < open.size(); ++i) out.recall[open[i]] = held[i];
}

// One search among the synthetic rows, as far as the ball of each real row reaches, says who is in it, and
// mostly also whether the real row is in a ball of theirs.
void fill_support(RowSupport& out, const Table& real, const Table& other, const RealSide& side,
                  MixedSpace& space, std::size_t neighbours, const EvaluationContext& context) {
  MixedRows rows = space.encode(other);
  const NeighbourIndex& r = side.index;
  const NeighbourIndex s(space, std::move(rows), owners_of(out.synthetic));
  const Numbers radius = distances_of(
      every(s.nearest_to(s, options_for(neighbours, true, context)), neighbours, neighbours - 1));
  out.recall.assign(r.rows(), 0);
  out.covered.assign(r.rows(), 0);
  Sums balls(s.rows());
  const std::vector<double> ranges = ranges_of(space);
  const Centre of_real(real, space.names(), ranges), of_other(other, space.names(), ranges);
  const Numbers from_centre = of_other.distances(other);
  std::vector<Shares> nearest(r.rows());  // how far from the centre, where a synthetic row reaches
  std::vector<char> as_far(r.rows());
  const SearchOptions all = options_for(1, false, context);
  s.each_within(
      r, side.reach.radius,
      [&](std::size_t row, std::span<const Neighbour> within) {
        if (within.empty()) return;
        const double own = side.nearest_other[row].distance, ball = side.reach.radius[row];
        const double first = std::min_element(within.begin(), within.end())->distance;
        out.covered[row] = 1;
        as_far[row] = first == own ? 1 : 0;
        Numbers tied;
        for (const Neighbour& one : within) {
          if (one.distance == first && first <= own) tied.push_back(from_centre[one.row]);
          balls.add(one.row, one.distance < ball ? 1 : side.reach.at_radius[row]);
          if (one.distance <= radius[one.row]) out.recall[row] = 1;
        }
        nearest[row] = shared_by(std::move(tied));
      },
      all);
  add_other_balls(out, r, s, radius, all);
  for (std::size_t row = 0; row < balls.size(); ++row) {
    out.precision.push_back(balls.of(row) > 0 ? 1 : 0);
    out.density.push_back(balls.of(row) / static_cast<double>(neighbours));
  }
  out.as_far =
      static_cast<double>(std::count(as_far.begin(), as_far.end(), 1)) / static_cast<double>(r.rows());
  Shares every_row, of_nearest;
  for (const double distance : of_real.distances(other)) every_row.push_back({distance});
  for (const Shares& shares : nearest) of_nearest.insert(of_nearest.end(), shares.begin(), shares.end());
  out.alpha_precision = agreement(of_real.distances(real), std::move(every_row), other.rows());
  out.beta_recall = agreement(from_centre, std::move(of_nearest), r.rows());
}

// The columns that a comparison reads, and their space. Nothing where two of the tables share none.
struct Common {
  Units units;  // of real
  MixedSpace space;
};
std::optional<Common> common(const Table& real, std::span<const Table* const> others, const Table* scale_by) {
  std::vector<std::string> columns = shared_columns(real, *others.front());
  Units units = Units::of(real);
  if (columns.empty() || units.count < 2) return std::nullopt;
  std::vector<const Table*> scales{&real};
  if (scale_by && has_columns(*scale_by, real, columns)) scales.push_back(scale_by);
  return Common{std::move(units), MixedSpace(scales, std::move(columns))};
}

// fill(what is known of it, the other table) for each that can be compared; nothing for the rest.
template <class Fill>
std::vector<std::optional<RowSupport>> of_each(const Table& real, std::span<const Table* const> others,
                                               const Common& shared, const Fill& fill) {
  std::vector<std::optional<RowSupport>> out(others.size());
  for (std::size_t i = 0; i < others.size(); ++i) {
    RowSupport one;
    one.real = shared.units;
    one.synthetic = Units::of(*others[i]);
    if (one.synthetic.count < 2 || !has_columns(*others[i], real, shared.space.names())) continue;
    fill(one, *others[i]);
    out[i] = std::move(one);
  }
  return out;
}

}  // namespace

std::vector<std::optional<RowSupport>> row_supports(const Table& real, std::span<const Table* const> others,
                                                    const Table* scale_by, std::size_t neighbours,
                                                    const EvaluationContext& context) {
  std::optional<Common> shared = common(real, others, scale_by);
  if (!shared) return std::vector<std::optional<RowSupport>>(others.size());
  MixedRows rows = shared->space.encode(real);
  RealSide side{NeighbourIndex(shared->space, std::move(rows), owners_of(shared->units)), {}, {}};
  const SearchOptions within = options_for(neighbours + 1, true, context);
  const auto found = side.index.nearest_to(side.index, within);
  side.reach = reach_of(side.index, found, neighbours, within);
  side.nearest_other = every(found, neighbours + 1, 0);
  return of_each(real, others, *shared, [&](RowSupport& out, const Table& other) {
    fill_support(out, real, other, side, shared->space, neighbours, context);
  });
}

std::vector<std::optional<RowSupport>> row_authenticity(const Table& real,
                                                        std::span<const Table* const> others,
                                                        const Table* scale_by,
                                                        const EvaluationContext& context) {
  std::optional<Common> shared = common(real, others, scale_by);
  if (!shared) return std::vector<std::optional<RowSupport>>(others.size());
  MixedRows rows = shared->space.encode(real);
  const NeighbourIndex r(shared->space, std::move(rows), owners_of(shared->units));
  const Numbers own = distances_of(r.nearest_to(r, options_for(1, true, context)));
  return of_each(real, others, *shared, [&](RowSupport& out, const Table& other) {
    MixedRows queries = shared->space.encode(other);
    const NeighbourIndex s(shared->space, std::move(queries));
    const SearchOptions all = options_for(1, false, context);
    std::vector<std::size_t> apart;
    Numbers distance;
    for (const Neighbour& one : r.nearest_to(s, all)) {
      if (one.distance > 0) {  // else all nearest rows are equal
        apart.push_back(out.authentic.size());
        distance.push_back(one.distance);
      }
      out.authentic.push_back(nearer(own[one.row], one.distance));
    }
    if (apart.empty()) return;
    r.each_within(
        s.part(apart), distance,
        [&](std::size_t i, std::span<const Neighbour> nearest) {
          double sum = 0;
          for (const Neighbour& one : nearest) sum += nearer(own[one.row], one.distance);
          out.authentic[apart[i]] = sum / static_cast<double>(nearest.size());
        },
        all);
  });
}

// --- as the libraries have it: all pairs, Euclidean

namespace {

using Rows = RawRows;

double euclidean(const Numbers& a, const Numbers& b) {
  double sum = 0;
  for (std::size_t c = 0; c < a.size(); ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
  return std::sqrt(sum);
}

// visit(row, its distances to all rows of the other table), rows side by side.
template <class Visit>
void each_row(const Rows& rows, const Rows& others, const EvaluationContext& context, const Visit& visit) {
  parallel_for(
      rows.size(),
      [&](std::size_t i) {
        context.cancel.check();
        Numbers distances;
        distances.reserve(others.size());
        for (const Numbers& other : others) distances.push_back(euclidean(rows[i], other));
        visit(i, distances);
      },
      context.threads, 16);
}

// Distance to the k-th nearest other row; the row itself is the 0-th.
Numbers kth_within(const Rows& rows, std::size_t k, const EvaluationContext& context) {
  Numbers out(rows.size(), std::numeric_limits<double>::infinity());
  each_row(rows, rows, context, [&](std::size_t i, Numbers& distances) {
    if (k >= distances.size()) return;
    const auto at = distances.begin() + static_cast<std::ptrdiff_t>(k);
    std::nth_element(distances.begin(), at, distances.end());
    out[i] = *at;
  });
  return out;
}

Numbers centre_of(const Rows& rows) {
  Numbers out(rows.front().size());
  for (const Numbers& row : rows)
    for (std::size_t c = 0; c < out.size(); ++c) out[c] += row[c] / static_cast<double>(rows.size());
  return out;
}

constexpr std::size_t kAlphas = 30;

// 1 - sum |alpha - curve| / sum alpha, alpha evenly spaced on [0, 1].
double library_agreement(Numbers radii_from, const Numbers& values, const std::vector<bool>& counts) {
  std::sort(radii_from.begin(), radii_from.end());
  double apart = 0, all = 0;
  for (std::size_t i = 0; i < kAlphas; ++i) {
    const double alpha = static_cast<double>(i) / (kAlphas - 1), radius = quantile(radii_from, alpha);
    double within = 0;
    for (std::size_t row = 0; row < values.size(); ++row)
      if ((counts.empty() || counts[row]) && values[row] <= radius) ++within;
    apart += std::abs(alpha - within / static_cast<double>(values.size()));
    all += alpha;
  }
  return 1 - apart / all;
}

void add_balls(RowSupport& out, const Rows& real, const Rows& synthetic, std::size_t neighbours,
               const EvaluationContext& context) {
  const Numbers radius_of_real = kth_within(real, neighbours, context),
                radius_of_synthetic = kth_within(synthetic, neighbours, context);
  out.precision.resize(synthetic.size());
  out.density.resize(synthetic.size());
  out.recall.resize(real.size());
  out.covered.resize(real.size());
  each_row(synthetic, real, context, [&](std::size_t i, const Numbers& distances) {
    double balls = 0;
    for (std::size_t t = 0; t < distances.size(); ++t) balls += distances[t] < radius_of_real[t] ? 1 : 0;
    out.precision[i] = balls > 0 ? 1 : 0;
    out.density[i] = balls / static_cast<double>(neighbours);
  });
  each_row(real, synthetic, context, [&](std::size_t i, const Numbers& distances) {
    for (std::size_t s = 0; s < distances.size(); ++s) {
      if (distances[s] < radius_of_synthetic[s]) out.recall[i] = 1;
      if (distances[s] < radius_of_real[i]) out.covered[i] = 1;
    }
  });
}

void add_centres(RowSupport& out, Rows real, Rows synthetic, const EvaluationContext& context) {
  for (std::size_t c = 0; c < real.front().size(); ++c) {
    double low = real.front()[c], high = low;
    for (const Numbers& row : real) low = std::min(low, row[c]), high = std::max(high, row[c]);
    const double range = high > low ? high - low : 1;
    for (Rows* rows : {&real, &synthetic})
      for (Numbers& row : *rows) row[c] = (row[c] - low) / range;
  }
  const auto from = [](const Rows& rows, const Numbers& centre) {
    Numbers distances;
    for (const Numbers& row : rows) distances.push_back(euclidean(row, centre));
    return distances;
  };
  const Numbers centre = centre_of(real);
  out.alpha_precision = library_agreement(from(real, centre), from(synthetic, centre), {});
  const Numbers own = kth_within(real, 1, context);
  const Numbers from_centre = from(synthetic, centre_of(synthetic));
  Numbers of_nearest(real.size());
  std::vector<char> near(real.size());
  out.authentic.resize(real.size());
  each_row(real, synthetic, context, [&](std::size_t i, const Numbers& distances) {
    const auto nearest =
        static_cast<std::size_t>(std::min_element(distances.begin(), distances.end()) - distances.begin());
    of_nearest[i] = from_centre[nearest];
    near[i] = distances[nearest] <= own[i] ? 1 : 0;
    // By the number of the synthetic row, where the paper has that of the nearest real row.
    out.authentic[i] = own[nearest] < distances[nearest] ? 1 : 0;
  });
  out.beta_recall = library_agreement(of_nearest, of_nearest, {near.begin(), near.end()});
}

}  // namespace

std::optional<RowSupport> library_support(const Table& real, const Table& synthetic, std::size_t neighbours,
                                          const EvaluationContext& context) {
  const std::vector<std::string> columns = shared_columns(real, synthetic);
  const auto r = raw_rows(real, synthetic, columns), s = raw_rows(synthetic, real, columns);
  if (columns.empty() || !r || !s) return std::nullopt;
  RowSupport out;
  out.real = Units::rows(real.rows());
  out.synthetic = Units::rows(synthetic.rows());
  add_balls(out, *r, *s, neighbours, context);
  if (r->size() == s->size()) add_centres(out, *r, *s, context);
  return out;
}

}  // namespace synthema::detail
