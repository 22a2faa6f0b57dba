#include "synthema/evaluate/text/content.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "src/evaluate/few_people.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/text/tokens.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

namespace {

using WordCounts = std::map<std::string, double>;  // ordered, so that sums do not depend on a hash
constexpr double kAdded = 0.5;
const char* const kBiased = "A bootstrap of distances between distributions is biased, so none is shown.";

double total_of(const WordCounts& counts) {
  double sum = 0;
  for (const auto& [label, count] : counts) sum += count;
  return sum;
}
double count_in(const WordCounts& counts, const std::string& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

WordCounts counts_of_words(const TextSample& sample) {
  WordCounts out;
  for (const auto& text : sample.words)
    for (const std::string& word : text) ++out[word];
  return out;
}

struct WordShare {
  std::string word;
  double added = 0;  // to the divergence
};

// sum p ln(p / q), and what each word adds.
double divergence(const WordCounts& p, const WordCounts& q, std::vector<WordShare>* shares) {
  std::set<std::string> words;
  for (const auto& [word, count] : p) words.insert(word);
  for (const auto& [word, count] : q) words.insert(word);
  const double smoothing = kAdded * static_cast<double>(words.size());
  const double n = total_of(p) + smoothing, m = total_of(q) + smoothing;
  double sum = 0;
  for (const std::string& word : words) {
    const double a = (count_in(p, word) + kAdded) / n, b = (count_in(q, word) + kAdded) / m;
    sum += a * std::log(a / b);
    if (shares) shares->push_back({word, a * std::log(a / b)});
  }
  return std::max(0.0, sum);
}

}  // namespace

Score WordDivergence::evaluate(const Table* real, const Table& synthetic,
                               const EvaluationContext& context) const {
  Score score = start_score(*this, "Divergence of the word frequencies of both tables, in nats.",
                            of_real_ ? "sum R ln(R / S), 0.5 added to every word: what is missed"
                                     : "sum S ln(S / R), 0.5 added to every word: what is invented");
  const auto there = text_sample_if_any(real, context);
  if (!there) return undefined(std::move(score), "No real table with texts was given.");
  const TextSample sample = text_sample(synthetic, context, score);
  const WordCounts s = counts_of_words(sample), r = counts_of_words(*there);
  if (s.empty() || r.empty()) return undefined(std::move(score), "One of the tables has no text with words.");
  std::vector<WordShare> shares;
  const auto of = [&](const WordCounts& other, std::vector<WordShare>* out) {
    return of_real_ ? divergence(r, other, out) : divergence(other, r, out);
  };
  score.value = of(s, &shares);
  score.n = sample.size();
  score.no_interval = kBiased;
  std::stable_sort(shares.begin(), shares.end(),
                   [](const WordShare& a, const WordShare& b) { return a.added > b.added; });
  detail::FewPeople few(there->units);
  for (std::size_t i = 0; i < there->size(); ++i)
    for (const std::string& word : there->words[i]) few.add(word, i);
  constexpr std::size_t kShown = 20;
  for (const auto& [word, added] : shares) {
    if (score.parts.size() == kShown || !(added > 0)) break;
    if (few.have(word)) continue;
    score.parts.push_back({word, added, static_cast<std::uint64_t>(count_in(s, word)),
                           message("nats; in real texts ", count_in(r, word), " times")});
  }
  if (const auto held = text_sample_if_any(context.holdout.get(), context))
    if (const WordCounts h = counts_of_words(*held); !h.empty())
      score.ceiling = Bound{of(h, nullptr), message("holdout, ", counted(held->size(), "text"))};
  return score;
}

namespace {

// Calls with(label, row) for each label, of lists for each element.
template <class With>
void each_label(const Column& column, const With& with) {
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    const Value value = column.value_at(row);
    if (const auto* list = value.get_if<ValueList>()) {
      for (const Value& item : *list)
        if (!item.is_null()) with(item.display(), row);
    } else {
      with(value.display(), row);
    }
  }
}

WordCounts counts_of_labels(const Column& column) {
  WordCounts out;
  each_label(column, [&](const std::string& label, std::size_t) { ++out[label]; });
  return out;
}

// The labels of few people together, which a part does not name.
WordCounts gathered(const WordCounts& counts, const detail::FewPeople& few) {
  WordCounts out;
  for (const auto& [label, count] : counts)
    out[few.have(label) ? message("labels of fewer than ", detail::FewPeople::kFewest, " in the real rows")
                        : label] += count;
  return out;
}

double distance_of(const WordCounts& r, const WordCounts& s) {
  const double n = total_of(r), m = total_of(s);
  double out = 0;
  for (const auto& [label, count] : r) out += std::abs(count_in(s, label) / m - count / n) / 2;
  for (const auto& [label, count] : s)
    if (!r.contains(label)) out += count / m / 2;
  return out;
}

std::vector<ScorePart> parts_of(const WordCounts& r, const WordCounts& s) {
  WordCounts both = r;
  both.insert(s.begin(), s.end());
  std::vector<ScorePart> out;
  for (const auto& [label, count] : both)
    out.push_back({label, count_in(s, label) / total_of(s) - count_in(r, label) / total_of(r),
                   static_cast<std::uint64_t>(count_in(s, label)), "share in synthetic less real"});
  return out;
}

}  // namespace

