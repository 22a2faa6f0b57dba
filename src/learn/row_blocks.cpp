#include "src/learn/row_blocks.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

using cpu::kBoundLanes;
using cpu::kMissingCode;

constexpr std::size_t kSample = 64;  // rows that decide how a node is split
constexpr std::size_t kMeasuredAtOnce = 8;

// A column without spread is compared as a label would be, through its double values; its code says nothing.
bool is_degenerate(const RowBlocks::Column& column) {
  return !(column.range > std::numeric_limits<double>::min());
}

// The code of a number.
std::uint8_t code_of(double value, const RowBlocks::Column& column) {
  if (value == MixedSpace::kMissing) return kMissingCode;
  if (is_degenerate(column)) return 0;
  const double position = (value - column.low) / column.range;
  return static_cast<std::uint8_t>(position > 0 ? std::floor(std::min(1.0, position) * kScale) : 0.0);
}

std::uint8_t code_of(std::uint32_t label) {
  return label == MixedSpace::kMissingLabel ? kMissingCode : static_cast<std::uint8_t>(label % kMissingCode);
}

// Rows of `width` values that change places; one of them is held aside.
template <class T>
class Carried {
 public:
  Carried(std::vector<T>& rows, std::size_t width) : rows_(rows), width_(width), aside_(width) {}
  void take(std::size_t row) { std::copy_n(at(row), width_, aside_.begin()); }
  void move(std::size_t from, std::size_t to) { std::copy_n(at(from), width_, at(to)); }
  void put(std::size_t row) { std::copy_n(aside_.begin(), width_, at(row)); }

 private:
  T* at(std::size_t row) { return rows_.data() + row * width_; }
  std::vector<T>& rows_;
  std::size_t width_;
  std::vector<T> aside_;
};

}  // namespace

RowBlocks::RowBlocks(const MixedSpace& space, MixedRows given, std::vector<std::uint32_t> owner_of)
    : rows(given.rows), owners(std::move(owner_of)) {
  std::vector<Column> of;
  for (std::size_t c = 0; c < space.columns(); ++c)
    of.push_back({space.is_number(c), space.low(c), space.range(c)});
  set_columns(std::move(of));
  if (given.number_columns != ranges.size() || given.label_columns != label_columns.size())
    throw ConfigError("The rows were not encoded by this space: their number of columns differs.");
  if (rows >= std::numeric_limits<std::uint32_t>::max())
    throw ConfigError("A search takes at most 2^32 - 2 rows.");
  order.resize(rows);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  if (owners.empty()) owners = order;
  if (owners.size() != rows) throw ConfigError("A search needs one owner for each row.");
  encode(given);
  numbers = std::move(given.numbers);
  partition();
}

RowBlocks::RowBlocks(const RowBlocks& like, std::size_t count, const std::function<Place(std::size_t)>& row)
    : rows(count) {
  set_columns(like.columns);
  const RowBlocks* last = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const RowBlocks* from = row(i).blocks;
    if (from == last) continue;
    last = from;
    for (const std::uint32_t column : from->wide)
      if (place_in_wide(column) == kNarrow) wide.push_back(column);
  }
  numbers.reserve(count * ranges.size());
  codes.reserve(count * columns.size() + cpu::kRowBytes);
  for (std::size_t i = 0; i < count; ++i) {
    const auto [from, at] = row(i);
    numbers.insert(numbers.end(), from->numbers_at(at), from->numbers_at(at) + ranges.size());
    codes.insert(codes.end(), from->codes_at(at), from->codes_at(at) + columns.size());
    for (const std::uint32_t column : wide)
      quotients.push_back(from->quotient_at(at, from->place_in_wide(column)));
    owners.push_back(from->owners[at]);
  }
  codes.resize(codes.size() + cpu::kRowBytes);
  order.resize(rows);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  partition();
}

void RowBlocks::set_columns(std::vector<Column> of) {
  columns = std::move(of);
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].number)
      ranges.push_back(columns[c].range);
    else
      label_columns.push_back(static_cast<std::uint32_t>(c));
  }
}

std::size_t RowBlocks::place_in_wide(std::uint32_t column) const {
  const auto found = std::find(wide.begin(), wide.end(), column);
  return found == wide.end() ? kNarrow : static_cast<std::size_t>(found - wide.begin());
}

