// Numbers as text in their shortest exact form; a real always shows that it is one ("63.0").
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace synthema::detail {

inline std::string number_text(std::int64_t value) {
  return fmt::format("{}", value);
}

inline std::string number_text(double value) {
  std::string out = fmt::format("{}", value);
  if (out.find_first_not_of("-0123456789") == std::string::npos) out += ".0";
  return out;
}

}  // namespace synthema::detail
