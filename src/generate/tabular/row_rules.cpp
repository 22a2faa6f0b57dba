#include "synthema/generate/tabular/row_rules.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "synthema/data/field_rule.hpp"
#include "synthema/data/timestamp.hpp"
#include "synthema/data/value.hpp"

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

RowRules::RowRules(const Schema& schema, std::span<const ColumnCoding> columns) {
  touching_.resize(columns.size());
  combined_.resize(columns.size());
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
  for (const GroupRule& from : schema.groups) {
    if (from.kind == "combinations") {
      add_combinations(schema, from, columns);
      continue;
    }
    Group group{.kind = from.kind, .fields = {}, .text = from.kind + " of "};
    bool bound = true;
    for (const std::string& name : from.fields) {
      group.fields.push_back(index(name));
      bound = bound && columns[group.fields.back()].modelled();
      group.text += (group.fields.size() > 1 ? ", '" : "'") + name + "'";
    }
    if (from.kind == "unique") {
      // What is drawn afresh differs by itself; what has no value does not tell rows apart.
      if (std::ranges::any_of(group.fields,
                              [&](std::size_t c) { return columns[c].form == CodingForm::fresh; }))
        continue;
      std::erase_if(group.fields, [&](std::size_t c) { return !columns[c].modelled(); });
      keys_.push_back(group.fields);
      continue;
    }
    if (from.kind == "sum") group.total = index(from.total);
    if (!bound || (from.kind == "sum" && !columns[group.total].modelled())) continue;
    for (const std::size_t column : group.fields) touching_[column] = true;
    if (from.kind == "sum") touching_[group.total] = true;
    groups_.push_back(std::move(group));
  }
  refuse_conflicts(columns);
  note_bound();
}

void RowRules::note_bound() {
  bound_.resize(own_.size());
  const auto bind = [&](std::span<const std::size_t> together) {
    for (const std::size_t a : together)
      for (const std::size_t b : together)
        if (a != b) bound_[a].push_back(b);
  };
  for (const Rule& rule : rules_) bind(std::vector{rule.field, rule.given});
  for (const Group& group : groups_) {
    std::vector<std::size_t> together = group.fields;
    if (group.kind == "sum") together.push_back(group.total);
    bind(together);
  }
  for (const Combinations& with : combinations_) bind(with.columns);
  for (std::vector<std::size_t>& others : bound_) {
    std::ranges::sort(others);
    others.erase(std::unique(others.begin(), others.end()), others.end());
  }
}

std::vector<std::size_t> RowRules::before(std::size_t column) const {
  std::vector<std::size_t> out;
  for (const Rule& rule : rules_)
    if (rule.field == column) out.push_back(rule.given);
  for (const Group& group : groups_)
    if (group.kind == "sum" && group.total == column)
      out.insert(out.end(), group.fields.begin(), group.fields.end());
  return out;
}

std::vector<std::size_t> RowRules::ordered(std::span<const std::size_t> wanted) const {
  std::vector<std::size_t> out;
  std::vector<bool> begun(own_.size()), asked(own_.size());
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
  return std::ranges::any_of(
      groups_, [&](const Group& group) { return group.kind == "sum" && group.total == column; });
}

std::vector<std::size_t> RowRules::following(std::span<const std::size_t> order,
                                             std::span<const std::uint8_t> fixed) const {
  std::vector<bool> follows(own_.size());
  for (const Group& group : groups_) {
    if (group.kind != "sum") continue;
    std::size_t last = own_.size();
    for (const std::size_t column : order)
      if (!fixed[column] && !follows[column] && std::ranges::find(group.fields, column) != group.fields.end())
        last = column;
    if (!fixed[group.total]) last = group.total;
    if (last < own_.size()) follows[last] = true;
  }
  std::vector<std::size_t> out;
  for (const std::size_t column : order)
    if (follows[column]) out.push_back(column);
  return out;
}

bool is_set_cell(const ColumnCoding& coding, double cell) {
  return !std::isnan(cell) && (coding.is_category() ? cell : coding.number(cell)) != 0;
}

