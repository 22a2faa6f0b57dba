#include "synthema/text/tf_idf.hpp"

#include <cmath>

#include "src/text/word_counts.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

TfIdf TfIdf::fit(std::span<const std::string> documents, TfIdfOptions options) {
  TfIdf out;
  out.options_ = options;
  std::vector<std::size_t> frequency;  // documents with the word
  for (const std::string& document : documents)
    for (const auto& [word, count] : detail::word_counts(out.vocabulary_.intern_all(words(document)))) {
      if (word >= frequency.size()) frequency.resize(word + 1, 0);
      ++frequency[word];
    }
  const double smooth = options.smooth_idf ? 1 : 0;
  const auto n = static_cast<double>(documents.size());
  for (const std::size_t df : frequency)
    out.idf_.push_back(std::log((n + smooth) / (static_cast<double>(df) + smooth)) + 1);
  for (const std::string& document : documents) out.index_.add(out.vector(document));
  return out;
}

SparseVector TfIdf::vector(std::string_view text) const {
  SparseVector out;
  double squares = 0;
  for (const auto& [word, count] : detail::word_counts(vocabulary_.find_all(words(text)))) {
    const double tf = options_.sublinear_tf ? 1 + std::log(count) : count;
    out.emplace_back(word, tf * idf_[word]);
    squares += out.back().second * out.back().second;
  }
  for (auto& [word, weight] : out) weight /= std::sqrt(squares);
  return out;
}

std::vector<Hit> TfIdf::search(std::string_view query, std::size_t k) const {
  return index_.search(vector(query), k);
}

std::optional<std::size_t> TfIdf::rank_of(std::string_view query, std::size_t document) const {
  return index_.rank_of(vector(query), document);
}

double dot(const SparseVector& a, const SparseVector& b) {
  double sum = 0;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    if (i->first == j->first)
      sum += (i++)->second * (j++)->second;
    else if (i->first < j->first)
      ++i;
    else
      ++j;
  }
  return sum;
}

}  // namespace synthema
