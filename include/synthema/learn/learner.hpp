// A Learner fits a model of one column of a table to its other columns; a Predictor is that model. Both hold
// plain functions, so that one written in Python is as good as ours. Where a caller's own fails, it throws a
// PlugInError (core/plug_in_error.hpp): scores that ask it are undefined then.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "synthema/core/progress.hpp"
#include "synthema/core/random.hpp"
#include "synthema/data/table.hpp"
#include "synthema/learn/gradient_boosting.hpp"
#include "synthema/learn/linear_model.hpp"
#include "synthema/learn/target.hpp"

namespace synthema {

struct LearningTask {
  const Table* training = nullptr;   // rows without a target are left out
  std::vector<std::string> columns;  // what the model may read
  const TargetColumn* target = nullptr;
  Random random;
  std::size_t threads = 0;  // never changes a model
  CancelToken cancel = {};
};

// One prediction a row of the table: of each class its probability, or the number.
using Predictor = std::function<Predictions(const Table&)>;
struct Learner {
  std::string name;  // enters scores: "boosted trees"
  std::function<Predictor(const LearningTask&)> fit;
  // Fits to fewer rows do not draw anything: with another `random` they are the same.
  std::size_t draws_from = 0;
};

Learner boosted_trees(BoostingOptions options = {});
Learner linear_model(LinearOptions options = {});  // of the standardised design

// The columns that a model of `target` may read: not the target, identifiers, subjects, texts or lists.
std::vector<std::string> feature_columns(const Schema& schema, std::string_view target = {});

}  // namespace synthema
