#include "synthema/generate/tabular/bootstrap_copy.hpp"

#include <optional>

#include "synthema/core/random.hpp"
#include "synthema/generate/tabular/conditions.hpp"

namespace synthema {

namespace {

bool agrees(const Column& real, std::size_t row, const Column& wanted, std::size_t condition) {
  if (wanted.is_null(condition)) return true;
  if (real.is_null(row)) return false;
  return real.value_at(row).display() == wanted.value_at(condition).display();
}

// Rows of the table that agree with each condition.
std::vector<std::vector<std::size_t>> agreeing(const Table& real, const Table& conditions) {
  std::vector<std::vector<std::size_t>> out(conditions.rows());
  for (const Field& field : conditions.schema().fields)
    if (!real.has(field.name))
      throw GenerationError({.field = field.name},
                            "There is a condition on this column, which the training table does not have.");
  for (std::size_t condition = 0; condition < out.size(); ++condition) {
    for (std::size_t row = 0; row < real.rows(); ++row) {
      bool all = true;
      for (std::size_t c = 0; all && c < conditions.columns(); ++c)
        all = agrees(real.column(conditions.schema().fields[c].name), row, conditions.column(c), condition);
      if (all) out[condition].push_back(row);
    }
    if (out[condition].empty())
      throw GenerationError(message("No row of the training table agrees with condition ", condition,
                                    "; there is nothing to copy."));
  }
  return out;
}

}  // namespace

void BootstrapCopy::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  cancel.check();
  if (real.rows() == 0) throw GenerationError("The table has no rows; there is nothing to copy.");
  real_ = real;
  if (progress) progress({.phase = "fit", .done = 1, .total = 1, .note = {}});
}

Table BootstrapCopy::sample(const SampleRequest& request) const {
  if (!fitted()) throw GenerationError("The generator is not fitted; call fit first.");
  if (!release_)
    throw PolicyError(
        "A bootstrap copy consists of real people's rows. Where that is what you want, to see what "
        "evaluators say "
        "about it, ask for it with release=True; to share data, take another generator.");
  std::vector<std::vector<std::size_t>> pools;
  if (has_conditions(request.conditions.get())) pools = agreeing(real_, *request.conditions);
  std::vector<std::size_t> rows(request.rows);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    Random random = Random(request.seed).stream(row);
    const auto* pool = pools.empty() ? nullptr : &pools[row % pools.size()];
    rows[row] = pool ? (*pool)[random.below(pool->size())] : random.below(real_.rows());
  }
  return real_.take(rows);
}

}  // namespace synthema
