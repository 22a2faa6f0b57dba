#include <map>

#include "bindings/bindings.hpp"
#include "bindings/constraint.hpp"
#include "synthema/core/error.hpp"
#include "synthema/model/answer_form.hpp"
#include "synthema/model/bpe.hpp"
#include "synthema/model/chat_template.hpp"
#include "synthema/model/conformance.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema::bindings {

namespace {

py::dict dict_of(const RopeScaling& scaling) {
  py::dict out;
  out["kind"] = scaling.kind;
  if (!scaling.divisors.empty()) out["divisors"] = scaling.divisors;
  if (!scaling.long_divisors.empty()) out["long_divisors"] = scaling.long_divisors;
  if (scaling.kind == "none") return out;
  out["factor"] = scaling.factor;
  if (scaling.kind == "linear") return out;
  out["original_context"] = scaling.original_context;
  if (scaling.kind == "llama3") {
    out["low_frequency_factor"] = scaling.low_frequency_factor;
    out["high_frequency_factor"] = scaling.high_frequency_factor;
  } else {
    out["attention_factor"] = scaling.attention_factor;
  }
  if (scaling.kind == "yarn") {
    out["beta_fast"] = scaling.beta_fast;
    out["beta_slow"] = scaling.beta_slow;
  }
  return out;
}

// Of a file, where a text need not be UTF-8.
py::str shown(const std::string& text) {
  return py::bytes(text).attr("decode")("utf-8", "replace");
}

py::dict dict_of(const ModelConfig& config) {
  py::dict out;
  out["architecture"] = config.architecture;
  out["name"] = shown(config.name);
  out["vocabulary"] = config.vocabulary;
  out["context"] = config.context;
  out["width"] = config.width;
  out["layers"] = config.layers;
  out["heads"] = config.heads;
  out["kv_heads"] = config.kv_heads;
  out["head_width"] = config.head_width;
  out["feed_forward"] = config.feed_forward;
  out["norm"] = config.norm == NormKind::rms ? "rms" : "layer";
  out["norm_epsilon"] = config.norm_epsilon;
  out["head_norm"] = config.head_norm;
  out["post_norms"] = config.post_norms;
  out["learned_positions"] = config.learned_positions;
  out["rope_base"] = config.rope_base;
  out["rope_pairs"] = config.rope_pairs == RopePairs::adjacent ? "adjacent" : "halves";
  out["rope_scaling"] = dict_of(config.rope_scaling);
  out["rope_width"] = config.rope_width;
  out["local_rope_base"] = config.local_rope_base;
  out["sliding_window"] = config.sliding_window;
  std::int64_t local = 0;
  for (std::int64_t i = 0; i < config.layers; ++i) local += config.is_local(i);
  out["local_layers"] = local;
  out["embedding_scale"] = config.embedding_scale;
  out["attention_scale"] = config.attention_scale;
  out["attention_bias"] = config.attention_bias;
  out["output_bias"] = config.output_bias;
  out["feed_forward_bias"] = config.feed_forward_bias;
  out["gated"] = config.gated;
  out["activation"] = config.activation;
  out["tied_head"] = config.tied_head;
  return out;
}

py::dict dict_of(const TokenizerData& data) {
  py::dict out;
  out["kind"] = data.kind;
  out["pre_tokenizer"] = data.pre_tokenizer.empty() ? py::none() : py::object(py::str(data.pre_tokenizer));
  out["tokens"] = data.tokens.size();
  out["begin"] = data.begin;
  out["end"] = data.end;
  out["more_ends"] = data.more_ends;
  out["add_begin"] = data.add_begin;
  return out;
}

// {"Q4_1": {"tensors": 210, "elements": ..., "bytes": ...}, ...}
py::dict tensors_by_type(const ModelFile& file) {
  struct Sum {
    std::int64_t tensors = 0, elements = 0, bytes = 0;
  };
  std::map<std::string, Sum> sums;
  for (const TensorView& view : file.tensors()) {
    Sum& sum = sums[std::string(name_of(view.type))];
    sum.tensors += 1;
    sum.elements += view.elements();
    sum.bytes += static_cast<std::int64_t>(view.data.size());
  }
  py::dict out;
  for (const auto& [type, sum] : sums) {
    py::dict row;
    row["tensors"] = sum.tensors;
    row["elements"] = sum.elements;
    row["bytes"] = sum.bytes;
    out[py::str(type)] = row;
  }
  return out;
}

py::dict dict_of(const std::vector<std::pair<std::string, std::string>>& metadata) {
  py::dict out;
  for (const auto& [key, value] : metadata) out[shown(key)] = shown(value);
  return out;
}

py::dict describe(const ModelFile& file) {
  py::dict out;
  out["path"] = file.path();
  out["format"] = file.format();
  out["digest"] = file.digest();
  out["parameters"] = file.parameters();
  out["config"] = dict_of(file.config());
  out["tensors"] = tensors_by_type(file);
  out["tokenizer"] = dict_of(file.tokenizer());
  out["chat_template"] = ChatTemplate::of(file).name();
  out["metadata"] = dict_of(file.metadata());
  return out;
}

py::list tensor_list(const ModelFile& file) {
  py::list out;
  for (const TensorView& view : file.tensors())
    out.append(
        py::make_tuple(shown(view.name), std::string(name_of(view.type)), py::tuple(py::cast(view.shape))));
  return out;
}

py::array_t<float> tensor(const ModelFile& file, const std::string& name) {
  const TensorView& view = file.at(name);
  py::array_t<float> out(view.shape);
  const std::span<float> values(out.mutable_data(), static_cast<std::size_t>(out.size()));
  const py::gil_scoped_release release;
  dequantize(view, values);
  return out;
}

void bind_model_file(py::module_& module) {
  py::class_<ModelFile>(
      module, "ModelFile",
      "A model on disk: a GGUF file, or a folder with safetensors, config.json and tokenizer.json.\n\n"
      "Parameters\n----------\npath : str or os.PathLike\n    The file or folder.\n\n"
      "Raises\n------\nModelError\n    If something in it is broken or not supported.")
      .def(py::init([](const py::object& path) {
             const auto text = py::module_::import("os").attr("fspath")(path).cast<std::string>();
             const py::gil_scoped_release release;
             return ModelFile::open(text);
           }),
           py::arg("path"))
      .def_property_readonly("path", &ModelFile::path, "Where it lies.")
      .def_property_readonly("format", &ModelFile::format, "'GGUF v3', 'safetensors'.")
      .def_property_readonly(
          "architecture", [](const ModelFile& file) { return file.config().architecture; },
          "Name of the family, such as 'llama'.")
      .def_property_readonly(
          "config", [](const ModelFile& file) { return dict_of(file.config()); },
          "Shape of the model (layers, width, heads, ...), as a dict.")
      .def_property_readonly(
          "tokenizer_info", [](const ModelFile& file) { return dict_of(file.tokenizer()); },
          "Kind, pre-tokenizer, sizes and special ids of the tokenizer, as a dict.")
      .def_property_readonly(
          "chat_template", [](const ModelFile& file) { return ChatTemplate::of(file).name(); },
          "The family of the chat template; 'none' for base models.")
      .def_property_readonly(
          "metadata", [](const ModelFile& file) { return dict_of(file.metadata()); },
          "Further entries of the file as texts, such as its licence; a dict.")
      .def_property_readonly("tensors", &tensor_list, "(name, type, shape) of each tensor, in file order.")
      .def_property_readonly("parameters", &ModelFile::parameters, "Elements of all tensors.")
      .def_property_readonly("digest", &ModelFile::digest, "SHA-256 of all that was read.")
      .def("tensor", &tensor, py::arg("name"), "The values of a tensor as 32-bit floats.")
      .def("describe", &describe, "All of the above that fits on a page, as a dict.");
}

std::vector<TokenId> encode_pieces(const BytePairTokenizer& self,
                                   const std::vector<std::pair<std::string, bool>>& pieces) {
  std::vector<ChatPiece> chat;
  for (const auto& [text, control] : pieces) chat.push_back({text, control});
  return encode_chat(self, chat);
}

void bind_tokenizer(py::module_& module) {
  py::class_<BytePairTokenizer>(module, "Tokenizer", "The tokenizer of a model file (byte pair encoding).")
      .def(py::init([](const ModelFile& file) { return BytePairTokenizer::from(file.tokenizer()); }),
           py::arg("model"))
      .def(
          "encode", [](const BytePairTokenizer& self, std::string_view text) { return self.encode(text); },
          py::arg("text"), py::call_guard<py::gil_scoped_release>(),
          "The ids of a text (str, or bytes that need not be valid UTF-8); control tokens in it stay text.")
      .def("encode_chat", &encode_pieces, py::arg("pieces"), "The ids of what ChatTemplate.render gave.")
      .def(
          "decode_bytes",
          [](const BytePairTokenizer& self, const std::vector<TokenId>& ids) {
            return py::bytes(self.decode(ids));
          },
          py::arg("ids"), "The bytes of the ids joined; control tokens give nothing.")
      .def(
          "decode",
          [](const BytePairTokenizer& self, const std::vector<TokenId>& ids) {
            return py::bytes(self.decode(ids)).attr("decode")("utf-8", "replace");
          },
          py::arg("ids"), "The text of the ids; bytes that are not UTF-8 become U+FFFD.")
      .def(
          "token_bytes",
          [](const BytePairTokenizer& self, TokenId id) {
            return py::bytes(std::string(self.token_bytes(id)));
          },
          py::arg("id"), "The bytes that one id stands for; ModelError if there is no such id.")
      .def(
          "special", [](const BytePairTokenizer& self, std::string_view name) { return self.special(name); },
          py::arg("name"), "The id of a control token, or None.")
      .def_property_readonly("vocabulary_size", &BytePairTokenizer::vocabulary_size, "Number of ids.")
      .def_property_readonly("end_ids", &BytePairTokenizer::end_ids, "Ids that end an answer.")
      .def_property_readonly("begin_id", &BytePairTokenizer::begin_id,
                             "The id that every prompt begins with, or None.")
      .def_property_readonly(
          "missing_bytes", [](const BytePairTokenizer& self) { return py::bytes(self.missing_bytes()); },
          "Bytes that no token can spell; encode drops them.");
}

// (text, is a control token) of each piece.
py::list render(const ChatTemplate& self, const std::vector<std::pair<std::string, std::string>>& messages) {
  std::vector<Message> chat;
  for (const auto& [role, text] : messages) chat.emplace_back(role, text);
  py::list out;
  for (const ChatPiece& piece : self.render(chat)) out.append(py::make_tuple(piece.text, piece.control));
  return out;
}

void bind_chat_template(py::module_& module) {
  py::class_<ChatTemplate>(module, "ChatTemplate", "How a family of models wants a conversation written.")
      .def_static("named", &ChatTemplate::named, py::arg("family"),
                  "The template of a family; ConfigError names those there are.")
      .def_static("of", &ChatTemplate::of, py::arg("model"),
                  "The template of a ModelFile; 'none' where it has none.")
      .def_static("recognised", &ChatTemplate::recognised, py::arg("jinja"),
                  "The family of a template by its Jinja text, which is not executed.")
      .def_property_readonly("name", &ChatTemplate::name, "Name of the family, such as 'chatml'.")
      .def("render", &render, py::arg("messages"),
           "Pieces (text, is_control) of a conversation [(role, text), ...] with an open assistant turn.");
}

py::array_t<TokenId> ids_of(std::span<const TokenId> ids) {
  return py::array_t<TokenId>(static_cast<py::ssize_t>(ids.size()), ids.data());
}

void bind_forms(py::module_& module) {
  py::class_<FormConstraint>(
      module, "FormConstraint",
      "Which tokens may come next in one answer: a copyable state. Made by AnswerForms.")
      .def(
          "allowed", [](const FormConstraint& c) { return ids_of(c.allowed()); },
          "The ids that may come next, ascending (end-of-text is not among them). Empty: nothing can follow.")
      .def(
          "forced", [](const FormConstraint& c) { return ids_of(c.forced()); },
          "Ids that follow in any case: accept them without asking the model. Empty: draw.")
      .def("accept", &FormConstraint::accept, py::arg("id"),
           "Move on; False, and no change, if the id may not come.")
      .def("rollback", &FormConstraint::rollback, py::arg("n"), "Undo the last n accepted ids.")
      .def("reset", &FormConstraint::reset, "Back to the beginning.")
      .def(
          "copy", [](const FormConstraint& c) { return c; },
          "A constraint in the same state, independent of this one.")
      .def_property_readonly("is_complete", &FormConstraint::is_complete,
                             "Whether the text so far is a whole answer.")
      .def_property_readonly(
          "text", [](const FormConstraint& c) { return py::bytes(c.text()); }, "The bytes accepted so far.")
      .def_property_readonly("failure", &FormConstraint::failure,
                             "Why nothing is allowed: the values so far leave none for a later field.");
  py::class_<AnswerForms, std::shared_ptr<AnswerForms>>(
      module, "AnswerForms",
      "The forms of answers (choices, patterns, JSON) for the tokens of one tokenizer: what a local model "
      "masks\n"
      "with. For engines of your own.\n\n"
      "Parameters\n----------\ntokenizer : Tokenizer\n    Whose tokens answers are spelt with.")
      .def(py::init([](const BytePairTokenizer& tokenizer) {
             const py::gil_scoped_release release;
             return std::make_shared<AnswerForms>(FormVocabulary{
                 VocabularyTrie::of(tokenizer),
                 [tokenizer](std::string_view text) { return tokenizer.encode_following(text); }});
           }),
           py::arg("tokenizer"))
      .def(
          "constraint",
          [](AnswerForms& self, const Prompt& prompt, std::optional<std::size_t> open_tokens,
             std::optional<std::size_t> room) {
            return FormConstraint(self.of(prompt), open_tokens.value_or(FormConstraint::kNoLimit),
                                  room.value_or(FormConstraint::kNoLimit));
          },
          py::arg("prompt"), py::arg("open_tokens") = py::none(), py::arg("room") = py::none(),
          "The constraint of a prompt's form, without what the prompt bans; ConfigError if it has none, or "
          "if the bans\nleave nothing of it. `open_tokens` limits what the form leaves open (max_tokens of a "
          "local model), `room`\nthe tokens of the answer in all (what the context has left).");
  module.def(
      "_short_answer",
      [](const Prompt& prompt) -> std::optional<std::string> {
        if (!prompt.has_written_form()) return std::nullopt;
        AnswerForms forms(byte_vocabulary());
        FormConstraint answer(forms.of(prompt), 0);
        while (!answer.is_complete() && !answer.allowed().empty()) answer.accept(answer.allowed().front());
        return answer.text();
      },
      py::arg("prompt"));
  module.def(
      "_constraint_nonconformities",
      [](const py::object& constraint) {
        const PythonConstraint tried = constraint_from(constraint);
        return nonconformities(tried, constraint.attr("vocabulary_size").cast<std::size_t>());
      },
      py::arg("constraint"));
}

}  // namespace

void bind_model(py::module_& module) {
  bind_model_file(module);
  bind_tokenizer(module);
  bind_chat_template(module);
  bind_forms(module);
}

}  // namespace synthema::bindings
