#include "synthema/learn/nearest_neighbours.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <mutex>
#include <numeric>

#include "src/cpu/aligned.hpp"
#include "src/cpu/distance_bounds.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

using cpu::BoundOf;
using cpu::kBoundLanes;
using cpu::kMissingCode;
using Bytes = std::vector<std::uint8_t>;
using AlignedBytes = cpu::AlignedVector<std::uint8_t>;

constexpr double kScale = 254;           // finest codes: floor(254 * position in the range)
constexpr std::size_t kResolutions = 7;  // codes shifted right by 0 .. 6
constexpr std::size_t kQueriesAtOnce = 128;
constexpr std::size_t kSample = 64;  // rows that decide how a node is split
constexpr std::size_t kMeasuredAtOnce = 8;
constexpr std::size_t kBlocksAlone = 8;   // that a query visits before it waits for others
constexpr std::size_t kLabelValues = 16;  // of a column that bits are kept of
constexpr std::size_t kFewRows = 12;      // of a block: bounded one by one at once
constexpr std::size_t kBlocksInGroup = cpu::kLabelLanes / kBoundLanes;
static_assert(kBlocksInGroup == 4);
constexpr std::size_t kGroupsFirst = 16;  // that are visited in the order of their bounds
constexpr std::uint8_t kUnit = 254;       // the largest difference of a column in the finest codes

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

// Of the values that bits are kept of.
std::size_t value_of(std::uint8_t code) {
  return code % kLabelValues;
}

std::uint8_t shifted(std::uint8_t code, bool number, std::size_t shift) {
  return number && code != kMissingCode ? static_cast<std::uint8_t>(code >> shift) : code;
}

// A column without spread is compared as a label would be, through its double values; its code says nothing.
bool is_degenerate(const ColumnForm& form) {
  return form.number && !(form.range > std::numeric_limits<double>::min());
}

// Whether something was made, for the first of several threads to make it. The flag is looked at for every
// query and block, where std::call_once costs as much as a block.
class MadeOnce {
 public:
  template <class Make>
  void otherwise(const Make& make) {
    if (made_.load(std::memory_order_acquire)) return;
    std::call_once(once_, [&] {
      make();
      made_.store(true, std::memory_order_release);
    });
  }

 private:
  std::once_flag once_;
  std::atomic<bool> made_ = false;
};

// Rows in blocks, with their codes.
class Blocks {
 public:
  // The codes of all blocks at one resolution, and the boxes around them, columns in `byte_order`. Codes take
  // a hundred times the memory, so each resolution that is only looked at box by box goes without.
  struct Level {
    MadeOnce made;
    AlignedBytes codes;  // {blocks, columns, kBoundLanes}
  };
  struct Boxes {
    MadeOnce made;
    AlignedBytes low, high;  // {groups of kBoundLanes blocks, columns, kBoundLanes}
  };
  // Of the columns of labels, for each value that a query may have: whether the rows have another. Labels
  // beyond kLabelValues share the values of others, which bounds the distance all the same.
  struct Labels {
    MadeOnce made;
    std::vector<std::uint32_t> columns;           // at most kMostLabels, the most telling first
    std::vector<std::uint32_t> first;             // place of each one's first value
    std::size_t values = 0;                       // of all of them, and one that no row differs from
    cpu::AlignedVector<std::uint64_t> different;  // {groups of kLabelLanes rows, values, kLabelLanes / 64}
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

  std::size_t blocks() const { return (rows.rows + kBoundLanes - 1) / kBoundLanes; }
  std::size_t rows_in(std::size_t block) const {
    return std::min(kBoundLanes, rows.rows - block * kBoundLanes);
  }

  Blocks(const MixedSpace& space, MixedRows given, std::vector<std::uint32_t> owner_of);
  Blocks(const Blocks& whole, std::span<const std::size_t> chosen);
  const double* row(std::size_t position) const { return rows.values.data() + position * rows.columns; }
  void make_level(Level& level, std::size_t shift) const;
  void make_boxes(Boxes& boxes, std::size_t shift) const;
  void make_labels(Labels& labels) const;
  // Sum over columns, or something larger than the limit as soon as that is certain. Always in one order, so
  // that equal differences give equal sums.
  double measure(const double* a, const double* b, double limit) const;

