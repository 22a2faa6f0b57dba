// A toy language model whose answers are text.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "synthema/model/toy_language_model.hpp"

namespace synthema::testing {

inline const std::vector<std::string> kPieces{"yes", "no", " and", "the ", "e\xCC\x81"};

// Text-like toy: printable ASCII is likely, everything else impossible, the end rare.
class Prose : public ToyLanguageModel {
 public:
  using ToyLanguageModel::ToyLanguageModel;
  std::vector<std::span<const float>> forward(std::span<const SlotStep> steps) {
    rows_.clear();
    std::size_t k = 0;
    const auto raw = ToyLanguageModel::forward(steps);
    for (const SlotStep& step : steps)
      for (std::size_t wanted = 0; wanted < step.wants_logits; ++wanted, ++k) {
        rows_.emplace_back(raw[k].begin(), raw[k].end());
        for (std::size_t i = 0; i < rows_.back().size(); ++i) {
          const std::size_t id = step.allowed.empty() ? i : static_cast<std::size_t>(step.allowed[i]);
          if (id < 32 || (id >= 127 && id < 256)) rows_.back()[i] -= 1000;
          if (id >= 256 + kPieces.size()) rows_.back()[i] -= 3;
        }
      }
    return {rows_.begin(), rows_.end()};
  }

 private:
  std::vector<std::vector<float>> rows_;
};

}  // namespace synthema::testing
