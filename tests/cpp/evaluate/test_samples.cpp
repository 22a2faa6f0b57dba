#include <doctest/doctest.h>

#include "synthema/evaluate/samples.hpp"
#include "tables.hpp"

using namespace synthema;

TEST_CASE("rows without a text are left out and counted") {
  const Table table = Table::from_records(
      {.fields = {{.name = "text"}, {.name = "label", .kind = Kind::category, .roles = {Role::label}}}},
      std::vector<Record>{{{"text", "My Head hurts."}, {"label", "A"}}, {{"label", "B"}}, {{"text", ""}}});
  Score score;
  const TextSample sample = text_sample(table, {}, score);
  CHECK(sample.texts == std::vector<std::string>{"My Head hurts.", ""});
  CHECK(sample.words[0] == std::vector<std::string>{"my", "head", "hurts"});
  CHECK(sample.labels == std::vector<std::string>{"A", ""});
  CHECK(sample.units.count == 2);
  CHECK(score.warnings == std::vector<std::string>{"Left out: 1 of 3 rows without text."});
}

TEST_CASE("which column is judged, and which holds labels") {
  const Table table = labelled_table({{"a", "A"}});
  EvaluationContext context;
  Score score;
  CHECK(label_column_of(table, context) == "label");
  CHECK(label_column_of(text_table({"a"}), context).empty());
  context.label_column = "diagnosis";
  CHECK_THROWS_AS(label_column_of(table, context), EvaluationError);
  context.text_column = "note";
  CHECK_THROWS_AS(text_sample(table, context, score), EvaluationError);
  CHECK_THROWS_AS(text_column(column_table(Kind::real, {1.5}), "x"), EvaluationError);
  CHECK_FALSE(text_sample_if_any(nullptr, context));
  CHECK_FALSE(text_sample_if_any(&table, context));  // another table may lack the column
  context.text_column = "text";
  CHECK(text_sample_if_any(&table, context)->size() == 1);  // and the label
}

TEST_CASE("a term list") {
  const TermList terms(
      *term_table({{"T1", "Headache", {"cephalgia"}, "Pain in the head."}, {"T2", "Fever"}}));
  CHECK(terms.terms()[0].names() == std::vector<std::string>{"Headache", "cephalgia"});
  CHECK(terms.terms()[0].document() == "Headache. cephalgia. Pain in the head.");
  CHECK(terms.find("T2") == 1);
  CHECK_FALSE(terms.find("T3"));
  CHECK_THROWS_AS(TermList(text_table({"a"})), EvaluationError);
}

TEST_CASE("the real part stands on as many rows as were judged") {
  const auto words = [](const TextSample& sample) { return std::optional(double(sample.size())); };
  Score score;
  const Table real = text_table({"a", "b", "c"});
  add_real_part(score, &real, {}, 4, words);
  add_real_part(score, nullptr, {}, 1, words);
  CHECK(score.parts.empty());  // too few real rows, or none
  add_real_part(score, &real, {}, 2, words);
  CHECK(part_of(score, "real text, same number of rows") == 2);
}
