// What models are fitted to and tested on when usefulness is measured.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "synthema/evaluate/evaluator.hpp"
#include "synthema/learn/learner.hpp"

namespace synthema::detail {

struct TrialRows {
  std::vector<std::string> columns;  // that a model may read
  TargetColumn target;
  Table synthetic, training, test;  // rows with a target, in an order that their contents decide
};

// How the target is read, with a warning where labels are gathered. Nothing, with the reason in `undefined`
// of the score, where it cannot be.
std::optional<TargetColumn> target_of(const Table& real, const EvaluationContext& context, Score& score);

// Test rows are the holdout's, else a quarter of the real subjects, which a warning says. Nothing, with the
// reason in `undefined` of the score, where there is nothing to fit or test. EvaluationError if the target is
// not a number or category of every table.
std::optional<TrialRows> trial_rows(const Table* real, const Table& synthetic,
                                    const EvaluationContext& context, Score& score);

// Fitted to these rows, predictions of the test rows. `stream` tells fits of one seed apart.
Predictions fitted_predictions(const Learner& learner, const TrialRows& rows, const Table& training,
                               std::uint64_t stream, const EvaluationContext& context);

// AUROC, or R squared of a number; nothing where the test rows have one class or value.
std::optional<double> usefulness(const Predictions& predicted, const TrialRows& rows);

// The first `count` of the subjects of a table, in an order drawn by the seed.
Table some_subjects(const Table& table, std::size_t count, std::uint64_t seed);
// The rows of both, columns read and target only.
Table together(const Table& a, const Table& b, const TrialRows& rows);

}  // namespace synthema::detail
