// Checks, runs and run folders.
#include "bindings/bindings.hpp"
#include "bindings/counts.hpp"
#include "bindings/model_turn.hpp"
#include "bindings/python_objects.hpp"
#include "bindings/values.hpp"
#include "synthema/generate/checks.hpp"
#include "synthema/generate/driver.hpp"
#include "synthema/generate/outcome_table.hpp"
#include "synthema/generate/run_folder.hpp"
#include "synthema/generate/verify.hpp"
#include "synthema/model/any_completion_model.hpp"
#include "synthema/prompt/any_prompt_strategy.hpp"

namespace synthema::bindings {

namespace {

// A function (task, draft) -> None or True: accepted; a str: the reason; False: refused without one.
Check python_check(std::string name, py::object function, bool guards_exemplars) {
  const HeldObject callable = held(std::move(function));
  const auto test = [callable, name](const Task& task, const Draft& draft) -> std::optional<std::string> {
    return with_python([&]() -> std::optional<std::string> {
      const py::object verdict = (*callable)(task, draft);
      if (verdict.is_none() || verdict.ptr() == Py_True) return std::nullopt;
      if (verdict.ptr() == Py_False) return "The check refused the row.";
      if (py::isinstance<py::str>(verdict)) return verdict.cast<std::string>();
      throw py::type_error(message("The check '", name, "' must give None, a bool or a str (the reason)."));
    });
  };
  return {std::move(name), test, guards_exemplars};
}

void bind_check(py::module_& module) {
  py::class_<Check>(module, "Check", R"(Accepts a finished row or says why not.

Parameters
----------
name : str
    Kept with every row that the check rejects.
function : callable
    (task, draft) -> None or True (accepted), a str (the reason) or False. Pure: it sees no other row.
guards_exemplars : bool
    True if the check finds copies of exemplars.
)")
      .def(py::init(&python_check), py::arg("name"), py::arg("function"), py::kw_only(),
           py::arg("guards_exemplars") = false)
      .def_readonly("name", &Check::name, "The name under which a rejected draft is kept.")
      .def(
          "__call__",
          [](const Check& check, const Task& task, const Draft& draft) { return check.test(task, draft); },
          py::arg("task"), py::arg("draft"), "None if the draft is accepted, else the reason.")
      .def("__repr__", [](const Check& check) { return message("<Check ", check.name, ">"); });
}

void bind_checks(py::module_& module) {
  module.def(
      "length_in_words",
      [](const Count& minimum, const Count& maximum, std::string field) {
        return length_in_words(minimum.of<std::size_t>("minimum"), maximum.of<std::size_t>("maximum"),
                               std::move(field));
      },
      py::arg("minimum"), py::arg("maximum"), py::arg("field") = "text",
      "Check: the text has this many words, both bounds inclusive.");
  module.def("ends_with_punctuation", &ends_with_punctuation, py::arg("field") = "text",
             "Check: the text ends with . ! or ?, perhaps followed by a closing quote or bracket.");
  module.def("one_line", &one_line, py::arg("field") = "text", "Check: the text has no line break.");
  module.def("in_language", &in_language, py::arg("language") = "en", py::arg("share") = 0.15,
             py::arg("field") = "text",
             "Check: Latin letters and at least this share of English function words. A rough test.");
  module.def(
      "no_exemplar_copy",
      [](const std::shared_ptr<Table>& exemplars, const Count& run, std::string field,
         std::string pool_field) {
        return no_exemplar_copy(exemplars, run.of<std::size_t>("run"), std::move(field),
                                std::move(pool_field));
      },
      py::arg("exemplars"), py::arg("run") = 8, py::arg("field") = "text", py::arg("pool_field") = "text",
      "Check: the text shares no run of so many words with any exemplar.");
  module.def("banned_words", &banned_words, py::arg("phrases"), py::arg("field") = "text",
             "Check: none of these words or phrases occurs.");
  module.def(
      "likely_enough", &likely_enough, py::arg("minimum"),
      "Check: the mean log-probability of the row's drawn tokens is at least this (natural log, at most "
      "0).");
  module.def("matches_choice", &matches_choice, py::arg("field"), py::arg("condition_field"),
             "Check: the field equals what the condition asks for.");
  module.def(
      "concept_recovered",
      [](const std::shared_ptr<Table>& terms, const Count& max_rank, std::string label_field,
         std::string field, const std::string& id_column, const std::vector<std::string>& columns) {
        return concept_recovered(terms, max_rank.of<std::size_t>("max_rank"), std::move(label_field),
                                 std::move(field), id_column, columns);
      },
      py::arg("terms"), py::arg("max_rank"), py::arg("label_field") = "label", py::arg("field") = "text",
      py::arg("id_column") = "id",
      py::arg("columns") = std::vector<std::string>{"name", "synonyms", "definition"},
      "Check: a BM25 search with the text finds the condition's label among the first max_rank terms.");
}

// A run in memory or in a folder. What was reached stays here when `execute` throws.
struct RunRecord {
  std::vector<RowOutcome> outcomes;
  RunCounts counts;
  std::shared_ptr<const Schema> schema, terms;
  std::vector<std::string> without_zone;  // times
  bool complete = false;

