#include "synthema/learn/nearest_neighbours.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <mutex>
#include <numeric>

#include "src/cpu/distance_bounds.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

using cpu::BoundOf;
using cpu::kBoundLanes;
using cpu::kMissingCode;
using Bytes = std::vector<std::uint8_t>;

constexpr double kScale = 254;           // finest codes: floor(254 * position in the range)
constexpr std::size_t kResolutions = 7;  // codes shifted right by 0 .. 6
constexpr std::size_t kQueriesAtOnce = 64;
constexpr std::size_t kSample = 64;  // rows that decide how a node is split
constexpr std::size_t kMeasuredAtOnce = 8;

struct ColumnForm {
  bool number = false;
  double low = 0, range = 1;
};

// The finest code of a cell.
std::uint8_t code_of(double value, const ColumnForm& form) {
  if (value == MixedSpace::kMissing) return kMissingCode;
  if (!form.number) return static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) % kMissingCode);
  const double position = (value - form.low) / form.range;
  return static_cast<std::uint8_t>(position > 0 ? std::floor(std::min(1.0, position) * kScale) : 0.0);
}

std::uint8_t shifted(std::uint8_t code, bool number, std::size_t shift) {
  return number && code != kMissingCode ? static_cast<std::uint8_t>(code >> shift) : code;
}

// A column without spread is compared as a label would be, through its double values; its code says nothing.
bool is_degenerate(const ColumnForm& form) {
  return form.number && !(form.range > std::numeric_limits<double>::min());
}

// Rows in blocks, with their codes.
class Blocks {
 public:
  // The codes of all blocks at one resolution and the boxes around them, columns in `byte_order`.
  struct Level {
    std::once_flag made = {};
    Bytes codes;      // {blocks, columns, kBoundLanes}
    Bytes low, high;  // {groups of kBoundLanes blocks, columns, kBoundLanes}
  };

  std::vector<ColumnForm> columns;
  std::vector<double> ranges;
  MixedRows rows;                         // in partition order
  std::vector<std::uint32_t> order;       // row number of each position
  std::vector<std::uint32_t> position;    // of each row number
  std::vector<std::uint32_t> owners;      // by position
  Bytes codes;                            // {rows, columns} at the finest resolution, in partition order
  std::vector<std::uint32_t> byte_order;  // columns, the most telling first
  std::vector<bool> has_missing;          // by column
  mutable std::array<Level, kResolutions> levels;

  std::size_t blocks() const { return (rows.rows + kBoundLanes - 1) / kBoundLanes; }
  std::size_t rows_in(std::size_t block) const {
    return std::min(kBoundLanes, rows.rows - block * kBoundLanes);
  }

  Blocks(const MixedSpace& space, MixedRows given, std::vector<std::uint32_t> owner_of);
  const Level& level(std::size_t shift) const;
  const double* row(std::size_t position) const { return rows.values.data() + position * rows.columns; }
  // Sum over columns, or something larger than the limit as soon as that is certain. Always in one order, so
  // that equal differences give equal sums.
  double measure(const double* a, const double* b, double limit) const;

 private:
  double spread(std::span<const std::uint32_t> node, std::size_t column) const;
  void partition();
  void split(std::size_t begin, std::size_t end);
  void apply_order();
  void order_columns();
  void make_level(Level& level, std::size_t shift) const;
};

Blocks::Blocks(const MixedSpace& space, MixedRows given, std::vector<std::uint32_t> owner_of)
    : rows(std::move(given)), owners(std::move(owner_of)) {
  if (rows.columns != space.columns())
    throw ConfigError("The rows were not encoded by this space: their number of columns differs.");
  if (rows.rows >= std::numeric_limits<std::uint32_t>::max())
    throw ConfigError("A search takes at most 2^32 - 2 rows.");
  for (std::size_t c = 0; c < space.columns(); ++c) {
    columns.push_back({space.is_number(c), space.low(c), space.range(c)});
    ranges.push_back(space.range(c));
  }
  order.resize(rows.rows);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  if (owners.empty()) owners = order;
  if (owners.size() != rows.rows) throw ConfigError("A search needs one owner for each row.");
  partition();
  order_columns();
}

