// Rows in blocks of 128 that lie close together, and the forms of their cells that a search bounds distances
// by.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "src/cpu/aligned.hpp"
#include "src/cpu/distance_bounds.hpp"
#include "synthema/learn/mixed_distance.hpp"

namespace synthema::detail {

using Bytes = std::vector<std::uint8_t>;
using AlignedBytes = cpu::AlignedVector<std::uint8_t>;

constexpr double kScale = 254;            // codes of numbers: floor(254 * position in the range)
constexpr std::uint8_t kUnit = 254;       // the largest difference of a column in codes
constexpr std::size_t kLabelValues = 16;  // of a column that bits are kept of

// Of the values that bits are kept of.
inline std::size_t value_of(std::uint8_t code) {
  return code % kLabelValues;
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

// Numbers are kept as they are. Of a label its code modulo 255 is kept, which tells up to 255 labels apart; a
// column where there are more keeps the quotients beside.
class RowBlocks {
 public:
  struct Column {
    bool number = false;
    double low = 0, range = 1;
  };
  // The codes of all blocks, and the boxes around them, columns in `byte_order`. Codes take a hundred times
  // the memory, so searches that only look at boxes and single rows go without.
  struct Cells {
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

  // A row of some blocks, by its position there.
  struct Place {
    const RowBlocks* blocks = nullptr;
    std::size_t position = 0;
  };

  std::vector<Column> columns;
  std::vector<double> ranges;                // of the columns of numbers
  std::vector<std::uint32_t> label_columns;  // which of the columns
  std::vector<std::uint32_t> byte_order;     // columns, the most telling first
  std::vector<bool> has_missing;             // by column

  // Rows in partition order.
  std::size_t rows = 0;
  std::vector<double> numbers;           // {rows, ranges.size()}
  Bytes codes;                           // {rows, columns}
  std::vector<std::uint32_t> wide;       // columns of more than 255 labels
  std::vector<std::uint32_t> quotients;  // {rows, wide.size()}: of the labels' codes by 255
  std::vector<std::uint32_t> order;      // row number of each position
  std::vector<std::uint32_t> position;   // of each row number
  std::vector<std::uint32_t> owners;     // by position

  RowBlocks(const MixedSpace& space, MixedRows given, std::vector<std::uint32_t> owner_of);
  // Rows of `like` or of other blocks of its space, `count` of them, numbered from 0; their owners stay.
  RowBlocks(const RowBlocks& like, std::size_t count, const std::function<Place(std::size_t)>& row);

  std::size_t blocks() const { return (rows + cpu::kBoundLanes - 1) / cpu::kBoundLanes; }
  std::size_t rows_in(std::size_t block) const {
    return std::min(cpu::kBoundLanes, rows - block * cpu::kBoundLanes);
  }
  const double* numbers_at(std::size_t at) const { return numbers.data() + at * ranges.size(); }
  const std::uint8_t* codes_at(std::size_t at) const { return codes.data() + at * columns.size(); }
  // Of a column's place in `wide`; kNarrow: a column of few labels.
  static constexpr std::size_t kNarrow = static_cast<std::size_t>(-1);
  std::size_t place_in_wide(std::uint32_t column) const;
  std::uint32_t quotient_at(std::size_t at, std::size_t place) const {
    return place == kNarrow ? 0 : quotients[at * wide.size() + place];
  }

  void make_cells(Cells& cells) const;
  void make_boxes(Boxes& boxes) const;
  void make_labels(Labels& labels) const;

 private:
  void set_columns(std::vector<Column> of);
  void encode(const MixedRows& given);
  double spread(std::span<const std::uint32_t> node, std::size_t column) const;
  void partition();
  void split(std::size_t begin, std::size_t end);
  void apply_order();
  void order_columns();
};

// The forms of the blocks that one search reads, made when it first does and gone with it: an index that
// waits for the next search is no larger than its rows.
class Forms {
 public:
  explicit Forms(const RowBlocks& blocks) : blocks_(blocks) {}

  const RowBlocks::Cells& cells() const {
    cells_.made.otherwise([&] { blocks_.make_cells(cells_); });
    return cells_;
  }
  const RowBlocks::Boxes& boxes() const {
    boxes_.made.otherwise([&] { blocks_.make_boxes(boxes_); });
    return boxes_;
  }
  const RowBlocks::Labels& labels() const {
    labels_.made.otherwise([&] { blocks_.make_labels(labels_); });
    return labels_;
  }

 private:
  const RowBlocks& blocks_;
  mutable RowBlocks::Cells cells_;
  mutable RowBlocks::Boxes boxes_;
  mutable RowBlocks::Labels labels_;
};

// The sum over columns of the distance of a query to a row, by their positions in two blocks.
class PairSum {
 public:
  PairSum(const RowBlocks& queries, const RowBlocks& among);
  // Or something larger than the limit as soon as that is certain. In the order of MixedSpace::distance, so
  // that equal differences give equal sums.
  double operator()(std::size_t query, std::size_t row, double limit) const;

 private:
  // A column where one of the two has more labels than a byte tells apart.
  struct Wide {
    std::uint32_t column;
    std::size_t in_queries, in_among;
  };
  std::size_t different_labels(std::size_t query, std::size_t row) const;

  const RowBlocks& queries_;
  const RowBlocks& among_;
  std::vector<Wide> wide_;
};

}  // namespace synthema::detail