  void see(std::span<const RowOutcome> attempts) {
    outcomes.insert(outcomes.end(), attempts.begin(), attempts.end());
    counts.add(attempts);
  }
};

void load(RunRecord& record, const std::string& folder) {
  record.outcomes.clear();
  record.counts = {};
  for (const std::vector<RowOutcome>& attempts : read_rows(folder)) record.see(attempts);
}

struct RunInputs {
  AnyCompletionModel model;
  AnyPromptStrategy strategy;
  TaskSource tasks;
  ManifestInputs manifest;
  RunOptions options;
  std::string folder;
  bool resume = false;
};

void execute(RunRecord& record, RunInputs inputs) {
  const py::gil_scoped_release no_gil;
  const Turns::Turn turn = alone_with(inputs.model);
  const auto& checks = inputs.manifest.checks;
  const auto run = [&](const RunOptions& options, const RowSink& sink, RunCounts before) {
    return run_rows(inputs.model, inputs.strategy, inputs.tasks, checks, options, sink, std::move(before));
  };
  if (inputs.folder.empty()) {
    run(inputs.options, [&](auto attempts) { record.see(attempts); }, {});
  } else {
    inputs.manifest.identity = identity_of(inputs.model, inputs.strategy, inputs.options);
    const auto manifest = [&](const std::string& key) {
      return run_manifest(inputs.manifest, inputs.options, key);
    };
    const bool is_private = !inputs.tasks.may_leave_machine;
    if (is_private && inputs.manifest.identity.remote)
      run(inputs.options, {}, {});  // throws before a file is made
    RunFolder folder = inputs.resume ? RunFolder::resume(inputs.folder, manifest, is_private)
                                     : RunFolder::create(inputs.folder, manifest, is_private);
    load(record, inputs.folder);
    run_in_folder(folder, inputs.options, run, [&](auto attempts) { record.see(attempts); });
  }
  record.complete = true;
}

TaskSource source_from(const std::shared_ptr<Table>& conditions, const py::object& draw, std::uint64_t seed,
                       const std::shared_ptr<Table>& exemplars, const std::shared_ptr<Schema>& schema,
                       bool cycle) {
  if (conditions) return tasks_from(conditions, exemplars, schema, cycle);
  if (draw.is_none())
    return tasks_from([](std::uint64_t, Random) { return Record(); }, seed, exemplars, schema);
  const auto function = [callable = held(draw)](std::uint64_t row, Random random) -> std::optional<Record> {
    return with_python([&]() -> std::optional<Record> {
      const py::object condition = (*callable)(row, random);
      if (condition.is_none()) return std::nullopt;
      if (!py::isinstance<py::dict>(condition))
        throw py::type_error(
            "The conditions function must give a dict, or None when there are no more rows.");
      return record_from_python(py::reinterpret_borrow<py::dict>(condition));
    });
  };
  return tasks_from(function, seed, exemplars, schema);
}

void execute_from_python(RunRecord& record, const AnyPromptStrategy& strategy,
                         const AnyCompletionModel& model, std::uint64_t rows,
                         const std::shared_ptr<Table>& conditions, const py::object& draw,
                         const std::shared_ptr<Table>& exemplars, const std::shared_ptr<Schema>& schema,
                         const std::vector<Check>& checks, const Sampling& sampling, std::uint64_t seed,
                         const std::string& folder, bool resume, const py::object& progress,
                         std::uint64_t max_attempts, std::uint64_t max_questions, std::size_t in_flight,
                         std::uint64_t hopeless_after, double hopeless_below, bool cycle,
                         const std::string& settings, const std::string& generator,
                         const std::string& digest_key) {
  RunOptions options;
  options.rows = rows, options.seed = seed, options.sampling = sampling;
  options.max_attempts = max_attempts, options.max_questions = max_questions, options.in_flight = in_flight;
  options.hopeless_after = hopeless_after, options.hopeless_below = hopeless_below;
  options.generator = generator, options.digest_key = digest_key;
  options.heartbeat = check_interrupt;
  if (!progress.is_none())
    options.progress = [sink = held(progress)](const Progress& p) { with_python([&] { (*sink)(p); }); };
  record.schema = schema;
  record.without_zone = given_times(conditions.get(), exemplars.get()).without_zone;
  record.terms = schema ? schema : exemplars ? std::make_shared<const Schema>(exemplars->schema()) : nullptr;
  execute(record, {model,
                   strategy,
                   source_from(conditions, draw, seed, exemplars, schema, cycle),
                   {.identity = {},
                    .checks = checks,
                    .schema = schema,
                    .exemplars = exemplars,
                    .conditions = conditions,
                    .settings = settings},
                   options,
                   folder,
                   resume});
}

py::list reasons_of(const RunCounts& counts) {
  py::list out;
  for (const auto& [why, times] : counts.rejected) out.append(py::make_tuple(why.first, why.second, times));
  return out;
}

std::shared_ptr<Table> attempts_of(const RunRecord& record, bool rejected_only) {
  std::vector<RowOutcome> chosen;
  for (const RowOutcome& o : record.outcomes)
    if (!rejected_only || !o.accepted()) chosen.push_back(o);
  return std::make_shared<Table>(attempts_table(chosen, record.terms.get(), record.without_zone));
}

py::dict provenance_dict(const RowOutcome& o) {
  const Provenance& p = o.provenance;
  py::dict out;
  out["row"] = o.row, out["attempt"] = o.attempt, out["generator"] = p.generator,
  out["strategy"] = p.strategy;
  out["model"] = p.model, out["numeric_path"] = p.numeric_path, out["library"] = p.library;
  out["seed"] = p.seed, out["digest"] = p.digest, out["exemplars"] = p.exemplars;
  out["tokens"] = p.tokens, out["questions"] = p.questions, out["finish"] = p.finish;
  out["answers"] = p.answers;
  out["condition"] = to_python(o.condition);
  return out;
}

void bind_run(py::module_& module) {
  py::class_<RunRecord>(module, "_RunRecord")
      .def(py::init<>())
      .def("execute", &execute_from_python, py::kw_only(), py::arg("strategy"), py::arg("model"),
           py::arg("rows"), py::arg("conditions"), py::arg("draw"), py::arg("exemplars"), py::arg("schema"),
           py::arg("checks"), py::arg("sampling"), py::arg("seed"), py::arg("folder"), py::arg("resume"),
           py::arg("progress"), py::arg("max_attempts"), py::arg("max_questions"), py::arg("in_flight"),
           py::arg("hopeless_after"), py::arg("hopeless_below"), py::arg("cycle"), py::arg("settings"),
           py::arg("generator"), py::arg("digest_key"))
      .def("load",
           [](RunRecord& r, const std::string& folder) {
             r.complete = read_manifest(folder).complete;
             load(r, folder);
             const Record manifest = read_manifest(folder).manifest;
             r.without_zone = given_times(manifest).without_zone;
             const Value* schema = manifest.find("schema");
             if (schema && !schema->text().empty())
               r.schema = r.terms = std::make_shared<const Schema>(schema_from_json(schema->text(), folder));
           })
      .def_property_readonly(
          "rows",
          [](const RunRecord& r) {
            return std::make_shared<Table>(rows_table(r.outcomes, r.schema.get(), r.without_zone));
          })
      .def_property_readonly("drafts", [](const RunRecord& r) { return attempts_of(r, false); })
      .def_property_readonly("rejected", [](const RunRecord& r) { return attempts_of(r, true); })
      .def_property_readonly("provenance",
                             [](const RunRecord& r) {
                               py::list out;
                               for (const RowOutcome& o : r.outcomes)
                                 if (o.accepted()) out.append(provenance_dict(o));
                               return out;
                             })
      .def_readonly("complete", &RunRecord::complete)
      .def_property_readonly("accepted", [](const RunRecord& r) { return r.counts.accepted; })
      .def_property_readonly("attempts", [](const RunRecord& r) { return r.counts.attempts; })
      .def_property_readonly("decided", [](const RunRecord& r) { return r.counts.rows; })
      .def_property_readonly("reasons", [](const RunRecord& r) { return reasons_of(r.counts); })
      .def_property_readonly("text", [](const RunRecord& r) { return r.counts.text(); });
  module.def(
      "read_manifest",
      [](const std::string& folder) {
        const RunManifest m = read_manifest(folder);
        py::dict out = to_python(m.manifest);
        out["status"] = m.complete ? "complete" : "running";
        return out;
      },
      py::arg("folder"), "The manifest of a run folder as a dict; RunFolderError if there is none.");
  module.def(
      "_seed_of_run", [](const std::string& folder) { return seed_of(read_manifest(folder).manifest); },
      py::arg("folder"));
}

void bind_verify(py::module_& module) {
  py::class_<VerifyDifference>(module, "VerifyDifference", "A row that could not be made again.")
      .def_readonly("row", &VerifyDifference::row, "Row id.")
      .def_readonly("what", &VerifyDifference::what, "One sentence: what differs.");
  py::class_<VerifyResult>(module, "VerifyResult", "What a look at a run folder found.")
      .def_readonly("rows", &VerifyResult::rows, "Accepted rows whose line is whole and sealed.")
      .def_readonly("rejected", &VerifyResult::rejected, "Rejected attempts likewise.")
      .def_readonly("regenerated", &VerifyResult::regenerated, "Rows made again and compared byte for byte.")
      .def_readonly("rescored", &VerifyResult::rescored,
                    "Rows whose answers were read again and compared token by token.")
      .def_property_readonly(
          "tokens_same", [](const VerifyResult& r) { return r.tokens.same; },
          "Recorded tokens that the model draws too.")
      .def_property_readonly(
          "tokens_near", [](const VerifyResult& r) { return r.tokens.near; },
          "Within the tolerance of what it draws.")
      .def_property_readonly(
          "tokens_different", [](const VerifyResult& r) { return r.tokens.different; }, "Not what it draws.")
      .def_readonly("numeric_path", &VerifyResult::numeric_path, "Of the model that re-scored.")
      .def_readonly("differences", &VerifyResult::differences,
                    "Every row that is not as it should be; a list of VerifyDifference.")
      .def_property_readonly("ok", &VerifyResult::ok, "Whether nothing differs.")
      .def("__repr__", [](const VerifyResult& r) { return "<VerifyResult: " + r.text() + ">"; });
  module.def(
      "_verify_lines", [](const std::string& folder) { return verify_lines(folder); }, py::arg("folder"));
  module.def(
      "_verify",
      [](const std::string& folder, const AnyPromptStrategy& strategy, AnyCompletionModel model,
         const std::shared_ptr<Table>& conditions, const py::object& draw,
         const std::shared_ptr<Table>& exemplars, const std::shared_ptr<Schema>& schema,
         const std::vector<Check>& checks, std::optional<std::size_t> sample, bool cycle) {
        const Record told = read_manifest(folder).manifest;
        RunOptions options = options_from(told);
        const TaskSource tasks = source_from(conditions, draw, options.seed, exemplars, schema, cycle);
        options.digest_key = read_digest_key(folder, !tasks.may_leave_machine);
        options.heartbeat = check_interrupt;
        ManifestInputs inputs{.identity = identity_of(model, strategy, options),
                              .checks = checks,
                              .schema = schema,
                              .exemplars = exemplars,
                              .conditions = conditions,
                              .settings = text_entry(told, "settings")};
        if (!sample) inputs.identity.numeric_path = text_entry(told, "numeric_path");
        const Record manifest = run_manifest(inputs, options, options.digest_key);
        const py::gil_scoped_release no_gil;
        const Turns::Turn turn = alone_with(model);
        return sample ? verify(folder, manifest, regenerate_with(model, strategy, tasks, checks, options),
                               *sample)
                      : rescore(folder, manifest, model, strategy, tasks, checks, options);
      },
      py::arg("folder"), py::arg("strategy"), py::arg("model"), py::arg("conditions"), py::arg("draw"),
      py::arg("exemplars"), py::arg("schema"), py::arg("checks"), py::arg("sample"), py::arg("cycle"));
}

}  // namespace

void bind_generate(py::module_& module) {
  bind_check(module);
  bind_checks(module);
  bind_verify(module);
  bind_run(module);
}

}  // namespace synthema::bindings
