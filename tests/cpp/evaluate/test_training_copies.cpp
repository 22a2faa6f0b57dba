#include <doctest/doctest.h>

#include <cmath>

#include "src/evaluate/common_subsequence.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/privacy/canary_exposure.hpp"
#include "synthema/evaluate/privacy/identifiers_in_text.hpp"
#include "synthema/evaluate/privacy/nearest_note.hpp"
#include "synthema/evaluate/privacy/training_copies.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

// Texts of random words: no two share a long run.
std::vector<std::string> random_texts(std::size_t count, std::uint64_t seed, std::size_t length = 40) {
  Random random(seed);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < count; ++i) {
    std::string text;
    for (std::size_t w = 0; w < length; ++w) text += "w" + std::to_string(random.below(50)) + " ";
    out.push_back(text);
  }
  return out;
}

EvaluationContext with_holdout(const std::vector<std::string>& texts) {
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(text_table(texts));
  context.bootstrap = 50;
  return context;
}

}  // namespace

TEST_CASE("planted runs are found, of their length and in their share of texts and words") {
  const std::vector<std::string> training = random_texts(30, 1);
  std::vector<std::string> synthetic = random_texts(20, 2);
  const auto first_words = [](const std::string& text, std::size_t n) {
    std::size_t end = 0;
    for (std::size_t i = 0; i < n; ++i) end = text.find(' ', end) + 1;
    return text.substr(0, end);
  };
  synthetic[3] += first_words(training[7], 25);
  synthetic[9] += first_words(training[11], 15);
  const Table r = text_table(training), s = text_table(synthetic);
  const EvaluationContext context = with_holdout(random_texts(20, 3));
  using enum TrainingCopies::Measure;
  const Score longest_run = TrainingCopies(longest).evaluate(&r, s, context);
  CHECK(*longest_run.value >= 25);
  CHECK(*longest_run.value <= 27);  // a word beside the plant may fit by chance
  CHECK(longest_run.ceiling->value < 6);
  CHECK(TrainingCopies(texts).evaluate(&r, s, context).value == Approx(0.1));
  const double covered = *TrainingCopies(TrainingCopies::Measure::words).evaluate(&r, s, context).value;
  CHECK(covered == Approx(40.0 / 840).epsilon(0.1));
  for (const auto measure : {longest, texts, TrainingCopies::Measure::words}) {
    CHECK(nonconformities(TrainingCopies(measure), &r, s, context).empty());
    CHECK(TrainingCopies(measure).evaluate(&r, s, {}).ceiling);  // halves of the training texts
  }
}

TEST_CASE("the longest common subsequence, 64 places at a time") {
  Random random(4);
  for (const std::size_t n : {1, 5, 63, 64, 65, 130, 200})
    for (const std::size_t m : {1, 40, 128, 150}) {
      std::vector<std::uint32_t> a(n), b(m);
      for (auto& one : a) one = static_cast<std::uint32_t>(random.below(6));
      for (auto& one : b) one = static_cast<std::uint32_t>(random.below(6));
      std::vector<std::vector<std::size_t>> table(n + 1, std::vector<std::size_t>(m + 1));
      for (std::size_t i = 1; i <= n; ++i)
        for (std::size_t j = 1; j <= m; ++j)
          table[i][j] =
              a[i - 1] == b[j - 1] ? table[i - 1][j - 1] + 1 : std::max(table[i - 1][j], table[i][j - 1]);
      CHECK(detail::CommonSubsequence(a).with(b) == table[n][m]);
    }
}

TEST_CASE("nearest notes: fresh texts are as near as the holdout, copies nearer") {
  const std::vector<std::string> training = random_texts(60, 1), fresh = random_texts(60, 2);
  const Table r = text_table(training), f = text_table(fresh);
  const EvaluationContext context = with_holdout(random_texts(60, 3));
  using enum NearestNote::Measure;
  CHECK(NearestNote(likeness).evaluate(&r, r, context).value == Approx(1));
  const Score score = NearestNote(likeness).evaluate(&r, f, context);
  CHECK(*score.value == Approx(score.ceiling->value).epsilon(0.05));
  CHECK(NearestNote(near_copies).evaluate(&r, r, context).value == 1);
  CHECK(*NearestNote(near_copies).evaluate(&r, f, context).value < 0.15);
  CHECK(NearestNote(share).evaluate(&r, r, context).value == 1);
  CHECK(*NearestNote(share).evaluate(&r, f, context).value == Approx(0.5).epsilon(0.3));
  for (const auto measure : {likeness, near_copies, share})
    CHECK(nonconformities(NearestNote(measure), &r, f, context).empty());
}

TEST_CASE("notes of a few clumps, which saw no training text, are no leak that an interval is sure of") {
  std::vector<std::string> clumps;  // 4 texts, 30 times each, with a word changed
  for (const std::string& text : random_texts(4, 5))
    for (int copy = 0; copy < 30; ++copy) clumps.push_back(message(text, " end", copy));
  const Table s = text_table(clumps);
  int shares = 0, copies = 0;
  constexpr int kSplits = 20;
  for (std::uint64_t split = 0; split < kSplits; ++split) {
    const Table r = text_table(random_texts(60, 100 + split));
    const EvaluationContext context = with_holdout(random_texts(60, 200 + split));
    const Score share = NearestNote(NearestNote::Measure::share).evaluate(&r, s, context);
    const Score near = NearestNote(NearestNote::Measure::near_copies).evaluate(&r, s, context);
    REQUIRE(share.interval);
    REQUIRE(near.interval);
    shares += share.interval->low <= 0.5 && share.interval->high >= 0.5;
    copies += near.interval->low <= near.ceiling->value;
  }
  CHECK(shares >= 18);
  CHECK(copies >= 18);
}

