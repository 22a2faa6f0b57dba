#include "src/generate/tabular/rule_conflicts.hpp"

#include <algorithm>
#include <cmath>

#include "src/generate/tabular/order_conflicts.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/data/timestamp.hpp"
#include "synthema/data/value.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kMostTries = 100'000;  // then a set of groups is taken to have a row

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

// The rules with the cells of a row that are tried beside each other.
class Conflicts {
 public:
  Conflicts(CodedRules& rules, std::span<const ColumnCoding> columns)
      : rules_(rules), columns_(columns), cells_(columns.size()), known_(columns.size()) {}

  void refuse_outside() const;
  void keep_possible_combinations();
  void refuse_groups();
  void refuse_columns();

 private:
  KnownCells row() const { return {cells_, known_}; }
  void set(std::size_t column, double cell) {
    cells_[column] = cell;
    known_[column] = 1;
  }
  std::string names_of_combinations(std::size_t but) const;
  bool can_stand(std::size_t which, std::size_t combination);
  bool can_combine(std::size_t from, std::size_t& tries);
  bool can_be_set(std::span<const std::size_t> fields, std::size_t from, std::size_t& tries);
  std::vector<bool> columns_of_made_numbers() const;
  bool some_left(std::size_t column, const std::vector<bool>& made) const;
  std::vector<double> cells_to_try(std::size_t column) const;

  CodedRules& rules_;
  std::span<const ColumnCoding> columns_;
  std::vector<double> cells_;
  std::vector<std::uint8_t> known_;
};

// A range that leaves out everything the table has would have values invented.
void Conflicts::refuse_outside() const {
  const auto refuse = [&](const ColumnCoding& coding, const std::string& rule) {
    throw GenerationError(
        {.field = coding.field.name},
        message(rule, ", but no value of the table lies there, and none is invented.", told_values(coding),
                " Correct the schema or the unit of the column, or leave the column out."));
  };
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const ColumnCoding& coding = columns_[c];
    const OwnRange& own = rules_.own[c];
    if (coding.form == CodingForm::number && !has_number(coding, own.minimum, own.maximum))
      refuse(coding,
             message("The schema's range of the column is ", told_range(coding, own.minimum, own.maximum)));
  }
  for (const CodedRule& rule : rules_.rules) {
    const ColumnCoding &field = columns_[rule.field], &given = columns_[rule.given];
    if (field.is_category() || has_number(field, rule.minimum, rule.maximum)) continue;
    bool holds_somewhere = false;
    for (std::size_t code = 0; code < given.codes() && !holds_somewhere; ++code)
      holds_somewhere =
          rule.holds(given.is_category() ? static_cast<double>(code) : given.values[code], columns_);
    if (holds_somewhere)
      refuse(field, message("A rule of the schema, given '", given.field.name, "', limits the column to ",
                            told_range(field, rule.minimum, rule.maximum)));
  }
}

std::string Conflicts::names_of_combinations(std::size_t but) const {
  std::string out;
  for (std::size_t w = 0; w < rules_.combinations.size(); ++w)
    if (w != but) out += (out.empty() ? "" : "; ") + rules_.combinations[w].text(columns_);
  return out;
}

// Whether the cells of a combination may stand together, and with the known ones; these are then known too.
// Else nothing has changed.
bool Conflicts::can_stand(std::size_t which, std::size_t combination) {
  const CombinationIndex& with = rules_.combinations[which];
  std::vector<std::size_t> set_here;
  for (std::size_t k = 0; k < with.columns().size(); ++k) {
    const std::size_t column = with.columns()[k];
    const double cell = with.cell(combination, k);
    const bool stands = known_[column] ? key_of_cell(cells_[column]) == key_of_cell(cell)
                                       : rules_.admits(column, cell, row(), columns_, which);
    if (!stands) {
      for (const std::size_t undone : set_here) known_[undone] = 0;
      return false;
    }
    if (known_[column]) continue;
    set(column, cell);
    set_here.push_back(column);
  }
  return true;
}

