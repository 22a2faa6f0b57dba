// GaussianCopula::from_statistics: marginals from published numbers, correlations made normal ones.
#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <map>
#include <numeric>

#include "src/generate/tabular/normal_box.hpp"
#include "src/generate/tabular/number_parts.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "src/generate/tabular/score_correlation.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"

namespace synthema {

namespace {

using Share = std::function<double(double)>;  // share of the values below a number

using detail::kInfinity;
constexpr double kQuartile = 0.6744897501960817;  // normal score of the third quartile
constexpr std::uint32_t kWhole = 1U << 24;        // rows that shares are told in
constexpr std::size_t kMostPoints = 4096;         // of a grid that is listed whole

// --- distributions of numbers

// Regularised lower incomplete gamma function P(a, x): the series below a + 1, Lentz's continued fraction
// above (Abramowitz and Stegun 6.5.29 and 6.5.31).
double gamma_share(double a, double x) {
  if (!(x > 0)) return 0;
  const double scale = std::exp(a * std::log(x) - x - std::lgamma(a));
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (double n = a + 1; term > sum * 1e-16; ++n) sum += term *= x / n;
    return std::min(1.0, scale * sum);
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, fraction = d;
  for (int i = 1; i < 10'000; ++i) {
    const double an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    fraction *= c * d;
    if (std::abs(c * d - 1) < 1e-15) break;
  }
  return std::max(0.0, 1 - scale * fraction);
}

// Regularised incomplete beta function, by Lentz's continued fraction (Abramowitz and Stegun 26.5.8).
double beta_share(double a, double b, double x) {
  if (!(x > 0)) return 0;
  if (!(x < 1)) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - beta_share(b, a, 1 - x);
  const double scale =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x)) /
      a;
  double c = 1, d = 1 / (1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m < 10'000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    fraction *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    fraction *= c * d;
    if (std::abs(c * d - 1) < 1e-15) break;
  }
  return std::min(1.0, scale * fraction);
}

// With this mean and sd: beta within a range, gamma above or below a bound, normal without one.
Share by_moments(double mean, double sd, double low, double high) {
  if (!(sd > 0)) return [mean](double x) { return x < mean ? 0.0 : 1.0; };
  if (std::isfinite(low) && std::isfinite(high)) {
    const double m = (mean - low) / (high - low), v = sd / (high - low);
    const double both = std::max(m * (1 - m) / (v * v) - 1, 1e-6);  // an sd rounded up: the two ends alone
    return [=](double x) { return beta_share(m * both, (1 - m) * both, (x - low) / (high - low)); };
  }
  if (std::isfinite(low) && mean > low) {
    const double shape = (mean - low) * (mean - low) / (sd * sd), scale = sd * sd / (mean - low);
    return [=](double x) { return gamma_share(shape, (x - low) / scale); };
  }
  if (std::isfinite(high) && mean < high) {
    const double shape = (high - mean) * (high - mean) / (sd * sd), scale = sd * sd / (high - mean);
    return [=](double x) { return 1 - gamma_share(shape, (high - x) / scale); };
  }
  return [=](double x) { return normal_share((x - mean) / sd); };
}

// The shifted log-normal distribution with these quartiles; normal where they lie evenly.
Share by_quartiles(double q1, double median, double q3) {
  const double down = median - q1, up = q3 - median;
  if (!(down > 0) || !(up > 0)) {  // a step at the median: linear on its other side
    return [=](double x) {
      if (x < q1) return 0.0;
      if (x >= q3) return up > 0 ? std::min(1.0, 0.75 + 0.25 * (x - q3) / (2 * up)) : 1.0;
      if (x < median) return 0.25 + 0.25 * (x - q1) / down;
      return up > 0 ? 0.5 + 0.25 * (x - median) / up : 0.75;
    };
  }
  const double ratio = up / down;
  if (std::abs(ratio - 1) < 1e-6) {
    const double sd = (q3 - q1) / (2 * kQuartile);
    return [=](double x) { return normal_share((x - median) / sd); };
  }
  // x = shift + scale exp(s z), scale negative where the longer tail is below.
  const double s = std::log(ratio) / kQuartile, scale = up / (ratio - 1), shift = median - scale;
  return [=](double x) {
    const double y = (x - shift) / scale;
    if (!(y > 0)) return scale > 0 ? 0.0 : 1.0;
    return normal_share(std::log(y) / s);
  };
}