// How much a column tells rows of a node apart, from a sample: mean distance to the mean code of a number,
// chance that two rows differ of a label; both in codes.
double Blocks::spread(std::span<const std::uint32_t> node, std::size_t column) const {
  const std::size_t count = std::min(kSample, node.size());
  std::array<std::uint8_t, kSample> sample{};
  for (std::size_t i = 0; i < count; ++i)
    sample[i] = codes[node[i * node.size() / count] * rows.columns + column];
  if (columns[column].number) {
    const double mean =
        std::accumulate(sample.begin(), sample.begin() + static_cast<std::ptrdiff_t>(count), 0.0) /
        static_cast<double>(count);
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += std::abs(sample[i] - mean);
    return sum / static_cast<double>(count);
  }
  std::array<std::uint32_t, 256> counts{};
  double same = 0;
  for (std::size_t i = 0; i < count; ++i) same += 2 * counts[sample[i]]++ + 1;
  const auto n = static_cast<double>(count);
  return kScale * (1 - same / (n * n));
}

void Blocks::split(std::size_t begin, std::size_t end) {
  while (end - begin > kBoundLanes) {
    const std::span<const std::uint32_t> node(order.data() + begin, end - begin);
    std::size_t best = 0;
    double largest = -1;
    for (std::size_t c = 0; c < rows.columns; ++c)
      if (const double here = spread(node, c); here > largest) best = c, largest = here;
    const std::size_t blocks_here = (end - begin + kBoundLanes - 1) / kBoundLanes;
    const std::size_t middle = begin + blocks_here / 2 * kBoundLanes;
    const auto at = [&](std::size_t i) { return order.begin() + static_cast<std::ptrdiff_t>(i); };
    std::nth_element(at(begin), at(middle), at(end), [&](std::uint32_t a, std::uint32_t b) {
      const std::uint8_t x = codes[a * rows.columns + best], y = codes[b * rows.columns + best];
      return x != y ? x < y : a < b;
    });
    split(begin, middle);
    begin = middle;
  }
}

void Blocks::partition() {
  codes.resize(rows.rows * rows.columns);
  has_missing.assign(rows.columns, false);
  for (std::size_t row = 0; row < rows.rows; ++row)
    for (std::size_t c = 0; c < rows.columns; ++c) {
      const double value = rows.values[row * rows.columns + c];
      codes[row * rows.columns + c] =
          is_degenerate(columns[c]) && value != MixedSpace::kMissing ? 0 : code_of(value, columns[c]);
      if (value == MixedSpace::kMissing) has_missing[c] = true;
    }
  if (rows.rows > 0) split(0, rows.rows);
  apply_order();
}

// Moves rows, codes and owners into the order of the partition, so that a block lies together in memory.
void Blocks::apply_order() {
  std::vector<double> values(rows.values.size());
  Bytes moved(codes.size());
  std::vector<std::uint32_t> owner(owners.size());
  position.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t from = order[i] * rows.columns, to = i * rows.columns;
    std::copy_n(rows.values.begin() + static_cast<std::ptrdiff_t>(from), rows.columns,
                values.begin() + static_cast<std::ptrdiff_t>(to));
    std::copy_n(codes.begin() + static_cast<std::ptrdiff_t>(from), rows.columns,
                moved.begin() + static_cast<std::ptrdiff_t>(to));
    owner[i] = owners[order[i]];
    position[order[i]] = static_cast<std::uint32_t>(i);
  }
  rows.values = std::move(values);
  codes = std::move(moved);
  owners = std::move(owner);
}

