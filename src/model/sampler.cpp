#include "synthema/model/sampler.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "synthema/core/error.hpp"
#include "synthema/core/exponential.hpp"

namespace synthema {

namespace {

constexpr std::size_t kStripes = 16;  // partial results that the compiler keeps in vector registers

// Index of the largest, the lowest of equals. ModelError unless it is finite; NaN anywhere counts.
std::size_t index_of_largest(std::span<const float> logits) {
  std::size_t best = 0;
  float nan_seen = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    nan_seen += logits[i] != logits[i] ? 1.0f : 0.0f;
    if (logits[i] > logits[best]) best = i;
  }
  if (logits.empty() || nan_seen > 0 || !std::isfinite(logits[best]))
    throw ModelError("The model's logits are not finite; the answer cannot be drawn.");
  return best;
}

// out[i] = e^((logits[i] - top) * factor), exactly 0 where the result would fall below e^-87.
void exponentials(std::span<const float> logits, float top, float factor, std::vector<float>& out) {
  out.resize(logits.size());
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const float x = (logits[i] - top) * factor;
    const float e = detail::exponential(x);
    out[i] = x < -87.0f ? 0.0f : e;
  }
}

double total(std::span<const float> weights) {
  std::array<double, kStripes> sums{};
  std::size_t i = 0;
  for (; i + kStripes <= weights.size(); i += kStripes)
    for (std::size_t k = 0; k < kStripes; ++k) sums[k] += static_cast<double>(weights[i + k]);
  for (; i < weights.size(); ++i) sums[i % kStripes] += static_cast<double>(weights[i]);
  double sum = 0;
  for (const double s : sums) sum += s;
  return sum;
}

}  // namespace

void Sampler::penalise(std::span<const TokenId> allowed, std::span<const TokenId> seen, double penalty) {
  if (penalty == 1) return;
  seen_.assign(seen.begin(), seen.end());
  std::ranges::sort(seen_);
  seen_.erase(std::unique(seen_.begin(), seen_.end()), seen_.end());
  const auto change = [&](float& logit) {
    logit = static_cast<float>(logit > 0 ? logit / penalty : logit * penalty);
  };
  if (allowed.empty()) {
    for (const TokenId id : seen_)
      if (static_cast<std::size_t>(id) < logits_.size()) change(logits_[static_cast<std::size_t>(id)]);
  } else {
    for (std::size_t i = 0; i < allowed.size(); ++i)
      if (std::ranges::binary_search(seen_, allowed[i])) change(logits_[i]);
  }
}

void Sampler::weigh(double temperature) {
  const float top = logits_[index_of_largest(logits_)];
  exponentials(logits_, top, static_cast<float>(1 / temperature), weights_);
}

namespace {

// Heavier first, then the lower index.
constexpr auto heavier = [](const auto& a, const auto& b) {
  return a.weight > b.weight || (a.weight == b.weight && a.index < b.index);
};

}  // namespace

// The k heaviest, by a heap of k whose front is the lightest kept: no sort of the vocabulary.
void Sampler::keep_top_k(std::size_t k) {
  std::vector<Candidate> kept;
  kept.reserve(k);
  for (const Candidate& candidate : candidates_) {
    if (kept.size() == k) {
      if (!heavier(candidate, kept.front())) continue;
      std::ranges::pop_heap(kept, heavier);
      kept.pop_back();
    }
    kept.push_back(candidate);
    std::ranges::push_heap(kept, heavier);
  }
  candidates_ = std::move(kept);
}

// The smallest set of heaviest candidates whose weights reach `goal`.
void Sampler::keep_heaviest(double goal) {
  const auto later = [](const Candidate& a, const Candidate& b) { return heavier(b, a); };
  std::ranges::make_heap(candidates_, later);  // the front is the heaviest
  auto end = candidates_.end();
  for (double reached = 0; reached < goal && end != candidates_.begin();) {
    std::ranges::pop_heap(candidates_.begin(), end, later);
    reached += static_cast<double>((--end)->weight);
  }
  candidates_.erase(candidates_.begin(), end);
}

// Fills candidates_ in the order of ids with what the cuts leave. The largest weight is exactly 1, so min-p
// is a bound on weights.
void Sampler::cut(const Sampling& sampling) {
  const bool top_k = sampling.top_k > 0 && sampling.top_k < weights_.size(), top_p = sampling.top_p < 1;
  double sum = total(weights_);
  // Ids this light weigh less together than what the nucleus may leave out; half, for rounding.
  const double too_light = 0.5 * (1 - sampling.top_p) * sum / static_cast<double>(weights_.size());
  const auto bound = static_cast<float>(top_k ? 0 : top_p ? too_light : sampling.min_p);
  candidates_.clear();
  for (std::size_t i = 0; i < weights_.size(); ++i)
    if (weights_[i] >= bound && weights_[i] > 0)
      candidates_.push_back({weights_[i], static_cast<std::uint32_t>(i)});
  if (top_k) {
    keep_top_k(sampling.top_k);
    sum = 0;
    for (const Candidate& candidate : candidates_) sum += static_cast<double>(candidate.weight);
  }
  if (top_p) keep_heaviest(sampling.top_p * sum);
  std::erase_if(candidates_,
                [&](const Candidate& c) { return static_cast<double>(c.weight) < sampling.min_p; });
  std::ranges::sort(candidates_, {}, &Candidate::index);
}

std::size_t Sampler::pick(const Sampling& sampling, double uniform) {
  if (sampling.top_k == 0 && sampling.top_p == 1 && sampling.min_p == 0) {
    double left = uniform * total(weights_);
    for (std::size_t i = 0; i < weights_.size(); ++i)
      if ((left -= static_cast<double>(weights_[i])) < 0) return i;
    return last_positive();  // rounding left a sliver behind the last one
  }
  cut(sampling);
  double sum = 0;
  for (const Candidate& candidate : candidates_) sum += static_cast<double>(candidate.weight);
  double left = uniform * sum;
  for (const Candidate& candidate : candidates_)
    if ((left -= static_cast<double>(candidate.weight)) < 0) return candidate.index;
  return candidates_.back().index;
}

std::size_t Sampler::last_positive() const {
  std::size_t last = weights_.size() - 1;
  while (last > 0 && weights_[last] <= 0) --last;
  return last;
}

Draw Sampler::draw(std::span<const float> logits, std::span<const TokenId> allowed,
                   std::span<const TokenId> seen, const Sampling& sampling, const Random& random,
                   std::uint64_t token_index) {
  const std::size_t best = index_of_largest(logits);
  logits_.assign(logits.begin(), logits.end());
  exponentials(logits, logits[best], 1.0f, weights_);
  const double log_total = std::log(total(weights_));
  penalise(allowed, seen, sampling.repetition_penalty);
  std::size_t index = 0;
  if (sampling.temperature == 0) {
    index = index_of_largest(logits_);
  } else {
    if (sampling.temperature != 1 || sampling.repetition_penalty != 1) weigh(sampling.temperature);
    const PhiloxBlock bits = random.block(token_index, 0);
    const std::uint64_t high = bits[0] >> 5, low = bits[1] >> 6;
    index = pick(sampling, static_cast<double>((high << 26) | low) / 9007199254740992.0);
  }
  return {allowed.empty() ? static_cast<TokenId>(index) : allowed[index],
          static_cast<double>(logits[index]) - static_cast<double>(logits[best]) - log_total};
}

}  // namespace synthema
