// HistogramTree: one regression tree grown on bins by the second-order gain of Chen and Guestrin ("XGBoost",
// KDD 2016, eq. 7), best leaf first as in Ke et al. ("LightGBM", NIPS 2017). The histogram of the larger
// child is the parent's minus the smaller child's. Categories are sorted by their gradient ratio and cut as
// if they were ordered (Fisher 1958; LightGBM section "categorical features").
//
// Gradients enter as fixed-point integers and every sum is exact, so a tree depends neither on the number of
// threads nor on the order of the rows. The resolution is that of a float at 10^6 rows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/learn/binned_table.hpp"

namespace synthema {

struct TreeOptions {
  std::size_t max_leaves = 31;
  std::size_t max_depth = 0;  // 0: as deep as the leaves allow
  std::size_t min_samples_leaf = 20;
  double min_hessian_leaf = 1e-3;
  double l2 = 0;                     // added to the sum of hessians
  double category_smoothing = 10;    // added to the hessian of a category when categories are sorted
  double min_category_samples = 10;  // rarer ones in a node take the side of the missing
  std::size_t threads = 0;
};

struct TreeNode {
  std::int32_t left = -1, right = -1;  // indices of nodes; -1: a leaf
  std::uint32_t column = 0;
  bool categorical = false;
  bool missing_left = false;                 // numbers
  std::uint8_t threshold = 0;                // numbers: bins up to this one go left
  std::array<std::uint64_t, 4> left_bins{};  // categories: the bins that go left, missing among them or not
  double gain = 0;                           // of the split, in units of the loss
  double value = 0;                          // -G / (H + l2) of the node's rows
  std::uint32_t leaf = 0;                    // number of the leaf, where it is one
  std::uint32_t samples = 0;                 // rows it was grown on

  bool is_leaf() const { return left < 0; }
  bool goes_left(std::uint8_t bin, std::uint8_t missing) const {
    if (categorical) return (left_bins[bin / 64] >> (bin % 64)) & 1;
    return bin == missing ? missing_left : bin <= threshold;
  }
};

class SYNTHEMA_EXPORT HistogramTree {
 public:
  HistogramTree() = default;
  explicit HistogramTree(std::vector<TreeNode> nodes);

  std::span<const TreeNode> nodes() const { return nodes_; }  // the first one is the root
  std::size_t leaves() const { return leaves_; }
  const TreeNode& leaf_node(const BinnedTable& table, std::span<const BinnedColumn> columns,
                            std::size_t row) const;

  void scale(double factor);  // of all values: shrinkage

 private:
  std::vector<TreeNode> nodes_;
  std::size_t leaves_ = 0;
};

// A tree and where its training rows ended: rows[begin[l] .. begin[l + 1]) lie in leaf l.
struct GrownTree {
  HistogramTree tree;
  std::vector<std::uint32_t> rows;
  std::vector<std::size_t> begin;  // leaves + 1 entries
};

// Grows trees on one table again and again; keeps the memory of its histograms in between.
class SYNTHEMA_EXPORT TreeGrower {
 public:
  // Keeps references to both. ConfigError if the options contradict each other or there are 2^31 rows.
  TreeGrower(const BinnedTable& table, std::span<const BinnedColumn> columns, const TreeOptions& options);

  // `gradients` one number a row of the table; `hessians` likewise, or empty where all are 1. Hessians are
  // not negative. Only the rows named take part.
  GrownTree grow(std::span<const float> gradients, std::span<const float> hessians,
                 std::span<const std::uint32_t> rows);

 private:
  // Sums over the rows of one bin: the gradient, and the hessian with the count in its low bits.
  struct Bin {
    std::int64_t gradient = 0;
    std::int64_t hessian_count = 0;
  };
  struct Leaf;
  struct Best;
  struct Split;
  using Histogram = std::vector<Bin>;

  void quantize(std::span<const float> gradients, std::span<const float> hessians,
                std::span<const std::uint32_t> rows);
  void fill(Histogram& out, std::span<const std::uint32_t> rows);
  template <std::size_t count>
  void fill_columns(Histogram& out, std::size_t first, std::span<const std::uint32_t> rows) const;
  void find_split(Leaf& leaf) const;
  Split split_number(const Leaf& leaf, std::size_t column) const;
  Split split_category(const Leaf& leaf, std::size_t column) const;
  std::size_t partition(const Leaf& leaf, const TreeNode& node);
  double gradient_of(const Bin& bin) const { return static_cast<double>(bin.gradient) * gradient_unit_; }
  double hessian_of(const Bin& bin) const {
    return static_cast<double>(bin.hessian_count >> count_bits_) * hessian_unit_;
  }
  std::size_t count_of(const Bin& bin) const {
    return static_cast<std::size_t>(bin.hessian_count & ((std::int64_t{1} << count_bits_) - 1));
  }
  bool worth_threads(std::size_t cells) const;

  const BinnedTable& table_;
  std::span<const BinnedColumn> columns_;
  TreeOptions options_;
  std::vector<std::size_t> offsets_;  // of each column's bins in a histogram
  std::vector<Bin> quantized_;        // by row of the table
  std::vector<Bin> gathered_;         // of the rows of one leaf
  std::vector<std::uint32_t> rows_, spare_;
  std::vector<Histogram> free_;
  int count_bits_ = 1;
  double gradient_unit_ = 1, hessian_unit_ = 1;
};

}  // namespace synthema
