// Drawing one token from logits. Deterministic: the same logits, values, stream and token index give the same
// id; ties go to the lower id.
//
// The draw inverts the cumulative distribution in the order of ids with one uniform number, so there is no
// noise for ids that cannot win. Logits are read once for the largest of each block of 128 ids; cuts (top-k,
// min-p) become bounds that open few blocks, and exponentials are taken only of what the cuts leave.
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

// Natural log of the probability of logits[index] in the distribution e^logit / sum. ModelError as Sampler.
SYNTHEMA_EXPORT double log_probability_of(std::span<const float> logits, std::size_t index);

// Added to the logit of one id before everything else; -infinity forbids it.
struct LogitBias {
  TokenId id = 0;
  float bias = 0;
};

// What one draw chooses from.
struct Offer {
  std::span<const float> logits;       // of the whole vocabulary, or of `allowed` where that is not empty
  std::span<const TokenId> allowed{};  // ascending, in the order of `logits`; empty: the whole vocabulary
  std::span<const TokenId> seen{};     // ids of prompt and answer so far, in any order, repeats allowed; read
                                       // only where there is a repetition penalty
  std::span<const LogitBias> biases{};
};

// Whether a given id is the one that is drawn.
enum class Agreement : std::uint8_t { same, near, different };

// Reusable memory between draws; used by one thread at a time.
class SYNTHEMA_EXPORT Sampler {
 public:
  // Order: biases, penalty, temperature, top-k, top-p, min-p. `token_index` picks the uniform number of the
  // stream. ModelError if a logit is NaN or +infinity, or all are -infinity.
  Draw draw(const Offer& offer, const Sampling& sampling, const Random& random, std::uint64_t token_index);

  // The same for a token that stands already: the draw's log-probability is that of `given`. `near` means
  // that changes of all logits by at most `tolerance` can move the draw to `given`: then the uniform number
  // is no farther from the interval of `given` than tolerance / (2 temperature), which bounds how far such
  // changes move the cumulative distribution, plus the weight of ids so close to the edge of a cut that they
  // may be in or out.
  struct Judged {
    Draw draw;
    Agreement agreement = Agreement::same;
  };
  Judged judge(const Offer& offer, const Sampling& sampling, const Random& random, std::uint64_t token_index,
               TokenId given, double tolerance);

 private:
  struct Candidate {
    float value = 0;  // its logit, then its weight: e^((logit - largest) / temperature)
    std::uint32_t index = 0;
  };
  static bool before(const Candidate& a, const Candidate& b) {  // heavier first, then the lower id
    return a.value > b.value || (a.value == b.value && a.index < b.index);
  }
  float scan(std::span<const float> logits);
  std::span<const float> changed(const Offer& offer, const Sampling& sampling);
  void penalise(std::span<const TokenId> allowed, std::span<const TokenId> seen, double penalty);
  std::size_t first_of(std::span<const float> logits, float value) const;
  double weigh_all(std::span<const float> logits, float top, float factor);
  std::size_t pick_of_all(std::span<const float> logits, float top, float factor, double uniform);
  std::size_t pick_of_some(std::span<const float> logits, float top, const Sampling& sampling,
                           double uniform);
  void collect(std::span<const float> logits, float bound);
  void keep_until(const Candidate& last);
  void keep_top_k(std::span<const float> logits, std::size_t k);
  void keep_nucleus(double goal);
  void weigh_candidates(float top, float factor);
  double candidate_sum() const;
  bool is_near(std::span<const float> logits, std::size_t given, const Sampling& sampling, double uniform,
               double tolerance);

  std::vector<float> logits_;   // copy with biases and penalty
  std::vector<float> largest_;  // of each block
  std::vector<float> sums_;     // of the weights of each block
  std::vector<float> values_, weights_;
  std::vector<Candidate> candidates_, sorted_;
  std::vector<bool> marked_;   // by id; all false between draws
  double nucleus_margin_ = 1;  // share by which the last nucleus misses having one id more or fewer
};

}  // namespace synthema
