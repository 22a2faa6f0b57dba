// The labels of a column, so that what is done by label is done once for each and not by row.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "synthema/data/table.hpp"

namespace synthema::detail {

// Of a category or boolean column, in the order of their codes.
inline std::vector<std::string> labels_of(const Column& column) {
  if (column.kind() == Kind::boolean) return {"false", "true"};
  std::vector<std::string> out;
  for (std::size_t code = 0; code < column.labels().size(); ++code)
    out.emplace_back(column.labels().text_at(code));
  return out;
}

// Place among the labels of a cell that is not null.
inline std::size_t label_code(const Column& column, std::size_t row) {
  return column.kind() == Kind::boolean ? std::size_t{column.boolean_at(row)}
                                        : static_cast<std::size_t>(column.codes()[row]);
}

// Rows of each label that occurs.
using Frequencies = std::map<std::string, double>;
inline Frequencies label_counts(const Column& column) {
  const std::vector<std::string> labels = labels_of(column);
  std::vector<double> counts(labels.size());
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) ++counts[label_code(column, row)];
  Frequencies out;
  for (std::size_t code = 0; code < counts.size(); ++code)
    if (counts[code] > 0) out[labels[code]] += counts[code];
  return out;
}

}  // namespace synthema::detail
