#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/diversity.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

TEST_CASE("distinct-n over all texts together") {
  const Table table = text_table({"a a b", "b c"});
  CHECK(DistinctN(1).evaluate(nullptr, table, {}).value == Approx(3.0 / 5));
  CHECK(DistinctN(2).evaluate(nullptr, table, {}).value == 1);  // aa ab bc: none crosses two texts
  CHECK(DistinctN(3).evaluate(nullptr, table, {}).value == 1);  // aab alone
  CHECK(DistinctN(4).evaluate(nullptr, table, {}).undefined == "No text has 4 words or more.");
  CHECK(DistinctN(2).name() == "distinct_2");
  CHECK_THROWS_AS(DistinctN(0), ConfigError);
  CHECK_THROWS_AS(DistinctN(10), ConfigError);
  CHECK(nonconformities(DistinctN(2), nullptr, table, {}).empty());
}

TEST_CASE("type-token ratio by text, and the vocabulary of all") {
  const Table table = text_table({"a a b", "B c", "..."});
  const Score ratio = TypeTokenRatio().evaluate(nullptr, table, {});
  CHECK(ratio.value == Approx((2.0 / 3 + 1) / 2));  // the text without words has no ratio
  CHECK(VocabularySize().evaluate(nullptr, table, {}).value == 3);
  CHECK(nonconformities(TypeTokenRatio(), nullptr, table, {}).empty());
  CHECK(nonconformities(VocabularySize(), nullptr, table, {}).empty());
}

TEST_CASE("a vocabulary has no interval, because none covers what it says") {
  std::vector<std::string> texts{"same", "same"};
  for (char c = 'a'; c < 'i'; ++c) texts.push_back(std::string(1, c));
  const Score score = VocabularySize().evaluate(nullptr, text_table(texts), {});
  CHECK(score.value == 9);
  CHECK_FALSE(score.interval);
  CHECK(score.no_interval.find("jackknife") != std::string::npos);
}

TEST_CASE("equal amounts of real text stand beside") {
  const Table table = text_table({"a b", "c d"}), real = text_table({"x", "x", "x"});
  CHECK(part_of(DistinctN(1).evaluate(&real, table, {}), "real text, same number of rows") == 0.5);
  CHECK(part_of(VocabularySize().evaluate(&real, table, {}), "real text, same number of rows") == 1);
}