// Codes, and quotients where they are needed.
void RowBlocks::encode(const MixedRows& given) {
  codes.resize(rows * columns.size() + cpu::kRowBytes);  // rows are read in steps of that many
  std::vector<bool> many(label_columns.size());
  for (std::size_t i = 0; i < given.labels.size(); ++i)
    if (given.labels[i] >= kMissingCode && given.labels[i] != MixedSpace::kMissingLabel)
      many[i % many.size()] = true;
  std::vector<std::size_t> wide_labels;  // places of `wide` among the labels
  for (std::size_t i = 0; i < many.size(); ++i)
    if (many[i]) {
      wide.push_back(label_columns[i]);
      wide_labels.push_back(i);
    }
  quotients.reserve(rows * wide.size());
  for (std::size_t row = 0; row < rows; ++row) {
    const MixedRow cells = given.row(row);
    std::uint8_t* to = codes.data() + row * columns.size();
    std::size_t number = 0, label = 0;
    for (const Column& column : columns)
      *to++ = column.number ? code_of(cells.numbers[number++], column) : code_of(cells.labels[label++]);
    for (const std::size_t i : wide_labels)
      quotients.push_back(cells.labels[i] == MixedSpace::kMissingLabel ? 0 : cells.labels[i] / kMissingCode);
  }
}

// How much a column tells rows of a node apart, from a sample: mean distance to the mean code of a number,
// chance that two rows differ of a label; both in codes.
double RowBlocks::spread(std::span<const std::uint32_t> node, std::size_t column) const {
  const std::size_t count = std::min(kSample, node.size());
  std::array<std::uint8_t, kSample> sample{};
  for (std::size_t i = 0; i < count; ++i)
    sample[i] = codes[node[i * node.size() / count] * columns.size() + column];
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

void RowBlocks::split(std::size_t begin, std::size_t end) {
  while (end - begin > kBoundLanes) {
    const std::span<const std::uint32_t> node(order.data() + begin, end - begin);
    std::size_t best = 0;
    double largest = -1;
    for (std::size_t c = 0; c < columns.size(); ++c)
      if (const double here = spread(node, c); here > largest) best = c, largest = here;
    const std::size_t blocks_here = (end - begin + kBoundLanes - 1) / kBoundLanes;
    const std::size_t middle = begin + blocks_here / 2 * kBoundLanes;
    const auto at = [&](std::size_t i) { return order.begin() + static_cast<std::ptrdiff_t>(i); };
    std::nth_element(at(begin), at(middle), at(end), [&](std::uint32_t a, std::uint32_t b) {
      const std::uint8_t x = codes[a * columns.size() + best], y = codes[b * columns.size() + best];
      return x != y ? x < y : a < b;
    });
    split(begin, middle);
    begin = middle;
  }
}

void RowBlocks::partition() {
  has_missing.assign(columns.size(), false);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t c = 0; c < columns.size(); ++c)
      if (codes_at(row)[c] == kMissingCode) has_missing[c] = true;
  if (rows > 0) split(0, rows);
  apply_order();
  order_columns();
}

// Moves what rows hold into the order of the partition, so that a block lies together in memory. In place,
// cycle by cycle: a copy would be as large as all that an index holds.
void RowBlocks::apply_order() {
  position.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) position[order[i]] = static_cast<std::uint32_t>(i);
  std::vector<bool> moved(order.size());
  Carried<double> row_numbers(numbers, ranges.size());
  Carried<std::uint8_t> row_codes(codes, columns.size());
  Carried<std::uint32_t> row_quotients(quotients, wide.size()), row_owner(owners, 1);
  const auto each = [&](const auto& act) {
    act(row_numbers), act(row_codes), act(row_quotients), act(row_owner);
  };
  for (std::size_t first = 0; first < order.size(); ++first) {
    if (moved[first]) continue;
    each([&](auto& one) { one.take(first); });
    std::size_t to = first;
    for (; order[to] != first; to = order[to]) {
      each([&](auto& one) { one.move(order[to], to); });
      moved[to] = true;
    }
    each([&](auto& one) { one.put(to); });
    moved[to] = true;
  }
}

void RowBlocks::order_columns() {
  std::vector<std::uint32_t> all(rows);
  std::iota(all.begin(), all.end(), std::uint32_t{0});
  std::vector<double> telling;
  for (std::size_t c = 0; c < columns.size(); ++c) telling.push_back(rows > 0 ? spread(all, c) : 0);
  byte_order.resize(columns.size());
  std::iota(byte_order.begin(), byte_order.end(), std::uint32_t{0});
  std::sort(byte_order.begin(), byte_order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return telling[a] != telling[b] ? telling[a] > telling[b] : a < b;
  });
}

