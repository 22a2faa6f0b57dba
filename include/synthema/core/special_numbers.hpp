// What stands among numbers for something else, named once for all rooms.
#pragma once

#include <limits>

namespace synthema::detail {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();  // a cell without a value
inline constexpr double kNever = -kInfinity;  // the logarithm of a probability of zero

}  // namespace synthema::detail
