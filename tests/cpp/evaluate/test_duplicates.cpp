#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "src/evaluate/shingles.hpp"
#include "synthema/core/random.hpp"
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

namespace {

// By comparing all pairs.
double marked(double threshold, const std::vector<std::string>& texts) {
  std::vector<std::set<std::string>> sets;
  for (const std::string& text : texts) {
    std::istringstream in(text);
    std::vector<std::string> of;
    for (std::string word; in >> word;) of.push_back(word);
    std::set<std::string>& set = sets.emplace_back();
    const std::size_t shingles = of.size() < 3 ? 1 : of.size() - 2;
    for (std::size_t i = 0; i < shingles; ++i) {
      std::string shingle;
      for (std::size_t k = i; k < std::min(i + 3, of.size()); ++k) shingle += of[k] + " ";
      set.insert(shingle);
    }
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < sets.size(); ++i)
    count += std::any_of(sets.begin(), sets.end(), [&](const auto& other) {
      if (&other == &sets[i]) return false;
      std::size_t common = 0;
      for (const std::string& one : sets[i]) common += other.count(one);
      return static_cast<double>(common) >=
             threshold * static_cast<double>(sets[i].size() + other.size() - common) - 1e-12;
    });
  return static_cast<double>(count) / static_cast<double>(sets.size());
}

}  // namespace

TEST_CASE("near duplicates are those of comparing all pairs: lengths, templates and few words") {
  Random random(7);
  const auto word = [&](std::size_t words) { return std::string("w") + std::to_string(random.below(words)); };
  for (std::size_t trial = 0; trial < 60; ++trial) {
    const std::size_t words = trial % 3 == 0 ? 3 : 400, length = trial % 4 == 0 ? 4 : 60;
    std::vector<std::vector<std::string>> drawn;
    std::vector<std::string> texts, form;
    for (std::size_t i = 0; i < 10; ++i) form.push_back(word(words));
    for (std::size_t i = 0; i < 40; ++i) {
      std::vector<std::string> text;
      if (trial % 2 == 0) text = form;  // what all of them begin with
      for (std::size_t k = 1 + random.below(length); k > 0; --k) text.push_back(word(words));
      if (i > 5 && random.uniform() < 0.6) {  // another one with some words changed, lost or put behind
        text = drawn[random.below(drawn.size())];
        const double changed = 0.3 * random.uniform();
        for (std::string& one : text)
          if (random.uniform() < changed) one = word(words);
        if (random.uniform() < 0.5) text.resize(1 + random.below(text.size()));
        if (random.uniform() < 0.5) text.insert(text.end(), random.below(10), word(words));
      }
      std::string& joined = texts.emplace_back();
      for (const std::string& one : text) joined += one + " ";
      drawn.push_back(std::move(text));
    }
    for (const double threshold : {0.1, 0.3, 0.5, 2.0 / 3, 0.7, 0.9, 1.0}) {
      CAPTURE(trial);
      CAPTURE(threshold);
      CHECK(near(threshold, texts) == Approx(marked(threshold, texts)));
    }
  }
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

TEST_CASE("shingles of more words than fit side by side are as alike as those of few") {
  std::vector<std::string> texts{"", "a", "a b", "a b", "b a"};
  Random random(3);
  for (std::size_t i = 0; i < 40; ++i) {
    texts.emplace_back();
    for (std::size_t k = 3 + random.below(20); k > 0; --k) {
      texts.back() += static_cast<char>('a' + random.below(4));
      texts.back() += ' ';
    }
  }
  detail::ShingleSet set;  // refilled: nothing of the text before stays
  const auto common = [&](const detail::Shingles& a, const detail::Shingles& b) {
    set.clear(a.size());
    for (const detail::Shingle one : a) CHECK(set.insert(one));
    return std::ranges::count_if(b, [&](detail::Shingle one) { return set.contains(one); });
  };
  const auto few = detail::shingle_sets(texts, 2), many = detail::shingle_sets(texts, 2, 3);
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::size_t j = 0; j < texts.size(); ++j) CHECK(common(few[i], few[j]) == common(many[i], many[j]));
  CHECK(common(few[2], few[3]) == 1);
  CHECK(common(few[1], few[2]) == 0);
}
