#include <doctest/doctest.h>

#include <limits>
#include <set>
#include <string>

#include "synthema/data/schema_check.hpp"
#include "synthema/generate/driver.hpp"
#include "synthema/generate/outcome_table.hpp"
#include "synthema/model/any_completion_model.hpp"
#include "synthema/model/ngram_model.hpp"
#include "synthema/model/scripted_model.hpp"
#include "synthema/prompt/any_prompt_strategy.hpp"

using namespace synthema;

namespace {

// Two questions in turn, the second one of two at once; draws from its own stream.
struct Chatty {
  std::string_view name() const { return "chatty"; }
  Exchange compose(Task task, Random random) const {
    const Completion first = co_await ask(Prompt::plain("first " + std::to_string(random.below(1000))));
    std::vector<Prompt> both;
    both.push_back(Prompt::plain("a" + first.text));
    both.push_back(Prompt::plain("b" + first.text));
    const std::vector<Completion> rest = co_await ask(std::move(both));
    Record values = task.condition;
    values.set("text", first.text + " " + rest[0].text + " " + rest[1].text);
    co_return Draft(std::move(values));
  }
};

// The answer depends on the prompt and the request's stream only.
Completion echo(const CompletionRequest& request) {
  Random random = request.random;
  return scripted_answer(request.prompt.text + "/" + std::to_string(random.below(10)));
}

TaskSource numbered(std::optional<std::uint64_t> end = {}) {
  return {[end](std::uint64_t row) -> std::optional<Task> {
    if (end && row >= *end) return std::nullopt;
    Task task;
    task.row = row;
    task.condition = {{"n", static_cast<std::int64_t>(row)}};
    return task;
  }};
}

// Accepts about one attempt in three, by the text alone.
const std::vector<Check> picky{{"digit", [](const Task&, const Draft& draft) -> std::optional<std::string> {
                                  const char last = draft.values.at("text").text().back();
                                  if (last < '3') return std::nullopt;
                                  return "The last digit is too large.";
                                }}};

RunOptions wanting(std::uint64_t rows) {
  RunOptions options;
  options.rows = rows;
  options.seed = 11;
  options.max_attempts = 6;
  options.hopeless_below = 0;
  return options;
}

struct Collected {
  std::vector<RowOutcome> outcomes;
  RunCounts counts;
  std::uint64_t asked = 0;
};

Collected collect(const RunOptions& options, ScriptedOptions scripted = {},
                  const TaskSource& tasks = numbered(), RunCounts before = {}) {
  Collected out;
  ScriptedModel model(echo, std::move(scripted));
  out.counts = run_rows(
      model, Chatty(), tasks, picky, options,
      [&](std::span<const RowOutcome> row) {
        out.outcomes.insert(out.outcomes.end(), row.begin(), row.end());
      },
      std::move(before));
  out.asked = model.asked();
  CHECK(model.under_way() == 0);
  return out;
}

}  // namespace

TEST_CASE("the result is the first N accepted rows in row-id order") {
  const Collected all = collect(wanting(40));
  CHECK(all.counts.accepted == 40);
  CHECK(all.counts.attempts == all.outcomes.size());
  CHECK(all.outcomes.back().accepted());
  std::uint64_t row = 0, attempt = 0, given_up = 0;
  for (const RowOutcome& o : all.outcomes) {  // consecutive attempts of consecutive rows
    REQUIRE(o.row == row);
    REQUIRE(o.attempt == attempt);
    ++attempt;
    if (o.last) ++given_up;
    CHECK(o.last == (!o.accepted() && o.attempt == 5));
    if (o.accepted() || o.last) ++row, attempt = 0;
  }
  CHECK(given_up > 0);  // else the test says nothing of rows that are given up
  CHECK(all.counts.rows == row);
  CHECK(row == 40 + given_up);
}

TEST_CASE("whatever finishes first, and however many are in flight, the rows are the same") {
  const Collected reference = collect(wanting(40));
  const auto lateness = [](const CompletionRequest& r) { return (r.id * 7919) % 13; };
  for (const std::size_t in_flight : {1, 2, 7, 64, 1000})
    for (const bool newest_first : {false, true})
      for (const std::size_t at_once : {std::size_t{1}, std::size_t{3}, SIZE_MAX}) {
        RunOptions options = wanting(40);
        options.in_flight = in_flight;
        const Collected got =
            collect(options, {.delay = lateness, .newest_first = newest_first, .at_once = at_once});
        CHECK(got.outcomes == reference.outcomes);
        CHECK(got.counts == reference.counts);
        CHECK(got.asked == reference.asked);  // no row is worked on in vain
      }
}

