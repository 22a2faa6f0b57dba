// How often each known word occurs, in the order of word ids.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "synthema/text/vocabulary.hpp"

namespace synthema::detail {

inline std::vector<std::pair<WordId, double>> word_counts(std::vector<WordId> ids) {
  std::sort(ids.begin(), ids.end());
  std::vector<std::pair<WordId, double>> out;
  for (const WordId id : ids) {
    if (id == Vocabulary::unknown) break;  // the largest id: nothing known follows
    if (out.empty() || out.back().first != id) out.emplace_back(id, 0.0);
    out.back().second += 1;
  }
  return out;
}

}  // namespace synthema::detail
