#include "synthema/learn/design_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "src/learn/label_at.hpp"

namespace synthema {

namespace {

using detail::is_label;
using detail::is_number;

constexpr double kFarthest = 1e100;  // deviations; so that no score of a row is infinite

// A difference beyond the largest number is that one: two infinite ones have no ratio.
double apart(double value, double mean) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return std::clamp(value - mean, -kMost, kMost);
}

}  // namespace

std::vector<double> DesignMatrix::dense() const {
  std::vector<double> out(rows * columns);
  for (std::size_t row = 0; row < rows; ++row)
    for (std::size_t e = row * entries; e < (row + 1) * entries; ++e)
      if (index[e] != none) out[row * columns + index[e]] = value[e];
  return out;
}

DesignEncoding::DesignEncoding(const Table& training, std::span<const std::string> columns, bool standardize)
    : standardize_(standardize) {
  for (const std::string& name : columns) {
    const Column& column = training.column(name);
    Source& source = sources_.emplace_back();
    source.name = name;
    source.categorical = is_label(column.kind());
    if (!source.categorical && !is_number(column.kind()))
      throw SchemaError({.field = name}, message("A column of kind ", name_of(column.kind()),
                                                 " has no numbers; leave it out or encode it first."));
    if (source.categorical)
      learn_labels(column, source);
    else
      learn_number(column, source);
    const std::size_t missing = column.null_count();
    if (missing > 0 && missing < column.size())
      std::tie(source.missing, source.missing_value) =
          indicator(name + " is missing", missing, column.size());
  }
}

// A new column that is 1 in `count` of the rows, and the value that stands for 1.
std::pair<std::uint32_t, double> DesignEncoding::indicator(std::string name, std::size_t count,
                                                           std::size_t rows) {
  const double share = static_cast<double>(count) / static_cast<double>(rows);
  names_.push_back(std::move(name));
  return {static_cast<std::uint32_t>(names_.size() - 1),
          standardize_ ? 1 / std::sqrt(share * (1 - share)) : 1};
}

void DesignEncoding::learn_number(const Column& column, Source& source) {
  std::vector<double> values;  // sorted, so that sums do not depend on the order of the rows
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) values.push_back(column.number_at(row));
  std::sort(values.begin(), values.end());
  if (values.empty() || values.front() == values.back()) return;
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value / n;
  // In units of the farthest, so that neither the squares of 1e300 nor those of 1e-300 are lost.
  const double farthest = std::max(apart(sum, values.front()), apart(values.back(), sum));
  for (const double value : values) squares += std::pow(apart(value, sum) / farthest, 2) / n;
  source.mean = sum;
  source.scale = farthest * std::sqrt(squares);
  source.column = static_cast<std::uint32_t>(names_.size());
  names_.push_back(source.name);
}

void DesignEncoding::learn_labels(const Column& column, Source& source) {
  std::map<std::string, std::size_t> counts;
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) ++counts[detail::label_at(column, row)];
  for (const auto& [label, count] : counts)
    if (count < column.size())
      source.labels[label] = indicator(source.name + " = " + label, count, column.size());
}

DesignMatrix DesignEncoding::apply(const Table& table) const {
  // One entry a column of the table: a missing number is 0 in the column of its values.
  DesignMatrix out{table.rows(), names_.size(), sources_.size(), {}, {}};
  out.index.assign(out.rows * out.entries, DesignMatrix::none);
  out.value.assign(out.rows * out.entries, 0);
  std::size_t entry = 0;
  for (const Source& source : sources_) {
    if (!table.has(source.name))
      throw EvaluationError({.field = source.name}, "The table lacks a column that the model was fitted on.");
    const Column& column = table.column(source.name);
    if (source.categorical ? !is_label(column.kind()) : !is_number(column.kind()))
      throw EvaluationError({.field = source.name}, message("The column is of kind ", name_of(column.kind()),
                                                            ", but the model was fitted on another kind."));
    for (std::size_t row = 0; row < out.rows; ++row) {
      const std::size_t at = row * out.entries + entry;
      if (column.is_null(row)) {
        out.index[at] = source.missing, out.value[at] = source.missing_value;
      } else if (source.categorical) {
        const auto found = source.labels.find(detail::label_at(column, row));
        if (found != source.labels.end()) std::tie(out.index[at], out.value[at]) = found->second;
      } else if (source.column != DesignMatrix::none) {
        out.index[at] = source.column;
        out.value[at] =
            std::clamp(apart(column.number_at(row), source.mean) / source.scale, -kFarthest, kFarthest);
      }
    }
    ++entry;
  }
  return out;
}

}  // namespace synthema
