#include "synthema/evaluate/fidelity/mean_discrepancy.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

#include "src/evaluate/has_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Numbers = std::vector<double>;
constexpr std::size_t kMedianRows = 1000, kPermutedRows = 1000, kPermutations = 199;
constexpr double kFarthest = 1e100;  // so that no difference of two numbers is infinite

// Rows as columns of numbers (divided by R's deviation) and of label codes; kNone: not a label column.
struct Points {
  std::size_t rows = 0;
  std::vector<Numbers> numbers;
  std::vector<std::vector<std::uint32_t>> labels;  // missing is 0

  // Squared distances of one row to the rows [begin, end) of others.
  void squared(std::size_t row, const Points& others, std::size_t begin, std::size_t end, double* out) const {
    std::fill(out, out + (end - begin), 0.0);
    for (std::size_t c = 0; c < numbers.size(); ++c) {
      const double mine = numbers[c][row];
      const double* theirs = others.numbers[c].data() + begin;
      for (std::size_t i = 0; i < end - begin; ++i) out[i] += (mine - theirs[i]) * (mine - theirs[i]);
    }
    for (std::size_t c = 0; c < labels.size(); ++c) {
      const std::uint32_t mine = labels[c][row];
      const std::uint32_t* theirs = others.labels[c].data() + begin;
      for (std::size_t i = 0; i < end - begin; ++i) out[i] += mine == theirs[i] ? 0.0 : 2.0;
    }
  }
};

struct Encoded {
  Points real, synthetic;
  bool missing = false;
};

// At most `most` rows, drawn by the seed from an order that the contents decide.
Table drawn(const Table& table, const std::vector<std::string>& columns, std::size_t most,
            std::uint64_t seed) {
  if (most == 0 || table.rows() <= most) return table;
  std::vector<std::size_t> order = detail::order_by_content(table, columns);
  Random random = Random(seed).stream(0x6D6D64);
  random.shuffle(order);
  order.resize(most);
  return table.take(order);
}

Numbers scaled(const Column& column, double mean, double deviation) {
  Numbers out;
  out.reserve(column.size());
  for (std::size_t row = 0; row < column.size(); ++row)
    out.push_back(column.is_null(row) || !(deviation > 0) || !std::isfinite(mean)
                      ? 0
                      : std::clamp((column.number_at(row) - mean) / deviation, -kFarthest, kFarthest));
  return out;
}

struct Moments {
  double mean = 0, deviation = 0;
};
Moments moments_of(const Numbers& values) {
  if (values.empty()) return {};
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / n)};
}

// Number of each label in the order of their bytes, from 1; missing is 0.
std::vector<std::uint32_t> codes_of(const Column& column, const std::map<std::string, std::uint32_t>& codes) {
  std::vector<std::uint32_t> out;
  for (std::size_t row = 0; row < column.size(); ++row)
    out.push_back(column.is_null(row) ? 0 : codes.at(detail::category_at(column, row)));
  return out;
}

// Whether rows lack the number, or have `constant`, or another one.
std::vector<std::uint32_t> kinds_of(const Column& column, std::optional<double> constant) {
  std::vector<std::uint32_t> codes;
  for (std::size_t row = 0; row < column.size(); ++row)
    codes.push_back(column.is_null(row) ? 0 : !constant || column.number_at(row) == *constant ? 1 : 2);
  return codes;
}

void add_number(Encoded& out, const Column& real, const Column& synthetic, Convention convention) {
  const Numbers values = detail::numbers_of(real);
  // What is constant in R has no deviation to be measured by (rounding may leave one).
  std::optional<double> constant;
  if (convention == Convention::synthema && !values.empty() &&
      std::ranges::min(values) == std::ranges::max(values))
    constant = values[0];
  const Moments moments = constant                              ? Moments{}
                          : convention == Convention::synthcity ? Moments{0, 1}
                                                                : moments_of(values);
  out.real.numbers.push_back(scaled(real, moments.mean, moments.deviation));
  out.synthetic.numbers.push_back(scaled(synthetic, moments.mean, moments.deviation));
  const bool missing = real.null_count() + synthetic.null_count() > 0;
  if (!missing && !constant) return;
  out.missing = out.missing || missing;
  out.real.labels.push_back(kinds_of(real, constant));
  out.synthetic.labels.push_back(kinds_of(synthetic, constant));
}

