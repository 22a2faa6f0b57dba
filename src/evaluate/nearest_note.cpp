#include "synthema/evaluate/privacy/nearest_note.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "src/evaluate/common_subsequence.hpp"
#include "src/evaluate/nearest_intervals.hpp"
#include "src/text/intern_texts.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/mean.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/text/bm25.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

namespace {

using Ids = std::vector<WordId>;
constexpr double kNearNote =
    0.05;  // share of the holdout texts that a near copy is more like a training text than
constexpr std::size_t kNoSource = std::numeric_limits<std::size_t>::max();

// Texts to be found, and what finds them.
struct Sources {
  Bm25 index;
  std::vector<Ids> words;
};

struct Found {
  std::vector<double> rouge, bm25;   // by text: of its most similar source
  std::vector<std::size_t> nearest;  // which that is by ROUGE-L, of equals the best by BM25; or kNoSource
};

class Search {
 public:
  Search(std::size_t candidates, const EvaluationContext& context)
      : candidates_(candidates), context_(context) {}

  Sources sources(const std::vector<std::string>& texts) { return {Bm25::fit(texts), ids(texts)}; }
  Found nearest(const std::vector<std::string>& texts, const Sources& sources) {
    const std::vector<Ids> mine = ids(texts);
    Found out{std::vector<double>(texts.size()), std::vector<double>(texts.size()),
              std::vector<std::size_t>(texts.size(), kNoSource)};
    parallel_for(
        texts.size(),
        [&](std::size_t i) {
          context_.cancel.check();
          const detail::CommonSubsequence lcs(mine[i]);
          for (const Hit& hit : sources.index.search(texts[i], candidates_)) {
            const Ids& other = sources.words[hit.document];
            const auto both = static_cast<double>(mine[i].size() + other.size());
            const double rouge = both > 0 ? 2 * static_cast<double>(lcs.with(other)) / both : 0;
            if (rouge > out.rouge[i]) {
              out.rouge[i] = rouge;
              out.nearest[i] = hit.document;
            }
            out.bm25[i] = std::max(out.bm25[i], hit.score);
          }
        },
        context_.threads);
    return out;
  }

 private:
  std::vector<Ids> ids(const std::vector<std::string>& texts) {
    return detail::intern_texts(texts, vocabulary_, context_.threads);
  }
  std::size_t candidates_;
  const EvaluationContext& context_;
  Vocabulary vocabulary_;
};

// Real texts and whose they are.
struct Side {
  std::vector<std::string> texts;
  Units units;
};

// At most `most` texts, those that what they say decides.
Side drawn(const TextSample& sample, std::size_t most, std::uint64_t seed) {
  std::vector<std::size_t> order(sample.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) -> const std::string& { return sample.texts[i]; });
  Random random = Random(seed).stream(0x6E6F7465);
  random.shuffle(order);
  order.resize(std::min(most, order.size()));
  Side out{{}, sample.units.take(order)};
  for (const std::size_t i : order) out.texts.push_back(sample.texts[i]);
  return out;
}

// Texts with the same nearest real unit are one unit.
Units by_nearest(const Found& found, const Units& real) {
  Units out{message("nearest training ", real.name), {}, real.count};
  for (const std::size_t nearest : found.nearest)
    out.of_row.push_back(nearest == kNoSource ? out.count++ : real.of_row[nearest]);
  std::vector<std::size_t> all(out.of_row.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return out.take(all);
}

// The share of texts that are more like a training text than like a holdout text, of equally many.
void score_share(Score& score, const TextSample& training, const TextSample& holdout,
                 const TextSample& synthetic, Search& search, const EvaluationContext& context) {
  const std::size_t equal = std::min(training.size(), holdout.size());
  const Side sides[] = {drawn(training, equal, context.seed), drawn(holdout, equal, context.seed)};
  Found found[2];
  std::vector<double> weights[2];  // by real unit: how many texts it is nearest to
  for (const int side : {0, 1}) {
    found[side] = search.nearest(synthetic.texts, search.sources(sides[side].texts));
    weights[side].resize(sides[side].units.count);
  }
  std::vector<double> nearer;
  for (std::size_t i = 0; i < synthetic.size(); ++i) {
    const double to_training = found[0].rouge[i], to_holdout = found[1].rouge[i];
    nearer.push_back(to_training > to_holdout ? 1 : to_training == to_holdout ? 0.5 : 0);
    const double won[] = {nearer.back(), 1 - nearer.back()};
    for (const int side : {0, 1})
      if (const std::size_t nearest = found[side].nearest[i]; nearest != kNoSource)
        weights[side][sides[side].units.of_row[nearest]] += won[side];
  }
  detail::set_mean(score, nearer, false, synthetic.units, "texts", context);
  weights[0].insert(weights[0].end(), weights[1].begin(), weights[1].end());
  const double independent = detail::independent_items(weights[0], static_cast<double>(synthetic.size()));
  detail::widen(score, detail::split_interval(mean_of(nearer), independent, "texts", training.units.name));
  score.ceiling = Bound{0.5, "theory: training and holdout texts are treated alike"};
  score.parts.push_back({"compared training and holdout texts", static_cast<double>(equal), equal, ""});
}

}  // namespace

