// CompletionModel: the one erased model class that every maker of models hands to Python.
#include "bindings/bindings.hpp"
#include "bindings/counts.hpp"
#include "bindings/model_turn.hpp"
#include "bindings/python_objects.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/generate/checked_model.hpp"
#include "synthema/model/any_completion_model.hpp"
#include "synthema/model/complete.hpp"
#include "synthema/model/ngram_model.hpp"
#include "synthema/model/scripted_model.hpp"

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

ModelLocation place_from(std::string_view name) {
  if (name == "in_process") return ModelLocation::in_process;
  if (name == "this_host") return ModelLocation::this_host;
  if (name == "remote") return ModelLocation::remote;
  throw ConfigError({.field = "location"}, "The location must be 'in_process', 'this_host' or 'remote'.");
}

[[noreturn]] void refuse_answer(const char* whose, const std::string& wanted, const std::string& given) {
  throw ModelError(message(whose, " must give ", wanted, ", but it gave ", given, "."));
}

std::string type_of(const py::handle object) {
  return "an object of type " + py::type::of(object).attr("__name__").cast<std::string>();
}

Completion completion_from(const py::handle answer, const char* whose) {
  if (py::isinstance<Completion>(answer)) return answer.cast<Completion>();
  if (!py::isinstance<py::str>(answer))
    refuse_answer(whose, "a str or a Completion for each question", type_of(answer));
  py::ssize_t size = 0;
  const char* text = PyUnicode_AsUTF8AndSize(answer.ptr(), &size);
  if (text) return scripted_answer(std::string(text, static_cast<std::size_t>(size)));
  PyErr_Clear();
  refuse_answer(whose, "texts of Unicode", "half of a surrogate pair");
}

// A Python object as a model. It has `complete(requests)`, which gives a str or Completion per request, in
// order; or, if it keeps requests under way itself, `submit(requests)`, `poll() -> [(id, Completion), ...]`
// and `discard()`.
class PythonModel {
 public:
  PythonModel(py::object model, std::string digest, std::string numeric_path, ModelLocation location)
      : polls_(py::hasattr(model, "poll")),
        model_(held(std::move(model))),
        digest_(std::move(digest)),
        numeric_path_(std::move(numeric_path)),
        location_(location) {}

  void submit(std::vector<CompletionRequest> requests) {
    if (polls_) return with_python([&] { model_->attr("submit")(py::cast(std::move(requests))); });
    waiting_.insert(waiting_.end(), std::make_move_iterator(requests.begin()),
                    std::make_move_iterator(requests.end()));
  }
  std::vector<FinishedCompletion> poll() {
    if (!polls_ && waiting_.empty()) return {};
    return with_python([&] { return polls_ ? polled() : completed(); });
  }
  void discard() {
    waiting_.clear();
    if (polls_) with_python([&] { model_->attr("discard")(); });
  }
  std::string digest() const { return digest_; }
  std::string numeric_path() const { return numeric_path_; }
  ModelLocation location() const { return location_; }

 private:
  std::vector<FinishedCompletion> polled() {
    std::vector<FinishedCompletion> finished;
    for (const py::handle item : listed("poll", model_->attr("poll")(), "a list of (id, Completion)")) {
      try {
        const auto pair = item.cast<std::pair<std::uint64_t, py::object>>();
        finished.push_back({pair.first, completion_from(pair.second, "The model's poll()")});
      } catch (const py::cast_error&) {
        refuse_answer("The model's poll()", "a list of (id, Completion)", type_of(item) + " in it");
      }
    }
    return finished;
  }
  std::vector<FinishedCompletion> completed() {
    const std::vector<CompletionRequest> requests = std::exchange(waiting_, {});
    const py::list answers = listed("complete", model_->attr("complete")(py::cast(requests)),
                                    "a list with a str or a Completion for each question");
    if (answers.size() != requests.size())
      throw py::value_error(message("A model was asked ", counted(requests.size(), "question"),
                                    ", but complete() gave ", counted(answers.size(), "answer"), "."));
    std::vector<FinishedCompletion> finished;
    for (std::size_t i = 0; i < requests.size(); ++i)
      finished.push_back({requests[i].id, completion_from(answers[i], "The model's complete()")});
    return finished;
  }
  // What a method gave as a list; a text or a mapping would be one, too, of what are no answers.
  static py::list listed(const char* method, const py::object& given, const char* wanted) {
    if (py::isinstance<py::iterable>(given) && !py::isinstance<py::str>(given) &&
        !py::isinstance<py::bytes>(given) && !py::isinstance<py::dict>(given))
      return py::list(given);
    refuse_answer(message("The model's ", method, "()").c_str(), wanted, type_of(given));
  }