void Blocks::order_columns() {
  std::vector<std::uint32_t> all(rows.rows);
  std::iota(all.begin(), all.end(), std::uint32_t{0});
  std::vector<double> telling;
  for (std::size_t c = 0; c < rows.columns; ++c) telling.push_back(rows.rows > 0 ? spread(all, c) : 0);
  byte_order.resize(rows.columns);
  std::iota(byte_order.begin(), byte_order.end(), std::uint32_t{0});
  std::sort(byte_order.begin(), byte_order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return telling[a] != telling[b] ? telling[a] > telling[b] : a < b;
  });
}

void Blocks::make_level(Level& out, std::size_t shift) const {
  const std::size_t groups = (blocks() + kBoundLanes - 1) / kBoundLanes;
  out.codes.resize(blocks() * rows.columns * kBoundLanes);
  out.low.assign(groups * rows.columns * kBoundLanes, 255);
  out.high.assign(groups * rows.columns * kBoundLanes, 0);
  // In a box a missing number stands just above the largest code, at most a unit from any of them.
  const auto above = static_cast<std::uint8_t>((254 >> shift) + 1);
  for (std::size_t block = 0; block < blocks(); ++block)
    for (std::size_t k = 0; k < rows.columns; ++k) {
      const std::size_t c = byte_order[k];
      std::uint8_t* codes_here = out.codes.data() + (block * rows.columns + k) * kBoundLanes;
      const std::size_t box = (block / kBoundLanes * rows.columns + k) * kBoundLanes + block % kBoundLanes;
      for (std::size_t lane = 0; lane < kBoundLanes; ++lane) {
        const std::size_t at = block * kBoundLanes + std::min(lane, rows_in(block) - 1);
        const std::uint8_t code = shifted(codes[at * rows.columns + c], columns[c].number, shift);
        codes_here[lane] = code;
        out.low[box] = std::min(out.low[box], columns[c].number && code == kMissingCode ? above : code);
        out.high[box] = std::max(out.high[box], code);
      }
    }
}

const Blocks::Level& Blocks::level(std::size_t shift) const {
  std::call_once(levels[shift].made, [&] { make_level(levels[shift], shift); });
  return levels[shift];
}

double Blocks::measure(const double* a, const double* b, double limit) const {
  double sum = 0;
  std::array<double, kMeasuredAtOnce> apart{};
  const double* range = ranges.data();
  std::size_t c = 0;
  for (; c + kMeasuredAtOnce <= ranges.size(); c += kMeasuredAtOnce) {
    for (std::size_t i = 0; i < kMeasuredAtOnce; ++i) {
      const double d = std::abs(a[c + i] - b[c + i]) / range[c + i];
      apart[i] = d < 1 ? d : 1;
    }
    for (std::size_t i = 0; i < kMeasuredAtOnce; ++i) sum += apart[i];
    if (sum > limit) return sum;
  }
  for (; c < ranges.size(); ++c) {
    const double d = std::abs(a[c] - b[c]) / range[c];
    sum += d < 1 ? d : 1;
  }
  return sum;
}

// The smallest of what was offered, sorted.
class Nearest {
 public:
  explicit Nearest(std::size_t wanted) : kept_(wanted) {}
  void clear() { std::fill(kept_.begin(), kept_.end(), Neighbour{}); }
  double worst() const { return kept_.back().distance; }
  void offer(Neighbour one) {
    if (!(one < kept_.back())) return;
    auto at = std::upper_bound(kept_.begin(), kept_.end(), one);
    std::move_backward(at, kept_.end() - 1, kept_.end());
    *at = one;
  }
  const std::vector<Neighbour>& kept() const { return kept_; }

 private:
  std::vector<Neighbour> kept_;
};

// A ball around each row, by position; distances are means over columns here, sums in `of_block`.
struct Balls {
  std::vector<double> radius, of_block;  // the largest of each block
  double usual = 0;                      // that nine blocks of ten do not exceed

