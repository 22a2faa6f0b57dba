// Whose definition a metric follows. "synthema" is the literature's with its faults repaired; a library's
// name gives that library's number, faults included. An evaluator lists those it has; its constructor refuses
// the others, and a suite takes "synthema" where an evaluator does not have the one that was asked for. The
// score says which it was.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "synthema/core/error.hpp"

namespace synthema {

enum class Convention : std::uint8_t { synthema, sdmetrics, mostlyai, syntheval, synthcity, anonymeter };

constexpr std::string_view kConventionNames[] = {"synthema",  "sdmetrics", "mostlyai",
                                                 "syntheval", "synthcity", "anonymeter"};
constexpr std::string_view name_of(Convention convention) {
  return kConventionNames[static_cast<int>(convention)];
}

inline Convention convention_from(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < std::size(kConventionNames); ++i) {
    if (kConventionNames[i] == name) return static_cast<Convention>(i);
    known += message(known.empty() ? "'" : ", '", kConventionNames[i], "'");
  }
  throw ConfigError({.field = "convention"},
                    message("There is no convention '", name, "'; there are ", known, "."));
}

// The convention if it is one of these, else ConfigError in the name of the evaluator.
inline Convention require_convention(Convention convention, std::span<const Convention> among,
                                     std::string_view evaluator) {
  if (std::find(among.begin(), among.end(), convention) != among.end()) return convention;
  std::string known;
  for (const Convention c : among) known += message(known.empty() ? "'" : ", '", name_of(c), "'");
  throw ConfigError({.field = "convention"}, message("The evaluator '", evaluator, "' has no convention '",
                                                     name_of(convention), "'; it has ", known, "."));
}

// What a suite makes of a convention that was asked for all of its evaluators.
template <class E>
Convention convention_for(Convention asked) {
  const std::span<const Convention> has(E::kConventions);
  return std::find(has.begin(), has.end(), asked) != has.end() ? asked : Convention::synthema;
}

}  // namespace synthema
