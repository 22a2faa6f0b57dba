// _torch: the local model. Loaded on first use (synthema.models), after the installed torch was compared with
// the one this was built with.
#include <pybind11/numpy.h>

#include <cstring>

#include "bindings/bindings.hpp"
#include "synthema/torch/transformer.hpp"

namespace synthema::bindings {

namespace {

TransformerOptions options_of(std::string device, std::string dtype, std::size_t threads,
                              std::optional<std::uint64_t> kv_memory) {
  TransformerOptions options;
  options.device = std::move(device);
  options.dtype = std::move(dtype);
  options.threads = threads;
  if (kv_memory) options.kv_memory = *kv_memory;
  return options;
}

Transformer open_transformer(const std::string& path, const TransformerOptions& options) {
  const py::gil_scoped_release no_gil;
  return Transformer(ModelFile::open(path), options);
}

// {tokens, vocabulary}: row i is the distribution after token i.
py::array_t<float> logits_of(Transformer& model, const std::vector<TokenId>& tokens) {
  py::array_t<float> out({tokens.size(), model.vocabulary_size()});
  float* to = out.mutable_data();
  const py::gil_scoped_release no_gil;
  const Slot slot = model.open();
  try {
    for (const std::span<const float> row : model.forward_all(slot, tokens))
      to = std::copy(row.begin(), row.end(), to);
  } catch (...) {
    model.close(slot);
    throw;
  }
  model.close(slot);
  return out;
}

}  // namespace

}  // namespace synthema::bindings

PYBIND11_MODULE(_torch, module) {
  using namespace synthema;
  using namespace synthema::bindings;
  py::module_::import("synthema._core");  // its exceptions and value types are the ones used here
  module.doc() = "The local model of synthema on libtorch.";
  module.attr("built_with_torch") = SYNTHEMA_TORCH_VERSION;

  py::class_<Transformer>(module, "Transformer",
                          "A decoder of the Llama family; for scores and tests. Generation: synthema.Model.")
      .def(py::init([](const std::string& path, std::string device, std::string dtype, std::size_t threads) {
             return open_transformer(path, options_of(std::move(device), std::move(dtype), threads, {}));
           }),
           py::arg("path"), py::arg("device") = "cpu", py::arg("dtype") = "float32", py::arg("threads") = 0)
      .def("logits", &logits_of, py::arg("tokens"), "Logits after each token: an array {tokens, vocabulary}.")
      .def_property_readonly("vocabulary_size", &Transformer::vocabulary_size)
      .def_property_readonly("context_limit", &Transformer::context_limit)
      .def_property_readonly("numeric_path", &Transformer::numeric_path);
}
