#include <doctest/doctest.h>

#include <algorithm>
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

TEST_CASE("few duplicates, or few others: Wilson over pairs of texts") {
  const Score all = NearDuplicates().evaluate(nullptr, text_table(std::vector<std::string>(12, "a b c")), {});
  CHECK(all.value == 1);
  CHECK(all.interval->low == Approx(wilson(6, 6).low));
  const Score score = NearDuplicates().evaluate(nullptr, text_table({"a b c", "d e f"}), {});
  CHECK(score.value == 0);
  CHECK(score.interval->high == Approx(wilson(0, 1).high));
}

TEST_CASE("the jackknife leaves out units, and what hangs on pairs counts once") {
  // Twenty texts, ten of them in pairs: without one of a pair there are eight among 19, without another ten.
  std::vector<std::string> texts;
  for (char c = 'a'; c < 'f'; ++c) texts.insert(texts.end(), 2, std::string("same words ") + c);
  for (char c = 'k'; c < 'u'; ++c) texts.push_back(std::string(3, c));
  const Score score = NearDuplicates().evaluate(nullptr, text_table(texts), {});
  CHECK(score.value == 0.5);
  const double mean = 0.5 * 8 / 19 + 0.5 * 10 / 19;
  const double squares =
      10 * (8.0 / 19 - mean) * (8.0 / 19 - mean) + 10 * (10.0 / 19 - mean) * (10.0 / 19 - mean);
  // The second difference of a pair is 2: five times 4 / (20 * 19), but at most half of the variance.
  const double jackknife = 19.0 / 20 * squares, variance = std::max(jackknife - 20.0 / 380, jackknife / 2);
  CHECK(score.interval->high == Approx(0.5 + 1.959963984540054 * std::sqrt(variance)));
  CHECK(score.interval->method == "delete-one jackknife over 20 rows, second order taken off, normal");
}

TEST_CASE("intervals of duplicates that come in pairs cover what they say") {
  // 80 texts drawn from so many: pairs by chance, the share's spread is that of their number.
  for (const std::uint64_t different : {300, 800, 3000}) {
    int exact = 0, near = 0, repeats = 300;
    double mean_exact = 0, mean_near = 0;
    std::vector<Interval> of_exact, of_near;
    for (int r = 0; r < repeats; ++r) {
      Random random = Random(3).stream(static_cast<std::uint64_t>(r));
      std::vector<std::string> texts;
      for (int i = 0; i < 80; ++i)
        texts.push_back("text " + std::to_string(random.below(different)) + " of many");
      const Table table = text_table(texts);
      const Score one = ExactDuplicates().evaluate(nullptr, table, {});
      const Score other = NearDuplicates(1).evaluate(nullptr, table, {});
      mean_exact += *one.value / repeats, mean_near += *other.value / repeats;
      of_exact.push_back(*one.interval), of_near.push_back(*other.interval);
    }
    for (const Interval& i : of_exact) exact += i.low <= mean_exact && mean_exact <= i.high;
    for (const Interval& i : of_near) near += i.low <= mean_near && mean_near <= i.high;
    INFO(different << ": covered " << exact << " and " << near << " of " << repeats);
    CHECK(std::min(exact, near) >= 0.92 * repeats);
    if (different == 300) CHECK(std::max(exact, near) <= 0.985 * repeats);
  }
}

TEST_CASE("nothing to compare, and thresholds that make no sense") {
  CHECK_FALSE(near(0.7, {"...", ""}));
  CHECK_THROWS_AS(NearDuplicates(0), ConfigError);
  CHECK_THROWS_AS(NearDuplicates(1.1), ConfigError);
}
