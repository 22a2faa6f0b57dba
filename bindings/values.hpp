// Values and records as plain Python objects: None, bool, int, float, str, list, datetime (aware, UTC) and
// dict.
#pragma once

#include <optional>

#include "bindings/bindings.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema::bindings {

py::object to_python(const Value& value);
py::dict to_python(const Record& record);

// Accepts the above, numpy and pandas scalars, date and datetime (a naive one is taken as UTC), any sequence
// or one-dimensional array as a list. SchemaError for anything else; `name` only serves the message.
Value value_from_python(py::handle object, const std::string& name = {});
Record record_from_python(const py::dict& dict);
// Whether a time has a zone, which a Value cannot say; of a list its first one. Nothing where it is no time.
std::optional<bool> has_zone(py::handle object);

// Of the fields, in their order.
std::vector<std::string> names_of(const Schema& schema);

}  // namespace synthema::bindings
