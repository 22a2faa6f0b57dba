#include "bindings/bindings.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/memory.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/core/random.hpp"
#include "synthema/core/version.hpp"
#include "synthema/privacy/ledger.hpp"

namespace synthema::bindings {

namespace {

// A message may quote bytes of a broken file: those that are no UTF-8 are replaced, so that the error itself
// arrives and not one about its text.
template <class E>
py::object bind_error(py::module_& module, const char* name, const char* doc, const py::object& base) {
  static py::handle type;  // a translator is a plain function, and an error type lives to the end
  py::object bound = py::exception<E>(module, name, base);
  bound.attr("__doc__") = doc;
  type = py::object(bound).release();
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      if (thrown) std::rethrow_exception(thrown);
    } catch (const E& error) {
      const std::string_view text = error.what();
      const auto decoded = py::reinterpret_steal<py::object>(
          PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "replace"));
      if (decoded) PyErr_SetObject(type.ptr(), decoded.ptr());
    }
  });
  return bound;
}

void bind_errors(py::module_& module) {
  const py::object root =
      bind_error<Error>(module, "Error", "The root of all errors that synthema raises on purpose.",
                        py::reinterpret_borrow<py::object>(PyExc_Exception));
  bind_error<SchemaError>(module, "SchemaError",
                          "A table or record does not fit its schema, or the schema is inconsistent.", root);
  bind_error<ParseError>(module, "ParseError",
                         "A CSV, JSON, JSONL or TOML text is broken; the message says where.", root);
  bind_error<ModelError>(module, "ModelError",
                         "A model file or folder is broken, unsupported or does not fit the request.", root);
  bind_error<ConfigError>(module, "ConfigError", "Options that contradict each other or are out of range.",
                          root);
  bind_error<GenerationError>(module, "GenerationError",
                              "A run cannot reach its target, or a strategy misbehaved.", root);
  bind_error<RunFolderError>(module, "RunFolderError",
                             "A run folder is damaged, belongs to another run, or does not verify.", root);
  bind_error<EvaluationError>(module, "EvaluationError", "An evaluator was given data that it cannot use.",
                              root);
  bind_error<PolicyError>(module, "PolicyError",
                          "The schema forbids what was asked: the data may not leave the machine.", root);
  bind_error<PrivacyBudgetError>(module, "PrivacyBudgetError",
                                 "A release would spend more than the privacy budget of its ledger.", root);
  bind_error<Cancelled>(module, "Cancelled", "The work was cancelled by the caller.", root);
}

}  // namespace

void bind_core(py::module_& module) {
  module.attr("__version__") = SYNTHEMA_VERSION;
  bind_errors(module);
  module.def(
      "_peak_memory", [] { return peak_memory(); }, "The most memory that this process has held, in bytes.");

  py::class_<Progress>(module, "Progress", "How far a phase of the work has come.")
      .def_readonly("phase", &Progress::phase, "What is being done.")
      .def_readonly("done", &Progress::done, "Units done.")
      .def_readonly("total", &Progress::total, "Units in all; 0 if not known.")
      .def_readonly("note", &Progress::note, "Details for people.")
      .def_readonly("tokens", &Progress::tokens,
                    "Generated so far, by rejected attempts too; 0 if not known.")
      .def("__repr__", [](const Progress& p) {
        std::string out = message("<Progress ", p.phase, ": ", p.done);
        if (p.total > 0) out += message(" of ", p.total);
        return out + (p.note.empty() ? ">" : ", " + p.note + ">");
      });
  py::class_<CancelToken>(module, "CancelToken", "A request to stop, shared by all copies.")
      .def(py::init<>())
      .def("cancel", &CancelToken::cancel, "Ask to stop; the work under way ends with Cancelled.")
      .def_property_readonly("cancelled", &CancelToken::cancelled, "Whether someone asked to stop.");
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
              throw ConfigError(
                  message("Random.sample was asked for ", k, " of ", counted(order.size(), "item"), "."));
            py::list out;
            for (std::size_t i = 0; i < k; ++i) out.append(items[order[i]]);
            return out;
          },
          py::arg("items"), py::arg("k"), "k different items in random order.");
}

}  // namespace synthema::bindings