NearestNote::NearestNote(Measure measure, std::size_t candidates)
    : measure_(measure), candidates_(candidates) {
  if (candidates == 0) throw ConfigError({.field = "candidates"}, "At least one candidate is needed.");
}

std::string_view NearestNote::name() const {
  constexpr std::string_view names[] = {"nearest_note_rouge", "near_note_copies", "nearest_note_share"};
  return names[static_cast<int>(measure_)];
}

Score NearestNote::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  constexpr const char* estimands[] = {
      "Mean ROUGE-L of synthetic texts with their most similar training text.",
      "Share of synthetic texts that are more like a training text than 95 % of the holdout texts are.",
      "Share of synthetic texts that are more like a training text than like a holdout text."};
  Score score = start_score(*this, estimands[static_cast<int>(measure_)],
                            message("ROUGE-L F1 of words(), largest of the ", candidates_, " best by BM25"));
  if (!real) return undefined(std::move(score), "No real table was given.");
  const auto training = text_sample_if_any(real, context, SplitWords::no);
  if (!training || training->size() == 0)
    return undefined(std::move(score), "The real table has no texts in this column.");
  const auto holdout = text_sample_if_any(context.holdout.get(), context, SplitWords::no);
  const bool held = holdout && holdout->size() > 0;
  if (!held && measure_ != Measure::likeness)
    return undefined(std::move(score), "No holdout with texts was given.");
  const TextSample sample = text_sample(synthetic, context, score, SplitWords::no);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  Search search(candidates_, context);
  const std::string from_holdout = held ? message("holdout, ", counted(holdout->size(), "real text")) : "";
  if (measure_ == Measure::share) {
    score_share(score, *training, *holdout, sample, search, context);
    return score;
  }
  const Sources sources = search.sources(training->texts);
  const Found found = search.nearest(sample.texts, sources);
  if (measure_ == Measure::likeness) {
    detail::set_mean(score, found.rouge, false, sample.units, "texts", context);
    score.parts.push_back(
        {"BM25", mean_of(found.bm25), sample.size(), "mean score of the best training text"});
    if (held) score.ceiling = Bound{mean_of(search.nearest(holdout->texts, sources).rouge), from_holdout};
    return score;
  }
  std::vector<double> of_holdout = search.nearest(holdout->texts, sources).rouge;
  std::sort(of_holdout.begin(), of_holdout.end());
  const double near = quantile(of_holdout, 1 - kNearNote);
  std::vector<double> copies;
  for (const double one : found.rouge) copies.push_back(one > near);
  detail::set_near_share(score, copies, sample.units, by_nearest(found, training->units), "texts", kNearNote,
                         holdout->units.count, context);
  const auto above = of_holdout.end() - std::upper_bound(of_holdout.begin(), of_holdout.end(), near);
  score.ceiling = Bound{static_cast<double>(above) / static_cast<double>(of_holdout.size()), from_holdout};
  score.parts.push_back({"ROUGE-L", near, of_holdout.size(), "95 % quantile of the holdout's"});
  return score;
}

}  // namespace synthema
