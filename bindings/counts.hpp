// Whole numbers that cannot be negative, as arguments. pybind11 would answer a negative one with a TypeError
// that lists every signature and shows all arguments; this names the argument and what it may be.
#pragma once

#include <algorithm>
#include <limits>

#include "bindings/bindings.hpp"
#include "synthema/core/error.hpp"

namespace synthema::bindings {

// Any Python integer, those of numpy too, until it is known what it counts.
struct Count {
  py::int_ given;

  // ConfigError that names the field, if it is negative or beyond the type.
  template <class Unsigned = std::uint64_t>
  Unsigned of(const char* field) const {
    constexpr auto most = std::numeric_limits<Unsigned>::max();
    const unsigned long long value = PyLong_AsUnsignedLongLong(given.ptr());
    const bool outside = PyErr_Occurred() != nullptr;
    PyErr_Clear();
    if (outside || value > most)
      throw ConfigError({.field = field}, message("A whole number from 0 to ", std::uint64_t{most},
                                                  " is needed, not ", std::string(py::str(given)), "."));
    return static_cast<Unsigned>(value);
  }
};

// More threads help no machine, and the system refuses many thousands; no result depends on how many there
// are.
inline std::size_t threads_of(const Count& given) {
  constexpr std::size_t most = 256;
  return std::min(most, given.of<std::size_t>("threads"));
}

}  // namespace synthema::bindings

namespace pybind11::detail {

template <>
struct type_caster<synthema::bindings::Count> {
  PYBIND11_TYPE_CASTER(synthema::bindings::Count, const_name("typing.SupportsIndex"));
  bool load(handle source, bool /*convert*/) {
    PyObject* const number = PyNumber_Index(source.ptr());
    if (!number)
      PyErr_Clear();
    else
      value.given = reinterpret_steal<int_>(number);
    return number != nullptr;
  }
};

}  // namespace pybind11::detail