TEST_CASE("a run goes on from what was decided") {
  const Collected whole = collect(wanting(30));
  for (const std::size_t cut : {std::size_t{1}, std::size_t{5}, std::size_t{17}}) {
    RunCounts before;
    std::vector<RowOutcome> outcomes;
    for (std::size_t row = 0, at = 0; row < cut; ++row) {
      std::vector<RowOutcome> attempts;
      do attempts.push_back(whole.outcomes[at]);
      while (whole.outcomes[at++].row == row && at < whole.outcomes.size() && whole.outcomes[at].row == row);
      before.add(attempts);
      outcomes.insert(outcomes.end(), attempts.begin(), attempts.end());
    }
    const Collected rest = collect(wanting(30), {}, numbered(), before);
    outcomes.insert(outcomes.end(), rest.outcomes.begin(), rest.outcomes.end());
    CHECK(outcomes == whole.outcomes);
    CHECK(rest.counts == whole.counts);
  }
}

TEST_CASE("another seed gives other rows; each question has a stream of its own") {
  RunOptions other = wanting(10);
  other.seed = 12;
  CHECK(collect(other).outcomes != collect(wanting(10)).outcomes);
  std::set<std::uint64_t> keys;
  std::size_t requests = 0;
  ScriptedModel model([&](const CompletionRequest& request) {
    keys.insert(request.random.key());
    ++requests;
    return echo(request);
  });
  run_rows(model, Chatty(), numbered(), picky, wanting(10), {});
  CHECK(keys.size() == requests);
}

TEST_CASE("provenance says who wrote the row and from what") {
  const Collected got = collect(wanting(3));
  const Provenance& p = got.outcomes.front().provenance;
  CHECK(p.strategy == "chatty");
  CHECK(p.model == "scripted");
  CHECK(p.numeric_path == "scripted");
  CHECK(p.seed == 11);
  CHECK(p.questions == 3);
  CHECK(p.finish == "stop");
  CHECK(p.tokens.free == 6);  // "first n/d" twice more inside the second question
  std::set<std::string> digests;
  for (const RowOutcome& o : got.outcomes) digests.insert(o.provenance.digest);
  CHECK(digests.size() == got.outcomes.size());
}

TEST_CASE("the digest changes with everything that shapes the row") {
  const auto digest = [](const auto& change) {
    RunOptions options = wanting(1);
    Task task;
    task.condition = {{"n", std::int64_t{1}}};
    RunIdentity identity{"text", "chatty", "m", "fp32", false};
    Prompt prompt = Prompt::plain("Say it.");
    change(options, task, identity, prompt);
    Attempt attempt(identity, options, task, false);
    (void)attempt.request(0, prompt);
    return std::move(attempt).failed("x", false).provenance.digest;
  };
  std::set<std::string> seen;
  std::size_t changes = 0;
  const auto differs = [&](const auto& change) {
    ++changes;
    seen.insert(digest(change));
  };
  using O = RunOptions&;
  using T = Task&;
  using I = RunIdentity&;
  using P = Prompt&;
  differs([](O, T, I, P) {});
  differs([](O o, T, I, P) { o.seed = 12; });
  differs([](O o, T, I, P) { o.sampling.temperature = 1.0000001; });
  differs([](O o, T, I, P) { o.sampling.max_tokens = 7; });
  differs([](O, T t, I, P) { t.row = 2; });
  differs([](O, T t, I, P) { t.attempt = 2; });
  differs([](O, T t, I, P) { t.condition.set("n", std::int64_t{2}); });
  differs([](O, T t, I, P) { t.schema = std::make_shared<const Schema>(Schema{.name = "other"}); });
  differs([](O, T, I i, P) { i.model = "n"; });
  differs([](O, T, I i, P) { i.numeric_path = "bf16"; });
  differs([](O, T, I i, P) { i.strategy = "other"; });
  differs([](O, T, I, P p) { p.text = "Say it!"; });
  differs([](O, T, I, P p) { p.stop = {"\n"}; });
  differs([](O, T, I, P p) { p.bias = {{"a", 1}}; });
  differs([](O, T, I, P p) { p.bias = {{"a", -std::numeric_limits<double>::infinity()}}; });
  differs([](O, T, I, P p) { p.choices = {"\n"}; });
  differs([](O, T, I, P p) { p.pattern = "\n"; });
  differs([](O, T, I, P p) { p.json_schema = "\n"; });
  differs([](O, T, I, P p) { p.record_schema = "\n"; });
  differs([](O, T, I, P p) { p = Prompt::user("Say it."); });
  CHECK(seen.size() == changes);
}

