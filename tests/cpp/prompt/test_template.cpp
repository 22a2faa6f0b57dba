#include <doctest/doctest.h>

#include "synthema/core/error.hpp"
#include "synthema/prompt/label_conditioned.hpp"
#include "synthema/prompt/template.hpp"
#include "synthema/prompt/zero_shot.hpp"

using namespace synthema;

TEST_CASE("placeholders are filled and doubled braces stand for themselves") {
  const TextTemplate t("{{\"age\": {age}, \"name\": \"{name}\"}}", "instruction");
  CHECK(t.render({{"age", std::int64_t{45}}, {"name", "Ann {x}"}}) == "{\"age\": 45, \"name\": \"Ann {x}\"}");
  CHECK(t.fields() == std::vector<std::string>{"age", "name"});
  CHECK(TextTemplate("").render({}).empty());
  CHECK(TextTemplate().empty());
}

TEST_CASE("a broken template is refused where it is broken") {
  CHECK_THROWS_WITH_AS(TextTemplate("ab{c", "head"), doctest::Contains("column 3"), ConfigError);
  CHECK_THROWS_WITH_AS(TextTemplate("a}b", "head"), doctest::Contains("column 2"), ConfigError);
  CHECK_THROWS_AS(TextTemplate("{}"), ConfigError);
  CHECK_THROWS_AS(TextTemplate("{a{b}"), ConfigError);
}

TEST_CASE("an unknown placeholder names itself and what there is") {
  const TextTemplate t("{agee}", "instruction");
  const Record record{{"age", std::int64_t{45}}};
  CHECK_THROWS_WITH_AS(t.render(record), doctest::Contains("'agee'"), ConfigError);
  CHECK_THROWS_WITH_AS(t.render(record), doctest::Contains("'age'"), ConfigError);
}

namespace {

Prompt first_question(Exchange& e) {
  e.start();
  REQUIRE(e.questions().size() == 1);
  return e.questions()[0];
}

Completion completed(std::string t) {
  Completion c;
  c.text = std::move(t);
  return c;
}

}  // namespace

TEST_CASE("zero-shot asks once and returns the condition with the answer") {
  const ZeroShot strategy(
      {.instruction = "Write about {what}.", .system = "You are {who}.", .field = "note"});
  Task task;
  task.condition = {{"what", "pain"}, {"who", "a nurse"}};
  Exchange e = strategy.compose(task, Random(1));
  const Prompt prompt = first_question(e);
  REQUIRE(prompt.messages.size() == 2);
  CHECK(prompt.messages[0] == Message("system", "You are a nurse."));
  CHECK(prompt.messages[1] == Message("user", "Write about pain."));
  CHECK(prompt.is_plain() == false);
  e.answer({completed("  It hurts.\n")});
  CHECK(e.take().values == Record{{"what", "pain"}, {"who", "a nurse"}, {"note", "It hurts."}});
}

TEST_CASE("zero-shot in plain form carries stops and sampling, and refuses what makes no sense") {
  Sampling greedy;
  greedy.temperature = 0;
  const ZeroShot strategy({.instruction = "A {x}:", .chat = false, .stop = {"\n"}, .sampling = greedy});
  Task task;
  task.condition = {{"x", "b"}};
  Exchange e = strategy.compose(task, Random(1));
  const Prompt prompt = first_question(e);
  CHECK(prompt.is_plain());
  CHECK(prompt.text == "A b:");
  CHECK(prompt.stop == std::vector<std::string>{"\n"});
  CHECK(prompt.sampling == greedy);
  CHECK_THROWS_AS(ZeroShot({.instruction = ""}), ConfigError);
  CHECK_THROWS_AS(ZeroShot({.instruction = "a", .system = "b", .chat = false}), ConfigError);
}

TEST_CASE("a label is explained with its name, synonyms and definition") {
  Schema schema;
  schema.fields = {
      {.name = "id"}, {.name = "name"}, {.name = "synonyms", .kind = Kind::list}, {.name = "definition"}};
  const std::vector<Record> terms{
      {{"id", "HP:1"},
       {"name", "Migraine"},
       {"synonyms", ValueList{"Megrim", "Hemicrania"}},
       {"definition", "A headache."}},
      {{"id", "HP:2"}, {"name", "Ataxia"}, {"synonyms", ValueList{}}, {"definition", Value()}}};
  const auto table = std::make_shared<const Table>(Table::from_records(schema, terms));
  LabelConditionedOptions options;
  options.prompt.instruction = "{label_id} {label_name} ({label_synonyms}): {label_definition} Age {age}.";
  const LabelConditioned strategy(options, table);
  Task task;
  task.condition = {{"label", "HP:1"}, {"age", std::int64_t{3}}};
  Exchange e = strategy.compose(task, Random(1));
  CHECK(first_question(e).messages[0].text == "HP:1 Migraine (Megrim, Hemicrania): A headache. Age 3.");
  e.answer({completed("Ow.")});
  CHECK(e.take().values == Record{{"label", "HP:1"}, {"age", std::int64_t{3}}, {"text", "Ow."}});
  task.condition.set("label", "HP:2");
  Exchange second = strategy.compose(task, Random(1));
  CHECK(first_question(second).messages[0].text == "HP:2 Ataxia ():  Age 3.");
  task.condition.set("label", "HP:3");
  Exchange unknown = strategy.compose(task, Random(1));
  CHECK_THROWS_AS(unknown.start(), ConfigError);
  CHECK_THROWS_AS(LabelConditioned(options, nullptr), ConfigError);
  const auto twice =
      std::make_shared<const Table>(Table::from_records(schema, std::vector<Record>{terms[0], terms[0]}));
  CHECK_THROWS_WITH_AS(LabelConditioned(options, twice), doctest::Contains("twice"), ConfigError);
}
