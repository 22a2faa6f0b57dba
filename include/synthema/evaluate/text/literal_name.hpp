// LiteralNameShare: how often a text simply says its label. Low is paraphrase, high is quotation; which is
// wanted depends on the task, so it has no better direction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

// Share of rows whose words contain the label's name or one of its synonyms (context.terms) in a row,
// compared as words() makes them. Parts: by label.
class SYNTHEMA_EXPORT LiteralNameShare {
 public:
  std::string_view name() const { return "literal_name_share"; }
  Direction direction() const { return Direction::none; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

}  // namespace synthema
