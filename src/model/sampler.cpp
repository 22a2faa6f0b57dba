#include "synthema/model/sampler.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>

#include "src/cpu/logits.hpp"
#include "synthema/core/error.hpp"

namespace synthema {

namespace {

// The largest logit; the maxima of all blocks are left in `largest`.
float largest_logit(std::span<const float> logits, std::vector<float>& largest) {
  largest.resize(cpu::logit_blocks(logits.size()));
  const bool numbers = cpu::block_maxima(logits, largest);
  const auto top = std::ranges::max_element(largest);
  if (!numbers || top == largest.end() || !std::isfinite(*top))
    throw ModelError("The model's logits are not finite, or every id is forbidden; nothing can be drawn.");
  return *top;
}

double total(std::span<const float> sums) {
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

float factor_of(double temperature) {
  return static_cast<float>(std::min(1 / temperature, 1e30));
}

double uniform_of(const Random& random, std::uint64_t token_index) {
  const PhiloxBlock bits = random.block(token_index, 0);
  const std::uint64_t high = bits[0] >> 5, low = bits[1] >> 6;
  return static_cast<double>((high << 26) | low) / 9007199254740992.0;
}

}  // namespace

double log_probability_of(std::span<const float> logits, std::size_t index) {
  std::vector<float> blocks;
  const float top = largest_logit(logits, blocks);
  cpu::block_sums(logits, top, 1.0f, blocks);
  return static_cast<double>(logits[index]) - static_cast<double>(top) - std::log(total(blocks));
}

float Sampler::scan(std::span<const float> logits) {
  return largest_logit(logits, largest_);
}

double Sampler::weigh_all(std::span<const float> logits, float top, float factor) {
  sums_.resize(cpu::logit_blocks(logits.size()));
  cpu::block_sums(logits, top, factor, sums_);
  return total(sums_);
}

// The logits with biases and penalty: the model's own memory where there are none.
std::span<const float> Sampler::changed(const Offer& offer, const Sampling& sampling) {
  if (offer.biases.empty() && sampling.repetition_penalty == 1) return offer.logits;
  logits_.assign(offer.logits.begin(), offer.logits.end());
  for (const LogitBias& bias : offer.biases) {
    auto index = static_cast<std::size_t>(bias.id);
    if (!offer.allowed.empty()) {
      const auto found = std::ranges::lower_bound(offer.allowed, bias.id);
      if (found == offer.allowed.end() || *found != bias.id) continue;
      index = static_cast<std::size_t>(found - offer.allowed.begin());
    }
    if (index < logits_.size()) logits_[index] += bias.bias;
  }
  if (sampling.repetition_penalty != 1) penalise(offer.allowed, offer.seen, sampling.repetition_penalty);
  return logits_;
}

void Sampler::penalise(std::span<const TokenId> allowed, std::span<const TokenId> seen, double penalty) {
  const auto change = [&](float& logit) {
    logit = static_cast<float>(logit > 0 ? logit / penalty : logit * penalty);
  };
  for (const TokenId id : seen) {
    const auto index = static_cast<std::size_t>(id);
    if (index >= marked_.size()) marked_.resize(index + 1);
    if (!marked_[index] && allowed.empty() && index < logits_.size()) change(logits_[index]);
    marked_[index] = true;
  }
  for (std::size_t i = 0; i < allowed.size(); ++i)
    if (static_cast<std::size_t>(allowed[i]) < marked_.size() &&
        marked_[static_cast<std::size_t>(allowed[i])])
      change(logits_[i]);
  for (const TokenId id : seen) marked_[static_cast<std::size_t>(id)] = false;
}

// The lowest index with this value; there is one.
std::size_t Sampler::first_of(std::span<const float> logits, float value) const {
  const auto block = static_cast<std::size_t>(std::ranges::find(largest_, value) - largest_.begin());
  return static_cast<std::size_t>(
      std::find(logits.begin() + static_cast<std::ptrdiff_t>(block * cpu::kLogitBlock), logits.end(), value) -
      logits.begin());
}

// Without cuts: the block by the sums of the blocks (left by weigh_all), then the id inside it.
std::size_t Sampler::pick_of_all(std::span<const float> logits, float top, float factor, double uniform) {
  double left = uniform * total(sums_);
  std::size_t block = 0, last = 0;  // the last block of positive sum: rounding may leave a sliver behind it
  for (; block < sums_.size(); ++block) {
    if (sums_[block] <= 0) continue;
    last = block;
    if (left < static_cast<double>(sums_[block])) break;
    left -= static_cast<double>(sums_[block]);
  }
  block = std::min(block, last);
  const auto inside = logits.subspan(block * cpu::kLogitBlock)
                          .first(std::min(cpu::kLogitBlock, logits.size() - block * cpu::kLogitBlock));
  std::array<float, cpu::kLogitBlock> weights;
  cpu::weigh(inside, top, factor, std::span(weights).first(inside.size()));
  std::size_t chosen = 0;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (weights[i] <= 0) continue;
    chosen = i;
    if ((left -= static_cast<double>(weights[i])) < 0) break;
  }
  return block * cpu::kLogitBlock + chosen;
}

// Candidates in the order of ids: all logits from `bound` on, except -infinity.
void Sampler::collect(std::span<const float> logits, float bound) {
  candidates_.clear();
  for (std::size_t b = 0; b < largest_.size(); ++b) {
    if (largest_[b] < bound) continue;
    const std::size_t end = std::min(logits.size(), (b + 1) * cpu::kLogitBlock);
    for (std::size_t i = b * cpu::kLogitBlock; i < end; ++i)
      if (logits[i] >= bound && std::isfinite(logits[i]))
        candidates_.push_back({logits[i], static_cast<std::uint32_t>(i)});
  }
}

void Sampler::keep_until(const Candidate& last) {
  std::erase_if(candidates_, [&](const Candidate& c) { return before(last, c); });
}

// At least k logits reach the k-th largest of the maxima, so only blocks from there on can matter.
void Sampler::keep_top_k(std::span<const float> logits, std::size_t k) {
  float bound = -std::numeric_limits<float>::infinity();
  if (k <= largest_.size()) {
    values_ = largest_;
    const auto kth = values_.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::ranges::nth_element(values_, kth, std::greater<>());
    bound = *kth;
  }
  collect(logits, bound);
  if (candidates_.size() <= k) return;
  sorted_ = candidates_;
  const auto last = sorted_.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::ranges::nth_element(sorted_, last, before);
  keep_until(*last);
}

void Sampler::weigh_candidates(float top, float factor) {
  values_.clear();
  for (const Candidate& candidate : candidates_) values_.push_back(candidate.value);
  weights_.resize(values_.size());
  cpu::weigh(values_, top, factor, weights_);
  for (std::size_t i = 0; i < weights_.size(); ++i) candidates_[i].value = weights_[i];
}

double Sampler::candidate_sum() const {
  double sum = 0;
  for (const Candidate& candidate : candidates_) sum += static_cast<double>(candidate.value);
  return sum;
}

// The smallest set of heaviest candidates whose weights reach `goal`. Weights fall into eighths of powers of
// two; only the candidates of the eighth in which the goal is reached are sorted.
void Sampler::keep_nucleus(double goal) {
  constexpr std::size_t kBuckets = 1024;  // 1 to 2^-127
  const auto bucket = [](float weight) {
    return std::min<std::size_t>(
        kBuckets - 1, (std::bit_cast<std::uint32_t>(1.0f) - std::bit_cast<std::uint32_t>(weight)) >> 20);
  };
  std::array<double, kBuckets> sums{};
  for (const Candidate& c : candidates_) sums[bucket(c.value)] += static_cast<double>(c.value);
  double reached = 0;
  std::size_t edge = 0;
  for (; edge < kBuckets && reached + sums[edge] < goal; ++edge) reached += sums[edge];
  nucleus_margin_ = 0;
  if (edge == kBuckets) return;  // rounding: all together only just miss the goal
  sorted_.clear();
  for (const Candidate& c : candidates_)
    if (bucket(c.value) == edge) sorted_.push_back(c);
  std::ranges::sort(sorted_, before);
  Candidate last = sorted_.front();
  for (const Candidate& c : sorted_) {
    last = c;
    if ((reached += static_cast<double>(c.value)) >= goal) break;
  }
  nucleus_margin_ = std::min(reached - goal, goal - (reached - static_cast<double>(last.value))) / goal;
  keep_until(last);
}

std::size_t Sampler::pick_of_some(std::span<const float> logits, float top, const Sampling& sampling,
                                  double uniform) {
  const float factor = factor_of(sampling.temperature);
  const auto logit_of = [&](double weight) {  // a little below the exact bound
    const auto from = static_cast<double>(top);
    return static_cast<float>(from - 1e-6 * std::abs(from) +
                              sampling.temperature * (std::log(weight) - 1e-3));
  };
  if (sampling.top_k > 0 && sampling.top_k < logits.size()) {
    keep_top_k(logits, sampling.top_k);
    weigh_candidates(top, factor);
    if (sampling.top_p < 1) keep_nucleus(sampling.top_p * candidate_sum());
  } else if (sampling.top_p < 1) {
    const double sum = weigh_all(logits, top, factor), goal = sampling.top_p * sum;
    // Whatever is lighter than this weighs less together than what the nucleus may leave out (half, for
    // rounding); most nuclei are found far above it.
    const double least = 0.5 * (1 - sampling.top_p) * sum / static_cast<double>(logits.size());
    for (double bound = 1.0 / 64;; bound /= 64) {
      collect(logits, logit_of(std::max(bound, least)));
      weigh_candidates(top, factor);
      if (bound <= least || candidate_sum() >= goal) break;
    }
    keep_nucleus(goal);
  } else {
    collect(logits, logit_of(sampling.min_p));
    weigh_candidates(top, factor);
  }
  std::erase_if(candidates_, [&](const Candidate& c) {
    return c.value <= 0 || static_cast<double>(c.value) < sampling.min_p;
  });
  double left = uniform * candidate_sum();
  for (const Candidate& candidate : candidates_)
    if ((left -= static_cast<double>(candidate.value)) < 0) return candidate.index;
  return candidates_.back().index;
}

Draw Sampler::draw(const Offer& offer, const Sampling& sampling, const Random& random,
                   std::uint64_t token_index) {
  const float top = scan(offer.logits);
  const double sum = weigh_all(offer.logits, top, 1.0f);
  const std::span<const float> logits = changed(offer, sampling);
  const bool same = logits.data() == offer.logits.data();
  const float highest = same ? top : scan(logits), factor = factor_of(sampling.temperature);
  std::size_t index = 0;
  if (sampling.temperature == 0) {
    index = first_of(logits, highest);
  } else if (sampling.top_k == 0 && sampling.top_p == 1 && sampling.min_p == 0) {
    if (!same || factor != 1) weigh_all(logits, highest, factor);
    index = pick_of_all(logits, highest, factor, uniform_of(random, token_index));
  } else {
    index = pick_of_some(logits, highest, sampling, uniform_of(random, token_index));
  }
  return {offer.allowed.empty() ? static_cast<TokenId>(index) : offer.allowed[index],
          static_cast<double>(offer.logits[index]) - static_cast<double>(top) - std::log(sum)};
}

Sampler::Judged Sampler::judge(const Offer& offer, const Sampling& sampling, const Random& random,
                               std::uint64_t token_index, TokenId given, double tolerance) {
  Judged out;
  out.draw = draw(offer, sampling, random, token_index);
  if (out.draw.id == given) return out;
  out.agreement = Agreement::different;
  auto index = static_cast<std::size_t>(given);
  if (!offer.allowed.empty()) {
    const auto found = std::ranges::lower_bound(offer.allowed, given);
    if (found == offer.allowed.end() || *found != given) return out;
    index = static_cast<std::size_t>(found - offer.allowed.begin());
  }
  if (given < 0 || index >= offer.logits.size()) return out;
  out.draw = {given, log_probability_of(offer.logits, index)};
  if (is_near(changed(offer, sampling), index, sampling, uniform_of(random, token_index), tolerance))
    out.agreement = Agreement::near;
  return out;
}

// After a draw that gave another id. Slow and plain: it is rare.
bool Sampler::is_near(std::span<const float> logits, std::size_t given, const Sampling& sampling,
                      double uniform, double tolerance) {
  const auto top = static_cast<double>(scan(logits)), at = static_cast<double>(logits[given]);
  if (sampling.temperature == 0) return top - at <= 2 * tolerance;
  const auto weight = [&](std::size_t i) {
    return std::exp((static_cast<double>(logits[i]) - top) / sampling.temperature);
  };
  const bool cut = sampling.top_k > 0 || sampling.top_p < 1 || sampling.min_p > 0;
  std::vector<bool> kept(logits.size(), !cut);
  double slack = tolerance / (2 * sampling.temperature), sum = 0, lightest = 1;
  if (cut) {
    for (const Candidate& c : candidates_) {
      kept[c.index] = true;
      lightest = std::min(lightest, weight(c.index));
    }
    const double ratio = std::exp(2 * tolerance / sampling.temperature);
    const bool open_edge = sampling.top_p < 1 && nucleus_margin_ <= 2 * tolerance / sampling.temperature;
    if (!kept[given] && !open_edge && weight(given) * ratio < lightest) return false;
    kept[given] = true;
    double edge = open_edge ? lightest : 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
      if (weight(i) * ratio >= lightest && weight(i) <= lightest * ratio) edge += weight(i);
    for (const Candidate& c : candidates_) sum += weight(c.index);
    // An edge that is only the lightest kept id itself has no second id to change places with.
    if (open_edge || edge > lightest * 1.5) slack += edge / sum;
    sum = 0;
  }
  double below = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!kept[i]) continue;
    if (i < given) below += weight(i);
    sum += weight(i);
  }
  return uniform >= below / sum - slack && uniform <= (below + weight(given)) / sum + slack;
}

}  // namespace synthema
