// The vectors that the context's embedder gives, checked and of length 1.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "synthema/core/plug_in_error.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema::detail {

// One column a text; a vector of zeros stays one. PlugInError if the embedder gives anything but one
// finite vector a text, all of one length.
inline Eigen::MatrixXf embedded_texts(const EvaluationContext& context, std::span<const std::string> texts) {
  const std::vector<std::vector<float>> vectors = context.embedder(texts);
  const std::size_t width = vectors.empty() ? 0 : vectors.front().size();
  if (vectors.size() != texts.size() || (width == 0 && !texts.empty()))
    throw PlugInError(message("The embedder gave ", vectors.size(), " vectors of ", width, " numbers for ",
                              texts.size(), " texts."));
  Eigen::MatrixXf out(static_cast<Eigen::Index>(width), static_cast<Eigen::Index>(texts.size()));
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    double squares = 0;
    for (const float x : vectors[i]) squares += double{x} * double{x};
    if (vectors[i].size() != width || !std::isfinite(squares))
      throw PlugInError(
          "The embedder gave vectors of different length, or with a number that is not finite.");
    const auto scale = static_cast<float>(squares > 0 ? 1 / std::sqrt(squares) : 0);
    for (std::size_t k = 0; k < width; ++k)
      out(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(i)) = vectors[i][k] * scale;
  }
  return out;
}

}  // namespace synthema::detail
