#include "synthema/evaluate/privacy/copies.hpp"

#include <unordered_set>

#include "src/evaluate/value_ids.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Names = std::vector<std::string>;
using Ids = std::vector<std::uint64_t>;

// Whole rows as keys, the same for equal rows of every table.
class RowKeys {
 public:
  explicit RowKeys(const Names& names) : names_(names), ids_(names.size()) {}

  std::vector<std::string> of(const Table& table) {
    std::vector<std::string> out(table.rows());
    for (std::size_t c = 0; c < names_.size(); ++c) {
      const Ids ids = ids_[c].of(table.column(names_[c]));
      for (std::size_t row = 0; row < ids.size(); ++row)
        out[row].append(reinterpret_cast<const char*>(&ids[row]), sizeof ids[row]);
    }
    return out;
  }

 private:
  const Names& names_;
  std::vector<detail::ValueIds> ids_;
};

RatioRows copies(const std::vector<std::string>& rows, const std::unordered_set<std::string>& real) {
  RatioRows out{.numerator = {}, .denominator = {}, .share = true};
  for (const std::string& row : rows) out.add(real.contains(row));
  return out;
}

bool has_all(const Table& table, const Names& names) {
  for (const std::string& name : names)
    if (!table.has(name)) return false;
  return true;
}

// Ids of the values that one unit only has; nothing else about them is known.
std::unordered_set<std::uint64_t> values_of_one_unit(const Ids& ids, const Units& units) {
  std::unordered_map<std::uint64_t, std::size_t> owner;
  std::unordered_set<std::uint64_t> several, out;
  for (std::size_t row = 0; row < ids.size(); ++row) {
    if (ids[row] == detail::kMissingValue) continue;
    const auto [entry, fresh] = owner.try_emplace(ids[row], units.of_row[row]);
    if (!fresh && entry->second != units.of_row[row]) several.insert(ids[row]);
  }
  for (const auto& [id, unit] : owner)
    if (!several.contains(id)) out.insert(id);
  return out;
}

// What the rows of one table reuse: of each column, and whether any column.
struct Reuse {
  std::vector<double> share;  // by column, of the rows that have a value
  std::vector<std::size_t> rows;
  std::vector<bool> any;  // by row

  double share_of_any() const {
    double count = 0;
    for (const bool one : any) count += one;
    return any.empty() ? 0 : count / static_cast<double>(any.size());
  }
};

struct OnceOnly {
  Names names;
  std::vector<detail::ValueIds> ids;
  std::vector<std::unordered_set<std::uint64_t>> values;  // by column

  OnceOnly(const Table& real, Names columns) : names(std::move(columns)), ids(names.size()) {
    const Units units = Units::of(real);
    for (std::size_t c = 0; c < names.size(); ++c)
      values.push_back(values_of_one_unit(ids[c].of(real.column(names[c])), units));
  }
  Reuse in(const Table& table) {
    Reuse out{{}, {}, std::vector<bool>(table.rows(), false)};
    for (std::size_t c = 0; c < names.size(); ++c) {
      std::size_t present = 0, reused = 0;
      const Ids here = ids[c].of(table.column(names[c]));
      for (std::size_t row = 0; row < here.size(); ++row) {
        present += here[row] != detail::kMissingValue;
        if (!values[c].contains(here[row])) continue;
        ++reused;
        out.any[row] = true;
      }
      out.share.push_back(present > 0 ? static_cast<double>(reused) / static_cast<double>(present) : 0);
      out.rows.push_back(present);
    }
    return out;
  }
};

}  // namespace

Score ExactCopies::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of synthetic rows that equal a real row in every shared column.",
                            "identifier and subject columns left out; missing equals missing");
  if (!real) return undefined(std::move(score), "No real table was given.");
  const Names names = detail::compared_columns(*real, synthetic);
  if (names.empty()) return undefined(std::move(score), "The tables share no column to compare.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  RowKeys keys(names);
  const std::vector<std::string> rows = keys.of(*real);
  const std::unordered_set<std::string> known(rows.begin(), rows.end());
  set_ratio(score, copies(keys.of(synthetic), known), Units::of(synthetic), context);
  if (context.holdout && context.holdout->rows() > 0 && has_all(*context.holdout, names))
    score.ceiling = Bound{*copies(keys.of(*context.holdout), known).value(),
                          message("holdout, ", counted(context.holdout->rows(), "real row"))};
  return score;
}

Score RareValueReuse::evaluate(const Table* real, const Table& synthetic,
                               const EvaluationContext& context) const {
  Score score =
      start_score(*this,
                  "Share of synthetic rows with a value, in any column, that only one training row (or "
                  "subject) has.",
                  "exact values; identifier and subject columns left out; parts: by column");
  if (!real) return undefined(std::move(score), "No real table was given.");
  const Names names = detail::compared_columns(*real, synthetic);
  if (names.empty()) return undefined(std::move(score), "The tables share no column to compare.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  OnceOnly rare(*real, names);
  const Reuse found = rare.in(synthetic);
  RatioRows ratio{.numerator = {}, .denominator = {}, .share = true};
  for (const bool one : found.any) ratio.add(one);
  set_ratio(score, ratio, Units::of(synthetic), context);
  const bool compared = context.holdout && context.holdout->rows() > 0 && has_all(*context.holdout, names);
  const Reuse of_holdout = compared ? rare.in(*context.holdout) : Reuse{};
  for (std::size_t c = 0; c < names.size(); ++c)
    score.parts.push_back({names[c], found.share[c], found.rows[c],
                           message(counted(rare.values[c].size(), "such value"),
                                   compared ? message("; holdout rows reuse ", of_holdout.share[c]) : "")});
  if (compared)
    score.ceiling =
        Bound{of_holdout.share_of_any(), message("holdout, ", counted(context.holdout->rows(), "real row"))};
  return score;
}

}  // namespace synthema
