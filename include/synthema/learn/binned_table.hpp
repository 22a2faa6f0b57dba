// Columns of a table as small bin numbers: what histogram trees read. One byte a cell, column by column.
//   real, integer, time   at most 255 bins between cuts at quantiles of the rows it was learnt from, one
//   value
//                         a bin where there are few enough; NaN counts as missing
//   boolean               two bins
//   category              a bin for each of the 254 most frequent labels; rarer and unseen ones share one
// Missing is a bin of its own, the column's last. Text and list columns are refused.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

// How one column is cut; learnt once, used for every table that follows.
struct BinnedColumn {
  std::string name;
  bool categorical = false;  // bins have no order
  // Numbers and booleans: a value v lies in the bin that counts the cuts below it (v > cut).
  std::vector<double> cuts;
  std::unordered_map<std::string, std::uint8_t> labels;  // categories: bin of each label that has its own
  std::size_t bins = 1;  // with the missing bin, which is bins - 1; at most 256

  std::uint8_t missing() const { return static_cast<std::uint8_t>(bins - 1); }
};

// The cells; shares nothing with the table it was made from.
class SYNTHEMA_EXPORT BinnedTable {
 public:
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return cells_.size(); }
  std::span<const std::uint8_t> column(std::size_t index) const { return cells_[index]; }
  BinnedTable take(std::span<const std::size_t> rows) const;

 private:
  friend class Binning;
  std::size_t rows_ = 0;
  std::vector<std::vector<std::uint8_t>> cells_;
};

class SYNTHEMA_EXPORT Binning {
 public:
  Binning() = default;
  // Learns the cuts of these columns. SchemaError if one is not there or is text or a list, ConfigError
  // unless max_bins is 2 to 255.
  Binning(const Table& table, std::span<const std::string> columns, std::size_t max_bins = 255);

  // EvaluationError if a column is missing or of a kind that cannot be read as the one learnt.
  BinnedTable apply(const Table& table, std::size_t threads = 0) const;
  std::span<const BinnedColumn> columns() const { return columns_; }

 private:
  std::vector<BinnedColumn> columns_;
};

}  // namespace synthema
