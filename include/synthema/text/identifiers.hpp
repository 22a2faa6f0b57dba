// Finds what may name a person in a text, by its form: dates, phone and record numbers, e-mail and web
// addresses, streets, and names after a title or a keyword. Written for English and German clinical notes. It
// finds forms, not meanings: a name without a title is missed, a dose of seven digits is a number. Pass
// better detectors where you have them.
//
//   email    x@y.z
//   url      http://, https:// or www. up to a space
//   date     2020-03-12, 12/3/2020, 12.03.20, 12 March 2020, March 12, 2020
//   phone    seven to fifteen digits in groups that -, ., space, ( ) or + join
//   number   seven digits or more in a row, also after MRN, SSN, ID
//   address  a number and capitalised words that end in Street, Avenue, Road, ...; or Xstraße 12
//   name     capitalised words after Dr., Mr., Mrs., Ms., Prof., Herr, Frau, "name:" or "patient:"
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"

namespace synthema {

struct Identifier {
  std::size_t begin = 0, end = 0;  // bytes of the text
  std::string kind;

  friend bool operator==(const Identifier&, const Identifier&) = default;
};

// In the order of the text, none over another; the longest where several forms fit.
SYNTHEMA_EXPORT std::vector<Identifier> find_identifiers(std::string_view text);

}  // namespace synthema
