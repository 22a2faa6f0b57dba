#include "synthema/evaluate/text/token_scores.hpp"

#include <algorithm>
#include <cmath>

#include "src/evaluate/scored_texts.hpp"
#include "src/evaluate/text_pairs.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/plug_in_error.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

// Negative log-probabilities and tokens of each text.
RatioRows by_text(const std::vector<std::string>& texts, const EvaluationContext& context) {
  RatioRows out;
  for (const std::vector<double>& tokens : detail::scored_texts(context, texts)) {
    double sum = 0;
    for (const double log : tokens) sum -= log;
    out.add(sum, static_cast<double>(tokens.size()));
  }
  return out;
}

}  // namespace

Score Perplexity::evaluate(const Table* real, const Table& synthetic,
                           const EvaluationContext& context) const {
  Score score = start_score(*this, "Perplexity of the texts to a language model.",
                            "exp(mean negative log-probability of a token), tokens of all texts together");
  if (!context.text_scorer) return undefined(std::move(score), "No text scorer was given.");
  const TextSample sample = text_sample(synthetic, context, score, SplitWords::no);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  set_ratio(score, by_text(sample.texts, context), sample.units, context);
  if (!score.value) return undefined(std::move(score), "No text has a token with a probability.");
  score.value = std::exp(*score.value);
  if (score.interval) {
    score.interval->low = std::exp(score.interval->low);
    score.interval->high = std::exp(score.interval->high);
  }
  add_real_part(
      score, real, context, sample.size(),
      [&](const TextSample& other) {
        const auto mean = by_text(other.texts, context).value();
        return mean ? std::optional(std::exp(*mean)) : std::nullopt;
      },
      SplitWords::no);
  return score;
}

namespace {

using Vectors = std::vector<std::vector<float>>;

// Each of length 1, those of zeros left as they are. PlugInError if they differ in width.
void normalise(Vectors& vectors, std::size_t& width) {
  for (std::vector<float>& one : vectors) {
    if (width == 0) width = one.size();
    double squares = 0;
    for (const float x : one) squares += double{x} * double{x};
    if (one.size() != width || width == 0 || !std::isfinite(squares))
      throw PlugInError(
          "The token embedder gave vectors of different length, or with a number that is not finite.");
    if (squares > 0)
      for (float& x : one) x = static_cast<float>(x / std::sqrt(squares));
  }
}

struct Matched {
  double precision = 0, recall = 0, f1 = 0;
};

Matched match(const Vectors& text, const Vectors& reference) {
  std::vector<double> best_text(text.size(), -1), best_reference(reference.size(), -1);
  for (std::size_t i = 0; i < text.size(); ++i)
    for (std::size_t j = 0; j < reference.size(); ++j) {
      double cosine = 0;
      for (std::size_t k = 0; k < text[i].size(); ++k) cosine += double{text[i][k]} * double{reference[j][k]};
      best_text[i] = std::max(best_text[i], cosine);
      best_reference[j] = std::max(best_reference[j], cosine);
    }
  const auto mean = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return std::clamp(sum / static_cast<double>(values.size()), -1.0, 1.0);
  };
  Matched out{mean(best_text), mean(best_reference), 0};
  // A mean of harmonic kind has no sense where one is not positive; the smaller one stands for it.
  out.f1 = out.precision > 0 && out.recall > 0 ? 2 * out.precision * out.recall / (out.precision + out.recall)
                                               : std::min(out.precision, out.recall);
  return out;
}

std::vector<Vectors> embedded(const TokenEmbedder& embedder, const std::vector<std::string>& texts,
                              std::size_t& width) {
  std::vector<Vectors> out = embedder(texts);
  if (out.size() != texts.size())
    throw PlugInError(
        message("The token embedder gave vectors of ", out.size(), " texts for ", texts.size(), "."));
  for (Vectors& one : out) normalise(one, width);
  return out;
}

}  // namespace

Score BertScore::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Mean similarity of the tokens of texts and their references.",
                            "F of greedy cosine matching (Zhang et al. 2020), no idf, no baseline");
  if (!embedder_) return undefined(std::move(score), "No token embedder was given.");
  const auto pairs = detail::text_pairs(synthetic, reference_, context, score);
  if (!pairs) return score;
  std::size_t width = 0;
  const std::vector<Vectors> texts = embedded(embedder_, pairs->texts, width),
                             references = embedded(embedder_, pairs->references, width);
  std::vector<Matched> by_row(texts.size());
  parallel_for(
      by_row.size(),
      [&](std::size_t i) {
        context.cancel.check();
        if (!texts[i].empty() && !references[i].empty()) by_row[i] = match(texts[i], references[i]);
      },
      context.threads, 4);
  RatioRows f1, precision, recall;
  for (std::size_t i = 0; i < by_row.size(); ++i) {
    const double there = texts[i].empty() || references[i].empty() ? 0 : 1;  // nothing to match: left out
    f1.add(by_row[i].f1, there);
    precision.add(by_row[i].precision, there);
    recall.add(by_row[i].recall, there);
  }
  if (!f1.value())
    return undefined(std::move(score), "No row has tokens in both its text and its reference.");
  set_ratio(score, f1, pairs->units, context);
  score.parts.push_back({"precision", precision.value(), score.n, ""});
  score.parts.push_back({"recall", recall.value(), score.n, ""});
  return score;
}

}  // namespace synthema
