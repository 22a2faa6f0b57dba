// LengthProfile: mean number of words of a text. Parts: quartiles, extremes, sentences a text; and where real
// texts are given their mean, the largest distance of the two cumulative distributions (Kolmogorov-Smirnov)
// and the area between them in words (Wasserstein-1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT LengthProfile {
 public:
  std::string_view name() const { return "length_words"; }
  Direction direction() const { return Direction::none; }
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

}  // namespace synthema
