#include "synthema/text/inverted_index.hpp"

#include <algorithm>

#include "synthema/core/error.hpp"

namespace synthema {

void InvertedIndex::add(const SparseVector& document) {
  for (const auto& [word, weight] : document) {
    if (word >= postings_.size()) postings_.resize(word + 1);
    postings_[word].emplace_back(documents_, weight);
  }
  ++documents_;
}

std::vector<double> InvertedIndex::scores(const SparseVector& query) const {
  std::vector<double> out(documents_, 0.0);
  for (const auto& [word, weight] : query) {
    if (word >= postings_.size()) continue;
    for (const auto& [document, held] : postings_[word]) out[document] += weight * held;
  }
  return out;
}

std::vector<Hit> InvertedIndex::search(const SparseVector& query, std::size_t k) const {
  const std::vector<double> all = scores(query);
  std::vector<Hit> hits;
  for (std::size_t d = 0; d < all.size(); ++d)
    if (all[d] > 0) hits.push_back({d, all[d]});
  const std::size_t keep = k == 0 ? hits.size() : std::min(k, hits.size());
  const auto better = [](const Hit& a, const Hit& b) {
    return a.score != b.score ? a.score > b.score : a.document < b.document;
  };
  std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(keep), hits.end(), better);
  hits.resize(keep);
  return hits;
}

std::optional<std::size_t> InvertedIndex::rank_of(const SparseVector& query, std::size_t document) const {
  if (document >= documents_)
    throw ConfigError(message("The index has ", documents_, " documents; there is no document ", document,
                              " (they are numbered from 0)."));
  const std::vector<double> all = scores(query);
  if (!(all[document] > 0)) return std::nullopt;
  std::size_t rank = 1;
  for (std::size_t d = 0; d < all.size(); ++d)
    if (all[d] > all[document] || (all[d] == all[document] && d < document)) ++rank;
  return rank;
}

}  // namespace synthema
