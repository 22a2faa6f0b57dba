#include "synthema/report/report.hpp"

#include "bindings/bindings.hpp"
#include "bindings/python_objects.hpp"
#include "synthema/report/evaluate_all.hpp"

namespace synthema::bindings {

namespace {

py::object json_module() {
  return py::module_::import("json");
}

py::dict to_dict(const Report& report) {
  return json_module().attr("loads")(to_json(report));
}

py::dict facts_of(const Report& report) {
  py::dict out;
  for (const Fact& fact : report.facts) out[py::str(fact.name)] = json_module().attr("loads")(fact.json);
  return out;
}

Report evaluate_all_from_python(const std::vector<AnyEvaluator>& evaluators, const std::optional<Table>& real,
                                const Table& synthetic, const EvaluationContext& context,
                                const py::object& progress) {
  ProgressSink sink = [callback = progress.is_none() ? nullptr : held(progress)](const Progress& step) {
    with_python([&] {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      if (callback) (*callback)(step);
    });
  };
  const py::gil_scoped_release release;
  return evaluate_all(evaluators, real ? &*real : nullptr, synthetic, context, sink);
}

}  // namespace

void bind_report(py::module_& module) {
  py::class_<Timing>(module, "Timing", "What one evaluator cost.")
      .def_readonly("name", &Timing::name, "The evaluator's.")
      .def_readonly("seconds", &Timing::seconds, "Of wall time.")
      .def_readonly("memory_growth_bytes", &Timing::memory_growth_bytes,
                    "By which the peak resident memory of the process grew; 0 where unknown.");
  py::class_<Report> report(module, "Report", "Scores, what they cost, and facts about the run.");
  copied_by_json(report, report_from_json);
  report.def_readwrite("title", &Report::title, "Title of the page.")
      .def_readonly("library", &Report::library, "Version of synthema that measured.")
      .def_readonly("scores", &Report::scores, "The scores in the order in which they were asked for.")
      .def_readonly("timings", &Report::timings, "What each evaluator cost.")
      .def_property_readonly("facts", &facts_of, "Facts about the run, by name.")
      .def(
          "set_fact",
          [](Report& self, std::string name, const py::object& value) {
            self.set_fact(std::move(name), json_module().attr("dumps")(value).cast<std::string>());
          },
          py::arg("name"), py::arg("value"),
          "Adds or replaces a fact about the run; the value must fit JSON.")
      .def(
          "__getitem__", [](const Report& self, std::string_view name) { return self.at(name); },
          py::arg("name"), "The score of this name; EvaluationError names those there are.")
      .def("__contains__",
           [](const Report& self, std::string_view name) { return self.find(name) != nullptr; })
      .def("__len__", [](const Report& self) { return self.scores.size(); })
      .def(
          "__iter__",
          [](const Report& self) { return py::make_iterator(self.scores.begin(), self.scores.end()); },
          py::keep_alive<0, 1>())
      .def(
          "to_json", [](const Report& self) { return to_json(self); }, "The versioned JSON form.")
      .def("to_dict", &to_dict, "The JSON form as a dict.")
      .def(
          "to_markdown", [](const Report& self) { return to_markdown(self); }, "The scores as a table.")
      .def_static(
          "from_json", [](const std::string& json) { return report_from_json(json); }, py::arg("json"),
          "The report of a JSON form; ParseError if it is none.")
      .def("_repr_html_",
           [](const py::object& self) {
             return py::module_::import("synthema.evaluation").attr("_inline_page")(self);
           })
      .def("__repr__", [](const Report& self) { return to_text(self); });
  module.def("evaluate_all", &evaluate_all_from_python, py::arg("evaluators"), py::arg("real"),
             py::arg("synthetic"), py::arg("context"), py::arg("progress") = py::none(),
             "Ask evaluators in their order; `synthema.evaluate` chooses them and makes the context.");
}

}  // namespace synthema::bindings
