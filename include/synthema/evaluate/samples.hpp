// What evaluators of text read from tables: the texts as words with their labels and units, and the term
// list.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "synthema/evaluate/evaluator.hpp"
#include "synthema/evaluate/resampling.hpp"

namespace synthema {

// A Score that already says who it is of; every evaluator starts with it.
template <class E>
Score start_score(const E& evaluator, std::string estimand, std::string definition) {
  Score score;
  score.name = std::string(evaluator.name());
  score.estimand = std::move(estimand);
  score.definition = std::move(definition);
  score.direction = evaluator.direction();
  score.range = evaluator.range();
  return score;
}
inline Score undefined(Score score, std::string reason) {
  score.value.reset();
  score.interval.reset();
  score.undefined = std::move(reason);
  return score;
}

// Whether a sample's texts are split into words at once; what looks at characters alone, or splits by itself,
// does without.
enum class SplitWords : bool { no, yes };

// The rows of a table that have a text. Rows without one are left out and counted in a warning of the score.
struct TextSample {
  std::vector<std::string> texts;
  std::vector<std::vector<std::string>> words;  // empty if not split
  std::vector<std::string> labels;              // empty if the table has no label column; "" where missing
  Units units;

  std::size_t size() const { return texts.size(); }
};

// Name of the label column, from the context or else the schema's label role; empty if there is none.
// EvaluationError if the context names a column that is not there.
std::string label_column_of(const Table& table, const EvaluationContext& context);
// A column of texts or category labels; EvaluationError if it is not there or of another kind.
const Column& text_column(const Table& table, const std::string& name);
// EvaluationError if the context's text column is not there or is no text.
TextSample text_sample(const Table& table, const EvaluationContext& context, Score& score,
                       SplitWords words = SplitWords::yes);
// The same of another table (real, holdout, exemplars) that may lack the text column.
std::optional<TextSample> text_sample_if_any(const Table* table, const EvaluationContext& context,
                                             SplitWords words = SplitWords::yes);

// The term list: columns id and name, optional synonyms and lay_synonyms (lists of text) and definition.
struct Term {
  std::string id, name, definition;
  std::vector<std::string> synonyms;      // with the lay ones
  std::vector<std::string> lay_synonyms;  // words that patients use

  std::vector<std::string> names() const;  // name and synonyms
  std::string document() const;            // all of it as one text, for retrieval
};
class TermList {
 public:
  explicit TermList(const Table& table);  // EvaluationError if id or name are missing
  const std::vector<Term>& terms() const { return terms_; }
  std::optional<std::size_t> find(std::string_view id) const;

 private:
  std::vector<Term> terms_;
  std::unordered_map<std::string, std::size_t> by_id_;
};

// Adds "real text, same number of rows" to a measure that depends on how much text there is: measured on as
// many real rows as the synthetic table has, drawn by the context's seed. Nothing if real has no texts or
// fewer rows.
void add_real_part(Score& score, const Table* real, const EvaluationContext& context, std::size_t rows,
                   const std::function<std::optional<double>(const TextSample&)>& measure,
                   SplitWords words = SplitWords::yes);

}  // namespace synthema
