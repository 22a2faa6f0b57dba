#include "synthema/learn/binned_table.hpp"

#include <algorithm>
#include <cmath>

#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

bool is_ordered(Kind kind) {
  return kind == Kind::real || kind == Kind::integer || kind == Kind::time || kind == Kind::boolean;
}

// Halfway between neighbouring different values where each may have its bin, else halfway between the two
// values around each quantile.
std::vector<double> cuts_of(const Column& column, std::size_t max_bins) {
  std::vector<double> values;
  values.reserve(column.size());
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row) && !std::isnan(column.number_at(row))) values.push_back(column.number_at(row));
  std::sort(values.begin(), values.end());
  std::vector<double> different = values, cuts;
  different.erase(std::unique(different.begin(), different.end()), different.end());
  const auto halfway = [](double a, double b) {
    const double middle = a / 2 + b / 2;
    return middle < b ? middle : a;  // the cut belongs to the lower bin, also where a and b are neighbours
  };
  if (different.size() <= max_bins) {
    for (std::size_t i = 1; i < different.size(); ++i)
      cuts.push_back(halfway(different[i - 1], different[i]));
    return cuts;
  }
  for (std::size_t i = 1; i < max_bins; ++i) {
    const double place =
        static_cast<double>(i) / static_cast<double>(max_bins) * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const double cut = halfway(values[below], values[std::min(below + 1, values.size() - 1)]);
    if (cut < values.back() && (cuts.empty() || cut > cuts.back())) cuts.push_back(cut);
  }
  return cuts;
}

std::vector<std::size_t> label_counts(const Column& column) {
  std::vector<std::size_t> out(column.labels().size());
  const std::span<const std::int32_t> codes = column.codes();
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) ++out[static_cast<std::size_t>(codes[row])];
  return out;
}

// The most frequent labels first, equally frequent ones in the order of their bytes: neither the order of the
// rows nor that of the labels decides.
void learn_labels(const Column& column, std::size_t max_bins, BinnedColumn& out) {
  const std::vector<std::size_t> counts = label_counts(column);
  std::vector<std::pair<std::size_t, std::string>> order;
  for (std::size_t code = 0; code < counts.size(); ++code)
    if (counts[code] > 0) order.emplace_back(counts[code], std::string(column.labels().text_at(code)));
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  order.resize(std::min(order.size(), max_bins - 1));
  for (const auto& [count, label] : order)
    out.labels.emplace(label, static_cast<std::uint8_t>(out.labels.size()));
  out.bins = out.labels.size() + 2;  // what has no bin of its own, and missing
}

BinnedColumn learn(const Table& table, const std::string& name, std::size_t max_bins) {
  const Column& column = table.column(name);
  BinnedColumn out;
  out.name = name;
  if (column.kind() == Kind::category) {
    out.categorical = true;
    learn_labels(column, max_bins, out);
  } else if (is_ordered(column.kind())) {
    out.cuts = cuts_of(column, max_bins);
    out.bins = out.cuts.size() + 2;
  } else {
    throw SchemaError({.field = name}, message("A column of kind ", name_of(column.kind()),
                                               " cannot be cut into bins; leave it out or encode it first."));
  }
  return out;
}

std::vector<std::uint8_t> category_cells(const Column& column, const BinnedColumn& learnt) {
  const auto other = static_cast<std::uint8_t>(learnt.labels.size());
  std::vector<std::uint8_t> of_code(column.labels().size(), other);
  for (std::size_t code = 0; code < of_code.size(); ++code)
    if (const auto found = learnt.labels.find(std::string(column.labels().text_at(code)));
        found != learnt.labels.end())
      of_code[code] = found->second;
  std::vector<std::uint8_t> out(column.size(), learnt.missing());
  const std::span<const std::int32_t> codes = column.codes();
  for (std::size_t row = 0; row < out.size(); ++row)
    if (!column.is_null(row)) out[row] = of_code[static_cast<std::size_t>(codes[row])];
  return out;
}

std::vector<std::uint8_t> number_cells(const Column& column, const BinnedColumn& learnt) {
  std::vector<std::uint8_t> out(column.size(), learnt.missing());
  for (std::size_t row = 0; row < out.size(); ++row) {
    if (column.is_null(row)) continue;
    const double value = column.number_at(row);
    if (std::isnan(value)) continue;
    out[row] = static_cast<std::uint8_t>(std::lower_bound(learnt.cuts.begin(), learnt.cuts.end(), value) -
                                         learnt.cuts.begin());
  }
  return out;
}

}  // namespace

BinnedTable BinnedTable::take(std::span<const std::size_t> rows) const {
  BinnedTable out;
  out.rows_ = rows.size();
  for (const std::vector<std::uint8_t>& cells : cells_) {
    std::vector<std::uint8_t>& taken = out.cells_.emplace_back(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) taken[i] = cells[rows[i]];
  }
  return out;
}

Binning::Binning(const Table& table, std::span<const std::string> columns, std::size_t max_bins) {
  if (max_bins < 2 || max_bins > 255)
    throw ConfigError({.field = "max_bins"},
                      message("There may be 2 to 255 bins, but ", max_bins, " were asked for."));
  for (const std::string& name : columns) columns_.push_back(learn(table, name, max_bins));
}

BinnedTable Binning::apply(const Table& table, std::size_t threads) const {
  for (const BinnedColumn& learnt : columns_) {
    if (!table.has(learnt.name))
      throw EvaluationError({.field = learnt.name}, "The table lacks a column that the model was fitted on.");
    const Kind kind = table.column(learnt.name).kind();
    if (learnt.categorical ? kind != Kind::category : !is_ordered(kind))
      throw EvaluationError({.field = learnt.name},
                            message("The column is of kind ", name_of(kind), ", but the model was fitted on ",
                                    learnt.categorical ? "a category." : "numbers."));
  }
  BinnedTable out;
  out.rows_ = table.rows();
  out.cells_.resize(columns_.size());
  parallel_for(
      columns_.size(),
      [&](std::size_t i) {
        const Column& column = table.column(columns_[i].name);
        out.cells_[i] =
            columns_[i].categorical ? category_cells(column, columns_[i]) : number_cells(column, columns_[i]);
      },
      threads);
  return out;
}

}  // namespace synthema
