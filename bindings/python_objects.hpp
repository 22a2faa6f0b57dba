// Python objects that C++ keeps beyond a call: every plug-in adapter holds its callable this way.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "bindings/bindings.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/plug_in_error.hpp"

namespace synthema::bindings {

// Shared, and let go under the GIL, whichever thread drops it last. Take the GIL before looking inside.
using HeldObject = std::shared_ptr<py::object>;
inline HeldObject held(py::object object) {
  return {new py::object(std::move(object)), [](py::object* p) {
            const py::gil_scoped_acquire gil;
            delete p;
          }};
}

// Throws what a Python exception stands for: our named errors as themselves, so that C++ treats them alike;
// everything else, a KeyboardInterrupt or a programming error, goes on as the Python exception with its
// traceback. Needs the GIL.
[[noreturn]] inline void rethrow(py::error_already_set& error) {
  const py::module_ core = py::module_::import("synthema._core");
  const auto is = [&](const char* name) { return error.matches(core.attr(name)); };
  const auto text = [&] { return std::string(py::str(error.value())); };
  if (is("GenerationError")) throw GenerationError(text());
  if (is("ParseError")) throw ParseError(text());
  throw std::move(error);
}

// What synthema.table makes of a frame, as the Python object.
inline py::object table_of(const py::object& rows) {
  return py::module_::import("synthema.tables").attr("table")(rows);
}

// Runs Python code under the GIL with these rules.
template <class Work>
auto with_python(const Work& work) {
  const py::gil_scoped_acquire gil;
  try {
    return work();
  } catch (py::error_already_set& error) {
    rethrow(error);
  }
}

// The same for what a caller brought to an evaluation: `synthema.evaluate` makes an EvaluationError of what
// it raises, and that is a PlugInError here.
template <class Work>
auto with_plug_in(const Work& work) {
  return with_python([&] {
    try {
      return work();
    } catch (py::error_already_set& error) {
      if (!error.matches(py::module_::import("synthema._core").attr("EvaluationError"))) throw;
      throw PlugInError(std::string(py::str(error.value())));
    }
  });
}

// Copies, and pickles for worker processes, of what has a JSON form that holds all of it: to_json(T) writes
// it, `read` reads it.
template <class T, class... Options, class Read>
void copied_by_json(py::class_<T, Options...>& bound, const Read& read) {
  bound.def(py::pickle([](const T& one) { return py::make_tuple(to_json(one)); },
                       [read](const py::tuple& state) { return read(state[0].cast<std::string>()); }));
}

// Throws KeyboardInterrupt after Ctrl-C: C++ asks while it works without the GIL.
inline void check_interrupt() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

}  // namespace synthema::bindings
