#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "synthema/model/sampler.hpp"

using namespace synthema;

namespace {

Sampling values(double temperature, std::uint32_t top_k = 0, double top_p = 1, double min_p = 0,
                double penalty = 1) {
  Sampling s;
  s.temperature = temperature;
  s.top_k = top_k;
  s.top_p = top_p;
  s.min_p = min_p;
  s.repetition_penalty = penalty;
  return s;
}

TokenId id_of(Sampler& sampler, const std::vector<float>& logits, const Sampling& s, const Random& random,
              std::uint64_t token = 0, const std::vector<TokenId>& seen = {},
              const std::vector<TokenId>& allowed = {}) {
  return sampler.draw({logits, allowed, seen}, s, random, token).id;
}

// The definition, written as slowly and plainly as possible: probability by id after all cuts.
std::vector<double> naive(std::vector<double> logits, const std::vector<TokenId>& seen, const Sampling& s) {
  std::vector<bool> penalised(logits.size());
  for (const TokenId id : seen) penalised[static_cast<std::size_t>(id)] = true;
  for (std::size_t i = 0; i < logits.size(); ++i)
    if (penalised[i])
      logits[i] = logits[i] > 0 ? logits[i] / s.repetition_penalty : logits[i] * s.repetition_penalty;
  const auto normalise = [](std::vector<double>& p) {
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& x : p) x /= sum;
  };
  std::vector<double> p(logits.size());
  for (std::size_t i = 0; i < p.size(); ++i) p[i] = std::exp(logits[i] / s.temperature);
  normalise(p);
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return p[a] > p[b]; });
  if (s.top_k > 0)
    for (std::size_t r = s.top_k; r < order.size(); ++r) p[order[r]] = 0;
  normalise(p);
  double reached = 0;
  for (const std::size_t i : order) {
    if (reached >= s.top_p) p[i] = 0;
    reached += p[i];
  }
  const double top = *std::ranges::max_element(p);
  for (double& x : p)
    if (x < s.min_p * top) x = 0;
  normalise(p);
  return p;
}

// Pearson's statistic against probabilities, joining cells that expect fewer than five draws.
double chi_square(const std::vector<int>& counts, const std::vector<double>& p, int draws, int& cells) {
  double statistic = 0, rare_expected = 0, rare_seen = 0;
  cells = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double expected = p[i] * draws;
    if (expected < 5) {
      rare_expected += expected, rare_seen += counts[i];
      continue;
    }
    statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
    ++cells;
  }
  if (rare_expected > 1) {
    statistic += (rare_seen - rare_expected) * (rare_seen - rare_expected) / rare_expected;
    ++cells;
  }
  return statistic;
}

std::vector<float> random_logits(Random random, std::size_t n, double spread) {
  std::vector<float> out(n);
  for (float& x : out) x = static_cast<float>((random.uniform() - 0.5) * spread);
  return out;
}

}  // namespace

TEST_CASE("greedy takes the largest logit and, of equals, the lowest id") {
  Sampler sampler;
  CHECK(id_of(sampler, {0, 3, 1, 3}, values(0), Random(1)) == 1);
  CHECK(id_of(sampler, {2, 2, 2}, values(0), Random(1)) == 0);
  CHECK(id_of(sampler, {0, 3, 1}, values(0), Random(1), 0, {}, {7, 12, 40}) == 12);
  CHECK(id_of(sampler, {2.0f, 3.0f, -1.0f}, values(0, 0, 1, 0, 2.0), Random(1), 0, {1, 1}) == 0);
  CHECK(id_of(sampler, {-2.0f, -1.5f}, values(0, 0, 1, 0, 2.0), Random(1), 0, {1}) == 0);
  CHECK(id_of(sampler, {1.0f, 3.0f}, values(0, 0, 1, 0, 4.0), Random(1), 0, {12}, {7, 12}) == 7);
}

