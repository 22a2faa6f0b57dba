#include "synthema/text/porter.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <utility>

namespace synthema {

namespace {

bool is_vowel_letter(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

// y is a consonant at the start and after a vowel.
bool is_consonant(std::string_view word, std::size_t i) {
  if (is_vowel_letter(word[i])) return false;
  return word[i] != 'y' || i == 0 || !is_consonant(word, i - 1);
}

// Porter's m: how often a vowel is followed by a consonant.
int measure(std::string_view stem) {
  int m = 0;
  for (std::size_t i = 1; i < stem.size(); ++i)
    if (!is_consonant(stem, i - 1) && is_consonant(stem, i)) ++m;
  return m;
}

bool contains_vowel(std::string_view stem) {
  for (std::size_t i = 0; i < stem.size(); ++i)
    if (!is_consonant(stem, i)) return true;
  return false;
}

bool ends_double_consonant(std::string_view word) {
  const std::size_t n = word.size();
  return n >= 2 && word[n - 1] == word[n - 2] && is_consonant(word, n - 1);
}

// *o: consonant, vowel, consonant other than w, x, y. NLTK also takes two letters, vowel and consonant.
bool ends_cvc(std::string_view word) {
  const std::size_t n = word.size();
  if (n == 2) return !is_consonant(word, 0) && is_consonant(word, 1);
  if (n < 3) return false;
  const char last = word[n - 1];
  return is_consonant(word, n - 3) && !is_consonant(word, n - 2) && is_consonant(word, n - 1) &&
         last != 'w' && last != 'x' && last != 'y';
}

struct Rule {
  std::string_view suffix, replacement;
};

std::string_view without(std::string_view word, std::string_view suffix) {
  return word.substr(0, word.size() - suffix.size());
}
std::string replaced(std::string_view word, const Rule& rule) {
  return std::string(without(word, rule.suffix)) += rule.replacement;
}

// The first rule whose suffix fits decides: it is applied if its stem's measure exceeds `m`, else nothing is.
std::string apply(std::string_view word, std::span<const Rule> rules, int m) {
  for (const Rule& rule : rules)
    if (word.ends_with(rule.suffix))
      return measure(without(word, rule.suffix)) > m ? replaced(word, rule) : std::string(word);
  return std::string(word);
}

std::string step_1a(std::string_view word) {
  if (word.ends_with("ies") && word.size() == 4) return replaced(word, {"ies", "ie"});
  constexpr std::array rules = {Rule{"sses", "ss"}, Rule{"ies", "i"}, Rule{"ss", "ss"}, Rule{"s", ""}};
  return apply(word, rules, -1);
}

// After -ed or -ing is gone: hopp -> hop, fil -> file, conflat -> conflate.
std::string tidy_1b(std::string stem) {
  constexpr std::array rules = {Rule{"at", "ate"}, Rule{"bl", "ble"}, Rule{"iz", "ize"}};
  for (const Rule& rule : rules)
    if (stem.ends_with(rule.suffix)) return replaced(stem, rule);
  if (ends_double_consonant(stem)) {
    const char last = stem.back();
    if (last != 'l' && last != 's' && last != 'z') stem.pop_back();
    return stem;
  }
  if (measure(stem) == 1 && ends_cvc(stem)) stem += 'e';
  return stem;
}

std::string step_1b(std::string_view word) {
  if (word.ends_with("ied")) return replaced(word, {"ied", word.size() == 4 ? "ie" : "i"});
  if (word.ends_with("eed"))
    return measure(without(word, "eed")) > 0 ? replaced(word, {"eed", "ee"}) : std::string(word);
  for (const std::string_view suffix : {std::string_view("ed"), std::string_view("ing")})
    if (word.ends_with(suffix) && contains_vowel(without(word, suffix)))
      return tidy_1b(std::string(without(word, suffix)));
  return std::string(word);
}

// NLTK: y after a consonant that is not the first letter ("enjoy" stays, "by" stays).
std::string step_1c(std::string_view word) {
  const std::size_t n = word.size();
  return n > 2 && word.back() == 'y' && is_consonant(word, n - 2) ? replaced(word, {"y", "i"})
                                                                  : std::string(word);
}

std::string step_2(std::string_view word) {
  if (word.ends_with("alli") && measure(without(word, "alli")) > 0)
    return step_2(replaced(word, {"alli", "al"}));
  constexpr std::array rules = {Rule{"ational", "ate"}, Rule{"tional", "tion"}, Rule{"enci", "ence"},
                                Rule{"anci", "ance"},   Rule{"izer", "ize"},    Rule{"bli", "ble"},
                                Rule{"alli", "al"},     Rule{"entli", "ent"},   Rule{"eli", "e"},
                                Rule{"ousli", "ous"},   Rule{"ization", "ize"}, Rule{"ation", "ate"},
                                Rule{"ator", "ate"},    Rule{"alism", "al"},    Rule{"iveness", "ive"},
                                Rule{"fulness", "ful"}, Rule{"ousness", "ous"}, Rule{"aliti", "al"},
                                Rule{"iviti", "ive"},   Rule{"biliti", "ble"},  Rule{"fulli", "ful"}};
  // The l of "logi" counts with the stem: (m > 0) is asked of "...l".
  if (word.ends_with("logi"))
    return measure(word.substr(0, word.size() - 3)) > 0 ? replaced(word, {"logi", "log"}) : std::string(word);
  return apply(word, rules, 0);
}

std::string step_3(std::string_view word) {
  constexpr std::array rules = {Rule{"icate", "ic"}, Rule{"ative", ""},  Rule{"alize", "al"},
                                Rule{"iciti", "ic"}, Rule{"ical", "ic"}, Rule{"ful", ""},
                                Rule{"ness", ""}};
  return apply(word, rules, 0);
}

std::string step_4(std::string_view word) {
  constexpr std::array before_ion = {Rule{"al", ""},    Rule{"ance", ""}, Rule{"ence", ""}, Rule{"er", ""},
                                     Rule{"ic", ""},    Rule{"able", ""}, Rule{"ible", ""}, Rule{"ant", ""},
                                     Rule{"ement", ""}, Rule{"ment", ""}, Rule{"ent", ""}};
  constexpr std::array after_ion = {Rule{"ou", ""},  Rule{"ism", ""}, Rule{"ate", ""}, Rule{"iti", ""},
                                    Rule{"ous", ""}, Rule{"ive", ""}, Rule{"ize", ""}};
  for (const Rule& rule : before_ion)
    if (word.ends_with(rule.suffix)) return apply(word, before_ion, 1);
  if (word.ends_with("ion")) {
    const std::string_view stem = without(word, "ion");
    return measure(stem) > 1 && (stem.back() == 's' || stem.back() == 't') ? std::string(stem)
                                                                           : std::string(word);
  }
  return apply(word, after_ion, 1);
}

std::string step_5(std::string word) {
  if (word.ends_with('e')) {
    const std::string_view stem = without(word, "e");
    const int m = measure(stem);
    if (m > 1 || (m == 1 && !ends_cvc(stem))) word.pop_back();
  }
  if (word.ends_with("ll") && measure(without(word, "l")) > 1) word.pop_back();
  return word;
}

// Words that NLTK looks up instead.
constexpr std::array kIrregular = {
    Rule{"sky", "sky"},        Rule{"skies", "sky"},        Rule{"dying", "die"},
    Rule{"lying", "lie"},      Rule{"tying", "tie"},        Rule{"news", "news"},
    Rule{"innings", "inning"}, Rule{"inning", "inning"},    Rule{"outings", "outing"},
    Rule{"outing", "outing"},  Rule{"cannings", "canning"}, Rule{"canning", "canning"},
    Rule{"howe", "howe"},      Rule{"proceed", "proceed"},  Rule{"exceed", "exceed"},
    Rule{"succeed", "succeed"}};

}  // namespace

std::string porter_stem(std::string_view word) {
  for (const Rule& rule : kIrregular)
    if (word == rule.suffix) return std::string(rule.replacement);
  if (word.size() <= 2) return std::string(word);
  return step_5(step_4(step_3(step_2(step_1c(step_1b(step_1a(word)))))));
}

}  // namespace synthema
