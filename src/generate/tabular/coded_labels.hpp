// Columns of labels and of identifiers, learnt (column_coding.hpp).
#pragma once

#include <cstdint>
#include <vector>

#include "src/generate/tabular/coding_learner.hpp"

namespace synthema::detail {

void learn_boolean(const CodingLearner& learner, const Column& column, ColumnCoding& out,
                   std::vector<std::uint32_t>& codes);
// Identifiers where the texts look like some. SchemaError: a free text, or a column of which no label may be
// handed on.
void learn_labels(const CodingLearner& learner, const Column& column, ColumnCoding& out,
                  std::vector<std::uint32_t>& codes);
// Whether the role of the field says so. SchemaError: of kinds that have no new values to draw.
bool drawn_afresh(const Field& field);
// Texts, labels or whole numbers, which are drawn afresh. SchemaError: other reals.
void learn_identifiers(const CodingLearner& learner, const Column& column, ColumnCoding& out);

}  // namespace synthema::detail
