// The numbers and times that JSON text of a form holds: whole numbers of the last decimal, of seconds or of
// days, within limits, so that every text ends.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "synthema/data/schema.hpp"

namespace synthema::detail {

inline constexpr std::int64_t kLargestInteger = 999'999'999'999'999;  // either sign
inline constexpr std::int64_t kLargestReal = 999'999'999;             // either sign
inline constexpr unsigned kDecimals = 6;
inline constexpr std::string_view kFirstDate = "1900-01-01", kLastDate = "2099-12-31";

// Of a number, or of a time in microseconds since 1970.
struct ValueRange {
  std::optional<double> minimum, maximum;
  bool open_minimum = false, open_maximum = false;  // the bound itself is excluded
};

// Both ends included; empty where low is above high.
struct WrittenRange {
  std::int64_t low = 0, high = -1;

  bool empty() const { return low > high; }
};

// In units of 10^-places; none: of whole numbers. Exact in the decimal digits of the bounds.
WrittenRange written_numbers(const ValueRange& range, std::optional<unsigned> places);
// In days, or in seconds.
WrittenRange written_times(const ValueRange& range, bool date_only);

// ConfigError names the field if its range leaves no number or time that can be written.
void require_written(const Field& field);

}  // namespace synthema::detail