TEST_CASE("tasks that end too early, and hopeless runs, say how far they came") {
  CHECK_THROWS_WITH_AS(collect(wanting(40), {}, numbered(10)), doctest::Contains("10 tasks gave"),
                       GenerationError);
  RunOptions options = wanting(1000);
  options.hopeless_after = 60;
  options.hopeless_below = 0.9;
  CHECK_THROWS_WITH_AS(collect(options), doctest::Contains("hopeless"), GenerationError);
  CHECK_THROWS_WITH_AS(collect(options), doctest::Contains("The last digit is too large."), GenerationError);
}

TEST_CASE("a hopeless run stops after the same row whatever is in flight") {
  const auto reached = [](std::size_t in_flight) {
    RunOptions options = wanting(1000);
    options.hopeless_after = 60;
    options.hopeless_below = 0.9;
    options.in_flight = in_flight;
    ScriptedModel model(echo);
    std::vector<RowOutcome> outcomes;
    CHECK_THROWS_AS(run_rows(model, Chatty(), numbered(), picky, options,
                             [&](auto row) { outcomes.insert(outcomes.end(), row.begin(), row.end()); }),
                    GenerationError);
    CHECK(model.under_way() == 0);
    return outcomes;
  };
  const auto one = reached(1);
  CHECK(one.size() >= 60);
  CHECK(one.size() < 66);  // the row that reaches the count is finished, no more
  CHECK(reached(50) == one);
}

TEST_CASE("a model that fails a question makes a rejected attempt with its sentence") {
  ScriptedModel model([](const CompletionRequest& request) {
    return request.id < 1 ? scripted_failure("The prompt is too long.") : echo(request);
  });
  std::vector<RowOutcome> outcomes;
  run_rows(model, Chatty(), numbered(), {}, wanting(1),
           [&](auto row) { outcomes.assign(row.begin(), row.end()); });
  REQUIRE(outcomes.size() == 2);
  CHECK(outcomes[0].check == "exchange");
  CHECK(outcomes[0].reason == "The model could not answer: The prompt is too long.");
  CHECK(outcomes[0].values.empty());
  CHECK(outcomes[0].provenance.finish == "failed");
  CHECK(outcomes[1].accepted());
}

namespace {

template <class E>
struct Throws {
  std::string_view name() const { return "throws"; }
  Exchange compose(Task task, Random) const {
    if (task.attempt == 0) throw E("A sentence.");
    const Completion c = co_await ask(Prompt::plain("x"));
    if (task.attempt == 1) throw E("Another sentence.");
    co_return Draft({{"text", c.text}});
  }
};

struct Endless {
  std::string_view name() const { return "endless"; }
  Exchange compose(Task, Random) const {
    for (;;) (void)co_await ask(Prompt::plain("more"));
  }
};

struct Empty {
  std::string_view name() const { return "empty"; }
  Exchange compose(Task, Random) const { co_return Draft(); }
};

template <class S>
std::vector<RowOutcome> outcomes_of(const S& strategy, const RunOptions& options,
                                    const std::vector<Check>& checks = {}) {
  ScriptedModel model(echo);
  std::vector<RowOutcome> outcomes;
  try {
    run_rows(model, strategy, numbered(3), checks, options,
             [&](auto row) { outcomes.insert(outcomes.end(), row.begin(), row.end()); });
  } catch (const GenerationError&) {
    outcomes.push_back({});
  }
  return outcomes;
}

}  // namespace

