#include <algorithm>
#include <cmath>

#include "src/evaluate/association.hpp"
#include "src/evaluate/histories.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/mean.hpp"
#include "synthema/evaluate/distance.hpp"
#include "synthema/evaluate/longitudinal/histories.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Numbers = std::vector<double>;
using detail::Histories;
using enum HistoryMeasure;

struct NamedFidelity {
  std::string_view name, estimand, definition;
};
// By HistoryMeasure.
constexpr NamedFidelity kNamedFidelity[] = {
    {"visits_per_subject", "How alike the numbers of visits of a subject are.", "1 - KS distance"},
    {"visit_gaps", "How alike the times between consecutive visits are.", "1 - KS distance"},
    {"history_spans", "How alike the times from the first to the last visit are.", "1 - KS distance"},
    {"codes_per_visit", "How alike the numbers of codes of a visit are.", "1 - KS distance"},
    {"row_differences", "Mean over columns of how alike the subjects' mean changes between rows are.",
     "1 - KS distance of each subject's mean difference of consecutive values"},
    {"autocorrelation", "Mean over columns of how alike the correlation of consecutive values is.",
     "1 - |difference| / 2, values less their subject's mean"},
    {"between_subject_share", "Mean over columns of how alike the share of variance between subjects is.",
     "1 - |difference| of ICC(1)"}};

bool of_columns(HistoryMeasure measure) {
  return measure == differences || measure == autocorrelation || measure == between;
}

std::vector<double> visit_times(const Histories& histories, std::size_t subject) {
  std::vector<double> out;
  for (const std::size_t row : histories.rows[subject])
    if (out.empty() || histories.time[row] != out.back()) out.push_back(histories.time[row]);
  return out;
}

// The quantity of every subject, gap or visit.
Numbers quantities(const Table& table, const Histories& histories, HistoryMeasure measure,
                   const std::vector<std::string>& codes) {
  Numbers out;
  if (measure == HistoryMeasure::codes) {
    detail::CodeBook book;
    for (const auto& subject : detail::visits_of(table, histories, codes, book).of_subject)
      for (const auto& visit : subject) out.push_back(static_cast<double>(visit.size()));
    return out;
  }
  for (std::size_t subject = 0; subject < histories.rows.size(); ++subject) {
    const Numbers times = visit_times(histories, subject);
    if (measure == visits) out.push_back(static_cast<double>(times.size()));
    if (measure == spans) out.push_back(times.back() - times.front());
    if (measure == gaps)
      for (std::size_t i = 1; i < times.size(); ++i) out.push_back(times[i] - times[i - 1]);
  }
  return out;
}

// Mean of the rows of each visit that have a value: their order would be that of names or of other columns.
Numbers visit_means(const Column& column, const Histories& histories, const std::vector<std::size_t>& rows) {
  Numbers out, visit;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!column.is_null(rows[i])) visit.push_back(column.number_at(rows[i]));
    if (i + 1 < rows.size() && histories.time[rows[i + 1]] == histories.time[rows[i]]) continue;
    std::sort(visit.begin(), visit.end());  // a sum's last digits depend on its order
    if (!visit.empty()) out.push_back(visit.size() == 1 ? visit[0] : mean_of(visit));
    visit.clear();
  }
  return out;
}

// Of subjects with two values or more.
std::vector<Numbers> series_of(const Column& column, const Histories& histories, HistoryMeasure measure) {
  std::vector<Numbers> out;
  for (const auto& rows : histories.rows) {
    Numbers values;
    if (measure != between)
      values = visit_means(column, histories, rows);
    else
      for (const std::size_t row : rows)
        if (!column.is_null(row)) values.push_back(column.number_at(row));
    if (values.size() > 1) out.push_back(std::move(values));
  }
  return out;
}

Numbers mean_differences(const std::vector<Numbers>& series) {
  Numbers out;
  for (const Numbers& values : series)
    out.push_back((values.back() - values.front()) / static_cast<double>(values.size() - 1));
  return out;
}

