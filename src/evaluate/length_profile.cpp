#include "synthema/evaluate/text/length_profile.hpp"

#include <algorithm>
#include <limits>

#include "synthema/core/mean.hpp"
#include "synthema/evaluate/distance.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {

std::vector<double> lengths_of(const TextSample& sample) {
  std::vector<double> out;
  for (const auto& text : sample.words) out.push_back(static_cast<double>(text.size()));
  return out;
}

void add_quantiles(Score& score, std::vector<double> lengths) {
  std::sort(lengths.begin(), lengths.end());
  const auto n = static_cast<std::uint64_t>(lengths.size());
  constexpr std::pair<const char*, double> wanted[] = {
      {"minimum", 0}, {"lower quartile", 0.25}, {"median", 0.5}, {"upper quartile", 0.75}, {"maximum", 1}};
  for (const auto& [name, q] : wanted) score.parts.push_back({name, quantile(lengths, q), n, "words"});
}

double sentences(const TextSample& sample) {
  double sum = 0;
  for (const std::string& text : sample.texts) sum += static_cast<double>(sentence_count(text));
  return sum / static_cast<double>(sample.size());
}

void add_real(Score& score, const TextSample& real, const std::vector<double>& lengths) {
  const std::vector<double> there = lengths_of(real);
  const auto n = static_cast<std::uint64_t>(there.size());
  score.parts.push_back({"real mean", mean_of(there), n, "words"});
  score.parts.push_back({"KS distance to real", ks_distance(lengths, there), n, "0: the same lengths"});
  score.parts.push_back({"W1 distance to real", wasserstein_distance(lengths, there), n, "words"});
}

}  // namespace

Range LengthProfile::range() const {
  return {0, std::numeric_limits<double>::infinity()};
}

Score LengthProfile::evaluate(const Table* real, const Table& synthetic,
                              const EvaluationContext& context) const {
  Score score = start_score(*this, "Mean number of words of a text.", "words as words() makes them");
  const TextSample sample = text_sample(synthetic, context, score);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  const std::vector<double> lengths = lengths_of(sample);
  RatioRows rows;
  for (const double length : lengths) rows.add(length);
  set_ratio(score, rows, sample.units, context);
  add_quantiles(score, lengths);
  score.parts.push_back({"sentences", sentences(sample), score.n, "mean of a text"});
  if (const auto there = text_sample_if_any(real, context); there && there->size() > 0)
    add_real(score, *there, lengths);
  return score;
}

}  // namespace synthema
