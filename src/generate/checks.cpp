#include "synthema/generate/checks.hpp"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "synthema/core/counted.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/text/bm25.hpp"
#include "synthema/text/phrase_index.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {

using Reason = std::optional<std::string>;

void require(bool ok, const char* field, const char* sentence) {
  if (!ok) throw ConfigError({.field = field}, sentence);
}

// A check of one text field; `options`: what else it was made with.
Check text_check(std::string name, std::string field,
                 std::function<Reason(const Task&, const std::string&)> test, PartOptions options = {}) {
  options.values.set("field", field);
  auto whole = [field = std::move(field), test = std::move(test)](const Task& task,
                                                                  const Draft& draft) -> Reason {
    const Value* value = draft.values.find(field);
    const auto* text = value ? value->get_if<std::string>() : nullptr;
    if (!text) return message("The row has no text in the field '", field, "'.");
    return test(task, *text);
  };
  return {std::move(name), std::move(whole), false, std::move(options)};
}

Value count(std::size_t n) {
  return Value(static_cast<std::int64_t>(n));
}

std::string all_text(const Value& value) {
  const auto* items = value.get_if<ValueList>();
  if (!items) return value.display();
  std::string out;
  for (const Value& item : *items) out += item.display() + " ";
  return out;
}

// Function words and pronouns, the commonest of English.
const std::unordered_set<std::string>& english_words() {
  static const std::unordered_set<std::string> set{
      "the",   "of",   "and",     "a",       "to",    "in",     "is",   "was",   "that",  "for",    "it",
      "with",  "as",   "his",     "her",     "on",    "be",     "at",   "by",    "i",     "my",     "me",
      "this",  "had",  "have",    "has",     "not",   "are",    "but",  "from",  "or",    "an",     "they",
      "which", "one",  "you",     "were",    "she",   "he",     "all",  "there", "their", "been",   "when",
      "who",   "will", "more",    "no",      "if",    "out",    "so",   "up",    "about", "than",   "into",
      "can",   "do",   "does",    "did",     "after", "before", "over", "some",  "any",   "during", "due",
      "since", "s",    "m",       "t",       "ve",    "we",     "our",  "what",  "very",  "would",  "could",
      "am",    "also", "because", "patient", "him",   "its",    "then"};
  return set;
}

double ascii_share(std::string_view text) {
  std::size_t letters = 0, ascii = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text, at);
    at += std::max<std::size_t>(1, point.length);
    const bool latin = (point.value | 32) >= 'a' && (point.value | 32) <= 'z' && point.value < 128;
    // Everything above the general punctuation of Latin text counts as a letter of another script.
    const bool other =
        point.length == 0 || (point.value >= 0xAA && (point.value < 0x2000 || point.value > 0x206F));
    ascii += latin;
    letters += latin || other;
  }
  return letters == 0 ? 0 : static_cast<double>(ascii) / static_cast<double>(letters);
}

std::string_view without_closing(std::string_view text) {
  constexpr std::string_view closing[] = {"\"", "'", ")", "]", "\xE2\x80\x9D", "\xE2\x80\x99", " ", "\n"};
  for (bool cut = true; cut;) {
    cut = false;
    for (const std::string_view end : closing)
      if (text.ends_with(end)) text.remove_suffix(end.size()), cut = true;
  }
  return text;
}

bool contains_run(const std::vector<std::string>& text, const std::vector<std::string>& run) {
  return !run.empty() && !std::ranges::search(text, run).empty();
}

}  // namespace

Check length_in_words(std::size_t minimum, std::size_t maximum, std::string field) {
  require(minimum <= maximum, "minimum", "The least length must not be above the greatest.");
  const auto test = [=](const Task&, const std::string& text) -> Reason {
    const std::size_t length = words(text).size();
    if (length < minimum) return message("The text has fewer than ", counted(minimum, "word"), ".");
    if (length > maximum) return message("The text has more than ", counted(maximum, "word"), ".");
    return std::nullopt;
  };
  return text_check("length", std::move(field), test,
                    {{{"minimum", count(minimum)}, {"maximum", count(maximum)}}});
}

Check ends_with_punctuation(std::string field) {
  return text_check("punctuation", std::move(field), [](const Task&, const std::string& text) -> Reason {
    const std::string_view core = without_closing(text);
    if (!core.empty() && std::string_view(".!?").find(core.back()) != std::string_view::npos)
      return std::nullopt;
    return "The text does not end like a sentence.";
  });
}

Check one_line(std::string field) {
  return text_check("one_line", std::move(field), [](const Task&, const std::string& text) -> Reason {
    if (text.find_first_of("\r\n") == std::string::npos) return std::nullopt;
    return "The text has more than one line.";
  });
}

