// TF-IDF vectors and cosine search. With the default options the weights are those of scikit-learn's
// TfidfVectorizer: idf = ln((1 + N) / (1 + df)) + 1, tf the raw count, rows of Euclidean length 1.
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

struct TfIdfOptions {
  bool sublinear_tf = false;  // 1 + ln(count) in place of count
  bool smooth_idf = true;     // false: ln(N / df) + 1
};

class SYNTHEMA_EXPORT TfIdf {
 public:
  // Counts the words of the documents (words(text) each) and keeps their vectors for search.
  static TfIdf fit(std::span<const std::string> documents, TfIdfOptions options = {});

  // Unit vector of a text over the fitted vocabulary; words not in it are left out; empty if none is.
  SparseVector vector(std::string_view text) const;
  std::vector<Hit> search(std::string_view query, std::size_t k) const;
  std::optional<std::size_t> rank_of(std::string_view query, std::size_t document) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  double idf(WordId word) const { return idf_.at(word); }
  std::size_t documents() const { return index_.size(); }

 private:
  TfIdfOptions options_;
  Vocabulary vocabulary_;
  std::vector<double> idf_;  // by word
  InvertedIndex index_;
};

// Inner product of two sparse vectors; the cosine where both have length 1.
double dot(const SparseVector& a, const SparseVector& b);

}  // namespace synthema