std::vector<std::pair<std::size_t, std::size_t>> RowRules::orders(
    std::span<const ColumnCoding> columns) const {
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (const Rule& rule : rules_)
    if (is_unconditional(rule) && rule.relation >= 0 && rule.relation != 2 && rule.relation != 5 &&
        !columns[rule.field].is_category() && !columns[rule.given].is_category())
      out.emplace_back(rule.field, rule.given);
  return out;
}

std::vector<std::vector<std::size_t>> RowRules::exclusive() const {
  std::vector<std::vector<std::size_t>> out;
  for (const Group& group : groups_)
    if (group.kind != "sum") out.push_back(group.fields);
  return out;
}

std::pair<double, double> RowRules::room(const Group& sum, std::size_t column, const KnownCells& row,
                                         std::span<const ColumnCoding> columns) const {
  double low = 0, high = 0;
  const auto add = [&](std::size_t member, double sign) {
    double from = own_[member].minimum, to = own_[member].maximum;
    const ColumnCoding& coding = columns[member];
    if (row.known[member]) {
      from = to = coding.number(row.cells[member]);
    } else if (member != sum.total && !coding.values.empty()) {
      if (std::isinf(from)) from = coding.number(coding.values.front());
      if (std::isinf(to)) to = coding.number(coding.values.back());
    }
    low += sign > 0 ? from : -to;
    high += sign > 0 ? to : -from;
  };
  const double part = column == sum.total ? 1 : -1;
  for (const std::size_t member : sum.fields)
    if (member != column) add(member, part);
  if (column != sum.total) add(sum.total, 1);
  // NaN: a missing member.
  if (std::isnan(low) || std::isnan(high)) return {-kInfinity, kInfinity};
  const double slack = kSumTolerance * std::max({1.0, std::isinf(low) ? 1.0 : std::abs(low),
                                                 std::isinf(high) ? 1.0 : std::abs(high)});
  return {low - slack, high + slack};
}