Check in_language(std::string language, double share, std::string field) {
  require(language == "en", "language", "Only the language 'en' is known.");
  require(share >= 0 && share <= 1, "share", "The share of function words must be between 0 and 1.");
  const auto test = [=](const Task&, const std::string& text) -> Reason {
    if (ascii_share(text) < 0.9) return "The text is not in Latin letters.";
    const std::vector<std::string> all = words(text);
    const auto known = std::ranges::count_if(all, [](const auto& w) { return english_words().contains(w); });
    if (static_cast<double>(known) >= share * static_cast<double>(all.size()) && !all.empty())
      return std::nullopt;
    return "The text has too few English function words.";
  };
  return text_check("language", std::move(field), test, {{{"language", language}, {"share", share}}});
}

Check no_exemplar_copy(std::shared_ptr<const Table> exemplars, std::size_t run, std::string field,
                       std::string pool_field) {
  require(exemplars != nullptr, "exemplars", "The check needs the pool of exemplars.");
  require(run > 0, "run", "The run of words must be at least 1.");
  const auto index = std::make_shared<PhraseIndex>();
  const Column& texts = exemplars->column(pool_field);
  for (std::size_t row = 0; row < texts.size(); ++row)
    if (!texts.is_null(row)) index->add_text(texts.value_at(row).display());
  const auto test = [=](const Task&, const std::string& text) -> Reason {
    if (index->longest_run(words(text)) < run) return std::nullopt;
    return message("The text shares ", run, " or more words in a row with an exemplar.");
  };
  Check check = text_check("exemplar_copy", std::move(field), test,
                           {{{"run", count(run)}, {"pool_field", pool_field}}, exemplars});
  check.guards_exemplars = true;
  return check;
}

Check banned_words(std::vector<std::string> phrases, std::string field) {
  std::vector<std::vector<std::string>> runs;
  for (const std::string& phrase : phrases) {
    runs.push_back(words(phrase));
    require(!runs.back().empty(), "phrases",
            "A phrase has no words, only signs or nothing, so it would never be found; forbid signs with "
            "Prompt.without or a check of your own.");
  }
  const auto test = [=](const Task&, const std::string& text) -> Reason {
    const std::vector<std::string> all = words(text);
    for (const auto& run : runs)
      if (contains_run(all, run)) return "The text has a banned word or phrase.";
    return std::nullopt;
  };
  PartOptions options;
  options.add("phrases", phrases);
  return text_check("banned_words", std::move(field), test, std::move(options));
}

Check likely_enough(double minimum) {
  require(minimum <= 0, "minimum", "The least mean log-probability must be at most 0.");
  return {"likelihood",
          [=](const Task&, const Draft& draft) -> Reason {
            if (!draft.mean_log_probability)
              throw ConfigError(
                  {.field = "likelihood"},
                  "The model tells no log-probabilities, so its rows cannot be filtered by them.");
            if (*draft.mean_log_probability >= minimum) return std::nullopt;
            return message("The mean log-probability of the tokens is below ", minimum, ".");
          },
          false,
          {{{"minimum", minimum}}}};
}

Check matches_choice(std::string field, std::string condition_field) {
  const auto test = [field, condition_field](const Task& task, const Draft& draft) -> Reason {
    const Value* got = draft.values.find(field);
    if (got && *got == task.condition.at(condition_field)) return std::nullopt;
    return message("The field '", field, "' is not what the condition asks for.");
  };
  return {"choice", test, false, {{{"field", field}, {"condition_field", condition_field}}}};
}

Check concept_recovered(const std::shared_ptr<const Table>& terms, std::size_t max_rank,
                        std::string label_field, std::string field, const std::string& id_column,
                        const std::vector<std::string>& columns) {
  require(terms != nullptr, "terms", "The check needs a term list.");
  require(max_rank > 0, "max_rank", "The rank must be at least 1.");
  auto row_of = std::make_shared<std::unordered_map<std::string, std::size_t>>();
  std::vector<std::string> documents(terms->rows());
  for (std::size_t row = 0; row < terms->rows(); ++row) {
    require(row_of->emplace(terms->column(id_column).value_at(row).display(), row).second, "terms",
            "The term list names the same label twice.");
    for (const std::string& column : columns)
      if (terms->has(column)) documents[row] += all_text(terms->column(column).value_at(row)) + " ";
  }
  const auto index = std::make_shared<const Bm25>(Bm25::fit(documents));
  const auto test = [=](const Task& task, const std::string& text) -> Reason {
    const auto label = row_of->find(task.condition.at(label_field).display());
    if (label == row_of->end())
      throw ConfigError({.field = label_field}, "A condition has a label that is not in the term list.");
    const auto rank = index->rank_of(text, label->second);
    if (rank && *rank <= max_rank) return std::nullopt;
    return message("A search with the text does not find its label among the first ", max_rank, ".");
  };
  PartOptions options{{{"max_rank", count(max_rank)}, {"label_field", label_field}, {"id_column", id_column}},
                      terms};
  options.add("columns", columns);
  return text_check("concept", std::move(field), test, std::move(options));
}

}  // namespace synthema
