#include "src/generate/tabular/column_zone.hpp"

#include "synthema/core/error.hpp"

namespace synthema::detail {

bool has_zone_of(const ColumnCoding& coding, const Column& column) {
  return column.kind() != Kind::time || coding.field.kind != Kind::time ||
         column.zone().empty() == coding.zone.empty();
}

void check_zone(const ColumnCoding& coding, const Column& column) {
  if (has_zone_of(coding, column)) return;
  throw SchemaError(
      {.field = coding.field.name},
      coding.zone.empty()
          ? message("The times have a zone, '", column.zone(),
                    "', but the generator was fitted to times without; make them such "
                    "(in pandas .dt.tz_localize(None)).")
          : message("The times have no zone, but the generator was fitted to times in the zone '",
                    coding.zone, "'; give them theirs (in pandas .dt.tz_localize('", coding.zone, "'))."));
}

}  // namespace synthema::detail
