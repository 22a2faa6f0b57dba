#include "synthema/learn/mixed_distance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "synthema/core/error.hpp"

namespace synthema {

namespace {

bool holds_numbers(const Column& column) {
  return column.kind() == Kind::real || column.kind() == Kind::integer || column.kind() == Kind::time;
}
bool holds_labels(const Column& column) {
  return column.kind() == Kind::category || column.kind() == Kind::boolean;
}

void check_kind(const Column& column, const std::string& name, bool number) {
  if (number ? holds_numbers(column) : holds_labels(column)) return;
  throw EvaluationError({.field = name},
                        message("A distance needs numbers in every table or categories in every "
                                "table, but here the column is ",
                                name_of(column.kind()), "."));
}

// Share of the sorted values below x, ties at the middle.
double quantile_of(const std::vector<double>& sorted, double x) {
  const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), x);
  return static_cast<double>((low - sorted.begin()) + (high - sorted.begin())) /
         (2 * static_cast<double>(sorted.size()));
}

}  // namespace

struct MixedSpace::Labels {
  std::unordered_map<std::string, std::uint32_t> codes;

  std::uint32_t of(const std::string& label) {
    return codes.try_emplace(label, static_cast<std::uint32_t>(codes.size())).first->second;
  }
};

MixedSpace::MixedSpace(std::span<const Table* const> scale_by, std::vector<std::string> names,
                       Scaling scaling)
    : names_(std::move(names)), columns_(names_.size()) {
  if (scale_by.empty()) throw ConfigError("A space of distances needs a table to take its ranges from.");
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    ColumnSpace& space = columns_[c];
    space.number = holds_numbers(scale_by.front()->column(names_[c]));
    space.place = space.number ? ranges_.size() : c - ranges_.size();
    if (!space.number) space.labels = std::make_shared<Labels>();
    std::vector<double> values;
    for (const Table* table : scale_by) {
      const Column& column = table->column(names_[c]);
      check_kind(column, names_[c], space.number);
      for (std::size_t row = 0; space.number && row < column.size(); ++row)
        if (!column.is_null(row)) values.push_back(column.number_at(row));
    }
    if (!space.number) continue;
    std::sort(values.begin(), values.end());
    space.low = values.empty() ? 0 : values.front();
    space.range = values.empty() ? 0 : values.back() - values.front();
    if (scaling == Scaling::quantile && space.range > 0) {
      space.low = 0;
      space.range = 1;
      space.sorted = std::move(values);
    }
    // Any difference divided by the smallest number is more than 1, and no difference stays 0.
    if (!(space.range > 0)) space.range = std::numeric_limits<double>::denorm_min();
    ranges_.push_back(space.range);
  }
}

void MixedSpace::encode_numbers(const Column& column, const ColumnSpace& space, MixedRows& out) const {
  for (std::size_t row = 0; row < column.size(); ++row) {
    double& cell = out.numbers[row * out.number_columns + space.place];
    if (column.is_null(row))
      cell = kMissing;
    else
      cell = space.sorted.empty() ? column.number_at(row) : quantile_of(space.sorted, column.number_at(row));
  }
}

void MixedSpace::encode_labels(const Column& column, const ColumnSpace& space, MixedRows& out) const {
  std::vector<std::uint32_t> of_code;  // each label of a category is looked up once
  if (column.kind() == Kind::category)
    for (std::size_t code = 0; code < column.labels().size(); ++code)
      of_code.push_back(space.labels->of(std::string(column.labels().text_at(code))));
  for (std::size_t row = 0; row < column.size(); ++row) {
    std::uint32_t& cell = out.labels[row * out.label_columns + space.place];
    if (column.is_null(row))
      cell = kMissingLabel;
    else if (column.kind() == Kind::category)
      cell = of_code[static_cast<std::size_t>(column.codes()[row])];
    else
      cell = space.labels->of(column.boolean_at(row) ? "true" : "false");
  }
}

MixedRows MixedSpace::encode(const Table& table) {
  MixedRows out{table.rows(), ranges_.size(), columns_.size() - ranges_.size(), {}, {}};
  out.numbers.resize(out.rows * out.number_columns);
  out.labels.resize(out.rows * out.label_columns);
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const Column& column = table.column(names_[c]);
    check_kind(column, names_[c], columns_[c].number);
    if (columns_[c].number)
      encode_numbers(column, columns_[c], out);
    else
      encode_labels(column, columns_[c], out);
  }
  return out;
}

double MixedSpace::distance(const MixedRow& a, const MixedRow& b) const {
  double sum = 0;
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    const double apart = std::abs(a.numbers[i] - b.numbers[i]) / ranges_[i];
    sum += apart < 1 ? apart : 1;
  }
  std::size_t different = 0;
  for (std::size_t i = 0; i < a.labels.size(); ++i) different += a.labels[i] != b.labels[i] ? 1 : 0;
  return (sum + static_cast<double>(different)) / static_cast<double>(columns_.size());
}

}  // namespace synthema