TEST_CASE("a draw depends on stream and token index only, and differs between them") {
  Sampler a, b;
  const auto logits = random_logits(Random(3), 1000, 4);
  int moved = 0;
  for (std::uint64_t t = 0; t < 50; ++t) {
    const TokenId first = id_of(a, logits, values(1), Random(5), t);
    id_of(b, random_logits(Random(t), 77, 9), values(0.5, 3), Random(8), t);  // other work between
    CHECK(id_of(b, logits, values(1), Random(5), t) == first);
    moved += id_of(b, logits, values(1), Random(6), t) != first;
  }
  CHECK(moved > 40);
}

TEST_CASE("draws follow the definition: chi-square against a plain reference") {
  const auto logits = random_logits(Random(11), 40, 8);
  const std::vector<double> exact(logits.begin(), logits.end());
  const std::vector<TokenId> seen{3, 5, 5, 39};
  const std::vector<Sampling> cases{values(1),
                                    values(0.7),
                                    values(1.5, 7),
                                    values(1, 0, 0.8),
                                    values(1.3, 0, 1, 0.1),
                                    values(1, 0, 1, 0, 1.4),
                                    values(0.9, 20, 0.9, 0.05, 1.2)};
  const int draws = 20000;
  for (std::size_t c = 0; c < cases.size(); ++c) {
    CAPTURE(c);
    const std::vector<double> p = naive(exact, seen, cases[c]);
    std::vector<int> counts(p.size());
    Sampler sampler;
    for (int t = 0; t < draws; ++t)
      ++counts[static_cast<std::size_t>(
          id_of(sampler, logits, cases[c], Random(c), static_cast<std::uint64_t>(t), seen))];
    for (std::size_t i = 0; i < p.size(); ++i)
      if (p[i] == 0) CHECK(counts[i] == 0);
    int cells = 0;
    const double statistic = chi_square(counts, p, draws, cells);
    // Wilson-Hilferty: four standard deviations.
    const double k = std::max(1, cells - 1);
    const double z = (std::cbrt(statistic / k) - (1 - 2 / (9 * k))) / std::sqrt(2 / (9 * k));
    CHECK(z < 4);
  }
}

TEST_CASE("cuts keep exactly the ids that the definition keeps, on a large vocabulary with ties") {
  auto logits = random_logits(Random(21), 5000, 12);
  for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = std::round(logits[i] * 4) / 4;  // many ties
  const std::vector<double> exact(logits.begin(), logits.end());
  for (const Sampling& s : {values(1, 10), values(1, 60, 0.5), values(2, 0, 1, 0.5), values(1, 3, 1, 0.9)}) {
    const std::vector<double> p = naive(exact, {}, s);
    std::map<TokenId, int> counts;
    Sampler sampler;
    for (std::uint64_t t = 0; t < 3000; ++t) ++counts[id_of(sampler, logits, s, Random(2), t)];
    const auto kept = std::ranges::count_if(p, [](double x) { return x > 0; });
    CHECK(kept <= 600);
    for (const auto& [id, n] : counts) CHECK(p[static_cast<std::size_t>(id)] > 0);
    if (kept <= 30) CHECK(counts.size() == static_cast<std::size_t>(kept));
  }
}

TEST_CASE("log-probabilities are those of the untouched distribution") {
  Sampler sampler;
  const std::vector<float> logits{1.0f, 2.0f, 0.5f};
  const double sum = std::exp(1.0) + std::exp(2.0) + std::exp(0.5);
  const Draw draw = sampler.draw({logits}, values(0), Random(0), 0);
  CHECK(draw.log_probability == doctest::Approx(2.0 - std::log(sum)).epsilon(1e-6));
  const std::vector<TokenId> seen{1};
  const Draw hot = sampler.draw({logits, {}, seen}, values(0.01, 1, 0.5, 0.5, 3.0), Random(0), 0);
  CHECK(hot.id == 0);
  CHECK(hot.log_probability == doctest::Approx(1.0 - std::log(sum)).epsilon(1e-6));
}

