#include "synthema/evaluate/text/embedding_distance.hpp"

#include <algorithm>
#include <cmath>

#include "src/evaluate/embedded_texts.hpp"
#include "src/evaluate/vector_distances.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/plug_in_error.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using enum EmbeddingMeasure;

struct NamedDistance {
  const char *estimand, *definition;
};
constexpr NamedDistance kNamedDistance[] = {
    {"Frechet distance of the vectors of both tables' texts, as if they were Gaussian.",
     "|m_R - m_S|^2 + tr(C_R + C_S - 2 (C_R C_S)^(1/2)) (Heusel et al. 2017)"},
    {"Distance of the moments of the vectors of both tables' texts.",
     "central moment discrepancy, orders 1 to 5 (Zellinger et al. 2017)"},
    {"Mean cosine of two different synthetic texts.", "all pairs of vectors of length 1"},
    {"Area under the curve of divergences of the clusters of both tables' texts.",
     "MAUVE (Pillutla et al. 2021), scale 5, 25 weights, a tenth as many clusters as texts"}};

// Vectors in an order that the texts decide, so that the order of the rows changes nothing.
Eigen::MatrixXd vectors_of(const EvaluationContext& context, std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return detail::embedded_texts(context, texts).cast<double>();
}

double measure(EmbeddingMeasure which, const Eigen::MatrixXd& real, const Eigen::MatrixXd& other,
               const EvaluationContext& context) {
  if (which == frechet) return detail::frechet_distance(real, other);
  if (which == central_moments) return detail::central_moment_discrepancy(real, other);
  return detail::mauve(real, other, Random(context.seed).stream(0x6D617576), context.threads, context.cancel);
}

}  // namespace

Direction EmbeddingDistance::direction() const {
  return measure_ == mauve ? Direction::higher : measure_ == similarity ? Direction::none : Direction::lower;
}
Range EmbeddingDistance::range() const {
  if (measure_ == similarity) return {-1, 1};
  return {0, measure_ == mauve ? 1 : std::numeric_limits<double>::infinity()};
}

Score EmbeddingDistance::evaluate(const Table* real, const Table& synthetic,
                                  const EvaluationContext& context) const {
  const NamedDistance& named = kNamedDistance[static_cast<int>(measure_)];
  const std::string encoder = context.embedder_name.empty() ? "an embedder" : context.embedder_name;
  Score score = start_score(*this, named.estimand, message(named.definition, ", vectors of ", encoder));
  if (!context.embedder) return undefined(std::move(score), "No embedder was given.");
  const TextSample sample = text_sample(synthetic, context, score, SplitWords::no);
  if (sample.size() < 2) return undefined(std::move(score), "There are fewer than two texts.");
  const auto there = text_sample_if_any(real, context, SplitWords::no),
             held = text_sample_if_any(context.holdout.get(), context, SplitWords::no);
  score.n = sample.size();
  score.no_interval = "Resampling repeats texts, which moves every one of these measures.";
  if (measure_ == similarity) {
    score.value = std::clamp(detail::mean_similarity(vectors_of(context, sample.texts)), -1.0, 1.0);
    if (there && there->size() > 1)
      score.parts.push_back({"real texts", detail::mean_similarity(vectors_of(context, there->texts)),
                             there->size(), "mean cosine of two of them"});
    return score;
  }
  if (!there || there->size() < 2)
    return undefined(std::move(score), "No real table with two texts or more was given.");
  const Eigen::MatrixXd r = vectors_of(context, there->texts), s = vectors_of(context, sample.texts);
  if (r.rows() != s.rows())
    throw PlugInError("The embedder gave real and synthetic texts vectors of different length.");
  score.value = measure(measure_, r, s, context);
  const auto width = static_cast<std::size_t>(r.rows());
  if (measure_ == frechet && std::min(sample.size(), there->size()) < 10 * width)
    score.warnings.push_back(message("With fewer than ten texts for each of the ", width,
                                     " dimensions the distance is biased upwards: read it beside its ceiling "
                                     "only."));
  if (measure_ == mauve && std::min(sample.size(), there->size()) < 1000)
    score.warnings.push_back("MAUVE is unsteady with fewer than 1,000 texts in either table.");
  if (held && held->size() > 1)
    score.ceiling = Bound{measure(measure_, r, vectors_of(context, held->texts), context),
                          message("holdout, ", counted(held->size(), "text"))};
  return score;
}

}  // namespace synthema
