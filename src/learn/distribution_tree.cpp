#include "synthema/learn/distribution_tree.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numbers>
#include <numeric>
#include <optional>

#include "src/learn/design_effect.hpp"

namespace synthema {

namespace {

constexpr std::size_t kLanes = 4;
constexpr int kPowerIterations = 4;

// Counts of one set of rows: by class, or up to each class where classes are ordered.
using Counts = std::vector<std::int32_t>;

struct Cut {
  TreeNode rule;
  double threshold = 0;  // what chance may gain
  double excess = 0;     // of the gain over that
};

// Of a fixed cut, under independence.
struct Chance {
  double mean = 0, deviation = 0;
};

class Grower {
 public:
  Grower(std::span<const TreeInput> inputs, const TreeTarget& target, const DistributionTreeOptions& options,
         const CancelToken& cancel)
      : inputs_(inputs),
        target_(target),
        options_(options),
        cancel_(cancel),
        width_((target.count + kLanes - 1) / kLanes * kLanes),
        histogram_(256 * width_),
        left_(width_),
        with_missing_(width_),
        total_(width_),
        direction_(width_),
        asked_(inputs.size()),
        excess_(inputs.size(), -std::numeric_limits<double>::infinity()) {
    std::iota(asked_.begin(), asked_.end(), std::size_t{0});
    std::size_t most = 1;
    for (const TreeInput& input : inputs) most = std::max(most, input.bins);
    histogram_.resize(most * width_);
  }

  GrownTree grow();

 private:
  struct Part {
    std::size_t node = 0, begin = 0, end = 0;
  };
  // The best cut of one column so far.
  struct Best {
    double gain = 0;
    std::size_t which = 0;
  };

  std::optional<Cut> find(const Part& part);
  std::optional<Cut> best_cut(std::span<const std::uint32_t> rows);
  std::array<bool, 256> left_bins(const TreeNode& rule) const;
  Chance chance_gain() const;
  double number_threshold(std::size_t cuts) const;
  double category_threshold(std::size_t labels) const;
  void take(TreeNode rule, const Best& best, double threshold);
  void count(std::size_t column, std::span<const std::uint32_t> rows);
  void offer(const Counts& side, std::size_t rows, std::size_t which, Best& best) const;
  void cut_number(std::size_t column);
  void cut_category(std::size_t column);
  void order_categories(std::vector<std::pair<double, std::uint8_t>>& order);
  void choose_candidates();
  std::size_t partition(const Part& part, const TreeNode& node);
  std::int32_t* bin(std::size_t b) { return histogram_.data() + b * width_; }
  void add(Counts& to, const std::int32_t* from) const {
    for (std::size_t k = 0; k < width_; ++k) to[k] += from[k];
  }