bool Conflicts::can_combine(std::size_t from, std::size_t& tries) {
  if (from == rules_.combinations.size()) return true;
  const std::vector<std::uint8_t> before = known_;
  for (std::size_t i = 0; i < rules_.combinations[from].size(); ++i) {
    if (++tries > kMostTries) return true;
    if (can_stand(from, i) && can_combine(from + 1, tries)) return true;
    known_ = before;
  }
  return false;
}

void Conflicts::keep_possible_combinations() {
  for (bool changed = !rules_.combinations.empty(); changed;) {
    changed = false;
    for (std::size_t w = 0; w < rules_.combinations.size(); ++w) {
      CombinationIndex& with = rules_.combinations[w];
      std::vector<std::size_t> left;
      for (std::size_t i = 0; i < with.size(); ++i) {
        std::ranges::fill(known_, std::uint8_t{0});
        if (can_stand(w, i)) left.push_back(i);
      }
      if (left.size() == with.size()) continue;
      if (left.empty())
        throw GenerationError(
            {.field = columns_[with.columns().front()].field.name},
            message("The ranges and rules of the schema exclude all ", with.size(), " ", with.text(columns_),
                    " that are listed or that enough people have",
                    rules_.combinations.size() > 1 ? "; there are also " + names_of_combinations(w) : "",
                    ". They contradict each other."));
      with.keep(left);
      changed = true;
    }
  }
  std::ranges::fill(known_, std::uint8_t{0});
  std::size_t tries = 0;
  if (!can_combine(0, tries))
    throw GenerationError(
        {.field = columns_[rules_.combinations.front().columns().front()].field.name},
        message("These groups of the schema contradict each other: ",
                names_of_combinations(rules_.combinations.size()), "; no row can keep them all."));
  std::ranges::fill(known_, std::uint8_t{0});
}

// Whether each of these fields, from one on, can be set or not in some way.
bool Conflicts::can_be_set(std::span<const std::size_t> fields, std::size_t from, std::size_t& tries) {
  if (from == fields.size() || ++tries > kMostTries) return true;
  const std::size_t column = fields[from];
  const ColumnCoding& coding = columns_[column];
  for (const double value : {0.0, 1.0}) {
    const double cell = coding.is_category() ? value : coding.cell_of_number(value);
    if (!rules_.admits(column, cell, row(), columns_)) continue;
    set(column, cell);
    const bool rest = can_be_set(fields, from + 1, tries);
    known_[column] = 0;
    if (rest) return true;
  }
  return false;
}

void Conflicts::refuse_groups() {
  std::vector<std::size_t> all;
  std::string names;
  for (const CodedGroup& group : rules_.groups) {
    if (group.is_sum()) {
      const auto [low, high] = group.room(group.total, row(), columns_, rules_.own);
      const auto limits = rules_.range(group.total, row(), columns_);
      const OwnRange& own = rules_.own[group.total];
      if (limits && low <= own.maximum && high >= own.minimum) continue;
      throw GenerationError({.field = columns_[group.total].field.name},
                            message("The ranges of the ", group.text, " leave a total from ", low, " to ",
                                    high, ", but the range of the total is another."));
    }
    std::size_t tries = 0;
    if (!can_be_set(group.fields, 0, tries))
      throw GenerationError({.field = columns_[group.fields.front()].field.name},
                            message("The schema leaves no way to keep the ", group.text,
                                    "; its ranges and rules contradict each other."));
    for (const std::size_t column : group.fields)
      if (std::ranges::find(all, column) == all.end()) all.push_back(column);
    names += (names.empty() ? "" : "; ") + group.text;
  }
  std::size_t tries = 0;
  if (!can_be_set(all, 0, tries))
    throw GenerationError({.field = columns_[all.front()].field.name},
                          message("These groups of the schema contradict each other: ", names, "."));
}