// Whether each subject has one value all the time. Means of equal values may be rounded, so it is asked
// first.
bool never_differ(const std::vector<Numbers>& series) {
  return std::ranges::all_of(series, [](const Numbers& values) {
    const auto [low, high] = std::ranges::minmax(values);
    return low == high;
  });
}

std::optional<double> lag_one(const std::vector<Numbers>& series) {
  if (never_differ(series)) return std::nullopt;
  Numbers before, after;
  for (const Numbers& values : series) {
    const double mean = mean_of(values);
    for (std::size_t i = 1; i < values.size(); ++i) {
      before.push_back(values[i - 1] - mean);
      after.push_back(values[i] - mean);
    }
  }
  return detail::pearson(before, after);
}

// ICC(1) of one-way analysis of variance.
std::optional<double> between_share(const std::vector<Numbers>& series) {
  double n = 0, sum = 0, sizes = 0;
  for (const Numbers& values : series) {
    const auto size = static_cast<double>(values.size());
    n += size;
    sizes += size * size;
    for (const double value : values) sum += value;
  }
  const auto groups = static_cast<double>(series.size());
  if (groups < 2 || n <= groups) return std::nullopt;
  const bool same =
      std::ranges::all_of(series, [&](const Numbers& values) { return values[0] == series[0][0]; });
  if (same && never_differ(series)) return std::nullopt;
  double inside = 0, outside = 0;
  for (const Numbers& values : series) {
    const double mean = mean_of(values);
    outside += static_cast<double>(values.size()) * (mean - sum / n) * (mean - sum / n);
    for (const double value : values) inside += (value - mean) * (value - mean);
  }
  const double of_groups = outside / (groups - 1), of_rows = inside / (n - groups);
  const double typical = (n - sizes / n) / (groups - 1);
  const double all = of_groups + (typical - 1) * of_rows;
  if (!(all > 0) || !std::isfinite(all)) return std::nullopt;
  return std::clamp((of_groups - of_rows) / all, 0.0, 1.0);
}

std::optional<double> alike(const std::vector<Numbers>& real, const std::vector<Numbers>& other,
                            HistoryMeasure measure) {
  if (real.empty() || other.empty()) return std::nullopt;
  if (measure == differences) return 1 - ks_distance(mean_differences(real), mean_differences(other));
  const bool auto_ = measure == autocorrelation;
  const auto r = auto_ ? lag_one(real) : between_share(real);
  auto s = auto_ ? lag_one(other) : between_share(other);
  if (!s && other.size() > 1 && never_differ(other))
    s = 0;  // it depends on nothing; left out, the column would make the mean better
  if (!r || !s) return std::nullopt;
  return 1 - std::abs(*r - *s) / (auto_ ? 2 : 1);
}

std::vector<std::string> measured_columns(const Table& real, const Table& synthetic) {
  std::vector<std::string> out;
  const std::vector<std::string> codes = detail::code_columns(real);
  for (const std::string& name : detail::shared_columns(real, synthetic))
    if (detail::is_number(real.column(name).kind()) && !real.schema().at(name).has(Role::time) &&
        std::ranges::find(codes, name) == codes.end())
      out.push_back(name);
  return out;
}

struct Outcome {
  std::optional<double> value;
  std::vector<ScorePart> parts;
  std::string undefined = "The real table has nothing of this kind: no column, gap or visit.";
};

// A table with its histories.
struct Sample {
  const Table& table;
  Histories histories;
};

// `of_lost`: what a column counts of which the other table has no series; a synthetic table has lost them, a
// holdout may be small.
Outcome compare_columns(const Sample& real, const Sample& other, HistoryMeasure measure,
                        std::optional<double> of_lost) {
  Outcome out;
  RatioRows mean;
  for (const std::string& name : measured_columns(real.table, other.table)) {
    const std::vector<Numbers> r = series_of(real.table.column(name), real.histories, measure),
                               s = series_of(other.table.column(name), other.histories, measure);
    const bool lost = !r.empty() && s.empty() && of_lost;
    const auto value = lost ? of_lost : alike(r, s, measure);
    out.parts.push_back({name, value, s.size(),
                         lost    ? "no synthetic subject has two values"
                         : value ? ""
                                 : "undefined: no subject with two values, or no spread"});
    if (value) mean.add(*value);
  }
  out.value = mean.value();
  if (!out.parts.empty())
    out.undefined = "No column has a subject with two values, and spread, in both tables.";
  return out;
}

