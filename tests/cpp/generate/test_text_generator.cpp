#include <doctest/doctest.h>

#include "synthema/generate/any_generator.hpp"
#include "synthema/generate/checks.hpp"
#include "synthema/generate/text_generator.hpp"
#include "synthema/generate/verify.hpp"
#include "synthema/model/ngram_model.hpp"
#include "synthema/model/scripted_model.hpp"
#include "synthema/prompt/zero_shot.hpp"

using namespace synthema;

using Tiny = TextGenerator<NgramModel, ZeroShot>;
static_assert(Generator<Tiny>);
static_assert(ConditionalGenerator<Tiny>);
static_assert(!FittableGenerator<Tiny>);

namespace {

// The least type accepted as a Generator, and near misses.
struct Archetype {
  const char* name() const { return "archetype"; }
  const Schema& schema() const { return schema_; }
  Table sample(const SampleRequest&) { return {}; }
  Schema schema_;
};
struct NoSchema {
  const char* name() const;
  Table sample(const SampleRequest&);
};
struct SamplesCount {
  const char* name() const;
  const Schema& schema() const;
  Table sample(std::uint64_t rows);
};
static_assert(Generator<Archetype>);
static_assert(!Generator<NoSchema>);
static_assert(!Generator<SamplesCount>);
static_assert(!ConditionalGenerator<Archetype>);

Tiny tiny() {
  Schema schema;
  schema.fields = {{.name = "topic"}, {.name = "text", .nullable = false}};
  const std::vector<std::string> texts{"The pain was dull .", "The cough was dry .",
                                       "The pain was gone in a week ."};
  return Tiny(NgramModel(texts, 2), ZeroShot({.instruction = "About {topic}:"}), schema,
              {length_in_words(4, 20)});
}

std::shared_ptr<const Table> topics() {
  Schema schema;
  schema.fields = {{.name = "topic"}};
  return std::make_shared<const Table>(
      Table::from_records(schema, std::vector<Record>{{{"topic", "pain"}}, {{"topic", "cough"}}}));
}

std::optional<std::string> verdict(const Check& check, std::string text, Record condition = {}) {
  Task task;
  task.condition = std::move(condition);
  return check.test(task, Draft({{"text", std::move(text)}}));
}

}  // namespace

TEST_CASE("a text generator gives exactly the rows asked for, the same for the same seed") {
  Tiny generator = tiny();
  SampleRequest request;
  request.rows = 9, request.seed = 3, request.conditions = topics();
  const Table a = generator.sample(request);
  CHECK(a.rows() == 9);
  CHECK(a.column("topic").text_at(1) == "cough");
  AnyGenerator erased = tiny();
  const Table b = erased.sample(request);
  for (std::size_t row = 0; row < 9; ++row) CHECK(a.record(row) == b.record(row));
  request.seed = 4;
  bool differs = false;
  const Table c = generator.sample(request);
  for (std::size_t row = 0; row < 9; ++row) differs |= !(a.record(row) == c.record(row));
  CHECK(differs);
}

TEST_CASE("ready-made checks accept and refuse") {
  CHECK(!verdict(length_in_words(2, 3), "one two three"));
  CHECK(verdict(length_in_words(2, 3), "one"));
  CHECK(verdict(length_in_words(2, 3), "one two three four"));
  CHECK_THROWS_AS(length_in_words(3, 2), ConfigError);
  for (const char* good : {"It hurts.", "Does it?", "\"It hurts!\"", "It hurts (a lot.)", "It hurts. "})
    CHECK(!verdict(ends_with_punctuation(), good));
  for (const char* bad : {"", "It hurts", "It hurts,", "\""}) CHECK(verdict(ends_with_punctuation(), bad));
  CHECK(!verdict(one_line(), "a b"));
  CHECK(verdict(one_line(), "a\nb"));
  CHECK(!verdict(in_language(), "She had a headache for three days and it was getting worse."));
  CHECK(verdict(in_language(), "Sie hatte seit drei Tagen Kopfschmerzen."));
  CHECK(verdict(in_language(), "\xD0\xA5\xD0\xBE\xD1\x80\xD0\xBE\xD1\x88\xD0\xBE the of and"));
  CHECK(verdict(in_language(), ""));
  CHECK_THROWS_AS(in_language("de"), ConfigError);
  CHECK(verdict(banned_words({"Dry cough"}), "A DRY, cough."));
  CHECK(!verdict(banned_words({"Dry cough"}), "A dryer cough."));
  for (const char* signs : {"", "...", " ?!"})
    CHECK_THROWS_WITH_AS((void)banned_words({"cough", signs}), doctest::Contains("has no words"),
                         ConfigError);
  CHECK(verdict(length_in_words(0, 9, "note"), "no such field"));
}

TEST_CASE("copies of exemplars are found by runs of words, never across two exemplars") {
  Schema schema;
  schema.fields = {{.name = "text"}};
  const auto pool = std::make_shared<const Table>(Table::from_records(
      schema, std::vector<Record>{{{"text", "He fell on the stairs."}}, {{"text", "Pain since then."}}}));
  const Check check = no_exemplar_copy(pool, 4);
  CHECK(check.guards_exemplars);
  CHECK(verdict(check, "Then HE fell, on the floor."));
  CHECK(!verdict(check, "He fell off the stairs."));
  CHECK(!verdict(check, "the stairs pain since"));
  CHECK_THROWS_AS(no_exemplar_copy(nullptr, 4), ConfigError);
  CHECK_THROWS_AS(no_exemplar_copy(pool, 0), ConfigError);
}

TEST_CASE("a concept is recovered by retrieval, and an unknown label is a mistake") {
  Schema schema;
  schema.fields = {{.name = "id"}, {.name = "name"}, {.name = "synonyms", .kind = Kind::list}};
  const auto terms = std::make_shared<const Table>(Table::from_records(
      schema,
      std::vector<Record>{{{"id", "1"}, {"name", "Headache"}, {"synonyms", ValueList{"Cephalgia"}}},
                          {{"id", "2"}, {"name", "Cough"}, {"synonyms", ValueList{}}},
                          {{"id", "3"}, {"name", "Chest pain"}, {"synonyms", ValueList{"Sore chest"}}}}));
  const Check check = concept_recovered(terms, 1);
  CHECK(!verdict(check, "My cephalgia is bad.", {{"label", "1"}}));
  CHECK(verdict(check, "My cephalgia is bad.", {{"label", "2"}}));
  CHECK(!verdict(check, "A sore chest and a cough.", {{"label", "3"}}));
  CHECK(verdict(check, "A sore chest and a cough.", {{"label", "2"}}));
  CHECK(!verdict(concept_recovered(terms, 2), "A sore chest and a cough.", {{"label", "2"}}));
  CHECK_THROWS_AS(verdict(check, "x", {{"label", "4"}}), ConfigError);
}