void add_labels(Encoded& out, const Column& real, const Column& synthetic, Convention convention) {
  std::map<std::string, std::uint32_t> codes;
  for (const Column* column : {&real, &synthetic})
    for (std::size_t row = 0; row < column->size(); ++row)
      if (!column->is_null(row)) codes.emplace(detail::category_at(*column, row), 0);
  std::uint32_t next = 1;
  for (auto& [label, code] : codes) code = next++;
  std::vector<std::uint32_t> r = codes_of(real, codes), s = codes_of(synthetic, codes);
  if (convention == Convention::synthema) {
    out.real.labels.push_back(std::move(r));
    out.synthetic.labels.push_back(std::move(s));
    return;
  }
  out.missing = out.missing || real.null_count() + synthetic.null_count() > 0;
  const Numbers as_numbers(r.begin(), r.end()), others(s.begin(), s.end());
  const Moments moments = convention == Convention::synthcity ? Moments{0, 1} : moments_of(as_numbers);
  const auto standardised = [&](const Numbers& values) {
    Numbers numbers;
    for (const double value : values)
      numbers.push_back(moments.deviation > 0 ? (value - moments.mean) / moments.deviation : 0);
    return numbers;
  };
  out.real.numbers.push_back(standardised(as_numbers));
  out.synthetic.numbers.push_back(standardised(others));
}

Encoded encode(const Table& real, const Table& synthetic, const std::vector<std::string>& columns,
               Convention convention) {
  Encoded out;
  out.real.rows = real.rows();
  out.synthetic.rows = synthetic.rows();
  for (const std::string& name : columns) {
    const Column &r = real.column(name), &s = synthetic.column(name);
    if (detail::is_number(r.kind()))
      add_number(out, r, s, convention);
    else
      add_labels(out, r, s, convention);
  }
  return out;
}

// Median of the squared distances of different rows of both tables; of the first rows where there are many.
double median_distance(const Encoded& points, bool positive_only) {
  const std::size_t n = std::min(points.real.rows, kMedianRows),
                    m = std::min(points.synthetic.rows, kMedianRows);
  Numbers all, some(std::max(n, m));
  const auto add = [&](const Points& of, std::size_t row, const Points& others, std::size_t begin,
                       std::size_t end) {
    of.squared(row, others, begin, end, some.data());
    for (std::size_t i = 0; i < end - begin; ++i)
      if (!positive_only || some[i] > 0) all.push_back(some[i]);
  };
  for (std::size_t row = 0; row < n; ++row) {
    add(points.real, row, points.real, row + 1, n);
    add(points.real, row, points.synthetic, 0, m);
  }
  for (std::size_t row = 0; row < m; ++row) add(points.synthetic, row, points.synthetic, row + 1, m);
  if (all.empty()) return 0;
  std::sort(all.begin(), all.end());
  return quantile(all, 0.5);
}

// Sum of the kernel over rows of one against rows of the other; rows are added in their order.
double kernel_sum(const Points& a, const Points& b, double factor, const EvaluationContext& context) {
  Numbers by_row(a.rows);
  parallel_for(
      a.rows,
      [&](std::size_t row) {
        context.cancel.check();
        Numbers squared(b.rows);
        a.squared(row, b, 0, b.rows, squared.data());
        double sum = 0;
        for (const double d : squared) sum += std::exp(-factor * d);
        by_row[row] = sum;
      },
      context.threads, 16);
  return std::accumulate(by_row.begin(), by_row.end(), 0.0);
}

struct Discrepancy {
  double unbiased = 0, biased = 0, median = 0;
};

