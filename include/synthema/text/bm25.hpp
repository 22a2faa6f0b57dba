// Okapi BM25 retrieval (Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond",
// 2009): score(q, d) = sum over query words of idf * tf (k1 + 1) / (tf + k1 (1 - b + b |d| / mean |d|)), a
// word counted as often as the query has it, with idf = ln(1 + (N - df + 0.5) / (df + 0.5)), which is never
// negative (Lucene's form).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/text/inverted_index.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

struct Bm25Options {
  double k1 = 1.2;  // at least 0; how soon repeated words stop to count
  double b = 0.75;  // in [0, 1]; how much long documents are discounted
};

class SYNTHEMA_EXPORT Bm25 {
 public:
  static Bm25 fit(std::span<const std::string> documents, Bm25Options options = {});  // ConfigError

  // Documents of positive score, best first, equal scores by number; k = 0 gives all.
  std::vector<Hit> search(std::string_view query, std::size_t k) const;
  // 1-based place of a document for this query; nothing if they share no word.
  std::optional<std::size_t> rank_of(std::string_view query, std::size_t document) const;
  std::size_t documents() const { return index_.size(); }

 private:
  SparseVector query_vector(std::string_view query) const;
  Vocabulary vocabulary_;
  InvertedIndex index_;
};

}  // namespace synthema