Score LabelDistribution::evaluate(const Table* real, const Table& synthetic,
                                  const EvaluationContext& context) const {
  Score score = start_score(*this, "How alike the shares of the labels of both tables are.",
                            "1 - total variation distance");
  if (!real) return undefined(std::move(score), "No real table was given.");
  const std::string name = label_column_of(synthetic, context);
  if (name.empty() || !real->has(name))
    return undefined(std::move(score), "The tables share no label column.");
  const WordCounts r = counts_of_labels(real->column(name)), s = counts_of_labels(synthetic.column(name));
  if (r.empty() || s.empty()) return undefined(std::move(score), "One of the tables has no labels.");
  detail::FewPeople few(Units::of(*real));
  each_label(real->column(name), [&](const std::string& label, std::size_t row) { few.add(label, row); });
  score.parts = parts_of(gathered(r, few), gathered(s, few));
  score.value = 1 - distance_of(r, s);
  score.n = synthetic.rows();
  score.no_interval = kBiased;
  if (context.holdout && context.holdout->has(name))
    if (const WordCounts h = counts_of_labels(context.holdout->column(name)); !h.empty())
      score.ceiling =
          Bound{1 - distance_of(r, h), message("holdout, ", counted(context.holdout->rows(), "real row"))};
  return score;
}

namespace {

// Names of all terms by their first word, to be found in one pass over a text.
class TermFinder {
 public:
  explicit TermFinder(const TermList& terms) : count_(terms.terms().size()) {
    for (std::size_t t = 0; t < count_; ++t)
      for (const std::string& name : terms.terms()[t].names()) {
        std::vector<std::string> of_name = words(name);
        if (of_name.empty()) continue;
        const std::string first = of_name.front();
        by_first_[first].push_back({t, std::move(of_name)});
      }
  }

  // How many texts say each term; with(term, row) for each of them.
  std::vector<std::size_t> texts_with(const TextSample& sample,
                                      const std::function<void(std::size_t, std::size_t)>& with = {}) const {
    std::vector<std::size_t> out(count_), last(count_, sample.size());
    for (std::size_t row = 0; row < sample.size(); ++row)
      for (std::size_t i = 0; i < sample.words[row].size(); ++i) {
        const auto found = by_first_.find(sample.words[row][i]);
        if (found == by_first_.end()) continue;
        for (const Name& name : found->second)
          if (last[name.term] != row && stands_at(sample.words[row], i, name.words)) {
            ++out[name.term];
            last[name.term] = row;
            if (with) with(name.term, row);
          }
      }
    return out;
  }

 private:
  struct Name {
    std::size_t term;
    std::vector<std::string> words;
  };
  static bool stands_at(const std::vector<std::string>& text, std::size_t at,
                        const std::vector<std::string>& name) {
    return at + name.size() <= text.size() &&
           std::equal(name.begin(), name.end(), text.begin() + static_cast<std::ptrdiff_t>(at));
  }
  std::size_t count_;
  std::unordered_map<std::string, std::vector<Name>> by_first_;
};

double covered(const std::vector<std::size_t>& found, const std::vector<std::size_t>& wanted) {
  double all = 0, said = 0;
  for (std::size_t t = 0; t < wanted.size(); ++t)
    if (wanted[t] > 0) {
      ++all;
      said += found[t] > 0 ? 1 : 0;
    }
  return all > 0 ? said / all : 0;
}

}  // namespace

