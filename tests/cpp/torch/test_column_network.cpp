#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "src/torch/column_classes.hpp"
#include "src/torch/column_network.hpp"
#include "src/torch/column_optimizer.hpp"
#include "src/torch/network_ensemble.hpp"

using namespace synthema;
using detail::ColumnClasses;
using detail::ColumnNetwork;
using detail::kUnknownClass;

namespace {

struct Toy {
  ColumnNetwork network{{.classes = {3, 2, 20}, .width = 16, .head = 16}};
  detail::ClassColumns classes{{0, 2, 1, kUnknownClass}, {1, 0, 1, 1}, {19, 4, 4, 0}};
  std::vector<std::uint32_t> rows{3, 0, 1, 2};
  std::vector<std::uint32_t> order{0, 1, 2, 2, 1, 0, 1, 2, 0, 2, 0, 1};
  detail::Floats parameters;
  ColumnNetwork::Workspace space;

  Toy() : parameters(network.parameters()) {
    const std::vector<std::vector<double>> shares{{0.5, 0.2, 0.3}, {0.5, 0.5}, std::vector<double>(20, 0.05)};
    network.initialise(parameters, shares, {false, false, true}, Random(3));
  }
  double loss(float* gradient = nullptr) {
    return network.loss(parameters.data(), {classes, rows, order}, space, gradient);
  }
};

}  // namespace

TEST_CASE("The gradient of the network is that of its loss") {
  Toy toy;
  detail::Floats gradient(toy.parameters.size());
  toy.loss(gradient.data());
  double largest = 0;
  std::size_t tried = 0;
  for (std::size_t i = 0; i < gradient.size(); i += 7) {
    const float before = toy.parameters[i];
    constexpr float step = 1e-2F;
    toy.parameters[i] = before + step;
    const double above = toy.loss();
    toy.parameters[i] = before - step;
    const double below = toy.loss();
    toy.parameters[i] = before;
    // A step over the edge of an activation is no derivative: such are few, and the bound allows for them.
    largest = std::max(largest, std::abs((above - below) / (2 * step) - gradient[i]));
    tried += std::abs(gradient[i]) > 1e-3F;
  }
  CHECK(tried > 50);
  CHECK(largest < 0.05);
}

TEST_CASE("Of one variable alone, loss and gradient are its part of the whole") {
  Toy toy;
  detail::Floats whole(toy.parameters.size()), alone(toy.parameters.size());
  const detail::OrderedRows rows{toy.classes, toy.rows, toy.order};
  std::vector<double> each(3), own(3);
  toy.network.loss(toy.parameters.data(), rows, toy.space, whole.data(), each);
  const std::vector<std::uint32_t> only{1};
  CHECK(toy.network.loss(toy.parameters.data(), rows, toy.space, alone.data(), own, only) == each[1]);
  CHECK(own == std::vector<double>{0, each[1], 0});
  const auto [from, to] = toy.network.own_layers(1);
  double square = 0;
  for (std::size_t i = from; i < to; ++i) {
    REQUIRE(alone[i] == whole[i]);
    square += static_cast<double>(alone[i]) * static_cast<double>(alone[i]);
  }
  CHECK(square > 0.01);
}

TEST_CASE("What is held stays, and the layers that learn move as they would by themselves") {
  Toy toy;
  detail::Workers workers(1);
  const std::vector<std::uint32_t> only{2};  // whose classes have an order, and so waves
  detail::ColumnOptimizer held(toy.network, {false, false, true}, {}, toy.parameters, workers),
      free(toy.network, {false, false, true}, {}, toy.parameters, workers);
  held.hold_all_but(toy.network, only);
  std::vector<detail::Floats> gradient(1, detail::Floats(toy.parameters.size()));
  toy.loss(gradient[0].data());
  std::vector<detail::Floats> same = gradient;
  held.step(gradient, 1, 0.1);
  free.step(same, 1, 0.1);
  const auto [from, to] = toy.network.own_layers(2);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < toy.parameters.size(); ++i) {
    const bool own = i >= from && i < to;
    REQUIRE(held.parameters()[i] == (own ? free.parameters()[i] : toy.parameters[i]));
    moved += held.parameters()[i] != toy.parameters[i];
  }
  CHECK(moved > 100);
}

TEST_CASE("The loss is that of the scores which sampling sees") {
  Toy toy;
  const double loss = toy.loss();
  double sum = 0;
  for (std::size_t i = 0; i < toy.rows.size(); ++i) {
    detail::Floats known(16 * 16);
    for (std::size_t p = 0; p < 3; ++p) {
      const std::size_t v = toy.order[3 * i + p];
      const std::uint8_t target = toy.classes[v][toy.rows[i]];
      toy.network.scores(toy.parameters.data(), v, 16, known.data(), toy.space);
      double total = 0;
      for (std::size_t c = 0; c < toy.network.shape().classes[v]; ++c)
        total += std::exp(static_cast<double>(toy.space.scores[c]));
      if (target != kUnknownClass) sum += std::log(total) - static_cast<double>(toy.space.scores[target]);
      toy.network.add(toy.parameters.data(), v, target, known.data());
    }
  }
  CHECK(sum == doctest::Approx(loss).epsilon(1e-4));
}