// The number with this share below it, where the share is not told by a bound.
double quantile(const Share& share, double wanted, double from, double unit) {
  double low = from, high = from, step = unit;
  while (share(low) > wanted) low -= step *= 2;
  step = unit;
  while (share(high) < wanted) high += step *= 2;
  for (int i = 0; i < 200 && high - low > 1e-12 * std::max(1.0, std::abs(low)); ++i) {
    const double middle = std::midpoint(low, high);
    (share(middle) < wanted ? low : high) = middle;
  }
  return high;
}

struct Marginal {
  ColumnCoding coding;
  OwnedCounts counts;
};

// Cumulative shares as counts; codes of no count are left out.
OwnedCounts counts_of(std::span<const double> cumulative) {
  OwnedCounts out;
  std::uint32_t before = 0;
  for (std::size_t code = 0; code < cumulative.size(); ++code) {
    const auto with =
        static_cast<std::uint32_t>(std::nearbyint(std::clamp(cumulative[code], 0.0, 1.0) * kWhole));
    if (with <= before) continue;
    out.codes.push_back(static_cast<std::uint32_t>(code));
    out.cumulative.push_back(before = with);
  }
  return out;
}

Marginal number_marginal(const Field& field, const ColumnStatistics& of) {
  const double low = field.minimum.value_or(-kInfinity), high = field.maximum.value_or(kInfinity);
  const double middle = of.mean ? *of.mean : *of.median;
  const double spread = of.sd ? *of.sd : (*of.q3 - *of.q1) / (2 * kQuartile);
  const Share share = of.mean ? by_moments(middle, spread, low, high) : by_quartiles(*of.q1, middle, *of.q3);
  std::uint32_t decimals = 0;
  if (field.kind == Kind::real)
    decimals = field.decimals.value_or(
        static_cast<std::uint32_t>(std::clamp(2 - std::floor(std::log10(std::max(spread, 1e-7))), 0.0, 9.0)));
  const double power = std::pow(10.0, decimals), unit = std::max(spread, 1 / power);
  const double from = std::isfinite(low) ? low : quantile(share, 1e-6, middle, unit);
  const double to = std::isfinite(high) ? high : quantile(share, 1 - 1e-6, middle, unit);
  Marginal out;
  ColumnCoding& coding = out.coding;
  coding.form = CodingForm::number;
  coding.grid = true;
  coding.decimals = decimals;
  const double first = std::ceil(from * power - 1e-9), last = std::max(first, std::floor(to * power + 1e-9));
  if (!(std::abs(first) < 9e15 && std::abs(last) < 9e15))
    throw SchemaError({.field = field.name},
                      "The numbers are too large for their decimals; give fewer decimals.");
  coding.origin = static_cast<std::int64_t>(first);
  const double steps = last - first;
  const bool whole = steps < kMostPoints;
  const std::size_t points = whole ? static_cast<std::size_t>(steps) + 1 : kMostPoints / 2;
  std::vector<double> cumulative;
  for (std::size_t i = 0; i < points; ++i) {
    // All points of the grid, or points of equal shares with what lies between them to fill.
    double x = static_cast<double>(i);
    if (!whole) {
      const double wanted = (static_cast<double>(i) + 0.5) / static_cast<double>(points);
      x = std::nearbyint(std::clamp(quantile(share, wanted, middle, unit), from, to) * power) - first;
      x = std::clamp(x, 0.0, steps);
      if (!coding.values.empty() && x <= coding.values.back()) {
        cumulative.back() = (static_cast<double>(i) + 1) / static_cast<double>(points);
        continue;
      }
    }
    coding.values.push_back(x);
    cumulative.push_back(whole ? share((first + x + 0.5) / power)
                               : (static_cast<double>(i) + 1) / static_cast<double>(points));
  }
  cumulative.back() = 1;
  coding.interval = !whole;
  const Protection protection = whole ? Protection::none : Protection::rare;
  coding.protection.assign(coding.values.size(), protection);
  detail::cut_between_all(coding);
  coding.part_bins.assign(coding.values.size(), 0);
  coding.part_classes.assign(coding.values.size(), 0);
  coding.bins = 2;
  out.counts = counts_of(cumulative);
  return out;
}

Marginal label_marginal(const Field& field, const ColumnStatistics& of) {
  Marginal out;
  ColumnCoding& coding = out.coding;
  coding.form = CodingForm::category;
  coding.labels = field.kind == Kind::boolean ? std::vector<std::string>{"false", "true"} : field.categories;
  coding.label_bins.assign(coding.labels.size(), 0);
  coding.label_classes.assign(coding.labels.size(), 0);
  coding.bins = coding.classes = 3;
  std::vector<double> cumulative;
  double sum = 0;
  for (const double share : of.shares) cumulative.push_back((sum += share) * (1 - of.missing));
  cumulative.back() = 1 - of.missing;
  if (of.missing > 0) cumulative.push_back(1);
  out.counts = counts_of(cumulative);
  return out;
}

