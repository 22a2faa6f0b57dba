#include "synthema/evaluate/text/run_quality.hpp"

#include <map>

#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

constexpr const char* kEmpty = "The table has no rows.";

const Column& column_of_kind(const Table& table, std::string_view name, Kind kind) {
  const Column& column = table.column(name);
  if (column.kind() != kind)
    throw EvaluationError({.field = std::string(name)}, message("The column must be ", name_of(kind),
                                                                ", but it is ", name_of(column.kind()), "."));
  return column;
}

std::string cell(const Column& column, std::size_t row) {
  return column.is_null(row) ? std::string() : column.value_at(row).display();
}

void add_acceptance_parts(Score& score, const Table& table, const EvaluationContext& context) {
  const Column& accepted = table.column("accepted");
  if (const std::string label = label_column_of(table, context); !label.empty()) {
    std::map<std::string, RatioRows> by_label;
    for (std::size_t row = 0; row < table.rows(); ++row)
      if (!accepted.is_null(row)) by_label[cell(table.column(label), row)].add(accepted.boolean_at(row));
    for (const auto& [name, ratio] : by_label)
      score.parts.push_back({name, ratio.value(), ratio.numerator.size(), "accepted"});
  }
  if (!table.has("check")) return;
  std::map<std::string, std::uint64_t> by_check;
  for (std::size_t row = 0; row < table.rows(); ++row)
    if (!accepted.is_null(row) && !accepted.boolean_at(row)) ++by_check[cell(table.column("check"), row)];
  for (const auto& [name, count] : by_check)
    score.parts.push_back({"rejected by " + (name.empty() ? std::string("(not said)") : name),
                           static_cast<double>(count) / static_cast<double>(score.n), count,
                           "share of all drafts"});
}

}  // namespace

Score AcceptanceRate::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of finished drafts that passed every check.",
                            "accepted drafts / finished drafts");
  if (!synthetic.has("accepted"))
    return undefined(std::move(score), "The table has no column 'accepted': it holds no rejected drafts.");
  const Column& accepted = column_of_kind(synthetic, "accepted", Kind::boolean);
  if (synthetic.rows() == 0) return undefined(std::move(score), kEmpty);
  RatioRows ratio{.numerator = {}, .denominator = {}, .share = true};
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < synthetic.rows(); ++row) {
    if (accepted.is_null(row)) continue;
    ratio.add(accepted.boolean_at(row));
    kept.push_back(row);
  }
  const Units units =
      synthetic.has("row_id") ? Units::of_column(synthetic, "row_id", "row ids") : Units::of(synthetic);
  set_ratio(score, ratio, units.take(kept), context);
  if (!synthetic.has("row_id"))
    score.warnings.emplace_back(
        "Without a column 'row_id' attempts at the same row count as independent, which makes "
        "the interval too narrow.");
  add_acceptance_parts(score, synthetic, context);
  return score;
}

Score FreeTokenShare::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of generated tokens drawn from the whole vocabulary.",
                            "free / (free + masked + forced), summed over rows");
  for (const char* name : {"free_tokens", "masked_tokens", "forced_tokens"})
    if (!synthetic.has(name))
      return undefined(std::move(score), message("The table has no column '", name, "'."));
  if (synthetic.rows() == 0) return undefined(std::move(score), kEmpty);
  const Column& free = column_of_kind(synthetic, "free_tokens", Kind::integer);
  const Column& masked = column_of_kind(synthetic, "masked_tokens", Kind::integer);
  const Column& forced = column_of_kind(synthetic, "forced_tokens", Kind::integer);
  RatioRows ratio;
  double totals[2] = {0, 0};
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < synthetic.rows(); ++row) {
    if (free.is_null(row) || masked.is_null(row) || forced.is_null(row)) continue;
    kept.push_back(row);
    const double f = free.number_at(row), m = masked.number_at(row), o = forced.number_at(row);
    ratio.add(f, f + m + o);
    totals[0] += m, totals[1] += o;
  }
  set_ratio(score, ratio, Units::of(synthetic).take(kept), context);
  if (!score.value) return score;
  double all = 0;
  for (const double d : ratio.denominator) all += d;
  score.parts.push_back({"masked", totals[0] / all, score.n, "drawn among at least two allowed tokens"});
  score.parts.push_back({"forced", totals[1] / all, score.n, "the only token allowed"});
  return score;
}

Score FactAgreement::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of the facts asked for that the texts state.",
                            "true cells / cells with a value, over the boolean columns fact_*");
  std::vector<std::string> facts;
  for (const Field& field : synthetic.schema().fields)
    if (field.name.starts_with("fact_") && field.kind == Kind::boolean) facts.push_back(field.name);
  if (facts.empty())
    return undefined(std::move(score), "The table has no boolean column whose name starts with 'fact_'.");
  if (synthetic.rows() == 0) return undefined(std::move(score), kEmpty);
  RatioRows ratio;
  ratio.numerator.assign(synthetic.rows(), 0);
  ratio.denominator.assign(synthetic.rows(), 0);
  for (const std::string& fact : facts) {
    const Column& column = synthetic.column(fact);
    RatioRows part;
    for (std::size_t row = 0; row < synthetic.rows(); ++row) {
      if (column.is_null(row)) continue;
      part.add(column.boolean_at(row));
      ratio.numerator[row] += column.boolean_at(row);
      ratio.denominator[row] += 1;
    }
    score.parts.push_back({fact.substr(5), part.value(), part.numerator.size(), ""});
  }
  // All or none of all facts: the rows are the units, as for one share.
  ratio.share = true;
  set_ratio(score, ratio, Units::of(synthetic), context);
  return score;
}

}  // namespace synthema
