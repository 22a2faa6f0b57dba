// BLEU (Papineni et al. 2002) with the conventions of sacreBLEU 2: 13a tokens, orders 1 to 4, counts summed
// over the corpus, one reference a row, brevity penalty exp(1 - r / c), and "exp" smoothing (the k-th order
// without a match counts 1 / 2^k matches). 0 if nothing matches at all. Values are in [0, 100].
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"

namespace synthema {

// The tokens of mteval-v13a as sacreBLEU makes them.
std::vector<std::string> tokens_13a(std::string_view text);

// What BLEU is computed from; counts of several rows add up.
struct BleuCounts {
  std::array<double, 4> matches{};  // clipped n-gram matches, order 1 to 4
  std::array<double, 4> totals{};   // n-grams of the hypothesis
  double hypothesis_length = 0, reference_length = 0;

  BleuCounts& operator+=(const BleuCounts& other);
};

BleuCounts bleu_counts(std::string_view hypothesis, std::string_view reference);

// effective_order: average only over orders that the hypothesis is long enough for (sentences, not corpora).
double bleu_from(const BleuCounts& counts, bool effective_order = false);

double sentence_bleu(std::string_view hypothesis, std::string_view reference);  // effective order
// EvaluationError if the two have different lengths.
double corpus_bleu(std::span<const std::string> hypotheses, std::span<const std::string> references);

}  // namespace synthema
