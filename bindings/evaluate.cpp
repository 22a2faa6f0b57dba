#include "bindings/bindings.hpp"
#include "bindings/counts.hpp"
#include "bindings/python_objects.hpp"
#include "synthema/core/plug_in_error.hpp"
#include "synthema/evaluate/any_evaluator.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/suite.hpp"
#include "synthema/evaluate/text/bleu.hpp"
#include "synthema/evaluate/text/chrf.hpp"
#include "synthema/evaluate/text/rouge.hpp"
#include "synthema/evaluate/text/self_bleu.hpp"

namespace synthema::bindings {

namespace {

using Texts = std::vector<std::string>;

std::string dumps(const py::handle& object) {
  return py::module_::import("json").attr("dumps")(object).cast<std::string>();
}
py::object loads(const std::string& json) {
  return py::module_::import("json").attr("loads")(json);
}

Direction direction_from(std::string_view name) {
  for (const Direction d : {Direction::higher, Direction::lower, Direction::none})
    if (name == name_of(d)) return d;
  throw ConfigError({.field = "direction"}, "The direction must be 'higher', 'lower' or 'none'.");
}

// What an evaluator written in Python may return: a Score, a dict in the JSON form of one, or a number.
Score score_from_python(const py::object& result, const Table& synthetic) {
  if (py::isinstance<Score>(result)) return result.cast<Score>();
  if (py::isinstance<py::dict>(result)) {
    Score score = score_from_json(dumps(result));
    if (score.n == 0 && score.value) score.n = synthetic.rows();
    return score;
  }
  if (!PyNumber_Check(result.ptr()))
    throw EvaluationError(
        "An evaluator must return a Score, a dict with 'value' or 'undefined', or a number.");
  Score score;
  score.value = result.attr("__float__")().cast<double>();
  if (!std::isfinite(*score.value))
    throw EvaluationError(
        "An evaluator returned a number that is not finite; what cannot be computed is {'undefined': "
        "reason}.");
  score.n = synthetic.rows();
  return score;
}

// A Python object with evaluate(real, synthetic, context), or a function of the three. May be called from any
// thread; holds the GIL only while Python runs.
class PythonEvaluator {
 public:
  PythonEvaluator(std::string name, Direction direction, Range range, py::object function)
      : name_(std::move(name)), direction_(direction), range_(range), function_(held(std::move(function))) {}

  std::string_view name() const { return name_; }
  Direction direction() const { return direction_; }
  Range range() const { return range_; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
    Score score = with_python([&] {
      const py::object reference = real ? py::cast(*real) : py::none();
      return score_from_python((*function_)(reference, synthetic, context), synthetic);
    });
    score.name = name_;
    score.direction = direction_;
    score.range = range_;
    if (score.value && score.estimand.empty())
      score.estimand = "What the evaluator '" + name_ + "' measures.";
    if (score.value && !score.interval && score.no_interval.empty())
      score.no_interval = "The evaluator gives none.";
    return score;
  }

