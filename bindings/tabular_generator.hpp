// What the classes of table generators share, in _core and in _torch.
#pragma once

#include "bindings/bindings.hpp"
#include "bindings/python_objects.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/tabular/private_domain.hpp"
#include "synthema/privacy/ledger.hpp"

namespace synthema::bindings {

// Looks for interrupts, then tells the callable.
inline ProgressSink sink_of(const py::object& progress) {
  return [callback = progress.is_none() ? nullptr : held(progress)](const Progress& step) {
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    if (callback) (*callback)(step);
  };
}

template <class G>
py::class_<G> bind_generator(py::module_& module, const char* name, const char* help) {
  py::class_<G> out(module, name, help);
  out.def_property_readonly(
         "name", [](const G& g) { return std::string(g.name()); }, "Name of the method.")
      .def_property_readonly("schema", &G::schema, py::return_value_policy::copy, "Of the rows it makes.")
      .def(
          "fit",
          [](G& self, const std::shared_ptr<Table>& real, const py::object& progress,
             const std::optional<CancelToken>& cancel) {
            const ProgressSink sink = sink_of(progress);
            const py::gil_scoped_release release;
            self.fit(*real, sink, cancel.value_or(CancelToken()));
          },
          py::arg("real"), py::arg("progress") = py::none(), py::arg("cancel") = py::none(),
          "Learn from a table; starts afresh.")
      .def(
          "sample",
          [](const G& self, std::uint64_t rows, std::uint64_t seed, const std::shared_ptr<Table>& conditions,
             const py::object& progress, const std::optional<CancelToken>& cancel) {
            const SampleRequest request{.rows = rows,
                                        .seed = seed,
                                        .conditions = conditions,
                                        .progress = sink_of(progress),
                                        .cancel = cancel.value_or(CancelToken())};
            const py::gil_scoped_release release;
            return self.sample(request);
          },
          py::arg("rows"), py::arg("seed") = 0, py::arg("conditions") = nullptr,
          py::arg("progress") = py::none(), py::arg("cancel") = py::none(), "A table of exactly these rows.");
  return out;
}

template <class G>
void bind_log_prob(py::class_<G>& bound) {
  bound.def(
      "log_prob",
      [](const G& self, const std::shared_ptr<Table>& rows, const py::object& progress,
         const std::optional<CancelToken>& cancel) {
        const ProgressSink sink = sink_of(progress);
        std::vector<double> found;
        {
          const py::gil_scoped_release release;
          found = self.log_prob(*rows, sink, cancel.value_or(CancelToken()));
        }
        return py::array_t<double>(static_cast<py::ssize_t>(found.size()), found.data());
      },
      py::arg("rows"), py::arg("progress") = py::none(), py::arg("cancel") = py::none(),
      "Natural logarithm of the probability of each row.");
}

// Fits under differential privacy, and what they cost.
template <class G>
void bind_stated_fit(py::class_<G>& bound) {
  bound
      .def(
          "fit_stated",
          [](G& self, const std::shared_ptr<Table>& real, bool stated,
             const std::optional<std::uint64_t>& test_noise, const py::object& progress,
             const std::optional<CancelToken>& cancel) {
            const ProgressSink sink = sink_of(progress);
            const py::gil_scoped_release release;
            NoiseSource noise =
                test_noise ? NoiseSource::seeded_for_tests(*test_noise) : NoiseSource::operating_system();
            self.fit(stated ? *real : unstated(*real), noise, sink, cancel.value_or(CancelToken()));
          },
          py::arg("real"), py::arg("stated"), py::arg("test_noise") = py::none(),
          py::arg("progress") = py::none(), py::arg("cancel") = py::none(),
          "Learn from a table; `stated`: its schema is public.")
      .def_property_readonly("ledger", &G::ledger, "What the artefact cost.")
      .def_property_readonly("is_private", &G::is_private, "Whether nobody can repeat its noise.")
      .def_property_readonly(
          "spending",
          [](const G& g) {
            py::list out;
            for (const PrivateSpending& one : g.spending())
              out.append(py::dict(py::arg("released") = one.released, py::arg("mechanism") = one.mechanism,
                                  py::arg("releases") = one.releases, py::arg("noise") = one.noise,
                                  py::arg("rho") = one.rho, py::arg("delta") = one.delta));
            return out;
          },
          "What was spent where.")
      .def_property_readonly("untold", &G::untold, "Columns of which nothing could be told.")
      .def_property_readonly("unresolved", &G::unresolved, "Columns whose resolution could not be told.")
      .def_property_readonly("one_label", &G::one_label, "Columns of which one label alone could be told.")
      .def("describe", &G::describe, py::arg("each_release") = true,
           "The promise and what was spent where, or on how many kinds of release, for people.");
}

template <class G>
void bind_file(py::class_<G>& bound) {
  bound
      .def(
          "save", [](const G& self) { return py::bytes(self.save()); },
          "The fitted generator as bytes of a file.")
      .def_static(
          "load",
          [](const py::bytes& file, const std::string& path) {
            return G::load(std::string_view(file), path);
          },
          py::arg("file"), py::arg("path") = "",
          "The generator of such bytes; ModelError where they are none.");
}

template <class G>
void bind_impute(py::class_<G>& bound) {
  bound.def(
      "impute",
      [](const G& self, const std::shared_ptr<Table>& table, std::uint64_t seed, const py::object& progress,
         const std::optional<CancelToken>& cancel) {
        const ProgressSink sink = sink_of(progress);
        const py::gil_scoped_release release;
        return self.impute(*table, seed, sink, cancel.value_or(CancelToken()));
      },
      py::arg("table"), py::arg("seed") = 0, py::arg("progress") = py::none(), py::arg("cancel") = py::none(),
      "The table with missing cells drawn given the others.");
}

}  // namespace synthema::bindings
