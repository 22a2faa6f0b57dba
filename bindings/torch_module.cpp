// _torch: the local model. Loaded on first use (synthema.models), after the installed torch was compared with
// the one this was built with.

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "bindings/bindings.hpp"
#include "bindings/counts.hpp"
#include "bindings/model_turn.hpp"
#include "bindings/sentences.hpp"
#include "bindings/tabular_generator.hpp"
#include "synthema/model/any_completion_model.hpp"
#include "synthema/torch/any_order_network.hpp"
#include "synthema/torch/local_model.hpp"
#include "synthema/torch/text_encoder.hpp"
#include "synthema/torch/transformer.hpp"

namespace synthema::bindings {

namespace {

TransformerOptions options_of(std::string device, std::string dtype, std::size_t threads,
                              std::string kv_dtype) {
  TransformerOptions options;
  options.device = std::move(device);
  options.dtype = std::move(dtype);
  options.threads = threads;
  options.kv_dtype = std::move(kv_dtype);
  return options;
}

Transformer open_transformer(const std::string& path, const TransformerOptions& options) {
  const py::gil_scoped_release no_gil;
  return Transformer(ModelFile::open(path), options);
}

// {tokens, vocabulary}: row i is the distribution after token i.
py::array_t<float> logits_of(Transformer& model, const std::vector<TokenId>& tokens) {
  py::array_t<float> out({tokens.size(), model.vocabulary_size()});
  float* const to = out.mutable_data();
  const py::gil_scoped_release no_gil;
  const Slot slot = open_slot(model, tokens.size() > model.short_context());
  try {
    const SlotStep step{slot, tokens, tokens.size(), {}};
    model.forward(std::span(&step, 1), [&](std::size_t which, std::size_t, std::span<const float> row) {
      std::ranges::copy(row, to + which * row.size());
    });
  } catch (...) {
    model.close(slot);
    throw;
  }
  model.close(slot);
  return out;
}

// A LocalModel with several owners.
struct SharedModel {
  void submit(std::vector<CompletionRequest> requests) { model->submit(std::move(requests)); }
  std::vector<FinishedCompletion> poll() { return model->poll(); }
  void discard() { model->discard(); }
  std::string digest() const { return model->digest(); }
  std::string numeric_path() const { return model->numeric_path(); }
  ModelLocation location() const { return model->location(); }
  std::shared_ptr<LocalModel> model;
};

// What _core takes as a completion model, and beside it what only a local model can do.
struct ErasedLocalModel : AnyCompletionModel {
  ErasedLocalModel(std::shared_ptr<LocalModel> model, std::string file_name)
      : AnyCompletionModel(SharedModel{model}), local(std::move(model)), file(std::move(file_name)) {}
  std::shared_ptr<LocalModel> local;
  std::string file;  // without its folder
};

ErasedLocalModel load_model(const std::string& path, const LocalModelOptions& options) {
  const py::gil_scoped_release no_gil;
  const std::filesystem::path place(path);
  return ErasedLocalModel(std::make_shared<LocalModel>(LocalModel::load(path, options)),
                          (place.has_filename() ? place : place.parent_path()).filename().string());
}

// Works beside what is under way, so a check of a run may call it.
std::vector<std::vector<double>> score(ErasedLocalModel& self, const std::vector<std::string>& texts) {
  const py::gil_scoped_release no_gil;
  std::optional<Turns::Turn> turn;
  if (!self.turns().mine()) turn.emplace(self.turns(), check_interrupt);
  return self.local->score(texts, check_interrupt);
}

void bind_transformer(py::module_& module) {
  py::class_<Transformer>(module, "Transformer",
                          "A decoder of the Llama family; for scores and tests. Generation: synthema.Model.")
      .def(py::init([](const std::string& path, std::string device, std::string dtype, std::size_t threads,
                       std::string kv_dtype) {
             return open_transformer(
                 path, options_of(std::move(device), std::move(dtype), threads, std::move(kv_dtype)));
           }),
           py::arg("path"), py::arg("device") = "cpu", py::arg("dtype") = "float32", py::arg("threads") = 0,
           py::arg("kv_dtype") = "float32")
      .def("logits", &logits_of, py::arg("tokens"), "Logits after each token: an array {tokens, vocabulary}.")
      .def_property_readonly("vocabulary_size", &Transformer::vocabulary_size, "Number of token ids.")
      .def_property_readonly("context_limit", &Transformer::context_limit, "Most tokens of one sequence.")
      .def_property_readonly("numeric_path", &Transformer::numeric_path,
                             "The arithmetic: type of the products, of keys and values, and the kernels.");
}

void bind_local_model(py::module_& module) {
  py::class_<ErasedLocalModel, AnyCompletionModel>(module, "LocalModel",
                                                   "A model file that answers in this process.")
      .def(py::init([](const std::string& path, std::string device, std::string dtype, const Count& threads,
                       const Count& slots, std::optional<std::string> chat_template, std::string kv_dtype,
                       const std::optional<Count>& kv_memory) {
             LocalModelOptions options;
             options.transformer =
                 options_of(std::move(device), std::move(dtype), threads_of(threads), std::move(kv_dtype));
             if (kv_memory) options.transformer.kv_memory = kv_memory->of("kv_memory");
             options.slots = slots.of<std::size_t>("slots");
             options.chat_template = std::move(chat_template);
             return load_model(path, options);
           }),
           py::arg("path"), py::kw_only(), py::arg("device") = "cpu", py::arg("dtype") = "auto",
           py::arg("threads") = 0, py::arg("slots") = 0, py::arg("chat_template") = py::none(),
           py::arg("kv_dtype") = "auto", py::arg("kv_memory") = py::none())
      .def(
          "count_tokens",
          [](const ErasedLocalModel& self, std::string_view text) { return self.local->count_tokens(text); },
          py::arg("text"), "Tokens of a plain prompt.")
      .def_property_readonly(
          "context_limit", [](const ErasedLocalModel& self) { return self.local->context_limit(); },
          "Tokens that prompt and answer may have together.")
      .def_property_readonly(
          "chat_template", [](const ErasedLocalModel& self) { return self.local->chat_template(); },
          "Name of the family whose chat template is used; 'none' for base models.")
      .def(
          "seconds_by_part",
          [](const ErasedLocalModel& self) {
            py::dict out;
            for (const auto& [part, seconds] : self.local->seconds_by_part()) out[py::str(part)] = seconds;
            return out;
          },
          "Seconds that all threads together have spent on each part of a step since the model was loaded.")
      .def("score", &score, py::arg("texts"),
           "Natural log-probability of each token of each text given those before it.")
      .def("__repr__", [](const ErasedLocalModel& self) {
        return message("Model(", self.file, ", ", self.local->numeric_path(), ")");
      });
}

TextEncoder load_encoder(const std::string& path, std::string dtype, const Count& threads,
                         const Count& max_tokens) {
  const TextEncoderOptions options{std::move(dtype), threads_of(threads),
                                   max_tokens.of<std::size_t>("max_tokens")};
  const py::gil_scoped_release no_gil;
  return TextEncoder::load(path, options);
}

void warn_of_cut(const TextEncoder& self, std::size_t cut, std::size_t texts) {
  if (cut == 0) return;
  const std::string warning = message(cut, " of ", texts, " texts are longer than the ", self.max_tokens(),
                                      " tokens that this encoder reads; only their beginning was embedded.");
  if (PyErr_WarnEx(PyExc_UserWarning, warning.c_str(), 1) != 0) throw py::error_already_set();
}

// {texts, width}; a Python warning counts the texts that were cut.
py::array_t<float> embed(const TextEncoder& self, const std::vector<std::string>& texts) {
  Embeddings found;
  {
    const py::gil_scoped_release no_gil;
    found = self.embed_all(texts, {}, check_interrupt);
  }
  warn_of_cut(self, found.truncated.size(), texts.size());
  return py::array_t<float>({texts.size(), found.width}, found.values.data());
}

// One {tokens, width} a text.
std::vector<py::array_t<float>> embed_tokens(const TextEncoder& self, const std::vector<std::string>& texts) {
  TokenEmbeddings found;
  {
    const py::gil_scoped_release no_gil;
    found = self.embed_tokens(texts, {}, check_interrupt);
  }
  warn_of_cut(self, found.truncated.size(), texts.size());
  std::vector<py::array_t<float>> out;
  for (const std::vector<float>& text : found.texts)
    out.emplace_back(std::vector<std::size_t>{text.size() / found.width, found.width}, text.data());
  return out;
}

void bind_text_encoder(py::module_& module) {
  py::class_<TextEncoder>(module, "TextEncoder", "An encoder of texts; see synthema.Embedder.")
      .def(py::init(&load_encoder), py::arg("path"), py::kw_only(), py::arg("dtype") = "float32",
           py::arg("threads") = 0, py::arg("max_tokens") = 0)
      .def("embed", &embed, py::arg("texts"),
           "One vector a text: an array {texts, width}. A UserWarning says how many texts were too long.")
      .def("__call__", &embed, py::arg("texts"), "The same as embed.")
      .def("embed_tokens", &embed_tokens, py::arg("texts"),
           "One vector a token, without special tokens: an array {tokens, width} a text. For `bert_score`.")
      .def("tokens", &TextEncoder::tokens, py::arg("text"),
           "The ids of a text with those before and after it, cut to max_tokens.")
      .def_property_readonly("name", &TextEncoder::name, "Model, digest, pooling and numeric path.")
      .def_property_readonly("width", &TextEncoder::width, "Numbers in a vector.")
      .def_property_readonly("max_tokens", &TextEncoder::max_tokens, "Longer texts are cut here.")
      .def_property_readonly("digest", &TextEncoder::digest, "SHA-256 of all files that were read.")
      .def_property_readonly("numeric_path", &TextEncoder::numeric_path,
                             "The arithmetic: type of the products and the kernels.")
      .def("__repr__", [](const TextEncoder& e) { return message("Embedder(", e.name(), ")"); });
}

void bind_any_order_network(py::module_& module) {
  auto network = bind_generator<AnyOrderNetwork>(module, "_AnyOrderNetwork",
                                                 "A network that learns each column given any others.");
  network
      .def(py::init([](std::string target, std::string size, std::size_t rare_below, std::size_t rounds,
                       std::size_t patience, double validation, std::size_t members, double rate,
                       std::uint64_t seed, std::map<std::string, double> temperature,
                       std::optional<double> epsilon, double delta, double clip, double sampling_rate,
                       std::uint64_t steps, std::size_t rows_per_person, std::size_t bins, double first_share,
                       double pairs_share, bool infer, std::string ledger, std::size_t threads) {
             std::optional<NetworkPrivacy> privacy;
             if (epsilon)
               privacy = {.epsilon = *epsilon,
                          .delta = delta,
                          .clip = clip,
                          .sampling_rate = sampling_rate,
                          .steps = steps,
                          .rows_per_person = rows_per_person,
                          .bins = bins,
                          .first_share = first_share,
                          .pairs_share = pairs_share,
                          .infer = infer,
                          .ledger = std::move(ledger)};
             return AnyOrderNetwork({.target = std::move(target),
                                     .size = std::move(size),
                                     .rare_below = rare_below,
                                     .rounds = rounds,
                                     .patience = patience,
                                     .validation = validation,
                                     .members = members,
                                     .rate = rate,
                                     .seed = seed,
                                     .temperature = std::move(temperature),
                                     .privacy = std::move(privacy),
                                     .threads = threads});
           }),
           py::kw_only(), py::arg("target") = "", py::arg("size") = "medium", py::arg("rare_below") = 5,
           py::arg("rounds") = 100, py::arg("patience") = 3, py::arg("validation") = 0.1,
           py::arg("members") = 0, py::arg("rate") = 0.0, py::arg("seed") = 0,
           py::arg("temperature") = std::map<std::string, double>{}, py::arg("epsilon") = py::none(),
           py::arg("delta") = NetworkPrivacy{}.delta, py::arg("clip") = NetworkPrivacy{}.clip,
           py::arg("sampling_rate") = NetworkPrivacy{}.sampling_rate,
           py::arg("steps") = NetworkPrivacy{}.steps, py::arg("rows_per_person") = 1,
           py::arg("bins") = NetworkPrivacy{}.bins, py::arg("first_share") = NetworkPrivacy{}.first_share,
           py::arg("pairs_share") = NetworkPrivacy{}.pairs_share, py::arg("infer") = true,
           py::arg("ledger") = "", py::arg("threads") = 0)
      .def_property_readonly("order", &AnyOrderNetwork::order,
                             "Columns in the order in which they are drawn.")
      .def_property_readonly("parameters", &AnyOrderNetwork::parameters,
                             "How many numbers were learnt, of all members.")
      .def_property_readonly("validation_loss", &AnyOrderNetwork::validation_loss, "Nats a row, of classes.")
      .def_property_readonly("rounds", &AnyOrderNetwork::rounds, "Rounds that were learnt.")
      .def_property_readonly(
          "options",
          [](const AnyOrderNetwork& g) {
            const AnyOrderNetworkOptions& o = g.options();
            py::dict out(py::arg("target") = o.target, py::arg("size") = o.size,
                         py::arg("rare_below") = o.rare_below, py::arg("rounds") = o.rounds,
                         py::arg("patience") = o.patience, py::arg("validation") = o.validation,
                         py::arg("members") = o.members, py::arg("rate") = o.rate, py::arg("seed") = o.seed,
                         py::arg("temperature") = o.temperature);
            if (!o.privacy) return out;
            const NetworkPrivacy& p = *o.privacy;
            out["epsilon"] = p.epsilon, out["delta"] = p.delta, out["clip"] = p.clip;
            out["sampling_rate"] = p.sampling_rate, out["steps"] = p.steps;
            out["rows_per_person"] = p.rows_per_person, out["bins"] = p.bins;
            out["first_share"] = p.first_share, out["pairs_share"] = p.pairs_share;
            out["infer"] = p.infer;
            return out;
          },
          "What it was made with.");
  network.def(
      "fit_columns",
      [](AnyOrderNetwork& self, const Schema& schema, std::size_t rows, const py::function& read,
         const std::string& spill, const py::object& progress, const std::optional<CancelToken>& cancel) {
        const ColumnSource source{schema, rows, [&read](std::size_t column) {
                                    const py::gil_scoped_acquire held;
                                    return read(column).cast<std::shared_ptr<Table>>()->column(0);
                                  }};
        const ProgressSink sink = sink_of(progress);
        const py::gil_scoped_release release;
        self.fit(source, spill, sink, cancel.value_or(CancelToken()));
      },
      py::arg("schema"), py::arg("rows"), py::arg("read"), py::arg("spill") = "",
      py::arg("progress") = py::none(), py::arg("cancel") = py::none(),
      "Learn from columns that are read one after the other; `read` gives a table of the one asked for.");
  bind_stated_fit(network);
  bind_impute(network);
  bind_log_prob(network);
  bind_file(network);
}

}  // namespace

}  // namespace synthema::bindings

PYBIND11_MODULE(_torch, module) {
  using namespace synthema;
  using namespace synthema::bindings;
  py::module_::import("synthema._core");  // its exceptions and value types are the ones used here
  module.doc() = "The local model of synthema on libtorch.";
  module.attr("built_with_torch") = SYNTHEMA_TORCH_VERSION;

  bind_transformer(module);
  bind_local_model(module);
  bind_text_encoder(module);
  bind_any_order_network(module);
  in_sentences(module);
}
