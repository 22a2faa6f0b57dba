#include "src/evaluate/library_columns.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <vector>

#include "src/evaluate/shared_columns.hpp"
#include "synthema/evaluate/distance.hpp"

namespace synthema::detail {

namespace {

using Numbers = std::vector<double>;
constexpr std::size_t kCells = 10, kFewValues = 5;
constexpr double kNothing = 1e-11;  // what a share of 0 becomes

struct Values {
  Numbers real, synthetic;
  std::size_t different = 0;  // of real
};

std::optional<Values> values_of(const Column& real, const Column& synthetic) {
  if (real.null_count() + synthetic.null_count() > 0 || real.size() == 0 || synthetic.size() == 0)
    return std::nullopt;
  Values out;
  if (is_number(real.kind())) {
    out.real = numbers_of(real);
    out.synthetic = numbers_of(synthetic);
  } else {
    std::map<std::string, double> codes;
    for (const Column* column : {&real, &synthetic})
      for (std::size_t row = 0; row < column->size(); ++row) codes.emplace(category_at(*column, row), 0);
    double next = 0;
    for (auto& [label, code] : codes) code = next++;
    for (const auto& [column, values] : {std::pair{&real, &out.real}, std::pair{&synthetic, &out.synthetic}})
      for (std::size_t row = 0; row < column->size(); ++row)
        values->push_back(codes.at(category_at(*column, row)));
  }
  Numbers sorted = out.real;
  std::sort(sorted.begin(), sorted.end());
  out.different = static_cast<std::size_t>(std::unique(sorted.begin(), sorted.end()) - sorted.begin());
  return out;
}

struct Shares {
  Numbers real, synthetic;
};

// As numpy.linspace: begin + i * step, and the end as it is.
Numbers edges_between(double begin, double end, std::size_t cells) {
  const double step = (end - begin) / static_cast<double>(cells);
  Numbers out;
  for (std::size_t i = 0; i < cells; ++i) out.push_back(begin + static_cast<double>(i) * step);
  out.push_back(end);
  return out;
}

// Counts of the values from each edge up to the next, the last edge included.
Numbers histogram(Numbers values, const Numbers& edges) {
  std::sort(values.begin(), values.end());
  const auto below = [&](std::size_t edge) {
    const auto at = edge + 1 == edges.size() ? std::upper_bound(values.begin(), values.end(), edges[edge])
                                             : std::lower_bound(values.begin(), values.end(), edges[edge]);
    return static_cast<double>(at - values.begin());
  };
  Numbers out;
  for (std::size_t i = 0; i + 1 < edges.size(); ++i) out.push_back(below(i + 1) - below(i));
  return out;
}

Shares ranked_shares(const Values& values) {
  const auto shares = [](const Numbers& some) {
    std::map<double, double> out;
    for (const double value : some) out[value] += 1;
    for (auto& [value, count] : out) count /= static_cast<double>(some.size());
    return out;
  };
  const std::map<double, double> real = shares(values.real), synthetic = shares(values.synthetic);
  const auto ranked = [](const std::map<double, double>& mine, const std::map<double, double>& other) {
    Numbers out;
    for (const auto& [value, share] : mine) out.push_back(share);
    std::sort(out.begin(), out.end(), std::greater<>());
    for (const auto& [value, share] : other)
      if (!mine.contains(value)) out.push_back(kNothing);
    return out;
  };
  return {ranked(real, synthetic), ranked(synthetic, real)};
}

Shares frequencies(const Values& values) {
  if (values.different < kFewValues) return ranked_shares(values);
  const auto [low, high] = std::minmax_element(values.real.begin(), values.real.end());
  const Numbers edges = edges_between(*low, *high, std::min(kCells, values.different));
  const auto shares = [&](const Numbers& some) {
    Numbers out = histogram(some, edges);
    const double sum = std::accumulate(out.begin(), out.end(), 0.0) + 1e-8;
    for (double& count : out) count = count > 0 ? count / sum : kNothing;
    return out;
  };
  return {shares(values.real), shares(values.synthetic)};
}

}  // namespace

std::optional<double> synthcity_inverse_kl(const Column& real, const Column& synthetic) {
  const auto values = values_of(real, synthetic);
  if (!values) return std::nullopt;
  const Shares found = frequencies(*values);
  double sum = 0;
  for (std::size_t i = 0; i < found.real.size(); ++i) {
    const double r = found.real[i], s = found.synthetic[i];
    sum += r * std::log(r / s) - r + s;
  }
  return 1 / (1 + sum);
}

std::optional<double> synthcity_chi_square(const Column& real, const Column& synthetic) {
  const auto values = values_of(real, synthetic);
  if (!values) return std::nullopt;
  const Shares found = frequencies(*values);
  if (found.real.size() < 2) return 0;  // no degree of freedom is left
  const double of_real = std::accumulate(found.real.begin(), found.real.end(), 0.0),
               of_synthetic = std::accumulate(found.synthetic.begin(), found.synthetic.end(), 0.0);
  // scipy refuses sums that differ by more than that
  if (std::abs(of_real - of_synthetic) / std::min(of_real, of_synthetic) > 1e-8) return 0;
  double statistic = 0;
  for (std::size_t i = 0; i < found.real.size(); ++i) {
    const double difference = found.real[i] - found.synthetic[i];
    statistic += difference * difference / found.synthetic[i];
  }
  return upper_gamma(static_cast<double>(found.real.size() - 1) / 2, statistic / 2);
}

std::optional<double> synthcity_jensen_shannon(const Column& real, const Column& synthetic) {
  const auto values = values_of(real, synthetic);
  if (!values) return std::nullopt;
  const std::size_t cells = std::min(kCells, values->different);
  double low = *std::min_element(values->real.begin(), values->real.end()),
         high = *std::max_element(values->real.begin(), values->real.end());
  Numbers edges;
  if (low < high) {
    edges = edges_between(low, high, cells);
    edges.front() -= (high - low) * 0.001;
  } else {
    low -= low != 0 ? 0.001 * std::abs(low) : 0.001;
    high += high != 0 ? 0.001 * std::abs(high) : 0.001;
    edges = edges_between(low, high, cells);
  }
  bool outside = false;
  // Cells are open below and closed above; the last share is of values outside.
  const auto shares = [&](const Numbers& some) {
    Numbers out(cells + 1);
    for (const double value : some) {
      const auto at =
          static_cast<std::size_t>(std::lower_bound(edges.begin(), edges.end(), value) - edges.begin());
      const bool in = at > 0 && at <= cells;
      outside = outside || !in;
      ++out[in ? at - 1 : cells];
    }
    for (double& count : out) count = count / static_cast<double>(some.size()) + 1;
    return out;
  };
  Numbers r = shares(values->real), s = shares(values->synthetic);
  if (!outside) r.pop_back(), s.pop_back();
  for (Numbers* some : {&r, &s}) {
    const double sum = std::accumulate(some->begin(), some->end(), 0.0);
    for (double& share : *some) share /= sum;
  }
  double sum = 0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    const double middle = (r[i] + s[i]) / 2;
    sum += r[i] * std::log(r[i] / middle) + s[i] * std::log(s[i] / middle);
  }
  return std::sqrt(std::max(0.0, sum / 2));
}

