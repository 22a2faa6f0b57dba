#include "synthema/evaluate/privacy/training_copies.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <unordered_set>

#include "src/evaluate/fresh_share.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Texts = std::vector<std::vector<std::uint64_t>>;  // hashes of words

std::uint64_t hash_of(const std::string& word) {
  std::uint64_t out = 0xCBF29CE484222325;
  for (const char c : word) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  out = (out ^ (out >> 31)) * 0x9E3779B97F4A7C15;
  return out ^ (out >> 29);
}

Texts hashed(const std::vector<std::vector<std::string>>& texts) {
  Texts out;
  for (const auto& text : texts) {
    out.emplace_back();
    for (const std::string& word : text) out.back().push_back(hash_of(word));
  }
  return out;
}

// visit(hash, start) for each run of n words of the text.
template <class Visit>
void each_run(const std::vector<std::uint64_t>& text, std::size_t n, const Visit& visit) {
  constexpr std::uint64_t kBase = 0x5851F42D4C957F2D;  // odd: a polynomial modulo 2^64
  if (text.size() < n) return;
  std::uint64_t hash = 0, first = 1;
  for (std::size_t i = 0; i + 1 < n; ++i) first *= kBase;
  for (std::size_t i = 0; i < text.size(); ++i) {
    hash = hash * kBase + text[i];
    if (i + 1 < n) continue;
    visit(hash ^ (hash >> 32), i + 1 - n);
    hash -= first * text[i + 1 - n];
  }
}

std::unordered_set<std::uint64_t> runs_of(const Texts& texts, std::size_t n) {
  std::unordered_set<std::uint64_t> out;
  for (const auto& text : texts)
    each_run(text, n, [&](std::uint64_t hash, std::size_t) { out.insert(hash); });
  return out;
}

bool share_a_run(const Texts& a, const Texts& b, std::size_t n) {
  const Texts &fewer = a.size() < b.size() ? a : b, &others = a.size() < b.size() ? b : a;
  const auto runs = runs_of(fewer, n);
  if (runs.empty()) return false;
  for (const auto& text : others) {
    bool found = false;
    each_run(text, n, [&](std::uint64_t hash, std::size_t) { found = found || runs.contains(hash); });
    if (found) return true;
  }
  return false;
}

// Doubling, then halving: a shared run of n words holds one of n - 1.
std::size_t longest_shared(const Texts& a, const Texts& b, const EvaluationContext& context) {
  std::size_t low = 0, high = 1;
  while (share_a_run(a, b, high)) {
    context.cancel.check();
    low = high;
    high *= 2;
  }
  while (low + 1 < high) {
    context.cancel.check();
    const std::size_t middle = (low + high) / 2;
    (share_a_run(a, b, middle) ? low : high) = middle;
  }
  return low;
}

// Texts of fewer than n words, whole.
std::set<std::vector<std::uint64_t>> short_texts(const Texts& texts, std::size_t n) {
  std::set<std::vector<std::uint64_t>> out;
  for (const auto& text : texts)
    if (text.size() < n) out.insert(text);
  return out;
}

// By text: how many of its words stand in a run of n words of the sources; of a shorter text all, if it is
// one of the sources.
std::vector<std::size_t> covered_words(const Texts& texts, const Texts& sources, std::size_t n) {
  const auto runs = runs_of(sources, n);
  const auto whole = short_texts(sources, n);
  std::vector<std::size_t> out;
  for (const auto& text : texts) {
    if (text.size() < n) {
      out.push_back(whole.contains(text) ? text.size() : 0);
      continue;
    }
    std::size_t count = 0, end = 0;  // words before `end` are counted
    each_run(text, n, [&](std::uint64_t hash, std::size_t start) {
      if (!runs.contains(hash)) return;
      count += start + n - std::max(start, end);
      end = start + n;
    });
    out.push_back(count);
  }
  return out;
}

