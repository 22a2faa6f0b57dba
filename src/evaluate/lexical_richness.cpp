#include "synthema/evaluate/text/lexical_richness.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>

#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Counts = std::unordered_map<std::string_view, double>;

Counts counts_of(std::span<const std::string> words) {
  Counts out;
  for (const std::string& word : words) ++out[word];
  return out;
}

std::vector<double> sorted_counts(const Counts& counts) {
  std::vector<double> out;
  for (const auto& [word, count] : counts) out.push_back(count);
  std::sort(out.begin(), out.end(), std::greater<>());
  return out;
}

// Mean length of runs whose ratio stays above the threshold, in one direction; the rest counts in part.
template <class Words>
double factor_length(const Words& words, double threshold) {
  std::unordered_map<std::string_view, bool> seen;
  double factors = 0, ratio = 1;
  std::size_t run = 0, all = 0;
  for (const std::string& word : words) {
    ++run;
    ++all;
    seen.try_emplace(word, true);
    ratio = static_cast<double>(seen.size()) / static_cast<double>(run);
    if (ratio > threshold) continue;
    ++factors;
    seen.clear();
    run = 0;
    ratio = 1;
  }
  if (run > 0) factors += (1 - ratio) / (1 - threshold);
  // A text that repeats nothing has no factor: its own length is the least that is known.
  return factors > 0 ? static_cast<double>(all) / factors : static_cast<double>(all);
}

}  // namespace

double moving_type_token_ratio(std::span<const std::string> words, std::size_t window) {
  window = std::min(window, words.size());
  std::unordered_map<std::string_view, std::size_t> inside;
  double sum = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    ++inside[words[i]];
    if (i >= window) {
      const auto gone = inside.find(words[i - window]);
      if (--gone->second == 0) inside.erase(gone);
    }
    if (i + 1 >= window) sum += static_cast<double>(inside.size()) / static_cast<double>(window);
  }
  return sum / static_cast<double>(words.size() - window + 1);
}

double textual_lexical_diversity(std::span<const std::string> words, double threshold) {
  const std::vector<std::string> reversed(words.rbegin(), words.rend());
  return (factor_length(words, threshold) + factor_length(reversed, threshold)) / 2;
}

double hypergeometric_diversity(std::span<const std::string> words, std::size_t draws) {
  const auto n = static_cast<double>(words.size());
  double sum = 0;
  for (const double count : sorted_counts(counts_of(words))) {
    double none = 1;  // no draw hits the word
    for (std::size_t i = 0; i < draws; ++i)
      none *= std::max(0.0, n - count - static_cast<double>(i)) / (n - static_cast<double>(i));
    sum += (1 - none) / static_cast<double>(draws);
  }
  return sum;
}

double yule_k(std::span<const double> counts) {
  double n = 0, squares = 0;
  for (const double count : counts) n += count, squares += count * count;
  return 1e4 * (squares - n) / (n * n);
}

double zipf_exponent(std::vector<double> counts) {
  std::sort(counts.begin(), counts.end(), std::greater<>());
  double n = 0, weighted = 0;
  std::vector<double> logs;
  for (std::size_t r = 0; r < counts.size(); ++r) {
    logs.push_back(std::log(static_cast<double>(r + 1)));
    n += counts[r];
    weighted += counts[r] * logs[r];
  }
  // The mean log rank falls with s; it is that of the words where the likelihood is largest.
  const auto expected = [&](double s) {
    double sum = 0, all = 0;
    for (const double log : logs) {
      const double p = std::exp(-s * log);
      sum += p * log;
      all += p;
    }
    return sum / all;
  };
  double low = 0, high = 20;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (expected(middle) > weighted / n ? low : high) = middle;
  }
  return (low + high) / 2;
}