TEST_CASE("an exception of ours ends the attempt; any other ends the run") {
  for (const auto& got :
       {outcomes_of(Throws<GenerationError>(), wanting(1)), outcomes_of(Throws<ParseError>(), wanting(1)),
        outcomes_of(Throws<SchemaError>(), wanting(1))}) {
    REQUIRE(got.size() == 3);
    CHECK(got[0].reason == "A sentence.");
    CHECK(got[1].reason == "Another sentence.");
    CHECK(got[2].accepted());
  }
  CHECK_THROWS_AS(outcomes_of(Throws<ConfigError>(), wanting(1)), ConfigError);
  CHECK_THROWS_AS(outcomes_of(Throws<Cancelled>(), wanting(1)), Cancelled);
  CHECK_THROWS_AS(outcomes_of(Throws<std::logic_error>(), wanting(1)), std::logic_error);
}

TEST_CASE("endless talk and empty rows are rejected") {
  RunOptions options = wanting(1);
  options.max_questions = 5;
  options.max_attempts = 2;
  const auto endless = outcomes_of(Endless(), options);
  REQUIRE(endless.size() == 7);  // three rows, two attempts each, and then the end
  CHECK(endless[0].provenance.questions == 5);
  CHECK(endless[0].reason == "The strategy asked more than 5 questions.");
  const auto empty = outcomes_of(Empty(), options);
  CHECK(empty[0].reason == "The strategy returned a row without any values.");
}

TEST_CASE("data that may not leave the machine meets no remote model") {
  ScriptedModel remote(echo, {.location = ModelLocation::remote});
  Schema schema;
  schema.may_leave_machine = false;
  TaskSource tasks = numbered();
  tasks.may_leave_machine = false;
  CHECK_THROWS_AS(run_rows(remote, Chatty(), tasks, {}, wanting(1), {}), PolicyError);
  const auto shared = std::make_shared<const Schema>(schema);
  const TaskSource by_schema{[&](std::uint64_t row) -> std::optional<Task> {
    Task task;
    task.row = row;
    if (row > 1) task.schema = shared;
    return task;
  }};
  CHECK_THROWS_AS(run_rows(remote, Chatty(), by_schema, {}, wanting(5), {}), PolicyError);
  CHECK(remote.asked() == 0);
}

TEST_CASE(
    "the digest of private data needs a key, and rejected drafts that no copy check passes are marked") {
  TaskSource tasks = numbered();
  tasks.may_leave_machine = false;
  const auto run = [&](const std::string& key, std::vector<Check> checks) {
    RunOptions options = wanting(3);
    options.digest_key = key;
    ScriptedModel model(echo);
    std::vector<RowOutcome> outcomes;
    run_rows(model, Chatty(), tasks, checks, options,
             [&](auto row) { outcomes.insert(outcomes.end(), row.begin(), row.end()); });
    return outcomes;
  };
  const auto keyless = run("", picky), a = run("a", picky), b = run("b", picky);
  CHECK(keyless.front().provenance.digest.empty());
  CHECK(a.front().provenance.digest.size() == 64);
  CHECK(a.front().provenance.digest != b.front().provenance.digest);
  for (const RowOutcome& o : a) CHECK(o.must_not_leave == !o.accepted());
  std::vector<Check> guarded = picky;
  guarded.push_back({"copy", [](const Task&, const Draft&) { return std::nullopt; }, true});
  for (const RowOutcome& o : run("a", guarded)) CHECK(!o.must_not_leave);
  for (const RowOutcome& o : collect(wanting(3)).outcomes) CHECK(!o.must_not_leave);  // not private
}

TEST_CASE("cancel, progress and heartbeat can stop a run; the model forgets what is under way") {
  ScriptedModel model(echo, {.at_once = 1});
  RunOptions options = wanting(20);
  options.progress = [&](const Progress& p) {
    CHECK(p.total == 20);
    if (p.done == 4) options.cancel.cancel();
  };
  std::uint64_t rows = 0;
  CHECK_THROWS_AS(run_rows(model, Chatty(), numbered(), picky, options, [&](auto) { ++rows; }), Cancelled);
  CHECK(rows >= 4);
  CHECK(model.under_way() == 0);
  RunOptions beating = wanting(20);
  beating.heartbeat = [beats = 0]() mutable {
    if (++beats == 3) throw std::runtime_error("interrupt");
  };
  CHECK_THROWS_WITH(run_rows(model, Chatty(), numbered(), picky, beating, {}), "interrupt");
  CHECK(model.under_way() == 0);
}

