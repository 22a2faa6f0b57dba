#include "synthema/generate/tabular/row_rules.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "src/generate/tabular/coded_rules.hpp"
#include "src/generate/tabular/rule_conflicts.hpp"
#include "synthema/core/error.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema {

bool is_set_cell(const ColumnCoding& coding, double cell) {
  return !std::isnan(cell) && (coding.is_category() ? cell : coding.number(cell)) != 0;
}

RowRules::RowRules() : coded_(std::make_shared<detail::CodedRules>()) {}

RowRules::RowRules(const Schema& schema, std::span<const ColumnCoding> columns) {
  auto coded = std::make_shared<detail::CodedRules>(schema, columns);
  detail::refuse_conflicts(*coded, columns);
  coded_ = std::move(coded);
}

bool RowRules::touches(std::size_t column) const {
  return !coded_->touching.empty() && coded_->touching[column] != 0;
}

bool RowRules::may_miss(std::size_t column) const {
  return coded_->own.empty() || coded_->own[column].nullable;
}

bool RowRules::combined(std::size_t column) const {
  return !coded_->combined.empty() && coded_->combined[column] != 0;
}

const std::vector<std::vector<std::size_t>>& RowRules::keys() const {
  return coded_->keys;
}

std::span<const std::size_t> RowRules::bound_to(std::size_t column) const {
  return coded_->bound[column];
}

bool RowRules::admits(std::size_t column, double cell, const KnownCells& row,
                      std::span<const ColumnCoding> columns) const {
  return coded_->admits(column, cell, row, columns);
}

std::optional<std::pair<double, double>> RowRules::range(std::size_t column, const KnownCells& row,
                                                         std::span<const ColumnCoding> columns) const {
  return coded_->range(column, row, columns);
}

std::vector<std::size_t> RowRules::before(std::size_t column) const {
  std::vector<std::size_t> out;
  for (const detail::CodedRule& rule : coded_->rules)
    if (rule.field == column) out.push_back(rule.given);
  for (const detail::CodedGroup& group : coded_->groups)
    if (group.is_sum() && group.total == column)
      out.insert(out.end(), group.fields.begin(), group.fields.end());
  return out;
}

std::vector<std::size_t> RowRules::ordered(std::span<const std::size_t> wanted) const {
  std::vector<std::size_t> out;
  std::vector<bool> begun(coded_->own.size()), asked(coded_->own.size());
  for (const std::size_t column : wanted) asked[column] = true;
  const std::function<void(std::size_t)> add = [&](std::size_t column) {
    if (begun[column] || !asked[column]) return;  // a circle of rules is cut where it closes
    begun[column] = true;
    for (const std::size_t first : before(column)) add(first);
    out.push_back(column);
  };
  for (const std::size_t column : wanted) add(column);
  return out;
}

bool RowRules::is_total(std::size_t column) const {
  return std::ranges::any_of(coded_->groups, [&](const detail::CodedGroup& group) {
    return group.is_sum() && group.total == column;
  });
}

std::optional<std::pair<double, double>> RowRules::sums_of_parts(
    std::size_t column, std::span<const ColumnCoding> columns) const {
  const auto group = std::ranges::find_if(
      coded_->groups, [&](const detail::CodedGroup& one) { return one.is_sum() && one.total == column; });
  if (group == coded_->groups.end()) return std::nullopt;
  std::pair<double, double> out{0, 0};
  for (const std::size_t part : group->fields) {
    const auto [low, high] = reach_of(columns[part]);
    out.first += columns[part].number(low);
    out.second += columns[part].number(high);
  }
  return out;
}

std::vector<std::size_t> RowRules::following(std::span<const std::size_t> order,
                                             std::span<const std::uint8_t> fixed) const {
  const std::size_t columns = coded_->own.size();
  std::vector<bool> follows(columns);
  for (const detail::CodedGroup& group : coded_->groups) {
    if (!group.is_sum()) continue;
    std::size_t last = columns;
    for (const std::size_t column : order)
      if (!fixed[column] && !follows[column] && group.has_field(column)) last = column;
    if (!fixed[group.total]) last = group.total;
    if (last < columns) follows[last] = true;
  }
  std::vector<std::size_t> out;
  for (const std::size_t column : order)
    if (follows[column]) out.push_back(column);
  return out;
}

std::vector<std::pair<std::size_t, std::size_t>> RowRules::orders(
    std::span<const ColumnCoding> columns) const {
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (const detail::CodedRule& rule : coded_->rules)
    if (rule.is_unconditional() && rule.relation >= 0 && rule.relation != 2 && rule.relation != 5 &&
        !columns[rule.field].is_category() && !columns[rule.given].is_category())
      out.emplace_back(rule.field, rule.given);
  return out;
}

std::vector<std::vector<std::size_t>> RowRules::exclusive() const {
  std::vector<std::vector<std::size_t>> out;
  for (const detail::CodedGroup& group : coded_->groups)
    if (!group.is_sum()) out.push_back(group.fields);
  return out;
}

std::vector<double> RowRules::listed(std::size_t column) const {
  std::vector<double> out;
  for (const detail::CombinationIndex& with : coded_->combinations) {
    if (!with.has(column)) continue;
    out = with.numbers(column);
    break;  // a further group leaves no others
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void RowRules::refuse_too_many(std::uint64_t rows, std::span<const ColumnCoding> columns) const {
  for (const std::vector<std::size_t>& key : keys()) {
    double different = 1;
    std::string names;
    for (const std::size_t c : key) {
      const ColumnCoding& coding = columns[c];
      const detail::OwnRange& range = coded_->own[c];
      double own = std::numeric_limits<double>::infinity();
      if (coding.is_category()) own = static_cast<double>(coding.codes());
      if (coding.form == CodingForm::number && coding.grid)
        own = std::min(coding.values.back(), coding.cell_of_number(range.maximum)) -
              std::max(coding.values.front(), coding.cell_of_number(range.minimum)) + 1;
      // A list: no new number joins it.
      bool new_ones = coding.replaced.empty();
      for (std::size_t code = 0; code < coding.replaced.size(); ++code)
        new_ones = new_ones || (coding.protection[code] != Protection::none && !coding.is_replaced(code));
      if (!new_ones) own = static_cast<double>(std::ranges::count(coding.protection, Protection::none));
      different *= std::floor(own) + (coding.missing && range.nullable ? 1 : 0);
      names += (names.empty() ? "'" : ", '") + coding.field.name + "'";
    }
    if (different < static_cast<double>(rows))
      throw GenerationError(
          {.field = key.empty() ? "groups" : columns[key.front()].field.name},
          message("The key ", names, " has at most ", different, " different values, but ", rows,
                  " rows were asked for; ask for fewer, or add a column to the key."));
  }
}

}  // namespace synthema
