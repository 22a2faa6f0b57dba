#include "synthema/evaluate/text/reference_overlap.hpp"

#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/evaluate/text/bleu.hpp"
#include "synthema/evaluate/text/rouge.hpp"

namespace synthema {

namespace {

struct TextPairs {
  std::vector<std::string> texts, references;
  Units units;
};

// Rows that have both texts; nothing (and the reason in the score) if there are none.
std::optional<TextPairs> text_pairs(const Table& table, const std::string& reference,
                                    const EvaluationContext& context, Score& score) {
  if (!table.has(reference)) {
    score.undefined = "The table has no column '" + reference + "' with a reference text for each row.";
    return std::nullopt;
  }
  const Column& references = text_column(table, reference);
  const Column& texts = text_column(table, context.text_column);
  TextPairs out;
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (texts.is_null(row) || references.is_null(row)) continue;
    kept.push_back(row);
    out.texts.emplace_back(texts.text_at(row));
    out.references.emplace_back(references.text_at(row));
  }
  if (kept.empty()) {
    score.undefined = "No row has both a text and a reference.";
    return std::nullopt;
  }
  if (kept.size() < table.rows())
    score.warnings.push_back(message("Left out: ", table.rows() - kept.size(), " of ",
                                     counted(table.rows(), "row"),
                                     " without a text or without a reference."));
  out.units = Units::of(table).take(kept);
  score.n = kept.size();
  return out;
}

constexpr std::size_t kOrders = 4;

BleuCounts counts_from(std::span<const double> sums) {
  BleuCounts out;
  for (std::size_t k = 0; k < kOrders; ++k) out.matches[k] = sums[k], out.totals[k] = sums[kOrders + k];
  out.hypothesis_length = sums[2 * kOrders];
  out.reference_length = sums[2 * kOrders + 1];
  return out;
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
  const auto pairs = text_pairs(synthetic, reference_, context, score);
  if (!pairs) return score;
  RowSums sums{2 * kOrders + 2, std::vector<double>(pairs->texts.size() * (2 * kOrders + 2))};
  parallel_for(
      pairs->texts.size(),
      [&](std::size_t i) {
        const BleuCounts c = bleu_counts(pairs->texts[i], pairs->references[i]);
        double* row = &sums.values[i * sums.width];
        for (std::size_t k = 0; k < kOrders; ++k) row[k] = c.matches[k], row[kOrders + k] = c.totals[k];
        row[2 * kOrders] = c.hypothesis_length;
        row[2 * kOrders + 1] = c.reference_length;
      },
      context.threads, 16);
  std::vector<double> all(sums.width, 0.0);
  for (std::size_t i = 0; i < sums.values.size(); ++i) all[i % sums.width] += sums.values[i];
  score.value = bleu_from(counts_from(all));
  set_interval(score, bootstrap(sums, pairs->units, context, [](std::span<const double> s) {
                 return std::optional(bleu_from(counts_from(s)));
               }));
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
  const auto pairs = text_pairs(synthetic, reference_, context, score);
  if (!pairs) return score;
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
