#include "src/generate/tabular/coded_rules.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "synthema/core/error.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/data/field_rule.hpp"

namespace synthema::detail {

namespace {}  // namespace

CodedRules::CodedRules(const Schema& schema, std::span<const ColumnCoding> columns)
    : touching(columns.size()), combined(columns.size()) {
  add_own(columns);
  for (const FieldRule& from : schema.rules)
    if (std::optional<CodedRule> rule = coded_rule(schema, from, columns)) {
      touching[rule->field] = touching[rule->given] = 1;
      rules.push_back(std::move(*rule));
    }
  // Nothing depends on how the schema lists them.
  std::ranges::stable_sort(rules, {}, [](const CodedRule& r) { return std::pair(r.field, r.given); });
  for (const GroupRule& from : schema.groups) {
    if (from.kind == "combinations")
      add_combinations(schema, from, columns);
    else
      add_group(schema, from, columns);
  }
  note_bound();
}

void CodedRules::add_own(std::span<const ColumnCoding> columns) {
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const ColumnCoding& coding = columns[c];
    const Field& field = coding.field;
    OwnRange range{field.minimum.value_or(-kInfinity), field.maximum.value_or(kInfinity), {}, field.nullable};
    if (coding.is_category() && !field.categories.empty()) range.labels = mask_of(coding, field.categories);
    // Labels that all are allowed need no mask.
    if (std::ranges::find(range.labels, false) == range.labels.end()) range.labels.clear();
    touching[c] = coding.modelled() && (field.minimum || field.maximum || !range.labels.empty() ||
                                        (!field.nullable && coding.missing));
    own.push_back(std::move(range));
  }
}

void CodedRules::add_group(const Schema& schema, const GroupRule& from,
                           std::span<const ColumnCoding> columns) {
  CodedGroup group{.kind = from.kind, .fields = {}, .text = from.kind + " of "};
  bool all_modelled = true;
  for (const std::string& name : from.fields) {
    group.fields.push_back(number_of_field(schema, name));
    all_modelled = all_modelled && columns[group.fields.back()].modelled();
    group.text += (group.fields.size() > 1 ? ", '" : "'") + name + "'";
  }
  if (from.kind == "unique") {
    // What is drawn afresh differs by itself; what has no value does not tell rows apart.
    if (std::ranges::any_of(group.fields,
                            [&](std::size_t c) { return columns[c].form == CodingForm::fresh; }))
      return;
    std::erase_if(group.fields, [&](std::size_t c) { return !columns[c].modelled(); });
    keys.push_back(group.fields);
    return;
  }
  if (group.is_sum()) group.total = number_of_field(schema, from.total);
  if (!all_modelled || (group.is_sum() && !columns[group.total].modelled())) return;
  for (const std::size_t column : group.fields) touching[column] = 1;
  if (group.is_sum()) touching[group.total] = 1;
  groups.push_back(std::move(group));
}

void CodedRules::add_combinations(const Schema& schema, const GroupRule& group,
                                  std::span<const ColumnCoding> columns) {
  Combinations listed = listed_combinations(schema, group, columns);
  if (listed.columns.empty()) return;
  const CombinationIndex& with = combinations.emplace_back(std::move(listed));
  if (with.size() == 0)
    throw GenerationError(
        {.field = group.fields.front()},
        group.rows.empty()
            ? message("The schema lists no combinations for the group of this column, and there are no rows "
                      "to take the ",
                      with.text(columns), " from; list them, or leave the group out.")
            : message("None of the ", group.rows.size(), " ", with.text(columns),
                      " that the schema lists is of values that may be handed on; correct the list."));
  for (std::size_t k = 0; k < with.columns().size(); ++k) {
    const std::size_t column = with.columns()[k];
    touching[column] = combined[column] = 1;
    if (!with.may_miss(k)) own[column].nullable = false;
  }
}

