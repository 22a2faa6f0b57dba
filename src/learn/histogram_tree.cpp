#include "synthema/learn/histogram_tree.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <optional>

#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

constexpr std::size_t kMostRows = std::size_t{1} << 26;  // more would leave too few bits for a hessian
constexpr std::size_t kWorthThreads = std::size_t{1} << 17;

void check(const TreeOptions& options) {
  if (options.max_leaves < 2) throw ConfigError({.field = "max_leaves"}, "A tree needs at least two leaves.");
  if (options.min_samples_leaf < 1)
    throw ConfigError({.field = "min_samples_leaf"}, "A leaf needs at least one row.");
  if (!(options.l2 >= 0) || !(options.category_smoothing >= 0) || !(options.min_hessian_leaf >= 0))
    throw ConfigError({.field = "l2"}, "Penalties and smoothing must be zero or positive.");
}

// The power of two below which `largest` lies, divided by 2^bits: rounding to it keeps `bits` bits.
double unit_for(float largest, int bits) {
  int exponent = 0;
  std::frexp(largest, &exponent);
  return std::ldexp(1.0, exponent - bits);
}

// No branch by the sign: that of a gradient cannot be predicted.
std::int64_t rounded(double value) {
  return static_cast<std::int64_t>(value + std::copysign(0.5, value));
}

}  // namespace

HistogramTree::HistogramTree(std::vector<TreeNode> nodes) : nodes_(std::move(nodes)) {
  for (TreeNode& node : nodes_)
    if (node.is_leaf()) node.leaf = static_cast<std::uint32_t>(leaves_++);
}

const TreeNode& HistogramTree::leaf_node(const BinnedTable& table, std::span<const BinnedColumn> columns,
                                         std::size_t row) const {
  const TreeNode* node = nodes_.data();
  while (!node->is_leaf()) {
    const bool left = node->goes_left(table.column(node->column)[row], columns[node->column].missing());
    node = &nodes_[static_cast<std::size_t>(left ? node->left : node->right)];
  }
  return *node;
}

void HistogramTree::scale(double factor) {
  for (TreeNode& node : nodes_) node.value *= factor;
}

struct TreeGrower::Split {
  TreeNode rule;  // column, threshold or bins, gain
  Bin left;       // sums of what goes left
};

struct TreeGrower::Leaf {
  std::int32_t node = 0;
  std::size_t begin = 0, end = 0, depth = 0;  // its part of rows_
  Bin total;
  Histogram histogram;
  std::optional<Split> split;
};

TreeGrower::TreeGrower(const BinnedTable& table, std::span<const BinnedColumn> columns,
                       const TreeOptions& options)
    : table_(table), columns_(columns), options_(options) {
  check(options);
  if (table.rows() >= kMostRows)
    throw ConfigError(
        message("A tree takes fewer than ", kMostRows, " rows, but the table has ", table.rows(), "."));
  std::size_t offset = 0;
  for (const BinnedColumn& column : columns) {
    offsets_.push_back(offset);
    offset += column.bins;
  }
  offsets_.push_back(offset);
}

bool TreeGrower::worth_threads(std::size_t cells) const {
  return options_.threads != 1 && cells >= kWorthThreads;
}

void TreeGrower::quantize(std::span<const float> gradients, std::span<const float> hessians,
                          std::span<const std::uint32_t> rows) {
  float most_gradient = 0, most_hessian = hessians.empty() ? 1.0F : 0.0F;
  for (const std::uint32_t row : rows) {
    most_gradient = std::max(most_gradient, std::abs(gradients[row]));
    if (!hessians.empty()) most_hessian = std::max(most_hessian, hessians[row]);
  }
  // Sums of all rows fit: a sign bit, bits for the number of rows, the rest for the number.
  count_bits_ = static_cast<int>(std::bit_width(rows.size()));
  gradient_unit_ = unit_for(most_gradient, std::min(40, 62 - count_bits_));
  hessian_unit_ = unit_for(most_hessian, std::min(40, 62 - 2 * count_bits_));
  quantized_.resize(table_.rows());
  const double per_gradient = 1 / gradient_unit_, per_hessian = 1 / hessian_unit_;
  for (const std::uint32_t row : rows) {
    const double hessian = hessians.empty() ? 1.0 : static_cast<double>(hessians[row]);
    quantized_[row] = {rounded(static_cast<double>(gradients[row]) * per_gradient),
                       (rounded(hessian * per_hessian) << count_bits_) | 1};
  }
}

