// The floor of a privacy score: what rows score that know each column of the training rows and nothing of how
// they go together. For attacks it is what handing on single values gives away.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema::detail {

// Training rows with each column shuffled, as many as there are synthetic ones (all, where there are fewer).
inline std::shared_ptr<const Table> marginal_rows(const Table& real, std::size_t rows,
                                                  const EvaluationContext& context) {
  const auto make = [&] {
    return std::make_shared<Table>(
        independent_marginals(real, context.seed).head(std::min(rows, real.rows())));
  };
  if (!context.shared) return make();
  return context.shared->get<Table>(message("marginals ", &real, " ", rows, " ", context.seed), make);
}

// `evaluator` must set no floor of its own.
template <class E>
void set_marginal_floor(Score& score, const E& evaluator, const Table& real, const Table& synthetic,
                        EvaluationContext context) {
  const std::shared_ptr<const Table> rows = marginal_rows(real, synthetic.rows(), context);
  context.bootstrap = 0;
  const Score of_marginals = evaluator.evaluate(&real, *rows, context);
  if (of_marginals.value)
    score.floor = Bound{*of_marginals.value, message("columns of the training rows shuffled apart, ",
                                                     counted(rows->rows(), "row"))};
}

}  // namespace synthema::detail
