// What the text scorer of a context says of texts, checked.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "synthema/core/plug_in_error.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema::detail {

// Natural logarithms of the probabilities of each text's tokens. PlugInError for another number of lists
// than of texts, and for what is no logarithm of a probability.
inline std::vector<std::vector<double>> scored_texts(const EvaluationContext& context,
                                                     const std::vector<std::string>& texts) {
  std::vector<std::vector<double>> out = context.text_scorer(texts);
  if (out.size() != texts.size())
    throw PlugInError(message("The text scorer gave ", out.size(), " answers for ", texts.size(),
                              " texts; one list of log-probabilities a text is wanted."));
  for (const auto& tokens : out)
    for (const double log : tokens)
      if (!(log <= 1e-6) || !std::isfinite(log))
        throw PlugInError("The text scorer gave a log-probability that is above 0 or not finite.");
  return out;
}

}  // namespace synthema::detail