void TreeGrower::fill(Histogram& out, std::span<const std::uint32_t> rows) {
  gathered_.resize(std::max(gathered_.size(), rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) gathered_[i] = quantized_[rows[i]];
  out.assign(offsets_.back(), Bin{});
  // Some columns side by side: rows that follow each other often add to the same bin, and each such sum waits
  // for the one before.
  constexpr std::size_t kTogether = 4;
  parallel_for((columns_.size() + kTogether - 1) / kTogether,
               [&](std::size_t part) {
                 const std::size_t first = part * kTogether;
                 switch (columns_.size() - first) {
                   case 1:
                     return fill_columns<1>(out, first, rows);
                   case 2:
                     return fill_columns<2>(out, first, rows);
                   case 3:
                     return fill_columns<3>(out, first, rows);
                   default:
                     return fill_columns<kTogether>(out, first, rows);
                 }
               },
               worth_threads(rows.size() * columns_.size()) ? options_.threads : 1);
}

template <std::size_t count>
void TreeGrower::fill_columns(Histogram& out, std::size_t first, std::span<const std::uint32_t> rows) const {
  std::array<const std::uint8_t*, count> cells{};
  std::array<Bin*, count> bins{};
  for (std::size_t k = 0; k < count; ++k) {
    cells[k] = table_.column(first + k).data();
    bins[k] = out.data() + offsets_[first + k];
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Bin added = gathered_[i];
    const std::size_t row = rows[i];
    for (std::size_t k = 0; k < count; ++k) {
      Bin& bin = bins[k][cells[k][row]];
      bin.gradient += added.gradient;
      bin.hessian_count += added.hessian_count;
    }
  }
}

namespace {

template <class Bin>
Bin plus(const Bin& a, const Bin& b) {
  return {a.gradient + b.gradient, a.hessian_count + b.hessian_count};
}
template <class Bin>
Bin minus(const Bin& a, const Bin& b) {
  return {a.gradient - b.gradient, a.hessian_count - b.hessian_count};
}

}  // namespace

// The best of all ways to cut, offered one by one; equal gains keep the first.
struct TreeGrower::Best {
  const TreeGrower& grower;
  const Bin total;
  const double whole;  // score of the node itself
  double gain = 0;
  Bin left{};
  std::size_t which = 0;

  Best(const TreeGrower& g, const Bin& t) : grower(g), total(t), whole(score(t)) {}
  double score(const Bin& bin) const {
    const double gradient = grower.gradient_of(bin);
    const double weight = grower.hessian_of(bin) + grower.options_.l2;
    return weight > 0 ? gradient * gradient / weight : 0;
  }
  bool allowed(const Bin& bin) const {
    return grower.count_of(bin) >= grower.options_.min_samples_leaf &&
           grower.hessian_of(bin) >= grower.options_.min_hessian_leaf;
  }
  void offer(const Bin& side, std::size_t index) {
    const Bin other = minus(total, side);
    if (!allowed(side) || !allowed(other)) return;
    const double value = (score(side) + score(other) - whole) / 2;
    if (value > gain) gain = value, left = side, which = index;
  }
};

TreeGrower::Split TreeGrower::split_number(const Leaf& leaf, std::size_t c) const {
  const Bin* bins = leaf.histogram.data() + offsets_[c];
  const std::size_t present = columns_[c].bins - 1;
  const Bin missing = bins[present];
  const bool has_missing = count_of(missing) > 0;
  Best best(*this, leaf.total);
  Bin below{};
  // Which: twice the threshold, plus one where missing goes left. The last cut is missing against the rest.
  for (std::size_t bin = 0; bin < present; ++bin) {
    if (bins[bin].hessian_count == 0) continue;
    below = plus(below, bins[bin]);
    best.offer(below, 2 * bin);
    if (has_missing) best.offer(plus(below, missing), 2 * bin + 1);
  }
  Split out;
  out.left = best.left;
  out.rule.column = static_cast<std::uint32_t>(c);
  out.rule.gain = best.gain;
  out.rule.threshold = static_cast<std::uint8_t>(best.which / 2);
  out.rule.missing_left = has_missing ? best.which % 2 == 1
                                      : 2 * count_of(best.left) >= count_of(leaf.total);  // the larger child
  return out;
}

TreeGrower::Split TreeGrower::split_category(const Leaf& leaf, std::size_t c) const {
  const Bin* bins = leaf.histogram.data() + offsets_[c];
  std::vector<std::pair<double, std::uint8_t>> order;
  for (std::size_t bin = 0; bin < columns_[c].bins; ++bin)
    if (static_cast<double>(count_of(bins[bin])) >= std::max(1.0, options_.min_category_samples))
      order.emplace_back(gradient_of(bins[bin]) / (hessian_of(bins[bin]) + options_.category_smoothing),
                         static_cast<std::uint8_t>(bin));
  std::sort(order.begin(), order.end());
  Best best(*this, leaf.total);
  // What is too rare to be placed goes right, whichever end of the order goes left.
  for (const bool backwards : {false, true}) {
    Bin side{};
    for (std::size_t i = 0; i < order.size(); ++i) {
      side = plus(side, bins[order[backwards ? order.size() - 1 - i : i].second]);
      best.offer(side, 2 * i + (backwards ? 1 : 0));
    }
  }
  Split out;
  out.left = best.left;
  out.rule.column = static_cast<std::uint32_t>(c);
  out.rule.gain = best.gain;
  out.rule.categorical = true;
  if (best.gain <= 0) return out;
  for (std::size_t i = 0; i <= best.which / 2; ++i) {
    const std::uint8_t bin = order[best.which % 2 == 1 ? order.size() - 1 - i : i].second;
    out.rule.left_bins[bin / 64] |= std::uint64_t{1} << (bin % 64);
  }
  return out;
}

void TreeGrower::find_split(Leaf& leaf) const {
  leaf.split.reset();
  if (options_.max_depth > 0 && leaf.depth >= options_.max_depth) return;
  if (leaf.end - leaf.begin < 2 * options_.min_samples_leaf) return;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    Split found = columns_[c].categorical ? split_category(leaf, c) : split_number(leaf, c);
    if (found.rule.gain > 0 && (!leaf.split || found.rule.gain > leaf.split->rule.gain)) leaf.split = found;
  }
}