// Of these columns new values are made where a row needs them: totals, and what follows another in order.
std::vector<bool> Conflicts::columns_of_made_numbers() const {
  std::vector<bool> out(columns_.size());
  for (const CodedGroup& group : rules_.groups) {
    if (!group.is_sum()) continue;
    for (const std::size_t column : group.fields) out[column] = true;
    out[group.total] = true;
  }
  for (const CodedRule& rule : rules_.rules)
    if (rule.relation >= 0) out[rule.field] = out[rule.given] = true;
  return out;
}

bool Conflicts::some_left(std::size_t column, const std::vector<bool>& made) const {
  const ColumnCoding& coding = columns_[column];
  const auto admits = [&](double cell) { return rules_.admits(column, cell, row(), columns_); };
  for (std::size_t code = 0; code < coding.codes(); ++code)
    if (admits(coding.is_category() ? static_cast<double>(code) : coding.values[code])) return true;
  if (coding.is_category() || !(made[column] || coding.interval)) return false;
  const auto left = rules_.range(column, row(), columns_);
  return left && (admits(left->first) || admits(left->second));
}

// All labels; of a number the first value in each part between the limits at which rules begin or end to
// hold.
std::vector<double> Conflicts::cells_to_try(std::size_t column) const {
  const ColumnCoding& coding = columns_[column];
  std::vector<double> out;
  if (coding.is_category()) {
    for (std::size_t code = 0; code < coding.labels.size(); ++code) out.push_back(static_cast<double>(code));
    return out;
  }
  std::vector<double> limits{-kInfinity};  // a part begins at a limit, or just after it
  for (const CodedRule& rule : rules_.rules) {
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

// A column of which nothing is left, alone or beside a value of another.
void Conflicts::refuse_columns() {
  const std::vector<bool> made = columns_of_made_numbers();
  // Missing is what is left where the table has none of the labels that a rule names.
  const auto may_be_missing = [&](const CodedRule& rule) {
    return rule.limits_labels && columns_[rule.field].missing && rules_.own[rule.field].nullable &&
           std::ranges::find(rule.categories, true) == rule.categories.end();
  };
  for (std::size_t c = 0; c < columns_.size(); ++c)
    if (rules_.touching[c] && !some_left(c, made) &&
        !(rules_.combined[c] && rules_.admits(c, kMissing, row(), columns_)))
      throw GenerationError(
          {.field = columns_[c].field.name},
          "The schema allows none of the values that may be handed on; correct its range or labels.");
  for (const CodedRule& rule : rules_.rules) {
    const ColumnCoding& given = columns_[rule.given];
    // Orders of two numbers are looked at elsewhere.
    if (may_be_missing(rule) || (rule.relation >= 0 && !given.is_category())) continue;
    for (const double cell : cells_to_try(rule.given)) {
      if (!rule.holds(cell, columns_) || !rules_.admits(rule.given, cell, row(), columns_)) continue;
      set(rule.given, cell);
      const bool some = some_left(rule.field, made);
      known_[rule.given] = 0;
      if (some) continue;
      const std::string value = given.is_category()
                                    ? message("'", given.labels[static_cast<std::size_t>(cell)], "'")
                                    : told(given, given.number(cell));
      throw GenerationError({.field = columns_[rule.field].field.name},
                            message("The rules of the schema leave no value where '", given.field.name,
                                    "' is ", value, "; they contradict each other or the real table."));
    }
  }
}

}  // namespace

void refuse_conflicts(CodedRules& rules, std::span<const ColumnCoding> columns) {
  Conflicts conflicts(rules, columns);
  conflicts.refuse_outside();
  refuse_order_conflicts(rules, columns);
  conflicts.keep_possible_combinations();
  conflicts.refuse_groups();
  conflicts.refuse_columns();
}

}  // namespace synthema::detail
