// IdentifiersInText: names, dates, numbers and addresses (text/identifiers.hpp, or detectors of one's own) in
// synthetic texts.
//   identifier_texts  share of texts with any; ceiling: that of the training texts
//   identifier_reuse  share of texts with one that a training text has too, in these words and of this kind;
//                     ceiling: that of the holdout, or of each training text against all others
// A part for each kind. No score, message or report says what was found, only how often.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/text/identifiers.hpp"

namespace synthema {

// Identifiers of each text; called from one thread at a time.
using IdentifierDetector = std::function<std::vector<std::vector<Identifier>>(std::span<const std::string>)>;

class SYNTHEMA_EXPORT IdentifiersInText {
 public:
  static constexpr bool needs_reference = true;
  enum class Measure : std::uint8_t { texts, reuse };

  // What the detectors find comes on top of what find_identifiers() does, unless `only_these`.
  explicit IdentifiersInText(Measure measure, std::vector<IdentifierDetector> detectors = {},
                             bool only_these = false)
      : measure_(measure), detectors_(std::move(detectors)), only_these_(only_these) {}
  std::string_view name() const {
    return measure_ == Measure::texts ? "identifier_texts" : "identifier_reuse";
  }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Measure measure_;
  std::vector<IdentifierDetector> detectors_;
  bool only_these_;
};

}  // namespace synthema
