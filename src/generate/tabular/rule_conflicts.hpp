// What contradicts itself in the rules of a schema and can be seen without drawing.
#pragma once

#include <span>

#include "src/generate/tabular/coded_rules.hpp"

namespace synthema::detail {

// GenerationError as RowRules says. Takes away combinations that ranges, rules and other groups exclude, so
// that no row runs into them.
void refuse_conflicts(CodedRules& rules, std::span<const ColumnCoding> columns);

}  // namespace synthema::detail
