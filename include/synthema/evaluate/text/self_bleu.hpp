// Self-BLEU-4 (Zhu et al. 2018, Texygen): each text against all others as references, averaged; NLTK's
// sentence BLEU with smoothing 1 (an order without a match counts 0.1 matches; 0 if no word matches), closest
// reference length. Texygen takes 500 references and order 3 by default and other tokens; numbers compare
// only at equal settings and equal numbers of texts. Cost is linear in the texts: for each n-gram the two
// largest counts over the texts are enough.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT SelfBleu {
 public:
  // At most this many texts are used (0: all), drawn by the context's seed, and the score says so.
  explicit SelfBleu(std::size_t limit = 0) : limit_(limit) {}
  std::string_view name() const { return "self_bleu_4"; }
  Direction direction() const { return Direction::lower; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::size_t limit_;
};

// The score of each text against all others; at least two texts.
std::vector<double> self_bleu_by_text(std::span<const std::vector<std::string>> texts);

}  // namespace synthema