TEST_CASE("impossible ids are never drawn; broken logits are an error") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  Sampler sampler;
  for (std::uint64_t t = 0; t < 2000; ++t) {
    CHECK(id_of(sampler, {-inf, 0, -200.0f, -inf}, values(1), Random(4), t) == 1);
    CHECK(id_of(sampler, {-inf, 0, -inf, 0}, values(1, 3, 0.9), Random(4), t) % 2 == 1);
  }
  for (const std::vector<float>& bad :
       {std::vector<float>{0, nan}, {inf, 0}, {-inf, -inf}, {nan, nan, nan}, {}})
    CHECK_THROWS_AS(id_of(sampler, bad, values(1), Random(0)), ModelError);
}

namespace {

double uniform_of(const Random& random, std::uint64_t token) {
  const PhiloxBlock bits = random.block(token, 0);
  return static_cast<double>((std::uint64_t{bits[0] >> 5} << 26) | (bits[1] >> 6)) / 9007199254740992.0;
}

}  // namespace

TEST_CASE("every draw is the one that a plain inversion of the distribution gives, for any size") {
  Sampler sampler;
  int compared = 0, borders = 0;
  for (const std::size_t n : {1, 2, 100, 127, 128, 129, 700, 5000})
    for (const Sampling& s : {values(1), values(0.3), values(3), values(0.8, 40), values(1, 600),
                              values(1, 0, 0.9), values(4, 0, 0.99), values(1, 0, 1, 0.05),
                              values(0.9, 50, 0.95, 0.01, 1.1), values(2, 0, 0.5, 0.2)})
      for (std::uint64_t t = 0; t < 12; ++t) {
        const auto logits = random_logits(Random(n).stream(t), n, 12);
        const std::vector<TokenId> seen{0, static_cast<TokenId>(n / 2), 0};
        const TokenId drawn = id_of(sampler, logits, s, Random(9), t, seen);
        const auto p = naive({logits.begin(), logits.end()}, seen, s);
        const double u = uniform_of(Random(9), t);
        double below = 0;
        std::size_t id = 0;
        while (id + 1 < n && below + p[id] <= u) below += p[id++];
        const bool border = std::min(u - below, below + p[id] - u) < 1e-5;
        ++compared, borders += border;
        if (!border) CHECK(drawn == static_cast<TokenId>(id));
      }
  CHECK(borders < compared / 50);
}

TEST_CASE("biases come before everything else; -infinity forbids an id") {
  const float inf = std::numeric_limits<float>::infinity();
  Sampler sampler;
  const std::vector<float> logits{0, 5, 1, 4};
  const auto greedy = [&](std::vector<LogitBias> biases, std::vector<TokenId> allowed = {}) {
    return sampler.draw({logits, allowed, {}, biases}, values(0), Random(0), 0).id;
  };
  CHECK(greedy({}) == 1);
  CHECK(greedy({{1, -inf}}) == 3);
  CHECK(greedy({{0, 6}, {17, 100}}) == 0);
  CHECK(greedy({{1, 50}, {20, 2}}, {7, 10, 20, 30}) == 10);
  CHECK(greedy({{10, -2}, {30, 1}}, {7, 10, 20, 30}) == 30);
  const std::vector<LogitBias> all{{0, -inf}, {1, -inf}, {2, -inf}, {3, -inf}};
  CHECK_THROWS_AS(greedy(all), ModelError);
  const Draw draw =
      sampler.draw({logits, {}, {}, std::vector<LogitBias>{{1, -inf}}}, values(0), Random(0), 0);
  CHECK(draw.log_probability == doctest::Approx(log_probability_of(logits, 3)));
}

TEST_CASE("log-probabilities sum to one and equal those in double precision") {
  for (const std::size_t n : {1, 50, 128, 300, 49152}) {
    const auto logits = random_logits(Random(n), n, 30);
    double sum = 0;
    for (const float x : logits) sum += std::exp(static_cast<double>(x));
    for (const std::size_t i : {std::size_t{0}, n / 3, n - 1})
      CHECK(log_probability_of(logits, i) == doctest::Approx(logits[i] - std::log(sum)).epsilon(1e-6));
  }
}
