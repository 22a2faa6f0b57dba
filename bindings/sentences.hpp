// Compiled functions that say in a sentence which argument does not fit. pybind11 answers a call that fits no
// signature of a function with a TypeError that lists them all. in_sentences() puts a step before its entry
// to each function of a module, which gives such calls to synthema.signatures; those that fit cost nothing.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "bindings/bindings.hpp"

namespace synthema::bindings {

namespace sentences {

struct Entry : py::cpp_function {
  static constexpr auto call = &cpp_function::dispatcher;
};

// What was given, in the two ways in which versions of pybind11 receive it.
inline std::pair<py::tuple, py::dict> arguments(PyObject* positional, PyObject* named) {
  return {py::reinterpret_borrow<py::tuple>(positional),
          named ? py::reinterpret_borrow<py::dict>(named) : py::dict()};
}
inline std::pair<py::tuple, py::dict> arguments(PyObject* const* given, std::size_t count, PyObject* names) {
  const auto n = static_cast<std::size_t>(PyVectorcall_NARGS(count));
  py::tuple positional(n);
  for (std::size_t i = 0; i < n; ++i) positional[i] = py::handle(given[i]);
  py::dict named;
  const auto keys = names ? py::reinterpret_borrow<py::tuple>(names) : py::tuple();
  for (std::size_t i = 0; i < keys.size(); ++i) named[keys[i]] = py::handle(given[n + i]);
  return {positional, named};
}

// "corpus_bleu", "Prompt.json" or "Field", as the caller wrote it; "Report." of an attribute, whose setter
// has no name.
inline std::string called(const py::detail::function_record& function) {
  if (!function.scope || !PyType_Check(function.scope.ptr())) return function.name;
  const auto of = function.scope.attr("__name__").cast<std::string>();
  return function.is_constructor ? of : of + "." + function.name;
}

template <class... Given>
PyObject* answer(PyObject* self, Given... given) {
  PyObject* const out = Entry::call(self, given...);
  if (out || !PyErr_ExceptionMatches(PyExc_TypeError)) return out;
  py::error_already_set error;
  try {
    const py::detail::function_record* const function = py::detail::function_record_ptr_from_PyObject(self);
    const std::string said = py::str(error.value());
    if (!said.starts_with(std::string(function->name) + "(): incompatible ")) {
      error.restore();
      return nullptr;
    }
    py::list signatures;
    for (const auto* one = function; one; one = one->next) signatures.append(one->signature);
    const auto [positional, named] = arguments(given...);
    const py::object problem = py::module_::import("synthema.signatures")
                                   .attr("problem")(called(*function), signatures, positional, named);
    PyErr_SetObject(py::type::handle_of(problem).ptr(), problem.ptr());
  } catch (py::error_already_set& other) {
    other.restore();
  } catch (...) {  // nothing of C++ may pass through the interpreter
    error.restore();
  }
  return nullptr;
}

template <class... Given>
constexpr auto answer_of(PyObject* (*)(PyObject*, Given...)) {
  return &answer<Given...>;
}

// The function that a member of a class or module calls; None where there is none.
inline py::object function_of(py::handle member) {
  auto called = py::reinterpret_borrow<py::object>(member);
  if (PyObject_TypeCheck(member.ptr(), &PyStaticMethod_Type)) called = member.attr("__func__");
  if (PyObject_TypeCheck(member.ptr(), &PyProperty_Type)) called = member.attr("fset");
  return py::reinterpret_borrow<py::object>(py::detail::get_function(called));
}

}  // namespace sentences

// All functions of a module, and those of its classes.
inline void in_sentences(py::handle scope) {
  const auto as_stored = [](auto function) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
  };
  for (const py::handle member : scope.attr("__dict__").attr("values")()) {
    if (PyType_Check(member.ptr())) in_sentences(member);
    const py::object function = sentences::function_of(member);
    if (!PyCFunction_Check(function.ptr())) continue;
    PyMethodDef& definition = *reinterpret_cast<PyCFunctionObject*>(function.ptr())->m_ml;
    if (definition.ml_meth == as_stored(sentences::Entry::call))
      definition.ml_meth = as_stored(sentences::answer_of(sentences::Entry::call));
  }
}

}  // namespace synthema::bindings
