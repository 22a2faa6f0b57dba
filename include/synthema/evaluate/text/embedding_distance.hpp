// How far apart synthetic and real texts lie as vectors of the context's embedder, each scaled to length 1.
//   frechet_text_distance     |m_R - m_S|^2 + tr(C_R + C_S - 2 (C_R C_S)^(1/2)) of means and covariances
//   (Heusel et
//                             al., NIPS 2017, on texts). Below about ten texts a dimension it is biased
//                             upwards
//   central_moment_discrepancy  sum of the distances of the means and of the central moments of orders 2 to
//   5,
//                             each over 2^order, coordinates lying in [-1, 1] (Zellinger et al., ICLR 2017)
//   pairwise_similarity       mean cosine of two different synthetic texts: near 1 they all say the same
//   mauve                     area under the curve of divergences of clusters (Pillutla et al., NeurIPS
//   2021):
//                             vectors of both tables on the principal components that hold 0.9 of the
//                             variance, k-means with a tenth as many clusters as texts of the smaller table
//                             (2 to 500), the best of 5 starts by the seed; mixtures of both histograms at 25
//                             weights, points exp(-5 KL), ends added, mean of the areas over both axes. The
//                             defaults are the paper's library's, the vectors those of the embedder and not
//                             of GPT-2: compare values of one embedder only. Fewer than 1,000 texts each make
//                             it unsteady
// Ceilings are the holdout's. No intervals: all of them are biased by resampling, which repeats texts.
// Cost: one embedding of each text; width^3 (Frechet); texts x clusters x width x steps (MAUVE).
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class EmbeddingMeasure : std::uint8_t { frechet, central_moments, similarity, mauve };

class SYNTHEMA_EXPORT EmbeddingDistance {
 public:
  static constexpr bool needs_embedder = true;

  explicit EmbeddingDistance(EmbeddingMeasure measure = EmbeddingMeasure::frechet) : measure_(measure) {}
  std::string_view name() const {
    constexpr std::string_view names[] = {"frechet_text_distance", "central_moment_discrepancy",
                                          "pairwise_similarity", "mauve"};
    return names[static_cast<int>(measure_)];
  }
  Direction direction() const;
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  EmbeddingMeasure measure_;
};

}  // namespace synthema
