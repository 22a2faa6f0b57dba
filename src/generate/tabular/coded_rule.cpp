#include "src/generate/tabular/coded_rule.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "synthema/core/special_numbers.hpp"
#include "synthema/data/field_rule.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema::detail {

namespace {

constexpr const char* kRelations[] = {"<", "<=", "=", ">=", ">", "!="};

int relation_of(const std::string& text) {
  const auto at = std::ranges::find(kRelations, text);
  return at == std::end(kRelations) ? -1 : static_cast<int>(at - std::begin(kRelations));
}

bool related(int relation, double a, double b) {
  switch (relation) {
    case 0:
      return a < b;
    case 1:
      return a <= b;
    case 2:
      return a == b;
    case 3:
      return a >= b;
    case 4:
      return a > b;
    case 5:
      return a != b;
    default:
      return true;
  }
}

std::optional<double> number_in(const ColumnCoding& coding, const std::string& text) {
  if (coding.field.kind == Kind::time) {
    const auto parsed = parse_iso8601(text);
    return parsed ? std::optional(static_cast<double>(parsed->time.microseconds)) : std::nullopt;
  }
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

}  // namespace

std::vector<bool> mask_of(const ColumnCoding& coding, const std::vector<std::string>& labels) {
  const std::unordered_set<std::string_view> wanted(labels.begin(), labels.end());
  std::vector<bool> out;
  for (const std::string& label : coding.labels) out.push_back(wanted.contains(label));
  return out;
}

std::size_t number_of_field(const Schema& schema, const std::string& name) {
  return static_cast<std::size_t>(&schema.at(name) - schema.fields.data());
}

std::optional<CodedRule> coded_rule(const Schema& schema, const FieldRule& from,
                                    std::span<const ColumnCoding> columns) {
  if (!schema.find(from.field) || !schema.find(from.given)) return std::nullopt;
  CodedRule rule{.labels = {},
                 .numbers = {},
                 .lowest = from.lowest.value_or(-kInfinity),
                 .highest = from.highest.value_or(kInfinity),
                 .minimum = from.minimum.value_or(-kInfinity),
                 .maximum = from.maximum.value_or(kInfinity),
                 .categories = {},
                 .same = {}};
  rule.field = number_of_field(schema, from.field);
  rule.given = number_of_field(schema, from.given);
  const ColumnCoding &field = columns[rule.field], &given = columns[rule.given];
  if (!field.modelled() || !given.modelled()) return std::nullopt;
  rule.by_label = !from.labels.empty();
  if (rule.by_label && given.is_category()) rule.labels = mask_of(given, from.labels);
  if (rule.by_label && !given.is_category())
    for (const std::string& label : from.labels)
      if (const auto number = number_in(given, label)) rule.numbers.push_back(*number);
  std::ranges::sort(rule.numbers);
  rule.relation = relation_of(from.relation);
  rule.limits_labels = field.is_category() && !from.categories.empty();
  if (rule.limits_labels) rule.categories = mask_of(field, from.categories);
  if (field.is_category() && given.is_category()) {
    std::unordered_map<std::string_view, std::int64_t> codes;
    for (std::size_t i = 0; i < field.labels.size(); ++i) codes.emplace(field.labels[i], i);
    for (const std::string& label : given.labels)
      rule.same.push_back(codes.contains(label) ? codes.at(label) : -1);
  }
  return rule;
}

bool CodedRule::is_unconditional() const {
  return !by_label && std::isinf(lowest) && std::isinf(highest);
}

bool CodedRule::holds(double given_cell, std::span<const ColumnCoding> columns) const {
  if (!labels.empty()) return labels[static_cast<std::size_t>(given_cell)];
  if (columns[given].is_category()) return !by_label;
  const double number = columns[given].number(given_cell);
  if (by_label) return std::ranges::binary_search(numbers, number);
  return number >= lowest && number <= highest;
}

bool CodedRule::keeps(double field_cell, double given_cell, std::span<const ColumnCoding> columns) const {
  if (std::isnan(field_cell) || std::isnan(given_cell) || !holds(given_cell, columns)) return true;
  const ColumnCoding& coding = columns[field];
  if (coding.is_category()) {
    const auto code = static_cast<std::size_t>(field_cell);
    if (limits_labels && !categories[code]) return false;
    if (relation < 0 || same.empty()) return true;
    const bool is_same = same[static_cast<std::size_t>(given_cell)] == static_cast<std::int64_t>(code);
    return relation == 2 ? is_same : relation != 5 || !is_same;
  }
  const double number = coding.number(field_cell);
  if (number < minimum || number > maximum) return false;
  return columns[given].is_category() || related(relation, number, columns[given].number(given_cell));
}

}  // namespace synthema::detail
