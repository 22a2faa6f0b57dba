// Runs evaluators over tables and gathers their scores in a Report.
#pragma once

#include <span>

#include "synthema/core/progress.hpp"
#include "synthema/evaluate/any_evaluator.hpp"
#include "synthema/report/report.hpp"

namespace synthema {

// In the order given, one after the other (each uses the context's threads inside). An evaluator that needs
// the real table, the holdout or a target that there is none of is reported as undefined without being asked.
// So is one of several to which a column of a table does not lend itself, such as survival by a text column:
// the EvaluationError that it throws becomes the reason, and so does a PlugInError: what a learner, an
// embedder, a text scorer or a detector of the caller's throws of that kind, or gives that is no answer of
// such. What else an evaluator throws comes out, as do Cancelled and what the sink throws. `real` may be
// null. Text columns without a role that hold labels in the real table (data/label_columns.hpp), or are
// categories in another table, count as categories in all tables, the context's text column aside. Columns
// without a role that number the real rows (data/row_numbers.hpp) count as identifiers; the report names them
// in the fact "row_numbers".
Report evaluate_all(std::span<const AnyEvaluator> evaluators, const Table* real, const Table& synthetic,
                    const EvaluationContext& context = {}, const ProgressSink& progress = {});

}  // namespace synthema
