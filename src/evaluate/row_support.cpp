#include "src/evaluate/row_support.hpp"

#include <algorithm>
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

// 1 - 2 times the mean over the reference's ranks of |share within - rank|. `counts`: which values count;
// shares are of all of them.
double agreement(Numbers reference, const Numbers& values, const std::vector<bool>& counts) {
  std::sort(reference.begin(), reference.end());
  Numbers inside;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (counts.empty() || counts[i]) inside.push_back(values[i]);
  std::sort(inside.begin(), inside.end());
  const auto n = static_cast<double>(reference.size()), m = static_cast<double>(values.size());
  double sum = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    // Ties count to their last rank, as they do in the share within.
    const auto last = std::upper_bound(reference.begin(), reference.end(), reference[i]) - reference.begin();
    const auto within = std::upper_bound(inside.begin(), inside.end(), reference[i]) - inside.begin();
    sum += std::abs(static_cast<double>(within) / m - static_cast<double>(last) / n);
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
  const auto sharing = index.part(tied).rows_at_radius(index, tied_radius, options);
  for (std::size_t i = 0; i < tied.size(); ++i) out.at_radius[tied[i]] = left[i] / sharing[i];
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

RowSupport support_of(const Table& real, const Table& other, const RealSide& side, MixedSpace& space,
                      std::size_t neighbours, RowSupport out, const EvaluationContext& context) {
  const SearchOptions within{.neighbours = neighbours + 1,
                             .other_owners = true,
                             .threads = context.threads,
                             .cancel = context.cancel};
  const SearchOptions across{.neighbours = 1, .threads = context.threads, .cancel = context.cancel};
  MixedRows rows = space.encode(other);
  const NeighbourIndex& r = side.index;
  const NeighbourIndex s(space, std::move(rows), owners_of(out.synthetic));
  const auto to_synthetic = s.nearest_to(r, across), to_real = r.nearest_to(s, across);
  for (const double balls : r.balls_around(s, side.reach.radius, side.reach.at_radius, across)) {
    out.precision.push_back(balls > 0 ? 1 : 0);
    out.density.push_back(balls / static_cast<double>(neighbours));
  }
  const Numbers radius = distances_of(every(s.nearest_to(s, within), neighbours + 1, neighbours - 1));
  const Numbers whole(radius.size(), 1);
  for (const double balls : s.balls_around(r, radius, whole, across)) out.recall.push_back(balls > 0 ? 1 : 0);
  std::vector<bool> reached;
  for (std::size_t i = 0; i < to_synthetic.size(); ++i) {
    const double distance = to_synthetic[i].distance, own = side.nearest_other[i].distance;
    out.covered.push_back(distance <= side.reach.radius[i] ? 1 : 0);
    reached.push_back(distance <= own);
    if (distance == own) out.as_far += 1 / static_cast<double>(to_synthetic.size());
  }
  for (const Neighbour& one : to_real)
    out.authentic.push_back(nearer(side.nearest_other[one.row].distance, one.distance));
  const std::vector<double> ranges = ranges_of(space);
  const Centre of_real(real, space.names(), ranges), of_other(other, space.names(), ranges);
  out.alpha_precision = agreement(of_real.distances(real), of_real.distances(other), {});
  const Numbers from_centre = of_other.distances(other);
  Numbers of_nearest;
  for (const Neighbour& one : to_synthetic) of_nearest.push_back(from_centre[one.row]);
  out.beta_recall = agreement(from_centre, of_nearest, reached);
  return out;
}

}  // namespace

std::vector<std::optional<RowSupport>> row_supports(const Table& real, std::span<const Table* const> others,
                                                    const Table* scale_by, std::size_t neighbours,
                                                    const EvaluationContext& context) {
  std::vector<std::optional<RowSupport>> out(others.size());
  const std::vector<std::string> columns = shared_columns(real, *others.front());
  const Units units = Units::of(real);
  if (columns.empty() || units.count < 2) return out;
  std::vector<const Table*> scales{&real};
  if (scale_by && has_columns(*scale_by, real, columns)) scales.push_back(scale_by);
  MixedSpace space(scales, columns);
  MixedRows rows = space.encode(real);
  RealSide side{NeighbourIndex(space, std::move(rows), owners_of(units)), {}, {}};
  const SearchOptions within{.neighbours = neighbours + 1,
                             .other_owners = true,
                             .threads = context.threads,
                             .cancel = context.cancel};
  const auto found = side.index.nearest_to(side.index, within);
  side.reach = reach_of(side.index, found, neighbours, within);
  side.nearest_other = every(found, neighbours + 1, 0);
  for (std::size_t i = 0; i < others.size(); ++i) {
    RowSupport one;
    one.real = units;
    one.synthetic = Units::of(*others[i]);
    if (one.synthetic.count < 2 || !has_columns(*others[i], real, columns)) continue;
    out[i] = support_of(real, *others[i], side, space, neighbours, std::move(one), context);
  }
  return out;
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
