// Regular expressions as text, read into an Expression. The text must match as a whole.
//
//   abc  .  [a-z]  [^"]  \d \w \s \D \W \S  \n \t \r \f \v \0 \xHH \uHHHH \u{H...}  \. (any punctuation)
//   (...)  (?:...)  a|b  a* a+ a? a{3} a{3,} a{3,5}  (a '?' or '+' after a repetition changes nothing here)
//   ^ at the beginning and $ at the end (both are implied)
//
// One character is one code point. \d, \w and \s are ASCII; '.' is any character but \n. Everything else of
// other dialects (back references, look-around, \b, \p, flags, [[:alpha:]], [a&&b]) is refused with its
// place.
#pragma once

#include <string_view>

#include "src/model/expressions.hpp"

namespace synthema::detail {

// `json`: the expression is of the text inside a JSON string, with JSON's escapes. ConfigError with the
// column (1-based, in bytes).
Expression regex(Expressions& pool, std::string_view pattern, bool json = false);

}  // namespace synthema::detail
