// OntologyLinking: are the texts linked to the term that they should express? Each text goes to the term of
// the context's term list whose wording (name, synonyms; definitions if asked for) has the largest cosine
// similarity in the vectors of the context's embedder, or to none where that similarity is below a threshold.
// This is how study [56] uses its sentences, and what recognition of concepts is judged by:
//   ontology_linking_precision  correct links / linked rows
//   ontology_linking_recall     correct links / rows
//   ontology_linking_f1         2 correct links / (linked rows + rows), the harmonic mean of the two
// Rows count alike (micro-average), only the label's own identifier is correct, and a tie goes to the term
// that comes first. Floor: the exact expectation with the labels shuffled among the rows. Ceiling: each
// label's name alone as the text. Parts: the share of rows that are linked, and the same measure of the
// labels' synonyms, each linked without itself: how well this linker knows a wording that it has not seen.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

struct OntologyLinkingOptions {
  double threshold = 0.5;  // smallest cosine of a link, -1 to 1; -1 links every row
  bool definitions =
      false;  // wordings too; they are long, so embedding a whole ontology takes thrice as long
};

class SYNTHEMA_EXPORT OntologyLinking {
 public:
  enum class Measure : std::uint8_t { precision, recall, f1 };
  static constexpr bool needs_embedder = true;

  // ConfigError if the threshold is no cosine.
  explicit OntologyLinking(Measure measure = Measure::f1, const OntologyLinkingOptions& options = {});
  std::string_view name() const;
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Measure measure_;
  OntologyLinkingOptions options_;
};

}  // namespace synthema
