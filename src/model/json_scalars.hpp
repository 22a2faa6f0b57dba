// The values of a JSON Schema that hold no others: strings, numbers, and what is listed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "src/model/expressions.hpp"
#include "src/model/json_keywords.hpp"

namespace synthema::detail {

std::string spelt(const Json& json);  // in the spelling of json_text.hpp
// The values of an 'enum' that have its 'type'.
std::vector<std::string> enumerated(const Json& listed, Keywords& in, const char* keyword = "enum");
// 'formatMinimum' or 'formatMaximum', in microseconds since 1970.
std::optional<double> time_bound(Keywords& in, const char* name);
// Nothing where the range or the length is empty.
Expression string_value(Expressions& pool, Keywords& in);
Expression number_value(Expressions& pool, Keywords& in, bool real);

}  // namespace synthema::detail
