// Bisection whose answer errs to one side only. For our .cpp files.
#pragma once

#include <concepts>

#include "synthema/core/error.hpp"

namespace synthema::detail {

// The smallest positive number for which `holds` (false below some point, true above), from above: the number
// that is returned has been tried and holds, and a number smaller by the relative tolerance did not. The
// search leaves `start` by powers of `factor`.
double smallest_that(const std::predicate<double> auto& holds, double start, double factor,
                     double tolerance) {
  double low = start, high = start;
  if (holds(start)) {
    while (holds(low = high / factor)) {
      high = low;
      if (high < 1e-9) return high;
    }
  } else {
    while (!holds(high = low * factor)) {
      low = high;
      if (low > 1e12)
        throw ConfigError("No amount below 1e12 reaches the target; ask for a larger epsilon or delta.");
    }
  }
  while (high - low > tolerance * high) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (holds(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace synthema::detail
