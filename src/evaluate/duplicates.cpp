#include "synthema/evaluate/text/duplicates.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "src/evaluate/distinct_items.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/text/ngrams.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

namespace {

constexpr std::size_t kShingle = 3;
constexpr std::size_t kManyCandidates = 2000;  // that threads are worth it
using Shingles = std::vector<NgramId>;         // a set, ascending

std::string normalised(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) (out += word) += ' ';
  return out;
}

Shingles unique_shingles(NgramTrie& trie, const std::vector<WordId>& text) {
  Shingles out = trie.intern(text, std::min(kShingle, std::max<std::size_t>(1, text.size())));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Shingle sets of all texts. Shingles are numbered anew from the rarest to the commonest, so that an
// ascending set is in the order that prefix filtering wants. `count` becomes their number.
std::vector<Shingles> shingle_sets(const TextSample& sample, std::size_t& count) {
  Vocabulary vocabulary;
  NgramTrie trie;
  std::vector<Shingles> sets;
  for (const auto& text : sample.words) sets.push_back(unique_shingles(trie, vocabulary.intern_all(text)));
  count = trie.size();
  std::vector<std::size_t> frequency(count, 0);
  for (const Shingles& set : sets)
    for (const NgramId id : set) ++frequency[id];
  std::vector<NgramId> order(count), rank(count);
  std::iota(order.begin(), order.end(), NgramId{0});
  std::sort(order.begin(), order.end(), [&](NgramId a, NgramId b) {
    return frequency[a] != frequency[b] ? frequency[a] < frequency[b] : a < b;
  });
  for (std::size_t i = 0; i < count; ++i) rank[order[i]] = static_cast<NgramId>(i);
  for (Shingles& set : sets) {
    for (NgramId& id : set) id = rank[id];
    std::sort(set.begin(), set.end());
  }
  return sets;
}

// Size of the smallest overlap of sets of these sizes that reaches the threshold. The small allowance keeps a
// pair exactly at the threshold, which rounding could otherwise lose; `similar` decides.
std::size_t needed_overlap(std::size_t a, std::size_t b, double threshold) {
  return static_cast<std::size_t>(std::ceil(threshold / (1 + threshold) * static_cast<double>(a + b) - 1e-9));
}

bool similar(const Shingles& a, const Shingles& b, double threshold) {
  const std::size_t needed = needed_overlap(a.size(), b.size(), threshold);
  std::size_t common = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (common + static_cast<std::size_t>(std::min(a.end() - i, b.end() - j)) < needed) return false;
    if (*i == *j)
      ++common, ++i, ++j;
    else if (*i < *j)
      ++i;
    else
      ++j;
  }
  const auto both = static_cast<double>(a.size() + b.size() - common);
  return static_cast<double>(common) >= threshold * both - 1e-12;
}

// Texts that some text is similar to, by text. A pair at the threshold shares a shingle among the rarest
// size - needed + 1 of each, so only those are looked up.
std::vector<std::vector<std::size_t>> similar_texts(const TextSample& sample, double threshold,
                                                    const EvaluationContext& context) {
  std::size_t count = 0;
  const std::vector<Shingles> sets = shingle_sets(sample, count);
  std::vector<std::vector<std::size_t>> out(sets.size());
  std::vector<std::vector<std::uint32_t>> index(count);
  std::vector<std::size_t> candidates, seen(sets.size(), sets.size());
  for (std::size_t i = 0; i < sets.size(); ++i) {
    context.cancel.check();
    const std::size_t size = sets[i].size();
    // A partner has at least threshold * size shingles, so at least that many are shared.
    const auto least = static_cast<std::size_t>(std::ceil(threshold * static_cast<double>(size) - 1e-9));
    const std::size_t prefix = std::min(size, size - std::min(size, least) + 1);
    candidates.clear();
    for (std::size_t k = 0; k < prefix; ++k)
      for (const std::uint32_t j : index[sets[i][k]])
        if (seen[j] != i) {
          seen[j] = i;
          candidates.push_back(j);
        }
    std::sort(candidates.begin(), candidates.end());
    std::vector<char> found(candidates.size());
    parallel_for(
        candidates.size(),
        [&](std::size_t c) {
          const Shingles& other = sets[candidates[c]];
          found[c] = std::min(size, other.size()) >= needed_overlap(size, other.size(), threshold) &&
                             similar(sets[i], other, threshold)
                         ? 1
                         : 0;
        },
        candidates.size() > kManyCandidates ? context.threads : 1, 64);
    for (std::size_t c = 0; c < candidates.size(); ++c) {
      if (found[c] == 0) continue;
      out[i].push_back(candidates[c]);
      out[candidates[c]].push_back(i);
    }
    for (std::size_t k = 0; k < prefix; ++k) index[sets[i][k]].push_back(static_cast<std::uint32_t>(i));
  }
  return out;
}

// Share of texts with a similar one, without each unit: its own texts go, and so does the mark of texts whose
// similar ones all belong to it.
std::vector<double> without_each(const std::vector<std::vector<std::size_t>>& neighbours,
                                 const Units& units) {
  std::vector<double> marked(units.count), lost(units.count), texts(units.count), out;
  double all = 0;
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    const std::size_t own = units.of_row[i];
    ++texts[own];
    if (neighbours[i].empty()) continue;
    ++all;
    ++marked[own];
    std::set<std::size_t> there;
    for (const std::size_t j : neighbours[i]) there.insert(units.of_row[j]);
    if (there.size() == 1 && *there.begin() != own) ++lost[*there.begin()];
  }
  const auto n = static_cast<double>(neighbours.size());
  for (std::size_t u = 0; u < units.count; ++u)
    out.push_back(n > texts[u] ? (all - marked[u] - lost[u]) / (n - texts[u]) : 0);
  return out;
}

