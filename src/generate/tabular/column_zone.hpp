// Whether times have a zone, or none, as those that were learnt: clock times and moments are not compared.
#pragma once

#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

bool has_zone_of(const ColumnCoding& coding, const Column& column);

// SchemaError, with what to do.
void check_zone(const ColumnCoding& coding, const Column& column);

}  // namespace synthema::detail
