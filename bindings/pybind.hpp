// pybind11, always included by this header: an argument that fits no signature must not show in the error.
#pragma once

#include <pybind11/pytypes.h>

namespace pybind11 {

// Its TypeErrors list the arguments as repr() shows them, which may be rows of private data. They pass a
// plain pointer, for which this overload is the better match, and so they list types.
inline str repr(PyObject* argument) {
  return str("<" + std::string(Py_TYPE(argument)->tp_name) + ">");
}

}  // namespace pybind11

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