Score ConceptCoverage::evaluate(const Table* real, const Table& synthetic,
                                const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of the terms that texts say by name or synonym.",
                            "terms said by a synthetic text / terms said by a real text, or all terms");
  if (!context.terms || context.terms->rows() == 0)
    return undefined(std::move(score), "No term list was given.");
  const TermList terms(*context.terms);
  const TextSample sample = text_sample(synthetic, context, score);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  const TermFinder finder(terms);
  const std::vector<std::size_t> said = finder.texts_with(sample);
  std::vector<std::size_t> wanted(terms.terms().size(), 1);
  const auto there = text_sample_if_any(real, context);
  detail::FewPeople few(there ? there->units : Units());
  if (there)
    wanted = finder.texts_with(
        *there, [&](std::size_t term, std::size_t row) { few.add(terms.terms()[term].id, row); });
  const auto count = static_cast<std::size_t>(
      std::count_if(wanted.begin(), wanted.end(), [](std::size_t texts) { return texts > 0; }));
  if (count == 0) return undefined(std::move(score), "The real texts say none of the terms.");
  score.n = count;
  score.value = covered(said, wanted);
  score.no_interval = "Rare terms hang on single texts, of which a bootstrap leaves out a third.";
  std::vector<std::pair<std::size_t, std::size_t>> missed;  // texts that say it, term
  std::size_t of_few = 0;
  double any = 0;
  for (std::size_t t = 0; t < said.size(); ++t) {
    any += said[t] > 0 ? 1 : 0;
    if (!there || said[t] > 0 || wanted[t] == 0) continue;
    if (few.have(terms.terms()[t].id))
      ++of_few;
    else
      missed.emplace_back(wanted[t], t);
  }
  score.parts.push_back({"share of the whole list", any / static_cast<double>(said.size()), said.size(), ""});
  std::stable_sort(missed.begin(), missed.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  constexpr std::size_t kShown = 20;
  for (std::size_t i = 0; i < std::min(kShown, missed.size()); ++i)
    score.parts.push_back(
        {terms.terms()[missed[i].second].name, 0, missed[i].first, "missed; n: real texts that say it"});
  if (of_few > 0)
    score.parts.push_back({message("terms of fewer than ", detail::FewPeople::kFewest, " in the real rows"),
                           0, of_few, "missed; n: terms, which are not named"});
  if (const auto held = there ? text_sample_if_any(context.holdout.get(), context) : std::nullopt)
    score.ceiling =
        Bound{covered(finder.texts_with(*held), wanted), message("holdout, ", counted(held->size(), "text"))};
  return score;
}

namespace {

struct Tag {
  std::string_view name;
  bool closing = false, alone = false;
};

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == ':' || c == '.';
}

// The tags of a text in their order: '<', perhaps '/', a name, then nothing, '/' or a space with attributes,
// '>'.
std::vector<Tag> tags_of(std::string_view text) {
  std::vector<Tag> out;
  for (std::size_t open = text.find('<'); open != std::string_view::npos; open = text.find('<', open + 1)) {
    const std::size_t close = text.find_first_of("<>", open + 1);
    if (close == std::string_view::npos || text[close] != '>') continue;
    std::string_view inside = text.substr(open + 1, close - open - 1);
    Tag tag;
    if (!inside.empty() && inside.front() == '/') tag.closing = true, inside.remove_prefix(1);
    if (!inside.empty() && inside.back() == '/') tag.alone = true, inside.remove_suffix(1);
    std::size_t end = 0;
    while (end < inside.size() && is_name(inside[end])) ++end;
    if (end == 0 || !is_name_start(inside.front())) continue;
    if (end < inside.size() && inside[end] != ' ') continue;
    tag.name = inside.substr(0, end);
    out.push_back(tag);
  }
  return out;
}

bool well_formed(const std::vector<Tag>& tags) {
  std::vector<std::string_view> open;
  for (const Tag& tag : tags) {
    if (tag.alone && !tag.closing) continue;
    if (!tag.closing) {
      open.push_back(tag.name);
    } else {
      if (open.empty() || open.back() != tag.name) return false;
      open.pop_back();
    }
  }
  return open.empty();
}

}  // namespace

Score TagForm::evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of texts with tags whose tags are all closed in order.",
                            "tags <a> ... </a> nest; texts without a tag do not count");
  const TextSample sample = text_sample(synthetic, context, score);
  const auto by_row = [](const TextSample& texts, WordCounts* opened) {
    RatioRows out{.numerator = {}, .denominator = {}, .share = true};
    for (const std::string& text : texts.texts) {
      const std::vector<Tag> tags = tags_of(text);
      out.add(!tags.empty() && well_formed(tags) ? 1 : 0, tags.empty() ? 0 : 1);
      if (opened)
        for (const Tag& tag : tags)
          if (!tag.closing) ++(*opened)[std::string(tag.name)];
    }
    return out;
  };
  WordCounts opened;
  const RatioRows rows = by_row(sample, &opened);
  if (!rows.value()) return undefined(std::move(score), "No text has a tag.");
  set_ratio(score, rows, sample.units, context);
  for (const auto& [name, count] : opened)
    score.parts.push_back({name, count, static_cast<std::uint64_t>(count), "times opened"});
  if (const auto there = text_sample_if_any(real, context))
    if (const auto value = by_row(*there, nullptr).value())
      score.ceiling = Bound{*value, message("the real texts, ", counted(there->size(), "text"))};
  return score;
}

}  // namespace synthema