void RowBlocks::make_cells(Cells& out) const {
  out.codes.resize(blocks() * columns.size() * kBoundLanes);
  std::uint8_t* to = out.codes.data();
  for (std::size_t block = 0; block < blocks(); ++block)
    for (const std::uint32_t c : byte_order)
      for (std::size_t lane = 0; lane < kBoundLanes; ++lane)
        *to++ = codes_at(block * kBoundLanes + std::min(lane, rows_in(block) - 1))[c];
}

// A missing number stands just above the largest code, at most a unit from any of them.
void RowBlocks::make_boxes(Boxes& out) const {
  static_assert(kMissingCode == kUnit + 1);
  const std::size_t groups = (blocks() + kBoundLanes - 1) / kBoundLanes;
  out.low.assign(groups * columns.size() * kBoundLanes, 255);
  out.high.assign(groups * columns.size() * kBoundLanes, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t block = row / kBoundLanes;
    std::size_t box = block / kBoundLanes * columns.size() * kBoundLanes + block % kBoundLanes;
    for (const std::uint32_t c : byte_order) {
      const std::uint8_t code = codes_at(row)[c];
      out.low[box] = std::min(out.low[box], code);
      out.high[box] = std::max(out.high[box], code);
      box += kBoundLanes;
    }
  }
}

void RowBlocks::make_labels(Labels& out) const {
  for (const std::uint32_t c : byte_order)
    if (!columns[c].number && out.columns.size() < cpu::kMostLabels) out.columns.push_back(c);
  for (const std::uint32_t c : out.columns) {
    std::size_t values = 1;
    for (std::size_t row = 0; row < rows && values < kLabelValues; ++row)
      values = std::max(values, value_of(codes[row * columns.size() + c]) + 1);
    out.first.push_back(static_cast<std::uint32_t>(out.values));
    out.values += values + 1;  // the last one is of what no row has
  }
  ++out.values;
  const std::size_t words = cpu::kLabelLanes / 64, groups = (rows + cpu::kLabelLanes - 1) / cpu::kLabelLanes;
  out.different.assign(groups * out.values * words, ~std::uint64_t{0});
  for (std::size_t group = 0; group < groups; ++group)
    std::fill_n(out.different.begin() + static_cast<std::ptrdiff_t>(((group + 1) * out.values - 1) * words),
                words, 0);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t group = row / cpu::kLabelLanes, lane = row % cpu::kLabelLanes;
    for (std::size_t k = 0; k < out.columns.size(); ++k) {
      const std::size_t value = out.first[k] + value_of(codes[row * columns.size() + out.columns[k]]);
      out.different[(group * out.values + value) * words + lane / 64] &= ~(std::uint64_t{1} << (lane % 64));
    }
  }
}

PairSum::PairSum(const RowBlocks& queries, const RowBlocks& among) : queries_(queries), among_(among) {
  for (const std::uint32_t column : among.label_columns) {
    const Wide here{column, queries.place_in_wide(column), among.place_in_wide(column)};
    if (here.in_queries != RowBlocks::kNarrow || here.in_among != RowBlocks::kNarrow) wide_.push_back(here);
  }
}

std::size_t PairSum::different_labels(std::size_t query, std::size_t row) const {
  const std::uint8_t *a = queries_.codes_at(query), *b = among_.codes_at(row);
  std::size_t different = 0;
  for (const std::uint32_t c : among_.label_columns) different += a[c] != b[c] ? 1 : 0;
  for (const Wide& one : wide_)
    if (a[one.column] == b[one.column] &&
        queries_.quotient_at(query, one.in_queries) != among_.quotient_at(row, one.in_among))
      ++different;
  return different;
}

double PairSum::operator()(std::size_t query, std::size_t row, double limit) const {
  const auto different = static_cast<double>(different_labels(query, row));
  const double *a = queries_.numbers_at(query), *b = among_.numbers_at(row);
  const std::span<const double> ranges(among_.ranges);
  double sum = 0;
  std::array<double, kMeasuredAtOnce> apart{};
  std::size_t c = 0;
  for (; c + kMeasuredAtOnce <= ranges.size(); c += kMeasuredAtOnce) {
    for (std::size_t i = 0; i < kMeasuredAtOnce; ++i) {
      const double d = std::abs(a[c + i] - b[c + i]) / ranges[c + i];
      apart[i] = d < 1 ? d : 1;
    }
    for (std::size_t i = 0; i < kMeasuredAtOnce; ++i) sum += apart[i];
    if (sum + different > limit) return sum + different;
  }
  for (; c < ranges.size(); ++c) {
    const double d = std::abs(a[c] - b[c]) / ranges[c];
    sum += d < 1 ? d : 1;
  }
  return sum + different;
}

}  // namespace synthema::detail
