// The Markov random field behind private marginals: inference against brute force, estimation, drawing.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "synthema/core/error.hpp"
#include "synthema/learn/graphical_model.hpp"

using namespace synthema;

namespace {

const std::vector<std::size_t> kSizes{2, 3, 2, 4, 3};

// A loop and a branch: not a tree, so cliques of three are needed.
const std::vector<VariableSet> kSets{{0, 1}, {1, 2}, {2, 3}, {0, 3}, {3, 4}};

std::size_t cells_of(const VariableSet& set) {
  std::size_t out = 1;
  for (const std::uint32_t v : set) out *= kSizes[v];
  return out;
}

std::vector<std::vector<double>> random_potentials(double scale) {
  std::vector<std::vector<double>> out;
  Random random(7);
  for (const VariableSet& set : kSets) {
    out.emplace_back();
    for (std::size_t i = 0; i < cells_of(set); ++i) out.back().push_back(scale * (random.uniform() - 0.5));
  }
  return out;
}

// All joint values and their probabilities.
struct Brute {
  std::vector<std::vector<std::uint32_t>> values;
  std::vector<double> probabilities;

  explicit Brute(const std::vector<std::vector<double>>& potentials) {
    const VariableSet all{0, 1, 2, 3, 4};
    double sum = 0;
    for (std::size_t cell = 0; cell < cells_of(all); ++cell) {
      std::vector<std::uint32_t> row(5);
      for (std::size_t v = 5, left = cell; v-- > 0; left /= kSizes[v])
        row[v] = static_cast<std::uint32_t>(left % kSizes[v]);
      double log = 0;
      for (std::size_t s = 0; s < kSets.size(); ++s) log += potentials[s][index(row, kSets[s])];
      values.push_back(row);
      probabilities.push_back(std::exp(log));
      sum += probabilities.back();
    }
    for (double& p : probabilities) p /= sum;
  }
  static std::size_t index(const std::vector<std::uint32_t>& row, const VariableSet& set) {
    std::size_t out = 0;
    for (const std::uint32_t v : set) out = out * kSizes[v] + row[v];
    return out;
  }
  std::vector<double> marginal(const VariableSet& set) const {
    std::vector<double> out(cells_of(set));
    for (std::size_t i = 0; i < values.size(); ++i) out[index(values[i], set)] += probabilities[i];
    return out;
  }
};

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double out = 0;
  for (std::size_t i = 0; i < a.size(); ++i) out = std::max(out, std::abs(a[i] - b[i]));
  return out;
}

}  // namespace

TEST_CASE("Messages on the junction tree give the marginals of brute force") {
  const auto potentials = random_potentials(4);
  GraphicalModel model(kSizes, 100);
  model.add(kSets, potentials);
  const Brute brute(potentials);
  for (const VariableSet& set : kSets)
    CHECK(largest_difference(model.marginal(set), brute.marginal(set)) < 1e-13);
  for (std::uint32_t a = 0; a < 5; ++a) {
    const auto pairs = model.pairs_with(a);
    for (std::uint32_t b = a + 1; b < 5; ++b)
      CHECK(largest_difference(pairs[b], brute.marginal({a, b})) < 1e-13);
  }
  std::vector<std::vector<std::pair<std::uint32_t, double>>> left(5);
  for (std::size_t i = 0; i < brute.values.size(); i += 7) {
    for (std::size_t v = 0; v < 5; ++v) left[v] = {{brute.values[i][v], v == 1 ? 0.5 : 1}};
    CHECK(model.log_likelihood(left) == doctest::Approx(std::log(0.5 * brute.probabilities[i])));
  }
  // Two values of one variable and two of another, with weights.
  left = {{{0, 1}, {1, 0.25}}, {{2, 1}}, {{1, 1}}, {{3, 0.5}, {0, 2}}, {{1, 1}}};
  double sum = 0;
  for (std::size_t i = 0; i < brute.values.size(); ++i) {
    const auto& row = brute.values[i];
    if (row[1] == 2 && row[2] == 1 && row[4] == 1 && (row[3] == 3 || row[3] == 0))
      sum += brute.probabilities[i] * (row[0] == 0 ? 1 : 0.25) * (row[3] == 3 ? 0.5 : 2);
  }
  CHECK(model.log_likelihood(left) == doctest::Approx(std::log(sum)));
}

TEST_CASE("Parts that nothing ties are independent") {
  GraphicalModel model({2, 3, 2}, 1);
  const std::vector<VariableSet> sets{{0}, {1}};
  const std::vector<std::vector<double>> potentials{{std::log(0.25), std::log(0.75)}, {0, 0, 0}};
  model.add(sets, potentials);
  const auto pairs = model.pairs_with(0);
  CHECK(largest_difference(pairs[1], {0.25 / 3, 0.25 / 3, 0.25 / 3, 0.25, 0.25, 0.25}) < 1e-15);
  CHECK(largest_difference(pairs[2], {0.125, 0.125, 0.375, 0.375}) < 1e-15);
}

