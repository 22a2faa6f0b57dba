#include "synthema/generate/tabular/fixed_combinations.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "synthema/core/error.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/data/field_rule.hpp"

namespace synthema {

namespace {

using detail::kMissing;

std::vector<std::size_t> columns_of(const Schema& schema, const GroupRule& group) {
  std::vector<std::size_t> out;
  for (const std::string& name : group.fields)
    out.push_back(static_cast<std::size_t>(&schema.at(name) - schema.fields.data()));
  return out;
}

std::string names_of(const GroupRule& group) {
  std::string out;
  for (const std::string& name : group.fields) out += (out.empty() ? "'" : ", '") + name + "'";
  return out;
}

// Of a code that is handed on, or missing.
Value value_of(const ColumnCoding& coding, std::uint32_t code) {
  if (code == coding.missing_code()) return {};
  if (coding.field.kind == Kind::boolean) return code == 1;
  if (coding.is_category()) return coding.labels[code];
  const double number = coding.number(coding.values[code]);
  if (coding.field.kind == Kind::integer) return static_cast<std::int64_t>(number);
  if (coding.field.kind == Kind::time) return Timestamp{static_cast<std::int64_t>(number)};
  return number;
}

// Listed values to cells; codes of labels are looked up once.
class Cells {
 public:
  explicit Cells(const ColumnCoding& coding) : coding_(coding) {
    if (!coding.is_category()) return;
    for (std::size_t code = 0; code < coding.labels.size(); ++code) codes_.emplace(coding.labels[code], code);
  }
  // Nothing where the column does not hand it on.
  std::optional<double> find(const Value& value) const {
    if (value.is_null()) return coding_.field.nullable ? std::optional(kMissing) : std::nullopt;
    if (const auto* truth = value.get_if<bool>()) return label(*truth ? "true" : "false");
    if (coding_.is_category()) return label(value.display());
    const auto number = number_of(coding_.field, value);
    if (!number || coding_.values.empty()) return std::nullopt;
    if (coding_.interval) {
      const double cell = coding_.cell_of_number(*number);
      const bool inside = cell >= coding_.values.front() && cell <= coding_.values.back();
      return inside && (!coding_.grid || cell == std::nearbyint(cell)) ? std::optional(cell) : std::nullopt;
    }
    const auto at = std::ranges::partition_point(coding_.values,
                                                 [&](double cell) { return coding_.number(cell) < *number; });
    return at != coding_.values.end() && coding_.number(*at) == *number ? std::optional(*at) : std::nullopt;
  }

 private:
  std::optional<double> label(std::string_view text) const {
    const auto at = codes_.find(text);
    return at == codes_.end() ? std::nullopt : std::optional(static_cast<double>(at->second));
  }

