// What measures of disclosure are told about the columns: which ones an attacker may know (quasi-identifiers)
// and which ones are secret.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace synthema {

struct DisclosureOptions {
  std::vector<std::string> known;   // quasi-identifiers; empty: the measure is undefined
  std::vector<std::string> secret;  // empty: columns with the role sensitive
  // Numbers are cut into so many bins of equal width between the training rows' extremes, open at both ends;
  // at least 1.
  std::size_t bins = 10;
};

}  // namespace synthema