RatioRows ratio_of(TrainingCopies::Measure measure, const Texts& texts, const Texts& sources, std::size_t n) {
  const std::vector<std::size_t> covered = covered_words(texts, sources, n);
  const bool by_text = measure == TrainingCopies::Measure::texts;
  RatioRows out{.numerator = {}, .denominator = {}, .share = by_text};
  for (std::size_t i = 0; i < texts.size(); ++i)
    out.add(by_text ? static_cast<double>(covered[i] > 0) : static_cast<double>(covered[i]),
            by_text ? 1 : static_cast<double>(texts[i].size()));
  return out;
}

// Texts in two halves, decided by what they say.
std::pair<Texts, Texts> halves_of(const Texts& texts, const Units& units) {
  std::vector<std::uint64_t> keys(units.count, 0);
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (const std::uint64_t word : texts[i]) keys[units.of_row[i]] = keys[units.of_row[i]] * 31 + word;
  std::pair<Texts, Texts> out;
  for (std::size_t i = 0; i < texts.size(); ++i)
    (Random(keys[units.of_row[i]]).stream(1)() % 2 == 0 ? out.first : out.second).push_back(texts[i]);
  return out;
}

}  // namespace

TrainingCopies::TrainingCopies(Measure measure, std::size_t words) : measure_(measure), words_(words) {
  if (words == 0) throw ConfigError({.field = "words"}, "A copied run has at least one word.");
}

std::string_view TrainingCopies::name() const {
  constexpr std::string_view names[] = {"training_copy_longest", "training_copy_texts",
                                        "training_copy_words"};
  return names[static_cast<int>(measure_)];
}

Range TrainingCopies::range() const {
  return {0, measure_ == Measure::longest ? std::numeric_limits<double>::infinity() : 1};
}

Score TrainingCopies::evaluate(const Table* real, const Table& synthetic,
                               const EvaluationContext& context) const {
  const std::string estimands[] = {
      "Words of the longest run that a synthetic text shares with a training text.",
      message("Share of synthetic texts with a run of at least ", words_,
              " words from a training text, or that are a shorter one."),
      message("Share of synthetic words in a run of at least ", words_,
              " words from a training text, or in a shorter one that is repeated whole.")};
  Score score = start_score(*this, estimands[static_cast<int>(measure_)],
                            "exact runs of words(), never across two texts");
  if (!real) return undefined(std::move(score), "No real table was given.");
  const auto training = text_sample_if_any(real, context);
  if (!training || training->size() == 0)
    return undefined(std::move(score), "The real table has no texts in this column.");
  const TextSample sample = text_sample(synthetic, context, score);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  const auto holdout = text_sample_if_any(context.holdout.get(), context);
  const bool held = holdout && holdout->size() > 0;
  const Texts sources = hashed(training->words), texts = hashed(sample.words);
  std::pair<Texts, Texts> fresh{held ? hashed(holdout->words) : Texts(), held ? sources : Texts()};
  if (!held) fresh = halves_of(sources, training->units);
  const std::string fresh_source = held ? message("holdout, ", counted(holdout->size(), "real text"))
                                        : "half of the training texts against the other half";
  if (measure_ == Measure::longest) {
    score.n = sample.size();
    score.value = static_cast<double>(longest_shared(texts, sources, context));
    score.no_interval = "The largest of all runs hangs on one text, which a bootstrap does not vary validly.";
    if (!fresh.first.empty() && !fresh.second.empty())
      score.ceiling =
          Bound{static_cast<double>(longest_shared(fresh.first, fresh.second, context)), fresh_source};
    return score;
  }
  set_ratio(score, ratio_of(measure_, texts, sources, words_), sample.units, context);
  if (score.interval) score.interval->method += ", training texts held fixed";
  if (fresh.first.empty() || fresh.second.empty()) return score;
  const auto value = ratio_of(measure_, fresh.first, fresh.second, words_).value();
  if (value && measure_ == Measure::texts)
    score.ceiling = detail::fresh_share(
        score, *value, held ? holdout->units.count : std::max<std::size_t>(1, training->units.count / 2),
        fresh_source);
  else if (value)
    score.ceiling = Bound{*value, fresh_source};
  return score;
}

}  // namespace synthema
