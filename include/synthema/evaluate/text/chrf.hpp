// chrF (Popovic, WMT 2015) with the conventions of sacreBLEU 2: n-grams of characters, orders 1 to 6, white
// space taken out, F-score with beta 2 of the mean precision and recall over the orders that both texts have,
// counts summed over the corpus, one reference a row. Values are in [0, 100].
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "synthema/core/export.hpp"

namespace synthema {

// What chrF is computed from, by order from 1; counts of several rows add up.
struct ChrfCounts {
  static constexpr std::size_t kOrders = 6;
  std::array<double, kOrders> matches{};     // clipped
  std::array<double, kOrders> hypothesis{};  // n-grams, where the reference has any of this order
  std::array<double, kOrders> reference{};

  ChrfCounts& operator+=(const ChrfCounts& other);
};

ChrfCounts chrf_counts(std::string_view hypothesis, std::string_view reference);
double chrf_from(const ChrfCounts& counts);

double sentence_chrf(std::string_view hypothesis, std::string_view reference);
// EvaluationError if the two have different lengths.
double corpus_chrf(std::span<const std::string> hypotheses, std::span<const std::string> references);

}  // namespace synthema
