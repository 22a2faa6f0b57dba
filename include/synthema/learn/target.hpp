// What a model learns to predict: one of several classes, or a number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

struct Target {
  std::size_t classes = 0;     // 2 or more; 0: a number
  std::vector<double> values;  // by row: the number of the class from 0, or the number; NaN: none

  std::size_t outputs() const { return classes > 2 ? classes : 1; }  // raw scores that a model has for a row
  std::vector<std::uint32_t> rows_with_value() const;
};

// How a column is read as a target, learnt from one table and used for others: the labels of a category or
// boolean column are classes, as are the values of a column of numbers that has exactly two; other numbers
// are predicted as such. Of very many labels the rarest may be one class together: a model of trees has a
// tree of each class in each round.
class SYNTHEMA_EXPORT TargetColumn {
 public:
  // `most_labels`: where the table has more labels, those of the fewest rows are one class, the last, so that
  // there are as many classes; 0: each is its own. ConfigError if it is 1; EvaluationError if the column is
  // not there, is text or a list, or has fewer than two different values.
  TargetColumn(const Table& table, std::string name, std::size_t most_labels = 0);

  const std::string& name() const { return name_; }
  std::size_t classes() const { return labels_.size(); }
  // Class by class, in the order of numbers or bytes, what is gathered last; empty: a number.
  const std::vector<std::string>& labels() const { return labels_; }
  std::size_t gathered() const { return gathered_; }  // labels that are one class together
  // A row whose value is missing, or a label that was not learnt, has none.
  Target of(const Table& table) const;

 private:
  std::string name_;
  std::vector<std::string> labels_;
  std::unordered_map<std::string, double> class_of_;  // by label
  std::size_t gathered_ = 0;
  std::vector<double> two_;  // the two values of a column of numbers

  void name_classes(const std::map<std::string, std::size_t>& rows_of, std::size_t most);
};

// Predictions of `rows` rows: of each class its probability, or the number.
struct Predictions {
  std::size_t width = 1;       // classes, or 1 for a number
  std::vector<double> values;  // row by row

  std::size_t rows() const { return values.size() / width; }
  double at(std::size_t row, std::size_t output = 0) const { return values[row * width + output]; }
  std::vector<double> column(std::size_t output) const;
};

// Row numbers 0 .. rows - 1.
std::vector<std::uint32_t> all_rows(std::size_t rows);

}  // namespace synthema