namespace {

struct Described {
  const char *estimand, *definition;
  std::size_t least;  // words of a text
};
constexpr Described kKinds[] = {
    {"Mean over texts of the share of different words in windows of 50 words.",
     "moving-average type-token ratio (Covington and McFall 2010)", 1},
    {"Mean over texts of the length of runs whose share of different words stays above 0.72.",
     "MTLD (McCarthy and Jarvis 2010), both directions, texts of 10 words or more", 10},
    {"Mean over texts of the expected share of different words among 42 drawn.",
     "HD-D (McCarthy and Jarvis 2007), texts of 42 words or more", 42},
    {"How much the words of all texts repeat themselves; low is rich.",
     "Yule's K, 10^4 (sum i^2 V_i - N) / N^2", 1},
    {"Exponent of Zipf's law over the words of all texts.", "p(rank) ~ rank^-s, maximum likelihood", 1}};

RatioRows by_text(const TextSample& sample, Richness measure) {
  RatioRows out;
  for (const auto& words : sample.words) {
    if (words.size() < kKinds[static_cast<int>(measure)].least)
      out.add(0, 0);
    else
      out.add(measure == Richness::mattr  ? moving_type_token_ratio(words)
              : measure == Richness::mtld ? textual_lexical_diversity(words)
                                          : hypergeometric_diversity(words));
  }
  return out;
}

// Counts of all texts, and of each unit's.
struct Corpus {
  Counts all;
  std::vector<Counts> of_unit;

  explicit Corpus(const TextSample& sample) : of_unit(sample.units.count) {
    for (std::size_t row = 0; row < sample.size(); ++row)
      for (const std::string& word : sample.words[row]) {
        ++all[word];
        ++of_unit[sample.units.of_row[row]][word];
      }
  }
};

std::optional<double> together(const std::vector<double>& counts, Richness measure) {
  if (counts.empty() || (measure == Richness::zipf_exponent && counts.size() < 2)) return std::nullopt;
  return measure == Richness::yule_k ? yule_k(counts) : zipf_exponent(counts);
}

// Yule's K without each unit; of Zipf's exponent a jackknife would sort all words anew for every unit.
std::vector<double> without_each(const Corpus& corpus) {
  double n = 0, squares = 0;
  for (const double count : sorted_counts(corpus.all)) n += count, squares += count * count;
  std::vector<double> out;
  for (const Counts& own : corpus.of_unit) {
    double m = n, rest = squares;
    for (const auto& [word, count] : own) {
      const double before = corpus.all.at(word);
      rest += (before - count) * (before - count) - before * before;
      m -= count;
    }
    out.push_back(m > 0 ? 1e4 * (rest - m) / (m * m) : 0);
  }
  return out;
}

}  // namespace

Range LexicalRichness::range() const {
  if (measure_ == Richness::mattr || measure_ == Richness::hdd) return {0, 1};
  return {0, std::numeric_limits<double>::infinity()};
}

Score LexicalRichness::evaluate(const Table* real, const Table& synthetic,
                                const EvaluationContext& context) const {
  const Described& kind = kKinds[static_cast<int>(measure_)];
  Score score = start_score(*this, kind.estimand, kind.definition);
  const TextSample sample = text_sample(synthetic, context, score);
  if (measure_ == Richness::mattr || measure_ == Richness::mtld || measure_ == Richness::hdd) {
    const RatioRows rows = by_text(sample, measure_);
    if (!rows.value())
      return undefined(std::move(score), message("There is no text with ", kind.least, " or more words."));
    set_ratio(score, rows, sample.units, context);
    add_real_part(score, real, context, sample.size(),
                  [&](const TextSample& other) { return by_text(other, measure_).value(); });
    return score;
  }
  const Corpus corpus(sample);
  score.value = together(sorted_counts(corpus.all), measure_);
  if (!score.value) return undefined(std::move(score), "There are too few different words.");
  score.n = sample.size();
  if (measure_ == Richness::yule_k)
    set_jackknife(score, without_each(corpus), sample.units);
  else
    score.no_interval = "The ranks of words are found in the same texts, which a bootstrap would repeat.";
  add_real_part(score, real, context, sample.size(), [&](const TextSample& other) {
    return together(sorted_counts(Corpus(other).all), measure_);
  });
  return score;
}

}  // namespace synthema