std::optional<double> syntheval_quantile_mse(const Column& real, const Column& synthetic) {
  auto values = values_of(real, synthetic);
  if (!values) return std::nullopt;
  Numbers& r = values->real;
  std::sort(r.begin(), r.end());
  Numbers edges;
  for (const double q : edges_between(0, 1, kCells)) {
    // As numpy.quantile, whose rounding decides what is equal to an edge.
    const double at = static_cast<double>(r.size() - 1) * q;
    const auto lower = static_cast<std::size_t>(at);
    const double a = r[lower], b = r[std::min(lower + 1, r.size() - 1)], t = at - std::floor(at);
    edges.push_back(t >= 0.5 ? b - (b - a) * (1 - t) : a + (b - a) * t);
  }
  double sum = 0;
  for (const double count : histogram(values->synthetic, edges)) {
    const double off = count / static_cast<double>(values->synthetic.size()) - 1.0 / kCells;
    sum += off * off;
  }
  return sum / kCells;
}

std::optional<double> syntheval_distance(const Column& real, const Column& synthetic) {
  auto values = values_of(real, synthetic);
  if (!values) return std::nullopt;
  if (is_number(real.kind())) return ks_distance(std::move(values->real), std::move(values->synthetic));
  std::map<double, double> differences;
  for (const double value : values->real) differences[value] += 1 / static_cast<double>(values->real.size());
  for (const double value : values->synthetic)
    differences[value] -= 1 / static_cast<double>(values->synthetic.size());
  double sum = 0;
  for (const auto& [value, difference] : differences) sum += std::abs(difference);
  return std::nearbyint(sum / 2 * 1e4) / 1e4;
}

std::optional<double> syntheval_mean_difference(const Column& real, const Column& synthetic) {
  const auto values = values_of(real, synthetic);
  if (!values) return std::nullopt;
  const auto mean = [](const Numbers& some) {
    return std::accumulate(some.begin(), some.end(), 0.0) / static_cast<double>(some.size());
  };
  const auto r = std::minmax_element(values->real.begin(), values->real.end()),
             s = std::minmax_element(values->synthetic.begin(), values->synthetic.end());
  const double range = std::max(*r.second, *s.second) - std::min(*r.first, *s.first);
  return range > 0 ? std::abs(mean(values->real) - mean(values->synthetic)) / range : 0;
}

// The series of P (DLMF 8.7.1) below a + 1, else the continued fraction (DLMF 8.9.2) by Lentz's method.
double upper_gamma(double a, double x) {
  if (x <= 0) return 1;
  const double front = std::exp(a * std::log(x) - x - std::lgamma(a));
  constexpr double kPrecision = 1e-15, kTiny = 1e-300;
  constexpr int kMost = 100'000;
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (int k = 1; k < kMost && term > kPrecision * sum; ++k) sum += term *= x / (a + k);
    return std::max(0.0, 1 - front * sum);
  }
  double b = x + 1 - a, c = 1 / kTiny, d = 1 / b, h = d;
  for (int k = 1; k < kMost; ++k) {
    const double an = -k * (k - a);
    b += 2;
    d = 1 / std::max(an * d + b, kTiny);
    c = b + an / c;
    h *= d * c;
    if (std::abs(d * c - 1) < kPrecision) break;
  }
  return front * h;
}

}  // namespace synthema::detail