  std::span<const TreeInput> inputs_;
  const TreeTarget& target_;
  const DistributionTreeOptions& options_;
  const CancelToken& cancel_;
  std::size_t width_;
  std::vector<std::int32_t> histogram_;  // {bins, width}
  std::array<std::uint32_t, 256> sizes_{};
  Counts left_, with_missing_, total_;
  std::vector<double> direction_;
  std::vector<std::size_t> asked_;  // inputs
  std::vector<double> excess_;      // by input, of its last cut
  std::vector<Cut> cuts_;           // of a node: the best of each column, where it exceeds chance
  double total_squares_ = 0;
  Chance chance_;
  std::size_t size_ = 0;
  std::vector<std::uint32_t> rows_, spare_;
};

// Only bins that occur are cleared and summed: small nodes touch few of them.
void Grower::count(std::size_t column, std::span<const std::uint32_t> rows) {
  const TreeInput& input = inputs_[column];
  const std::uint8_t* cells = input.cells.data();
  const std::uint8_t* classes = target_.classes.data();
  std::fill_n(sizes_.begin(), input.bins, 0U);
  for (const std::uint32_t row : rows) ++sizes_[cells[row]];
  for (std::size_t b = 0; b < input.bins; ++b)
    if (sizes_[b] > 0) std::memset(bin(b), 0, width_ * sizeof(std::int32_t));
  for (const std::uint32_t row : rows) ++histogram_[cells[row] * width_ + classes[row]];
  if (!target_.ordered) return;
  for (std::size_t b = 0; b < input.bins; ++b)
    if (sizes_[b] > 0) std::partial_sum(bin(b), bin(b) + target_.count, bin(b));
}

// Right is total - left, so its sum of squares needs no second pass over the classes.
void Grower::offer(const Counts& side, std::size_t rows, std::size_t which, Best& best) const {
  if (rows < options_.min_samples_leaf || size_ - rows < options_.min_samples_leaf) return;
  std::array<double, kLanes> squares{}, products{};
  for (std::size_t k = 0; k < width_; k += kLanes)
    for (std::size_t i = 0; i < kLanes; ++i) {
      const double own = side[k + i];
      squares[i] += own * own;
      products[i] += own * static_cast<double>(total_[k + i]);
    }
  const double own = (squares[0] + squares[1]) + (squares[2] + squares[3]);
  const double both = (products[0] + products[1]) + (products[2] + products[3]);
  const double gain = own / static_cast<double>(rows) +
                      (total_squares_ - 2 * both + own) / static_cast<double>(size_ - rows) -
                      total_squares_ / static_cast<double>(size_);
  if (gain > best.gain) best = {gain, which};
}

void Grower::cut_number(std::size_t column) {
  const std::size_t present = inputs_[column].bins - 1;
  const std::size_t missing = sizes_[present];
  Best best;
  std::fill(left_.begin(), left_.end(), 0);
  std::size_t rows = 0, bins = 0;
  // Which: twice the threshold, plus one where missing goes left.
  for (std::size_t b = 0; b < present; ++b) {
    if (sizes_[b] == 0) continue;
    ++bins;
    add(left_, bin(b));
    rows += sizes_[b];
    offer(left_, rows, 2 * b, best);
    if (missing == 0) continue;
    with_missing_ = left_;
    add(with_missing_, bin(present));
    offer(with_missing_, rows + missing, 2 * b + 1, best);
  }
  if (best.gain <= 0) return;
  TreeNode rule;
  rule.column = static_cast<std::uint32_t>(column);
  rule.threshold = static_cast<std::uint8_t>(best.which / 2);
  rule.missing_left = best.which % 2 == 1;
  // Cuts that leaves are too large for were none.
  const std::size_t cuts = (missing > 0 ? 2 : 1) * std::min(bins, 1 + size_ / options_.min_samples_leaf);
  take(rule, best, number_threshold(cuts));
}

// Two classes: by the share of one (then the best cut is among those tried; Fisher 1958). Ordered ones: by
// the mean class. More classes: along the direction in which the shares of the categories differ most.
void Grower::order_categories(std::vector<std::pair<double, std::uint8_t>>& order) {
  const std::size_t classes = target_.count;
  const auto share = [&](std::uint8_t b, std::size_t k) {
    return static_cast<double>(bin(b)[k]) / sizes_[b] -
           static_cast<double>(total_[k]) / static_cast<double>(size_);
  };
  std::fill(direction_.begin(), direction_.end(), 0.0);
  if (target_.ordered || classes == 2) {
    std::fill_n(direction_.begin(), target_.ordered ? classes : 1, 1.0);
  } else {
    double largest = -1;
    std::uint8_t start = 0;
    for (const auto& [unused, b] : order) {
      double size = 0;
      for (std::size_t k = 0; k < classes; ++k) size += share(b, k) * share(b, k) * sizes_[b];
      if (size > largest) largest = size, start = b;
    }
    for (std::size_t k = 0; k < classes; ++k) direction_[k] = share(start, k);
    std::vector<double> next(classes);
    for (int i = 0; i < kPowerIterations; ++i) {
      std::fill(next.begin(), next.end(), 0.0);
      double length = 0;
      for (const auto& [unused, b] : order) {
        double along = 0;
        for (std::size_t k = 0; k < classes; ++k) along += share(b, k) * direction_[k];
        for (std::size_t k = 0; k < classes; ++k) next[k] += share(b, k) * along * sizes_[b];
      }
      for (const double x : next) length += x * x;
      if (!(length > 0)) break;
      for (std::size_t k = 0; k < classes; ++k) direction_[k] = next[k] / std::sqrt(length);
    }
  }
  for (auto& [score, b] : order) {
    score = 0;
    for (std::size_t k = 0; k < classes; ++k) score += share(b, k) * direction_[k];
  }
  std::sort(order.begin(), order.end());
}

void Grower::cut_category(std::size_t column) {
  std::vector<std::pair<double, std::uint8_t>> order;
  for (std::size_t b = 0; b < inputs_[column].bins; ++b)
    if (sizes_[b] >= std::max<std::size_t>(1, options_.min_category_samples))
      order.emplace_back(0.0, static_cast<std::uint8_t>(b));
  if (order.empty()) return;
  order_categories(order);
  Best best;
  // What is too rare to be placed goes right, whichever end of the order goes left.
  for (const bool backwards : {false, true}) {
    std::fill(left_.begin(), left_.end(), 0);
    std::size_t rows = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::uint8_t b = order[backwards ? order.size() - 1 - i : i].second;
      add(left_, bin(b));
      rows += sizes_[b];
      offer(left_, rows, 2 * i + (backwards ? 1 : 0), best);
    }
  }
  if (best.gain <= 0) return;
  TreeNode rule;
  rule.column = static_cast<std::uint32_t>(column);
  rule.categorical = true;
  for (std::size_t i = 0; i <= best.which / 2; ++i) {
    const std::uint8_t b = order[best.which % 2 == 1 ? order.size() - 1 - i : i].second;
    rule.left_bins[b / 64] |= std::uint64_t{1} << (b % 64);
  }
  take(rule, best, category_threshold(order.size()));
}

// Mean and standard deviation of the gain of a fixed cut where the target does not depend on it. The counts
// of one side are then normal in the limit with covariance proportional to that of one row's classes, so the
// gain is distributed as a sum of chi-squares weighted by its eigenvalues (Satterthwaite 1946): mean and
// variance are the trace and twice the trace of the square.
Chance Grower::chance_gain() const {
  const auto n = static_cast<double>(size_);
  double trace = 0, squares = 0;
  if (target_.ordered) {
    // Covariance of "at most s" and "at most t", s <= t: p_s (1 - p_t).
    double below = 0;  // sum of p_s^2 over s < t
    for (std::size_t t = 0; t < target_.count; ++t) {
      const double p = total_[t] / n, rest = 1 - p;
      trace += p * rest;
      squares += rest * rest * (2 * below + p * p);
      below += p * p;
    }
  } else {
    double second = 0, third = 0;
    for (std::size_t k = 0; k < target_.count; ++k) {
      const double p = total_[k] / n;
      second += p * p;
      third += p * p * p;
    }
    trace = 1 - second;
    squares = second - 2 * third + second * second;
  }
  return {std::max(trace, 0.0), std::sqrt(2 * std::max(squares, 0.0))};
}

// The best of many cuts of a column of numbers: they are as good as about 2 ln(cuts) independent ones (the
// normalised Brownian bridge forgets on the scale of the logit), whose largest lies so much higher.
double Grower::number_threshold(std::size_t cuts) const {
  const double tests = 1 + 2 * std::log(static_cast<double>(std::max<std::size_t>(cuts, 1)));
  return chance_.mean + chance_.deviation * (options_.min_gain + std::sqrt(2 * std::log(tests)));
}

// The best of all cuts of labels in any order: along the leading direction of noise of this many labels and
// classes the gain is that of its largest singular value (Marchenko and Pastur 1967), of which halves of
// sorted normal numbers keep 2 / pi.
double Grower::category_threshold(std::size_t labels) const {
  const double classes = 2 * chance_.mean * chance_.mean / (chance_.deviation * chance_.deviation);
  const double singular = std::sqrt(static_cast<double>(labels - 1)) + std::sqrt(classes) - 1;
  const double ratio = std::max(1.0, (2 / std::numbers::pi * singular * singular + classes - 1) / classes);
  return chance_.mean * ratio + chance_.deviation * std::sqrt(ratio) * options_.min_gain;
}

void Grower::take(TreeNode rule, const Best& best, double threshold) {
  const double excess = best.gain - threshold;
  excess_[rule.column] = excess;
  if (!(excess > 0)) return;
  rule.gain = best.gain;
  cuts_.push_back({rule, threshold, excess});
}

std::array<bool, 256> Grower::left_bins(const TreeNode& rule) const {
  const TreeInput& input = inputs_[rule.column];
  std::array<bool, 256> out{};
  for (std::size_t b = 0; b < input.bins; ++b)
    out[b] = rule.goes_left(static_cast<std::uint8_t>(b), input.missing());
  return out;
}

// Where people have several rows, a cut exceeds chance by less than it does by rows: the best one is looked
// for from that on which does most by rows, as long as there may be a better one.
std::optional<Cut> Grower::best_cut(std::span<const std::uint32_t> rows) {
  if (cuts_.empty()) return std::nullopt;
  if (target_.people.empty()) return *std::ranges::max_element(cuts_, {}, &Cut::excess);
  std::ranges::stable_sort(cuts_, std::greater(), &Cut::excess);
  std::optional<Cut> out;
  std::vector<std::uint8_t> is_left(rows.size());
  double most = 0;
  for (const Cut& cut : cuts_) {
    if (cut.excess <= most) break;
    const std::array<bool, 256> goes_left = left_bins(cut.rule);
    const std::span<const std::uint8_t> cells = inputs_[cut.rule.column].cells;
    for (std::size_t i = 0; i < rows.size(); ++i) is_left[i] = goes_left[cells[rows[i]]] ? 1 : 0;
    const double excess = cut.rule.gain - detail::design_effect(target_, rows, is_left) * cut.threshold;
    if (excess > most) out = cut, most = excess;
  }
  return out;
}

std::optional<Cut> Grower::find(const Part& part) {
  cuts_.clear();
  size_ = part.end - part.begin;
  if (size_ < 2 * options_.min_samples_leaf) return std::nullopt;
  const std::span<const std::uint32_t> rows(rows_.data() + part.begin, size_);
  std::fill(total_.begin(), total_.end(), 0);
  for (const std::uint32_t row : rows) ++total_[target_.classes[row]];
  if (target_.ordered) std::partial_sum(total_.begin(), total_.begin() + target_.count, total_.begin());
  total_squares_ = 0;
  for (const double own : total_) total_squares_ += own * own;
  chance_ = chance_gain();
  if (!(chance_.mean > 0)) return std::nullopt;  // one class only
  for (const std::size_t c : asked_) {
    count(c, rows);
    if (inputs_[c].categorical)
      cut_category(c);
    else
      cut_number(c);
  }
  return best_cut(rows);
}

// After the root: those of the largest excess, in the order of the inputs.
void Grower::choose_candidates() {
  if (options_.candidates == 0 || asked_.size() <= options_.candidates) return;
  const auto end = asked_.begin() + static_cast<std::ptrdiff_t>(options_.candidates);
  std::nth_element(asked_.begin(), end, asked_.end(), [&](std::size_t a, std::size_t b) {
    return excess_[a] != excess_[b] ? excess_[a] > excess_[b] : a < b;
  });
  asked_.erase(end, asked_.end());
  std::ranges::sort(asked_);
}

std::size_t Grower::partition(const Part& part, const TreeNode& node) {
  const std::array<bool, 256> goes_left = left_bins(node);
  const std::span<const std::uint8_t> cells = inputs_[node.column].cells;
  std::size_t l = part.begin, r = 0;
  for (std::size_t i = part.begin; i < part.end; ++i) {
    const std::uint32_t row = rows_[i];
    const bool left = goes_left[cells[row]];
    rows_[l] = row;
    spare_[r] = row;
    l += left ? 1 : 0;
    r += left ? 0 : 1;
  }
  std::copy_n(spare_.begin(), r, rows_.begin() + static_cast<std::ptrdiff_t>(l));
  return l;
}

GrownTree Grower::grow() {
  rows_.assign(target_.rows.begin(), target_.rows.end());
  if (rows_.empty()) {
    rows_.resize(target_.classes.size());
    std::iota(rows_.begin(), rows_.end(), 0U);
  }
  spare_.resize(rows_.size());
  std::vector<TreeNode> nodes(1);
  std::vector<Part> open{{0, 0, rows_.size()}}, leaves;
  while (!open.empty()) {
    cancel_.check();
    const Part part = open.back();
    open.pop_back();
    const std::optional<Cut> cut = find(part);
    if (part.node == 0) choose_candidates();
    if (!cut) {
      leaves.push_back(part);
      continue;
    }
    nodes[part.node] = cut->rule;
    nodes[part.node].left = static_cast<std::int32_t>(nodes.size());
    nodes[part.node].right = static_cast<std::int32_t>(nodes.size() + 1);
    const std::size_t middle = partition(part, cut->rule);
    open.push_back({nodes.size() + 1, middle, part.end});
    open.push_back({nodes.size(), part.begin, middle});
    nodes.resize(nodes.size() + 2);
  }
  std::sort(leaves.begin(), leaves.end(), [](const Part& a, const Part& b) { return a.node < b.node; });
  GrownTree out{{}, {}, {0}};
  out.rows.reserve(rows_.size());
  for (const Part& leaf : leaves) {
    nodes[leaf.node].samples = static_cast<std::uint32_t>(leaf.end - leaf.begin);
    out.rows.insert(out.rows.end(), rows_.begin() + static_cast<std::ptrdiff_t>(leaf.begin),
                    rows_.begin() + static_cast<std::ptrdiff_t>(leaf.end));
    out.begin.push_back(out.rows.size());
  }
  out.tree = HistogramTree(std::move(nodes));
  return out;
}

}  // namespace

GrownTree grow_distribution_tree(std::span<const TreeInput> inputs, const TreeTarget& target,
                                 const DistributionTreeOptions& options, const CancelToken& cancel) {
  if (options.min_samples_leaf < 1)
    throw ConfigError({.field = "min_samples_leaf"}, "A leaf needs at least one row.");
  return Grower(inputs, target, options, cancel).grow();
}

}  // namespace synthema
