#include "synthema/evaluate/fidelity/column_shapes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <span>

#include "src/evaluate/cells.hpp"
#include "src/evaluate/label_counts.hpp"
#include "src/evaluate/library_columns.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/mean.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/distance.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Outcome = std::optional<double>;
using detail::Frequencies;
using detail::label_counts;
// Of missing values where they count as a category; UTF-8 has no such byte.
constexpr const char* kMissing = "\xff";

double sum_of(const Frequencies& counts) {
  double sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

double total_variation(Frequencies real, const Frequencies& synthetic, Convention convention) {
  if (convention == Convention::sdmetrics)
    for (const auto& [name, count] : synthetic) real.try_emplace(name, 1e-6);
  Frequencies difference;
  const double n = sum_of(real), m = sum_of(synthetic);
  for (const auto& [name, count] : real) difference[name] += count / n;
  for (const auto& [name, count] : synthetic) difference[name] -= count / m;
  double sum = 0;
  for (const auto& [name, d] : difference) sum += std::abs(d);
  return sum / 2;
}

Outcome shape(const Column& real, const Column& synthetic, Convention convention) {
  if (detail::is_category(real.kind())) {
    const Frequencies r = label_counts(real), s = label_counts(synthetic);
    if (r.empty() || s.empty()) return std::nullopt;
    return 1 - total_variation(r, s, convention);
  }
  std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  if (convention == Convention::sdmetrics)
    for (auto* values : {&r, &s})
      for (double& value : *values)
        if (std::abs(value) < 1e15) value = std::nearbyint(value * 1e14) / 1e14;
  return 1 - ks_distance(std::move(r), std::move(s));
}

Outcome missing(const Column& real, const Column& synthetic, Convention) {
  if (real.size() == 0 || synthetic.size() == 0) return std::nullopt;
  const auto share = [](const Column& c) {
    return static_cast<double>(c.null_count()) / static_cast<double>(c.size());
  };
  return 1 - std::abs(share(real) - share(synthetic));
}

Outcome boundary_adherence(const Column& real, const Column& synthetic, Convention convention) {
  const std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  // SDMetrics: a missing synthetic value is out of bounds if the real column has none.
  const bool missing_fail = convention == Convention::sdmetrics && real.null_count() == 0;
  const std::size_t n = missing_fail ? synthetic.size() : s.size();
  if (r.empty() || n == 0) return std::nullopt;
  const auto range = std::minmax_element(r.begin(), r.end());
  const double low = *range.first, high = *range.second;
  const auto inside = std::count_if(s.begin(), s.end(), [&](double v) { return v >= low && v <= high; });
  return static_cast<double>(inside) / static_cast<double>(n);
}

Outcome range_coverage(const Column& real, const Column& synthetic, Convention) {
  const std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  const auto [r_low, r_high] = std::minmax_element(r.begin(), r.end());
  const auto [s_low, s_high] = std::minmax_element(s.begin(), s.end());
  const double width = *r_high - *r_low;
  if (!(width > 0)) return std::nullopt;
  const double below = std::max(0.0, (*s_low - *r_low) / width);
  const double above = std::max(0.0, (*r_high - *s_high) / width);
  return std::max(0.0, 1 - (below + above));
}

Outcome category_coverage(const Column& real, const Column& synthetic, Convention) {
  const Frequencies r = label_counts(real), s = label_counts(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  const auto seen = std::count_if(r.begin(), r.end(), [&](const auto& e) { return s.contains(e.first); });
  return static_cast<double>(seen) / static_cast<double>(r.size());
}

Outcome category_adherence(const Column& real, const Column& synthetic, Convention) {
  const Frequencies r = label_counts(real), s = label_counts(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  double inside = 0;
  for (const auto& [name, count] : s)
    if (r.contains(name)) inside += count;
  return inside / sum_of(s);
}

constexpr std::size_t kTenths = 10;

std::vector<double> bounds_of_tenths(const Column& real) {
  std::vector<double> values = detail::numbers_of(real), out;
  std::sort(values.begin(), values.end());
  for (std::size_t i = 1; i < kTenths; ++i) out.push_back(quantile(values, static_cast<double>(i) / kTenths));
  return out;
}

std::vector<double> shares_of_tenths(std::span<const double> values, std::span<const double> bounds) {
  std::vector<double> out(kTenths);
  for (const double value : values)
    out[static_cast<std::size_t>(std::upper_bound(bounds.begin(), bounds.end(), value) - bounds.begin())] +=
        1 / static_cast<double>(values.size());
  return out;
}

Outcome quantile_mse(const Column& real, const Column& synthetic, Convention) {
  const std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  const std::vector<double> bounds = bounds_of_tenths(real);
  const std::vector<double> of_r = shares_of_tenths(r, bounds), of_s = shares_of_tenths(s, bounds);
  double sum = 0;
  for (std::size_t i = 0; i < kTenths; ++i) sum += (of_r[i] - of_s[i]) * (of_r[i] - of_s[i]);
  return sum / kTenths;
}

// All synthetic values in the tenth that has the fewest real ones: frequent values can leave one without any.
Outcome largest_quantile_mse(const Column& real) {
  const std::vector<double> shares = shares_of_tenths(detail::numbers_of(real), bounds_of_tenths(real));
  double squares = 0;
  for (const double share : shares) squares += share * share;
  return (squares + 1 - 2 * *std::ranges::min_element(shares)) / kTenths;
}

Outcome wasserstein(const Column& real, const Column& synthetic, Convention) {
  const std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  const auto range = std::minmax_element(r.begin(), r.end());
  const double width = *range.second - *range.first;
  if (!(width > 0)) return std::nullopt;
  return wasserstein_distance(r, s) / width;
}

// Shares of the cells of both columns, without missing values; nothing if a column has none.
struct Shares {
  std::vector<double> real, synthetic;
};
std::optional<Shares> shares_of(const Column& real, const Column& synthetic, double added) {
  const detail::ColumnCells cells({&real}, {});
  const auto of = [&](const Column& column) {
    std::vector<double> counts(cells.count(), added);
    for (const std::uint8_t cell : cells.of(column)) ++counts[cell];
    counts.erase(counts.begin());  // the first cell is missing
    const double sum = std::accumulate(counts.begin(), counts.end(), 0.0);
    for (double& count : counts) count /= sum;
    return counts;
  };
  if (detail::is_empty(real) || detail::is_empty(synthetic)) return std::nullopt;
  return Shares{of(real), of(synthetic)};
}

double divergence(const std::vector<double>& p, const std::vector<double>& q) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0) sum += p[i] * std::log(p[i] / q[i]);
  return std::max(0.0, sum);
}

// Lin, "Divergence measures based on the Shannon entropy", 1991; the square root of the divergence in bits.
Outcome jensen_shannon(const Column& real, const Column& synthetic, Convention) {
  const auto shares = shares_of(real, synthetic, 0);
  if (!shares) return std::nullopt;
  std::vector<double> mean;
  for (std::size_t i = 0; i < shares->real.size(); ++i)
    mean.push_back((shares->real[i] + shares->synthetic[i]) / 2);
  const double nats = (divergence(shares->real, mean) + divergence(shares->synthetic, mean)) / 2;
  return std::sqrt(std::min(1.0, nats / std::numbers::ln2));
}

constexpr double kAddedToCells = 0.5;  // Jeffreys; keeps the divergence of an empty cell finite

Outcome kl_of_synthetic(const Column& real, const Column& synthetic, Convention) {
  const auto shares = shares_of(real, synthetic, kAddedToCells);
  return shares ? Outcome(divergence(shares->synthetic, shares->real)) : std::nullopt;
}
Outcome kl_of_real(const Column& real, const Column& synthetic, Convention) {
  const auto shares = shares_of(real, synthetic, kAddedToCells);
  return shares ? Outcome(divergence(shares->real, shares->synthetic)) : std::nullopt;
}

// p-value of the chi-square test that both tables are samples of one distribution. SDMetrics: of the
// synthetic frequencies as if they were counts, against the real ones as expectations, None a category.
Outcome chi_square(const Column& real, const Column& synthetic, Convention convention) {
  Frequencies r = label_counts(real), s = label_counts(synthetic);
  if (convention == Convention::sdmetrics)
    for (auto [counts, column] : {std::pair{&r, &real}, std::pair{&s, &synthetic}})
      if (column->null_count() > 0) (*counts)[kMissing] = static_cast<double>(column->null_count());
  if (r.empty() || s.empty()) return std::nullopt;
  if (convention == Convention::sdmetrics)
    for (const auto& [name, count] : s) r.try_emplace(name, 1e-6);
  Frequencies both = r;
  for (const auto& [name, count] : s) both[name] += count;
  if (both.size() < 2) return 1.0;
  const double n = sum_of(r), m = sum_of(s);
  double statistic = 0;
  for (const auto& [name, count] : both) {
    const double a = r.contains(name) ? r.at(name) : 0, b = s.contains(name) ? s.at(name) : 0;
    if (convention == Convention::sdmetrics)
      statistic += (b / m - a / n) * (b / m - a / n) / (a / n);
    else
      statistic += std::pow(std::sqrt(m / n) * a - std::sqrt(n / m) * b, 2) / (a + b);
  }
  return detail::upper_gamma(static_cast<double>(both.size() - 1) / 2, statistic / 2);
}

double median_of(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return quantile(sorted, 0.5);
}
double deviation_of(std::span<const double> values) {
  const double mean = mean_of(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return values.size() < 2 ? 0 : std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// Of a statistic that moves and grows with its values. These are first taken as places in the real range:
// the squares of 1e-300 are none, those of 1e300 infinite, and sums of large whole numbers lose their ends.
template <double (*statistic)(std::span<const double>)>
Outcome statistic_similarity(const Column& real, const Column& synthetic, Convention) {
  std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  if (r.empty() || s.empty()) return std::nullopt;
  const auto [low, high] = std::minmax_element(r.begin(), r.end());
  const double lowest = *low, width = *high - *low;
  if (!(width > 0)) return std::nullopt;
  for (std::vector<double>* values : {&r, &s})
    for (double& value : *values) value = (value - lowest) / width;
  return std::max(0.0, 1 - std::abs(statistic(r) - statistic(s)));
}

constexpr Range kShare{0, 1}, kPositive{0, std::numeric_limits<double>::infinity()};

using Worst = Outcome (*)(const Column& real);
constexpr Worst kUnbounded = nullptr;
template <int value>
Outcome always(const Column&) {
  return value;
}

struct Measure {
  std::string_view name, estimand, definition;
  bool numbers, categories;
  Outcome (*of)(const Column&, const Column&, Convention);
  Direction direction = Direction::higher;
  Range range = kShare;
  Worst worst = always<0>;  // of a column that has values in the real table and none in the synthetic one
};

// By ColumnMeasure.
constexpr Measure kMeasures[] = {
    {"column_shapes", "Mean over columns of how alike the distributions of one column are.",
     "numbers 1 - KS distance, categories 1 - total variation distance", true, true, shape},
    {"missing_value_similarity", "Mean over columns of how alike the shares of missing values are.",
     "1 - |share missing in real - in synthetic|", true, true, missing},
    {"boundary_adherence", "Mean over numeric columns of the share of values within the real extremes.",
     "share of synthetic values in [min real, max real]", true, false, boundary_adherence},
    {"range_coverage", "Mean over numeric columns of how much of the real range is reached.",
     "max(0, 1 - uncovered ends / real range)", true, false, range_coverage},
    {"category_coverage", "Mean over category columns of the share of real categories that occur.",
     "real categories seen in synthetic / real categories", false, true, category_coverage},
    {"category_adherence", "Mean over category columns of the share of rows with a real category.",
     "synthetic rows whose category is real / synthetic rows", false, true, category_adherence},
    {"quantile_mse",
     "Mean over numeric columns of the mean squared difference of shares between the real deciles.",
     "mean of (share synthetic - share real)^2 in ten cells", true, false, quantile_mse, Direction::lower,
     kShare, largest_quantile_mse},
    {"wasserstein", "Mean over numeric columns of the area between the distributions, in real ranges.",
     "Wasserstein-1 / (max real - min real)", true, false, wasserstein, Direction::lower, kPositive,
     kUnbounded},
    {"jensen_shannon", "Mean over columns of the Jensen-Shannon distance of their cells.",
     "square root of the divergence in bits; 10 quantile bins, 10 most frequent labels", true, true,
     jensen_shannon, Direction::lower, kShare, always<1>},
    {"kl_synthetic_to_real", "Mean over columns of the divergence of synthetic from real cells, in nats.",
     "sum of S ln(S / R), 0.5 added to every cell: what is invented", true, true, kl_of_synthetic,
     Direction::lower, kPositive, kUnbounded},
    {"kl_real_to_synthetic", "Mean over columns of the divergence of real from synthetic cells, in nats.",
     "sum of R ln(R / S), 0.5 added to every cell: what is missed", true, true, kl_of_real, Direction::lower,
     kPositive, kUnbounded},
    {"chi_square", "Mean over category columns of the p-value that both tables have one distribution.",
     "chi-square test of two samples", false, true, chi_square},
    {"mean_similarity", "Mean over numeric columns of how alike the means are.",
     "max(0, 1 - |difference| / real range)", true, false, statistic_similarity<mean_of>},
    {"median_similarity", "Mean over numeric columns of how alike the medians are.",
     "max(0, 1 - |difference| / real range)", true, false, statistic_similarity<median_of>},
    {"deviation_similarity", "Mean over numeric columns of how alike the standard deviations are.",
     "max(0, 1 - |difference| / real range)", true, false, statistic_similarity<deviation_of>}};

template <std::optional<double> (*of)(const Column&, const Column&)>
Outcome as_there(const Column& real, const Column& synthetic, Convention) {
  return of(real, synthetic);
}

// Measures of which a library's have another definition, of other columns or the other way round.
struct LibraryMeasure {
  ColumnMeasure measure;
  Convention convention;
  Measure as;
};
constexpr LibraryMeasure kLibraryMeasures[] = {
    {ColumnMeasure::kl_real_to_synthetic,
     Convention::synthcity,
     {"kl_real_to_synthetic", "Mean over columns of the inverse divergence of real from synthetic shares.",
      "1 / (1 + sum of R ln(R / S) - R + S), of ten equal cells or the sorted shares of few values", true,
      true, as_there<detail::synthcity_inverse_kl>}},
    {ColumnMeasure::jensen_shannon,
     Convention::synthcity,
     {"jensen_shannon", "Mean over columns of the Jensen-Shannon distance of shares to which 1 was added.",
      "square root of the divergence in nats; ten equal cells, 1 added to each share", true, true,
      as_there<detail::synthcity_jensen_shannon>, Direction::lower, kShare}},
    {ColumnMeasure::chi_square,
     Convention::synthcity,
     {"chi_square", "Mean over columns of the p-value of real shares where synthetic ones are expected.",
      "chi-square test of shares as if they were counts, of ten equal cells or sorted shares of few values",
      true, true, as_there<detail::synthcity_chi_square>}},
    {ColumnMeasure::shape,
     Convention::syntheval,
     {"column_shapes", "Mean over columns of how far the distributions of one column are apart.",
      "KS distance of numbers, total variation distance of labels to four places", true, true,
      as_there<detail::syntheval_distance>, Direction::lower, kShare}},
    {ColumnMeasure::mean,
     Convention::syntheval,
     {"mean_similarity", "Mean over numeric columns of how far the means are apart.",
      "|difference| / range of real and synthetic values", true, false,
      as_there<detail::syntheval_mean_difference>, Direction::lower, kShare}},
    {ColumnMeasure::quantile_mse,
     Convention::syntheval,
     {"quantile_mse", "Mean over columns of the squared difference of synthetic shares from a tenth.",
      "mean of (share synthetic - 0.1)^2 between the real deciles, labels as their ranks", true, true,
      as_there<detail::syntheval_quantile_mse>, Direction::lower, kShare}}};

const Measure& measure_of(ColumnMeasure measure, Convention convention) {
  for (const LibraryMeasure& one : kLibraryMeasures)
    if (one.measure == measure && one.convention == convention) return one.as;
  return kMeasures[static_cast<std::size_t>(measure)];
}

// Those that define the measure.
Convention convention_of(ColumnMeasure measure, Convention asked) {
  using enum ColumnMeasure;
  constexpr ColumnMeasure kNotTheirs[] = {quantile_mse, wasserstein, jensen_shannon, kl_synthetic_to_real,
                                          kl_real_to_synthetic};
  std::vector<Convention> has{Convention::synthema};
  if (std::ranges::find(kNotTheirs, measure) == std::end(kNotTheirs)) has.push_back(Convention::sdmetrics);
  for (const LibraryMeasure& one : kLibraryMeasures)
    if (one.measure == measure) has.push_back(one.convention);
  return require_convention(asked, has, measure_of(measure, Convention::synthema).name);
}

std::optional<double> mean_of_parts(const std::vector<ScorePart>& parts) {
  RatioRows ratio;
  for (const ScorePart& part : parts)
    if (part.value) ratio.add(*part.value);
  return ratio.value();
}

constexpr const char* kLost = "undefined: no synthetic values, which is as far away as can be";

// Below these chance makes a column look wrong; above them hardly ever.
constexpr std::size_t kFewReal = 20, kFewSynthetic = 5, kFewAlike = 30;
constexpr double kInside = 0.05;    // of the values lie where the real ones do, at most
constexpr double kNotRare = 0.2;    // of the real values are others than the only synthetic one
constexpr double kOtherScale = 10;  // times as large
constexpr const char* kConstant = "one value in all rows, where the real ones vary";

std::size_t within(std::span<const double> values, double low, double high) {
  return static_cast<std::size_t>(
      std::ranges::count_if(values, [&](double value) { return value >= low && value <= high; }));
}

// How many times as large the synthetic values are, where that may tell the unit they are in.
std::string other_scale(const Column& real, std::vector<double> r, std::vector<double> s) {
  if (real.kind() == Kind::time) return {};
  for (auto* values : {&r, &s}) std::sort(values->begin(), values->end());
  const double times = quantile(s, 0.5) / quantile(r, 0.5);
  if (!std::isfinite(times) || times <= 0) return {};
  if (times >= kOtherScale) return message("; the median is ", std::round(times), " times the real one");
  if (times <= 1 / kOtherScale)
    return message("; the real median is ", std::round(1 / times), " times as large");
  return {};
}

std::string wrong_numbers(const Column& real, const Column& synthetic) {
  const std::vector<double> r = detail::numbers_of(real), s = detail::numbers_of(synthetic);
  if (r.size() < kFewReal || s.size() < kFewSynthetic) return {};
  const auto [r_low, r_high] = std::ranges::minmax(r);
  const auto [s_low, s_high] = std::ranges::minmax(s);
  const std::size_t inside = within(s, r_low, r_high);
  if (static_cast<double>(inside) <= kInside * static_cast<double>(s.size()))
    return message(inside == 0 ? "no" : "hardly a", " value within the real range", other_scale(real, r, s));
  const bool constant = s_low == s_high && s.size() >= kFewAlike;
  if (constant &&
      static_cast<double>(within(r, s_low, s_high)) <= (1 - kNotRare) * static_cast<double>(r.size()))
    return kConstant;
  return {};
}

std::string wrong_labels(const Column& real, const Column& synthetic) {
  const Frequencies r = label_counts(real), s = label_counts(synthetic);
  const double n = sum_of(r);
  if (n < kFewReal || sum_of(s) < kFewSynthetic) return {};
  // Where most real rows have a label of their own, fresh ones have other labels too.
  double shared = 0, known = 0;
  for (const auto& [name, count] : r) shared += count > 1 ? count : 0;
  for (const auto& [name, count] : s) known += r.contains(name) ? count : 0;
  if (2 * shared > n && known <= kInside * sum_of(s))
    return message(known == 0 ? "no" : "hardly a", " label of the real rows");
  const auto only = s.size() == 1 ? r.find(s.begin()->first) : r.end();
  if (only != r.end() && sum_of(s) >= kFewAlike && only->second <= (1 - kNotRare) * n) return kConstant;
  return {};
}

// What is grossly wrong with a column, for whoever reads its distance; empty where nothing is.
std::string wrong(const Column& real, const Column& synthetic) {
  return detail::is_category(real.kind()) ? wrong_labels(real, synthetic) : wrong_numbers(real, synthetic);
}

// A column that lost all its values is the worst there is: left out, it would make the mean better. The
// libraries' conventions leave it out, as these libraries do.
ScorePart part_of(const Measure& measure, const std::string& name, const Column& real,
                  const Column& synthetic, Convention convention) {
  const std::size_t present = synthetic.size() - synthetic.null_count();
  if (const Outcome value = measure.of(real, synthetic, convention))
    return {name, value, present, measure.of == shape ? wrong(real, synthetic) : ""};
  const bool lost = !detail::is_empty(real) && synthetic.size() > 0 && detail::is_empty(synthetic);
  if (lost && convention == Convention::synthema && measure.of(real, real, convention))
    return measure.worst
               ? ScorePart{name, measure.worst(real), present, "no synthetic values: the worst there is"}
               : ScorePart{name, std::nullopt, present, kLost};
  return {name, std::nullopt, present, "undefined: no values, or a real column without spread"};
}

std::vector<ScorePart> parts_of(const Measure& measure, const Table& real, const Table& synthetic,
                                Convention convention, const EvaluationContext& context) {
  std::vector<std::string> names = detail::shared_columns(real, synthetic);
  std::erase_if(names, [&](const std::string& name) {
    return detail::is_number(real.column(name).kind()) ? !measure.numbers : !measure.categories;
  });
  std::vector<ScorePart> out(names.size());
  parallel_for(
      names.size(),
      [&](std::size_t c) {
        context.cancel.check();
        out[c] = part_of(measure, names[c], real.column(names[c]), synthetic.column(names[c]), convention);
      },
      context.threads);
  return out;
}

}  // namespace

ColumnFidelity::ColumnFidelity(ColumnMeasure measure, Convention convention)
    : measure_(measure), convention_(convention_of(measure, convention)) {}

Direction ColumnFidelity::direction() const {
  return measure_of(measure_, convention_).direction;
}
Range ColumnFidelity::range() const {
  return measure_of(measure_, convention_).range;
}
std::string_view ColumnFidelity::name() const {
  return measure_of(measure_, convention_).name;
}

Score ColumnFidelity::evaluate(const Table* real, const Table& synthetic,
                               const EvaluationContext& context) const {
  const Measure& measure = measure_of(measure_, convention_);
  Score score = start_score(*this, std::string(measure.estimand), std::string(measure.definition));
  score.convention = std::string(name_of(convention_));
  if (!real) return undefined(std::move(score), "No real table was given.");
  score.n = synthetic.rows();
  score.parts = parts_of(measure, *real, synthetic, convention_, context);
  score.value = mean_of_parts(score.parts);
  if (!score.value)
    return undefined(std::move(score),
                     "The tables share no column with values that this measure applies to.");
  if (const auto lost = std::ranges::count(score.parts, kLost, &ScorePart::note); lost > 0)
    score.warnings.push_back(message("The mean leaves out ",
                                     counted(static_cast<std::size_t>(lost), "column"),
                                     " without synthetic values, which no bound says how bad to count."));
  score.no_interval = "A bootstrap of distances between distributions is biased, so none is shown.";
  if (context.holdout)
    if (const auto value = mean_of_parts(parts_of(measure, *real, *context.holdout, convention_, context)))
      score.ceiling = Bound{*value, message("holdout, ", counted(context.holdout->rows(), "real row"))};
  return score;
}

}  // namespace synthema
