#include <doctest/doctest.h>

#include <numeric>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/learn/distribution_tree.hpp"

using namespace synthema;

namespace {

struct Sample {
  std::vector<std::uint8_t> useful, useless, target;
};

// `target` follows `useful` (bins 0 to 9, 10 is missing); `useless` is noise.
Sample sample(std::size_t rows, std::uint8_t classes) {
  Sample out;
  Random random(3);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto bin = static_cast<std::uint8_t>(random.below(10));
    out.useful.push_back(bin);
    out.useless.push_back(static_cast<std::uint8_t>(random.below(10)));
    const bool noisy = random.uniform() < 0.1;
    out.target.push_back(static_cast<std::uint8_t>(noisy     ? random.below(classes)
                                                   : bin < 4 ? 0
                                                             : classes - 1));
  }
  return out;
}

}  // namespace

TEST_CASE("A tree cuts where the target changes, and not along noise") {
  const Sample s = sample(2000, 3);
  const std::vector<TreeInput> inputs{{s.useless, 11, false}, {s.useful, 11, false}};
  const GrownTree grown =
      grow_distribution_tree(inputs, {s.target, 3, false}, {.min_samples_leaf = 20, .min_gain = 8});
  REQUIRE(grown.tree.leaves() == 2);
  const TreeNode& root = grown.tree.nodes()[0];
  CHECK(root.column == 1);
  CHECK(root.threshold == 3);
  CHECK(grown.rows.size() == 2000);
  for (std::size_t leaf = 0; leaf < 2; ++leaf)
    for (std::size_t i = grown.begin[leaf]; i < grown.begin[leaf + 1]; ++i)
      CHECK((s.useful[grown.rows[i]] <= 3) == (grown.tree.nodes()[1].leaf == leaf));
}

TEST_CASE("Leaves are as large as asked for, and every row is in one") {
  const Sample s = sample(1000, 5);
  const std::vector<TreeInput> inputs{{s.useless, 11, true}, {s.useful, 11, false}};
  const GrownTree grown = grow_distribution_tree(inputs, {s.target, 5, false}, {.min_samples_leaf = 37});
  CHECK(grown.tree.leaves() > 2);
  std::vector<bool> seen(1000);
  for (const std::uint32_t row : grown.rows) seen[row] = true;
  CHECK(std::find(seen.begin(), seen.end(), false) == seen.end());
  for (std::size_t leaf = 0; leaf + 1 < grown.begin.size(); ++leaf)
    CHECK(grown.begin[leaf + 1] - grown.begin[leaf] >= 37);
}

TEST_CASE("The gain of ordered classes is the decrease of the ranked probability score") {
  // Left 0 0, right 1 2: cumulative counts are (2, 2, 2), (0, 1, 2), together (2, 3, 4).
  const std::vector<std::uint8_t> column{0, 0, 1, 1}, target{0, 0, 1, 2};
  const std::vector<TreeInput> inputs{{column, 3, false}};
  const GrownTree ordered = grow_distribution_tree(inputs, {target, 3, true}, {.min_samples_leaf = 2});
  CHECK(ordered.tree.nodes()[0].gain == doctest::Approx(12.0 / 2 + 5.0 / 2 - 29.0 / 4));
  const GrownTree plain = grow_distribution_tree(inputs, {target, 3, false}, {.min_samples_leaf = 2});
  CHECK(plain.tree.nodes()[0].gain == doctest::Approx(4.0 / 2 + 2.0 / 2 - 6.0 / 4));
}

TEST_CASE("A change of spread alone is found where classes are ordered") {
  std::vector<std::uint8_t> column, target;
  for (int i = 0; i < 400; ++i) {
    column.push_back(i % 2 ? 1 : 0);
    target.push_back(static_cast<std::uint8_t>(i % 2 ? 2 : i % 4 ? 0 : 4));
  }
  const std::vector<TreeInput> inputs{{column, 3, false}};
  const GrownTree grown =
      grow_distribution_tree(inputs, {target, 5, true}, {.min_samples_leaf = 20, .min_gain = 4});
  CHECK(grown.tree.leaves() == 2);
}

TEST_CASE("Categories without order are cut into the groups that differ") {
  // Labels 0, 3, 5 behave alike, and so do 1, 2, 4.
  std::vector<std::uint8_t> column, target;
  Random random(5);
  for (int i = 0; i < 1200; ++i) {
    const auto label = static_cast<std::uint8_t>(random.below(6));
    const bool first = label == 0 || label == 3 || label == 5;
    column.push_back(label);
    target.push_back(static_cast<std::uint8_t>(first ? random.below(2) : 2 + random.below(2)));
  }
  const std::vector<TreeInput> inputs{{column, 8, true}};
  const GrownTree grown =
      grow_distribution_tree(inputs, {target, 4, false}, {.min_samples_leaf = 20, .min_gain = 5});
  REQUIRE(grown.tree.leaves() == 2);
  const std::uint64_t left = grown.tree.nodes()[0].left_bins[0];
  CHECK((left == 0b101001 || left == 0b010110));
}

