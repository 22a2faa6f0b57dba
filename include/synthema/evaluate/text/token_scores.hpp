// What needs a model's view of single tokens.
//   perplexity  exp of the mean negative log-probability of a token, natural logarithms, over the tokens of
//   all
//               texts; the context's text scorer says what a token is and whether the first one counts. Low
//               is what the scorer expects, which is neither good nor bad in itself: compare with the part
//               "real text, same number of rows", and values of one scorer only
//   bert_score  mean F of greedy matching of token vectors against those of the reference in the same row
//   (Zhang et
//               al., ICLR 2020): precision is the mean over the text's tokens of the largest cosine with a
//               token of the reference, recall the same turned round. No idf weights, no rescaling by a
//               baseline; special tokens are the caller's to leave out. Parts: precision and recall
// Intervals: bootstrap over units. Cost: the model; tokens^2 x width of each pair.
// Misleads: long texts have lower perplexity; a wrong number or a lost negation hardly moves either.
#pragma once

#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT Perplexity {
 public:
  std::string_view name() const { return "perplexity"; }
  Direction direction() const { return Direction::none; }
  Range range() const { return {0, std::numeric_limits<double>::infinity()}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;
};

// Texts -> one vector a token, of all texts of one length.
using TokenEmbedder =
    std::function<std::vector<std::vector<std::vector<float>>>(std::span<const std::string>)>;

class SYNTHEMA_EXPORT BertScore {
 public:
  // Without an embedder the score is undefined and says so.
  explicit BertScore(std::string reference_column = "reference", TokenEmbedder embedder = {})
      : reference_(std::move(reference_column)), embedder_(std::move(embedder)) {}
  std::string_view name() const { return "bert_score"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {-1, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::string reference_;
  TokenEmbedder embedder_;
};

}  // namespace synthema