bool RowRules::keeps_group(const Group& group, std::size_t column, double cell, const KnownCells& row,
                           std::span<const ColumnCoding> columns) const {
  const bool member = std::ranges::find(group.fields, column) != group.fields.end();
  if (group.kind == "sum") {
    if ((!member && column != group.total) || std::isnan(cell)) return true;
    const auto [low, high] = room(group, column, row, columns);
    const double number = columns[column].number(cell);
    return number >= low && number <= high;
  }
  if (!member) return true;
  bool other_set = false, other_open = false;
  for (const std::size_t other : group.fields) {
    if (other == column) continue;
    other_open = other_open || !row.known[other];
    other_set = other_set || (row.known[other] && is_set_cell(columns[other], row.cells[other]));
  }
  if (is_set_cell(columns[column], cell)) return !other_set;
  return group.kind != "one_hot" || other_set || other_open;
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

// Whether some combination has this cell and all cells of its columns that are known: looked for among those
// that have the rarest of these cells.
bool RowRules::combines(std::size_t which, std::size_t column, double cell, const KnownCells& row) const {
  const Combinations& with = combinations_[which];
  const std::size_t width = with.columns.size();
  if (std::ranges::find(with.columns, column) == with.columns.end()) return true;
  const std::vector<std::uint32_t>* fewest = nullptr;
  for (std::size_t k = 0; k < width; ++k) {
    const std::size_t other = with.columns[k];
    if (other != column && !row.known[other]) continue;
    const auto at = having_[which][k].find(key_of(other == column ? cell : row.cells[other]));
    if (at == having_[which][k].end()) return false;
    if (!fewest || at->second.size() < fewest->size()) fewest = &at->second;
  }
  return std::ranges::any_of(*fewest, [&](std::uint32_t i) {
    for (std::size_t k = 0; k < width; ++k) {
      const std::size_t other = with.columns[k];
      if (other != column && !row.known[other]) continue;
      if (key_of(with.cells[i * width + k]) != key_of(other == column ? cell : row.cells[other]))
        return false;
    }
    return true;
  });
}

std::vector<double> RowRules::listed(std::size_t column) const {
  std::vector<double> out;
  for (const Combinations& with : combinations_) {
    const auto place = std::ranges::find(with.columns, column) - with.columns.begin();
    if (place == std::ssize(with.columns)) continue;
    for (std::size_t i = static_cast<std::size_t>(place); i < with.cells.size(); i += with.columns.size())
      if (!std::isnan(with.cells[i])) out.push_back(with.cells[i]);
    break;  // a further group leaves no others
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

void RowRules::index_combinations(std::size_t which) {
  const Combinations& with = combinations_[which];
  const std::size_t width = with.columns.size();
  having_[which].assign(width, {});
  for (std::size_t i = 0; i < with.cells.size(); ++i)
    having_[which][i % width][key_of(with.cells[i])].push_back(static_cast<std::uint32_t>(i / width));
}

std::string RowRules::text_of(const Combinations& with, std::span<const ColumnCoding> columns) const {
  std::string out = "combinations of ";
  for (std::size_t k = 0; k < with.columns.size(); ++k)
    out += (k > 0 ? ", '" : "'") + columns[with.columns[k]].field.name + "'";
  return out;
}

void RowRules::add_combinations(const Schema& schema, const GroupRule& group,
                                std::span<const ColumnCoding> columns) {
  Combinations with = listed_combinations(schema, group, columns);
  if (with.columns.empty()) return;
  if (with.cells.empty())
    throw GenerationError(
        {.field = group.fields.front()},
        group.rows.empty()
            ? message("The schema lists no combinations for the group of this column, and there are no rows "
                      "to take the ",
                      text_of(with, columns), " from; list them, or leave the group out.")
            : message("None of the ", group.rows.size(), " ", text_of(with, columns),
                      " that the schema lists is of values that may be handed on; correct the list."));
  for (std::size_t k = 0; k < with.columns.size(); ++k) {
    const std::size_t column = with.columns[k];
    touching_[column] = combined_[column] = true;
    bool may_miss = false;
    for (std::size_t i = k; i < with.cells.size(); i += with.columns.size())
      may_miss = may_miss || std::isnan(with.cells[i]);
    if (!may_miss) own_[column].nullable = false;
  }
  combinations_.push_back(std::move(with));
  having_.emplace_back();
  index_combinations(combinations_.size() - 1);
}

// Whether the cells of a combination may stand together, and with the known ones; these are then known too.
// Else nothing has changed.
bool RowRules::can_stand(std::size_t which, std::size_t combination, std::size_t skipped,
                         std::vector<double>& cells, std::vector<std::uint8_t>& known,
                         std::span<const ColumnCoding> columns) const {
  const Combinations& with = combinations_[which];
  const std::size_t width = with.columns.size();
  std::vector<std::size_t> set;
  for (std::size_t k = 0; k < width; ++k) {
    const std::size_t column = with.columns[k];
    const double cell = with.cells[combination * width + k];
    const bool stands = known[column] ? key_of(cells[column]) == key_of(cell)
                                      : admits_but(skipped, column, cell, {cells, known}, columns);
    if (!stands) {
      for (const std::size_t undone : set) known[undone] = 0;
      return false;
    }
    if (known[column]) continue;
    cells[column] = cell;
    known[column] = 1;
    set.push_back(column);
  }
  return true;
}

bool RowRules::can_combine(std::size_t from, std::vector<double>& cells, std::vector<std::uint8_t>& known,
                           std::span<const ColumnCoding> columns, std::size_t& tries) const {
  constexpr std::size_t kMostTries = 100'000;
  if (from == combinations_.size()) return true;
  const std::vector<std::uint8_t> before = known;
  for (std::size_t i = 0; i < combinations_[from].size(); ++i) {
    if (++tries > kMostTries) return true;
    if (can_stand(from, i, from, cells, known, columns) &&
        can_combine(from + 1, cells, known, columns, tries))
      return true;
    known = before;
  }
  return false;
}

// Takes away combinations that ranges, rules and other groups exclude, so that no row runs into them.
// GenerationError where none is left, or the groups have no row together.
void RowRules::keep_possible_combinations(std::span<const ColumnCoding> columns) {
  std::vector<double> cells(columns.size());
  std::vector<std::uint8_t> known(columns.size());
  const auto names = [&](std::size_t but) {
    std::string out;
    for (std::size_t w = 0; w < combinations_.size(); ++w)
      if (w != but) out += (out.empty() ? "" : "; ") + text_of(combinations_[w], columns);
    return out;
  };
  for (bool changed = !combinations_.empty(); changed;) {
    changed = false;
    for (std::size_t w = 0; w < combinations_.size(); ++w) {
      Combinations& with = combinations_[w];
      const std::size_t width = with.columns.size();
      std::vector<double> left;
      for (std::size_t i = 0; i < with.size(); ++i) {
        std::ranges::fill(known, std::uint8_t{0});
        if (can_stand(w, i, w, cells, known, columns))
          left.insert(left.end(), with.cells.begin() + static_cast<std::ptrdiff_t>(i * width),
                      with.cells.begin() + static_cast<std::ptrdiff_t>((i + 1) * width));
      }
      if (left.size() == with.cells.size()) continue;
      if (left.empty())
        throw GenerationError({.field = columns[with.columns.front()].field.name},
                              message("The ranges and rules of the schema exclude all ", with.size(), " ",
                                      text_of(with, columns), " that are listed or that enough people have",
                                      combinations_.size() > 1 ? "; there are also " + names(w) : "",
                                      ". They contradict each other."));
      with.cells = std::move(left);
      index_combinations(w);
      changed = true;
    }
  }
  std::ranges::fill(known, std::uint8_t{0});
  std::size_t tries = 0;
  if (!can_combine(0, cells, known, columns, tries))
    throw GenerationError({.field = columns[combinations_.front().columns.front()].field.name},
                          message("These groups of the schema contradict each other: ",
                                  names(combinations_.size()), "; no row can keep them all."));
}

bool RowRules::admits(std::size_t column, double cell, const KnownCells& row,
                      std::span<const ColumnCoding> columns) const {
  return admits_but(combinations_.size(), column, cell, row, columns);
}

bool RowRules::admits_but(std::size_t skipped, std::size_t column, double cell, const KnownCells& row,
                          std::span<const ColumnCoding> columns) const {
  const Own& own = own_[column];
  const ColumnCoding& coding = columns[column];
  for (std::size_t i = 0; i < combinations_.size(); ++i)
    if (i != skipped && !combines(i, column, cell, row)) return false;
  for (const Group& group : groups_)
    if (!keeps_group(group, column, cell, row, columns)) return false;
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
  bool sums = false;
  for (const Group& group : groups_) {
    if (group.kind != "sum" ||
        (column != group.total && std::ranges::find(group.fields, column) == group.fields.end()))
      continue;
    const auto [least, most] = room(group, column, row, columns);
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

bool RowRules::can_be_set(std::span<const std::size_t> fields, std::size_t from, std::vector<double>& cells,
                          std::vector<std::uint8_t>& known, std::span<const ColumnCoding> columns,
                          std::size_t& tries) const {
  constexpr std::size_t kMostTries = 100'000;
  if (from == fields.size() || ++tries > kMostTries) return true;
  const std::size_t column = fields[from];
  const ColumnCoding& coding = columns[column];
  for (const double value : {0.0, 1.0}) {
    const double cell = coding.is_category() ? value : coding.cell_of_number(value);
    if (!admits(column, cell, {cells, known}, columns)) continue;
    cells[column] = cell;
    known[column] = 1;
    const bool rest = can_be_set(fields, from + 1, cells, known, columns, tries);
    known[column] = 0;
    if (rest) return true;
  }
  return false;
}

void RowRules::refuse_group_conflicts(std::span<const ColumnCoding> columns) const {
  std::vector<double> cells(columns.size());
  std::vector<std::uint8_t> known(columns.size());
  std::vector<std::size_t> all;
  std::string names;
  for (const Group& group : groups_) {
    if (group.kind == "sum") {
      const auto [low, high] = room(group, group.total, {cells, known}, columns);
      const auto limits = range(group.total, {cells, known}, columns);
      if (limits && low <= own_[group.total].maximum && high >= own_[group.total].minimum) continue;
      throw GenerationError({.field = columns[group.total].field.name},
                            message("The ranges of the ", group.text, " leave a total from ", low, " to ",
                                    high, ", but the range of the total is another."));
    }
    std::size_t tries = 0;
    if (!can_be_set(group.fields, 0, cells, known, columns, tries))
      throw GenerationError({.field = columns[group.fields.front()].field.name},
                            message("The schema leaves no way to keep the ", group.text,
                                    "; its ranges and rules contradict each other."));
    for (const std::size_t column : group.fields)
      if (std::ranges::find(all, column) == all.end()) all.push_back(column);
    names += (names.empty() ? "" : "; ") + group.text;
  }
  std::size_t tries = 0;
  if (!can_be_set(all, 0, cells, known, columns, tries))
    throw GenerationError({.field = columns[all.front()].field.name},
                          message("These groups of the schema contradict each other: ", names, "."));
}

void RowRules::refuse_too_many(std::uint64_t rows, std::span<const ColumnCoding> columns) const {
  for (const std::vector<std::size_t>& key : keys_) {
    double different = 1;
    std::string names;
    for (const std::size_t c : key) {
      const ColumnCoding& coding = columns[c];
      double own = kInfinity;
      if (coding.is_category()) own = static_cast<double>(coding.codes());
      if (coding.form == CodingForm::number && coding.grid)
        own = std::min(coding.values.back(), coding.cell_of_number(own_[c].maximum)) -
              std::max(coding.values.front(), coding.cell_of_number(own_[c].minimum)) + 1;
      // A list: no new number joins it.
      bool new_ones = coding.replaced.empty();
      for (std::size_t code = 0; code < coding.replaced.size(); ++code)
        new_ones = new_ones || (coding.protection[code] != Protection::none && !coding.is_replaced(code));
      if (!new_ones) own = static_cast<double>(std::ranges::count(coding.protection, Protection::none));
      different *= std::floor(own) + (coding.missing && own_[c].nullable ? 1 : 0);
      names += (names.empty() ? "'" : ", '") + coding.field.name + "'";
    }
    if (different < static_cast<double>(rows))
      throw GenerationError(
          {.field = key.empty() ? "groups" : columns[key.front()].field.name},
          message("The key ", names, " has at most ", different, " different values, but ", rows,
                  " rows were asked for; ask for fewer, or add a column to the key."));
  }
}

namespace {

// A number of the column, as people read it.
std::string told(const ColumnCoding& coding, double number) {
  if (coding.field.kind == Kind::time)
    return to_iso8601(Timestamp{static_cast<std::int64_t>(number)}, !coding.zone.empty());
  if (coding.field.kind == Kind::integer) return message(static_cast<std::int64_t>(number));
  return Value(number).display();
}

std::string told_range(const ColumnCoding& coding, double low, double high) {
  if (std::isinf(high)) return told(coding, low) + " or more";
  if (std::isinf(low)) return "at most " + told(coding, high);
  return told(coding, low) + (low == high ? " only" : " to " + told(coding, high));
}

// What is told of the numbers that the table has: no more than the ends of those that many people have.
std::string told_values(const ColumnCoding& coding) {
  const auto at = [&](double cell) { return told(coding, coding.number(cell)); };
  const auto first = std::ranges::find(coding.protection, Protection::none);
  if (first == coding.protection.end()) return "";
  const auto last = std::find(coding.protection.rbegin(), coding.protection.rend(), Protection::none);
  const auto low = static_cast<std::size_t>(first - coding.protection.begin()),
             high = coding.values.size() - 1 - static_cast<std::size_t>(last - coding.protection.rbegin());
  return message(" Those that many people have go from ", at(coding.values[low]), " to ",
                 at(coding.values[high]), ".");
}

bool has_number(const ColumnCoding& coding, double low, double high) {
  if (coding.interval)
    return coding.number(coding.values.front()) <= high && coding.number(coding.values.back()) >= low;
  const auto at =
      std::ranges::partition_point(coding.values, [&](double cell) { return coding.number(cell) < low; });
  return at != coding.values.end() && coding.number(*at) <= high;
}

// The relations that a rule allows, as bits: less, equal, greater.
constexpr unsigned kOrders[] = {1, 3, 2, 6, 4, 5};
unsigned mirrored(unsigned order) {
  return (order & 2) | (order & 1) << 2 | (order & 4) >> 2;
}

}  // namespace

bool RowRules::is_unconditional(const Rule& rule) const {
  return !rule.by_label && std::isinf(rule.lowest) && std::isinf(rule.highest);
}

// A range that leaves out everything the table has would have values invented.
void RowRules::refuse_outside(std::span<const ColumnCoding> columns) const {
  const auto refuse = [&](const ColumnCoding& coding, const std::string& rule) {
    throw GenerationError(
        {.field = coding.field.name},
        message(rule, ", but no value of the table lies there, and none is invented.", told_values(coding),
                " Correct the schema or the unit of the column, or leave the column out."));
  };
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (columns[c].form == CodingForm::number && !has_number(columns[c], own_[c].minimum, own_[c].maximum))
      refuse(columns[c], message("The schema's range of the column is ",
                                 told_range(columns[c], own_[c].minimum, own_[c].maximum)));
  for (const Rule& rule : rules_) {
    const ColumnCoding &field = columns[rule.field], &given = columns[rule.given];
    if (field.is_category() || has_number(field, rule.minimum, rule.maximum)) continue;
    bool holds_somewhere = false;
    for (std::size_t code = 0; code < given.codes() && !holds_somewhere; ++code)
      holds_somewhere =
          holds(rule, given.is_category() ? static_cast<double>(code) : given.values[code], columns);
    if (holds_somewhere)
      refuse(field, message("A rule of the schema, given '", given.field.name, "', limits the column to ",
                            told_range(field, rule.minimum, rule.maximum)));
  }
}

// Orders of numbers that no two, or no circle of columns, can have.
void RowRules::refuse_order_conflicts(std::span<const ColumnCoding> columns) const {
  std::map<std::pair<std::size_t, std::size_t>, unsigned> orders;
  std::vector<std::size_t> involved;
  for (const Rule& rule : rules_) {
    if (rule.relation < 0 || !is_unconditional(rule) || columns[rule.field].is_category() ||
        columns[rule.given].is_category())
      continue;
    const unsigned order = kOrders[rule.relation];
    const auto [low, high] = std::minmax(rule.field, rule.given);
    unsigned& left = orders.try_emplace({low, high}, 7U).first->second;
    left &= rule.field == low ? order : mirrored(order);
    for (const std::size_t column : {low, high})
      if (std::ranges::find(involved, column) == involved.end()) involved.push_back(column);
  }
  const auto refuse = [&](std::size_t a, std::size_t b) {
    throw GenerationError({.field = columns[a].field.name},
                          message("The rules of the schema order this column and '", columns[b].field.name,
                                  "' in ways that contradict each other or the table: no two of their "
                                  "values can stand in one row."));
  };
  // At most (1) or less (2), along any path.
  const std::size_t n = involved.size();
  std::vector<std::vector<int>> below(n, std::vector<int>(n));
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      const auto found = orders.find(std::minmax(involved[a], involved[b]));
      if (a == b || found == orders.end()) continue;
      const unsigned order = involved[a] < involved[b] ? found->second : mirrored(found->second);
      if (order == 0) refuse(involved[a], involved[b]);
      if ((order & 4) == 0) below[a][b] = (order & 2) == 0 ? 2 : 1;
    }
  for (std::size_t by = 0; by < n; ++by)
    for (std::size_t a = 0; a < n; ++a)
      for (std::size_t b = 0; b < n; ++b)
        if (below[a][by] > 0 && below[by][b] > 0)
          below[a][b] = std::max({below[a][b], below[a][by], below[by][b]});
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      if (below[a][b] == 0) continue;
      const ColumnCoding &low = columns[involved[a]], &high = columns[involved[b]];
      const double least = low.number(low.values.front()), most = high.number(high.values.back());
      if ((a == b && below[a][a] == 2) || least > most || (below[a][b] == 2 && least >= most))
        refuse(involved[a], involved[a == b ? (a + 1) % n : b]);
    }
}

// What can be seen without drawing: a column of which nothing is left, alone or beside a value of another.
void RowRules::refuse_conflicts(std::span<const ColumnCoding> columns) {
  refuse_outside(columns);
  refuse_order_conflicts(columns);
  keep_possible_combinations(columns);
  refuse_group_conflicts(columns);
  std::vector<double> cells(columns.size());
  std::vector<std::uint8_t> known(columns.size());
  // Of these columns new values are made where a row needs them: totals, and what follows another in order.
  std::vector<bool> made(columns.size());
  for (const Group& group : groups_) {
    if (group.kind != "sum") continue;
    for (const std::size_t column : group.fields) made[column] = true;
    made[group.total] = true;
  }
  for (const Rule& rule : rules_)
    if (rule.relation >= 0) made[rule.field] = made[rule.given] = true;
  const auto some_left = [&](std::size_t column) {
    const ColumnCoding& coding = columns[column];
    const KnownCells row{cells, known};
    for (std::size_t code = 0; code < coding.codes(); ++code)
      if (admits(column, coding.is_category() ? static_cast<double>(code) : coding.values[code], row,
                 columns))
        return true;
    if (coding.is_category() || !(made[column] || coding.interval)) return false;
    const auto left = range(column, row, columns);
    return left && (admits(column, left->first, row, columns) || admits(column, left->second, row, columns));
  };
  // Missing is what is left where the table has none of the labels that a rule names.
  const auto may_be_missing = [&](const Rule& rule) {
    return rule.limits_labels && columns[rule.field].missing && own_[rule.field].nullable &&
           std::ranges::find(rule.categories, true) == rule.categories.end();
  };
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (touches(c) && !some_left(c) &&
        !(combined(c) && admits(c, std::numeric_limits<double>::quiet_NaN(), {cells, known}, columns)))
      throw GenerationError(
          {.field = columns[c].field.name},
          "The schema allows none of the values that may be handed on; correct its range or labels.");
  for (const Rule& rule : rules_) {
    const ColumnCoding& given = columns[rule.given];
    // Orders of two numbers were looked at above.
    if (may_be_missing(rule) || (rule.relation >= 0 && !given.is_category())) continue;
    for (const double cell : cells_to_try(rule.given, columns)) {
      if (!holds(rule, cell, columns) || !admits(rule.given, cell, {cells, known}, columns)) continue;
      cells[rule.given] = cell;
      known[rule.given] = 1;
      const bool some = some_left(rule.field);
      known[rule.given] = 0;
      if (some) continue;
      const std::string value = given.is_category()
                                    ? message("'", given.labels[static_cast<std::size_t>(cell)], "'")
                                    : told(given, given.number(cell));
      throw GenerationError({.field = columns[rule.field].field.name},
                            message("The rules of the schema leave no value where '", given.field.name,
                                    "' is ", value, "; they contradict each other or the real table."));
    }
  }
}

// All labels; of a number the first value in each part between the limits at which rules begin or end to
// hold.
std::vector<double> RowRules::cells_to_try(std::size_t column, std::span<const ColumnCoding> columns) const {
  const ColumnCoding& coding = columns[column];
  std::vector<double> out;
  if (coding.is_category()) {
    for (std::size_t code = 0; code < coding.labels.size(); ++code) out.push_back(static_cast<double>(code));
    return out;
  }
  std::vector<double> limits{-kInfinity};  // a part begins at a limit, or just after it
  for (const Rule& rule : rules_) {
    if (rule.given != column) continue;
    for (const double limit : {rule.lowest, rule.highest}) limits.push_back(limit);
    limits.insert(limits.end(), rule.numbers.begin(), rule.numbers.end());
  }
  if (coding.interval) {
    for (const double limit : limits) {
      const double from = std::max(std::ceil(coding.cell_of_number(limit)), coding.values.front());
      for (const double cell : {from, from + 1})
        if (cell <= coding.values.back()) out.push_back(cell);
    }
    return out;
  }
  for (const double limit : limits) {
    const auto from =
        std::ranges::partition_point(coding.values, [&](double cell) { return coding.number(cell) < limit; });
    for (auto at = from; at != coding.values.end() && at - from < 2; ++at) out.push_back(*at);
  }
  return out;
}

}  // namespace synthema
