#include "synthema/evaluate/privacy/identifiers_in_text.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "src/evaluate/fresh_share.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/plug_in_error.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {

using Found = std::vector<std::set<std::string>>;  // by text: kind, a bar, and what it says in lower case

std::string kind_of(const std::string& found) {
  return found.substr(0, found.find('|'));
}

// What it says, so that "Dr. Lee" and "dr lee" are one.
std::string normal(std::string_view text) {
  std::string out;
  for (const std::string& word : words(text)) (out += word) += ' ';
  return out;
}

Found scan(const std::vector<std::string>& texts, const std::vector<IdentifierDetector>& detectors,
           bool only_these, const EvaluationContext& context) {
  Found out(texts.size());
  const auto keep = [&](std::size_t i, const std::vector<Identifier>& found) {
    for (const Identifier& one : found) {
      if (one.begin > one.end || one.end > texts[i].size())
        throw PlugInError("A detector of identifiers gave a place outside of the text.");
      const std::string said = normal(std::string_view(texts[i]).substr(one.begin, one.end - one.begin));
      if (!said.empty()) out[i].insert(one.kind + "|" + said);  // signs alone say nothing of anybody
    }
  };
  if (!only_these)
    parallel_for(
        texts.size(),
        [&](std::size_t i) {
          context.cancel.check();
          keep(i, find_identifiers(texts[i]));
        },
        context.threads, 16);
  for (const IdentifierDetector& detector : detectors) {
    const auto found = detector(texts);
    if (found.size() != texts.size())
      throw PlugInError(message("A detector of identifiers gave ", found.size(), " lists for ",
                                counted(texts.size(), "text"), "; one a text is wanted."));
    for (std::size_t i = 0; i < texts.size(); ++i) keep(i, found[i]);
  }
  return out;
}

std::set<std::string> all_of(const Found& found) {
  std::set<std::string> out;
  for (const auto& text : found) out.insert(text.begin(), text.end());
  return out;
}

// What is counted of each text: everything, or what `known` has.
Found counted_of(Found found, const std::set<std::string>* known) {
  if (known)
    for (auto& text : found)
      std::erase_if(text, [&](const std::string& one) { return !known->contains(one); });
  return found;
}

RatioRows share_of(const Found& found) {
  RatioRows out{.numerator = {}, .denominator = {}, .share = true};
  for (const auto& text : found) out.add(!text.empty());
  return out;
}

}  // namespace

Score IdentifiersInText::evaluate(const Table* real, const Table& synthetic,
                                  const EvaluationContext& context) const {
  const bool reuse = measure_ == Measure::reuse;
  Score score =
      start_score(*this,
                  reuse ? "Share of synthetic texts with an identifier that a training text has too."
                        : "Share of synthetic texts with an identifier of any kind.",
                  only_these_ ? "as the detectors given find them"
                              : message("by form: e-mail, web address, date, phone, number, street, name",
                                        detectors_.empty() ? "" : "; and as the detectors given find them"));
  if (!real) return undefined(std::move(score), "No real table was given.");
  const auto training = text_sample_if_any(real, context, SplitWords::no);
  if (!training || training->size() == 0)
    return undefined(std::move(score), "The real table has no texts in this column.");
  const TextSample sample = text_sample(synthetic, context, score, SplitWords::no);
  if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
  const auto scanned = [&](const std::vector<std::string>& texts) {
    return scan(texts, detectors_, only_these_, context);
  };
  const Found of_training = scanned(training->texts);
  const std::set<std::string> known = all_of(of_training);
  const Found found = counted_of(scanned(sample.texts), reuse ? &known : nullptr);
  set_ratio(score, share_of(found), sample.units, context);
  std::map<std::string, double> texts_of;
  for (const auto& text : found) {
    std::set<std::string> kinds;
    for (const std::string& one : text) kinds.insert(kind_of(one));
    for (const std::string& kind : kinds) ++texts_of[kind];
  }
  for (const auto& [kind, count] : texts_of)
    score.parts.push_back({kind, count / static_cast<double>(sample.size()), sample.size(), ""});
  if (!reuse) {
    score.ceiling =
        Bound{*share_of(of_training).value(), message("the ", counted(training->size(), "training text"))};
    return score;
  }
  const auto holdout = text_sample_if_any(context.holdout.get(), context, SplitWords::no);
  if (holdout && holdout->size() > 0) {
    score.ceiling = detail::fresh_share(score, *share_of(counted_of(scanned(holdout->texts), &known)).value(),
                                        holdout->units.count,
                                        message("holdout, ", counted(holdout->size(), "real text")));
  } else {
    std::map<std::string, std::set<std::size_t>> owners;
    for (std::size_t i = 0; i < of_training.size(); ++i)
      for (const std::string& one : of_training[i]) owners[one].insert(training->units.of_row[i]);
    Found others = of_training;
    for (auto& text : others)
      std::erase_if(text, [&](const std::string& one) { return owners[one].size() < 2; });
    score.ceiling =
        detail::fresh_share(score, *share_of(others).value(), training->units.count,
                            "each training text against those of all others", detail::kLeaveOneOutSpread);
  }
  return score;
}

}  // namespace synthema
