#include "synthema/learn/target.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "src/learn/label_at.hpp"

namespace synthema {

namespace {

using detail::is_label;
using detail::label_at;

const Column& readable(const Table& table, const std::string& name) {
  if (!table.has(name)) throw EvaluationError({.field = name}, "The table has no such target column.");
  const Column& column = table.column(name);
  if (column.kind() == Kind::text || column.kind() == Kind::list)
    throw EvaluationError({.field = name},
                          message("A column of kind ", name_of(column.kind()),
                                  " cannot be predicted; a target is a category or a number."));
  return column;
}

}  // namespace

std::vector<std::uint32_t> all_rows(std::size_t rows) {
  std::vector<std::uint32_t> out(rows);
  std::iota(out.begin(), out.end(), std::uint32_t{0});
  return out;
}

std::vector<std::uint32_t> Target::rows_with_value() const {
  std::vector<std::uint32_t> out;
  for (std::size_t row = 0; row < values.size(); ++row)
    if (!std::isnan(values[row])) out.push_back(static_cast<std::uint32_t>(row));
  return out;
}

TargetColumn::TargetColumn(const Table& table, std::string name) : name_(std::move(name)) {
  const Column& column = readable(table, name_);
  std::set<std::string> labels;
  std::set<double> numbers;
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    if (is_label(column.kind()))
      labels.insert(label_at(column, row));
    else if (numbers.size() < 3)
      numbers.insert(column.number_at(row));
  }
  if (std::max(labels.size(), numbers.size()) < 2)
    throw EvaluationError({.field = name_},
                          "The target has fewer than two different values, so nothing can be learnt.");
  labels_.assign(labels.begin(), labels.end());
  if (numbers.size() != 2) return;
  two_.assign(numbers.begin(), numbers.end());
  for (const double value : two_) labels_.push_back(message(value));
}

Target TargetColumn::of(const Table& table) const {
  const Column& column = readable(table, name_);
  const bool wants_labels = !labels_.empty() && two_.empty();
  if (wants_labels != is_label(column.kind()))
    throw EvaluationError({.field = name_}, message("The target is of kind ", name_of(column.kind()),
                                                    " in one table and of another kind in the other."));
  Target out{labels_.size(), std::vector<double>(column.size(), std::numeric_limits<double>::quiet_NaN())};
  const auto place = [](const auto& list, const auto& value) {
    const auto found = std::find(list.begin(), list.end(), value);
    return found == list.end() ? std::numeric_limits<double>::quiet_NaN()
                               : static_cast<double>(found - list.begin());
  };
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    if (wants_labels)
      out.values[row] = place(labels_, label_at(column, row));
    else
      out.values[row] = two_.empty() ? column.number_at(row) : place(two_, column.number_at(row));
  }
  return out;
}

std::vector<double> Predictions::column(std::size_t output) const {
  std::vector<double> out(rows());
  for (std::size_t row = 0; row < out.size(); ++row) out[row] = at(row, output);
  return out;
}

}  // namespace synthema
