// Whose definition a metric follows. "synthema" is the literature's with its faults repaired; a library's
// name gives that library's number, faults included.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/error.hpp"

namespace synthema {

enum class Convention : std::uint8_t { synthema, sdmetrics };

constexpr std::string_view name_of(Convention convention) {
  return convention == Convention::synthema ? "synthema" : "sdmetrics";
}
inline Convention convention_from(std::string_view name) {
  if (name == "synthema") return Convention::synthema;
  if (name == "sdmetrics") return Convention::sdmetrics;
  throw ConfigError({.field = "convention"},
                    message("There is no convention '", name, "'; there are 'synthema' and 'sdmetrics'."));
}

}  // namespace synthema
