#include "synthema/evaluate/text/memorisation.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/text/phrase_index.hpp"

namespace synthema {

namespace {

constexpr std::size_t kOrder = 5, kLongRun = 8;

void add_column(PhraseIndex& index, const Column& column) {
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) index.add_text(column.text_at(row));
}

void add_exemplars(PhraseIndex& index, const Table& exemplars, const EvaluationContext& context) {
  if (exemplars.has(context.text_column)) {
    add_column(index, exemplars.column(context.text_column));
    return;
  }
  for (std::size_t i = 0; i < exemplars.columns(); ++i)
    if (exemplars.column(i).kind() == Kind::text) add_column(index, exemplars.column(i));
}

// Definitions of the labels that occur; of all terms where there are no labels.
void add_definitions(PhraseIndex& index, const Table& terms, const TextSample& sample) {
  const std::set<std::string> wanted(sample.labels.begin(), sample.labels.end());
  const TermList list(terms);
  for (const Term& term : list.terms())
    if (sample.labels.empty() || wanted.contains(term.id)) index.add_text(term.definition);
}

// What a text counts in the measure: numerator and denominator of its share of the score.
std::pair<double, double> copied(Memorisation::Measure measure, const std::vector<std::size_t>& matched) {
  const std::size_t longest = matched.empty() ? 0 : *std::max_element(matched.begin(), matched.end());
  if (measure == Memorisation::Measure::longest_run) return {static_cast<double>(longest), 1};
  if (measure == Memorisation::Measure::long_copies) return {longest >= kLongRun ? 1 : 0, 1};
  // A word 5-gram ends at each place from the fifth on; it occurs in a source if five words match there.
  const auto shown = std::count_if(matched.begin(), matched.end(), [](std::size_t m) { return m >= kOrder; });
  const std::size_t grams = matched.size() < kOrder ? 0 : matched.size() - kOrder + 1;
  return {static_cast<double>(shown), static_cast<double>(grams)};
}

RatioRows copied_by_row(Memorisation::Measure measure, const PhraseIndex& index, const TextSample& sample) {
  RatioRows out{.numerator = {}, .denominator = {}, .share = measure == Memorisation::Measure::long_copies};
  for (const auto& text : sample.words) {
    const auto [part, whole] = copied(measure, index.matched_lengths(text));
    out.add(part, whole);
  }
  return out;
}

}  // namespace

std::string_view Memorisation::name() const {
  constexpr std::string_view names[] = {"exemplar_overlap_5", "longest_copied_run", "long_copy_share"};
  return names[static_cast<int>(measure_)];
}

Range Memorisation::range() const {
  return {0, measure_ == Measure::longest_run ? std::numeric_limits<double>::infinity() : 1};
}

Score Memorisation::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  constexpr const char* estimands[] = {
      "Share of word 5-grams that occur in an exemplar or definition shown in the prompts.",
      "Mean over texts of the longest run of words copied from an exemplar or definition.",
      "Share of texts with a run of at least 8 words copied from an exemplar or definition."};
  Score score = start_score(*this, estimands[static_cast<int>(measure_)],
                            "exact runs of words(), never across two sources");
  const bool have_exemplars = context.exemplars && context.exemplars->rows() > 0;
  const bool have_terms = context.terms && context.terms->rows() > 0;
  if (!have_exemplars && !have_terms)
    return undefined(std::move(score), "Neither exemplars nor a term list with definitions were given.");
  const TextSample sample = text_sample(synthetic, context, score);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  PhraseIndex exemplars, definitions, both;
  if (have_exemplars)
    add_exemplars(exemplars, *context.exemplars, context), add_exemplars(both, *context.exemplars, context);
  if (have_terms)
    add_definitions(definitions, *context.terms, sample), add_definitions(both, *context.terms, sample);
  const RatioRows rows = copied_by_row(measure_, both, sample);
  set_ratio(score, rows, sample.units, context);
  if (!score.value) return undefined(std::move(score), "No text has five words or more.");
  const auto part = [&](const char* name, const PhraseIndex& index) {
    score.parts.push_back({name, copied_by_row(measure_, index, sample).value(), score.n, ""});
  };
  if (have_exemplars) part("exemplars", exemplars);
  if (have_terms) part("definitions", definitions);
  if (measure_ == Measure::longest_run)
    score.parts.push_back(
        {"maximum", *std::max_element(rows.numerator.begin(), rows.numerator.end()), 1, "words"});
  if (const auto holdout = text_sample_if_any(context.holdout.get(), context); holdout && holdout->size() > 0)
    if (const auto value = copied_by_row(measure_, both, *holdout).value())
      score.ceiling = Bound{*value, message("holdout texts, ", counted(holdout->size(), "row"))};
  return score;
}

}  // namespace synthema
