// ROUGE (Lin 2004) with the conventions of Google's rouge-score: lower-cased runs of [a-z0-9], optionally
// Porter-stemmed (words longer than three), precision, recall and F1 of clipped n-grams (ROUGE-N), of the
// longest common subsequence (ROUGE-L), and of its union over newline-separated sentences (ROUGE-Lsum).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace synthema {

struct RougeScore {
  double precision = 0, recall = 0, f1 = 0;
  friend bool operator==(const RougeScore&, const RougeScore&) = default;
};

std::vector<std::string> rouge_tokens(std::string_view text, bool stem = false);

RougeScore rouge_n(std::string_view target, std::string_view prediction, std::size_t order,
                   bool stem = false);
RougeScore rouge_l(std::string_view target, std::string_view prediction, bool stem = false);
RougeScore rouge_lsum(std::string_view target, std::string_view prediction, bool stem = false);

}  // namespace synthema
