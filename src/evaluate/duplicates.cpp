#include "synthema/evaluate/text/duplicates.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "src/evaluate/distinct_items.hpp"
#include "src/evaluate/shingles.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/hash_place.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/text/tokens.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

namespace {

constexpr std::size_t kGrain = 64;
constexpr std::size_t kTogether = 256;  // texts of which one list says what was seen
constexpr std::size_t kMostCounts = std::size_t{1} << 24;

using detail::Shingle;
using detail::Shingles;
using detail::ShingleSet;

std::string normalised(const JoinedWords& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) (out += words[i]) += ' ';
  return out;
}

// What is looked up of a set, the rarest shingles; of these the first `kept` find it from larger sets.
struct Prefix {
  Shingles shingles;
  std::size_t kept = 0;
};

// All shingles in one order, from the rarest to the commonest. Where several share a count they look commoner
// than they are: any order finds the same texts, this one by few candidates.
class Rarity {
 public:
  explicit Rarity(std::span<const Shingles> sets) {
    std::size_t all = 0;
    for (const Shingles& set : sets) all += set.size();
    counts_.resize(std::bit_ceil(std::clamp<std::size_t>(all, 1, kMostCounts)));
    for (const Shingles& set : sets)
      for (const Shingle one : set) {
        std::uint16_t& count = counts_[place(one)];
        count += count < kLargestCount ? 1 : 0;
      }
  }

  // Of the `count` first of a set, those that another set may have; kept are those among the `few` first.
  // Those that share a rank with the last one come along, so that no set orders them by itself.
  Prefix first(const Shingles& set, std::size_t count, std::size_t few) const {
    std::vector<std::uint64_t> ranks(set.size());
    Shingles shared(set.size());  // what another set may have
    std::size_t found = 0;
    for (const Shingle one : set) {  // no branch: which ones are shared, no processor could guess
      const std::size_t at = place(one);
      ranks[found] = std::uint64_t{counts_[at]} << 32 | at;
      shared[found] = one;
      found += counts_[at] > 1 ? 1 : 0;
    }
    ranks.resize(found);
    shared.resize(found);
    const std::size_t of_one_set = set.size() - shared.size();  // the rarest
    if (count <= of_one_set) return {};
    std::vector<std::uint64_t> order = ranks;
    auto end = order.end();
    const auto rank_of = [&](std::size_t place) {  // smaller for each call
      if (place <= of_one_set) return std::uint64_t{0};
      const auto at = order.begin() + static_cast<std::ptrdiff_t>(place - of_one_set - 1);
      std::nth_element(order.begin(), at, end);
      end = at + 1;
      return *at;
    };
    const std::uint64_t last = rank_of(count), last_kept = rank_of(few);
    Prefix out;
    for (std::size_t i = 0; i < shared.size(); ++i)
      if (ranks[i] <= last) {
        out.shingles.push_back(shared[i]);
        if (ranks[i] <= last_kept) std::swap(out.shingles.back(), out.shingles[out.kept++]);
      }
    return out;
  }

 private:
  std::size_t place(Shingle one) const { return hash_place(one, counts_.size()); }
  static constexpr std::uint16_t kLargestCount = 0xFFFF;
  std::vector<std::uint16_t> counts_;
};

// Sets, by their number in an ascending order of size, by the shingles that are kept of them.
class ShingleIndex {
 public:
  explicit ShingleIndex(std::span<const Prefix> prefixes) {
    std::size_t all = 0;
    for (const Prefix& prefix : prefixes) all += prefix.kept;
    begin_.resize(std::bit_ceil(all + 1) + 1);
    const auto each_kept = [&](const auto& visit) {
      for (std::uint32_t set = 0; set < prefixes.size(); ++set)
        for (std::size_t k = 0; k < prefixes[set].kept; ++k) visit(prefixes[set].shingles[k], set);
    };
    each_kept([&](Shingle one, std::uint32_t) { ++begin_[place(one) + 1]; });
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    entries_.resize(all);
    std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
    each_kept([&](Shingle one, std::uint32_t set) { entries_[next[place(one)]++] = {one, set}; });
  }
  // Sets before `end` of which the shingle is kept.
  template <class Visit>
  void each_before(std::uint32_t end, Shingle shingle, const Visit& visit) const {
    const std::size_t at = place(shingle);
    for (std::uint32_t i = begin_[at]; i < begin_[at + 1] && entries_[i].set < end; ++i)
      if (entries_[i].shingle == shingle) visit(entries_[i].set);
  }

