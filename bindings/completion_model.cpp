// CompletionModel: the one erased model class that every maker of models hands to Python.
#include "bindings/bindings.hpp"
#include "synthema/model/any_completion_model.hpp"
#include "synthema/model/complete.hpp"

namespace synthema::bindings {

namespace {

const char* place_of(const AnyCompletionModel& model) {
  switch (model.location()) {
    case ModelLocation::in_process:
      return "in_process";
    case ModelLocation::this_host:
      return "this_host";
    case ModelLocation::remote:
      return "remote";
  }
  return "remote";  // an unknown place gets the strictest treatment
}

void check_interrupt() {
  const py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

}  // namespace

void bind_completion_model(py::module_& module) {
  py::class_<AnyCompletionModel>(
      module, "CompletionModel",
      "Whatever answers prompts: a local model, an endpoint, a cache in front of either, a scripted model.")
      .def_property_readonly("digest", &AnyCompletionModel::digest,
                             "Names exactly which model answers: weights, tokenizer and chat template.")
      .def_property_readonly("numeric_path", &AnyCompletionModel::numeric_path,
                             "The arithmetic that answers; equal text is promised within one path only.")
      .def_property_readonly("location", &place_of, "'in_process', 'this_host' or 'remote'.")
      .def(
          "complete",
          [](AnyCompletionModel& self, std::vector<Prompt> prompts, const Sampling& sampling,
             std::uint64_t seed) {
            const py::gil_scoped_release no_gil;
            return complete(self, std::move(prompts), sampling, seed, check_interrupt);
          },
          py::arg("prompts"), py::arg("sampling"), py::arg("seed") = 0,
          "Answer prompts, in their order. The same prompt at the same place with the same seed gets the "
          "same answer, whatever stands beside it.");
}

}  // namespace synthema::bindings