  const ColumnCoding& coding_;
  std::unordered_map<std::string_view, std::size_t> codes_;
};

struct CodesHash {
  std::size_t operator()(const std::vector<std::uint32_t>& codes) const {
    return std::hash<std::string_view>()({reinterpret_cast<const char*>(codes.data()), 4 * codes.size()});
  }
};

std::vector<ValueList> frequent(const CodedTable& coded, const GroupRule& group, std::size_t rare_below) {
  const std::vector<std::size_t> columns = columns_of(coded.schema, group);
  std::unordered_map<std::vector<std::uint32_t>, std::vector<std::uint32_t>, CodesHash> people;
  std::vector<std::uint32_t> codes(columns.size());
  for (std::size_t row = 0; row < coded.rows; ++row) {
    bool handed_on = true;
    for (std::size_t i = 0; i < codes.size(); ++i) {
      codes[i] = coded.codes[columns[i]][row];
      handed_on = handed_on && codes[i] <= coded.columns[columns[i]].missing_code();
    }
    if (!handed_on) continue;
    std::vector<std::uint32_t>& who = people[codes];
    // More than enough different people need not be kept.
    if (who.size() < rare_below && std::ranges::find(who, coded.people[row]) == who.end())
      who.push_back(coded.people[row]);
  }
  std::set<std::vector<std::uint32_t>> kept;  // in the order of codes
  for (const auto& [combination, who] : people)
    if (who.size() >= rare_below) kept.insert(combination);
  if (kept.empty())
    throw GenerationError({.field = group.fields.front()},
                          message("No combination of this column and those named with it (", names_of(group),
                                  ") belongs to ", rare_below, " people, so none may be handed on."));
  std::vector<ValueList> out;
  for (const std::vector<std::uint32_t>& combination : kept) {
    ValueList& row = out.emplace_back();
    for (std::size_t i = 0; i < columns.size(); ++i)
      row.push_back(value_of(coded.columns[columns[i]], combination[i]));
  }
  return out;
}

// Nothing where no row has the cell.
std::optional<std::uint32_t> code_of(const ColumnCoding& coding, double cell) {
  if (std::isnan(cell)) return coding.missing_code();
  if (coding.is_category()) return static_cast<std::uint32_t>(cell);
  const auto at = std::ranges::lower_bound(coding.values, cell);
  if (at == coding.values.end() || *at != cell) return std::nullopt;
  return static_cast<std::uint32_t>(at - coding.values.begin());
}

// As for ranges (refuse_few_in_range): what is made of few people alone would be their values.
void refuse_few_listed(const CodedTable& coded, const GroupRule& group, std::size_t rare_below) {
  const Combinations listed = listed_combinations(coded.schema, group, coded.columns);
  const std::size_t width = listed.columns.size();
  std::unordered_set<std::vector<std::uint32_t>, CodesHash> known;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    std::vector<std::uint32_t> codes;
    for (std::size_t k = 0; k < width; ++k)
      if (const auto code = code_of(coded.columns[listed.columns[k]], listed.cells[i * width + k]))
        codes.push_back(*code);
    if (codes.size() == width) known.insert(std::move(codes));
  }
  std::unordered_set<std::uint32_t> inside;
  bool outside = false;
  std::vector<std::uint32_t> codes(width);
  for (std::size_t row = 0; row < coded.rows && inside.size() < rare_below; ++row) {
    for (std::size_t k = 0; k < width; ++k) codes[k] = coded.codes[listed.columns[k]][row];
    if (known.contains(codes))
      inside.insert(coded.people[row]);
    else
      outside = true;
  }
  const std::string what = message("combinations of ", names_of(group), " that the schema lists");
  if (inside.empty())
    throw GenerationError({.field = group.fields.front()},
                          message("No row of the table has one of the ", group.rows.size(), " ", what,
                                  ", with values that may be handed on, and none is invented. Correct the "
                                  "list, or leave it out to take the combinations of the table."));
  if (outside && inside.size() < rare_below)
    throw GenerationError({.field = group.fields.front()},
                          message("Fewer than ", rare_below, " people (rare_below) have one of the ", what,
                                  ", too few to make rows from. Correct the list, or leave it out to take "
                                  "the combinations of the table."));
}

}  // namespace

void resolve_combinations(CodedTable& coded, std::size_t rare_below) {
  for (GroupRule& group : coded.schema.groups) {
    if (group.kind != "combinations") continue;
    for (const std::size_t column : columns_of(coded.schema, group))
      if (!coded.columns[column].modelled())
        throw SchemaError({.field = coded.columns[column].field.name},
                          "A column that is drawn afresh or has no value cannot be combined.");
    if (group.rows.empty())
      group.rows = frequent(coded, group, rare_below);
    else
      refuse_few_listed(coded, group, rare_below);
  }
}

Combinations listed_combinations(const Schema& schema, const GroupRule& group,
                                 std::span<const ColumnCoding> columns) {
  Combinations out;
  std::vector<std::size_t> places;
  std::vector<Cells> cells_of;
  const std::vector<std::size_t> all = columns_of(schema, group);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!columns[all[i]].modelled()) continue;
    out.columns.push_back(all[i]);
    places.push_back(i);
    cells_of.emplace_back(columns[all[i]]);
  }
  std::unordered_set<std::string> seen;
  for (const ValueList& row : group.rows) {
    std::vector<double> cells;
    for (std::size_t k = 0; k < places.size(); ++k) {
      const std::optional<double> cell = cells_of[k].find(row[places[k]]);
      if (!cell) break;
      cells.push_back(*cell + 0.0);
    }
    if (cells.size() < places.size()) continue;
    std::string key(reinterpret_cast<const char*>(cells.data()), cells.size() * sizeof(double));
    if (seen.insert(std::move(key)).second) out.cells.insert(out.cells.end(), cells.begin(), cells.end());
  }
  return out;
}

}  // namespace synthema
