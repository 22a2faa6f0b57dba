// CanaryExposure: how much better canaries that were planted into the training data are known than others
// that were not (Carlini et al., "The secret sharer", USENIX Security 2019, section 4). A canary is scored by
// the longest part of it that a synthetic text repeats; where the context scores texts, by its
// log-probability too, and the score is that of whichever tells more. Its rank is its place among the
// canaries that were not planted, ties at the middle;
//   exposure = log2(number of those + 1) - log2(rank), in bits
// 0 to log2(number + 1), about 1.44 by chance. The score is the mean over planted canaries. The part "found
// whole" is the share of them that a synthetic text repeats word for word.
#pragma once

#include <memory>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT CanaryExposure {
 public:
  // Columns text and planted (boolean, or a number that is not 0); may be null, and then nothing is measured.
  explicit CanaryExposure(std::shared_ptr<const Table> canaries = nullptr) : canaries_(std::move(canaries)) {}
  std::string_view name() const { return "canary_exposure"; }
  Direction direction() const { return Direction::lower; }
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::shared_ptr<const Table> canaries_;
};

}  // namespace synthema