void CodedRules::note_bound() {
  bound.resize(own.size());
  const auto bind = [&](std::span<const std::size_t> together) {
    for (const std::size_t a : together)
      for (const std::size_t b : together)
        if (a != b) bound[a].push_back(b);
  };
  for (const CodedRule& rule : rules) bind(std::vector{rule.field, rule.given});
  for (const CodedGroup& group : groups) {
    std::vector<std::size_t> together = group.fields;
    if (group.is_sum()) together.push_back(group.total);
    bind(together);
  }
  for (const CombinationIndex& with : combinations) bind(with.columns());
  for (std::vector<std::size_t>& others : bound) {
    std::ranges::sort(others);
    others.erase(std::unique(others.begin(), others.end()), others.end());
  }
}

bool CodedRules::admits(std::size_t column, double cell, const KnownCells& row,
                        std::span<const ColumnCoding> columns, std::size_t skipped) const {
  const OwnRange& alone = own[column];
  const ColumnCoding& coding = columns[column];
  for (std::size_t i = 0; i < combinations.size(); ++i)
    if (i != skipped && !combinations[i].admits(column, cell, row)) return false;
  for (const CodedGroup& group : groups)
    if (!group.keeps(column, cell, row, columns, own)) return false;
  if (std::isnan(cell)) return alone.nullable;
  if (coding.is_category()) {
    if (!alone.labels.empty() && !alone.labels[static_cast<std::size_t>(cell)]) return false;
  } else {
    const double number = coding.number(cell);
    if (number < alone.minimum || number > alone.maximum) return false;
  }
  for (const CodedRule& rule : rules) {
    if (rule.field == column && row.known[rule.given] && !rule.keeps(cell, row.cells[rule.given], columns))
      return false;
    if (rule.given == column && row.known[rule.field] && !rule.keeps(row.cells[rule.field], cell, columns))
      return false;
  }
  return true;
}

std::optional<std::pair<double, double>> CodedRules::range(std::size_t column, const KnownCells& row,
                                                           std::span<const ColumnCoding> columns) const {
  const ColumnCoding& coding = columns[column];
  if (coding.is_category()) return std::nullopt;
  double low = own[column].minimum, high = own[column].maximum;
  const auto limit = [&](int relation, double other) {
    if (relation == 2 || relation == 3 || relation == 4) low = std::max(low, other);
    if (relation == 0 || relation == 1 || relation == 2) high = std::min(high, other);
  };
  for (const CodedRule& rule : rules) {
    const std::size_t other = rule.field == column ? rule.given : rule.field;
    if ((rule.field != column && rule.given != column) || !row.known[other] || std::isnan(row.cells[other]))
      continue;
    if (rule.field == column) {
      if (!rule.holds(row.cells[other], columns)) continue;
      low = std::max(low, rule.minimum);
      high = std::min(high, rule.maximum);
    } else if (!rule.is_unconditional()) {
      continue;  // where it does not hold, any number is left
    }
    if (!columns[other].is_category() && rule.relation >= 0)
      limit(rule.field == column ? rule.relation
            : rule.relation < 5  ? 4 - rule.relation
                                 : 5,
            columns[other].number(row.cells[other]));
  }
  bool sums = false;
  for (const CodedGroup& group : groups) {
    if (!group.binds(column)) continue;
    if (!group.is_sum()) {
      const auto [from, to] = group.room_of_member(column, row, columns);
      low = std::max(low, from);
      high = std::min(high, to);
      continue;
    }
    const auto [least, most] = group.room(column, row, columns, own);
    // The slack is for comparing; a number that is determined lies in the middle.
    const bool determined = most - least <= 4 * kSumTolerance * std::max(1.0, std::abs(least));
    low = std::max(low, determined ? std::midpoint(least, most) : least);
    high = std::min(high, determined ? std::midpoint(least, most) : most);
    sums = true;
  }
  double from = coding.cell_of_number(low), to = coding.cell_of_number(high);
  // A sum of decimal numbers is seldom exact in binary.
  const double snap = sums ? 1e-6 : 0;
  if (coding.grid) from = std::ceil(from - snap), to = std::floor(to + snap);
  if (std::isinf(from)) from = std::min(coding.values.front(), to);
  if (std::isinf(to)) to = std::max(coding.values.back(), from);
  if (!(from <= to)) return std::nullopt;
  return std::pair(from, to);
}

}  // namespace synthema::detail
