#include <doctest/doctest.h>

#include <cmath>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/resampling.hpp"
#include "synthema/evaluate/text/duplicates.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

std::optional<double> near(double threshold, const std::vector<std::string>& texts) {
  return NearDuplicates(threshold).evaluate(nullptr, text_table(texts), {}).value;
}

}  // namespace

TEST_CASE("exact duplicates are compared as words") {
  const Table table = text_table({"My head hurts.", "my HEAD hurts", "My foot hurts.", "..."});
  const Score score = ExactDuplicates().evaluate(nullptr, table, {});
  CHECK(score.value == Approx(1.0 / 3));  // two different texts of three
  CHECK(score.n == 3);
  CHECK(score.warnings.size() == 1);  // a text without words
  CHECK(nonconformities(ExactDuplicates(), nullptr, table, {}).empty());
  const Table real = text_table({"a", "a", "a"});
  CHECK(part_of(ExactDuplicates().evaluate(&real, table, {}), "real text, same number of rows") ==
        Approx(2.0 / 3));
}

TEST_CASE("near duplicates share word 3-grams") {
  // {abc, bcd} and {abc, bcd, cde}: Jaccard 2/3. A pair exactly at the threshold counts.
  const std::vector<std::string> texts{"a b c d", "a b c d e", "v w x y z"};
  CHECK(near(2.0 / 3, texts) == Approx(2.0 / 3));
  CHECK(near(0.67, texts) == 0.0);
  CHECK(near(1, {"a b c", "A, b: c!", "a b"}) == Approx(2.0 / 3));
  CHECK(near(1, {"a b", "a b", "b a"}) == Approx(2.0 / 3));  // short texts are one shingle
  CHECK(nonconformities(NearDuplicates(), nullptr, text_table(texts), {}).empty());
}

TEST_CASE("all or none: Wilson, since a jackknife has no width") {
  const Score all = NearDuplicates().evaluate(nullptr, text_table(std::vector<std::string>(12, "a b c")), {});
  CHECK(all.value == 1);
  CHECK(all.interval->low == Approx(wilson(12, 12).low));
  const Score score = NearDuplicates().evaluate(nullptr, text_table({"a b c", "d e f"}), {});
  CHECK(score.value == 0);
  CHECK(score.interval->high == Approx(wilson(0, 2).high));
}

TEST_CASE("the jackknife leaves out units") {
  // Ten texts, two of them alike: without one of the pair there is none among nine, without another two of
  // nine. Mean (2 * 0 + 8 * 2/9) / 10.
  std::vector<std::string> texts{"same words here", "same words here"};
  for (char c = 'a'; c < 'i'; ++c) texts.push_back(std::string(3, c));
  const Score score = NearDuplicates().evaluate(nullptr, text_table(texts), {});
  CHECK(score.value == 0.2);
  const double mean = 0.8 * 2 / 9, squares = 2 * mean * mean + 8 * (2.0 / 9 - mean) * (2.0 / 9 - mean);
  CHECK(score.interval->high == Approx(0.2 + 1.959963984540054 * std::sqrt(0.9 * squares)));
}

TEST_CASE("nothing to compare, and thresholds that make no sense") {
  CHECK_FALSE(near(0.7, {"...", ""}));
  CHECK_THROWS_AS(NearDuplicates(0), ConfigError);
  CHECK_THROWS_AS(NearDuplicates(1.1), ConfigError);
}