 private:
  std::string name_;
  Direction direction_;
  Range range_;
  HeldObject function_;
};

std::shared_ptr<const Table> shared(const std::optional<Table>& table) {
  return table ? std::make_shared<const Table>(*table) : nullptr;
}

using Vectors = std::vector<std::vector<float>>;

// What a function of the caller's gave, or PlugInError that says who gave what, and what is wanted.
template <class Out>
Out answer_of(const py::handle& result, std::string_view who, std::string_view wanted) {
  try {
    return py::cast<Out>(result);
  } catch (const py::cast_error&) {
    throw PlugInError(message("The ", who, " gave something of type ",
                              py::str(py::type::of(result).attr("__name__")).cast<std::string>(),
                              " that is not ", wanted, "."));
  }
}

// A sequence of sequences, or an array {texts, width} without a Python object for every number.
Vectors vectors_from(const py::object& result) {
  constexpr std::string_view kWho = "embedder", kWanted = "one vector of numbers a text or token";
  if (!py::isinstance<py::array>(result)) return answer_of<Vectors>(result, kWho, kWanted);
  const auto array = py::array_t < float, py::array::c_style | py::array::forcecast > ::ensure(result);
  if (!array || array.ndim() != 2)
    throw PlugInError("The embedder gave an array that is not {texts, width} numbers.");
  Vectors out;
  for (py::ssize_t i = 0; i < array.shape(0); ++i)
    out.emplace_back(array.data(i, 0), array.data(i, 0) + array.shape(1));
  return out;
}

// A sequence of what vectors_from() takes, one a text.
std::vector<Vectors> token_vectors_from(const py::object& result) {
  std::vector<Vectors> out;
  for (const py::object& one :
       answer_of<std::vector<py::object>>(result, "token embedder", "one array of token vectors a text"))
    out.push_back(vectors_from(one));
  return out;
}

// A Python function of a list of texts as a function of the context.
template <class Convert>
auto text_function(const py::object& function, const Convert& convert) {
  using Out = std::invoke_result_t<Convert, py::object>;
  std::function<Out(std::span<const std::string>)> out;
  if (function.is_none()) return out;
  out = [kept = held(function), convert](std::span<const std::string> texts) {
    return with_plug_in([&] { return convert((*kept)(Texts(texts.begin(), texts.end()))); });
  };
  return out;
}

// The other way: what an evaluator written in Python asks.
template <class Out>
py::object as_python(const std::function<Out(std::span<const std::string>)>& function) {
  if (!function) return py::none();
  return py::cpp_function(
      [function](const Texts& texts) {
        const py::gil_scoped_release release;
        return function(texts);
      },
      py::arg("texts"));
}

EvaluationContext make_context(const std::optional<Table>& holdout, const std::optional<Table>& exemplars,
                               const std::optional<Table>& terms, std::string text_column,
                               std::string label_column, std::string target_column, std::uint64_t seed,
                               std::size_t bootstrap, const Count& threads, const py::object& embedder,
                               const py::object& text_scorer, std::string embedder_name,
                               const std::optional<CancelToken>& cancel, std::size_t target_labels) {
  EvaluationContext context;
  context.holdout = shared(holdout);
  context.exemplars = shared(exemplars);
  context.terms = shared(terms);
  context.text_column = std::move(text_column);
  context.label_column = std::move(label_column);
  context.target_column = std::move(target_column);
  context.target_labels = target_labels;
  context.seed = seed;
  context.bootstrap = bootstrap;
  context.threads = threads_of(threads);
  context.embedder = text_function(embedder, vectors_from);
  context.embedder_name = std::move(embedder_name);
  if (cancel) context.cancel = *cancel;
  context.text_scorer = text_function(text_scorer, [](const py::object& result) {
    return answer_of<std::vector<std::vector<double>>>(result, "text scorer",
                                                       "one list of log-probabilities a text");
  });
  return context;
}

std::optional<Table> table_or_none(const std::shared_ptr<const Table>& table) {
  return table ? std::optional(*table) : std::nullopt;
}

void bind_context(py::module_& module) {
  py::class_<EvaluationContext>(module, "EvaluationContext",
                                R"(What evaluators may look at besides the two tables.

Parameters
----------
holdout : Table, optional
    Real rows that no generator saw.
exemplars : Table, optional
    What was shown in prompts.
terms : Table, optional
    Columns id and name; optional synonyms, lay_synonyms (lists) and definition.
text_column, label_column, target_column : str
    The text to judge; what it should express ('': the schema's label role); what to predict.
seed : int
    Of bootstrap draws.
bootstrap : int
    Resamples of an interval; 0: none.
threads : int
    0: all cores. Never changes a value.
embedder : callable, optional
    List of texts to list of vectors.
text_scorer : callable, optional
    List of texts to list of log-probabilities (natural) of their tokens.
embedder_name : str
    Which encoder that is; enters scores.
cancel : CancelToken, optional
    Evaluators end with Cancelled once it asks them to.
target_labels : int
    Of a target with more labels the rarest are one class, so that there are as many; 0: all are classes.
)")
      .def(py::init(&make_context), py::kw_only(), py::arg("holdout") = py::none(),
           py::arg("exemplars") = py::none(), py::arg("terms") = py::none(), py::arg("text_column") = "text",
           py::arg("label_column") = "", py::arg("target_column") = "", py::arg("seed") = 0,
           py::arg("bootstrap") = 1000, py::arg("threads") = 0, py::arg("embedder") = py::none(),
           py::arg("text_scorer") = py::none(), py::arg("embedder_name") = "", py::arg("cancel") = py::none(),
           py::arg("target_labels") = EvaluationContext().target_labels)
      .def_property_readonly(
          "holdout", [](const EvaluationContext& c) { return table_or_none(c.holdout); },
          "Real rows that no generator saw, or None.")
      .def_property_readonly(
          "exemplars", [](const EvaluationContext& c) { return table_or_none(c.exemplars); },
          "What was shown in prompts, or None.")
      .def_property_readonly(
          "terms", [](const EvaluationContext& c) { return table_or_none(c.terms); },
          "The term list, or None.")
      .def_property_readonly(
          "embedder", [](const EvaluationContext& c) { return as_python(c.embedder); },
          "A function of a list of texts that gives one list of numbers a text, or None.")
      .def_readonly("embedder_name", &EvaluationContext::embedder_name, "Which encoder that is.")
      .def_property_readonly(
          "text_scorer", [](const EvaluationContext& c) { return as_python(c.text_scorer); },
          "A function of a list of texts that gives the natural log-probabilities of their tokens, or None.")
      .def_readonly("text_column", &EvaluationContext::text_column, "Name of the text to judge.")
      .def_readonly("label_column", &EvaluationContext::label_column,
                    "Name of what the text should express; empty: the schema's label role.")
      .def_readonly("target_column", &EvaluationContext::target_column,
                    "Name of what to predict; empty: nothing.")
      .def_readonly("target_labels", &EvaluationContext::target_labels,
                    "Most classes of the target, the rarest labels being one together; 0: all labels.")
      .def_readonly("seed", &EvaluationContext::seed, "Of bootstrap draws.")
      .def_readonly("bootstrap", &EvaluationContext::bootstrap, "Resamples of an interval; 0: none.")
      .def_readonly("threads", &EvaluationContext::threads, "0: all cores.")
      .def_readonly("cancel", &EvaluationContext::cancel, "The CancelToken that evaluators look at.");
}

template <class... T>
py::str shown(const char* form, const T&... values) {
  return py::str(form).format(values...);
}

void bind_score_parts(py::module_& module) {
  py::class_<Interval>(module, "Interval", "How sure a score is; unpacks as low, high.")
      .def_readonly("low", &Interval::low, "Lower end, in the score's unit.")
      .def_readonly("high", &Interval::high, "Upper end, in the score's unit.")
      .def_readonly("level", &Interval::level, "0.95.")
      .def_readonly("method", &Interval::method, "How it was obtained, and over how many units.")
      .def("__iter__", [](const Interval& i) { return py::iter(py::make_tuple(i.low, i.high)); })
      .def("__repr__", [](const Interval& i) {
        return shown("Interval(low={!r}, high={!r}, level={!r}, method={!r})", i.low, i.high, i.level,
                     i.method);
      });
  py::class_<ScorePart>(module, "ScorePart", "The same measure of one column, pair, label or subgroup.")
      .def_readonly("name", &ScorePart::name, "'age', 'age x sex', 'HP:0002315', ...")
      .def_readonly("value", &ScorePart::value, "None where the part is undefined.")
      .def_readonly("n", &ScorePart::n, "Rows used.")
      .def_readonly("note", &ScorePart::note, "The unit, or why there is no value.")
      .def("__repr__", [](const ScorePart& p) {
        return shown("ScorePart(name={!r}, value={!r}, n={!r}, note={!r})", p.name, p.value, p.n, p.note);
      });
  py::class_<Curve>(module, "Curve", "A line that a report draws, such as a ROC curve.")
      .def_readonly("name", &Curve::name, "'ROC', 'ROC, mean of labels', 'ROC of C' (C against the rest).")
      .def_readonly("of", &Curve::of, "Whose line it is: 'trained on synthetic rows'.")
      .def_readonly("x", &Curve::x, "Ascending; of a ROC curve the false positive rate.")
      .def_readonly("y", &Curve::y, "As many as `x`; of a ROC curve the true positive rate.");
  py::class_<Bound>(module, "Bound", "The best or worst that a score could be, and how that is known.")
      .def_readonly("value", &Bound::value, "In the score's unit.")
      .def_readonly("source", &Bound::source, "How it was obtained.")
      .def_readonly(
          "error", &Bound::error,
          "Standard error of `value` if the rows that it was measured on are like the synthetic ones; "
          "0 where it is exact, not known, or a part of the score's interval.")
      .def("__repr__", [](const Bound& b) {
        return shown("Bound(value={!r}, source={!r}, error={!r})", b.value, b.source, b.error);
      });
}

void bind_score(py::module_& module) {
  bind_score_parts(module);
  py::class_<Score> score(module, "Score",
                          "One measurement: value, interval, n, parts, ceiling, floor, convention.");
  copied_by_json(score, score_from_json);
  score.def_readonly("name", &Score::name, "Name of the evaluator; the key in a report.")
      .def_readonly("estimand", &Score::estimand, "One sentence: what the number estimates.")
      .def_readonly("value", &Score::value, "None exactly when `undefined` says why.")
      .def_readonly("undefined", &Score::undefined, "Why there is no value; empty where there is one.")
      .def_readonly("interval", &Score::interval, "An Interval, or None; then `no_interval` says why.")
      .def_readonly("no_interval", &Score::no_interval, "Why there is no interval, where there is none.")
      .def_readonly("n", &Score::n, "Rows or subjects used.")
      .def_readonly("parts", &Score::parts, "The same measure by column, pair, label or subgroup.")
      .def_readonly("curves", &Score::curves, "Curves that a report draws; of most scores none.")
      .def_readonly("ceiling", &Score::ceiling,
                    "A Bound: the best that data of this size could score; or None.")
      .def_readonly("floor", &Score::floor, "A Bound: what knowing nothing scores; or None.")
      .def_readonly("convention", &Score::convention, "Whose definition.")
      .def_readonly("definition", &Score::definition, "Formula or source, one line.")
      .def_readonly("warnings", &Score::warnings, "What to know before reading the value.")
      .def_property_readonly(
          "direction", [](const Score& s) { return std::string(name_of(s.direction)); },
          "Which way is better: 'higher', 'lower' or 'none'.")
      .def_property_readonly(
          "range", [](const Score& s) { return std::pair(s.range.low, s.range.high); },
          "The smallest and largest possible value; may be infinite.")
      .def(
          "to_json", [](const Score& s) { return to_json(s); },
          "The JSON form; infinities are 'inf', '-inf'.")
      .def(
          "to_dict", [](const Score& s) { return py::dict(loads(to_json(s))); }, "The JSON form as a dict.")
      .def_static(
          "from_json", [](const std::string& json) { return score_from_json(json); }, py::arg("json"),
          "The score of a JSON form; ParseError if it is none.")
      .def("__repr__", [](const Score& s) {
        if (!s.value) return message("Score(", s.name, ": undefined, ", s.undefined, ")");
        const std::string interval =
            s.interval ? message(", ", s.interval->low, " to ", s.interval->high) : std::string();
        return message("Score(", s.name, " = ", *s.value, interval, ", n = ", s.n, ")");
      });
}

std::tuple<std::int64_t, std::int64_t, std::string> found_by_detector(const py::handle& one) {
  try {
    return one.cast<std::tuple<std::int64_t, std::int64_t, std::string>>();
  } catch (const py::cast_error&) {
    throw PlugInError(
        "A detector of identifiers gave something else than (begin, end, kind): two whole numbers and a "
        "text.");
  }
}

// A function of one text that gives (begin, end, kind) in characters, for each text, with bytes in their
// place.
IdentifierDetector detector_from(const py::object& function) {
  return [kept = held(function)](std::span<const std::string> texts) {
    return with_plug_in([&] {
      std::vector<std::vector<Identifier>> out;
      for (const std::string& text : texts) {
        out.emplace_back();
        std::vector<std::size_t> bytes;  // where each character begins
        for (std::size_t i = 0; i < text.size(); ++i)
          if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) bytes.push_back(i);
        bytes.push_back(text.size());
        const py::object found = (*kept)(text);
        if (!py::isinstance<py::iterable>(found))
          throw PlugInError(message("A detector of identifiers gave something of type ",
                                    py::type::of(found).attr("__name__").cast<std::string>(),
                                    " that is no list of (begin, end, kind)."));
        for (const py::handle one : found) {
          const auto [begin, end, kind] = found_by_detector(one);
          if (begin < 0 || begin > end || end >= static_cast<std::int64_t>(bytes.size()))
            throw PlugInError("A detector of identifiers gave a place outside of the text.");
          out.back().push_back(
              {bytes[static_cast<std::size_t>(begin)], bytes[static_cast<std::size_t>(end)], kind});
        }
      }
      return out;
    });
  };
}
std::vector<IdentifierDetector> detectors_from(const std::vector<py::object>& functions) {
  std::vector<IdentifierDetector> out;
  for (const py::object& function : functions) out.push_back(detector_from(function));
  return out;
}

SuiteOptions suite_options(double near_duplicate_threshold, std::size_t self_bleu_limit,
                           std::string reference_column, std::string_view convention, std::size_t triples,
                           double linking_threshold, bool linking_definitions,
                           const std::optional<Learner>& learner, bool full, std::size_t discrepancy_rows,
                           std::string duration_column, std::string event_column,
                           std::string sensitive_column, std::vector<Learner> ranked_learners,
                           std::vector<std::string> quasi_identifiers, std::vector<std::string> secrets,
                           const std::vector<py::object>& detectors, const std::optional<Table>& canaries,
                           const py::object& token_embedder) {
  return {.near_duplicate_threshold = near_duplicate_threshold,
          .self_bleu_limit = self_bleu_limit,
          .reference_column = std::move(reference_column),
          .convention = convention_from(convention),
          .triples = triples,
          .discrepancy_rows = discrepancy_rows,
          .duration_column = std::move(duration_column),
          .event_column = std::move(event_column),
          .token_embedder = text_function(token_embedder, token_vectors_from),
          .linking = {.threshold = linking_threshold, .definitions = linking_definitions},
          .learner = learner ? *learner : boosted_trees(),
          .ranked_learners = std::move(ranked_learners),
          .sensitive_column = std::move(sensitive_column),
          .disclosure = {.known = std::move(quasi_identifiers), .secret = std::move(secrets)},
          .detectors = detectors_from(detectors),
          .canaries = shared(canaries),
          .full = full};
}

constexpr std::pair<const char*, bool EvaluatorNeeds::*> kNeeds[] = {
    {"reference", &EvaluatorNeeds::reference},
    {"holdout", &EvaluatorNeeds::holdout},
    {"target", &EvaluatorNeeds::target},
    {"subject", &EvaluatorNeeds::subject},
    {"embedder", &EvaluatorNeeds::embedder}};

std::vector<std::string> needs_of(const AnyEvaluator& evaluator) {
  std::vector<std::string> out;
  for (const auto& [name, flag] : kNeeds)
    if (evaluator.needs().*flag) out.emplace_back(name);
  return out;
}

AnyEvaluator python_evaluator(const py::object& function, std::string name, std::string_view direction,
                              std::pair<double, double> range, const std::vector<std::string>& needs) {
  EvaluatorNeeds flags;
  for (const std::string& need : needs) {
    const auto found = std::ranges::find_if(kNeeds, [&](const auto& known) { return need == known.first; });
    if (found == std::end(kNeeds))
      throw ConfigError(
          {.field = "needs"},
          "There is no need '" + need + "'; there are reference, holdout, target, subject, embedder.");
    flags.*(found->second) = true;
  }
  return AnyEvaluator(
      PythonEvaluator(std::move(name), direction_from(direction), {range.first, range.second}, function),
      flags);
}

void bind_evaluators(py::module_& module) {
  py::class_<SuiteOptions>(module, "SuiteOptions", R"(What the evaluators of a suite are made with.

Parameters
----------
near_duplicate_threshold : float
    Jaccard similarity from which two texts are near duplicates, above 0 and at most 1.
self_bleu_limit : int
    Most texts for self-BLEU, drawn by the seed; 0: all.
reference_column : str
    Column with the reference text of each row, for BLEU and ROUGE.
convention : {'synthema', 'sdmetrics', 'mostlyai', ...}
    Whose definition, in the evaluators that have it.
triples : int
    Most triples of columns for the accuracy of three, drawn by the seed.
linking_threshold : float
    Smallest cosine at which a text is linked to a term, -1 to 1.
linking_definitions : bool
    Link by the definitions of the terms too.
learner : Learner, optional
    What is trained on synthetic rows and tested on real ones; boosted trees if not given.
full : bool
    Also what takes longer or answers a question that few ask, and floors of privacy.
discrepancy_rows : int
    Most rows of each table for the mean discrepancy, drawn by the seed; 0: all.
duration_column, event_column : str
    Follow-up and whether it ended with the event, of survival; '': there is none.
sensitive_column : str
    Groups of people whose predictions are compared; '': the columns with the role sensitive.
ranked_learners : list of Learner
    Whose ranking is compared; empty: six of ours.
quasi_identifiers, secrets : list of str
    Columns that an attacker may know, and those that are secret ([]: by the schema's role).
detectors : list of callable
    Each takes a text and gives (begin, end, kind) of the identifiers in it, in characters.
canaries : Table, optional
    Columns text and planted.
token_embedder : callable, optional
    List of texts to list of arrays {tokens, width}, for bert_score.
)")
      .def(py::init(&suite_options), py::kw_only(), py::arg("near_duplicate_threshold") = 0.7,
           py::arg("self_bleu_limit") = 0, py::arg("reference_column") = "reference",
           py::arg("convention") = "synthema", py::arg("triples") = 10000, py::arg("linking_threshold") = 0.5,
           py::arg("linking_definitions") = false, py::arg("learner") = py::none(), py::arg("full") = false,
           py::arg("discrepancy_rows") = 5000, py::arg("duration_column") = "", py::arg("event_column") = "",
           py::arg("sensitive_column") = "", py::arg("ranked_learners") = std::vector<Learner>(),
           py::arg("quasi_identifiers") = std::vector<std::string>(),
           py::arg("secrets") = std::vector<std::string>(), py::arg("detectors") = std::vector<py::object>(),
           py::arg("canaries") = py::none(), py::arg("token_embedder") = py::none());
  py::class_<AnyEvaluator>(module, "Evaluator", "Anything that gives a Score of a table.")
      .def_property_readonly(
          "name", [](const AnyEvaluator& e) { return std::string(e.name()); }, "The key in reports.")
      .def_property_readonly(
          "direction", [](const AnyEvaluator& e) { return std::string(name_of(e.direction())); },
          "Which way is better: 'higher', 'lower' or 'none'.")
      .def_property_readonly(
          "range", [](const AnyEvaluator& e) { return std::pair(e.range().low, e.range().high); },
          "The smallest and largest possible value; may be infinite.")
      .def_property_readonly("needs", &needs_of,
                             "What it is not asked without: 'reference', 'holdout', 'target', 'subject', "
                             "'embedder'.")
      .def(
          "evaluate",
          [](const AnyEvaluator& e, const std::optional<Table>& real, const Table& synthetic,
             const EvaluationContext& context) {
            const py::gil_scoped_release release;
            return e.evaluate(real ? &*real : nullptr, synthetic, context);
          },
          py::arg("real"), py::arg("synthetic"),
          py::arg_v("context", EvaluationContext(), "EvaluationContext()"),
          "The Score of a synthetic table, against a real one or None.")
      .def("__repr__", [](const AnyEvaluator& e) { return message("Evaluator('", e.name(), "')"); });
  const auto options = py::arg_v("options", SuiteOptions(), "SuiteOptions()");
  module.def("text_suite", &text_suite, options, "The evaluators of texts.");
  module.def("table_suite", &table_suite, options, "The evaluators of columns against a real table.");
  module.def("text_privacy_suite", &text_privacy_suite, options,
             "The evaluators of what synthetic texts give away about real ones.");
  module.def("all_evaluators", &all_evaluators, options, "All suites, and what is in none (stemmed ROUGE).");
  module.def("evaluator_named", &evaluator_named, py::arg("name"), options,
             "One evaluator; ConfigError names those there are.");
  module.def("_python_evaluator", &python_evaluator, py::arg("function"), py::arg("name"),
             py::arg("direction"), py::arg("range"), py::arg("needs"));
  module.def(
      "_nonconformities",
      [](const AnyEvaluator& e, const std::optional<Table>& real, const Table& synthetic,
         const EvaluationContext& context, bool row_order) {
        const py::gil_scoped_release release;
        return nonconformities(e, real ? &*real : nullptr, synthetic, context, row_order);
      },
      py::arg("evaluator"), py::arg("real"), py::arg("synthetic"), py::arg("context"), py::arg("row_order"));
}

void bind_identifiers(py::module_& module) {
  module.def(
      "find_identifiers",
      [](const std::string& text) {
        std::vector<std::tuple<std::size_t, std::size_t, std::string>> out;
        std::size_t characters = 0, at = 0;
        const auto characters_at = [&](std::size_t byte) {
          for (; at < byte; ++at) characters += (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
          return characters;
        };
        for (const Identifier& one : find_identifiers(text)) {
          const std::size_t begin = characters_at(one.begin);
          out.emplace_back(begin, characters_at(one.end), one.kind);
        }
        return out;
      },
      py::arg("text"),
      "What may name a person by its form, as (begin, end, kind) in characters: e-mail and web addresses, "
      "dates, phone and record numbers, streets, and names after a title.");
}

void bind_text_metrics(py::module_& module) {
  module.def("tokens_13a", &tokens_13a, py::arg("text"),
             "The tokens of mteval-v13a as sacreBLEU makes them.");
  module.def("sentence_bleu", &sentence_bleu, py::arg("hypothesis"), py::arg("reference"),
             "sacreBLEU of one text, 0 to 100.");
  module.def(
      "corpus_bleu",
      [](const Texts& hypotheses, const Texts& references) {
        const py::gil_scoped_release release;
        return corpus_bleu(hypotheses, references);
      },
      py::arg("hypotheses"), py::arg("references"),
      "sacreBLEU of a corpus with one reference a text, 0 to 100.");
  module.def("sentence_chrf", &sentence_chrf, py::arg("hypothesis"), py::arg("reference"),
             "chrF of one text as sacreBLEU, 0 to 100.");
  module.def(
      "corpus_chrf",
      [](const Texts& hypotheses, const Texts& references) {
        const py::gil_scoped_release release;
        return corpus_chrf(hypotheses, references);
      },
      py::arg("hypotheses"), py::arg("references"),
      "chrF of a corpus with one reference a text, as sacreBLEU, 0 to 100.");
  using Triple = std::tuple<double, double, double>;
  const auto triple = [](const RougeScore& s) { return Triple(s.precision, s.recall, s.f1); };
  module.def(
      "rouge",
      [triple](const std::string& target, const std::string& prediction, const std::string& variant,
               bool stem) {
        if (variant == "l") return triple(rouge_l(target, prediction, stem));
        if (variant == "lsum") return triple(rouge_lsum(target, prediction, stem));
        if (variant.size() == 1 && variant[0] >= '1' && variant[0] <= '9')
          return triple(rouge_n(target, prediction, static_cast<std::size_t>(variant[0] - '0'), stem));
        throw ConfigError({.field = "variant"}, "The variant of ROUGE must be '1' to '9', 'l' or 'lsum'.");
      },
      py::arg("target"), py::arg("prediction"), py::arg("variant") = "l", py::kw_only(),
      py::arg("stem") = false, "Precision, recall and F1 as rouge-score gives them.");
  module.def(
      "self_bleu",
      [](const std::vector<Texts>& texts) {
        const py::gil_scoped_release release;
        return self_bleu_by_text(texts);
      },
      py::arg("texts"), "Self-BLEU-4 of each text (a list of words) against all others, 0 to 1.");
}

}  // namespace

void bind_evaluate(py::module_& module) {
  bind_score(module);
  bind_context(module);
  bind_evaluators(module);
  bind_identifiers(module);
  bind_text_metrics(module);
}

}  // namespace synthema::bindings
