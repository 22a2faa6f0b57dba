// The ready-made checks. Each looks at one text field of a draft and names its reason in a short sentence
// without private values. A missing or non-text field is refused by all of them.
//
// There is no check for "not seen before": rows never read other rows. Duplicates are measured, not
// prevented.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "synthema/data/table.hpp"
#include "synthema/generate/check.hpp"

namespace synthema {

// Words as text/tokens.hpp counts them; both bounds inclusive. ConfigError if reversed.
Check length_in_words(std::size_t minimum, std::size_t maximum, std::string field = "text");
// Ends with . ! or ? (a closing quote or bracket may follow).
Check ends_with_punctuation(std::string field = "text");
Check one_line(std::string field = "text");

// Looks like text of this language. "en": at least nine in ten of its letters are ASCII, and at least `share`
// of its words are among the commonest function words and pronouns of English. Only "en" is known:
// ConfigError otherwise. A rough test of script and function words, not a language identifier.
Check in_language(std::string language = "en", double share = 0.15, std::string field = "text");

// Shares no run of `run` words with the `pool_field` of any exemplar. Marks rejected drafts as private where
// the exemplars are (Check::guards_exemplars). ConfigError: run 0 or no pool.
Check no_exemplar_copy(std::shared_ptr<const Table> exemplars, std::size_t run = 8,
                       std::string field = "text", std::string pool_field = "text");

// None of these phrases occurs, compared word by word without regard to case.
Check banned_words(std::vector<std::string> phrases, std::string field = "text");

// The mean log-probability of the tokens that were drawn for the row is at least `minimum` (natural log, at
// most 0): what the model itself finds odd is refused. A model that tells none ends the run: ConfigError.
Check likely_enough(double minimum);

// `field` equals the condition's `condition_field` (what a choice under a mask gave must be what was asked).
Check matches_choice(std::string field, std::string condition_field);

// A BM25 search with the text finds the condition's label among the first `max_rank` of the term list.
// Documents are a term's name, synonyms and definition, where there are such columns. ConfigError: an unknown
// label (when a draft with it is judged), repeated ids, max_rank 0.
Check concept_recovered(const std::shared_ptr<const Table>& terms, std::size_t max_rank,
                        std::string label_field = "label", std::string field = "text",
                        const std::string& id_column = "id",
                        const std::vector<std::string>& columns = {"name", "synonyms", "definition"});

}  // namespace synthema