 private:
  double spread(std::span<const std::uint32_t> node, std::size_t column) const;
  void partition();
  void split(std::size_t begin, std::size_t end);
  void apply_order();
  void order_columns();
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

Blocks::Blocks(const Blocks& whole, std::span<const std::size_t> chosen)
    : columns(whole.columns), ranges(whole.ranges) {
  rows = {chosen.size(), whole.rows.columns, {}};
  rows.values.reserve(chosen.size() * rows.columns);
  for (const std::size_t row : chosen) {
    const std::size_t at = whole.position.at(row);
    rows.values.insert(rows.values.end(), whole.row(at), whole.row(at) + rows.columns);
    owners.push_back(whole.owners[at]);
  }
  order.resize(rows.rows);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
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
  codes.resize(rows.rows * rows.columns + cpu::kRowBytes);  // rows are read in steps of that many
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

// Moves rows, codes and owners into the order of the partition, so that a block lies together in memory. In
// place, cycle by cycle: a copy would be as large as all that an index holds.
void Blocks::apply_order() {
  position.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) position[order[i]] = static_cast<std::uint32_t>(i);
  const std::size_t columns = rows.columns;
  std::vector<bool> moved(order.size());
  std::vector<double> values(columns);
  Bytes row_codes(columns);
  const auto move_row = [&](auto from, auto to) { std::copy_n(from, columns, to); };
  const auto values_at = [&](std::size_t i) {
    return rows.values.begin() + static_cast<std::ptrdiff_t>(i * columns);
  };
  const auto codes_at = [&](std::size_t i) {
    return codes.begin() + static_cast<std::ptrdiff_t>(i * columns);
  };
  for (std::size_t first = 0; first < order.size(); ++first) {
    if (moved[first]) continue;
    move_row(values_at(first), values.begin());
    move_row(codes_at(first), row_codes.begin());
    const std::uint32_t owner = owners[first];
    std::size_t to = first;
    for (; order[to] != first; to = order[to]) {
      const std::size_t from = order[to];
      move_row(values_at(from), values_at(to));
      move_row(codes_at(from), codes_at(to));
      owners[to] = owners[from];
      moved[to] = true;
    }
    move_row(values.begin(), values_at(to));
    move_row(row_codes.begin(), codes_at(to));
    owners[to] = owner;
    moved[to] = true;
  }
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
  out.codes.resize(blocks() * rows.columns * kBoundLanes);
  for (std::size_t block = 0; block < blocks(); ++block)
    for (std::size_t k = 0; k < rows.columns; ++k) {
      const std::size_t c = byte_order[k];
      std::uint8_t* codes_here = out.codes.data() + (block * rows.columns + k) * kBoundLanes;
      for (std::size_t lane = 0; lane < kBoundLanes; ++lane) {
        const std::size_t at = block * kBoundLanes + std::min(lane, rows_in(block) - 1);
        codes_here[lane] = shifted(codes[at * rows.columns + c], columns[c].number, shift);
      }
    }
}

void Blocks::make_boxes(Boxes& out, std::size_t shift) const {
  const std::size_t groups = (blocks() + kBoundLanes - 1) / kBoundLanes;
  out.low.assign(groups * rows.columns * kBoundLanes, 255);
  out.high.assign(groups * rows.columns * kBoundLanes, 0);
  // In a box a missing number stands just above the largest code, at most a unit from any of them.
  const auto above = static_cast<std::uint8_t>((kUnit >> shift) + 1);
  for (std::size_t block = 0; block < blocks(); ++block)
    for (std::size_t k = 0; k < rows.columns; ++k) {
      const std::size_t c = byte_order[k];
      const std::size_t box = (block / kBoundLanes * rows.columns + k) * kBoundLanes + block % kBoundLanes;
      for (std::size_t lane = 0; lane < rows_in(block); ++lane) {
        const std::size_t at = block * kBoundLanes + lane;
        const std::uint8_t code = shifted(codes[at * rows.columns + c], columns[c].number, shift);
        out.low[box] = std::min(out.low[box], columns[c].number && code == kMissingCode ? above : code);
        out.high[box] = std::max(out.high[box], code);
      }
    }
}

void Blocks::make_labels(Labels& out) const {
  for (const std::uint32_t c : byte_order)
    if (!columns[c].number && out.columns.size() < cpu::kMostLabels) out.columns.push_back(c);
  for (const std::uint32_t c : out.columns) {
    std::size_t values = 1;
    for (std::size_t row = 0; row < rows.rows && values < kLabelValues; ++row)
      values = std::max(values, value_of(codes[row * rows.columns + c]) + 1);
    out.first.push_back(static_cast<std::uint32_t>(out.values));
    out.values += values + 1;  // the last one is of what no row has
  }
  ++out.values;
  const std::size_t words = cpu::kLabelLanes / 64,
                    groups = (rows.rows + cpu::kLabelLanes - 1) / cpu::kLabelLanes;
  out.different.assign(groups * out.values * words, ~std::uint64_t{0});
  for (std::size_t group = 0; group < groups; ++group)
    std::fill_n(out.different.begin() + static_cast<std::ptrdiff_t>(((group + 1) * out.values - 1) * words),
                words, 0);
  for (std::size_t row = 0; row < rows.rows; ++row) {
    const std::size_t group = row / cpu::kLabelLanes, lane = row % cpu::kLabelLanes;
    for (std::size_t k = 0; k < out.columns.size(); ++k) {
      const std::size_t value = out.first[k] + value_of(codes[row * rows.columns + out.columns[k]]);
      out.different[(group * out.values + value) * words + lane / 64] &= ~(std::uint64_t{1} << (lane % 64));
    }
  }
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

// The forms of the blocks that one search reads, made when it first does and gone with it: an index that
// waits for the next search is no larger than its rows.
class Forms {
 public:
  explicit Forms(const Blocks& blocks) : blocks_(blocks) {}

  const Blocks::Level& level(std::size_t shift) const {
    levels_[shift].made.otherwise([&] { blocks_.make_level(levels_[shift], shift); });
    return levels_[shift];
  }
  const Blocks::Boxes& boxes(std::size_t shift) const {
    boxes_[shift].made.otherwise([&] { blocks_.make_boxes(boxes_[shift], shift); });
    return boxes_[shift];
  }
  const Blocks::Labels& labels() const {
    labels_.made.otherwise([&] { blocks_.make_labels(labels_); });
    return labels_;
  }

 private:
  const Blocks& blocks_;
  mutable std::array<Blocks::Level, kResolutions> levels_;
  mutable std::array<Blocks::Boxes, kResolutions> boxes_;
  mutable Blocks::Labels labels_;
};

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

// What a query is compared by, and what was found for it so far. Distances are sums over columns.
struct Asked {
  struct Codes {
    Bytes codes;
    bool made = false;
  };

  std::size_t query = 0;
  double bound = 0;  // as many different rows as neighbours are wanted lie within it
  Nearest nearest;
  std::vector<BoundOf> kinds;                     // columns in byte order
  std::array<Codes, kResolutions> by_resolution;  // columns in byte order
  Bytes row_codes, numbers, labels;               // as cpu::RowBoundQuery wants them
  std::vector<std::uint32_t> label_places;        // as cpu::LabelQuery wants them, once it waits for others

  Asked(std::size_t neighbours, std::size_t columns)
      : nearest(neighbours),
        kinds(columns),
        row_codes((columns + cpu::kRowBytes - 1) / cpu::kRowBytes * cpu::kRowBytes),
        numbers(row_codes.size()),
        labels(row_codes.size()) {
    for (Codes& one : by_resolution) one.codes.resize(columns);
  }
  double limit() const { return std::min(bound, nearest.worst()); }
};

// Looks for the neighbours of queries that lie close together, some at a time. Each visits the few blocks
// that are nearest to it, which is all where rows cluster; what is left then is visited block by block for
// all of them, so that a block is read from memory once.
class Search {
 public:
  // `at_once`: queries that may wait for each other.
  Search(const Blocks& among, const Forms& forms, const Blocks& queries, const SearchOptions& options,
         std::size_t at_once = kQueriesAtOnce)
      : among_(among),
        forms_(forms),
        queries_(queries),
        options_(options),
        kernels_(cpu::distance_bound_kernels()),
        asked_(at_once, Asked(std::max<std::size_t>(options.neighbours, 1), among.rows.columns)),
        bounds_((among.blocks() + kBoundLanes - 1) / kBoundLanes * kBoundLanes),
        to_visit_(at_once * bounds_.size()),
        nearest_in_(at_once * groups()) {}

  // visit(query, neighbours) for the queries at positions `first` to `end`, `at_once` at most.
  template <class Visit>
  void each(std::size_t first, std::size_t end, const Visit& visit) {
    waiting_.clear();
    for (std::size_t query = first; query < end; ++query) search_nearby(query - first, query);
    if (!waiting_.empty()) search_together();
    for (std::size_t query = first; query < end; ++query) visit(query, asked_[query - first].nearest.kept());
  }

  // visit(position, distance) for each row that is no farther from the query than `radius`, a mean over
  // columns.
  template <class Visit>
  void within(std::size_t query, double radius, const Visit& visit) {
    const auto columns = static_cast<double>(among_.rows.columns);
    Asked& asked = asked_.front();
    begin(asked, query);
    const double limit = radius * columns * (1 + 1e-9);
    const std::size_t shift = shift_for(limit);
    bound_boxes(asked, shift);
    const std::uint8_t most = limit_at(limit, shift);
    for (std::size_t block = 0; block < among_.blocks(); ++block) {
      if (bounds_[block] > most) continue;
      find_near(asked, block, limit);
      for (const auto& [bound, position] : near_) {
        if (excluded(query, position)) continue;
        // The quotient is what nearest_to() gives: equal distances must compare equal.
        const double distance = among_.measure(queries_.row(query), among_.row(position), limit) / columns;
        if (distance <= radius) visit(position, distance);
      }
    }
  }

 private:
  // A query with blocks still to visit: the limit in codes of the resolution that its boxes were bounded at.
  struct Waiting {
    std::size_t place = 0, shift = 0;
    std::uint8_t limit = 0;
  };
  static constexpr std::uint8_t kVisited = 255;
  struct Found {
    std::uint32_t waiting, block;
    std::array<std::uint64_t, 2> rows;
  };

  void begin(Asked& asked, std::size_t query) {
    asked.query = query;
    asked.nearest.clear();
    for (Asked::Codes& one : asked.by_resolution) one.made = false;
    const std::size_t columns = among_.rows.columns;
    const std::uint8_t* codes = queries_.codes.data() + query * columns;
    std::copy_n(codes, columns, asked.row_codes.begin());
    for (std::size_t k = 0; k < columns; ++k) {
      const std::size_t c = among_.byte_order[k];
      const bool label = !among_.columns[c].number || codes[c] == kMissingCode;
      asked.kinds[k] = label                   ? BoundOf::label
                       : among_.has_missing[c] ? BoundOf::number_or_missing
                                               : BoundOf::number;
      asked.numbers[c] = label ? 0 : 255;
      asked.labels[c] = label ? kUnit : 0;
    }
    asked.bound = bound_from_recent(query);
  }

  bool excluded(std::size_t query, std::size_t position) const {
    return options_.other_owners && among_.owners[position] == queries_.owners[query];
  }

  // As many different rows as neighbours are wanted lie within this distance.
  double bound_from_recent(std::size_t query) {
    std::vector<double>& found = recent_distances_;
    found.clear();
    if (recent_.empty()) return std::numeric_limits<double>::infinity();
    for (const std::uint32_t position : recent_)
      if (!excluded(query, position))
        found.push_back(among_.measure(queries_.row(query), among_.row(position),
                                       std::numeric_limits<double>::infinity()));
    if (found.size() < options_.neighbours) return std::numeric_limits<double>::infinity();
    const auto last = found.begin() + static_cast<std::ptrdiff_t>(options_.neighbours - 1);
    std::nth_element(found.begin(), last, found.end());
    return *last;
  }

  void remember(const Asked& asked) {
    std::vector<std::uint32_t>& now = spare_;
    now.clear();
    for (const Neighbour& one : asked.nearest.kept())
      if (std::isfinite(one.distance)) now.push_back(among_.position[one.row]);
    for (const std::uint32_t position : recent_)
      if (now.size() < 2 * options_.neighbours + 2 &&
          std::find(now.begin(), now.end(), position) == now.end())
        now.push_back(position);
    std::swap(recent_, now);
  }

  // In codes of a resolution. Rounded up by more than the codes' own rounding; 255: everything is within.
  static double in_codes(double limit, std::size_t shift) {
    return limit * (kScale / static_cast<double>(1U << shift)) * (1 + 1e-9) + 1e-6;
  }
  static std::uint8_t limit_at(double limit, std::size_t shift) {
    const double codes = in_codes(limit, shift);
    return codes < 255 ? static_cast<std::uint8_t>(codes) : std::uint8_t{255};
  }
  // The finest resolution at which the limit is well below where sums saturate.
  static std::size_t shift_for(double limit) {
    std::size_t shift = 0;
    while (shift + 1 < kResolutions && limit_at(limit, shift) > 250) ++shift;
    return shift;
  }

  cpu::BoundQuery query_at(Asked& asked, std::size_t shift) {
    Asked::Codes& query = asked.by_resolution[shift];
    if (!query.made) {
      const std::uint8_t* codes = queries_.codes.data() + asked.query * queries_.rows.columns;
      for (std::size_t k = 0; k < asked.kinds.size(); ++k) {
        const std::size_t c = among_.byte_order[k];
        query.codes[k] = shifted(codes[c], among_.columns[c].number, shift);
      }
      query.made = true;
    }
    return {query.codes.data(), asked.kinds.data(), asked.kinds.size(),
            static_cast<std::uint8_t>(kUnit >> shift)};
  }

  void bound_boxes(Asked& asked, std::size_t shift) {
    const Blocks::Boxes& boxes = forms_.boxes(shift);
    const cpu::BoundQuery query = query_at(asked, shift);
    for (std::size_t first = 0; first < among_.blocks(); first += kBoundLanes)
      kernels_.box_bounds(query, boxes.low.data() + first * among_.rows.columns,
                          boxes.high.data() + first * among_.rows.columns, bounds_.data() + first);
  }

  // The nearest blocks within the limit by their boxes, kBlocksAlone at most, the nearest first.
  void find_candidates(std::uint8_t limit) {
    candidates_.clear();
    for (std::uint32_t block = 0; block < among_.blocks(); ++block) {
      if (bounds_[block] > limit) continue;
      const std::pair one(bounds_[block], block);
      candidates_.insert(std::upper_bound(candidates_.begin(), candidates_.end(), one), one);
      if (candidates_.size() <= kBlocksAlone) continue;
      candidates_.pop_back();
      // From here on only what is nearer than the last one, whose number is lower than those to come.
      if (candidates_.back().first == 0) return;
      limit = std::min<std::uint8_t>(limit, candidates_.back().first - 1);
    }
  }

  void search_nearby(std::size_t place, std::size_t query) {
    Asked& asked = asked_[place];
    begin(asked, query);
    const std::size_t shift = shift_for(asked.limit());
    bound_boxes(asked, shift);
    find_candidates(limit_at(asked.limit(), shift));
    std::size_t next = 0;
    while (next < candidates_.size() && candidates_[next].first <= limit_at(asked.limit(), shift))
      scan(asked, candidates_[next++].second);
    remember(asked);
    // Where it stopped before the last, all others are too far away.
    if (next == kBlocksAlone) put_off(place, shift);
  }

  void put_off(std::size_t place, std::size_t shift) {
    std::uint8_t* to_visit = to_visit_.data() + waiting_.size() * bounds_.size();
    std::fill_n(to_visit, bounds_.size(), kVisited);
    for (std::size_t block = 0; block < among_.blocks(); ++block)
      to_visit[block] = std::min<std::uint8_t>(bounds_[block], kVisited - 1);
    for (const auto& [bound, block] : candidates_) to_visit[block] = kVisited;
    const std::uint8_t limit = std::min<std::uint8_t>(limit_at(asked_[place].limit(), shift), kVisited - 1);
    std::uint8_t* nearest = nearest_in_.data() + waiting_.size() * groups();
    std::uint8_t least = kVisited;
    for (std::size_t group = 0; group < groups(); ++group) {
      const std::uint8_t* four = to_visit + group * kBlocksInGroup;
      nearest[group] = std::min(std::min(four[0], four[1]), std::min(four[2], four[3]));
      least = std::min(least, nearest[group]);
    }
    if (least > limit) return;
    waiting_.push_back({place, shift, limit});
    find_label_places(asked_[place]);
  }

  void find_label_places(Asked& asked) {
    const Blocks::Labels& labels = forms_.labels();
    asked.label_places.clear();
    for (std::size_t k = 0; k < labels.columns.size(); ++k) {
      const std::size_t end = k + 1 < labels.first.size() ? labels.first[k + 1] : labels.values - 1;
      const std::size_t place = labels.first[k] + value_of(asked.row_codes[labels.columns[k]]);
      asked.label_places.push_back(static_cast<std::uint32_t>(std::min(place, end - 1)));
    }
    while (asked.label_places.size() % 8 != 0)
      asked.label_places.push_back(static_cast<std::uint32_t>(labels.values - 1));
  }

  // All blocks that any of them has to visit: first the groups that are nearest to one of them, then the
  // others as they lie in memory.
  void search_together() {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> order;
    for (std::size_t group = 0; group < groups(); ++group) {
      std::uint32_t nearest = kFar;
      for (std::size_t i = 0; i < waiting_.size(); ++i)
        if (const std::uint8_t bound = nearest_in_[i * groups() + group]; bound <= waiting_[i].limit)
          nearest = std::min(nearest, std::uint32_t{bound} << waiting_[i].shift);
      if (nearest != kFar) order.emplace_back(nearest, group);
    }
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(std::min(kGroupsFirst, order.size()));
    std::partial_sort(order.begin(), first, order.end());
    std::sort(first, order.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    for (const auto& [bound, group] : order) {
      found_.clear();
      for (std::size_t i = 0; i < waiting_.size(); ++i)
        if (nearest_in_[i * groups() + group] <= waiting_[i].limit) compare_labels(i, group);
      for (const Found& found : found_) {  // their rows are on the way from memory by now
        Waiting& one = waiting_[found.waiting];
        if (to_visit_[found.waiting * bounds_.size() + found.block] > one.limit) continue;
        Asked& asked = asked_[one.place];
        scan(asked, found.block, found.rows);
        one.limit = std::min<std::uint8_t>(limit_at(asked.limit(), one.shift), kVisited - 1);
      }
    }
  }

  // Puts the rows of a group that enough labels are equal of into `found_`.
  void compare_labels(std::size_t waiting, std::size_t group) {
    const Waiting& one = waiting_[waiting];
    const Asked& asked = asked_[one.place];
    const Blocks::Labels& labels = forms_.labels();
    const double most = asked.limit() * (1 + 1e-9) + 1e-6;  // infinite until enough rows were found
    cpu::LabelBits bits;  // NOLINT(cppcoreguidelines-pro-type-member-init): set next
    if (most < static_cast<double>(labels.columns.size()))
      bits = kernels_.alike_rows({asked.label_places.data(), asked.label_places.size()},
                                 labels.different.data() + group * labels.values * bits.size(),
                                 static_cast<std::size_t>(most));
    else
      bits.fill(~std::uint64_t{0});
    const std::uint8_t* bounds = to_visit_.data() + waiting * bounds_.size();
    for (std::size_t i = 0; i < kBlocksInGroup; ++i) {
      const std::size_t block = group * kBlocksInGroup + i;
      const std::array<std::uint64_t, 2> rows{bits[2 * i], bits[2 * i + 1]};
      if ((rows[0] | rows[1]) == 0 || bounds[block] > one.limit) continue;
      found_.push_back({static_cast<std::uint32_t>(waiting), static_cast<std::uint32_t>(block), rows});
      fetch(block, rows);
    }
  }

  void fetch(std::size_t block, std::array<std::uint64_t, 2> rows) const {
    if (count(rows) > kFewRows) return;
    const std::size_t columns = among_.rows.columns;
    for (std::size_t half = 0; half < rows.size(); ++half)
      for (; rows[half] != 0; rows[half] &= rows[half] - 1) {
        const std::size_t row =
            block * kBoundLanes + half * 64 + static_cast<std::size_t>(std::countr_zero(rows[half]));
        if (row >= among_.rows.rows) return;
        __builtin_prefetch(among_.codes.data() + row * columns);
        __builtin_prefetch(among_.codes.data() + (row + 1) * columns - 1);
      }
  }
  static std::size_t count(const std::array<std::uint64_t, 2>& rows) {
    return static_cast<std::size_t>(std::popcount(rows[0])) +
           static_cast<std::size_t>(std::popcount(rows[1]));
  }
  std::size_t groups() const { return bounds_.size() / kBlocksInGroup; }

  // Puts those of the rows of a block whose bounds are within the limit into `near_`, bound and position.
  void find_near(Asked& asked, std::size_t block, double limit, std::array<std::uint64_t, 2> within = kAll) {
    const std::size_t columns = among_.rows.columns;
    if (count(within) > kFewRows && std::isfinite(limit)) {
      const std::size_t shift = shift_for(limit);
      const std::uint8_t* codes = forms_.level(shift).codes.data() + block * columns * kBoundLanes;
      const auto found = kernels_.rows_within(query_at(asked, shift), codes, limit_at(limit, shift));
      for (std::size_t half = 0; half < within.size(); ++half) within[half] &= found[half];
    }
    const cpu::RowBoundQuery row{asked.row_codes.data(), asked.numbers.data(), asked.labels.data(),
                                 asked.row_codes.size(), kUnit};
    const std::uint32_t most = finest(limit);
    near_.clear();
    for (std::size_t half = 0; half < within.size(); ++half) {
      const std::size_t begin = block * kBoundLanes + half * 64;
      if (begin >= among_.rows.rows) return;
      std::uint64_t bits = within[half];
      if (const std::size_t rows = among_.rows.rows - begin; rows < 64)
        bits &= (std::uint64_t{1} << rows) - 1;
      if (bits == 0) continue;
      std::array<std::uint32_t, 64> bounds;  // NOLINT(cppcoreguidelines-pro-type-member-init): written next
      kernels_.row_bounds(row, among_.codes.data() + begin * columns, columns, bits, bounds.data());
      for (std::size_t i = 0; bits != 0; bits &= bits - 1, ++i)
        if (bounds[i] <= most)
          near_.emplace_back(bounds[i], static_cast<std::uint32_t>(begin) +
                                            static_cast<std::uint32_t>(std::countr_zero(bits)));
    }
  }
  static std::uint32_t finest(double limit) {
    return static_cast<std::uint32_t>(std::min(in_codes(limit, 0), 4e9));
  }

  // Measures the rows of a block that may be neighbours, those of the least bound first.
  void scan(Asked& asked, std::size_t block, std::array<std::uint64_t, 2> within = kAll) {
    find_near(asked, block, asked.limit(), within);
    std::sort(near_.begin(), near_.end());
    const double* query = queries_.row(asked.query);
    for (const auto& [bound, position] : near_) {
      if (bound > finest(asked.limit())) return;
      if (excluded(asked.query, position)) continue;
      const double distance = among_.measure(query, among_.row(position), asked.limit());
      if (distance <= asked.limit()) asked.nearest.offer({distance, among_.order[position]});
    }
  }

  static constexpr std::array<std::uint64_t, 2> kAll = {~std::uint64_t{0}, ~std::uint64_t{0}};
  static constexpr std::uint32_t kFar = std::numeric_limits<std::uint32_t>::max();

  const Blocks& among_;
  const Forms& forms_;
  const Blocks& queries_;
  const SearchOptions& options_;
  const cpu::DistanceBoundKernels& kernels_;
  std::vector<Asked> asked_;
  std::vector<std::uint32_t> recent_, spare_;  // positions found by the queries before
  std::vector<double> recent_distances_;
  Bytes bounds_;                                                    // by block
  std::vector<std::pair<std::uint8_t, std::uint32_t>> candidates_;  // bound, block
  std::vector<std::pair<std::uint32_t, std::uint32_t>> near_;       // bound in the finest codes, position
  std::vector<Waiting> waiting_;
  Bytes to_visit_;    // {at_once, bounds_.size()}: bounds of waiting queries, or kVisited
  Bytes nearest_in_;  // {at_once, groups()}: the least of each group
  std::vector<Found> found_;
};

// body(begin, end) for parts of the queries that are whole tiles, several where there are many.
template <class Body>
void for_tiles(std::size_t queries, const SearchOptions& options, const Body& body) {
  const std::size_t tiles = (queries + kQueriesAtOnce - 1) / kQueriesAtOnce;
  const std::size_t each = std::clamp<std::size_t>(tiles / (16 * thread_count(options.threads)), 1, 8);
  parallel_for((tiles + each - 1) / each,
               [&](std::size_t i) {
                 body(i * each * kQueriesAtOnce, std::min(queries, (i + 1) * each * kQueriesAtOnce));
               },
               options.threads);
}

}  // namespace

struct NeighbourIndex::Impl {
  Blocks blocks;
};

NeighbourIndex::NeighbourIndex(const MixedSpace& space, MixedRows rows, std::vector<std::uint32_t> owners)
    : impl_(new Impl{Blocks(space, std::move(rows), std::move(owners))}) {}
NeighbourIndex::~NeighbourIndex() = default;
NeighbourIndex::NeighbourIndex(NeighbourIndex&&) noexcept = default;
NeighbourIndex& NeighbourIndex::operator=(NeighbourIndex&&) noexcept = default;

NeighbourIndex::NeighbourIndex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

NeighbourIndex NeighbourIndex::part(std::span<const std::size_t> rows) const {
  return NeighbourIndex(std::unique_ptr<Impl>(new Impl{Blocks(impl_->blocks, rows)}));
}

std::span<const double> NeighbourIndex::row(std::size_t row) const {
  const Blocks& blocks = impl_->blocks;
  return {blocks.row(blocks.position.at(row)), blocks.rows.columns};
}

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
  const Forms forms(among);
  for_tiles(queries.rows.rows, options, [&](std::size_t begin, std::size_t end) {
    Search search(among, forms, queries, options);
    for (std::size_t first = begin; first < end; first += kQueriesAtOnce) {
      options.cancel.check();
      search.each(first, std::min(end, first + kQueriesAtOnce),
                  [&](std::size_t query, const std::vector<Neighbour>& found) {
                    std::size_t to = queries.order[query] * options.neighbours;
                    for (const Neighbour& one : found) out[to++] = {one.distance / columns, one.row};
                  });
    }
  });
  return out;
}

void NeighbourIndex::each_within(const NeighbourIndex& others, std::span<const double> radii,
                                 const VisitWithin& visit, const SearchOptions& options) const {
  const Blocks &among = impl_->blocks, &queries = others.impl_->blocks;
  if (among.rows.columns != queries.rows.columns)
    throw ConfigError("The queries are of another space: their number of columns differs.");
  if (radii.size() != queries.rows.rows)
    throw ConfigError({.field = "radii"}, "Each row of the queries needs one radius.");
  const Forms forms(among);
  const bool none = among.rows.rows == 0 || among.rows.columns == 0;
  for_tiles(queries.rows.rows, options, [&](std::size_t begin, std::size_t end) {
    options.cancel.check();
    Search search(among, forms, queries, options, 1);
    std::vector<Neighbour> found;
    for (std::size_t query = begin; query < end; ++query) {
      const std::uint32_t row = queries.order[query];
      found.clear();
      if (!none)
        search.within(query, radii[row], [&](std::uint32_t position, double distance) {
          found.push_back({distance, among.order[position]});
        });
      visit(row, found);
    }
  });
}

}  // namespace synthema
