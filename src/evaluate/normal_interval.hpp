// Intervals that take a distribution for a normal one.
#pragma once

namespace synthema::detail {

// Standard deviations on both sides of the mean that hold 95 % of a normal distribution.
inline constexpr double kNormal95 = 1.959963984540054;

}  // namespace synthema::detail