  Balls(const Blocks& blocks, std::span<const double> radii)
      : radius(blocks.rows.rows), of_block(blocks.blocks()) {
    const auto columns = static_cast<double>(blocks.rows.columns);
    for (std::size_t i = 0; i < radius.size(); ++i) {
      radius[i] = radii[blocks.order[i]];
      double& block = of_block[i / kBoundLanes];
      block = std::max(block, radius[i] * columns);
    }
    std::vector<double> sorted = of_block;
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) * 9 / 10);
    std::nth_element(sorted.begin(), at, sorted.end());
    usual = *at;
  }
};

// Looks for the neighbours of one query after the other; those of the ones before bound the next.
class Search {
 public:
  Search(const Blocks& among, const Blocks& queries, const SearchOptions& options)
      : among_(among),
        queries_(queries),
        options_(options),
        kernels_(cpu::distance_bound_kernels()),
        nearest_(options.neighbours),
        bounds_((among.blocks() + kBoundLanes - 1) / kBoundLanes * kBoundLanes) {
    for (QueryCodes& one : query_codes_) one = {Bytes(among.rows.columns), false};
    kinds_.resize(among.rows.columns);
  }

  // Distances are sums over columns.
  const std::vector<Neighbour>& of(std::size_t query) {
    begin(query);
    const std::size_t shift = shift_now();
    const std::uint8_t limit = limit_at(shift);
    find_candidates(shift, limit);
    for (const std::uint32_t block : candidates_) {
      if (bounds_[block] > limit_at(shift)) break;
      scan(block);
    }
    remember();
    return nearest_.kept();
  }

  // Number of balls that hold the query.
  std::uint32_t balls_around(std::size_t query, const Balls& balls) {
    begin(query);
    // Fine enough for most blocks; of the others no box is far enough away at this resolution.
    const std::size_t shift = shift_for(balls.usual);
    const Blocks::Level& level = among_.level(shift);
    const cpu::BoundQuery codes = query_at(shift);
    for (std::size_t first = 0; first < among_.blocks(); first += kBoundLanes)
      kernels_.box_bounds(codes, level.low.data() + first * among_.rows.columns,
                          level.high.data() + first * among_.rows.columns, bounds_.data() + first);
    std::uint32_t count = 0;
    for (std::size_t block = 0; block < among_.blocks(); ++block)
      if (bounds_[block] <= limit_at(balls.of_block[block], shift))
        each_within(block, balls.of_block[block], [&](std::size_t position) {
          const double own = balls.radius[position] * static_cast<double>(among_.rows.columns);
          const double sum = among_.measure(queries_.row(query_), among_.row(position), own * (1 + 1e-9));
          // The quotient is what nearest_to() gave the radii in: equal distances must compare equal.
          count += sum / static_cast<double>(among_.rows.columns) < balls.radius[position] ? 1 : 0;
        });
    return count;
  }

 private:
  struct QueryCodes {
    Bytes codes;
    bool made = false;
  };

  void begin(std::size_t query) {
    query_ = query;
    nearest_.clear();
    for (QueryCodes& one : query_codes_) one.made = false;
    const std::uint8_t* codes = queries_.codes.data() + query * queries_.rows.columns;
    for (std::size_t k = 0; k < kinds_.size(); ++k) {
      const std::size_t c = among_.byte_order[k];
      kinds_[k] = !among_.columns[c].number || codes[c] == kMissingCode ? BoundOf::label
                  : among_.has_missing[c]                               ? BoundOf::number_or_missing
                                                                        : BoundOf::number;
    }
    bound_ = bound_from_recent();
  }

  bool excluded(std::size_t position) const {
    return options_.other_owners && among_.owners[position] == queries_.owners[query_];
  }

  // As many different rows as neighbours are wanted lie within this distance.
  double bound_from_recent() const {
    std::vector<double> found;
    for (const std::uint32_t position : recent_)
      if (!excluded(position))
        found.push_back(among_.measure(queries_.row(query_), among_.row(position),
                                       std::numeric_limits<double>::infinity()));
    if (found.size() < options_.neighbours) return std::numeric_limits<double>::infinity();
    const auto last = found.begin() + static_cast<std::ptrdiff_t>(options_.neighbours - 1);
    std::nth_element(found.begin(), last, found.end());
    return *last;
  }

