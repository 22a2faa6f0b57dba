// Prompt, completion, task, the built-in strategies, and generator functions of Python as strategies.
#include "bindings/bindings.hpp"
#include "bindings/constraint.hpp"
#include "bindings/counts.hpp"
#include "bindings/python_objects.hpp"
#include "bindings/values.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/model/answer_form.hpp"
#include "synthema/prompt/any_prompt_strategy.hpp"
#include "synthema/prompt/best_of.hpp"
#include "synthema/prompt/few_shot.hpp"
#include "synthema/prompt/label_conditioned.hpp"
#include "synthema/prompt/zero_shot.hpp"

namespace synthema::bindings {

namespace {

// --- the plug-in: a Python generator function inside an exchange
// ------------------------------------------------

struct Step {
  bool done = false;
  bool single = false;  // a Prompt was yielded, not a list of them
  std::vector<Prompt> prompts;
  Draft draft;
};

[[noreturn]] void wrong_type(const char* expected, py::handle got) {
  throw py::type_error(message("A strategy ", expected, ", but this one gave ",
                               std::string(py::str(py::type::of(got).attr("__name__"))), "."));
}

Draft draft_from(const py::object& object) {
  if (py::isinstance<Draft>(object)) return object.cast<Draft>();
  if (!py::isinstance<py::dict>(object)) wrong_type("returns a dict of values or a Draft", object);
  try {
    return Draft(record_from_python(py::reinterpret_borrow<py::dict>(object)));
  } catch (const SchemaError& e) {  // a value of no kind that tables have is a mistake in the code
    throw py::type_error(e.what());
  }
}

Step step_from_yield(const py::object& object) {
  Step step;
  step.single = py::isinstance<Prompt>(object);
  if (step.single) {
    step.prompts.push_back(object.cast<Prompt>());
  } else if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) {
    for (const py::handle item : object) {
      if (!py::isinstance<Prompt>(item)) wrong_type("yields a Prompt or a list of Prompts", item);
      step.prompts.push_back(item.cast<Prompt>());
    }
  } else {
    wrong_type("yields a Prompt or a list of Prompts", object);
  }
  return step;
}

// One call of the function. The coroutine below never holds the GIL while it waits.
class Conversation {
 public:
  Conversation(const HeldObject& function, const Task& task, Random random) {
    with_python([&] {
      py::object result = (*function)(task, random);
      if (PyGen_Check(result.ptr()))
        generator_ = held(std::move(result));
      else
        result_ = held(std::move(result));
      return 0;
    });
  }

  // `answers`: none at first, then one completion per prompt of the step before.
  Step next(const std::vector<Completion>& answers, bool started, bool single) {
    return with_python([&]() -> Step {
      if (!generator_) return finished(*result_);
      const py::object sent = !started ? py::none() : single ? py::cast(answers.front()) : py::cast(answers);
      PyObject* raw = nullptr;
      const PySendResult outcome = PyIter_Send(generator_->ptr(), sent.ptr(), &raw);
      if (outcome == PYGEN_ERROR) throw py::error_already_set();
      const auto object = py::reinterpret_steal<py::object>(raw);
      return outcome == PYGEN_RETURN ? finished(object) : step_from_yield(object);
    });
  }

 private:
  static Step finished(const py::object& object) {
    Step step;
    step.done = true;
    step.draft = draft_from(object);
    return step;
  }
  HeldObject generator_, result_;
};

class PythonStrategy {
 public:
  PythonStrategy(std::string name, py::object function)
      : name_(std::move(name)), function_(held(std::move(function))) {}

  std::string_view name() const { return name_; }
  Exchange compose(Task task, Random random) const {
    Conversation conversation(function_, task, random);
    std::vector<Completion> answers;
    bool started = false, single = false;
    for (;;) {
      Step step = conversation.next(answers, started, single);
      if (step.done) co_return std::move(step.draft);
      started = true;
      single = step.single;
      answers = co_await ask(std::move(step.prompts));
    }
  }

