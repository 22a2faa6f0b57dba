#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/content.hpp"
#include "synthema/evaluate/text/meteor.hpp"
#include "synthema/evaluate/text/reference_overlap.hpp"
#include "synthema/text/tokens.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

TEST_CASE("divergence of words by hand, both ways") {
  const Table real = text_table({"a a b"}), synthetic = text_table({"a c"});
  // With 0.5 added to a, b, c: real 2.5 1.5 0.5 of 4.5, synthetic 1.5 0.5 1.5 of 3.5.
  const double r[] = {2.5 / 4.5, 1.5 / 4.5, 0.5 / 4.5}, s[] = {1.5 / 3.5, 0.5 / 3.5, 1.5 / 3.5};
  double forth = 0, back = 0;
  for (int i = 0; i < 3; ++i) forth += s[i] * std::log(s[i] / r[i]), back += r[i] * std::log(r[i] / s[i]);
  const Score score = WordDivergence().evaluate(&real, synthetic, {});
  CHECK(*score.value == Approx(forth));
  CHECK(score.parts.front().name == "c");
  CHECK(*WordDivergence(true).evaluate(&real, synthetic, {}).value == Approx(back));
  CHECK(WordDivergence().evaluate(&real, real, {}).value == Approx(0));
}

TEST_CASE("shares of labels") {
  const Table real = labelled_table({{"x", "A"}, {"x", "A"}, {"x", "B"}, {"x", "B"}});
  const Table synthetic = labelled_table({{"x", "A"}, {"x", "C"}});
  const Score score = LabelDistribution().evaluate(&real, synthetic, {});
  CHECK(score.value == 0.5);
  CHECK(part_of(score, "C") == 0.5);
}

TEST_CASE("words and labels of few people count, and no part names them") {
  std::vector<std::pair<std::string, std::string>> records;
  for (int i = 0; i < 6; ++i) records.push_back({"the same fever", "common"});
  records.push_back({"kowalski kowalski kowalski kowalski kowalski kowalski the", "rare"});
  const Table real = labelled_table(records), synthetic = labelled_table({{"the cough kowalski", "rare"}});
  for (const bool of_real : {false, true}) {
    const Score score = WordDivergence(of_real).evaluate(&real, synthetic, {});
    CHECK_FALSE(score.parts.empty());
    for (const ScorePart& part : score.parts) CHECK(part.name != "kowalski");
  }
  const Score score = LabelDistribution().evaluate(&real, synthetic, {});
  CHECK(*score.value == Approx(1.0 / 7));
  CHECK(*part_of(score, "common") == Approx(-6.0 / 7));
  CHECK(*part_of(score, "labels of fewer than 5 in the real rows") == Approx(6.0 / 7));
  CHECK(score.parts.size() == 2);
}

TEST_CASE("terms are found as whole words, of those that real texts say") {
  EvaluationContext context;
  context.terms = term_table({{"T1", "Headache", {"head pain"}}, {"T2", "Fever"}, {"T3", "Cough"}});
  const Table synthetic = text_table({"I have head pain", "no fevers"}),
              real = text_table({"headache", "a cough"});
  CHECK(*ConceptCoverage().evaluate(nullptr, synthetic, context).value == Approx(1.0 / 3));
  const Score score = ConceptCoverage().evaluate(&real, synthetic, context);
  CHECK(score.value == 0.5);
  const std::string few = "terms of fewer than 5 in the real rows";
  CHECK_FALSE(part_of(score, "Cough"));  // one person's
  CHECK(std::ranges::find(score.parts, few, &ScorePart::name)->n == 1);
  const Table many = text_table(std::vector<std::string>(5, "a cough"));
  const Score of_many = ConceptCoverage().evaluate(&many, synthetic, context);
  CHECK(part_of(of_many, "Cough") == 0.0);
  CHECK_FALSE(part_of(of_many, few));
  CHECK(ConceptCoverage().evaluate(nullptr, synthetic, {}).undefined == "No term list was given.");
}

TEST_CASE("tags that nest, and what are none") {
  const Table table = text_table({"<drug>aspirin</drug> <br/> ok", "<a><b></a></b>", "<a>open", "</a>",
                                  "bp < 5 and > 3", "<dose unit=\"mg\">5</dose>", "plain"});
  const Score score = TagForm().evaluate(nullptr, table, {});
  CHECK(*score.value == Approx(2.0 / 5));
  CHECK(part_of(score, "a") == 2.0);
  CHECK_FALSE(TagForm().evaluate(nullptr, text_table({"plain"}), {}).value);
}

TEST_CASE("METEOR by hand") {
  // All three match in one chunk: F 1, penalty 0.5 / 27.
  CHECK(meteor(words("the cat sat"), words("the cat sat")) == Approx(1 - 0.5 / 27));
  // "cats" by its stem, in two chunks (1, and 3 after the gap): P 2/3... of "the cats sat" and "the old cat".
  const double p = 2.0 / 3, r = 2.0 / 3, f = p * r / (0.9 * p + 0.1 * r);
  CHECK(meteor(words("the cats sat"), words("the old cat")) == Approx(f * (1 - 0.5 * 1)));
  CHECK(meteor(words("a"), words("b")) == 0);
  CHECK(meteor({}, words("b")) == 0);
}

TEST_CASE("METEOR of nltk, with a WordNet that knows no synonyms") {
  const struct {
    const char *text, *reference;
    double value;
  } pairs[] = {
      {"the patient denies chest pains but reports dyspnea on mild exertion and the pain",
       "the patient denied any chest pain and reports the mild dyspnea with exertions", 0.6097407103652764},
      {"my head hurts since three days", "since three days my head hurts badly", 0.8534621578099838},
      {"fever fever and fevers", "fevers and a fever", 0.375},
      {"pain", "painful days of pain", 0.13513513513513511}};
  for (const auto& pair : pairs)
    CHECK(meteor(words(pair.text), words(pair.reference)) == Approx(pair.value).epsilon(1e-12));
}

TEST_CASE("promises of content measures are kept") {
  EvaluationContext context;
  context.terms = term_table({{"T1", "Headache"}, {"T2", "Fever"}});
  const Table real = labelled_table({{"<a>my headache</a>", "A"}, {"fever", "B"}}),
              synthetic =
                  labelled_table({{"<a>headache", "A"}, {"a <b>cough</b>", "B"}, {"fever again", "B"}});
  const auto broken = [&](const auto& e) { return nonconformities(e, &real, synthetic, context); };
  const std::vector<std::string> none;
  CHECK(broken(WordDivergence()) == none);
  CHECK(broken(WordDivergence(true)) == none);
  CHECK(broken(LabelDistribution()) == none);
  CHECK(broken(ConceptCoverage()) == none);
  CHECK(broken(TagForm()) == none);
  CHECK(broken(Meteor("label")) == none);
}
