#include "synthema/evaluate/privacy/copies.hpp"

#include <unordered_set>

#include "synthema/core/counted.hpp"
#include "synthema/data/json.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Names = std::vector<std::string>;

// Unlike fidelity, texts and lists count too: a copied note is a copied row.
Names compared_columns(const Table& real, const Table& synthetic) {
  Names out;
  for (const Field& field : real.schema().fields)
    if (synthetic.has(field.name) && !field.has(Role::identifier) && !field.has(Role::subject))
      out.push_back(field.name);
  return out;
}

// Equal texts for equal rows: 2 and 2.0 are one number, a category is its label.
std::string cell_key(const Column& column, std::size_t row) {
  if (column.is_null(row)) return "null";
  if (column.kind() == Kind::real || column.kind() == Kind::integer)
    return to_json(Value(column.number_at(row) == 0 ? 0.0 : column.number_at(row)));
  return to_json(column.value_at(row));
}

std::string row_key(const Table& table, const Names& names, std::size_t row) {
  std::string out;
  for (const std::string& name : names) (out += cell_key(table.column(name), row)) += '\n';
  return out;
}

RatioRows copies(const Table& table, const Names& names, const std::unordered_set<std::string>& real) {
  RatioRows out{.numerator = {}, .denominator = {}, .share = true};
  for (std::size_t row = 0; row < table.rows(); ++row) out.add(real.contains(row_key(table, names, row)));
  return out;
}

bool has_all(const Table& table, const Names& names) {
  for (const std::string& name : names)
    if (!table.has(name)) return false;
  return true;
}

}  // namespace

Score ExactCopies::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of synthetic rows that equal a real row in every shared column.",
                            "identifier and subject columns left out; missing equals missing");
  if (!real) return undefined(std::move(score), "No real table was given.");
  const Names names = compared_columns(*real, synthetic);
  if (names.empty()) return undefined(std::move(score), "The tables share no column to compare.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  std::unordered_set<std::string> keys;
  for (std::size_t row = 0; row < real->rows(); ++row) keys.insert(row_key(*real, names, row));
  set_ratio(score, copies(synthetic, names, keys), Units::of(synthetic), context);
  if (context.holdout && context.holdout->rows() > 0 && has_all(*context.holdout, names))
    score.ceiling = Bound{*copies(*context.holdout, names, keys).value(),
                          message("holdout, ", counted(context.holdout->rows(), "real row"))};
  return score;
}

}  // namespace synthema
