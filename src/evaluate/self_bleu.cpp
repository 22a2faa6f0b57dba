#include "synthema/evaluate/text/self_bleu.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "synthema/evaluate/samples.hpp"
#include "synthema/text/ngrams.hpp"

namespace synthema {

namespace {

constexpr std::size_t kOrders = 4;
constexpr double kEpsilon = 0.1;  // NLTK's SmoothingFunction().method1

// The largest count of an n-gram in one text, who has it, and the largest among the others.
struct TopTwo {
  std::uint32_t first = 0, second = 0;
  std::size_t owner = 0;

  void offer(std::uint32_t count, std::size_t text) {
    if (count > first) {
      second = first;
      first = count;
      owner = text;
    } else {
      second = std::max(second, count);
    }
  }
  std::uint32_t among_others(std::size_t text) const { return text == owner ? second : first; }
};

struct Counted {
  NgramId id;
  std::uint32_t count;
};

// Each id once, ascending.
std::vector<Counted> counted(std::vector<NgramId> ids) {
  std::sort(ids.begin(), ids.end());
  std::vector<Counted> out;
  for (const NgramId id : ids) {
    if (out.empty() || out.back().id != id) out.push_back({id, 0});
    ++out.back().count;
  }
  return out;
}

// The nearest of the other lengths, the shorter of two equally near.
double closest_length(const std::vector<std::size_t>& sorted, std::size_t own) {
  const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), own);
  if (high - low > 1) return static_cast<double>(own);
  const bool has_below = low != sorted.begin(), has_above = high != sorted.end();
  if (!has_below) return static_cast<double>(*high);
  if (!has_above || own - *std::prev(low) <= *high - own) return static_cast<double>(*std::prev(low));
  return static_cast<double>(*high);
}

double bleu_of(const std::array<double, kOrders>& matches, const std::array<double, kOrders>& totals,
               double length, double reference_length) {
  if (matches[0] == 0) return 0;
  double sum_of_logs = 0;
  for (std::size_t k = 0; k < kOrders; ++k)
    sum_of_logs += std::log((matches[k] > 0 ? matches[k] : kEpsilon) / std::max(1.0, totals[k]));
  const double brevity = length > reference_length ? 1 : std::exp(1 - reference_length / length);
  return brevity * std::exp(sum_of_logs / kOrders);
}

std::vector<std::size_t> sorted_lengths(std::span<const std::vector<std::string>> texts) {
  std::vector<std::size_t> out;
  for (const auto& text : texts) out.push_back(text.size());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

std::vector<double> self_bleu_by_text(std::span<const std::vector<std::string>> texts) {
  if (texts.size() < 2) throw EvaluationError("Self-BLEU needs at least two texts.");
  Vocabulary vocabulary;
  NgramTrie trie;
  std::vector<std::array<std::vector<Counted>, kOrders>> counts(texts.size());
  std::vector<TopTwo> most;  // by id
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::vector<WordId> ids = vocabulary.intern_all(texts[i]);
    std::vector<NgramId> ngrams(ids.size(), NgramTrie::root);
    for (std::size_t k = 0; k < kOrders; ++k) {
      trie.lengthen(ngrams, ids, k + 1);
      counts[i][k] = counted(ngrams);
      most.resize(trie.size());
      for (const auto& [id, count] : counts[i][k]) most[id].offer(count, i);
    }
  }
  const std::vector<std::size_t> lengths = sorted_lengths(texts);
  std::vector<double> out;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::array<double, kOrders> matches{}, totals{};
    for (std::size_t k = 0; k < kOrders; ++k)
      for (const auto& [id, count] : counts[i][k]) {
        matches[k] += std::min(count, most[id].among_others(i));
        totals[k] += count;
      }
    out.push_back(bleu_of(matches, totals, static_cast<double>(texts[i].size()),
                          closest_length(lengths, texts[i].size())));
  }
  return out;
}

namespace {

// At most `limit` rows, drawn without replacement, in their order.
TextSample limited(const TextSample& sample, std::size_t limit, const EvaluationContext& context) {
  std::vector<std::size_t> chosen(sample.size());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  if (limit > 0 && limit < chosen.size()) {
    Random random = Random(context.seed).stream(0x73656C66);
    random.shuffle(chosen);
    chosen.resize(limit);
    std::sort(chosen.begin(), chosen.end());
  }
  TextSample out;
  for (const std::size_t row : chosen) out.words.push_back(sample.words[row]);
  out.texts.resize(chosen.size());
  out.units = sample.units.take(chosen);
  return out;
}

}  // namespace

Score SelfBleu::evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
  Score score =
      start_score(*this, "Mean BLEU-4 of each text against all the others: how alike the texts are.",
                  "Self-BLEU (Texygen) of order 4, NLTK smoothing 1, words(), all other texts as references");
  const TextSample all = text_sample(synthetic, context, score);
  const TextSample sample = limited(all, limit_, context);
  if (sample.size() < 2) return undefined(std::move(score), "Self-BLEU needs at least two texts.");
  if (sample.size() < all.size())
    score.warnings.push_back(
        message("Computed on ", sample.size(), " of ", all.size(), " texts, drawn by the seed."));
  RatioRows rows;
  for (const double bleu : self_bleu_by_text(sample.words)) rows.add(bleu);
  set_ratio(score, rows, sample.units, context);
  score.interval.reset();
  score.no_interval =
      "Every text is also a reference of the others, so texts are not independent: in simulations a "
      "bootstrap "
      "of them covered 82 % in place of 95 %.";
  add_real_part(score, real, context, sample.size(), [](const TextSample& other) {
    if (other.size() < 2) return std::optional<double>();
    const std::vector<double> scores = self_bleu_by_text(other.words);
    return std::optional(std::accumulate(scores.begin(), scores.end(), 0.0) /
                         static_cast<double>(scores.size()));
  });
  return score;
}

}  // namespace synthema
