#include "synthema/evaluate/text/reference_overlap.hpp"

#include <algorithm>
#include <span>

#include "src/evaluate/text_pairs.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/evaluate/text/bleu.hpp"
#include "synthema/evaluate/text/chrf.hpp"
#include "synthema/evaluate/text/meteor.hpp"
#include "synthema/evaluate/text/rouge.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {

constexpr std::size_t kOrders = 4;  // of BLEU

// The counts of a row as numbers that add up, and back.
std::vector<double> flat(const BleuCounts& counts) {
  std::vector<double> out(counts.matches.begin(), counts.matches.end());
  out.insert(out.end(), counts.totals.begin(), counts.totals.end());
  out.insert(out.end(), {counts.hypothesis_length, counts.reference_length});
  return out;
}
BleuCounts bleu_counts_of(std::span<const double> sums) {
  BleuCounts out;
  for (std::size_t k = 0; k < kOrders; ++k) out.matches[k] = sums[k], out.totals[k] = sums[kOrders + k];
  out.hypothesis_length = sums[2 * kOrders];
  out.reference_length = sums[2 * kOrders + 1];
  return out;
}

std::vector<double> flat(const ChrfCounts& counts) {
  std::vector<double> out(counts.matches.begin(), counts.matches.end());
  out.insert(out.end(), counts.hypothesis.begin(), counts.hypothesis.end());
  out.insert(out.end(), counts.reference.begin(), counts.reference.end());
  return out;
}
ChrfCounts chrf_counts_of(std::span<const double> sums) {
  ChrfCounts out;
  constexpr std::size_t n = ChrfCounts::kOrders;
  for (std::size_t k = 0; k < n; ++k)
    out.matches[k] = sums[k], out.hypothesis[k] = sums[n + k], out.reference[k] = sums[2 * n + k];
  return out;
}

// A score of the summed counts of all rows. `counts_of(text, reference)` gives the numbers of one row.
template <class CountsOf, class ValueOf>
Score corpus_score(Score score, const detail::TextPairs& pairs, const EvaluationContext& context,
                   const CountsOf& counts_of, const ValueOf& value_of) {
  const std::size_t width = counts_of("", "").size();
  RowSums sums{width, std::vector<double>(pairs.texts.size() * width)};
  parallel_for(
      pairs.texts.size(),
      [&](std::size_t i) {
        const std::vector<double> row = counts_of(pairs.texts[i], pairs.references[i]);
        std::copy(row.begin(), row.end(), &sums.values[i * width]);
      },
      context.threads, 16);
  std::vector<double> all(width, 0.0);
  for (std::size_t i = 0; i < sums.values.size(); ++i) all[i % width] += sums.values[i];
  score.value = value_of(all);
  set_interval(score, bootstrap(sums, pairs.units, context,
                                [&](std::span<const double> s) { return std::optional(value_of(s)); }));
  return score;
}

// Texts with words of which rouge-score, whose tokens are a to z and digits, reads none.
void warn_of_unread(Score& score, const detail::TextPairs& pairs) {
  std::size_t unread = 0;
  for (std::size_t i = 0; i < pairs.texts.size(); ++i) {
    const std::string& text = pairs.references[i];
    unread += rouge_tokens(text).empty() && !words(text).empty();
  }
  if (unread > 0)
    score.warnings.push_back(
        message("Of ", counted(unread, "reference"),
                " ROUGE reads nothing and scores 0: its tokens are letters from a to z and "
                "digits. chrF reads all scripts."));
}

RougeScore rouge_of(Rouge::Variant variant, const std::string& target, const std::string& text, bool stem) {
  switch (variant) {
    case Rouge::Variant::rouge1:
      return rouge_n(target, text, 1, stem);
    case Rouge::Variant::rouge2:
      return rouge_n(target, text, 2, stem);
    case Rouge::Variant::rougel:
      return rouge_l(target, text, stem);
    case Rouge::Variant::rougelsum:
      return rouge_lsum(target, text, stem);
  }
  return {};
}

}  // namespace

Score CorpusBleu::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Corpus BLEU of the texts against their references, 0 to 100.",
                            "13a tokens, orders 1 to 4, exp smoothing, one reference");
  score.convention = "sacrebleu";
  const auto pairs = detail::text_pairs(synthetic, reference_, context, score);
  if (!pairs) return score;
  return corpus_score(
      std::move(score), *pairs, context,
      [](std::string_view text, std::string_view reference) { return flat(bleu_counts(text, reference)); },
      [](std::span<const double> sums) { return bleu_from(bleu_counts_of(sums)); });
}

Score CorpusChrf::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Corpus chrF of the texts against their references, 0 to 100.",
                            "character n-grams of orders 1 to 6 without white space, beta 2, one reference");
  score.convention = "sacrebleu";
  const auto pairs = detail::text_pairs(synthetic, reference_, context, score);
  if (!pairs) return score;
  return corpus_score(
      std::move(score), *pairs, context,
      [](std::string_view text, std::string_view reference) { return flat(chrf_counts(text, reference)); },
      [](std::span<const double> sums) { return chrf_from(chrf_counts_of(sums)); });
}

Score Meteor::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Mean METEOR of the texts against their references.",
                            "exact words, then Porter stems, no synonyms; alpha 0.9, beta 3, gamma 0.5");
  const auto pairs = detail::text_pairs(synthetic, reference_, context, score);
  if (!pairs) return score;
  std::vector<double> by_row(pairs->texts.size());
  parallel_for(
      by_row.size(),
      [&](std::size_t i) { by_row[i] = meteor(words(pairs->texts[i]), words(pairs->references[i])); },
      context.threads, 4);
  RatioRows rows;
  for (const double value : by_row) rows.add(value);
  set_ratio(score, rows, pairs->units, context);
  return score;
}

std::string_view Rouge::name() const {
  constexpr std::string_view plain[] = {"rouge_1", "rouge_2", "rouge_l", "rouge_lsum"};
  constexpr std::string_view stemmed[] = {"rouge_1_stemmed", "rouge_2_stemmed", "rouge_l_stemmed",
                                          "rouge_lsum_stemmed"};
  return (stem_ ? stemmed : plain)[static_cast<int>(variant_)];
}

Score Rouge::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Mean ROUGE F1 of the texts against their references.",
                            "mean over rows of F1 (Lin 2004), one reference");
  score.convention = "rouge-score";
  const auto pairs = detail::text_pairs(synthetic, reference_, context, score);
  if (!pairs) return score;
  warn_of_unread(score, *pairs);
  std::vector<RougeScore> by_row(pairs->texts.size());
  parallel_for(
      by_row.size(),
      [&](std::size_t i) { by_row[i] = rouge_of(variant_, pairs->references[i], pairs->texts[i], stem_); },
      context.threads, 4);
  RatioRows f1, precision, recall;
  for (const RougeScore& r : by_row) f1.add(r.f1), precision.add(r.precision), recall.add(r.recall);
  set_ratio(score, f1, pairs->units, context);
  score.parts.push_back({"precision", precision.value(), score.n, ""});
  score.parts.push_back({"recall", recall.value(), score.n, ""});
  return score;
}

}  // namespace synthema
