#include "src/generate/tabular/noisy_histogram.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace synthema::detail {

namespace {

using Node = NoisyHistogram::Node;

constexpr int kSmallestPower = -20, kLargestPower = 53;
constexpr double kYear = 365.25 * 86400e6;
constexpr int kFirstYear = -70, kLastYear = 250;  // since 1970; shifted dates lie in the 22nd century
constexpr double kLonely = 5.5;  // standard deviations of an end of the range with nothing beside it
constexpr double kBeside = 2;    // what stands beside it
constexpr double kLess = 1.5;    // what is taken in beside the ends, where its rows would be moved else
constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();

// Powers of two, years for times.
std::vector<double> edges_of(const ColumnCoding& coding) {
  std::vector<double> out;
  if (coding.field.kind == Kind::time) {
    for (int year = kFirstYear; year <= kLastYear; ++year)
      out.push_back(std::floor(year * kYear / static_cast<double>(coding.step)));
  } else {
    const int smallest = coding.grid ? 0 : kSmallestPower;
    for (int power = smallest; power <= kLargestPower; ++power) {
      out.push_back(-std::ldexp(1.0, power) + (coding.grid ? 1 : 0));
      out.push_back(std::ldexp(1.0, power));
    }
    out.push_back(0);
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Cells between the edges, cut off at the range; at least one.
std::vector<Node> first_cells(const ColumnCoding& coding, NumberRange range) {
  const std::vector<double> edges = edges_of(coding);
  const double one = coding.grid ? 1 : 0;
  // An end that the schema leaves open does not lie beyond the one that it names.
  double from = std::isfinite(range.lowest) ? range.lowest : std::min(edges.front(), range.highest);
  const double end =
      std::isfinite(range.highest) ? range.highest + one : std::max(edges.back(), range.lowest + one);
  std::vector<Node> out;
  for (const double edge : edges) {
    if (edge <= from) continue;
    if (edge >= end) break;
    out.push_back({from, edge});
    from = edge;
  }
  if (end > from || out.empty()) out.push_back({from, end});
  if (!coding.grid && range.lowest <= 0 && range.highest >= 0) {
    // Zero is a value of its own: the cell after it begins there all the same.
    const auto after = std::ranges::find_if(out, [](const Node& node) { return node.low >= 0; });
    out.insert(after, {0, 0});
  }
  return out;
}

// Of ascending nodes; a value of its own comes before the cell that begins with it.
std::size_t find(const std::vector<Node>& nodes, double x) {
  const auto at = std::ranges::partition_point(
      nodes, [&](const Node& node) { return node.low == node.high ? node.low < x : node.high <= x; });
  const auto place = static_cast<std::size_t>(at - nodes.begin());
  return std::min(place, nodes.size() - 1);  // clipped into the range
}

}  // namespace

NoisyHistogram::NoisyHistogram(const PrivateLearner& learner, const PrivateColumn& column,
                               std::span<const double> cells, double rho, NumberRange range)
    : learner_(learner), column_(column), cells_(cells), level_rho_(rho / kLevels) {
  count_first(range);
  if (roots_.empty()) return;
  double total = 0;
  for (const std::size_t i : roots_) total += std::max(nodes_[i].count, 0.0);
  std::vector<std::size_t> level = roots_;
  for (int depth = 1; depth < kLevels; ++depth) {
    level = halve(level, total);
    if (level.empty()) break;
    count_halves(level);
  }
  reconcile();
}

void NoisyHistogram::count_first(NumberRange range) {
  nodes_ = first_cells(column_.coding, range);
  at_.assign(cells_.size(), kNowhere);
  std::vector<double> counts(nodes_.size() + (column_.missing ? 1 : 0));
  for (std::size_t row = 0; row < cells_.size(); ++row) {
    if (!std::isnan(cells_[row])) at_[row] = find(nodes_, cells_[row]);
    counts[std::isnan(cells_[row]) ? counts.size() - 1 : at_[row]] += 1;
  }
  const bool open = !std::isfinite(range.lowest) || !std::isfinite(range.highest);
  const double sigma = learner_.budget.measure(
      counts, level_rho_, (open ? "range of numbers: " : "counts of cells: ") + column_.coding.field.name);
  for (std::size_t i = 0; i < nodes_.size(); ++i)
    nodes_[i].count = counts[i], nodes_[i].variance = sigma * sigma;
  missing_ = column_.missing ? counts.back() : 0;
  missing_variance_ = sigma * sigma;
  roots_.resize(nodes_.size());
  std::iota(roots_.begin(), roots_.end(), std::size_t{0});
  if (open) cut_far_cells(sigma);
  if (roots_.empty()) return;
  for (std::size_t& i : at_)
    if (i != kNowhere) i = std::clamp(i, roots_.front(), roots_.back());
}

// One of a hundred far cells that is beyond kClear by chance would stretch the range by orders of magnitude;
// what people have is seldom all by itself.
void NoisyHistogram::cut_far_cells(double sigma) {
  const auto above = [&](std::size_t i, double z) {
    return i < nodes_.size() && nodes_[i].count > z * sigma;
  };
  const auto clear = [&](std::size_t i) {
    return above(i, kLonely) ||
           (above(i, kClear) && (above(i + 1, kBeside) || (i > 0 && above(i - 1, kBeside))));
  };
  std::size_t first = 0, last = nodes_.size();
  while (first < last && !clear(first)) ++first;
  while (last > first && !clear(last - 1)) --last;
  // Nothing is below zero by such a weak sign: an age of -1 harms more than rows that are moved to 0.
  const bool is_time = column_.coding.field.kind == Kind::time;
  const auto crosses_zero = [&](std::size_t i) {
    return !is_time && nodes_[i].low >= 0 && nodes_[i - 1].low < 0;
  };
  while (first > 0 && first < last && !crosses_zero(first) && above(first - 1, kLess)) --first;
  while (last > first && above(last, kLess)) ++last;
  roots_.resize(last);
  roots_.erase(roots_.begin(), roots_.begin() + static_cast<std::ptrdiff_t>(first));
}

// Adds the halves of the level's heavy nodes, and returns them.
std::vector<std::size_t> NoisyHistogram::halve(std::span<const std::size_t> level, double total) {
  const bool grid = column_.coding.grid;
  const auto target = static_cast<double>(2 * learner_.options.bins);
  const double heavy = std::max(total / target, kClear * learner_.budget.sigma_of(level_rho_));
  std::vector<std::size_t> out;
  for (const std::size_t i : level) {
    const auto [low, high] = std::pair(nodes_[i].low, nodes_[i].high);
    if (nodes_[i].count < heavy || (grid ? high - low < 2 : !(high > low))) continue;
    const double middle = grid ? std::floor((low + high) / 2) : std::midpoint(low, high);
    nodes_[i].children = {nodes_.size(), nodes_.size() + 1};
    out.insert(out.end(), nodes_[i].children.begin(), nodes_[i].children.end());
    nodes_.push_back({low, middle});
    nodes_.push_back({middle, high});
  }
  return out;
}

void NoisyHistogram::count_halves(std::span<const std::size_t> halves) {
  std::vector<double> counts(halves.size());
  for (std::size_t row = 0; row < cells_.size(); ++row) {
    if (at_[row] == kNowhere || nodes_[at_[row]].children.empty()) continue;
    const std::vector<std::size_t>& children = nodes_[at_[row]].children;
    at_[row] = children[cells_[row] < nodes_[children[1]].low ? 0 : 1];
    counts[at_[row] - halves.front()] += 1;
  }
  const double sigma =
      learner_.budget.measure(counts, level_rho_, "counts of halved cells: " + column_.coding.field.name);
  for (std::size_t i = 0; i < halves.size(); ++i)
    nodes_[halves[i]].count = counts[i], nodes_[halves[i]].variance = sigma * sigma;
}

// Each node's count from its own and its children's noisy ones, weighted by precision, then made to add up.
void NoisyHistogram::reconcile() {
  const auto sums_of = [&](const Node& node) {
    double sum = 0, variance = 0;
    for (const std::size_t child : node.children)
      sum += nodes_[child].count, variance += nodes_[child].variance;
    return std::pair(sum, variance);
  };
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    Node& node = nodes_[i];
    if (node.children.empty()) continue;
    const auto [sum, variance] = sums_of(node);
    const double weight = variance / (variance + node.variance);
    node.count = weight * node.count + (1 - weight) * sum;
    node.variance *= weight;
  }
  for (const Node& node : nodes_) {
    const auto [sum, variance] = sums_of(node);
    for (const std::size_t child : node.children)
      nodes_[child].count += (node.count - sum) * nodes_[child].variance / variance;
  }
}

std::vector<Node> NoisyHistogram::leaves() const {
  std::vector<Node> out;
  const auto walk = [&](const auto& self, std::size_t i) -> void {
    if (nodes_[i].children.empty()) out.push_back(nodes_[i]);
    for (const std::size_t child : nodes_[i].children) self(self, child);
  };
  for (const std::size_t root : roots_) walk(walk, root);
  return out;
}

}  // namespace synthema::detail
