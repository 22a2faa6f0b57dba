#include "synthema/report/evaluate_all.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "synthema/core/memory.hpp"
#include "synthema/core/plug_in_error.hpp"
#include "synthema/data/label_columns.hpp"
#include "synthema/data/row_numbers.hpp"

namespace synthema {

namespace {

// Why it cannot be asked; empty if it can.
std::string lacking(const AnyEvaluator& evaluator, const Table* real, const Table& synthetic,
                    const EvaluationContext& context) {
  const EvaluatorNeeds needs = evaluator.needs();
  if (needs.reference && !real) return "No real table was given.";
  if (needs.holdout && !context.holdout) return "No holdout was given.";
  if (needs.target && context.target_column.empty()) return "No target column was named.";
  if (needs.subject && !(real ? *real : synthetic).schema().subject())
    return "The schema names no subject column.";
  if (needs.embedder && !context.embedder) return "No embedder was given.";
  return {};
}

Score unasked(const AnyEvaluator& evaluator, std::string reason) {
  Score score;
  score.name = std::string(evaluator.name());
  score.direction = evaluator.direction();
  score.range = evaluator.range();
  score.undefined = std::move(reason);
  return score;
}

// A score is never a bare NaN or infinity: where numbers near the limits of floating point overflow, it says
// so. (A wasserstein distance of columns of 1e308, for instance.)
void drop_overflows(Score& score) {
  if (score.value && !std::isfinite(*score.value)) {
    score.value.reset();
    score.interval.reset();
    score.undefined =
        "The numbers of a column are so large that the computation overflowed; give the column another unit.";
  }
  if (score.interval && !(std::isfinite(score.interval->low) && std::isfinite(score.interval->high))) {
    score.interval.reset();
    score.no_interval = "The computation of the interval overflowed.";
  }
  for (std::optional<Bound>* bound : {&score.ceiling, &score.floor})
    if (*bound && !std::isfinite((*bound)->value)) bound->reset();
  for (ScorePart& part : score.parts)
    if (part.value && !std::isfinite(*part.value)) {
      part.value.reset();
      part.note = "The computation overflowed.";
    }
}

// A column that a user named for one question, and that cannot serve it, shall not take the others' answers
// away.
bool is_column(const std::string& name, const Table* real, const Table& synthetic,
               const EvaluationContext& context) {
  return !name.empty() && ((real && real->has(name)) || synthetic.has(name) ||
                           (context.holdout && context.holdout->has(name)));
}

Score ask(const AnyEvaluator& evaluator, const Table* real, const Table& synthetic,
          const EvaluationContext& context, bool alone) {
  if (std::string reason = lacking(evaluator, real, synthetic, context); !reason.empty())
    return unasked(evaluator, std::move(reason));
  try {
    return evaluator.evaluate(real, synthetic, context);
  } catch (const PlugInError& error) {  // also where it is the only one that was asked for
    return unasked(evaluator, error.what());
  } catch (const EvaluationError& error) {
    if (alone || !is_column(error.where().field, real, synthetic, context)) throw;
    return unasked(evaluator, error.what());
  }
}

Table with_identifiers(const Table& table, const std::vector<std::string>& names) {
  Schema schema = table.schema();
  std::vector<Column> columns;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    Field& field = schema.fields[i];
    if (std::ranges::find(names, field.name) != names.end()) field.roles.push_back(Role::identifier);
    columns.push_back(table.column(i));
  }
  return {std::move(schema), std::move(columns)};
}

// Columns that are texts in one of the tables and hold labels in the real one, or are categories in another.
// The text that is judged as text stays one.
std::vector<std::string> labels_of(const Table* real, const Table& synthetic,
                                   const EvaluationContext& context) {
  std::vector<std::string> names = label_columns(real ? *real : synthetic);
  for (const Table* table : {real, &synthetic, static_cast<const Table*>(context.holdout.get())})
    if (table)
      for (const Field& field : table->schema().fields)
        if (field.kind == Kind::category) names.push_back(field.name);
  std::erase(names, context.text_column);
  return names;
}

// A report finds scores by name: of two with one name the second would not be found.
void refuse_same_names(std::span<const AnyEvaluator> evaluators) {
  std::map<std::string, std::size_t, std::less<>> places;
  for (std::size_t i = 0; i < evaluators.size(); ++i)
    if (const auto [first, added] = places.try_emplace(std::string(evaluators[i].name()), i + 1); !added)
      throw ConfigError(
          {.field = "metrics"},
          message("Measures ", first->second, " and ", i + 1, " of the list are both called '", first->first,
                  "', and a report has one score of a name; rename one of them, "
                  "or evaluate twice."));
}

Report scores_of(std::span<const AnyEvaluator> evaluators, const Table* real, const Table& given_synthetic,
                 const EvaluationContext& given, const ProgressSink& progress) {
  Report report;
  EvaluationContext context = given;
  std::optional<Table> real_told, synthetic_told, real_without;
  if (const auto labels = labels_of(real, given_synthetic, context); !labels.empty()) {
    if (real) real = &real_told.emplace(with_categories(*real, labels));
    synthetic_told = with_categories(given_synthetic, labels);
    if (context.holdout) context.holdout = std::make_shared<Table>(with_categories(*context.holdout, labels));
  }
  const Table& synthetic = synthetic_told ? *synthetic_told : given_synthetic;
  if (real) {
    std::vector<std::string> names = row_number_columns(*real);
    std::erase_if(names, [&](const std::string& name) {
      return name == context.target_column || !synthetic.has(name);
    });
    if (!names.empty()) {
      real_without = with_identifiers(*real, names);
      real = &*real_without;
      if (context.holdout)  // it stands in the place of real rows, too
        context.holdout = std::make_shared<Table>(with_identifiers(*context.holdout, names));
      report.set_fact("row_numbers", nlohmann::json(names).dump());
    }
  }
  context.shared = std::make_shared<SharedWork>();
  for (const AnyEvaluator& evaluator : evaluators) {
    context.cancel.check();
    const std::string name(evaluator.name());
    if (progress) progress({"evaluate", report.scores.size(), evaluators.size(), name});
    const auto begin = std::chrono::steady_clock::now();
    const std::uint64_t memory = peak_memory();
    report.scores.push_back(ask(evaluator, real, synthetic, context, evaluators.size() == 1));
    drop_overflows(report.scores.back());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    report.timings.push_back({name, took.count(), peak_memory() - memory});
  }
  if (progress) progress({"evaluate", evaluators.size(), evaluators.size(), ""});
  return report;
}

}  // namespace

Report evaluate_all(std::span<const AnyEvaluator> evaluators, const Table* real, const Table& synthetic,
                    const EvaluationContext& context, const ProgressSink& progress) {
  refuse_same_names(evaluators);
  try {
    return scores_of(evaluators, real, synthetic, context, progress);
  } catch (const Cancelled&) {
    throw Cancelled("The evaluation was cancelled by the caller; none of its scores is kept.");
  }
}

}  // namespace synthema
