// Drawing one token from logits. Deterministic: the same logits, values, stream and token index give the same
// id; ties go to the lower id.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/random.hpp"
#include "synthema/model/tokenizer.hpp"
#include "synthema/prompt/sampling.hpp"

namespace synthema {

struct Draw {
  TokenId id = 0;
  double log_probability = 0;  // natural log, before penalty, temperature and cuts, among the ids offered
};

// Reusable memory between draws; used by one thread at a time.
class SYNTHEMA_EXPORT Sampler {
 public:
  // `logits` of the whole vocabulary, or of `allowed` (ascending, same order) where that is not empty.
  // `seen`: ids of prompt and answer so far, in any order, repeats allowed; read only where there is a
  // repetition penalty. Order: penalty, temperature, top-k, top-p, min-p; the draw inverts the cumulative
  // distribution in the order of ids with the one uniform number of `token_index`. ModelError if a logit is
  // NaN or +infinity, or all are -infinity.
  Draw draw(std::span<const float> logits, std::span<const TokenId> allowed, std::span<const TokenId> seen,
            const Sampling& sampling, const Random& random, std::uint64_t token_index);

 private:
  struct Candidate {
    float weight = 0;  // e^(tempered logit - largest)
    std::uint32_t index = 0;
  };
  void penalise(std::span<const TokenId> allowed, std::span<const TokenId> seen, double penalty);
  void weigh(double temperature);
  void keep_top_k(std::size_t k);
  void keep_heaviest(double goal);
  void cut(const Sampling& sampling);
  std::size_t pick(const Sampling& sampling, double uniform);
  std::size_t last_positive() const;

  std::vector<float> logits_;   // penalised copy
  std::vector<float> weights_;  // by index
  std::vector<Candidate> candidates_;
  std::vector<TokenId> seen_;
};

}  // namespace synthema
