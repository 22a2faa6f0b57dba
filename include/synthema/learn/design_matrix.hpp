// Columns of a table as the numbers of a linear model, each row stored as the few that are not zero.
//   real, integer, time   (value - mean) / standard deviation; missing is 0, and 1 in a column of its own
//   where
//                         a training row was missing
//   boolean, category     a column for each label; a missing or unseen label is 0 in all of them, and missing
//                         has a column of its own where a training row was missing
// With `standardize`, indicator columns are divided by their standard deviation too, so that a penalty weighs
// a rare label like a frequent one (they are not centred: that would only move the intercept). Constant
// columns are left out. Text and list columns are refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

// Every row has the same number of entries; an entry whose column is `none` is padding.
struct DesignMatrix {
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  std::size_t rows = 0, columns = 0;
  std::size_t entries = 0;           // a row
  std::vector<std::uint32_t> index;  // rows * entries
  std::vector<double> value;

  std::vector<double> dense() const;  // row by row
};

class SYNTHEMA_EXPORT DesignEncoding {
 public:
  // Learns means, deviations and labels. SchemaError if a column is not there or is text or a list.
  DesignEncoding(const Table& training, std::span<const std::string> columns, bool standardize = true);

  DesignMatrix apply(const Table& table) const;  // EvaluationError if a column is missing or of another kind
  std::span<const std::string> names() const { return names_; }  // "age", "sex = male", "age is missing"

 private:
  struct Source {
    std::string name;
    bool categorical = false;
    double mean = 0, scale = 1;                  // numbers; scale 0: constant
    std::uint32_t column = DesignMatrix::none;   // numbers
    std::uint32_t missing = DesignMatrix::none;  // of "is missing"
    double missing_value = 1;
    std::unordered_map<std::string, std::pair<std::uint32_t, double>> labels;  // column and value
  };
  void learn_number(const Column& column, Source& source);
  void learn_labels(const Column& column, Source& source);
  std::pair<std::uint32_t, double> indicator(std::string name, std::size_t count, std::size_t rows);

  std::vector<Source> sources_;
  std::vector<std::string> names_;
  bool standardize_;
};

}  // namespace synthema
