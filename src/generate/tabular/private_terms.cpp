#include "src/generate/tabular/private_terms.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "synthema/core/error.hpp"
#include "synthema/data/timestamp.hpp"
#include "synthema/privacy/mechanism.hpp"

namespace synthema::detail {

namespace {

constexpr double kThresholdShare = 0.1;  // of delta, for the labels of columns that the schema leaves open
constexpr double kMostEpsilon = 1e6;     // else noise and choices are too fine to be drawn exactly
constexpr double kTargetShare = 4;       // of the target's first counts: as much as of so many columns

std::string protected_unit(const Schema& schema, std::size_t rows_per_person) {
  const Field* subject = schema.subject();
  if (!subject) return "row, added or removed";
  return message("subject (column '", subject->name, "'), added or removed, of at most ", rows_per_person,
                 rows_per_person == 1 ? " row" : " rows");
}

}  // namespace

void check_terms(const PrivateTerms& terms, std::size_t most_rows, std::size_t most_bins) {
  check_epsilon(terms.epsilon);
  check_delta(terms.delta);
  const auto require = [](bool holds, const char* field, const std::string& what) {
    if (!holds) throw ConfigError({.field = field}, what);
  };
  require(terms.epsilon > 0, "epsilon", "Nothing can be learnt with an epsilon of 0; 1 is a common choice.");
  require(terms.epsilon <= kMostEpsilon, "epsilon",
          message("An epsilon of ", terms.epsilon,
                  " promises nothing: 1 is strong, 10 is weak. Give one of at "
                  "most 1,000,000, or take a fit that is not private."));
  require(terms.rows_per_person >= 1 && terms.rows_per_person <= most_rows, "rows_per_person",
          message("At least one row and at most ", most_rows, " rows of a person are used."));
  require(terms.bins >= 2 && terms.bins <= most_bins, "bins",
          message("A number has 2 to ", most_bins, " bins."));
  require(terms.first_share > 0 && terms.first_share < 1, "first_share",
          "The share of single columns lies between 0 and 1.");
}

PrivatePlan plan_of(const Schema& schema, const PrivateTerms& terms, const std::string& target) {
  PrivatePlan out;
  const std::size_t unnamed = unnamed_label_columns(schema);
  const double thresholds = unnamed > 0 ? kThresholdShare * terms.delta : 0;
  out.delta = terms.delta - thresholds;
  out.rho = concentrated_budget(terms.epsilon, out.delta);
  out.rows_each = schema.subject() ? static_cast<double>(terms.rows_per_person) : 1.0;
  const double parts = static_cast<double>(schema.fields.size()) + (target.empty() ? 0 : kTargetShare - 1);
  const double column_rho = out.rho * terms.first_share / parts;
  out.domain = {.bins = terms.bins,
                .infer = terms.infer,
                .column_rho = column_rho,
                .target = target,
                .target_rho = kTargetShare * column_rho,
                .threshold_delta = unnamed > 0 ? thresholds / static_cast<double>(unnamed) : 0};
  return out;
}

std::string target_of(const Schema& schema, const std::string& named) {
  if (named.empty()) {
    const auto targets = schema.with_role(Role::target);
    return targets.empty() ? std::string() : targets.front()->name;
  }
  if (!schema.find(named)) throw ConfigError({.field = named}, "The target is not a column of the table.");
  return named;
}

LedgerEntry entry_of(const Schema& schema, const PrivateTerms& terms, std::string_view what,
                     const NoiseSource& noise) {
  const std::size_t columns = schema.fields.size();
  return {.unit = protected_unit(schema, terms.rows_per_person),
          .epsilon = terms.epsilon,
          .delta = terms.delta,
          .released = message(what, " of a table with ", columns, columns == 1 ? " column" : " columns"),
          .private_noise = noise.is_private()};
}

std::vector<std::size_t> rows_used(const Table& real, std::size_t most, NoiseSource& noise) {
  std::vector<std::size_t> out(real.rows());
  std::iota(out.begin(), out.end(), std::size_t{0});
  if (!real.schema().subject()) return out;
  const std::vector<std::uint32_t> who = people_of(real);
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (const std::size_t row : out) order.emplace_back(noise.bits(), row);
  std::ranges::sort(order);
  std::unordered_map<std::uint32_t, std::size_t> used;
  out.clear();
  for (const auto& [bits, row] : order)
    if (++used[who[row]] <= most) out.push_back(row);
  std::ranges::sort(out);
  return out;
}

std::string promise_text(const LedgerEntry& entry) {
  std::string out;
  if (!entry.private_noise)
    out = "NOT PRIVATE: made with test noise that a seed repeats. Do not give this model or its rows away.\n";
  return out + message("Promise: epsilon ", entry.epsilon, ", delta ", entry.delta, ", for each ", entry.unit,
                       ".\nPublic: names, kinds and roles of the columns, and all that the schema states.\n");
}

std::string spending_text(std::span<const PrivateSpending> spending, bool each) {
  if (!each)
    return message(": ", spending.size(), spending.size() == 1 ? " kind" : " kinds", " of release.\n");
  std::string out = ":\n";
  for (const PrivateSpending& one : spending)
    out += message("  ", one.released, ": ", one.releases, " x ", one.mechanism,
                   one.mechanism == "exponential" ? ", epsilon " : ", standard deviation ", one.noise,
                   ", rho ", one.rho, one.delta > 0 ? message(", delta ", one.delta) : std::string(), "\n");
  return out;
}

std::string ranges_text(std::span<const PrivateColumn> columns) {
  std::string out;
  for (const PrivateColumn& column : columns) {
    const Field& field = column.coding.field;
    if (!column.modelled() || column.coding.is_category() || (field.minimum && field.maximum)) continue;
    const auto shown = [&](double x) {
      const double number = column.coding.number(x);
      return field.kind == Kind::time
                 ? to_iso8601({static_cast<std::int64_t>(number)}, !column.coding.zone.empty())
                 : message(number);
    };
    out += message(out.empty() ? "" : ", ", "'", field.name, "' ", shown(column.coding.values.front()),
                   " to ", shown(column.coding.values.back()));
  }
  return out.empty()
             ? out
             : message("Ranges were told under noise, and values beyond them moved to their ends: ", out,
                       ". A schema that states minimum and maximum says better.\n");
}

std::string gaps_text(std::span<const PrivateColumn> columns) {
  std::string out;
  for (const std::string& name : untold_of(columns))
    out += message("Nothing could be told of '", name, "' under this budget; it is missing in every row.\n");
  for (const std::string& name : one_label_of(columns))
    out += message("One label alone could be told of '", name,
                   "' under this budget; all rows that have any have it.\n");
  for (const std::string& name : unresolved_of(columns))
    out +=
        message("How fine the values of '", name,
                "' are could not be told under this budget; their decimals, or whole days, are a guess.\n");
  return out;
}

}  // namespace synthema::detail
