// Numbers with their noun, for messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "synthema/core/error.hpp"

namespace synthema {

// "1 row", "0 rows", "12 rows".
inline std::string counted(std::uint64_t number, std::string_view noun) {
  return message(number, ' ', noun, number == 1 ? "" : "s");
}

}  // namespace synthema
