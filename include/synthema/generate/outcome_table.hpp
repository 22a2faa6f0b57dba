// Outcomes of a run as Tables: the accepted rows, and all finished attempts with how they came about.
#pragma once

#include <span>
#include <string>

#include "synthema/data/table.hpp"
#include "synthema/generate/row.hpp"

namespace synthema {

// A schema that all these records fit: fields in order of first appearance; integer and real give real, other
// mixtures give text; all nullable. Lists take the kind of their first item.
Schema infer_schema(std::span<const Record> records);

// The values of the accepted outcomes under `schema`; null infers one. Times are in UTC, but those of the
// fields `without_zone`. SchemaError names row and field.
Table rows_table(std::span<const RowOutcome> outcomes, const Schema* schema = nullptr,
                 std::span<const std::string> without_zone = {});

// One row per attempt: row_id, attempt, accepted, check, reason, must_not_leave, the values, condition fields
// that are no values, then prompt_tokens, free_tokens, masked_tokens, forced_tokens, questions, finish,
// digest and exemplars (list). ConfigError if a value has one of these names. Never stricter than
// infer_schema: drafts need not fit the schema that rejected them. `terms` gives licence, terms, language and
// may_leave_machine.
Table attempts_table(std::span<const RowOutcome> outcomes, const Schema* terms = nullptr,
                     std::span<const std::string> without_zone = {});

}  // namespace synthema