std::optional<Discrepancy> measure(const Encoded& points, Convention convention,
                                   const EvaluationContext& context) {
  Discrepancy out;
  double factor = 1;  // synthcity's, whatever the distances
  if (convention != Convention::synthcity) {
    out.median = median_distance(points, convention == Convention::syntheval);
    if (!(out.median > 0)) out.median = median_distance(points, true);  // most rows are equal
    if (!(out.median > 0)) return std::nullopt;
    factor = 1 / ((convention == Convention::syntheval ? 4 : 2) * out.median);
  }
  const auto n = static_cast<double>(points.real.rows), m = static_cast<double>(points.synthetic.rows);
  const double rr = kernel_sum(points.real, points.real, factor, context),
               ss = kernel_sum(points.synthetic, points.synthetic, factor, context),
               rs = kernel_sum(points.real, points.synthetic, factor, context);
  out.biased = std::max(0.0, rr / (n * n) + ss / (m * m) - 2 * rs / (n * m));
  out.unbiased = (rr - n) / (n * (n - 1)) + (ss - m) / (m * (m - 1)) - 2 * rs / (n * m);
  return out;
}

// Share of random divisions of the first rows of both tables with a biased value as large as theirs.
std::pair<double, std::size_t> permutation_p(const Encoded& points, double median,
                                             const EvaluationContext& context) {
  const std::size_t n = std::min({points.real.rows, points.synthetic.rows, kPermutedRows});
  std::vector<float> kernel(4 * n * n);
  parallel_for(
      2 * n,
      [&](std::size_t i) {
        Numbers squared(n);
        for (std::size_t half = 0; half < 2; ++half) {
          const Points& mine = i < n ? points.real : points.synthetic;
          mine.squared(i % n, half == 0 ? points.real : points.synthetic, 0, n, squared.data());
          for (std::size_t j = 0; j < n; ++j)
            kernel[i * 2 * n + half * n + j] = static_cast<float>(std::exp(-squared[j] / (2 * median)));
        }
      },
      context.threads, 16);
  // s' K s of a division s of -1 and 1, n of each, is n^2 times the biased value.
  const auto value = [&](const std::vector<float>& signs) {
    double sum = 0;
    for (std::size_t i = 0; i < 2 * n; ++i) {
      float row = 0;
      const float* k = kernel.data() + i * 2 * n;
      for (std::size_t j = 0; j < 2 * n; ++j) row += k[j] * signs[j];
      sum += static_cast<double>(row) * static_cast<double>(signs[i]);
    }
    return sum;
  };
  std::vector<float> signs(2 * n, 1.0F);
  std::fill(signs.begin() + static_cast<std::ptrdiff_t>(n), signs.end(), -1.0F);
  const double observed = value(signs);
  std::vector<char> larger(kPermutations);
  const Random base = Random(context.seed).stream(0x7065726D);
  parallel_for(
      kPermutations,
      [&](std::size_t p) {
        context.cancel.check();
        std::vector<float> shuffled = signs;
        Random random = base.stream(p);
        random.shuffle(shuffled);
        larger[p] = value(shuffled) >= observed ? 1 : 0;
      },
      context.threads);
  const auto as_large = static_cast<double>(std::count(larger.begin(), larger.end(), 1));
  return {(as_large + 1) / (kPermutations + 1.0), n};
}

struct Result {
  std::optional<Discrepancy> found;
  std::optional<double> unbiased_ceiling, biased_ceiling, unbiased_floor, biased_floor;
  double p = 1;
  std::size_t permuted = 0, real_rows = 0, synthetic_rows = 0;
  bool missing = false;
};

