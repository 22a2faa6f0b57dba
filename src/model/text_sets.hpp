// What texts are made of, as expressions: characters in UTF-8, strings of digits between two bounds, numbers,
// dates and times. Numbers and dates are written in one way each: no leading zeros, no exponent, no "-0".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/model/expressions.hpp"

namespace synthema::detail {

// Code points as disjoint ranges in ascending order, without surrogates.
class CharacterSet {
 public:
  static constexpr char32_t kLast = 0x10FFFF;
  CharacterSet() = default;
  explicit CharacterSet(std::vector<std::pair<char32_t, char32_t>> ranges);
  static CharacterSet all() { return CharacterSet({{0, kLast}}); }

  void add(char32_t first, char32_t last);
  void add(const CharacterSet& other);
  CharacterSet complement() const;
  CharacterSet without(const CharacterSet& other) const;
  bool contains(char32_t c) const;
  bool empty() const { return ranges_.empty(); }
  const std::vector<std::pair<char32_t, char32_t>>& ranges() const { return ranges_; }

 private:
  std::vector<std::pair<char32_t, char32_t>> ranges_;
};

// One character of the set in UTF-8.
Expression character(Expressions& pool, const CharacterSet& set);
// One character of the set inside a JSON string, escaped where JSON asks for it: \" \\ \b \f \n \r \t. Other
// control characters are left out.
Expression json_character(Expressions& pool, const CharacterSet& set);

// All texts of one length from `low` to `high` in the order of bytes; both have it. After the first byte that
// is free, the bytes range from `least` to `most`.
Expression between(Expressions& pool, std::string_view low, std::string_view high, char least, char most);

// Whole numbers from `low` to `high`, both included.
Expression integers(Expressions& pool, std::int64_t low, std::int64_t high);
// Numbers from low / 10^decimals to high / 10^decimals with at most so many decimals (trailing zeros count).
Expression decimals(Expressions& pool, std::int64_t low, std::int64_t high, unsigned decimals);
// Days since 1970-01-01 as YYYY-MM-DD, within the years 0000 to 9999.
Expression dates(Expressions& pool, std::int64_t first, std::int64_t last);
// Seconds of a day, 0 to 86399, as hh:mm:ssZ.
Expression times(Expressions& pool, std::int64_t first, std::int64_t last);
// Seconds since 1970-01-01T00:00:00Z as YYYY-MM-DDThh:mm:ssZ.
Expression date_times(Expressions& pool, std::int64_t first, std::int64_t last);

}  // namespace synthema::detail