TEST_CASE("Nothing to learn from gives one leaf") {
  const std::vector<std::uint8_t> column{0, 1, 2, 3}, same{1, 1, 1, 1};
  const std::vector<TreeInput> inputs{{column, 5, false}};
  CHECK(grow_distribution_tree(inputs, {same, 2, false}, {.min_samples_leaf = 1}).tree.leaves() == 1);
  CHECK(grow_distribution_tree({}, {column, 4, true}, {.min_samples_leaf = 1}).tree.leaves() == 1);
  CHECK_THROWS_AS(grow_distribution_tree(inputs, {same, 2, false}, {.min_samples_leaf = 0}), ConfigError);
}

TEST_CASE("Below the root only the inputs that exceed chance most there are asked") {
  // `first` cuts best at the root, `second` tells more within a part of it, `weak` follows the first.
  std::vector<std::uint8_t> weak, second, first, target;
  Random random(7);
  for (int i = 0; i < 4000; ++i) {
    const auto a = static_cast<std::uint8_t>(random.below(2)), b = static_cast<std::uint8_t>(random.below(2));
    first.push_back(a);
    second.push_back(b);
    weak.push_back(random.uniform() < 0.2 ? a : static_cast<std::uint8_t>(random.below(2)));
    target.push_back(random.uniform() < (a == 1 ? 0.9 : b == 1 ? 0.6 : 0.1) ? 1 : 0);
  }
  const std::vector<TreeInput> inputs{{weak, 3, false}, {second, 3, false}, {first, 3, false}};
  const auto asked = [&](std::size_t candidates) {
    std::vector<std::uint32_t> out;
    const GrownTree grown = grow_distribution_tree(
        inputs, {target, 2, false}, {.min_samples_leaf = 20, .min_gain = 8, .candidates = candidates});
    for (const TreeNode& node : grown.tree.nodes())
      if (!node.is_leaf()) out.push_back(node.column);
    return out;
  };
  CHECK(asked(0) == std::vector<std::uint32_t>{2, 1});
  CHECK(asked(3) == asked(0));
  CHECK(asked(2) == asked(0));
  CHECK(asked(1) == std::vector<std::uint32_t>{2});
}

namespace {

// Rows of people who each have a label, and a class that is drawn once for each; in `tied` people the class
// is their label.
struct Cohort {
  std::vector<std::uint8_t> labels, classes;
  std::vector<std::uint32_t> people;

  void add(std::uint32_t count, std::size_t rows_each, Random& random, bool tied) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto person = static_cast<std::uint32_t>(labels.size());  // the number of the first row
      const auto label = static_cast<std::uint8_t>(random.below(2));
      const auto own = tied ? label : static_cast<std::uint8_t>(random.below(2));
      labels.insert(labels.end(), rows_each, label);
      classes.insert(classes.end(), rows_each, own);
      people.insert(people.end(), rows_each, person);
    }
  }
  std::size_t leaves(bool by_people, bool ordered) const {
    const std::vector<TreeInput> inputs{{labels, 3, true}};
    TreeTarget target{classes, 2, ordered};
    if (by_people) target.people = people;
    return grow_distribution_tree(inputs, target, {.min_samples_leaf = 20, .min_gain = 3}).tree.leaves();
  }
};

}  // namespace

TEST_CASE("A few people with many rows make no cut, many people do") {
  for (const bool ordered : {false, true}) {
    Random random(5);
    std::size_t by_rows = 0;
    for (int i = 0; i < 20; ++i) {
      Cohort few, many;
      few.add(300, 1, random, false);
      few.add(1, 200, random, true);
      CHECK(few.leaves(true, ordered) == 1);
      by_rows += few.leaves(false, ordered) - 1;
      many.add(300, 3, random, false);
      many.add(100, 3, random, true);
      CHECK(many.leaves(true, ordered) == 2);
    }
    CHECK(by_rows >= 19);
  }
}

TEST_CASE("By people, as many rows of chance are as seldom a cut") {
  std::size_t by_people = 0, by_rows = 0;
  Random random(6);
  for (int i = 0; i < 200; ++i) {
    Cohort chance;
    chance.add(100, 20, random, false);
    by_people += chance.leaves(true, false) - 1;
    by_rows += chance.leaves(false, false) - 1;
  }
  CHECK(by_people <= 4);
  CHECK(by_rows > 60);
}

TEST_CASE("People with a row each grow the same tree as rows") {
  const Sample s = sample(1000, 5);
  const std::vector<TreeInput> inputs{{s.useless, 11, true}, {s.useful, 11, false}};
  std::vector<std::uint32_t> people(1000);
  std::iota(people.begin(), people.end(), 0U);
  for (const bool ordered : {false, true}) {
    TreeTarget target{s.target, 5, ordered};
    const GrownTree by_rows = grow_distribution_tree(inputs, target, {.min_gain = 1});
    target.people = people;
    const GrownTree by_people = grow_distribution_tree(inputs, target, {.min_gain = 1});
    CHECK(by_rows.rows == by_people.rows);
    CHECK(by_rows.begin == by_people.begin);
    CHECK(by_rows.tree.leaves() > 1);
  }
}