Result compute(const Table& real, const Table& synthetic, const std::vector<std::string>& columns,
               Convention convention, std::size_t most, const EvaluationContext& context) {
  Result out;
  // In an order of their contents, so that the rows of the median and of the p-value are the same ones.
  const auto prepared = [&](const Table& table) {
    const Table some = drawn(table, columns, most, context.seed);
    std::vector<std::size_t> order = detail::order_by_content(some, columns);
    Random random = Random(context.seed).stream(0x6F72646572);
    random.shuffle(order);
    return some.take(order);
  };
  const Table r = prepared(real), s = prepared(synthetic);
  const Encoded points = encode(r, s, columns, convention);
  out.missing = points.missing;
  out.real_rows = r.rows();
  out.synthetic_rows = s.rows();
  const bool library = convention != Convention::synthema;
  if (library && points.missing) return out;
  out.found = measure(points, convention, context);
  if (!out.found || library) return out;
  std::tie(out.p, out.permuted) = permutation_p(points, out.found->median, context);
  if (context.holdout && context.holdout->rows() > 1 &&
      detail::has_columns(*context.holdout, real, columns)) {
    const Table h = prepared(*context.holdout);
    if (const auto fresh = measure(encode(r, h, columns, convention), convention, context))
      out.unbiased_ceiling = fresh->unbiased, out.biased_ceiling = fresh->biased;
  }
  const Table loose = prepared(detail::independent_marginals(real, context.seed));
  if (const auto none = measure(encode(r, loose, columns, convention), convention, context))
    out.unbiased_floor = none->unbiased, out.biased_floor = none->biased;
  return out;
}

}  // namespace

MeanDiscrepancy::MeanDiscrepancy(bool biased, Convention convention, std::size_t rows)
    : biased_(biased),
      convention_(require_convention(convention, std::span(kConventions).first(biased ? 3 : 2), name())),
      rows_(rows) {}

Score MeanDiscrepancy::evaluate(const Table* real, const Table& synthetic,
                                const EvaluationContext& context) const {
  Score score =
      start_score(*this, "Squared distance of the mean embeddings of both tables.",
                  message("MMD^2, ", biased_ ? "biased" : "unbiased", ", Gaussian kernel, ",
                          convention_ == Convention::synthcity ? "raw columns, scale 1" : "median heuristic",
                          " (Gretton et al. 2012)"));
  score.convention = std::string(name_of(convention_));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (real->rows() < 2 || synthetic.rows() < 2)
    return undefined(std::move(score), "Each table needs two rows.");
  const std::vector<std::string> columns = detail::shared_columns(*real, synthetic);
  if (columns.empty()) return undefined(std::move(score), "The tables share no column to compare.");
  const auto make = [&] {
    return std::make_shared<Result>(compute(*real, synthetic, columns, convention_, rows_, context));
  };
  const std::shared_ptr<Result> result =
      context.shared ? context.shared->get<Result>(
                           message("mean discrepancy ", real, " ", &synthetic, " ", context.holdout.get(),
                                   " ", context.seed, " ", rows_, " ", name_of(convention_)),
                           make)
                     : make();
  if (convention_ != Convention::synthema && result->missing)
    return undefined(std::move(score), "The convention knows no missing values.");
  if (!result->found) return undefined(std::move(score), "All rows of both tables are equal.");
  score.value = biased_ ? result->found->biased : result->found->unbiased;
  score.n = result->real_rows + result->synthetic_rows;
  score.no_interval =
      "Where both distributions agree the estimate is a degenerate statistic, for which neither a normal nor "
      "a bootstrap interval is valid.";
  if (convention_ != Convention::synthcity)
    score.parts.push_back({"median squared distance", result->found->median, score.n, "the kernel's scale"});
  if (convention_ == Convention::synthema)
    score.parts.push_back({"permutation p-value", result->p, 2 * result->permuted,
                           message(kPermutations, " divisions of the biased value")});
  if (rows_ > 0 && std::max(real->rows(), synthetic.rows()) > rows_)
    score.warnings.push_back(message("Of tables with more than ", rows_,
                                     " rows that many were drawn by the "
                                     "seed, since all pairs are measured."));
  if (const auto& ceiling = biased_ ? result->biased_ceiling : result->unbiased_ceiling)
    score.ceiling = Bound{*ceiling, message("holdout, ", counted(context.holdout->rows(), "real row"))};
  else if (!biased_)
    score.ceiling = Bound{0, "theory: rows of one distribution, on average"};
  if (const auto& floor = biased_ ? result->biased_floor : result->unbiased_floor)
    score.floor = Bound{*floor, "the real columns, each shuffled apart"};
  return score;
}

}  // namespace synthema
