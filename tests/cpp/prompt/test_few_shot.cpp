#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "synthema/prompt/few_shot.hpp"
#include "synthema/prompt/zero_shot.hpp"

using namespace synthema;

namespace {

std::shared_ptr<const Table> pool() {
  Schema schema;
  schema.fields = {{.name = "label"}, {.name = "text"}};
  std::vector<Record> records;
  for (const auto& [label, text] :
       std::vector<std::pair<const char*, const char*>>{{"back pain", "My back hurts."},
                                                        {"dry cough", "I cough."},
                                                        {"chest pain", "My chest hurts."},
                                                        {"fever", "I am hot."},
                                                        {"dry cough", "It is a dry one."}})
    records.push_back({{"label", label}, {"text", text}});
  return std::make_shared<const Table>(Table::from_records(schema, records));
}

Task task_of(const char* label) {
  Task task;
  task.condition = {{"label", label}};
  task.exemplars = pool();
  return task;
}

FewShotOptions options_of(ExemplarChoice choice, std::size_t k) {
  return {.query = "Symptom: {label}\nPatient:", .k = k, .choice = choice};
}

}  // namespace

TEST_CASE("random choice shows k different exemplars, by the stream it is given") {
  const FewShot strategy(options_of(ExemplarChoice::random, 3));
  std::set<std::vector<std::uint64_t>> seen;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto chosen = strategy.choose(task_of("fever"), Random(seed));
    CHECK(chosen == strategy.choose(task_of("fever"), Random(seed)));
    CHECK(std::set(chosen.begin(), chosen.end()).size() == 3);
    seen.insert(chosen);
  }
  CHECK(seen.size() > 10);
  CHECK(FewShot(options_of(ExemplarChoice::random, 50)).choose(task_of("fever"), Random(1)).size() == 5);
}

TEST_CASE("choice by label puts the same label first; by similarity the nearest") {
  const FewShot by_label(options_of(ExemplarChoice::by_label, 3));
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    auto chosen = by_label.choose(task_of("dry cough"), Random(seed));
    std::sort(chosen.begin(), chosen.begin() + 2);
    CHECK(chosen[0] == 1);
    CHECK(chosen[1] == 4);
  }
  const FewShot similar(options_of(ExemplarChoice::by_similarity, 1));
  CHECK(similar.choose(task_of("pain in the chest"), Random(1)) == std::vector<std::uint64_t>{2});
  CHECK(similar.choose(task_of("a fever"), Random(1)) == std::vector<std::uint64_t>{3});
}

TEST_CASE("the plain prompt is exemplars and an open question; the draft names what was shown") {
  FewShotOptions options = options_of(ExemplarChoice::by_similarity, 2);
  options.instruction = "Sentences of patients with {label}.";
  const FewShot strategy(options);
  Exchange e = strategy.compose(task_of("chest pain"), Random(1));
  e.start();
  CHECK(e.questions()[0].text ==
        "Sentences of patients with chest pain.\n\nSymptom: back pain\nPatient: My back hurts.\n\n"
        "Symptom: chest pain\nPatient: My chest hurts.\n\nSymptom: chest pain\nPatient:");
  CHECK(e.questions()[0].stop == std::vector<std::string>{"\n"});
  Completion c;
  c.text = " It stings.";
  e.answer({c});
  CHECK(e.take() == Draft({{"label", "chest pain"}, {"text", "It stings."}}, {0, 2}));
}

TEST_CASE("the chat form has a turn of both for each exemplar") {
  FewShotOptions options = options_of(ExemplarChoice::by_similarity, 1);
  options.chat = true, options.instruction = "Be brief.";
  const Prompt prompt = FewShot(options).prompt(task_of("fever"), {3});
  REQUIRE(prompt.messages.size() == 4);
  CHECK(prompt.messages[0].role == "system");
  CHECK(prompt.messages[2] == Message("assistant", "I am hot."));
  CHECK(prompt.messages[3] == Message("user", "Symptom: fever\nPatient:"));
}