// Rows that go left first, both sides in the order they had; gives where the right side begins.
std::size_t TreeGrower::partition(const Leaf& leaf, const TreeNode& node) {
  const std::span<const std::uint8_t> cells = table_.column(node.column);
  std::array<std::size_t, 256> left{};  // 1 or 0, to be added: a branch could not be predicted
  for (std::size_t bin = 0; bin < columns_[node.column].bins; ++bin)
    left[bin] = node.goes_left(static_cast<std::uint8_t>(bin), columns_[node.column].missing()) ? 1 : 0;
  spare_.resize(rows_.size());
  std::size_t l = leaf.begin;
  for (std::size_t i = leaf.begin; i < leaf.end; ++i) {
    const std::uint32_t row = rows_[i];
    rows_[l] = row;
    spare_[i - l] = row;
    l += left[cells[row]];
  }
  std::copy_n(spare_.begin(), leaf.end - l, rows_.begin() + static_cast<std::ptrdiff_t>(l));
  return l;
}

GrownTree TreeGrower::grow(std::span<const float> gradients, std::span<const float> hessians,
                           std::span<const std::uint32_t> rows) {
  quantize(gradients, hessians, rows);
  rows_.assign(rows.begin(), rows.end());
  const auto histogram = [&] {
    if (free_.empty()) return Histogram();
    Histogram out = std::move(free_.back());
    free_.pop_back();
    return out;
  };
  const auto part = [&](const Leaf& leaf) {
    return std::span<const std::uint32_t>(rows_).subspan(leaf.begin, leaf.end - leaf.begin);
  };
  std::vector<TreeNode> nodes(1);
  std::vector<Leaf> leaves(1);
  leaves[0].end = rows.size();
  for (const std::uint32_t row : rows) leaves[0].total = plus(leaves[0].total, quantized_[row]);
  leaves[0].histogram = histogram();
  fill(leaves[0].histogram, part(leaves[0]));
  find_split(leaves[0]);
  while (leaves.size() < options_.max_leaves) {
    std::size_t chosen = leaves.size();
    for (std::size_t i = 0; i < leaves.size(); ++i)
      if (leaves[i].split &&
          (chosen == leaves.size() || leaves[i].split->rule.gain > leaves[chosen].split->rule.gain))
        chosen = i;
    if (chosen == leaves.size()) break;
    Leaf parent = std::move(leaves[chosen]);
    TreeNode& node = nodes[static_cast<std::size_t>(parent.node)];
    node = parent.split->rule;
    node.left = static_cast<std::int32_t>(nodes.size());
    node.right = node.left + 1;
    const std::size_t middle = partition(parent, node);
    Leaf left{.node = node.left,
              .begin = parent.begin,
              .end = middle,
              .depth = parent.depth + 1,
              .total = parent.split->left,
              .histogram = {},
              .split = {}};
    Leaf right{.node = node.right,
               .begin = middle,
               .end = parent.end,
               .depth = parent.depth + 1,
               .total = minus(parent.total, left.total),
               .histogram = {},
               .split = {}};
    nodes.resize(nodes.size() + 2);
    // A last pair of leaves is not cut any further, so it needs no histograms.
    if (leaves.size() + 1 < options_.max_leaves) {
      Leaf& smaller = middle - parent.begin <= parent.end - middle ? left : right;
      Leaf& larger = &smaller == &left ? right : left;
      smaller.histogram = histogram();
      fill(smaller.histogram, part(smaller));
      larger.histogram = std::move(parent.histogram);
      for (std::size_t i = 0; i < larger.histogram.size(); ++i)
        larger.histogram[i] = minus(larger.histogram[i], smaller.histogram[i]);
      find_split(left);
      find_split(right);
    } else {
      free_.push_back(std::move(parent.histogram));
    }
    leaves[chosen] = std::move(left);
    leaves.push_back(std::move(right));
  }
  for (Leaf& leaf : leaves) {
    TreeNode& node = nodes[static_cast<std::size_t>(leaf.node)];
    const double weight = hessian_of(leaf.total) + options_.l2;
    node.value = weight > 0 ? -gradient_of(leaf.total) / weight : 0;
    node.samples = static_cast<std::uint32_t>(leaf.end - leaf.begin);
    if (!leaf.histogram.empty()) free_.push_back(std::move(leaf.histogram));
  }
  // Leaves are numbered by their place among the nodes, their rows laid out in that order.
  GrownTree out{HistogramTree(std::move(nodes)), {}, {0}};
  std::sort(leaves.begin(), leaves.end(), [](const Leaf& a, const Leaf& b) { return a.node < b.node; });
  out.rows.reserve(rows_.size());
  for (const Leaf& leaf : leaves) {
    const auto rows_of = part(leaf);
    out.rows.insert(out.rows.end(), rows_of.begin(), rows_of.end());
    out.begin.push_back(out.rows.size());
  }
  return out;
}

}  // namespace synthema