  void remember() {
    std::vector<std::uint32_t> now;
    for (const Neighbour& one : nearest_.kept())
      if (std::isfinite(one.distance)) now.push_back(among_.position[one.row]);
    for (const std::uint32_t position : recent_)
      if (now.size() < 2 * options_.neighbours + 2 &&
          std::find(now.begin(), now.end(), position) == now.end())
        now.push_back(position);
    recent_ = std::move(now);
  }

  double limit() const { return std::min(bound_, nearest_.worst()); }
  // In codes of a resolution. Rounded up by more than the codes' own rounding; 255: everything is within.
  std::uint8_t limit_at(std::size_t shift) const { return limit_at(limit(), shift); }
  static std::uint8_t limit_at(double limit, std::size_t shift) {
    const double in_codes = limit * (kScale / static_cast<double>(1U << shift)) * (1 + 1e-9) + 1e-6;
    return in_codes < 255 ? static_cast<std::uint8_t>(in_codes) : std::uint8_t{255};
  }
  // The finest resolution at which the limit is well below where sums saturate.
  std::size_t shift_now() const { return shift_for(limit()); }
  static std::size_t shift_for(double limit) {
    std::size_t shift = 0;
    while (shift + 1 < kResolutions && limit_at(limit, shift) > 250) ++shift;
    return shift;
  }

  cpu::BoundQuery query_at(std::size_t shift) {
    QueryCodes& query = query_codes_[shift];
    if (!query.made) {
      const std::uint8_t* codes = queries_.codes.data() + query_ * queries_.rows.columns;
      for (std::size_t k = 0; k < kinds_.size(); ++k) {
        const std::size_t c = among_.byte_order[k];
        query.codes[k] = shifted(codes[c], among_.columns[c].number, shift);
      }
      query.made = true;
    }
    return {query.codes.data(), kinds_.data(), kinds_.size(), static_cast<std::uint8_t>(254 >> shift)};
  }

  // Blocks whose box is within the limit, the nearest first.
  void find_candidates(std::size_t shift, std::uint8_t limit) {
    const Blocks::Level& level = among_.level(shift);
    const cpu::BoundQuery query = query_at(shift);
    for (std::size_t first = 0; first < among_.blocks(); first += kBoundLanes)
      kernels_.box_bounds(query, level.low.data() + first * among_.rows.columns,
                          level.high.data() + first * among_.rows.columns, bounds_.data() + first);
    std::array<std::uint32_t, 257> start{};  // counting sort by bound
    for (std::size_t block = 0; block < among_.blocks(); ++block)
      if (bounds_[block] <= limit) ++start[bounds_[block] + 1U];
    std::partial_sum(start.begin(), start.end(), start.begin());
    candidates_.resize(start.back());
    for (std::size_t block = 0; block < among_.blocks(); ++block)
      if (bounds_[block] <= limit) candidates_[start[bounds_[block]]++] = static_cast<std::uint32_t>(block);
  }

  // visit(position) for the rows of a block whose bound is within the limit.
  template <class Visit>
  void each_within(std::size_t block, double limit, const Visit& visit) {
    const std::size_t shift = shift_for(limit);
    const std::uint8_t* codes = among_.level(shift).codes.data() + block * among_.rows.columns * kBoundLanes;
    const auto within = kernels_.rows_within(query_at(shift), codes, limit_at(limit, shift));
    for (std::size_t half = 0; half < within.size(); ++half)
      for (std::uint64_t bits = within[half]; bits != 0; bits &= bits - 1) {
        const std::size_t lane = half * 64 + static_cast<std::size_t>(std::countr_zero(bits));
        const std::size_t position = block * kBoundLanes + lane;
        if (position >= among_.rows.rows) return;
        visit(position);
      }
  }

