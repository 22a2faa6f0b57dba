#include "src/evaluate/association.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <unordered_map>

namespace synthema::detail {

namespace {

double entropy(const std::vector<double>& counts, double n) {
  double sum = 0;
  for (const double count : counts)
    if (count > 0) sum -= count / n * std::log(count / n);
  return sum;
}

std::size_t occurring(const std::vector<double>& counts) {
  return static_cast<std::size_t>(
      std::count_if(counts.begin(), counts.end(), [](double count) { return count > 0; }));
}

constexpr std::size_t kMostDenseCells = std::size_t{1} << 16;

}  // namespace

namespace {

// A power of two near the largest value, so that squares neither overflow nor vanish and nothing is rounded.
double scale_of(std::span<const double> values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return largest > 0 ? std::ldexp(1.0, std::clamp(std::ilogb(largest), -1000, 1000)) : 1;
}

// Rounding may leave the mean of equal values beside them, and so a spread that they do not have.
bool is_constant(std::span<const double> values) {
  return std::ranges::adjacent_find(values, std::ranges::not_equal_to()) == values.end();
}

}  // namespace

std::optional<double> pearson(std::span<const double> of_x, std::span<const double> of_y) {
  if (of_x.size() < 2 || is_constant(of_x) || is_constant(of_y)) return std::nullopt;
  std::vector<double> x(of_x.begin(), of_x.end()), y(of_y.begin(), of_y.end());
  for (std::vector<double>* values : {&x, &y}) {
    const double scale = scale_of(*values);
    for (double& value : *values) value /= scale;
  }
  const auto n = static_cast<double>(x.size());
  const double mx = std::accumulate(x.begin(), x.end(), 0.0) / n;
  const double my = std::accumulate(y.begin(), y.end(), 0.0) / n;
  double xx = 0, yy = 0, xy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - mx) * (x[i] - mx);
    yy += (y[i] - my) * (y[i] - my);
    xy += (x[i] - mx) * (y[i] - my);
  }
  if (!(xx > 0) || !(yy > 0)) return std::nullopt;
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

std::vector<double> mean_ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> out(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) out[order[i]] = static_cast<double>(begin + end + 1) / 2;
    begin = end;
  }
  return out;
}

std::optional<double> correlation_ratio_squared(std::span<const std::uint32_t> groups, std::size_t count,
                                                std::span<const double> y) {
  std::vector<double> sums(count), sizes(count);
  double total = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    sums[groups[i]] += y[i];
    ++sizes[groups[i]];
    total += y[i];
  }
  if (y.size() < 2 || is_constant(y)) return std::nullopt;
  const double mean = total / static_cast<double>(y.size());
  double all = 0, between = 0;
  for (const double value : y) all += (value - mean) * (value - mean);
  for (std::size_t g = 0; g < count; ++g)
    if (sizes[g] > 0) between += sizes[g] * (sums[g] / sizes[g] - mean) * (sums[g] / sizes[g] - mean);
  if (!(all > 0) || !std::isfinite(all) || occurring(sizes) < 2) return std::nullopt;
  return std::min(1.0, between / all);
}

Contingency::Contingency(std::span<const std::uint32_t> a, std::span<const std::uint32_t> b,
                         std::size_t labels_a, std::size_t labels_b)
    : n_(static_cast<double>(a.size())), of_a_(labels_a), of_b_(labels_b) {
  if (labels_a * labels_b <= kMostDenseCells) {
    std::vector<std::uint32_t> counts(labels_a * labels_b);
    for (std::size_t i = 0; i < a.size(); ++i) ++counts[a[i] * labels_b + b[i]];
    for (std::size_t cell = 0; cell < counts.size(); ++cell)
      if (counts[cell] > 0)
        cells_.push_back({static_cast<std::uint32_t>(cell / labels_b),
                          static_cast<std::uint32_t>(cell % labels_b), static_cast<double>(counts[cell])});
  } else {
    std::unordered_map<std::uint64_t, double> counts;
    for (std::size_t i = 0; i < a.size(); ++i) ++counts[(std::uint64_t{a[i]} << 32) | b[i]];
    for (const auto& [key, count] : counts)
      cells_.push_back({static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key), count});
    std::sort(cells_.begin(), cells_.end());  // sums must not depend on the order of a hash map
  }
  for (const Cell& cell : cells_) of_a_[cell.a] += cell.count, of_b_[cell.b] += cell.count;
}

double Contingency::similarity(const Contingency& other) const {
  double sum = 0;
  auto theirs = other.cells_.begin();
  const auto skip_to = [&](const Cell* own) {  // cells that only the other table has
    for (; theirs != other.cells_.end() && (!own || *theirs < *own); ++theirs)
      sum += theirs->count / other.n_;
  };
  for (const Cell& own : cells_) {
    skip_to(&own);
    const bool both = theirs != other.cells_.end() && !(own < *theirs);
    sum += std::abs(own.count / n_ - (both ? theirs->count / other.n_ : 0));
    if (both) ++theirs;
  }
  skip_to(nullptr);
  return 1 - sum / 2;
}

std::optional<double> Contingency::cramers_v_squared(bool yates) const {
  const std::size_t fewest = std::min(occurring(of_a_), occurring(of_b_));
  if (fewest < 2) return std::nullopt;
  const bool corrected = yates && occurring(of_a_) == 2 && occurring(of_b_) == 2;
  // chi-square = n (sum of count^2 / (row sum * column sum) - 1); with the correction cell by cell.
  double chi = -1;
  for (const Cell& cell : cells_) chi += cell.count * cell.count / (of_a_[cell.a] * of_b_[cell.b]);
  chi *= n_;
  if (corrected) {
    // All four cells of 2 x 2 are equally far from what is expected.
    const Cell& cell = cells_.front();
    const double expected = of_a_[cell.a] * of_b_[cell.b] / n_, apart = std::abs(cell.count - expected);
    const double left = apart - std::min(0.5, apart);
    chi = apart > 0 ? chi * (left / apart) * (left / apart) : 0;
  }
  return std::clamp(chi / (n_ * static_cast<double>(fewest - 1)), 0.0, 1.0);
}

std::optional<double> Contingency::normalised_information() const {
  if (!(n_ > 0)) return std::nullopt;
  const double mean = (entropy(of_a_, n_) + entropy(of_b_, n_)) / 2;
  if (!(mean > 0)) return std::nullopt;
  double information = 0;
  for (const Cell& cell : cells_)
    information += cell.count / n_ * std::log(cell.count * n_ / (of_a_[cell.a] * of_b_[cell.b]));
  return std::clamp(information / mean, 0.0, 1.0);
}

}  // namespace synthema::detail