TEST_CASE("Labels of any number are told apart by at most three variables") {
  for (const std::size_t labels : {2UL, 254UL, 255UL, 400UL, 40000UL}) {
    ColumnCoding coding;
    coding.form = CodingForm::category;
    coding.missing = true;
    OwnedCounts all;
    for (std::size_t i = 0; i <= labels; ++i) {
      if (i < labels) coding.labels.push_back(std::to_string(i));
      if (i == 1) continue;  // declared, not used
      all.codes.push_back(static_cast<std::uint32_t>(i));
      all.cumulative.push_back((all.cumulative.empty() ? 0U : all.cumulative.back()) +
                               (i % 3 == 0 ? 9U : 5U));
    }
    const ColumnClasses classes(coding, all);
    CHECK(classes.variables() == (labels < 256 ? 1 : labels < 1000 ? 2 : 3));
    std::size_t found = 0;
    for (std::uint32_t code = 0; code < labels; ++code) {
      const ColumnClasses::Classes own = classes.of_code(code);
      if (code == 1) {
        CHECK(own[0] == kUnknownClass);
        continue;
      }
      REQUIRE(own[0] < classes.classes(0));
      if (!classes.continues(own[0])) {
        CHECK(classes.counts()[own[0]].codes == std::vector<std::uint32_t>{code});
        ++found;
        continue;
      }
      for (std::size_t v = 1; v < classes.variables(); ++v) {
        REQUIRE(own[v] < classes.classes(v));
        CHECK(classes.exists(own, v, own[v]));
      }
      found += classes.label(own) == code;
    }
    CHECK(found == labels - 1);
    CHECK(classes.of_code(coding.pooled_code())[0] == kUnknownClass);
    for (std::size_t v = 0; v < classes.variables(); ++v) {
      const std::vector<double> shares = classes.shares(v);
      CHECK(std::accumulate(shares.begin(), shares.end(), 0.0) == doctest::Approx(1));
    }
  }
}

TEST_CASE("A joined network scores the mean of its members' scores") {
  const detail::ColumnNetwork one({.classes = {3, 20, 2}, .width = 32, .head = 16});
  const detail::ColumnNetwork whole(detail::joined_shape(one.shape(), 3));
  std::vector<detail::Floats> members;
  for (std::uint64_t m = 0; m < 3; ++m) {
    members.emplace_back(one.parameters());
    Random random = Random(7).stream(m);
    for (float& parameter : members.back()) parameter = static_cast<float>(random.uniform() - 0.5);
  }
  const detail::Floats joined = detail::joined_parameters(one, members, whole);
  detail::ColumnNetwork::Workspace space;
  constexpr std::size_t kRows = 4;
  const auto scores = [&](const detail::ColumnNetwork& network, const detail::Floats& parameters) {
    std::vector<float> sums(kRows * network.shape().width);
    for (std::size_t i = 0; i < kRows; ++i) {  // of the first variable, then of the second too
      network.add(parameters.data(), 0, static_cast<std::uint8_t>(i % 3), &sums[i * network.shape().width]);
      if (i > 1) network.add(parameters.data(), 1, 17, &sums[i * network.shape().width]);
    }
    network.scores(parameters.data(), 2, kRows, sums.data(), space);
    return std::vector<float>(
        space.scores.begin(),
        space.scores.begin() + static_cast<std::ptrdiff_t>(kRows * network.padded_classes(2)));
  };
  const std::vector<float> all = scores(whole, joined);
  std::vector<double> mean(all.size());
  for (const detail::Floats& member : members) {
    const std::vector<float> own = scores(one, member);
    for (std::size_t i = 0; i < own.size(); ++i) mean[i] += own[i] / 3.0;
  }
  double largest = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    CHECK(all[i] == doctest::Approx(mean[i]).epsilon(1e-4));
    largest = std::max(largest, std::abs(mean[i]));
  }
  CHECK(largest > 0.1);
}

TEST_CASE("A joined network is packed without the zeros between its members, and unpacked as it was") {
  const detail::ColumnNetwork one({.classes = {3, 20, 2}, .width = 32, .head = 16});
  for (const std::size_t count : {1UL, 3UL}) {
    const detail::ColumnNetwork whole(detail::joined_shape(one.shape(), count));
    std::vector<detail::Floats> members;
    for (std::uint64_t m = 0; m < count; ++m) {
      members.emplace_back(one.parameters());
      Random random = Random(8).stream(m);
      for (float& parameter : members.back()) parameter = static_cast<float>(random.uniform() - 0.5);
    }
    const detail::Floats joined = detail::joined_parameters(one, members, whole);
    const std::vector<float> packed = detail::packed_parameters(one, count, whole, joined);
    CHECK(packed.size() == count * one.parameters());
    CHECK(detail::unpacked_parameters(one, count, whole, packed) == joined);
  }
}
