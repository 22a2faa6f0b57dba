// What Support's measures are made of: for each row, whether the other table's rows reach it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "synthema/evaluate/evaluator.hpp"
#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

struct RowSupport {
  std::vector<double> precision, density, authentic;  // by synthetic row; the last of row_authenticity()
  std::vector<double> recall, covered;                // by real row
  double alpha_precision = 0, beta_recall = 0;
  double as_far = 0;  // share of real rows as far from the nearest synthetic row as from their own nearest
  Units real, synthetic;
};

// Of several tables against one, whose rows are searched among each other once. Nothing for a table that
// lacks one of the columns, which are those that real and the first table share, or if one of the two has
// fewer than two units. Distances are scaled by real and `scale_by`, which may be null.
std::vector<std::optional<RowSupport>> row_supports(const Table& real, std::span<const Table* const> others,
                                                    const Table* scale_by, std::size_t neighbours,
                                                    const EvaluationContext& context);
// Searches of its own: most do not ask.
std::vector<std::optional<RowSupport>> row_authenticity(const Table& real,
                                                        std::span<const Table* const> others,
                                                        const Table* scale_by,
                                                        const EvaluationContext& context);
// The same as synthcity and prdc have it; `authentic` has one entry a real row. Nothing if a value is
// missing. The last three are left empty and 0 where the tables have not equally many rows.
std::optional<RowSupport> library_support(const Table& real, const Table& synthetic, std::size_t neighbours,
                                          const EvaluationContext& context);

}  // namespace synthema::detail
