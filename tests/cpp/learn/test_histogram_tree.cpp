#include <doctest/doctest.h>

#include "learn/tables.hpp"
#include "synthema/learn/histogram_tree.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

struct Grown {
  BinnedTable table;
  std::vector<BinnedColumn> columns;
  GrownTree tree;
};

Grown grow(const Table& table, const std::vector<std::string>& names, const std::vector<float>& gradients,
           const TreeOptions& options) {
  const Binning binning(table, names);
  Grown out{binning.apply(table), {binning.columns().begin(), binning.columns().end()}, {}};
  out.tree = TreeGrower(out.table, out.columns, options).grow(gradients, {}, all_rows(table.rows()));
  return out;
}

}  // namespace

TEST_CASE("a step is found where it is, and its leaves hold the mean of minus the gradient") {
  const Table table = testing::numbers({1.0, 2.0, 3.0, 4.0, 5.0, 6.0});
  const Grown grown = grow(table, {"v"}, {1, 1, 1, 1, -2, -2}, {.max_leaves = 2, .min_samples_leaf = 1});
  const auto nodes = grown.tree.tree.nodes();
  REQUIRE(nodes.size() == 3);
  CHECK(nodes[0].threshold == 3);
  // (4^2 / 4 + 4^2 / 2 - 0) / 2
  CHECK(nodes[0].gain == Approx(6));
  CHECK(nodes[1].value == Approx(-1));
  CHECK(nodes[2].value == Approx(2));
  CHECK(grown.tree.begin == std::vector<std::size_t>{0, 4, 6});
  CHECK(grown.tree.rows == std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("the penalty shrinks leaves and gains") {
  const Table table = testing::numbers({1.0, 2.0});
  const Grown grown = grow(table, {"v"}, {1, -1}, {.max_leaves = 2, .min_samples_leaf = 1, .l2 = 1});
  CHECK(grown.tree.tree.nodes()[0].gain == Approx(0.5));  // (1 / 2 + 1 / 2) / 2
  CHECK(grown.tree.tree.nodes()[1].value == Approx(-0.5));
}

TEST_CASE("missing goes where it gains most, and to the larger child where none was seen") {
  const Table table = testing::numbers({1.0, 2.0, Value(), Value()});
  const Grown grown = grow(table, {"v"}, {1, -1, -1, -1}, {.max_leaves = 2, .min_samples_leaf = 1});
  CHECK_FALSE(grown.tree.tree.nodes()[0].missing_left);
  const Grown other = grow(table, {"v"}, {1, -1, 1, 1}, {.max_leaves = 2, .min_samples_leaf = 1});
  CHECK(other.tree.tree.nodes()[0].missing_left);
  const Grown none = grow(testing::numbers({1.0, 1.0, 1.0, 2.0}), {"v"}, {1, 1, 1, -1},
                          {.max_leaves = 2, .min_samples_leaf = 1});
  CHECK(none.tree.tree.nodes()[0].missing_left);
  // Only being missing tells: the last cut is missing against all numbers.
  const Grown alone = grow(testing::numbers({1.0, 1.0, Value(), Value()}), {"v"}, {1, 1, -1, -1},
                           {.max_leaves = 2, .min_samples_leaf = 1});
  CHECK(alone.tree.tree.leaves() == 2);
}

TEST_CASE("one cut separates categories whatever their order") {
  const Table table = testing::numbers({"a", "b", "c", "d", "a", "b", "c", "d"}, Kind::category);
  const Grown grown = grow(table, {"v"}, {1, -1, 1, -1, 1, -1, 1, -1},
                           {.max_leaves = 8, .min_samples_leaf = 1, .min_category_samples = 1});
  CHECK(grown.tree.tree.leaves() == 2);
  for (std::size_t row = 0; row < 8; ++row)
    CHECK(grown.tree.tree.leaf_node(grown.table, grown.columns, row).value == Approx(row % 2 == 0 ? -1 : 1));
}

TEST_CASE("rows lie in the leaf that the tree sends them to; limits hold; order and threads change nothing") {
  const Table table = testing::coloured(3000, 5);
  const TreeOptions options{.max_leaves = 12, .max_depth = 4, .min_samples_leaf = 30};
  std::vector<float> gradients;
  for (std::size_t row = 0; row < table.rows(); ++row)
    gradients.push_back(static_cast<float>(table.column("y").text_at(row) == "yes" ? -0.3 : 0.7));
  const std::vector<std::string> names = {"x", "z", "colour"};
  const Grown grown = grow(table, names, gradients, options);
  const HistogramTree& tree = grown.tree.tree;
  CHECK(tree.leaves() > 4);
  CHECK(tree.leaves() <= 12);
  for (const TreeNode& node : tree.nodes()) {
    if (!node.is_leaf()) continue;
    CHECK(node.samples >= 30);
    CHECK(node.samples == grown.tree.begin[node.leaf + 1] - grown.tree.begin[node.leaf]);
    double sum = 0;  // histograms by subtraction are the sums of the rows themselves
    for (std::size_t i = grown.tree.begin[node.leaf]; i < grown.tree.begin[node.leaf + 1]; ++i) {
      CHECK(tree.leaf_node(grown.table, grown.columns, grown.tree.rows[i]).leaf == node.leaf);
      sum += static_cast<double>(gradients[grown.tree.rows[i]]);
    }
    CHECK(node.value == Approx(-sum / node.samples).epsilon(1e-7));
  }
  std::vector<std::size_t> backwards;
  std::vector<float> turned;
  for (std::size_t row = table.rows(); row-- > 0;) backwards.push_back(row), turned.push_back(gradients[row]);
  TreeOptions one_thread = options;
  one_thread.threads = 1;
  const Grown again = grow(table.take(backwards), names, turned, one_thread);
  REQUIRE(again.tree.tree.nodes().size() == tree.nodes().size());
  for (std::size_t i = 0; i < tree.nodes().size(); ++i) {
    CHECK(again.tree.tree.nodes()[i].value == tree.nodes()[i].value);
    CHECK(again.tree.tree.nodes()[i].gain == tree.nodes()[i].gain);
  }
}

TEST_CASE("nothing to gain is a tree of one leaf; bad options are refused") {
  const Table table = testing::numbers({1.0, 2.0, 3.0});
  CHECK(grow(table, {"v"}, {1, 1, 1}, {.min_samples_leaf = 1}).tree.tree.leaves() == 1);
  CHECK(grow(table, {"v"}, {0, 0, 0}, {.min_samples_leaf = 1}).tree.tree.leaves() == 1);
  CHECK_THROWS_AS(grow(table, {"v"}, {1, 1, 1}, {.max_leaves = 1}), ConfigError);
  CHECK_THROWS_AS(grow(table, {"v"}, {1, 1, 1}, {.l2 = -1}), ConfigError);
}