 private:
  std::size_t place(Shingle shingle) const { return hash_place(shingle, begin_.size() - 1); }
  struct Entry {
    Shingle shingle;
    std::uint32_t set;
  };
  std::vector<std::uint32_t> begin_;  // by place of the shingle
  std::vector<Entry> entries_;        // at each place by set
};

// Size of the smallest overlap of sets of these sizes that reaches the threshold. The small allowance keeps a
// pair exactly at the threshold, which rounding could otherwise lose; `similar` decides.
std::size_t needed_overlap(std::size_t a, std::size_t b, double threshold) {
  return static_cast<std::size_t>(std::ceil(threshold / (1 + threshold) * static_cast<double>(a + b) - 1e-9));
}

// `needed`: the needed_overlap() of the two.
bool similar(const ShingleSet& a, std::size_t size_of_a, const Shingles& b, std::size_t needed,
             double threshold) {
  std::size_t common = 0, left = b.size();
  for (const Shingle one : b) {
    if (common + left < needed) return false;
    common += a.contains(one) ? 1 : 0;
    --left;
  }
  const auto both = static_cast<double>(size_of_a + b.size() - common);
  return static_cast<double>(common) >= threshold * both - 1e-12;
}

// A bit for each shingle at a place of its own or of a few. Each bit that two sketches differ in is of a
// shingle that only one of the sets has, so they bound the overlap without a look at the sets.
class Sketch {
 public:
  Sketch() = default;
  explicit Sketch(const Shingles& set) {
    for (const Shingle one : set) {
      const std::size_t at = hash_place(one, kBits);
      words_[at / kWordBits] |= std::uint64_t{1} << at % kWordBits;
    }
  }
  std::size_t differences(const Sketch& other) const {
    std::size_t out = 0;
    for (std::size_t i = 0; i < words_.size(); ++i)
      out += static_cast<std::size_t>(std::popcount(words_[i] ^ other.words_[i]));
    return out;
  }

 private:
  static constexpr std::size_t kBits = 1024, kWordBits = 64;  // a note has a few hundred shingles
  std::array<std::uint64_t, kBits / kWordBits> words_{};
};

// Two sets that share s shingles share one of the first size - s + 1 of each in any order of all shingles, so
// only those are looked up (Bayardo, Ma and Srikant 2007). A set is looked for among smaller ones, with which
// it shares at least threshold * size, and kept for larger ones: at least the overlap with its like.
Prefix prefix_of(const Shingles& set, double threshold, const Rarity& rarity) {
  const std::size_t size = set.size();
  const auto first = [&](std::size_t shared) { return std::min(size, size - std::min(size, shared) + 1); };
  const auto least = static_cast<std::size_t>(std::ceil(threshold * static_cast<double>(size) - 1e-9));
  const std::size_t kept = std::min(first(least), first(needed_overlap(size, size, threshold)));
  return rarity.first(set, first(least), kept);
}

void fill(ShingleSet& set, const Shingles& shingles) {
  set.clear(shingles.size());
  for (const Shingle one : shingles) set.insert(one);
}

