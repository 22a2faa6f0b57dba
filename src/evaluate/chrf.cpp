#include "synthema/evaluate/text/chrf.hpp"

#include <vector>

#include "src/evaluate/python_space.hpp"
#include "synthema/core/error.hpp"
#include "synthema/text/ngrams.hpp"

namespace synthema {

namespace {

constexpr double kBeta = 2;

// Code points without white space, as the "words" of n-grams.
std::vector<WordId> characters(std::string_view text) {
  std::vector<WordId> out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = detail::code_point(text, at);
    if (!detail::is_python_space(point.value)) out.push_back(static_cast<WordId>(point.value));
    at += point.length;
  }
  return out;
}

}  // namespace

ChrfCounts& ChrfCounts::operator+=(const ChrfCounts& other) {
  for (std::size_t i = 0; i < kOrders; ++i) {
    matches[i] += other.matches[i];
    hypothesis[i] += other.hypothesis[i];
    reference[i] += other.reference[i];
  }
  return *this;
}

ChrfCounts chrf_counts(std::string_view hypothesis, std::string_view reference) {
  const std::vector<WordId> h = characters(hypothesis), r = characters(reference);
  ChrfCounts out;
  const std::vector<NgramOverlap> overlaps = ngram_overlaps(r, h, ChrfCounts::kOrders);
  for (std::size_t i = 0; i < overlaps.size(); ++i) {
    if (overlaps[i].in_a == 0) break;  // nor has the reference n-grams of any longer order
    out.matches[i] = static_cast<double>(overlaps[i].matches);
    out.hypothesis[i] = static_cast<double>(overlaps[i].in_b);
    out.reference[i] = static_cast<double>(overlaps[i].in_a);
  }
  return out;
}

double chrf_from(const ChrfCounts& counts) {
  double precision = 0, recall = 0, orders = 0;
  for (std::size_t i = 0; i < ChrfCounts::kOrders; ++i) {
    if (counts.hypothesis[i] == 0 || counts.reference[i] == 0) continue;
    precision += counts.matches[i] / counts.hypothesis[i];
    recall += counts.matches[i] / counts.reference[i];
    ++orders;
  }
  if (precision + recall == 0) return 0;
  precision /= orders, recall /= orders;
  return 100 * (1 + kBeta * kBeta) * precision * recall / (kBeta * kBeta * precision + recall);
}

double sentence_chrf(std::string_view hypothesis, std::string_view reference) {
  return chrf_from(chrf_counts(hypothesis, reference));
}

double corpus_chrf(std::span<const std::string> hypotheses, std::span<const std::string> references) {
  if (hypotheses.size() != references.size())
    throw EvaluationError(message("chrF needs one reference per hypothesis, but there are ",
                                  hypotheses.size(), " hypotheses and ", references.size(), " references."));
  ChrfCounts counts;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) counts += chrf_counts(hypotheses[i], references[i]);
  return chrf_from(counts);
}

}  // namespace synthema