  bool polls_;
  HeldObject model_;
  std::string digest_, numeric_path_;
  ModelLocation location_;
  std::vector<CompletionRequest> waiting_;
};

ScriptedModel scripted(const py::object& answers, ScriptedOptions options) {
  if (py::isinstance<py::dict>(answers))
    return ScriptedModel(answers.cast<std::map<std::string, std::string>>(), std::move(options));
  const HeldObject function = held(answers);
  if (!PyCallable_Check(answers.ptr()))
    throw ConfigError({.field = "answers"},
                      "A scripted model answers from a dict of prompt text to answer, or by a function of a "
                      "CompletionRequest; this is neither.");
  return ScriptedModel(
      [function](const CompletionRequest& request) {
        return with_python(
            [&] { return completion_from((*function)(request), "The function of a scripted model"); });
      },
      std::move(options));
}

void bind_makers(py::module_& module) {
  py::class_<CompletionRequest>(module, "CompletionRequest", "A prompt on its way to a model.")
      .def_readonly("id", &CompletionRequest::id, "Number that the answer carries back.")
      .def_readonly("prompt", &CompletionRequest::prompt, "The question.")
      .def_readonly("sampling", &CompletionRequest::sampling, "How the answer is drawn.")
      .def_readonly("random", &CompletionRequest::random, "The stream of this call; draw from nothing else.");
  module.def(
      "_python_model",
      [](py::object model, std::string digest, std::string numeric_path,
         std::string_view location) -> AnyCompletionModel {
        return CheckedModel(
            PythonModel(std::move(model), std::move(digest), std::move(numeric_path), place_from(location)));
      },
      py::arg("model"), py::arg("digest"), py::arg("numeric_path"), py::arg("location"));
  module.def(
      "ngram_model",
      [](const std::vector<std::string>& texts, const Count& order) -> AnyCompletionModel {
        return CheckedModel(NgramModel(texts, order.of<std::size_t>("order")));
      },
      py::arg("texts"), py::arg("order") = 3,
      R"(A tiny word n-gram model trained on some texts, for examples and tests.

It knows nothing of the prompt except its last words and its choices, and is of no use for real data.

Parameters
----------
texts : list of str
    What it learns from.
order : int
    Words of one n-gram, 2 to 8.
)");
  module.def(
      "scripted_model",
      [](const py::object& answers, std::string_view location, bool newest_first,
         std::string digest) -> AnyCompletionModel {
        ScriptedOptions options;
        options.location = place_from(location);
        options.newest_first = newest_first;
        options.digest = std::move(digest);
        return scripted(answers, std::move(options));
      },
      py::arg("answers"), py::kw_only(), py::arg("location") = "in_process", py::arg("newest_first") = false,
      py::arg("digest") = "scripted",
      R"(A model that answers from a script, for tests.

Parameters
----------
answers : dict or callable
    Prompt text to answer; or a pure function of a CompletionRequest that gives a str or a Completion.
location : str
    'in_process', 'this_host' or 'remote'.
newest_first : bool
    Answer the newest question first.
)");
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
             const Count& seed) {
            const auto number = seed.of("seed");
            const py::gil_scoped_release no_gil;
            const Turns::Turn turn = alone_with(self);
            return complete(self, std::move(prompts), sampling, number, check_interrupt);
          },
          py::arg("prompts"), py::arg("sampling"), py::arg("seed") = 0,
          "Answer prompts, in their order. The same prompt at the same place with the same seed gets the "
          "same answer, whatever stands beside it. Calls of several threads wait for each other.");
  bind_makers(module);
}

}  // namespace synthema::bindings