// Variance that the jackknife counts twice, from the second differences of the number of marked texts: a text
// whose similar ones all belong to one other unit is lost with either of the two, and one whose similar ones
// belong to exactly two others is lost with both of them only.
double second_order(const std::vector<std::vector<std::size_t>>& neighbours, const Units& units) {
  if (units.count < 2) return 0;
  std::map<std::pair<std::size_t, std::size_t>, double> differences;
  for (std::size_t i = 0; i < neighbours.size(); ++i) {
    const std::size_t own = units.of_row[i];
    std::set<std::size_t> there;
    for (const std::size_t j : neighbours[i]) there.insert(units.of_row[j]);
    if (there.size() == 1 && *there.begin() != own)
      ++differences[std::minmax(own, *there.begin())];
    else if (there.size() == 2 && !there.contains(own))
      --differences[{*there.begin(), *there.rbegin()}];
  }
  double squares = 0;
  for (const auto& [pair, difference] : differences) squares += difference * difference;
  return detail::second_order_variance(squares, units.count, neighbours.size());
}

// The rows that have words.
TextSample with_words(const TextSample& sample, Score& score) {
  TextSample out;
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < sample.size(); ++row)
    if (!sample.words[row].empty()) {
      kept.push_back(row);
      out.texts.push_back(sample.texts[row]);
      out.words.push_back(sample.words[row]);
    }
  out.units = sample.units.take(kept);
  if (kept.size() < sample.size())
    score.warnings.push_back(
        message("Left out: ", counted(sample.size() - kept.size(), "text"), " without words."));
  return out;
}

// `of_pair`: what a pair of equal texts adds to the number of marked ones. A few duplicates are a few such
// events, whose interval is Wilson's over as many as there could be.
constexpr double kFewestEvents = 5;

void set_value(Score& score, double value, const std::vector<double>& without, double second_order,
               std::size_t of_pair, const TextSample& sample) {
  score.n = sample.size();
  score.value = value;
  const std::size_t most = sample.units.count / of_pair;
  const double events = value * static_cast<double>(most);
  if (most > 0 && (std::min(events, static_cast<double>(most) - events) < kFewestEvents)) {
    score.interval = wilson(events, static_cast<double>(most));
    score.interval->method = message("Wilson over ", most, of_pair == 2 ? " pairs of " : " ",
                                     sample.units.name, " (too few for a jackknife)");
    return;
  }
  set_jackknife(score, without, sample.units, second_order);
}

}  // namespace

Score ExactDuplicates::evaluate(const Table* real, const Table& synthetic,
                                const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of texts that repeat another one word for word.",
                            "1 - different texts / texts, compared as words()");
  const TextSample sample = with_words(text_sample(synthetic, context, score), score);
  if (sample.size() == 0) return undefined(std::move(score), "There is no text with words.");
  const auto share = [](double different, double total) { return total > 0 ? 1 - different / total : 0; };
  const auto items_of = [](const TextSample& texts) {
    Vocabulary known;
    detail::DistinctItems items(texts.units);
    for (std::size_t row = 0; row < texts.size(); ++row)
      items.add(row, known.intern(normalised(texts.words[row])));
    return items;
  };
  const detail::DistinctItems items = items_of(sample);
  set_value(score, share(items.different(), items.total()), items.without_each(share), items.second_order(),
            1, sample);
  add_real_part(score, real, context, sample.size(), [&](const TextSample& other) {
    const detail::DistinctItems there = items_of(other);
    return std::optional(share(there.different(), there.total()));
  });
  return score;
}

NearDuplicates::NearDuplicates(double threshold) : threshold_(threshold) {
  if (!(threshold > 0 && threshold <= 1))
    throw ConfigError({.field = "threshold"},
                      "Near duplicates need a Jaccard threshold above 0 and at most 1.");
}

Score NearDuplicates::evaluate(const Table* real, const Table& synthetic,
                               const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of texts with at least one other text that is nearly the same.",
                            message("Jaccard similarity of word 3-gram sets >= ", threshold_));
  const TextSample sample = with_words(text_sample(synthetic, context, score), score);
  if (sample.size() == 0) return undefined(std::move(score), "There is no text with words.");
  const auto neighbours_of = [&](const TextSample& texts) {
    return similar_texts(texts, threshold_, context);
  };
  const auto share = [](const std::vector<std::vector<std::size_t>>& neighbours) {
    const auto marked = std::count_if(neighbours.begin(), neighbours.end(),
                                      [](const auto& others) { return !others.empty(); });
    return static_cast<double>(marked) / static_cast<double>(neighbours.size());
  };
  const auto neighbours = neighbours_of(sample);
  set_value(score, share(neighbours), without_each(neighbours, sample.units),
            second_order(neighbours, sample.units), 2, sample);
  add_real_part(score, real, context, sample.size(),
                [&](const TextSample& other) { return std::optional(share(neighbours_of(other))); });
  return score;
}

}  // namespace synthema