TEST_CASE("Estimation on exact marginals gives them back to 1e-6, and those that follow from them") {
  const Brute brute(random_potentials(2));
  std::vector<NoisyMarginal> marginals;
  for (const VariableSet& set : kSets) {
    NoisyMarginal m{set, brute.marginal(set), {}};
    for (double& count : m.counts) count *= 1000;
    m.precisions.assign(m.counts.size(), 1);
    marginals.push_back(std::move(m));
  }
  GraphicalModel model(kSizes, 1000);
  model.estimate(marginals, {.iterations = 20000, .tolerance = 0});
  for (const VariableSet& set : kSets)
    CHECK(largest_difference(model.marginal(set), brute.marginal(set)) < 1e-6);
  // Of all distributions with these marginals, the one of largest entropy is the one they were made from.
  CHECK(largest_difference(model.pairs_with(0)[4], brute.marginal({0, 4})) < 1e-6);
}

TEST_CASE("Contradicting measurements are weighed by their precision") {
  const std::vector<NoisyMarginal> marginals{{{0}, {60, 40}, {1, 1}}, {{0}, {90, 10}, {3, 3}}};
  GraphicalModel model({2}, 100);
  model.estimate(marginals, {.iterations = 5000, .tolerance = 0});
  CHECK(model.marginal({0})[0] == doctest::Approx(0.825).epsilon(1e-6));
}

TEST_CASE("One thread or four, the same estimate to the bit") {
  std::vector<std::size_t> sizes(6, 20);
  std::vector<NoisyMarginal> marginals;
  Random random(3);
  for (std::uint32_t v = 0; v + 2 < 6; ++v) {
    NoisyMarginal m{{v, v + 1, v + 2}, {}, {}};
    for (int i = 0; i < 8000; ++i) m.counts.push_back(random.uniform()), m.precisions.push_back(1);
    marginals.push_back(std::move(m));
  }
  GraphicalModel one(sizes, 4000), four(sizes, 4000);
  one.estimate(marginals, {.iterations = 15, .threads = 1});
  four.estimate(marginals, {.iterations = 15, .threads = 4});
  CHECK(one.potentials() == four.potentials());
}

TEST_CASE("Draws follow the beliefs, and evidence holds") {
  const auto potentials = random_potentials(3);
  GraphicalModel model(kSizes, 1);
  model.add(kSets, potentials);
  const Brute brute(potentials);
  const auto frequencies = [&](std::span<const std::int32_t> evidence, const VariableSet& set) {
    const auto beliefs = model.given(evidence);
    const TreeSampler sampler(model.tree(), model.sizes(), beliefs);
    std::vector<double> out(cells_of(set));
    std::vector<std::uint32_t> values(5);
    for (std::uint64_t row = 0; row < 40000; ++row) {
      sampler.draw(Random(5), row, values);
      for (std::size_t v = 0; v < 5; ++v)
        if (evidence[v] >= 0) REQUIRE(values[v] == static_cast<std::uint32_t>(evidence[v]));
      out[Brute::index(values, set)] += 1.0 / 40000;
    }
    return out;
  };
  const std::vector<std::int32_t> none(5, -1), some{-1, 2, -1, -1, 0};
  for (const VariableSet& set : {VariableSet{0, 1}, VariableSet{2, 3}, VariableSet{0, 4}})
    CHECK(largest_difference(frequencies(none, set), brute.marginal(set)) < 0.012);
  // P(0, 3 | 1 = 2, 4 = 0)
  std::vector<double> wanted(8);
  double sum = 0;
  for (std::size_t i = 0; i < brute.values.size(); ++i)
    if (brute.values[i][1] == 2 && brute.values[i][4] == 0) {
      wanted[Brute::index(brute.values[i], {0, 3})] += brute.probabilities[i];
      sum += brute.probabilities[i];
    }
  for (double& p : wanted) p /= sum;
  CHECK(largest_difference(frequencies(some, {0, 3}), wanted) < 0.012);
}

TEST_CASE("Cliques of a chain are its links, and what does not fit is refused") {
  const std::vector<std::size_t> sizes(50, 3);
  std::vector<VariableSet> chain;
  for (std::uint32_t v = 0; v + 1 < 50; ++v) chain.push_back({v, v + 1});
  CHECK(JunctionTree::cells_of(sizes, chain) == 49 * 9);
  chain.push_back({0, 49});  // the loop needs a chord a link
  CHECK(JunctionTree::cells_of(sizes, chain) == 48 * 27);
  GraphicalModel model({2, 2}, 1);
  CHECK_THROWS_AS(model.add(std::vector<VariableSet>{{1, 0}}), ConfigError);
  CHECK_THROWS_AS(model.add(std::vector<VariableSet>{{2}}), ConfigError);
  CHECK_THROWS_AS(GraphicalModel({2, 0}, 1), ConfigError);
  CHECK_THROWS_AS(GraphicalModel({2}, 0), ConfigError);
}
