#include "synthema/evaluate/privacy/canary_exposure.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/evaluate/scored_texts.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/text/phrase_index.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {

struct Canaries {
  std::vector<std::string> planted, others;
  std::size_t unknown = 0;  // of which it is not told
};

Canaries read(const Table& table) {
  for (const char* name : {"text", "planted"})
    if (!table.has(name))
      throw EvaluationError({.field = name}, "A table of canaries needs the columns 'text' and 'planted'.");
  const Column &texts = text_column(table, "text"), &planted = table.column("planted");
  if (planted.kind() != Kind::boolean && planted.kind() != Kind::integer && planted.kind() != Kind::real)
    throw EvaluationError({.field = "planted"},
                          "Whether a canary was planted is true or false, or a number.");
  Canaries out;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (texts.is_null(row)) continue;
    if (planted.is_null(row)) {
      ++out.unknown;
      continue;
    }
    (planted.number_at(row) != 0 ? out.planted : out.others).emplace_back(texts.text_at(row));
  }
  return out;
}

std::vector<double> log_probabilities(const std::vector<std::string>& texts,
                                      const EvaluationContext& context) {
  std::vector<double> out;
  for (const auto& tokens : detail::scored_texts(context, texts))
    out.push_back(std::accumulate(tokens.begin(), tokens.end(), 0.0));
  return out;
}

// Share of a canary's words in the longest run that one text repeats.
std::vector<double> repeated(const std::vector<std::string>& canaries, const PhraseIndex& texts) {
  std::vector<double> out;
  for (const std::string& canary : canaries) {
    const std::vector<std::string> of_canary = words(canary);
    out.push_back(of_canary.empty() ? 0
                                    : static_cast<double>(texts.longest_run(of_canary)) /
                                          static_cast<double>(of_canary.size()));
  }
  return out;
}

// Of each planted canary, by how well it and the others are known.
RatioRows exposures(const std::vector<double>& planted, std::vector<double> others) {
  std::sort(others.begin(), others.end());
  RatioRows out;
  for (const double one : planted) {
    const auto [low, high] = std::equal_range(others.begin(), others.end(), one);
    const double rank = 1 + static_cast<double>(others.end() - high) + static_cast<double>(high - low) / 2;
    out.add(std::log2(static_cast<double>(others.size()) + 1) - std::log2(rank));
  }
  return out;
}

}  // namespace

Range CanaryExposure::range() const {
  return {0, std::numeric_limits<double>::infinity()};
}

Score CanaryExposure::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  Score score =
      start_score(*this, "Mean exposure of the planted canaries, in bits.",
                  message("log2(canaries not planted + 1) - log2(rank), by the longest repeated part",
                          context.text_scorer ? " or by log-probability, whichever tells more" : "",
                          " (Carlini et al. 2019)"));
  if (!canaries_) return undefined(std::move(score), "No canaries were given.");
  const Canaries canaries = read(*canaries_);
  if (canaries.unknown > 0)
    score.warnings.push_back(
        message("Left out: ", canaries.unknown, " of the canaries, of which 'planted' is missing."));
  if (canaries.planted.empty() || canaries.others.empty())
    return undefined(std::move(score), "Canaries of both kinds are needed, planted and not planted.");
  const TextSample sample = text_sample(synthetic, context, score);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  PhraseIndex texts;
  for (const auto& text : sample.words) texts.add(text);
  const std::vector<double> found = repeated(canaries.planted, texts);
  RatioRows known = exposures(found, repeated(canaries.others, texts));
  const auto planted = static_cast<std::uint64_t>(found.size());
  std::vector<ScorePart> parts;
  if (context.text_scorer) {  // perhaps of a model that never saw a canary: the texts are asked all the same
    const RatioRows by_model =
        exposures(log_probabilities(canaries.planted, context), log_probabilities(canaries.others, context));
    parts = {{"by the longest repeated part", known.value(), planted, "bits"},
             {"by log-probability", by_model.value(), planted, "bits"}};
    if (*by_model.value() > *known.value()) known = by_model;
  }
  set_ratio(score, known, Units::rows(planted), context);
  const auto all = static_cast<double>(canaries.others.size()) + 1;
  double chance = 0;
  for (double rank = 1; rank <= all; ++rank) chance += (std::log2(all) - std::log2(rank)) / all;
  score.ceiling = Bound{chance, "theory: planted canaries are like the others"};
  const auto whole = std::count_if(found.begin(), found.end(), [](double one) { return one >= 1; });
  score.parts = {{"found whole", static_cast<double>(whole) / static_cast<double>(found.size()), planted,
                  "a synthetic text repeats the canary word for word"},
                 {"largest possible", std::log2(all), canaries.others.size(), "of an exposure"}};
  score.parts.insert(score.parts.end(), parts.begin(), parts.end());
  return score;
}

}  // namespace synthema
