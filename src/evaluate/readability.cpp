#include "synthema/evaluate/text/readability.hpp"

#include <algorithm>
#include <limits>

#include "synthema/evaluate/samples.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {

bool is_vowel(char c) {
  return std::string_view("aeiouy").find(c) != std::string_view::npos;
}

std::size_t characters(std::string_view word) {
  return static_cast<std::size_t>(std::count_if(
      word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

struct Lengths {
  double words = 0, sentences = 0, syllables = 0, hard = 0, characters = 0;
};

Lengths lengths_of(const std::string& text, const std::vector<std::string>& words) {
  Lengths out;
  out.words = static_cast<double>(words.size());
  out.sentences = static_cast<double>(std::max<std::size_t>(1, sentence_count(text)));
  for (const std::string& word : words) {
    const std::size_t count = syllables(word);
    out.syllables += static_cast<double>(count);
    out.hard += count > 2 ? 1 : 0;
    out.characters += static_cast<double>(characters(word));
  }
  return out;
}

struct Formula {
  std::string_view name, estimand, definition;
  double (*of)(const Lengths&);
};
// By ReadingFormula.
constexpr Formula kFormulas[] = {
    {"flesch_reading_ease", "Mean over texts of how easily they are read, about 0 to 100; high is easy.",
     "206.835 - 1.015 words/sentence - 84.6 syllables/word (Flesch 1948)",
     [](const Lengths& l) { return 206.835 - 1.015 * l.words / l.sentences - 84.6 * l.syllables / l.words; }},
    {"flesch_kincaid_grade", "Mean over texts of the years of school that reading them takes.",
     "0.39 words/sentence + 11.8 syllables/word - 15.59 (Kincaid et al. 1975)",
     [](const Lengths& l) { return 0.39 * l.words / l.sentences + 11.8 * l.syllables / l.words - 15.59; }},
    {"gunning_fog", "Mean over texts of the years of school that reading them takes.",
     "0.4 (words/sentence + 100 words of 3 syllables or more / word) (Gunning 1952)",
     [](const Lengths& l) { return 0.4 * (l.words / l.sentences + 100 * l.hard / l.words); }},
    {"automated_readability_index", "Mean over texts of the years of school that reading them takes.",
     "4.71 characters/word + 0.5 words/sentence - 21.43 (Smith and Senter 1967)",
     [](const Lengths& l) { return 4.71 * l.characters / l.words + 0.5 * l.words / l.sentences - 21.43; }},
    {"coleman_liau_index", "Mean over texts of the years of school that reading them takes.",
     "5.88 characters/word - 29.6 sentences/word - 15.8 (Coleman and Liau 1975)",
     [](const Lengths& l) { return 5.88 * l.characters / l.words - 29.6 * l.sentences / l.words - 15.8; }}};

RatioRows by_text(const TextSample& sample, const Formula& formula) {
  RatioRows out;
  for (std::size_t row = 0; row < sample.size(); ++row)
    if (sample.words[row].empty())
      out.add(0, 0);
    else
      out.add(formula.of(lengths_of(sample.texts[row], sample.words[row])));
  return out;
}

}  // namespace

std::size_t syllables(std::string_view word) {
  std::size_t groups = 0;
  bool before = false;
  for (const char c : word) {
    const bool vowel = is_vowel(c);
    groups += vowel && !before ? 1 : 0;
    before = vowel;
  }
  const std::size_t n = word.size();
  const bool silent = n > 2 && word[n - 1] == 'e' && !is_vowel(word[n - 2]) &&
                      !(word[n - 2] == 'l' && !is_vowel(word[n - 3]));
  return std::max<std::size_t>(1, groups - (silent && groups > 0 ? 1 : 0));
}

std::string_view Readability::name() const {
  return kFormulas[static_cast<int>(formula_)].name;
}
Range Readability::range() const {
  return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
}

Score Readability::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  const Formula& formula = kFormulas[static_cast<int>(formula_)];
  Score score = start_score(*this, std::string(formula.estimand), std::string(formula.definition));
  const TextSample sample = text_sample(synthetic, context, score);
  const RatioRows rows = by_text(sample, formula);
  if (!rows.value()) return undefined(std::move(score), "There is no text with words.");
  set_ratio(score, rows, sample.units, context);
  if (const std::string& language = synthetic.schema().language; language.substr(0, 2) != "en")
    score.warnings.push_back(
        message("The formula was fitted to English, but the schema's language is '", language, "'."));
  add_real_part(score, real, context, sample.size(),
                [&](const TextSample& other) { return by_text(other, formula).value(); });
  return score;
}

}  // namespace synthema
