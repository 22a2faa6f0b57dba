// Sparse retrieval: documents as sparse vectors of weights over words, a query as another, the score their
// inner product. TF-IDF and BM25 are two ways of choosing the weights.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

// (word, weight), each word once, in the order of word ids.
using SparseVector = std::vector<std::pair<WordId, double>>;

struct Hit {
  std::size_t document = 0;
  double score = 0;
  friend bool operator==(const Hit&, const Hit&) = default;
};

class SYNTHEMA_EXPORT InvertedIndex {
 public:
  void add(const SparseVector& document);  // documents are numbered 0, 1, ...
  std::size_t size() const { return documents_; }

  // Documents of positive score, best first, equal scores by number. At most `k`; 0: all of them.
  std::vector<Hit> search(const SparseVector& query, std::size_t k) const;
  // 1-based place of a document in that order; nothing if it scores zero.
  std::optional<std::size_t> rank_of(const SparseVector& query, std::size_t document) const;

 private:
  std::vector<double> scores(const SparseVector& query) const;
  std::vector<std::vector<std::pair<std::size_t, double>>> postings_;  // by word
  std::size_t documents_ = 0;
};

}  // namespace synthema