// Times between visits in days where they are of instants, which are microseconds; numbers are as they are.
ScorePart mean_part(std::string name, const Numbers& values, const Sample& sample, HistoryMeasure measure) {
  if (values.empty()) return {std::move(name), std::nullopt, 0, "the synthetic table has none"};
  const bool days = (measure == gaps || measure == spans) && sample.histories.kind == Kind::time;
  return {std::move(name), mean_of(values) / (days ? 86'400e6 : 1), values.size(), days ? "days" : ""};
}

// Why another table has nothing to hold against the real quantities of this kind; empty if it has.
std::string incomparable(const Sample& real, const Sample& other, HistoryMeasure measure,
                         const std::vector<std::string>& codes) {
  if (measure == HistoryMeasure::codes) return detail::lacks_codes(other.table, codes, real.table);
  const bool times = measure == gaps || measure == spans;
  if (times && (real.histories.kind == Kind::time) != (other.histories.kind == Kind::time))
    return "Visits have instants in one of the tables and numbers in the other, so the times between them "
           "cannot be compared.";
  return {};
}

Outcome compare(const Sample& real, const Sample& other, HistoryMeasure measure,
                std::optional<double> of_lost) {
  if (of_columns(measure)) return compare_columns(real, other, measure, of_lost);
  Outcome out;
  std::vector<std::string> codes;
  if (measure == HistoryMeasure::codes) codes = detail::code_columns(real.table);
  if (std::string reason = incomparable(real, other, measure, codes); !reason.empty()) {
    out.undefined = std::move(reason);
    return out;
  }
  const Numbers r = quantities(real.table, real.histories, measure, codes),
                s = quantities(other.table, other.histories, measure, codes);
  if (r.empty()) return out;
  out.value = s.empty() ? of_lost : 1 - ks_distance(r, s);
  out.parts = {mean_part("mean of real", r, real, measure),
               mean_part("mean of synthetic", s, other, measure)};
  return out;
}

}  // namespace

std::string_view HistoryFidelity::name() const {
  return kNamedFidelity[static_cast<std::size_t>(measure_)].name;
}

Score HistoryFidelity::evaluate(const Table* real, const Table& synthetic,
                                const EvaluationContext& context) const {
  const NamedFidelity& named = kNamedFidelity[static_cast<std::size_t>(measure_)];
  Score score = start_score(*this, std::string(named.estimand), std::string(named.definition));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (std::string reason = detail::lacks_histories(*real, synthetic); !reason.empty())
    return undefined(std::move(score), std::move(reason));
  const Sample of_real{*real, detail::histories_of(*real, "real", score)};
  Outcome found =
      compare(of_real, {synthetic, detail::histories_of(synthetic, "synthetic", score)}, measure_, 0.0);
  score.parts = std::move(found.parts);
  if (!found.value) return undefined(std::move(score), std::move(found.undefined));
  score.value = found.value;
  score.n = Units::of(synthetic).count;
  score.no_interval = "A bootstrap of distances between distributions is biased, so none is shown.";
  if (context.holdout && detail::lacks_histories(*context.holdout).empty()) {
    const Table& holdout = *context.holdout;
    const Sample held{holdout, detail::histories_of(holdout, "holdout", score)};
    if (const auto fresh = compare(of_real, held, measure_, std::nullopt).value)
      score.ceiling = Bound{*fresh, message("holdout, ", counted(Units::of(holdout).count, "subject"))};
  }
  const Table apart = detail::independent_marginals(*real, context.seed);
  if (const auto loose = compare(of_real, {apart, detail::histories_of(apart)}, measure_, std::nullopt).value)
    score.floor = Bound{*loose, "the real columns, subject and time among them, each shuffled apart"};
  return score;
}

}  // namespace synthema