// Texts that some text is similar to, by text.
std::vector<std::vector<std::size_t>> similar_texts(const TextSample& sample, double threshold,
                                                    const EvaluationContext& context) {
  std::vector<Shingles> sets = detail::shingle_sets(sample.texts, context.threads);
  const auto count = static_cast<std::uint32_t>(sets.size());
  std::vector<std::uint32_t> order(count);  // from the smallest to the largest
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::ranges::stable_sort(order, {}, [&](std::uint32_t text) { return sets[text].size(); });
  const Rarity rarity(sets);
  std::vector<Prefix> prefixes(count);
  parallel_for(
      count, [&](std::size_t i) { prefixes[i] = prefix_of(sets[order[i]], threshold, rarity); },
      context.threads, kGrain);
  const ShingleIndex index(prefixes);
  std::vector<Sketch> sketches(count);
  parallel_for(count, [&](std::size_t i) { sketches[i] = Sketch(sets[order[i]]); }, context.threads, kGrain);
  std::vector<std::vector<std::uint32_t>> found(count);  // smaller ones
  parallel_for((count + kTogether - 1) / kTogether,
               [&](std::size_t part) {
                 context.cancel.check();
                 const auto first = static_cast<std::uint32_t>(part * kTogether);
                 const std::uint32_t last = std::min<std::uint32_t>(count, first + kTogether);
                 std::vector<std::uint32_t> seen(last, count);  // by which one
                 ShingleSet there;                              // of `own`, once a candidate asks
                 for (std::uint32_t i = first; i < last; ++i) {
                   const Shingles& own = sets[order[i]];
                   bool filled = false;
                   for (const Shingle shingle : prefixes[i].shingles)
                     index.each_before(i, shingle, [&](std::uint32_t j) {
                       if (seen[j] == i) return;
                       seen[j] = i;
                       const Shingles& other = sets[order[j]];
                       const std::size_t both = own.size() + other.size();
                       const std::size_t needed = needed_overlap(own.size(), other.size(), threshold);
                       if (other.size() < needed || both < 2 * needed + sketches[i].differences(sketches[j]))
                         return;
                       if (!std::exchange(filled, true)) fill(there, own);
                       if (similar(there, own.size(), other, needed, threshold)) found[i].push_back(j);
                     });
                 }
               },
               context.threads);
  std::vector<std::vector<std::size_t>> out(count);
  for (std::uint32_t i = 0; i < count; ++i)
    for (const std::uint32_t j : found[i]) {
      out[order[i]].push_back(order[j]);
      out[order[j]].push_back(order[i]);
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

// The rows that have words, which are not read.
TextSample texts_with_words(const Table& table, const EvaluationContext& context, Score& score) {
  TextSample sample = text_sample(table, context, score, SplitWords::no);
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < sample.size(); ++row)
    if (has_words(sample.texts[row])) kept.push_back(row);
  const std::size_t left_out = sample.size() - kept.size();
  if (left_out == 0) return sample;
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i] != i) sample.texts[i] = std::move(sample.texts[kept[i]]);
  sample.texts.resize(kept.size());
  sample.labels.clear();
  sample.units = sample.units.take(kept);
  score.warnings.push_back(message("Left out: ", counted(left_out, "text"), " without words."));
  return sample;
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
  const TextSample sample = texts_with_words(synthetic, context, score);
  if (sample.size() == 0) return undefined(std::move(score), "There is no text with words.");
  const auto share = [](double different, double total) { return total > 0 ? 1 - different / total : 0; };
  const auto items_of = [](const TextSample& texts) {
    Vocabulary known;
    detail::DistinctItems items(texts.units);
    JoinedWords words;
    for (std::size_t row = 0; row < texts.size(); ++row) {
      words.read(texts.texts[row]);
      items.add(row, known.intern(normalised(words)));
    }
    return items;
  };
  const detail::DistinctItems items = items_of(sample);
  set_value(score, share(items.different(), items.total()), items.without_each(share), items.second_order(),
            1, sample);
  add_real_part(
      score, real, context, sample.size(),
      [&](const TextSample& other) {
        const detail::DistinctItems there = items_of(other);
        return std::optional(share(there.different(), there.total()));
      },
      SplitWords::no);
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
  const TextSample sample = texts_with_words(synthetic, context, score);
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
  add_real_part(
      score, real, context, sample.size(),
      [&](const TextSample& other) { return std::optional(share(neighbours_of(other))); }, SplitWords::no);
  return score;
}

}  // namespace synthema
