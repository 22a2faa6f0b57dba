#include "bindings/bindings.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/core/random.hpp"
#include "synthema/core/version.hpp"

namespace synthema::bindings {

namespace {

void bind_errors(py::module_& module) {
  auto root = py::register_exception<Error>(module, "Error");
  root.attr("__doc__") = "The root of all errors that synthema raises on purpose.";
  const auto child = [&]<class E>(std::in_place_type_t<E>, const char* name, const char* doc) {
    py::register_exception<E>(module, name, root).attr("__doc__") = doc;
  };
  child(std::in_place_type<SchemaError>, "SchemaError",
        "A table or record does not fit its schema, or the schema is inconsistent.");
  child(std::in_place_type<ParseError>, "ParseError",
        "A CSV, JSON, JSONL or TOML text is broken; the message says where.");
  child(std::in_place_type<ModelError>, "ModelError",
        "A model file or folder is broken, unsupported or does not fit the request.");
  child(std::in_place_type<ConfigError>, "ConfigError",
        "Options that contradict each other or are out of range.");
  child(std::in_place_type<GenerationError>, "GenerationError",
        "A run cannot reach its target, or a strategy misbehaved.");
  child(std::in_place_type<RunFolderError>, "RunFolderError",
        "A run folder is damaged, belongs to another run, or does not verify.");
  child(std::in_place_type<EvaluationError>, "EvaluationError",
        "An evaluator was given data that it cannot use.");
  child(std::in_place_type<PolicyError>, "PolicyError",
        "The schema forbids what was asked: the data may not leave the machine.");
  child(std::in_place_type<Cancelled>, "Cancelled", "The work was cancelled by the caller.");
}

}  // namespace

void bind_core(py::module_& module) {
  module.attr("__version__") = SYNTHEMA_VERSION;
  bind_errors(module);

  py::class_<Progress>(module, "Progress", "How far a phase of the work has come.")
      .def_readonly("phase", &Progress::phase)
      .def_readonly("done", &Progress::done)
      .def_readonly("total", &Progress::total, "Units in all; 0 if not known.")
      .def_readonly("note", &Progress::note);
  py::class_<CancelToken>(module, "CancelToken", "A request to stop, shared by all copies.")
      .def(py::init<>())
      .def("cancel", &CancelToken::cancel)
      .def_property_readonly("cancelled", &CancelToken::cancelled);
  py::class_<Random>(module, "Random",
                     "A counter-based random stream (Philox4x32-10): same seed, same draws, everywhere.")
      .def(py::init<std::uint64_t>(), py::arg("seed") = 0)
      .def("stream", &Random::stream, py::arg("index"), "An independent child stream; this one is not moved.")
      .def("uniform", &Random::uniform, "A number in [0, 1).")
      .def("below", &Random::below, py::arg("n"), "An integer in [0, n).")
      .def(
          "weighted", [](Random& self, const std::vector<double>& weights) { return self.weighted(weights); },
          py::arg("weights"), "An index drawn in proportion to the weights.")
      .def(
          "choice",
          [](Random& self, const py::sequence& items) -> py::object {
            return items[self.below(py::len(items))];
          },
          py::arg("items"), "One of the items, all equally likely.")
      .def(
          "sample",
          [](Random& self, const py::sequence& items, std::size_t k) {
            std::vector<std::size_t> order(py::len(items));
            for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
            self.shuffle(order);
            if (k > order.size())
              throw ConfigError(message("Random.sample was asked for ", k, " of ", order.size(), " items."));
            py::list out;
            for (std::size_t i = 0; i < k; ++i) out.append(items[order[i]]);
            return out;
          },
          py::arg("items"), py::arg("k"), "k different items in random order.");
}

}  // namespace synthema::bindings
