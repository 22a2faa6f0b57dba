#include "synthema/evaluate/privacy/nearest_note.hpp"

#include <algorithm>
#include <numeric>

#include "src/evaluate/common_subsequence.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/evaluate/text/rouge.hpp"
#include "synthema/text/bm25.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

namespace {

using Ids = std::vector<WordId>;
constexpr double kNear = 0.95;  // of the holdout texts are less like a training text than a near copy is

// Texts to be found, and what finds them.
struct Sources {
  Bm25 index;
  std::vector<Ids> words;
};

struct Found {
  std::vector<double> rouge, bm25;  // by text: of its most similar source
};

class Search {
 public:
  Search(std::size_t candidates, const EvaluationContext& context)
      : candidates_(candidates), context_(context) {}

  Sources sources(const std::vector<std::string>& texts) { return {Bm25::fit(texts), ids(texts)}; }
  Found nearest(const std::vector<std::string>& texts, const Sources& sources) {
    const std::vector<Ids> mine = ids(texts);
    Found out{std::vector<double>(texts.size()), std::vector<double>(texts.size())};
    parallel_for(
        texts.size(),
        [&](std::size_t i) {
          context_.cancel.check();
          const detail::CommonSubsequence lcs(mine[i]);
          for (const Hit& hit : sources.index.search(texts[i], candidates_)) {
            const Ids& other = sources.words[hit.document];
            const auto both = static_cast<double>(mine[i].size() + other.size());
            if (both > 0)
              out.rouge[i] = std::max(out.rouge[i], 2 * static_cast<double>(lcs.with(other)) / both);
            out.bm25[i] = std::max(out.bm25[i], hit.score);
          }
        },
        context_.threads);
    return out;
  }

 private:
  std::vector<Ids> ids(const std::vector<std::string>& texts) {
    std::vector<Ids> out;
    for (const std::string& text : texts) out.push_back(vocabulary_.intern_all(rouge_tokens(text)));
    return out;
  }
  std::size_t candidates_;
  const EvaluationContext& context_;
  Vocabulary vocabulary_;
};

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void set_mean(Score& score, const std::vector<double>& values, bool share, const Units& units,
              const EvaluationContext& context) {
  RatioRows ratio{.numerator = {}, .denominator = {}, .share = share};
  for (const double value : values) ratio.add(value);
  set_ratio(score, ratio, units, context);
  if (score.interval) score.interval->method += ", real texts held fixed";
}

// At most `most` texts, those that what they say decides.
std::vector<std::string> drawn(std::vector<std::string> texts, std::size_t most, std::uint64_t seed) {
  std::sort(texts.begin(), texts.end());
  Random random = Random(seed).stream(0x6E6F7465);
  random.shuffle(texts);
  texts.resize(std::min(most, texts.size()));
  return texts;
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
                            message("ROUGE-L F1, largest of the ", candidates_, " best by BM25"));
  if (!real) return undefined(std::move(score), "No real table was given.");
  const auto training = text_sample_if_any(real, context);
  if (!training || training->size() == 0)
    return undefined(std::move(score), "The real table has no texts in this column.");
  const auto holdout = text_sample_if_any(context.holdout.get(), context);
  const bool held = holdout && holdout->size() > 0;
  if (!held && measure_ != Measure::likeness)
    return undefined(std::move(score), "No holdout with texts was given.");
  const TextSample sample = text_sample(synthetic, context, score);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  Search search(candidates_, context);
  const std::string from_holdout = held ? message("holdout, ", counted(holdout->size(), "real text")) : "";
  if (measure_ == Measure::share) {
    const std::size_t equal = std::min(training->size(), holdout->size());
    const Sources a = search.sources(drawn(training->texts, equal, context.seed)),
                  b = search.sources(drawn(holdout->texts, equal, context.seed));
    const Found to_training = search.nearest(sample.texts, a), to_holdout = search.nearest(sample.texts, b);
    std::vector<double> nearer;
    for (std::size_t i = 0; i < sample.size(); ++i)
      nearer.push_back(to_training.rouge[i] > to_holdout.rouge[i]    ? 1
                       : to_training.rouge[i] == to_holdout.rouge[i] ? 0.5
                                                                     : 0);
    set_mean(score, nearer, false, sample.units, context);
    score.ceiling = Bound{0.5, "theory: training and holdout texts are treated alike"};
    score.parts.push_back({"compared training and holdout texts", static_cast<double>(equal), equal, ""});
    return score;
  }
  const Sources sources = search.sources(training->texts);
  const Found found = search.nearest(sample.texts, sources);
  if (measure_ == Measure::likeness) {
    set_mean(score, found.rouge, false, sample.units, context);
    score.parts.push_back({"BM25", mean(found.bm25), sample.size(), "mean score of the best training text"});
    if (held) score.ceiling = Bound{mean(search.nearest(holdout->texts, sources).rouge), from_holdout};
    return score;
  }
  std::vector<double> of_holdout = search.nearest(holdout->texts, sources).rouge;
  std::sort(of_holdout.begin(), of_holdout.end());
  const double near = quantile(of_holdout, kNear);
  std::vector<double> copies;
  for (const double one : found.rouge) copies.push_back(one > near);
  set_mean(score, copies, true, sample.units, context);
  const auto above = of_holdout.end() - std::upper_bound(of_holdout.begin(), of_holdout.end(), near);
  score.ceiling = Bound{static_cast<double>(above) / static_cast<double>(of_holdout.size()), from_holdout};
  score.parts.push_back({"ROUGE-L", near, of_holdout.size(), "95 % quantile of the holdout's"});
  return score;
}

}  // namespace synthema
