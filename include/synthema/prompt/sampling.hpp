// How a completion is drawn from the model's distribution: a value, not a callback. Part of every row's
// provenance.
#pragma once

#include <cstdint>

#include "synthema/core/error.hpp"

namespace synthema {

struct Sampling {
  double temperature = 1.0;  // 0: greedy
  std::uint32_t top_k = 0;   // keep the k most likely ids; 0: all
  double top_p = 1.0;  // nucleus: smallest set of ids whose probability reaches top_p (Holtzman et al. 2020)
  double min_p = 0.0;  // drop ids below min_p x the largest probability
  double repetition_penalty =
      1.0;  // divides positive and multiplies negative logits of ids seen before (CTRL, sec. 4.1)
  std::uint32_t max_tokens = 128;  // of one completion, at least 1
  std::uint32_t min_tokens = 0;    // before these are drawn, neither end ids nor stop texts can occur
  bool log_probabilities = false;  // report that of every token, not only their sum

  // ConfigError with the field and its range. Order of application: penalty, temperature, top-k, top-p,
  // min-p.
  void check() const {
    const auto require = [](bool ok, const char* field, const char* range) {
      if (!ok) throw ConfigError({.field = field}, message("The sampling value must be ", range, "."));
    };
    require(temperature >= 0 && temperature <= 100, "temperature", "between 0 (greedy) and 100");
    require(top_p > 0 && top_p <= 1, "top_p", "above 0 and at most 1");
    require(min_p >= 0 && min_p < 1, "min_p", "at least 0 and below 1");
    require(repetition_penalty > 0 && repetition_penalty <= 100, "repetition_penalty",
            "above 0 and at most 100");
    require(max_tokens > 0, "max_tokens", "at least 1");
    require(min_tokens <= max_tokens, "min_tokens", "at most max_tokens");
  }
  friend bool operator==(const Sampling&, const Sampling&) = default;
};

}  // namespace synthema
