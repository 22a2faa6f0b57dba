#include "synthema/evaluate/text/literal_name.hpp"

#include <algorithm>
#include <map>

#include "synthema/evaluate/samples.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {

using Words = std::vector<std::string>;

bool contains(const Words& text, const Words& phrase) {
  return !phrase.empty() && std::search(text.begin(), text.end(), phrase.begin(), phrase.end()) != text.end();
}

std::vector<Words> phrases_of(const Term& term) {
  std::vector<Words> out;
  for (const std::string& name : term.names()) out.push_back(words(name));
  return out;
}

}  // namespace

Score LiteralNameShare::evaluate(const Table*, const Table& synthetic,
                                 const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of rows whose text contains its label's name or a synonym.",
                            "the words of name or synonym in a row, as words() makes them");
  if (!context.terms || context.terms->rows() == 0)
    return undefined(std::move(score), "No term list was given to look for names of.");
  const TextSample sample = text_sample(synthetic, context, score);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  if (sample.labels.empty())
    return undefined(std::move(score), "The table has no label column (role 'label').");
  const TermList list(*context.terms);
  std::map<std::size_t, std::vector<Words>> phrases;
  std::map<std::size_t, RatioRows> by_label;
  RatioRows ratio{.numerator = {}, .denominator = {}, .share = true};
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < sample.size(); ++row) {
    const auto term = list.find(sample.labels[row]);
    if (!term) continue;
    const auto [entry, fresh] = phrases.try_emplace(*term);
    if (fresh) entry->second = phrases_of(list.terms()[*term]);
    const bool found = std::any_of(entry->second.begin(), entry->second.end(),
                                   [&](const Words& phrase) { return contains(sample.words[row], phrase); });
    ratio.add(found);
    by_label[*term].add(found);
    kept.push_back(row);
  }
  if (kept.empty()) return undefined(std::move(score), "No row has a label of the term list.");
  set_ratio(score, ratio, sample.units.take(kept), context);
  for (const auto& [term, part] : by_label)
    score.parts.push_back(
        {list.terms()[term].id, part.value(), part.numerator.size(), list.terms()[term].name});
  return score;
}

}  // namespace synthema
