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

TargetColumn::TargetColumn(const Table& table, std::string name, std::size_t most_labels)
    : name_(std::move(name)) {
  if (most_labels == 1)
    throw ConfigError({.field = "target_labels"}, "A target has two classes at least; 0 keeps all labels.");
  const Column& column = readable(table, name_);
  std::map<std::string, std::size_t> rows_of;  // by label
  std::set<double> numbers;
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    if (is_label(column.kind()))
      ++rows_of[label_at(column, row)];
    else if (numbers.size() < 3)
      numbers.insert(column.number_at(row));
  }
  if (std::max(rows_of.size(), numbers.size()) < 2)
    throw EvaluationError({.field = name_},
                          "The target has fewer than two different values, so nothing can be learnt.");
  name_classes(rows_of, most_labels == 0 ? rows_of.size() : most_labels);
  if (numbers.size() != 2) return;
  two_.assign(numbers.begin(), numbers.end());
  for (const double value : two_) labels_.push_back(message(value));
}

void TargetColumn::name_classes(const std::map<std::string, std::size_t>& rows_of, std::size_t most) {
  std::vector<std::pair<std::size_t, std::string>> commonest;  // labels that are classes of their own
  for (const auto& [label, rows] : rows_of) commonest.emplace_back(rows, label);
  if (rows_of.size() > most) {
    std::stable_sort(commonest.begin(), commonest.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    commonest.resize(most - 1);
    gathered_ = rows_of.size() - commonest.size();
  }
  for (auto& [rows, label] : commonest) labels_.push_back(std::move(label));
  std::sort(labels_.begin(), labels_.end());
  for (std::size_t i = 0; i < labels_.size(); ++i) class_of_[labels_[i]] = static_cast<double>(i);
  if (gathered_ == 0) return;
  for (const auto& [label, rows] : rows_of) class_of_.try_emplace(label, static_cast<double>(labels_.size()));
  labels_.push_back(message("one of the ", gathered_, " rarest labels"));
}

Target TargetColumn::of(const Table& table) const {
  const Column& column = readable(table, name_);
  const bool wants_labels = !labels_.empty() && two_.empty();
  if (wants_labels != is_label(column.kind()))
    throw EvaluationError({.field = name_}, message("The target is of kind ", name_of(column.kind()),
                                                    " in one table and of another kind in the other."));
  Target out{labels_.size(), std::vector<double>(column.size(), std::numeric_limits<double>::quiet_NaN())};
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    if (wants_labels) {
      const auto found = class_of_.find(label_at(column, row));
      if (found != class_of_.end()) out.values[row] = found->second;
    } else if (const double value = column.number_at(row); two_.empty()) {
      out.values[row] = value;
    } else if (const auto found = std::find(two_.begin(), two_.end(), value); found != two_.end()) {
      out.values[row] = static_cast<double>(found - two_.begin());
    }
  }
  return out;
}

std::vector<double> Predictions::column(std::size_t output) const {
  std::vector<double> out(rows());
  for (std::size_t row = 0; row < out.size(); ++row) out[row] = at(row, output);
  return out;
}

}  // namespace synthema