// --- correlations

// Of the values of a column; a missing label counts as their mean.
std::vector<double> coefficients_of(const ColumnCoding& coding, const OwnedCounts& counts) {
  std::vector<double> values, cumulative;
  const double total = counts.cumulative.back();
  double below = 0, sum = 0, present = 0;
  for (std::size_t i = 0; i < counts.codes.size(); ++i) {
    const std::uint32_t code = counts.codes[i];
    const double share = counts.cumulative[i] / total - below;
    below = counts.cumulative[i] / total;
    cumulative.push_back(below);
    values.push_back(code >= coding.codes() ? 0
                     : coding.is_category() ? static_cast<double>(code)
                                            : coding.number(coding.values[code]));
    if (code >= coding.codes()) continue;
    sum += share * values.back();
    present += share;
  }
  if (counts.codes.back() >= coding.codes()) values.back() = sum / present;
  return detail::hermite_coefficients(values, cumulative);
}

double normal_correlation(const PublishedCorrelation& wanted, std::span<const double> a,
                          std::span<const double> b) {
  const double least = detail::column_correlation(a, b, -detail::kMostCorrelated),
               most = detail::column_correlation(a, b, detail::kMostCorrelated);
  constexpr double kTolerance = 0.02;  // what rounding in print and the terms that are left out may make
  if (wanted.value < least - kTolerance || wanted.value > most + kTolerance)
    throw SchemaError({.field = wanted.first},
                      message("Its correlation with '", wanted.second, "' is given as ", wanted.value,
                              ", but columns of these means, spreads and shares have one between ", least,
                              " and ", most, "."));
  return detail::score_correlation(a, b, wanted.value);
}

// --- groups of which one member is set (gaussian_copula.hpp)

constexpr double kFollows = 1 - 1e-6;  // set wherever none before it is: it follows

bool has_share(const PublishedStatistics& of, std::size_t column) {
  return of.schema.fields[column].kind == Kind::boolean && of.columns[column].missing == 0;
}

// Of each member, in the order of drawing: the share in which it is set where none before it is.
std::vector<double> continuation_ratios(const PublishedStatistics& of, std::span<const std::size_t> group) {
  std::vector<double> out;
  double left = 1;
  for (const std::size_t column : group) {
    const double share = of.columns[column].shares.back();
    out.push_back(left > 0 ? std::clamp(share / left, 0.0, 1.0) : 0.0);
    left -= share;
  }
  return out;
}

// Correlations of other columns with members as they are where none before is set, for those that were
// published, which are taken out. With s_k member k, q_k its ratio and cov' covariances in such rows, of a
// column that is linear in the independent scores of the members,
//   cov(x, s_k) = prod_{j<k} (1 - q_j) (cov'_k - q_k sum_{j<k} cov'_j / (1 - q_j)).
std::vector<PublishedCorrelation> continued(const Schema& schema, std::span<const std::size_t> group,
                                            std::span<const double> ratios,
                                            std::vector<PublishedCorrelation>& published) {
  const auto place = [&](const std::string& name) {
    return static_cast<std::size_t>(
        std::ranges::find(group, static_cast<std::size_t>(&schema.at(name) - schema.fields.data())) -
        group.begin());
  };
  std::map<std::string, std::vector<double>> by_other;
  std::erase_if(published, [&](const PublishedCorrelation& pair) {
    const std::size_t first = place(pair.first), second = place(pair.second);
    if (first == group.size() && second == group.size()) return false;
    if (first < group.size() && second < group.size()) return true;  // follows from the shares
    std::vector<double>& values = by_other[first < group.size() ? pair.second : pair.first];
    values.resize(group.size());
    values[std::min(first, second)] = pair.value;
    return true;
  });
  std::vector<PublishedCorrelation> out;
  for (const auto& [other, values] : by_other) {
    double left = 1, before = 0;  // share of rows in which none is set; the sum of the formula
    for (std::size_t k = 0; k < group.size() && left > 0; ++k) {
      const double ratio = ratios[k], share = ratio * left, spread = std::sqrt(ratio * (1 - ratio));
      const double own = values[k] * std::sqrt(share * (1 - share)) / left + ratio * before;
      if (ratio > kFollows) break;
      if (!(spread > 1e-6)) continue;
      out.push_back({other, schema.fields[group[k]].name, std::clamp(own / spread, -1.0, 1.0)});
      before += own / (1 - ratio);
      left *= 1 - ratio;
    }
  }
  return out;
}

}  // namespace

