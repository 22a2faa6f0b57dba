#include "synthema/text/bm25.hpp"

#include <cmath>

#include "src/text/word_counts.hpp"
#include "synthema/core/error.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {

void check(const Bm25Options& options) {
  if (!(options.k1 >= 0)) throw ConfigError({.field = "k1"}, "BM25 needs a k1 of at least 0.");
  if (!(options.b >= 0 && options.b <= 1))
    throw ConfigError({.field = "b"}, "BM25 needs a b between 0 and 1.");
}

}  // namespace

Bm25 Bm25::fit(std::span<const std::string> documents, Bm25Options options) {
  check(options);
  Bm25 out;
  std::vector<SparseVector> counts;
  std::vector<double> lengths, frequency;
  double words_in_all = 0;
  for (const std::string& document : documents) {
    const std::vector<WordId> ids = out.vocabulary_.intern_all(words(document));
    lengths.push_back(static_cast<double>(ids.size()));
    words_in_all += lengths.back();
    counts.push_back(detail::word_counts(ids));
    frequency.resize(out.vocabulary_.size(), 0);
    for (const auto& [word, count] : counts.back()) frequency[word] += 1;
  }
  const auto n = static_cast<double>(documents.size());
  const double mean_length = n > 0 ? words_in_all / n : 0;
  for (std::size_t d = 0; d < counts.size(); ++d) {
    for (auto& [word, weight] : counts[d]) {
      const double idf = std::log(1 + (n - frequency[word] + 0.5) / (frequency[word] + 0.5));
      const double norm = options.k1 * (1 - options.b + options.b * lengths[d] / mean_length);
      weight = idf * weight * (options.k1 + 1) / (weight + norm);
    }
    out.index_.add(counts[d]);
  }
  return out;
}

SparseVector Bm25::query_vector(std::string_view query) const {
  return detail::word_counts(vocabulary_.find_all(words(query)));
}

std::vector<Hit> Bm25::search(std::string_view query, std::size_t k) const {
  return index_.search(query_vector(query), k);
}

std::optional<std::size_t> Bm25::rank_of(std::string_view query, std::size_t document) const {
  return index_.rank_of(query_vector(query), document);
}

}  // namespace synthema
