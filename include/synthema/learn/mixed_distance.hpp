// Distance of rows of numbers and categories (Gower, "A general coefficient of similarity and some of its
// properties", Biometrics 1971): the mean over columns of
//   numbers       min(1, |a - b| / range), the range that of given tables; a range of zero: 0 or 1
//   categories    0 if equal, else 1
//   missing       0 if both are, 1 if one is
// Numbers are summed first, in the order of their columns, then the different labels: whoever computes it has
// the same sum. It lies in [0, 1] and is a metric. With Scaling::quantile a number is first replaced by the
// share of the given tables' values below it (ties at the middle), so that a heavy tail does not squeeze the
// rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

enum class Scaling : std::uint8_t { range, quantile };

// A row as a MixedSpace encoded it: its numbers and the codes of its labels, each in the order of the space's
// columns.
struct MixedRow {
  std::span<const double> numbers;
  std::span<const std::uint32_t> labels;
};

struct MixedRows {
  std::size_t rows = 0, number_columns = 0, label_columns = 0;
  std::vector<double> numbers;        // {rows, number_columns}
  std::vector<std::uint32_t> labels;  // {rows, label_columns}

  MixedRow row(std::size_t i) const {
    return {{numbers.data() + i * number_columns, number_columns},
            {labels.data() + i * label_columns, label_columns}};
  }
};

class SYNTHEMA_EXPORT MixedSpace {
 public:
  // What a missing number is encoded as: infinitely far from any value, and at 0 from itself.
  static constexpr double kMissing = 1e300;
  static constexpr std::uint32_t kMissingLabel = std::numeric_limits<std::uint32_t>::max();

  // `names` are columns of numbers (real, integer, time) or categories (category, boolean) in all tables;
  // ranges and quantiles come from `scale_by`. Tables that are encoded need not be among those. SchemaError
  // if a column is not there, EvaluationError if it has another kind.
  MixedSpace(std::span<const Table* const> scale_by, std::vector<std::string> names,
             Scaling scaling = Scaling::range);

  const std::vector<std::string>& names() const { return names_; }
  std::size_t columns() const { return names_.size(); }
  bool is_number(std::size_t column) const { return columns_[column].number; }
  double low(std::size_t column) const { return columns_[column].low; }
  // What |a - b| of encoded values is divided by; 1 for categories.
  double range(std::size_t column) const { return columns_[column].range; }

  // Labels that no table before had get codes of their own. Not to be called from several threads at once.
  MixedRows encode(const Table& table);
  double distance(const MixedRow& a, const MixedRow& b) const;

 private:
  struct Labels;
  struct ColumnSpace {
    bool number = false;
    std::size_t place = 0;  // among the columns of its kind
    double low = 0, range = 1;
    std::vector<double> sorted;      // for quantiles
    std::shared_ptr<Labels> labels;  // of a category
  };
  void encode_numbers(const Column& column, const ColumnSpace& space, MixedRows& out) const;
  void encode_labels(const Column& column, const ColumnSpace& space, MixedRows& out) const;

  std::vector<std::string> names_;
  std::vector<ColumnSpace> columns_;
  std::vector<double> ranges_;  // of the columns of numbers
};

}  // namespace synthema