TEST_CASE("identifiers are counted and never told") {
  const Table r = text_table({"Seen by Dr. Adams on 12/03/2020.", "Call (555) 123-4567.", "no name here"});
  const Table s = text_table({"Then Dr. Adams came.", "Dr. Brown came on 2020-01-02.", "nothing", "at all"});
  const EvaluationContext context = with_holdout({"Dr. Clark saw her."});
  using enum IdentifiersInText::Measure;
  const Score any = IdentifiersInText(texts).evaluate(&r, s, context);
  CHECK(any.value == 0.5);
  CHECK(any.ceiling->value == Approx(2.0 / 3));
  CHECK(part_of(any, "name") == 0.5);
  CHECK(part_of(any, "date") == 0.25);
  const Score reused = IdentifiersInText(reuse).evaluate(&r, s, context);
  CHECK(reused.value == 0.25);
  CHECK(reused.ceiling->value == 0);
  CHECK(to_json(reused).find("dams") == std::string::npos);
  const IdentifierDetector nothing = [](std::span<const std::string> all) {
    std::vector<std::vector<Identifier>> out(all.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      if (const auto at = all[i].find("nothing"); at != std::string::npos) out[i] = {{at, at + 7, "void"}};
    return out;
  };
  CHECK(part_of(IdentifiersInText(texts, {nothing}).evaluate(&r, s, context), "void") == 0.25);
  CHECK(IdentifiersInText(texts, {nothing}, true).evaluate(&r, s, context).value == 0.25);
  const Score with_own = IdentifiersInText(texts, {nothing}).evaluate(&r, s, context);
  CHECK(with_own.definition.ends_with("name; and as the detectors given find them"));
  const IdentifierDetector signs = [](std::span<const std::string> all) {  // "." and an empty place
    std::vector<std::vector<Identifier>> out;
    for (const std::string& text : all)
      out.push_back({{0, 0, "void"}, {text.size() - 1, text.size(), "void"}});
    return out;
  };
  const Table ends = text_table({"a.", "b."}), others = text_table({"c.", "d."});
  CHECK(IdentifiersInText(reuse, {signs}, true).evaluate(&ends, others, {}).value == 0.0);
  CHECK(nonconformities(IdentifiersInText(reuse), &r, s, context).empty());
}

TEST_CASE("planted canaries are exposed, others are at chance") {
  std::vector<Record> records;
  for (int i = 0; i < 64; ++i)
    records.push_back({{"text", "the code of patient " + std::to_string(1000 + i) + " is " +
                                    std::to_string(7919 * (i + 3) % 9973)},
                       {"planted", i % 8 == 0}});
  const auto canaries = std::make_shared<const Table>(Table::from_records(
      {.fields = {{.name = "text"}, {.name = "planted", .kind = Kind::boolean}}}, records));
  std::vector<std::string> leaked = random_texts(10, 5);
  const std::vector<std::string> clean = leaked;
  for (int i = 0; i < 64; i += 8)
    leaked[static_cast<std::size_t>(i) / 8] += canaries->column("text").text_at(static_cast<std::size_t>(i));
  const Score found = CanaryExposure(canaries).evaluate(nullptr, text_table(leaked), {});
  CHECK(found.value == Approx(std::log2(57)));
  CHECK(part_of(found, "found whole") == 1);
  const Score chance = CanaryExposure(canaries).evaluate(nullptr, text_table(clean), {});
  CHECK(*chance.value < 2);
  CHECK(part_of(chance, "found whole") == 0);
  CHECK_FALSE(CanaryExposure().evaluate(nullptr, text_table(clean), {}).value);
  CHECK(nonconformities(CanaryExposure(canaries), nullptr, text_table(leaked), {}).empty());

  // A language model that never saw a canary hides none that the texts repeat; one that knows them is heard.
  EvaluationContext context;
  context.text_scorer = [](std::span<const std::string> texts) {
    return std::vector<std::vector<double>>(texts.size(), {-1.0, -2.0});
  };
  const Score unknown = CanaryExposure(canaries).evaluate(nullptr, text_table(leaked), context);
  CHECK(unknown.value == found.value);
  CHECK(part_of(unknown, "by log-probability") < 1);
  context.text_scorer = [&](std::span<const std::string> texts) {
    std::vector<std::vector<double>> out;
    for (const std::string& text : texts) {
      const int number = std::stoi(text.substr(20, 4)) - 1000;
      out.push_back({number % 8 == 0 ? -1.0 : -2.0});
    }
    return out;
  };
  const Score told = CanaryExposure(canaries).evaluate(nullptr, text_table(clean), context);
  CHECK(told.value == Approx(std::log2(57)));
  CHECK(part_of(told, "by the longest repeated part") == *chance.value);
  for (const double wrong : {std::nan(""), 5.0}) {
    context.text_scorer = [&](std::span<const std::string> texts) {
      return std::vector<std::vector<double>>(texts.size(), {wrong});
    };
    CHECK_THROWS_WITH_AS(CanaryExposure(canaries).evaluate(nullptr, text_table(clean), context),
                         doctest::Contains("above 0 or not finite"), EvaluationError);
  }
}