  void scan(std::size_t block) {
    const double* query = queries_.row(query_);
    each_within(block, limit(), [&](std::size_t position) {
      if (excluded(position)) return;
      const double distance = among_.measure(query, among_.row(position), limit());
      if (distance <= limit()) nearest_.offer({distance, among_.order[position]});
    });
  }

  const Blocks& among_;
  const Blocks& queries_;
  const SearchOptions& options_;
  const cpu::DistanceBoundKernels& kernels_;
  std::size_t query_ = 0;
  double bound_ = 0;
  Nearest nearest_;
  std::vector<std::uint32_t> recent_;  // positions found by the queries before
  std::array<QueryCodes, kResolutions> query_codes_;
  std::vector<BoundOf> kinds_;
  Bytes bounds_;  // by block
  std::vector<std::uint32_t> candidates_;
};

}  // namespace

struct NeighbourIndex::Impl {
  Blocks blocks;
};

NeighbourIndex::NeighbourIndex(const MixedSpace& space, MixedRows rows, std::vector<std::uint32_t> owners)
    : impl_(new Impl{Blocks(space, std::move(rows), std::move(owners))}) {}
NeighbourIndex::~NeighbourIndex() = default;
NeighbourIndex::NeighbourIndex(NeighbourIndex&&) noexcept = default;
NeighbourIndex& NeighbourIndex::operator=(NeighbourIndex&&) noexcept = default;

std::size_t NeighbourIndex::rows() const {
  return impl_->blocks.rows.rows;
}

std::vector<Neighbour> NeighbourIndex::nearest_to(const NeighbourIndex& others,
                                                  const SearchOptions& options) const {
  const Blocks &among = impl_->blocks, &queries = others.impl_->blocks;
  if (options.neighbours == 0)
    throw ConfigError({.field = "neighbours"}, "A search wants at least one neighbour.");
  if (among.rows.columns != queries.rows.columns)
    throw ConfigError("The queries are of another space: their number of columns differs.");
  std::vector<Neighbour> out(queries.rows.rows * options.neighbours);
  if (among.rows.rows == 0 || among.rows.columns == 0) return out;
  const auto columns = static_cast<double>(among.rows.columns);
  parallel_for((queries.rows.rows + kQueriesAtOnce - 1) / kQueriesAtOnce,
               [&](std::size_t chunk) {
                 options.cancel.check();
                 Search search(among, queries, options);
                 const std::size_t end = std::min(queries.rows.rows, (chunk + 1) * kQueriesAtOnce);
                 for (std::size_t query = chunk * kQueriesAtOnce; query < end; ++query) {
                   std::size_t to = queries.order[query] * options.neighbours;
                   for (const Neighbour& one : search.of(query))
                     out[to++] = {one.distance / columns, one.row};
                 }
               },
               options.threads);
  return out;
}

std::vector<std::uint32_t> NeighbourIndex::balls_around(const NeighbourIndex& others,
                                                        std::span<const double> radii,
                                                        const SearchOptions& options) const {
  const Blocks &among = impl_->blocks, &queries = others.impl_->blocks;
  if (among.rows.columns != queries.rows.columns)
    throw ConfigError("The queries are of another space: their number of columns differs.");
  if (radii.size() != among.rows.rows)
    throw ConfigError({.field = "radii"}, "Each row of the index needs one radius.");
  std::vector<std::uint32_t> out(queries.rows.rows);
  if (among.rows.rows == 0 || among.rows.columns == 0) return out;
  const Balls balls(among, radii);
  parallel_for((queries.rows.rows + kQueriesAtOnce - 1) / kQueriesAtOnce,
               [&](std::size_t chunk) {
                 options.cancel.check();
                 Search search(among, queries, options);
                 const std::size_t end = std::min(queries.rows.rows, (chunk + 1) * kQueriesAtOnce);
                 for (std::size_t query = chunk * kQueriesAtOnce; query < end; ++query)
                   out[queries.order[query]] = search.balls_around(query, balls);
               },
               options.threads);
  return out;
}

}  // namespace synthema