TEST_CASE("a budget leaves out the worst exemplars, and a question that does not fit is refused") {
  FewShotOptions options = options_of(ExemplarChoice::by_similarity, 5);
  options.count_tokens = [](std::string_view text) { return text.size(); };
  const auto shown = [&](std::size_t budget) {
    options.budget = budget;
    const FewShot strategy(options);  // must outlive its exchanges
    Exchange e = strategy.compose(task_of("chest pain"), Random(1));
    e.start();
    CHECK(e.questions()[0].text.size() <= budget);
    e.answer({Completion()});
    return e.take().exemplars;
  };
  CHECK(shown(1000).size() == 5);
  CHECK(shown(90) == std::vector<std::uint64_t>{2});
  CHECK(shown(40).empty());
  options.budget = 5;
  const FewShot strategy(options);
  Exchange e = strategy.compose(task_of("chest pain"), Random(1));
  CHECK_THROWS_AS(e.start(), GenerationError);
}

TEST_CASE("options that make no sense, and a missing pool, are refused") {
  CHECK_THROWS_AS(FewShot(FewShotOptions{}), ConfigError);
  CHECK_THROWS_AS(FewShot(options_of(ExemplarChoice::random, 0)), ConfigError);
  CHECK_THROWS_AS(FewShot({.query = "{text}"}), ConfigError);
  CHECK_THROWS_WITH_AS(FewShot({.query = "Q", .stop = {"\n", ""}}), doctest::Contains("stop text is empty"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(ZeroShot({.instruction = "Q", .stop = {""}}), doctest::Contains("stop text is empty"),
                       ConfigError);
  FewShotOptions budget = options_of(ExemplarChoice::random, 1);
  budget.budget = 10;
  CHECK_THROWS_AS(FewShot{budget}, ConfigError);
  Task task = task_of("fever");
  task.exemplars.reset();
  const FewShot strategy(options_of(ExemplarChoice::random, 1));
  Exchange e = strategy.compose(task, Random(1));
  CHECK_THROWS_AS(e.start(), ConfigError);
}

TEST_CASE("an exemplar without a text is not shown") {
  Task task = task_of("dry cough");
  std::vector<Record> records;
  for (std::size_t row = 0; row < 5; ++row) {
    records.push_back(task.exemplars->record(row));
    if (row < 2) records.back().set("text", Value());
  }
  task.exemplars = std::make_shared<const Table>(Table::from_records(task.exemplars->schema(), records));
  for (const ExemplarChoice choice :
       {ExemplarChoice::random, ExemplarChoice::by_label, ExemplarChoice::by_similarity}) {
    const FewShot strategy(options_of(choice, 3));
    std::vector<std::uint64_t> shown = strategy.choose(task, Random(1));
    if (choice != ExemplarChoice::random) CHECK(shown.front() == 4);
    std::ranges::sort(shown);
    CHECK(shown == std::vector<std::uint64_t>{2, 3, 4});
  }
  for (Record& record : records) record.set("text", Value());
  task.exemplars = std::make_shared<const Table>(Table::from_records(task.exemplars->schema(), records));
  CHECK_THROWS_WITH_AS((void)FewShot(options_of(ExemplarChoice::random, 1)).choose(task, Random(1)),
                       doctest::Contains("No exemplar has a text"), ConfigError);
}

TEST_CASE("fields that the condition or the pool lacks are named, and end a run") {
  const auto refused = [](const FewShotOptions& options, const Task& task, const char* what) {
    const FewShot strategy(options);
    Exchange e = strategy.compose(task, Random(1));
    CHECK_THROWS_WITH_AS(e.start(), doctest::Contains(what), ConfigError);
  };
  FewShotOptions options = options_of(ExemplarChoice::by_label, 1);
  options.label_field = "lable";
  refused(options, task_of("fever"), "field 'lable': The choice of exemplars by label asks for this field");
  Task task = task_of("fever");
  task.condition.set("lable", "fever");
  refused(options, task, "field 'lable'");
  options = options_of(ExemplarChoice::random, 1);
  options.field = "note";
  refused(options, task_of("fever"), "field 'note': The strategy asks for this field");
}
