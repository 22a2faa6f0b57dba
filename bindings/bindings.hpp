// What the binding files share: one bind_<room> function each, called in this order by module.cpp.
// Bindings are thin: argument conversion, GIL release, docstring. No logic, no loops over records.
#pragma once

#include "bindings/pybind.hpp"

namespace synthema::bindings {

namespace py = pybind11;

void bind_core(py::module_& module);     // errors, progress, cancel, random
void bind_schema(py::module_& module);   // schema, its fields and rules
void bind_table(py::module_& module);    // table, readers and writers
void bind_text(py::module_& module);     // tokens, n-grams, retrieval
void bind_privacy(py::module_& module);  // mechanisms, accountants, noise, ledger
void bind_learn(py::module_& module);    // models of tables and how good predictions are
void bind_prompt(py::module_& module);   // prompt, completion, task, strategies and the Python plug-in
void bind_model(py::module_& module);    // model files, tokenizers, chat templates
void bind_completion_model(py::module_& module);  // the erased model and the Python plug-in
void bind_generate(py::module_& module);          // checks, generators, driver, run folder
void bind_tabular(py::module_& module);           // generators of tables
void bind_evaluate(py::module_& module);          // score, context, evaluators and the Python plug-in
void bind_report(py::module_& module);            // report and its JSON form

}  // namespace synthema::bindings