GaussianCopula GaussianCopula::from_statistics(const PublishedStatistics& of, GaussianCopulaOptions options) {
  of.check();
  GaussianCopula out(options);
  out.coded_.schema = of.schema;
  std::vector<OwnedCounts> counts;
  std::vector<std::vector<double>> coefficients;
  for (std::size_t c = 0; c < of.columns.size(); ++c) {
    const Field& field = of.schema.fields[c];
    const bool number = field.kind == Kind::real || field.kind == Kind::integer;
    Marginal marginal = number ? number_marginal(field, of.columns[c]) : label_marginal(field, of.columns[c]);
    marginal.coding.field = field;
    marginal.coding.missing = of.columns[c].missing > 0;
    coefficients.push_back(coefficients_of(marginal.coding, marginal.counts));
    if (number && marginal.coding.missing) {
      // variables_of takes the missing rows off again.
      const double present = 1 - of.columns[c].missing;
      for (std::uint32_t& with : marginal.counts.cumulative)
        with = static_cast<std::uint32_t>(std::nearbyint(with * present));
      marginal.counts.codes.push_back(marginal.coding.missing_code());
      marginal.counts.cumulative.push_back(kWhole);
    }
    counts.push_back(std::move(marginal.counts));
    out.coded_.columns.push_back(std::move(marginal.coding));
  }
  out.rules_ = RowRules(out.coded_.schema, out.coded_.columns);
  std::vector<PublishedCorrelation> correlations = of.correlations, derived;
  const std::vector<std::size_t> order = detail::modelled_order(out.rules_, out.coded_.columns);
  for (std::vector<std::size_t> group : out.rules_.exclusive()) {
    std::ranges::sort(group, {}, [&](std::size_t c) { return std::ranges::find(order, c); });
    if (std::ranges::any_of(group, [&](std::size_t c) { return !has_share(of, c); })) continue;
    const std::vector<double> ratios = continuation_ratios(of, group);
    std::ranges::move(continued(of.schema, group, ratios, correlations), std::back_inserter(derived));
    for (std::size_t k = 0; k < group.size(); ++k) {
      if (ratios[k] > kFollows) continue;
      counts[group[k]] = counts_of(std::vector<double>{1 - ratios[k], 1.0});
      coefficients[group[k]] = coefficients_of(out.coded_.columns[group[k]], counts[group[k]]);
    }
  }
  out.variables_ = variables_of(out.coded_, out.rules_, counts);
  const auto p = static_cast<Eigen::Index>(out.variables_.size());
  detail::Matrix raw = detail::Matrix::Identity(p, p);
  const auto place = [&](const std::string& name) {
    const auto column = static_cast<std::size_t>(&of.schema.at(name) - of.schema.fields.data());
    const auto at = std::ranges::find_if(out.variables_,
                                         [&](const Variable& v) { return v.column == column && !v.missing; });
    return static_cast<Eigen::Index>(at - out.variables_.begin());
  };
  for (const PublishedCorrelation& pair : correlations) {
    const Eigen::Index i = place(pair.first), j = place(pair.second);
    const auto& a = coefficients[out.variables_[static_cast<std::size_t>(i)].column];
    const auto& b = coefficients[out.variables_[static_cast<std::size_t>(j)].column];
    raw(i, j) = raw(j, i) = normal_correlation(pair, a, b);
  }
  for (const PublishedCorrelation& pair : derived) {
    const Eigen::Index i = place(pair.first), j = place(pair.second);
    raw(i, j) = raw(j, i) = detail::score_correlation(
        coefficients[out.variables_[static_cast<std::size_t>(i)].column],
        coefficients[out.variables_[static_cast<std::size_t>(j)].column], pair.value);
  }
  const detail::Matrix found = detail::nearest_correlation(raw);
  Eigen::Index i = 0, j = 0;
  constexpr double kRounding = 0.05;
  if ((found - raw).cwiseAbs().maxCoeff(&i, &j) > kRounding)
    throw SchemaError(
        {.field = of.schema.fields[out.variables_[static_cast<std::size_t>(i)].column].name},
        message("The correlations contradict each other: no columns have them all. The nearest "
                "that can be have ",
                found(i, j), " instead of ", raw(i, j), " between this column and '",
                of.schema.fields[out.variables_[static_cast<std::size_t>(j)].column].name, "'."));
  out.correlations_.assign(found.data(), found.data() + found.size());
  return out;
}

}  // namespace synthema