TEST_CASE("progress comes after every decided row, also while an earlier one holds them back") {
  ScriptedModel model(echo, {.newest_first = true, .at_once = 1});  // the first row is decided last
  RunOptions options = wanting(4);
  std::vector<std::string> notes;
  options.progress = [&](const Progress& p) { notes.push_back(message(p.done, " ", p.note)); };
  run_rows(model, Chatty(), numbered(), {}, options, {});
  REQUIRE(notes.size() == 7);
  CHECK(notes[0] == "0 later rows ready: 1");
  CHECK(notes[2] == "0 later rows ready: 3");
  CHECK(notes[6] == "4 acceptance 1.00");
}

TEST_CASE("options out of range are refused by name") {
  ScriptedModel model(echo);
  RunOptions options = wanting(0);
  CHECK_THROWS_WITH_AS(run_rows(model, Chatty(), numbered(), {}, options, {}), doctest::Contains("rows"),
                       ConfigError);
  options = wanting(1);
  options.sampling.top_p = 0;
  CHECK_THROWS_WITH_AS(run_rows(model, Chatty(), numbered(), {}, options, {}), doctest::Contains("top_p"),
                       ConfigError);
}

TEST_CASE("a row that does not fit its schema is rejected by field") {
  Schema schema;
  schema.fields = {{.name = "text", .kind = Kind::category, .categories = {"a", "b"}, .nullable = false},
                   {.name = "n", .kind = Kind::integer, .minimum = 0, .maximum = 9}};
  CHECK(!schema_misfit(schema, {{"text", "a"}, {"n", std::int64_t{9}}}));
  CHECK(schema_misfit(schema, {{"text", "a"}, {"txt", "x"}}) ==
        "The row has a field 'txt' that the schema does not know; its fields are 'text', 'n'.");
  CHECK(!schema_misfit(schema, {{"text", "b"}, {"n", Value()}}));
  CHECK(schema_misfit(schema, {{"n", std::int64_t{1}}})->find("'text'") != std::string::npos);
  CHECK(schema_misfit(schema, {{"text", "c"}})->find("'text'") != std::string::npos);
  CHECK(schema_misfit(schema, {{"text", "a"}, {"n", std::int64_t{10}}})->find("'n'") != std::string::npos);
  CHECK(schema_misfit(schema, {{"text", "a"}, {"n", "ten"}})->find("'n'") != std::string::npos);
}

TEST_CASE("outcomes become tables: rows, and all attempts with what shaped them") {
  const Collected got = collect(wanting(5));
  const Table rows = rows_table(got.outcomes);
  CHECK(rows.rows() == 5);
  CHECK(rows.column("n").kind() == Kind::integer);
  const Table attempts = attempts_table(got.outcomes);
  CHECK(attempts.rows() == got.outcomes.size());
  CHECK(attempts.column("free_tokens").integers()[0] == 6);
  CHECK(attempts.column("accepted").boolean_at(attempts.rows() - 1));
  RowOutcome bad = got.outcomes.back();
  bad.values.set("digest", "x");
  CHECK_THROWS_AS(attempts_table(std::vector<RowOutcome>{bad}), ConfigError);
  const Schema inferred =
      infer_schema(std::vector<Record>{{{"a", std::int64_t{1}}, {"b", Value()}},
                                       {{"a", 0.5}, {"b", true}, {"c", ValueList{std::int64_t{1}}}}});
  CHECK(inferred.at("a").kind == Kind::real);
  CHECK(inferred.at("b").kind == Kind::boolean);
  CHECK(inferred.at("c").item == Kind::integer);
}

TEST_CASE("the erased model and strategy give the same rows") {
  AnyCompletionModel model = ScriptedModel(echo);
  const AnyPromptStrategy strategy = Chatty();
  std::vector<RowOutcome> outcomes;
  run_rows(model, strategy, numbered(), picky, wanting(10),
           [&](auto row) { outcomes.insert(outcomes.end(), row.begin(), row.end()); });
  CHECK(outcomes == collect(wanting(10)).outcomes);
}