 private:
  std::string name_;
  HeldObject function_;
};

// --- vocabulary
// ---------------------------------------------------------------------------------------------------

Sampling make_sampling(double temperature, const Count& top_k, double top_p, double min_p,
                       double repetition_penalty, const Count& max_tokens, const Count& min_tokens,
                       bool log_probabilities) {
  const Sampling sampling{temperature,
                          top_k.of<std::uint32_t>("top_k"),
                          top_p,
                          min_p,
                          repetition_penalty,
                          max_tokens.of<std::uint32_t>("max_tokens"),
                          min_tokens.of<std::uint32_t>("min_tokens"),
                          log_probabilities};
  sampling.check();
  return sampling;
}

void bind_sampling(py::module_& module) {
  py::class_<Sampling>(module, "Sampling", R"(How a completion is drawn from the model's distribution.

Parameters
----------
temperature : float
    0 is greedy.
top_k : int
    Keep the k most likely tokens; 0 keeps all.
top_p : float
    Nucleus: the smallest set of tokens whose probability reaches top_p.
min_p : float
    Drop tokens below min_p times the largest probability.
repetition_penalty : float
    Above 1 makes tokens that were seen before less likely.
max_tokens : int
    Of one completion.
min_tokens : int
    Before so many are drawn neither an end-of-text token nor a stop text can occur. Forms end by themselves.
log_probabilities : bool
    Report the log-probability of every token (``Completion.token_log_probabilities``), not only their sum.
)")
      .def(py::init(&make_sampling), py::kw_only(), py::arg("temperature") = 1.0, py::arg("top_k") = 0,
           py::arg("top_p") = 1.0, py::arg("min_p") = 0.0, py::arg("repetition_penalty") = 1.0,
           py::arg("max_tokens") = 128, py::arg("min_tokens") = 0, py::arg("log_probabilities") = false)
      .def_readonly("temperature", &Sampling::temperature, "0 is greedy.")
      .def_readonly("top_k", &Sampling::top_k, "Only the k most likely tokens; 0: all.")
      .def_readonly("top_p", &Sampling::top_p,
                    "The smallest set of tokens whose probability reaches this; 1: all.")
      .def_readonly("min_p", &Sampling::min_p,
                    "Only tokens at least this share of the most likely one; 0: all.")
      .def_readonly("repetition_penalty", &Sampling::repetition_penalty,
                    "Above 1 discourages tokens that were said; 1: none.")
      .def_readonly("max_tokens", &Sampling::max_tokens, "Most tokens of one completion.")
      .def_readonly("min_tokens", &Sampling::min_tokens,
                    "Before so many tokens neither end nor stop texts occur.")
      .def_readonly("log_probabilities", &Sampling::log_probabilities,
                    "Whether the log-probability of every token is reported.")
      .def(
          "__eq__", [](const Sampling& a, const Sampling& b) { return a == b; }, py::is_operator())
      .def("__repr__", [](const Sampling& s) {
        return message("Sampling(temperature=", s.temperature, ", top_k=", s.top_k, ", top_p=", s.top_p,
                       ", min_p=", s.min_p, ", repetition_penalty=", s.repetition_penalty,
                       ", max_tokens=", s.max_tokens, ", min_tokens=", s.min_tokens,
                       ", log_probabilities=", s.log_probabilities ? "True" : "False", ")");
      });
}

// A Schema, a JSON Schema as text or dict, or a pydantic model, which knows its own.
Prompt with_json(Prompt prompt, const py::object& form) {
  if (py::isinstance<Schema>(form)) return std::move(prompt).json(form.cast<const Schema&>());
  if (py::isinstance<py::str>(form)) return std::move(prompt).json(form.cast<std::string>());
  const bool is_model = py::hasattr(form, "model_json_schema");
  if (!is_model && !py::isinstance<py::dict>(form))
    throw ConfigError(
        {.field = "form"},
        message("A form is a Schema, a JSON Schema (dict or str) or a pydantic model, but this is ",
                std::string(py::str(py::type::of(form).attr("__name__"))), "."));
  const py::object schema =
      is_model ? py::module_::import("synthema.pydantic_schema").attr("json_schema_of")(form) : form;
  return std::move(prompt).json(py::module_::import("json").attr("dumps")(schema).cast<std::string>());
}

Prompt under_constraint(Prompt prompt, const py::object& constraint) {
  PythonConstraint prototype = constraint_from(constraint);
  const std::size_t size = constraint.attr("vocabulary_size").cast<std::size_t>();
  return std::move(prompt).under({constraint.attr("digest").cast<std::string>(),
                                  std::make_shared<const AnyTokenConstraint>(std::move(prototype), size)});
}

void bind_prompt_class(py::module_& module) {
  // A form that is written wrongly, or that no answer fits, is refused where it is given.
  const auto forms = std::make_shared<AnswerForms>(byte_vocabulary());
  const auto checked = [forms](Prompt prompt) {
    check_form(*forms, prompt);
    return prompt;
  };
  py::class_<Message>(module, "Message", "One turn of a chat: role ('system', 'user', 'assistant') and text.")
      .def(py::init<std::string, std::string>(), py::arg("role"), py::arg("text"))
      .def_readonly("role", &Message::role, "'system', 'user' or 'assistant'.")
      .def_readonly("text", &Message::text, "What is said.");
  py::class_<Prompt>(module, "Prompt",
                     "One question to a model: chat messages, or plain text to be continued.")
      .def(py::init<std::vector<Message>>(), py::arg("messages"))
      .def_static("user", &Prompt::user, py::arg("text"), "One user message in the model's chat template.")
      .def_static("chat", &Prompt::chat, py::arg("system"), py::arg("text"), "A system and a user message.")
      .def_static("plain", &Prompt::plain, py::arg("text"),
                  "Text to be continued as it stands, without chat template: for small and base models.")
      .def(
          "until", [](Prompt p, std::string stop) { return std::move(p).until(std::move(stop)); },
          py::arg("stop"), "A copy whose answer ends before this text.")
      .def(
          "among",
          [checked](Prompt p, std::vector<std::string> choices) {
            return checked(std::move(p).among(std::move(choices)));
          },
          py::arg("choices"), "A copy whose answer is exactly one of these.")
      .def(
          "without",
          [](Prompt p, const std::vector<std::string>& texts) { return std::move(p).without(texts); },
          py::arg("texts"),
          "A copy in whose answer none of these texts can occur, beside those forbidden before.")
      .def(
          "with_bias",
          [](Prompt p, const std::map<std::string, double>& bias) { return std::move(p).with_bias(bias); },
          py::arg("bias"),
          "A copy that adds these numbers to the logits of the tokens with exactly these texts, beside those "
          "given\nbefore for others; -inf forbids them.")
      .def(
          "matching",
          [checked](Prompt p, std::string regex) { return checked(std::move(p).matching(std::move(regex))); },
          py::arg("pattern"), "A copy whose whole answer matches this regular expression.")
      .def(
          "json",
          [checked](Prompt p, const py::object& form) { return checked(with_json(std::move(p), form)); },
          py::arg("form"),
          "A copy whose answer is a JSON text: of a Schema, of a JSON Schema (dict or str), or of a pydantic "
          "model. `Completion.json()` reads it.")
      .def("under", &under_constraint, py::arg("constraint"),
           "A copy whose answer is what a synthema.TokenConstraint of your own allows, in the tokens of the "
           "model "
           "that is asked. Every answer begins with a copy of it, reset; it is cut at max_tokens.")
      .def(
          "with_sampling", [](Prompt p, const Sampling& s) { return std::move(p).with(s); },
          py::arg("sampling"), "A copy with sampling values of its own.")
      .def_readonly("messages", &Prompt::messages, "Chat messages; empty for a plain prompt.")
      .def_readonly("text", &Prompt::text, "Plain text to continue; empty for a chat.")
      .def_readonly("stop", &Prompt::stop, "The answer ends before the first of these texts.")
      .def_readonly("choices", &Prompt::choices, "The answer is exactly one of these; empty: no such form.")
      .def_readonly("banned", &Prompt::banned, "Texts that cannot occur in the answer.")
      .def_readonly("bias", &Prompt::bias,
                    "What is added to the logits of the tokens with exactly this text.")
      .def_readonly("pattern", &Prompt::pattern,
                    "Regular expression that the whole answer matches; empty: no such form.")
      .def_readonly("json_schema", &Prompt::json_schema, "JSON Schema of the answer; empty: no such form.")
      .def_readonly("record_schema", &Prompt::record_schema,
                    "Schema of the answer in its JSON form; empty: no such form.")
      .def_property_readonly(
          "constraint", [](const Prompt& p) { return p.constraint.name; },
          "The digest of the constraint that it brings along; empty: none.")
      .def_readonly("sampling", &Prompt::sampling,
                    "Values that replace the run's for this question, or None.")
      .def(
          "__eq__", [](const Prompt& a, const Prompt& b) { return a == b; }, py::is_operator())
      .def("__repr__", [](const Prompt& p) {
        return p.is_plain() ? message("Prompt.plain(<", counted(p.text.size(), "byte"), ">)")
                            : message("Prompt(<", counted(p.messages.size(), "message"), ">)");
      });
}

Finish finish_from(std::string_view name) {
  for (const Finish f : {Finish::stop, Finish::length, Finish::constraint, Finish::failed})
    if (name == name_of(f)) return f;
  throw ConfigError({.field = "finish"}, "The finish must be 'stop', 'length', 'constraint' or 'failed'.");
}

void bind_completion(py::module_& module) {
  py::class_<TokenCounts>(module, "TokenCounts", "Tokens of a prompt, and generated ones by how they came.")
      .def(py::init([](std::uint64_t prompt, std::uint64_t free, std::uint64_t masked, std::uint64_t forced) {
             return TokenCounts{prompt, free, masked, forced};
           }),
           py::kw_only(), py::arg("prompt") = 0, py::arg("free") = 0, py::arg("masked") = 0,
           py::arg("forced") = 0)
      .def("__repr__",
           [](const TokenCounts& c) {
             return message("TokenCounts(prompt=", c.prompt, ", free=", c.free, ", masked=", c.masked,
                            ", forced=", c.forced, ")");
           })
      .def_readonly("prompt", &TokenCounts::prompt, "Of the prompt, with its chat template.")
      .def_readonly("free", &TokenCounts::free, "Drawn from the whole vocabulary.")
      .def_readonly("masked", &TokenCounts::masked, "Drawn under a mask that left at least two.")
      .def_readonly("forced", &TokenCounts::forced, "The only one a mask allowed.");
  py::class_<Completion>(module, "Completion", "A model's answer to one Prompt.")
      .def(py::init([](std::string text, std::string_view finish, TokenCounts tokens, std::string failure,
                       std::optional<double> log_probability) {
             Completion completion;
             completion.text = std::move(text);
             completion.finish = finish_from(finish);
             completion.tokens = tokens;
             completion.log_probability = log_probability;
             completion.failure = std::move(failure);
             return completion;
           }),
           py::arg("text"), py::kw_only(), py::arg("finish") = "stop",
           py::arg_v("tokens", TokenCounts(), "TokenCounts()"), py::arg("failure") = "",
           py::arg("log_probability") = py::none())
      .def_readonly("text", &Completion::text, "The answer, without its stop text.")
      .def(
          "json",
          [](const Completion& c) {
            if (c.finish == Finish::failed)
              throw ModelError(message("There is no answer to read: ", c.failure));
            try {
              return py::module_::import("json").attr("loads")(c.text);
            } catch (py::error_already_set& error) {
              if (!error.matches(py::module_::import("json").attr("JSONDecodeError"))) throw;
              throw ParseError({.line = error.value().attr("lineno").cast<std::uint64_t>(),
                                .column = error.value().attr("colno").cast<std::uint64_t>()},
                               "The answer is no JSON.");
            }
          },
          "The answer read as JSON. ModelError with the reason if it failed; ParseError if it is no JSON, "
          "for "
          "which a run tries the row again.")
      .def_property_readonly(
          "finish", [](const Completion& c) { return std::string(name_of(c.finish)); },
          "Why it ended: 'stop', 'length' (of the answer or the context), 'constraint' or 'failed'.")
      .def_readonly("tokens", &Completion::tokens, "How many, and how they were drawn.")
      .def_readonly("log_probability", &Completion::log_probability,
                    "Natural logarithm, summed over the generated tokens, untempered; None if not known.")
      .def_readonly("failure", &Completion::failure, "A sentence, where finish is 'failed'.")
      .def_readonly("token_ids", &Completion::token_ids,
                    "All generated tokens, the end token too if one was drawn; empty if not known.")
      .def_readonly("token_log_probabilities", &Completion::token_log_probabilities,
                    "Natural logarithms, one per token id; only where the sampling values ask for them.")
      .def("__repr__", [](const Completion& c) {
        return message("Completion(<", counted(c.text.size(), "byte"), ">, finish='", name_of(c.finish),
                       "')");
      });
}

void bind_task(py::module_& module) {
  py::class_<Task>(module, "Task", "What one row is asked for: its condition, the exemplars, the schema.")
      .def(py::init([](const py::dict& condition, std::uint64_t row, std::uint64_t attempt,
                       std::shared_ptr<Table> exemplars, std::shared_ptr<Schema> schema) {
             return Task{row, attempt, record_from_python(condition), std::move(exemplars),
                         std::move(schema)};
           }),
           py::arg("condition"), py::arg("row") = 0, py::arg("attempt") = 0,
           py::arg("exemplars") = std::shared_ptr<Table>(), py::arg("schema") = std::shared_ptr<Schema>())
      .def_readonly("row", &Task::row, "Row id.")
      .def_readonly("attempt", &Task::attempt, "0, 1, ...: how often this row was tried before.")
      .def_property_readonly(
          "condition", [](const Task& t) { return to_python(t.condition); },
          "What the row must agree with, as a dict.")
      .def_property_readonly(
          "exemplars", [](const Task& t) { return std::const_pointer_cast<Table>(t.exemplars); },
          "The pool that may be shown, or None.")
      .def_property_readonly(
          "schema", [](const Task& t) { return std::const_pointer_cast<Schema>(t.schema); },
          "Of the finished rows, or None.")
      .def(
          "__getitem__",
          [](const Task& t, const std::string& name) {
            const Value* value = t.condition.find(name);
            if (!value) throw py::key_error(message("The condition has no field '", name, "'."));
            return to_python(*value);
          },
          py::arg("name"), "A value of the condition.");
  py::class_<Draft>(module, "Draft", "A finished row: its values, and which exemplars were shown.")
      .def(py::init([](const py::dict& values, std::vector<std::uint64_t> exemplars) {
             return Draft(record_from_python(values), std::move(exemplars));
           }),
           py::arg("values"), py::arg("exemplars") = std::vector<std::uint64_t>{})
      .def_property_readonly(
          "values", [](const Draft& d) { return to_python(d.values); }, "The row as a dict.")
      .def_readonly("exemplars", &Draft::exemplars, "Row numbers in the pool of those that were shown.")
      .def(
          "__getitem__", [](const Draft& d, const std::string& name) { return to_python(d.values.at(name)); },
          py::arg("name"));
}

// --- strategies
// ---------------------------------------------------------------------------------------------------

ZeroShotOptions zero_shot_options(std::string instruction, std::string system, std::string field, bool chat,
                                  std::vector<std::string> stop, std::optional<Sampling> sampling) {
  return {std::move(instruction), std::move(system), std::move(field), chat, std::move(stop), sampling};
}

ExemplarChoice choice_from(std::string_view name) {
  if (name == "random") return ExemplarChoice::random;
  if (name == "by_label") return ExemplarChoice::by_label;
  if (name == "by_similarity") return ExemplarChoice::by_similarity;
  throw ConfigError({.field = "choice"}, "The choice must be 'random', 'by_label' or 'by_similarity'.");
}

ExemplarOrder order_from(std::string_view name) {
  if (name == "best_last") return ExemplarOrder::best_last;
  if (name == "best_first") return ExemplarOrder::best_first;
  if (name == "shuffled") return ExemplarOrder::shuffled;
  throw ConfigError({.field = "order"}, "The order must be 'best_last', 'best_first' or 'shuffled'.");
}

FewShotOptions few_shot_options(std::string query, std::string instruction, std::string field, const Count& k,
                                std::string_view choice, std::string_view order, std::string label_field,
                                bool chat, std::string between, std::string joint,
                                std::vector<std::string> stop, std::optional<Sampling> sampling,
                                const Count& budget, const py::object& count_tokens) {
  FewShotOptions options;
  options.query = std::move(query), options.instruction = std::move(instruction);
  options.field = std::move(field), options.k = k.of<std::size_t>("k");
  options.choice = choice_from(choice), options.order = order_from(order);
  options.label_field = std::move(label_field), options.chat = chat;
  options.between = std::move(between), options.joint = std::move(joint);
  options.stop = std::move(stop), options.sampling = sampling;
  options.budget = budget.of<std::size_t>("budget");
  if (!count_tokens.is_none())
    options.count_tokens = [counter = held(count_tokens)](std::string_view text) {
      return with_python([&] { return (*counter)(py::str(text.data(), text.size())).cast<std::size_t>(); });
    };
  return options;
}

void bind_few_shot(py::module_& module) {
  module.def(
      "few_shot",
      [](std::string query, std::string instruction, std::string field, const Count& k,
         std::string_view choice, std::string_view order, std::string label_field, bool chat,
         std::string between, std::string joint, std::vector<std::string> stop,
         std::optional<Sampling> sampling, const Count& budget,
         const py::object& count_tokens) -> AnyPromptStrategy {
        return FewShot(few_shot_options(std::move(query), std::move(instruction), std::move(field), k, choice,
                                        order, std::move(label_field), chat, std::move(between),
                                        std::move(joint), std::move(stop), sampling, budget, count_tokens));
      },
      py::arg("query"), py::kw_only(), py::arg("instruction") = "", py::arg("field") = "text",
      py::arg("k") = 4, py::arg("choice") = "random", py::arg("order") = "best_last",
      py::arg("label_field") = "label", py::arg("chat") = false, py::arg("between") = "\n\n",
      py::arg("joint") = " ", py::arg("stop") = std::vector<std::string>{"\n"},
      py::arg("sampling") = py::none(), py::arg("budget") = 0, py::arg("count_tokens") = py::none(),
      R"(Some exemplars of the pool, then the question in the same form.

Parameters
----------
query : str
    Template over a condition and over an exemplar alike: what asks for the text.
instruction : str
    Template over the condition; stands first (chat: the system message).
field : str
    Of an exemplar: what answers its query. Of the row: where the answer goes.
k : int
    Exemplars shown.
choice : {'random', 'by_label', 'by_similarity'}
    by_label fills up from other labels; by_similarity ranks by TF-IDF cosine of the rendered query.
order : {'best_last', 'best_first', 'shuffled'}
    Where the best chosen exemplar stands.
label_field : str
    Of condition and pool, for by_label.
chat : bool
    Exemplars are turns of user and assistant; else plain text to be continued.
between, joint : str
    Plain form: what stands between exemplars, and between a query and its text.
stop : list of str
    The answer ends before the first of these.
sampling : Sampling, optional
    Replaces the run's values.
budget : int
    Most tokens of the prompt; the worst exemplars are left out until it fits. 0: no limit.
count_tokens : callable, optional
    Text to number of tokens; needed with a budget.
)");
}

void bind_json_record(py::module_& module) {
  module.def(
      "json_record",
      [](std::string query, std::shared_ptr<Schema> schema, std::string instruction, const Count& k,
         std::string_view choice, std::string_view order, std::string label_field, bool chat,
         std::string between, std::string joint, std::optional<Sampling> sampling, const Count& budget,
         const py::object& count_tokens) -> AnyPromptStrategy {
        if (!schema) throw ConfigError({.field = "schema"}, "A JSON record needs a schema; it is None.");
        FewShotOptions options = few_shot_options(std::move(query), std::move(instruction), "", k, choice,
                                                  order, std::move(label_field), chat, std::move(between),
                                                  std::move(joint), {}, sampling, budget, count_tokens);
        options.record = std::move(schema);
        return FewShot(std::move(options));
      },
      py::arg("query"), py::arg("schema"), py::kw_only(), py::arg("instruction") = "", py::arg("k") = 4,
      py::arg("choice") = "random", py::arg("order") = "best_last", py::arg("label_field") = "label",
      py::arg("chat") = false, py::arg("between") = "\n\n", py::arg("joint") = "\n",
      py::arg("sampling") = py::none(), py::arg("budget") = 0, py::arg("count_tokens") = py::none(),
      R"(A row of a table: the model writes the fields of a schema as JSON, under a mask.

The answer cannot but be a JSON object with the schema's fields, in their order, within their ranges and categories
and under the schema's rules. Exemplars are shown in the same form. Fields that the condition has are not asked for.

Parameters
----------
query : str
    Template over a condition and over an exemplar alike: what asks for the row.
schema : Schema
    The fields to write. Texts without a maximum length have at most 256 characters, lists at most 8 elements.
k : int
    Exemplars shown; 0 shows none and needs no pool.
joint : str
    Plain form: what stands between a query and its JSON.
instruction, choice, order, label_field, chat, between, sampling, budget, count_tokens
    As for `few_shot`.

Notes
-----
``max_tokens`` does not cut a row short: it limits what texts and lists may take beyond their shortest form.
)");
}

void bind_strategies(py::module_& module) {
  py::class_<AnyPromptStrategy>(module, "PromptStrategy", "How one row is asked for.")
      .def_property_readonly(
          "name", [](const AnyPromptStrategy& s) { return std::string(s.name()); },
          "Stands in every row's provenance.")
      .def("__repr__", [](const AnyPromptStrategy& s) { return message("<PromptStrategy ", s.name(), ">"); });
  module.def(
      "_python_strategy",
      [](std::string name, py::object function) -> AnyPromptStrategy {
        return PythonStrategy(std::move(name), std::move(function));
      },
      py::arg("name"), py::arg("function"));
  module.def(
      "best_of",
      [](const AnyPromptStrategy& strategy, const Count& n) -> AnyPromptStrategy {
        return BestOf(strategy, n.of<std::size_t>("n"));
      },
      py::arg("strategy"), py::arg("n"),
      R"(Every question of another strategy asked n times, going on with the likeliest answer.

The likeliest is that of the largest mean log-probability of its drawn tokens. It raises plausibility and
lowers diversity.

Parameters
----------
strategy : PromptStrategy
    Who asks.
n : int
    Answers to choose from, at least 1.
)");
  module.def(
      "zero_shot",
      [](std::string instruction, std::string system, std::string field, bool chat,
         std::vector<std::string> stop, std::optional<Sampling> sampling) -> AnyPromptStrategy {
        return ZeroShot(zero_shot_options(std::move(instruction), std::move(system), std::move(field), chat,
                                          std::move(stop), sampling));
      },
      py::arg("instruction"), py::kw_only(), py::arg("system") = "", py::arg("field") = "text",
      py::arg("chat") = true, py::arg("stop") = std::vector<std::string>{}, py::arg("sampling") = py::none(),
      R"(One instruction, one answer.

Parameters
----------
instruction : str
    Template over the condition: {age} is its field 'age'; {{ and }} stand for braces.
system : str
    Template of a system message (chat form only).
field : str
    Where the answer goes; the row is the condition's fields and this one.
chat : bool
    False: the instruction is plain text to be continued.
stop : list of str
    The answer ends before the first of these.
sampling : Sampling, optional
    Replaces the run's values.
)");
  module.def(
      "label_conditioned",
      [](std::string instruction, const std::shared_ptr<Table>& terms, std::string label_field,
         std::string id_column, std::string name_column, std::string synonyms_column,
         std::string definition_column, std::string system, std::string field, bool chat,
         std::vector<std::string> stop, std::optional<Sampling> sampling) -> AnyPromptStrategy {
        LabelConditionedOptions options;
        options.prompt = zero_shot_options(std::move(instruction), std::move(system), std::move(field), chat,
                                           std::move(stop), sampling);
        options.label_field = std::move(label_field);
        options.id_column = std::move(id_column);
        options.name_column = std::move(name_column);
        options.synonyms_column = std::move(synonyms_column);
        options.definition_column = std::move(definition_column);
        return LabelConditioned(std::move(options), terms);
      },
      py::arg("instruction"), py::arg("terms"), py::kw_only(), py::arg("label_field") = "label",
      py::arg("id_column") = "id", py::arg("name_column") = "name", py::arg("synonyms_column") = "synonyms",
      py::arg("definition_column") = "definition", py::arg("system") = "", py::arg("field") = "text",
      py::arg("chat") = true, py::arg("stop") = std::vector<std::string>{}, py::arg("sampling") = py::none(),
      R"(An instruction that explains the wanted label from a term list.

Besides the condition's fields the templates may use {label_id}, {label_name}, {label_synonyms} and
{label_definition}.

Parameters
----------
instruction : str
    Template over the condition and the label's term.
terms : Table
    One row per label; columns as named below.
label_field : str
    Field of the condition that holds a term's id.
)");
}

}  // namespace

void bind_prompt(py::module_& module) {
  bind_sampling(module);
  bind_prompt_class(module);
  bind_completion(module);
  bind_task(module);
  bind_strategies(module);
  bind_few_shot(module);
  bind_json_record(module);
}

}  // namespace synthema::bindings
