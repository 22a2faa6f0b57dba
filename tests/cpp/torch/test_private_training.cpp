// DP-SGD of the network of a table: norms and cut gradients against gradients row by row, how far one person
// can move what is released, and the noise on it.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/torch/private_training.hpp"

using namespace synthema;
using detail::ColumnNetwork;
using detail::Floats;
using detail::kUnknownClass;

namespace {

struct PrivateToy {
  ColumnNetwork network{{.classes = {3, 2, 20}, .width = 16, .head = 16}};
  detail::ClassColumns classes;
  std::vector<std::uint32_t> rows, order, units;
  Floats parameters;
  ColumnNetwork::Workspace space;

  explicit PrivateToy(std::size_t count = 12) : classes(3), parameters(network.parameters()) {
    const std::vector<std::vector<double>> shares{{0.5, 0.2, 0.3}, {0.5, 0.5}, std::vector<double>(20, 0.05)};
    network.initialise(parameters, shares, {false, false, true}, Random(3));
    for (std::uint32_t row = 0; row < count; ++row) {
      Random random = Random(7).stream(row);
      classes[0].push_back(row % 5 == 4 ? kUnknownClass : static_cast<std::uint8_t>(random.below(3)));
      classes[1].push_back(static_cast<std::uint8_t>(random.below(2)));
      classes[2].push_back(static_cast<std::uint8_t>(random.below(20)));
      rows.push_back(row);
      units.push_back(row);
      std::vector<std::uint32_t> own{0, 1, 2};
      random.shuffle(own);
      order.insert(order.end(), own.begin(), own.end());
    }
  }
  // By itself, as the plain learning has it.
  std::vector<double> gradient_of(std::size_t row) {
    Floats out(network.parameters());
    network.loss(parameters.data(),
                 {classes, std::span(rows).subspan(row, 1), std::span(order).subspan(3 * row, 3)}, space,
                 out.data());
    return {out.begin(), out.end()};
  }
  Floats clipped(double clip, std::vector<double>* norms = nullptr) {
    Floats out(network.parameters());
    const auto found =
        network.clipped_gradient(parameters.data(), {classes, rows, order}, units, clip, space, out.data());
    if (norms) *norms = found;
    return out;
  }
  detail::TrainingTable table() const {
    return {.classes = classes,
            .groups = {{0}, {1}, {2}},
            .order = {0, 1, 2},
            .ordered = {false, false, true},
            .learnt = {},
            .checked = {}};
  }
};

double norm_of(std::span<const double> of) {
  return std::sqrt(std::inner_product(of.begin(), of.end(), of.begin(), 0.0));
}

template <class A, class B>
double largest_difference(const A& a, const B& b) {
  double out = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    out = std::max(out, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return out;
}

}  // namespace

TEST_CASE("The norm of each row's gradient is that of the gradient itself, which is never made") {
  PrivateToy toy;
  std::vector<double> norms;
  toy.clipped(1, &norms);
  REQUIRE(norms.size() == toy.rows.size());
  for (std::size_t row = 0; row < norms.size(); ++row)
    CHECK(norms[row] == doctest::Approx(norm_of(toy.gradient_of(row))).epsilon(1e-4));
}

TEST_CASE("A cut gradient is the sum of row gradients that were cut one by one") {
  PrivateToy toy;
  std::vector<double> norms;
  toy.clipped(1, &norms);
  std::vector<double> sorted = norms;
  std::ranges::sort(sorted);
  const double clip = sorted[sorted.size() / 2];  // cuts about half of them
  const Floats found = toy.clipped(clip);
  std::vector<double> wanted(found.size());
  for (std::size_t row = 0; row < norms.size(); ++row) {
    const std::vector<double> own = toy.gradient_of(row);
    const double factor = std::min(1.0, 0.999 * clip / norm_of(own));
    for (std::size_t i = 0; i < own.size(); ++i) wanted[i] += factor * own[i];
  }
  CHECK(largest_difference(found, wanted) < 1e-4);
}

TEST_CASE("Where nothing is cut the gradient is the plain one") {
  PrivateToy toy;
  Floats plain(toy.network.parameters());
  toy.network.loss(toy.parameters.data(), {toy.classes, toy.rows, toy.order}, toy.space, plain.data());
  CHECK(largest_difference(toy.clipped(1e6), plain) < 1e-5);
}

TEST_CASE("Rows of one person are cut together: all of them add at most the norm") {
  PrivateToy toy;
  std::ranges::fill(toy.units, 5U);  // all are one person's
  const Floats all = toy.clipped(0.5);
  CHECK(norm_of(std::vector<double>(all.begin(), all.end())) <= 0.5);
  CHECK(norm_of(std::vector<double>(all.begin(), all.end())) > 0.1);
  for (std::uint32_t row = 0; row < toy.units.size(); ++row) toy.units[row] = row / 3;
  std::vector<double> norms;
  const Floats found = toy.clipped(2, &norms);
  std::vector<double> wanted(found.size());
  for (std::size_t row = 0; row < norms.size(); ++row) {
    const std::size_t first = row / 3 * 3;
    const double person = norms[first] + norms[first + 1] + norms[first + 2];
    const std::vector<double> own = toy.gradient_of(row);
    for (std::size_t i = 0; i < own.size(); ++i) wanted[i] += std::min(1.0, 0.999 * 2 / person) * own[i];
  }
  CHECK(largest_difference(found, wanted) < 1e-4);
}

TEST_CASE("A gradient beyond numbers adds nothing") {
  PrivateToy toy(2);
  toy.parameters[toy.network.place(2).inner] = std::numeric_limits<float>::infinity();
  for (const float x : toy.clipped(1)) REQUIRE(std::isfinite(x));
}

TEST_CASE("One person who is added moves the released sum by at most the norm, before the noise") {
  PrivateToy toy(300);
  const detail::TrainingTable table = toy.table();
  // All take part and the noise is next to none, so that only the person is left of the difference.
  const detail::PrivateTrainingOptions options{
      .sampling_rate = 1, .clip = 0.25, .noise_multiplier = 1e-9, .chunk = 64, .threads = 1};
  const auto sum = [&](const std::vector<std::vector<std::uint32_t>>& people) {
    NoiseSource noise = NoiseSource::seeded_for_tests(1);
    detail::PrivateGradients gradients(toy.network, table, people, options, noise);
    const auto out = gradients.next(toy.parameters);
    return std::vector<double>(out.begin(), out.end());
  };
  std::vector<std::vector<std::uint32_t>> people;
  for (std::uint32_t row = 0; row + 4 < 300; row += 2) people.push_back({row, row + 1});
  const std::vector<double> without = sum(people);
  people.push_back({296, 297, 298});  // last, so that the others keep the orders of their variables
  std::vector<double> moved = sum(people);
  for (std::size_t i = 0; i < moved.size(); ++i) moved[i] -= without[i];
  CHECK(norm_of(moved) <= 0.25);
  CHECK(norm_of(moved) > 0.05);
  CHECK(norm_of(without) > 0.25);
}

TEST_CASE("In which order a row takes its variables is as secret as the noise, and new in each step") {
  PrivateToy toy(60);
  const detail::TrainingTable table = toy.table();
  std::vector<std::vector<std::uint32_t>> people;
  for (std::uint32_t row = 0; row < 60; ++row) people.push_back({row});
  // The noise itself is next to none, so that only the orders are left of the differences.
  const auto sums = [&](double own_order, std::uint64_t seed) {
    const detail::PrivateTrainingOptions options{.sampling_rate = 1,
                                                 .clip = 0.25,
                                                 .noise_multiplier = 1e-9,
                                                 .own_order = own_order,
                                                 .chunk = 16,
                                                 .threads = 1};
    NoiseSource noise = NoiseSource::seeded_for_tests(seed);
    detail::PrivateGradients gradients(toy.network, table, people, options, noise);
    std::vector<std::vector<double>> out;
    for (int step = 0; step < 2; ++step) {
      const auto sum = gradients.next(toy.parameters);
      out.emplace_back(sum.begin(), sum.end());
    }
    return out;
  };
  const auto one = sums(0, 1), other = sums(0, 2), same = sums(0, 1);
  CHECK(largest_difference(one[0], same[0]) == 0);
  CHECK(largest_difference(one[0], other[0]) > 1e-3);
  CHECK(largest_difference(one[0], one[1]) > 1e-3);
  const auto fixed = sums(1, 1), also = sums(1, 2);  // all in the order of the table
  CHECK(largest_difference(fixed[0], also[0]) < 1e-6);
}

TEST_CASE("Noise has the standard deviation of clip x multiplier on every number, also without anybody") {
  PrivateToy toy;
  const detail::TrainingTable table = toy.table();
  for (const bool is_private : {false, true}) {
    NoiseSource noise = is_private ? NoiseSource::operating_system() : NoiseSource::seeded_for_tests(2);
    const std::vector<std::vector<std::uint32_t>> nobody;
    const detail::PrivateTrainingOptions options{.clip = 3, .noise_multiplier = 2, .threads = 2};
    detail::PrivateGradients gradients(toy.network, table, nobody, options, noise);
    double square = 0, count = 0;
    for (int step = 0; step < 20; ++step)
      for (const double x : gradients.next(toy.parameters)) square += x * x, count += 1;
    CHECK(std::sqrt(square / count) == doctest::Approx(6).epsilon(0.03));
  }
}

TEST_CASE("Each person takes part with the same probability, whoever else does") {
  NoiseSource noise = NoiseSource::seeded_for_tests(4);
  std::vector<double> often(50);
  double sizes = 0, squares = 0;
  constexpr int kDraws = 20000;
  for (int draw = 0; draw < kDraws; ++draw) {
    const auto sample = detail::poisson_sample(50, 0.1, noise);
    REQUIRE(std::ranges::is_sorted(sample));
    for (const std::uint32_t person : sample) often[person] += 1;
    sizes += static_cast<double>(sample.size());
    squares += static_cast<double>(sample.size() * sample.size());
  }
  for (const double count : often) CHECK(count / kDraws == doctest::Approx(0.1).epsilon(0.12));
  const double mean = sizes / kDraws;
  CHECK(mean == doctest::Approx(5).epsilon(0.02));
  CHECK(squares / kDraws - mean * mean == doctest::Approx(4.5).epsilon(0.06));  // binomial, as of coins
  CHECK(detail::poisson_sample(3, 1, noise) == std::vector<std::uint32_t>{0, 1, 2});
  CHECK(detail::poisson_sample(0, 0.5, noise).empty());
}
