// Orders of numbers that no two, or no circle of columns, can have.
#pragma once

#include <span>

#include "src/generate/tabular/coded_rules.hpp"

namespace synthema::detail {

void refuse_order_conflicts(const CodedRules& rules, std::span<const ColumnCoding> columns);

}  // namespace synthema::detail
