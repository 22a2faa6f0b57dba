#include "synthema/generate/tabular/row_rules.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "synthema/data/timestamp.hpp"

namespace synthema {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr const char* kRelations[] = {"<", "<=", "=", ">=", ">", "!="};

// NaN equals nothing, not even itself.
double key_of(double cell) {
  return std::isnan(cell) ? kInfinity : cell;
}

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

std::vector<bool> mask(const ColumnCoding& coding, const std::vector<std::string>& labels) {
  const std::unordered_set<std::string_view> wanted(labels.begin(), labels.end());
  std::vector<bool> out;
  for (const std::string& label : coding.labels) out.push_back(wanted.contains(label));
  return out;
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

Combinations combinations_of(const CodedTable& coded, std::vector<std::size_t> columns,
                             std::size_t rare_below) {
  Combinations out{std::move(columns), {}};
  std::map<std::vector<std::uint32_t>, std::vector<std::uint32_t>> people;
  std::vector<std::uint32_t> codes(out.columns.size());
  for (std::size_t row = 0; row < coded.rows; ++row) {
    for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = coded.codes[out.columns[i]][row];
    people[codes].push_back(coded.people[row]);
  }
  for (auto& [combination, who] : people) {
    std::ranges::sort(who);
    const auto repeated = std::ranges::unique(who);
    if (who.size() - repeated.size() < rare_below) continue;
    std::vector<double> cells;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      const ColumnCoding& coding = coded.columns[out.columns[i]];
      const std::uint32_t code = combination[i];
      if (code == coding.missing_code()) cells.push_back(std::numeric_limits<double>::quiet_NaN());
      if (code < coding.codes()) cells.push_back(coding.is_category() ? code : coding.values[code]);
    }
    if (cells.size() == codes.size()) out.cells.insert(out.cells.end(), cells.begin(), cells.end());
  }
  if (out.cells.empty())
    throw GenerationError({.field = coded.columns[out.columns.front()].field.name},
                          message("No combination of this column and those named with it belongs to ",
                                  rare_below, " people, so none may be handed on."));
  return out;
}

RowRules::RowRules(const Schema& schema, std::span<const ColumnCoding> columns,
                   std::vector<Combinations> combinations)
    : combinations_(std::move(combinations)) {
  touching_.resize(columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const ColumnCoding& coding = columns[c];
    const Field& field = coding.field;
    Own own{field.minimum.value_or(-kInfinity), field.maximum.value_or(kInfinity), {}, field.nullable};
    if (coding.is_category() && !field.categories.empty()) own.labels = mask(coding, field.categories);
    // Labels that all are allowed need no mask.
    if (std::ranges::find(own.labels, false) == own.labels.end()) own.labels.clear();
    touching_[c] = coding.modelled() && (field.minimum || field.maximum || !own.labels.empty() ||
                                         (!field.nullable && coding.missing));
    own_.push_back(std::move(own));
  }
  const auto index = [&](const std::string& name) {
    return static_cast<std::size_t>(&schema.at(name) - schema.fields.data());
  };
  for (const FieldRule& from : schema.rules) {
    if (!schema.find(from.field) || !schema.find(from.given)) continue;
    Rule rule{.labels = {},
              .numbers = {},
              .lowest = from.lowest.value_or(-kInfinity),
              .highest = from.highest.value_or(kInfinity),
              .minimum = from.minimum.value_or(-kInfinity),
              .maximum = from.maximum.value_or(kInfinity),
              .categories = {},
              .same = {}};
    rule.field = index(from.field);
    rule.given = index(from.given);
    const ColumnCoding &field = columns[rule.field], &given = columns[rule.given];
    if (!field.modelled() || !given.modelled()) continue;
    rule.by_label = !from.labels.empty();
    if (rule.by_label && given.is_category()) rule.labels = mask(given, from.labels);
    if (rule.by_label && !given.is_category())
      for (const std::string& label : from.labels)
        if (const auto number = number_in(given, label)) rule.numbers.push_back(*number);
    std::ranges::sort(rule.numbers);
    rule.relation = relation_of(from.relation);
    rule.limits_labels = field.is_category() && !from.categories.empty();
    if (rule.limits_labels) rule.categories = mask(field, from.categories);
    if (field.is_category() && given.is_category()) {
      std::unordered_map<std::string_view, std::int64_t> codes;
      for (std::size_t i = 0; i < field.labels.size(); ++i) codes.emplace(field.labels[i], i);
      for (const std::string& label : given.labels)
        rule.same.push_back(codes.contains(label) ? codes.at(label) : -1);
    }
    touching_[rule.field] = touching_[rule.given] = true;
    rules_.push_back(std::move(rule));
  }
  for (const Combinations& with : combinations_) {
    auto& having = having_.emplace_back(with.columns.size());
    for (const std::size_t column : with.columns) touching_[column] = true;
    for (std::size_t i = 0; i < with.cells.size(); ++i)
      having[i % with.columns.size()][key_of(with.cells[i])].push_back(
          static_cast<std::uint32_t>(i / with.columns.size()));
  }
  refuse_conflicts(columns);
}

std::vector<std::size_t> RowRules::before(std::size_t column) const {
  std::vector<std::size_t> out;
  for (const Rule& rule : rules_)
    if (rule.field == column) out.push_back(rule.given);
  return out;
}

bool RowRules::holds(const Rule& rule, double given, std::span<const ColumnCoding> columns) const {
  if (!rule.labels.empty()) return rule.labels[static_cast<std::size_t>(given)];
  if (columns[rule.given].is_category()) return !rule.by_label;
  const double number = columns[rule.given].number(given);
  if (rule.by_label) return std::ranges::binary_search(rule.numbers, number);
  return number >= rule.lowest && number <= rule.highest;
}

bool RowRules::keeps(const Rule& rule, double field, double given,
                     std::span<const ColumnCoding> columns) const {
  if (std::isnan(field) || std::isnan(given) || !holds(rule, given, columns)) return true;
  const ColumnCoding& coding = columns[rule.field];
  if (coding.is_category()) {
    const auto code = static_cast<std::size_t>(field);
    if (rule.limits_labels && !rule.categories[code]) return false;
    if (rule.relation < 0 || rule.same.empty()) return true;
    const bool same = rule.same[static_cast<std::size_t>(given)] == static_cast<std::int64_t>(code);
    return rule.relation == 2 ? same : rule.relation != 5 || !same;
  }
  const double number = coding.number(field);
  if (number < rule.minimum || number > rule.maximum) return false;
  return columns[rule.given].is_category() ||
         related(rule.relation, number, columns[rule.given].number(given));
}

// Whether some combination has this cell and all cells of its columns that are known. Only those with the
// cell are looked at.
bool RowRules::combines(std::size_t which, std::size_t column, double cell, const KnownCells& row) const {
  const Combinations& with = combinations_[which];
  const std::size_t width = with.columns.size();
  const auto place = std::ranges::find(with.columns, column) - with.columns.begin();
  if (place == static_cast<std::ptrdiff_t>(width)) return true;
  const auto& having = having_[which][static_cast<std::size_t>(place)];
  const auto at = having.find(key_of(cell));
  if (at == having.end()) return false;
  return std::ranges::any_of(at->second, [&](std::uint32_t i) {
    for (std::size_t k = 0; k < width; ++k) {
      const std::size_t other = with.columns[k];
      if (other != column && row.known[other] &&
          key_of(with.cells[i * width + k]) != key_of(row.cells[other]))
        return false;
    }
    return true;
  });
}

bool RowRules::admits(std::size_t column, double cell, const KnownCells& row,
                      std::span<const ColumnCoding> columns) const {
  const Own& own = own_[column];
  const ColumnCoding& coding = columns[column];
  for (std::size_t i = 0; i < combinations_.size(); ++i)
    if (!combines(i, column, cell, row)) return false;
  if (std::isnan(cell)) return own.nullable;
  if (coding.is_category()) {
    if (!own.labels.empty() && !own.labels[static_cast<std::size_t>(cell)]) return false;
  } else {
    const double number = coding.number(cell);
    if (number < own.minimum || number > own.maximum) return false;
  }
  for (const Rule& rule : rules_) {
    if (rule.field == column && row.known[rule.given] && !keeps(rule, cell, row.cells[rule.given], columns))
      return false;
    if (rule.given == column && row.known[rule.field] && !keeps(rule, row.cells[rule.field], cell, columns))
      return false;
  }
  return true;
}

std::optional<std::pair<double, double>> RowRules::range(std::size_t column, const KnownCells& row,
                                                         std::span<const ColumnCoding> columns) const {
  const ColumnCoding& coding = columns[column];
  if (coding.is_category()) return std::nullopt;
  double low = own_[column].minimum, high = own_[column].maximum;
  const auto bound = [&](int relation, double other) {
    if (relation == 2 || relation == 3 || relation == 4) low = std::max(low, other);
    if (relation == 0 || relation == 1 || relation == 2) high = std::min(high, other);
  };
  for (const Rule& rule : rules_) {
    const std::size_t other = rule.field == column ? rule.given : rule.field;
    if ((rule.field != column && rule.given != column) || !row.known[other] || std::isnan(row.cells[other]))
      continue;
    if (rule.field == column) {
      if (!holds(rule, row.cells[other], columns)) continue;
      low = std::max(low, rule.minimum);
      high = std::min(high, rule.maximum);
    }
    if (!columns[other].is_category() && rule.relation >= 0)
      bound(rule.field == column ? rule.relation
            : rule.relation < 5  ? 4 - rule.relation
                                 : 5,
            columns[other].number(row.cells[other]));
  }
  double from = coding.cell_of_number(low), to = coding.cell_of_number(high);
  if (coding.grid) from = std::ceil(from), to = std::floor(to);
  if (std::isinf(from)) from = std::min(coding.values.front(), to);
  if (std::isinf(to)) to = std::max(coding.values.back(), from);
  if (!(from <= to)) return std::nullopt;
  return std::pair(from, to);
}

// What can be seen without drawing: a column of which nothing is left, alone or beside one label of another.
void RowRules::refuse_conflicts(std::span<const ColumnCoding> columns) const {
  std::vector<double> cells(columns.size());
  std::vector<std::uint8_t> known(columns.size());
  const auto some_left = [&](std::size_t column) {
    const ColumnCoding& coding = columns[column];
    const KnownCells row{cells, known};
    if (own_[column].nullable && coding.missing) return true;
    for (std::size_t code = 0; code < coding.codes(); ++code)
      if (admits(column, coding.is_category() ? static_cast<double>(code) : coding.values[code], row,
                 columns))
        return true;
    const auto left = range(column, row, columns);
    return left && (admits(column, left->first, row, columns) || admits(column, left->second, row, columns));
  };
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (touches(c) && !some_left(c))
      throw GenerationError(
          {.field = columns[c].field.name},
          "The schema allows none of the values that may be handed on; correct its range or labels.");
  for (const Rule& rule : rules_) {
    const ColumnCoding& given = columns[rule.given];
    if (!given.is_category()) continue;
    for (std::size_t code = 0; code < given.labels.size(); ++code) {
      cells[rule.given] = static_cast<double>(code);
      known[rule.given] = 1;
      const bool some = some_left(rule.field);
      known[rule.given] = 0;
      if (!some)
        throw GenerationError(
            {.field = columns[rule.field].field.name},
            message("The rules of the schema leave no value where '", given.field.name, "' is '",
                    given.labels[code], "'; they contradict each other or the real table."));
    }
  }
}

}  // namespace synthema
