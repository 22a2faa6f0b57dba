// Whole numbers that cannot be negative, as arguments. pybind11 would answer a negative one with a TypeError
// that lists every signature and shows all arguments; this names the argument and what it may be.
#pragma once

#include <limits>

#include "bindings/bindings.hpp"
#include "synthema/core/error.hpp"

namespace synthema::bindings {

template <class Unsigned = std::uint64_t>
Unsigned count_from(const py::int_& given, const char* field) {
  constexpr auto most = std::numeric_limits<Unsigned>::max();
  const unsigned long long value = PyLong_AsUnsignedLongLong(given.ptr());
  const bool outside = PyErr_Occurred() != nullptr;  // negative, or beyond 64 bits
  PyErr_Clear();
  if (outside || value > most)
    throw ConfigError({.field = field}, message("A whole number from 0 to ", std::uint64_t{most},
                                                " is needed, not ", std::string(py::str(given)), "."));
  return static_cast<Unsigned>(value);
}

}  // namespace synthema::bindings
