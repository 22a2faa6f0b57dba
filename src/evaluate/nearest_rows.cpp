#include "synthema/evaluate/privacy/nearest_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "src/evaluate/library_distances.hpp"
#include "src/evaluate/marginal_floor.hpp"
#include "src/evaluate/membership_auroc.hpp"
#include "src/evaluate/nearest_intervals.hpp"
#include "src/evaluate/row_distances.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using detail::RowDistances;
using detail::Rows;
using detail::set_mean;
using detail::widen;
using enum NearestRowMeasure;

constexpr const char* kLeaveOneOut = "each real row against those of all others";
constexpr double kNear = 0.05;  // share of the holdout that a near copy is nearer than

struct RowMeasure {
  std::string_view name, estimand, definition;
  Direction direction;
  Range range;
  bool needs_holdout;
  void (*score)(Score&, RowDistances&, const EvaluationContext&);
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

bool has_holdout(const RowDistances& distances) {
  return distances.rows(Rows::holdout) > 0;
}

std::string holdout_of(const RowDistances& distances) {
  return message("holdout, ", counted(distances.rows(Rows::holdout), "real row"));
}

// Cumulative shares at twenty distances: what a histogram of both is drawn from.
void add_distribution(Score& score, const std::string& whose, std::vector<double> distances, double longest) {
  std::sort(distances.begin(), distances.end());
  for (int bin = 1; bin <= 20; ++bin) {
    const double edge = longest * bin / 20;
    const auto within = std::upper_bound(distances.begin(), distances.end(), edge) - distances.begin();
    score.parts.push_back({message(whose, " within ", edge),
                           static_cast<double>(within) / static_cast<double>(distances.size()),
                           distances.size(), "cumulative"});
  }
}

void score_dcr(Score& score, RowDistances& distances, const EvaluationContext& context) {
  const std::vector<double>& found = distances.first(Rows::synthetic, Rows::training, context);
  score.value = median(found);
  std::vector<double> sorted = found;
  std::sort(sorted.begin(), sorted.end());
  for (const double q : {0.0, 0.01, 0.05, 0.25, 0.75})
    score.parts.push_back({message("quantile ", q), quantile(sorted, q), found.size(), ""});
  score.no_interval = "The distances hang on single training rows, which a bootstrap of rows does not vary.";
  std::vector<double> fresh;
  if (has_holdout(distances))
    fresh = distances.first(Rows::holdout, Rows::training, context);
  else if (distances.units(Rows::training).count > 1)
    fresh = distances.first(Rows::training, Rows::training, context);
  std::vector<double> sorted_fresh = fresh;
  std::sort(sorted_fresh.begin(), sorted_fresh.end());
  const double longest = std::max(quantile(sorted, 0.99), fresh.empty() ? 0 : quantile(sorted_fresh, 0.99));
  if (longest > 0) {
    add_distribution(score, "synthetic rows", sorted, longest);
    if (!fresh.empty()) add_distribution(score, "fresh real rows", sorted_fresh, longest);
  }
  if (has_holdout(distances))
    score.ceiling =
        Bound{median(distances.first(Rows::holdout, Rows::training, context)), holdout_of(distances)};
  else if (distances.units(Rows::training).count > 1)
    score.ceiling = Bound{median(distances.first(Rows::training, Rows::training, context)), kLeaveOneOut};
}

void score_share(Score& score, RowDistances& distances, const EvaluationContext& context) {
  score.undefined = distances.no_share();
  if (!score.undefined.empty()) return;
  set_mean(score, distances.won_by_training(context), false, distances.units(Rows::synthetic), "rows",
           context);
  widen(score, distances.split_interval(context));
  const std::optional<double> won = score.value;
  if (score.value) score.value = distances.against_chance(*score.value);
  if (score.interval) {
    score.interval->low = distances.against_chance(score.interval->low);
    score.interval->high = distances.against_chance(score.interval->high);
  }
  score.ceiling = Bound{0.5, "theory: training and holdout rows are treated alike"};
  const std::size_t all = distances.rows(Rows::training) + distances.rows(Rows::holdout);
  score.parts.push_back({"won by training rows", won, score.n, "of all training and holdout rows together"});
  score.parts.push_back(
      {"expected of fresh rows", distances.won_by_chance(), all, "training among all real units"});
}

void score_near_copies(Score& score, RowDistances& distances, const EvaluationContext& context) {
  std::vector<double> of_holdout = distances.first(Rows::holdout, Rows::training, context);
  std::sort(of_holdout.begin(), of_holdout.end());
  const double near = quantile(of_holdout, kNear);
  std::vector<double> copies;
  for (const double d : distances.first(Rows::synthetic, Rows::training, context))
    copies.push_back(d <= near);
  detail::set_near_share(score, copies, distances.units(Rows::synthetic),
                         distances.by_nearest_training(context), "rows", kNear,
                         distances.units(Rows::holdout).count, context);
  const auto within = std::upper_bound(of_holdout.begin(), of_holdout.end(), near) - of_holdout.begin();
  score.ceiling =
      Bound{static_cast<double>(within) / static_cast<double>(of_holdout.size()), holdout_of(distances)};
  score.parts.push_back({"distance", near, of_holdout.size(), "5 % quantile of the holdout's distances"});
}

std::vector<double> ratios(const detail::NearestTwo& nearest) {
  std::vector<double> out;
  for (std::size_t i = 0; i < nearest.first.size(); ++i)
    out.push_back(nearest.second[i] > 0 ? nearest.first[i] / nearest.second[i] : 1);
  return out;
}

void score_nndr(Score& score, RowDistances& distances, const EvaluationContext& context) {
  if (distances.rows(Rows::training) < 2) {
    score.undefined = "A ratio of two nearest distances needs two training rows.";
    return;
  }
  set_mean(score, ratios(distances.nearest(Rows::synthetic, Rows::training, context)), false,
           distances.units(Rows::synthetic), "rows", context);
  const bool held = has_holdout(distances);
  if (!held && distances.units(Rows::training).count < 3) return;
  const std::vector<double> fresh =
      ratios(distances.nearest(held ? Rows::holdout : Rows::training, Rows::training, context));
  score.ceiling = Bound{std::accumulate(fresh.begin(), fresh.end(), 0.0) / static_cast<double>(fresh.size()),
                        held ? holdout_of(distances) : kLeaveOneOut};
}

// Nearest rows within a table are those of other units.
bool has_others(Score& score, const RowDistances& distances, std::initializer_list<Rows> tables) {
  for (const Rows which : tables)
    if (distances.units(which).count < 2) {
      score.undefined = "A nearest other row needs two rows, of two subjects where there are subjects.";
      return false;
    }
  return true;
}

void score_identifiability(Score& score, RowDistances& distances, const EvaluationContext& context) {
  if (!has_others(score, distances, {Rows::training})) return;
  const std::vector<double> won = distances.won_by_synthetic(context);
  score.n = won.size();
  score.value = std::accumulate(won.begin(), won.end(), 0.0) / static_cast<double>(won.size());
  score.no_interval =
      "Nearest rows within a table change when its rows are resampled, so no bootstrap is valid.";
  const auto m = static_cast<double>(distances.rows(Rows::synthetic)), n = static_cast<double>(won.size());
  score.ceiling = Bound{m / (m + n - 1), "theory: synthetic rows are like other real rows"};
}

void note_rows(Score& score, const RowDistances& distances) {
  score.n = distances.equal_rows();
  score.no_interval =
      "Nearest rows within a table change when its rows are resampled, so no bootstrap is valid.";
  score.parts.push_back({"rows of each table", static_cast<double>(score.n), score.n,
                         "drawn by the seed where a table has more"});
}

void score_nnaa(Score& score, RowDistances& distances, const EvaluationContext& context) {
  if (!has_others(score, distances, {Rows::training, Rows::synthetic})) return;
  score.value = distances.adversarial_accuracy(Rows::training, context);
  score.ceiling = Bound{0.5, "theory: real and synthetic rows have one distribution"};
  note_rows(score, distances);
}

void score_privacy_loss(Score& score, RowDistances& distances, const EvaluationContext& context) {
  if (!has_others(score, distances, {Rows::training, Rows::holdout, Rows::synthetic})) return;
  const double training = distances.adversarial_accuracy(Rows::training, context);
  const double holdout = distances.adversarial_accuracy(Rows::holdout, context);
  score.value = holdout - training;
  score.ceiling = Bound{0, "theory: training and holdout rows are treated alike"};
  note_rows(score, distances);
  score.parts.push_back({"nnaa of the training rows", training, score.n, ""});
  score.parts.push_back({"nnaa of the holdout rows", holdout, score.n, ""});
}

void score_membership(Score& score, RowDistances& distances, const EvaluationContext& context) {
  const auto nearness = [&](Rows rows) {
    std::vector<double> out = distances.first(rows, Rows::synthetic, context);
    for (double& value : out) value = -value;  // a member is nearer
    return out;
  };
  detail::set_membership_auroc(score, nearness(Rows::training), nearness(Rows::holdout),
                               distances.units(Rows::training), distances.units(Rows::holdout));
}

// By NearestRowMeasure.
constexpr RowMeasure kRowMeasures[] = {
    {"dcr",
     "Median distance of synthetic rows to their closest training row, 0 to 1.",
     "Gower: mean over columns of min(1, |a - b| / range of training and holdout), labels 0 or 1; parts: "
     "quantiles",
     Direction::higher,
     {0, 1},
     false,
     score_dcr},
    {"dcr_share",
     "Whether synthetic rows are closer to training rows than to holdout rows: 0.5 if not, 1 if all are.",
     "(1 + l) / 2, l = (w - c) / (1 - c): w the share with a training row nearest, ties shared, c that of "
     "training "
     "rows among all real rows",
     Direction::lower,
     {0, 1},
     true,
     score_share},
    {"near_copies",
     "Share of synthetic rows closer to training than the closest 5 % of holdout rows.",
     "d(s -> T) <= 5 % quantile of d(h -> T)",
     Direction::lower,
     {0, 1},
     true,
     score_near_copies},
    {"nndr",
     "Mean ratio of the distances of synthetic rows to the closest and second closest training row.",
     "first / second nearest distance, 1 where both are 0",
     Direction::higher,
     {0, 1},
     false,
     score_nndr},
    {"identifiability",
     "Share of training rows with a synthetic row closer than any other training row.",
     "d(t -> S) < d(t -> T without t), ties shared",
     Direction::lower,
     {0, 1},
     false,
     score_identifiability},
    {"nnaa",
     "Accuracy of telling real from synthetic rows by their nearest neighbour; 0.5 is best.",
     "([d(t -> S) > d(t -> T')] + [d(s -> T) > d(s -> S')]) / 2, ties shared (Yale et al. 2020)",
     Direction::none,
     {0, 1},
     false,
     score_nnaa},
    {"nnaa_privacy_loss",
     "How much closer synthetic rows are to training than to holdout rows.",
     "nnaa(H, S) - nnaa(T, S), ties shared (Yale et al. 2020)",
     Direction::lower,
     {-1, 1},
     true,
     score_privacy_loss},
    {"membership_by_distance",
     "Chance that a training row, or a subject's rows, are closer to the synthetic rows than holdout ones.",
     "AUROC of training against holdout rows by -d(. -> S); subjects by the mean over their rows",
     Direction::lower,
     {0, 1},
     true,
     score_membership}};

const RowMeasure& measure_of(NearestRowMeasure measure) {
  return kRowMeasures[static_cast<std::size_t>(measure)];
}

// Measures as a library has them. What cannot be measured says why in `undefined`.
struct LibraryMeasure {
  NearestRowMeasure measure;
  Convention convention;
  std::string_view estimand, definition;
  Direction direction;
  Range range;
  void (*score)(Score&, const Table&, const Table&, const EvaluationContext&);
};

constexpr const char* kNoMissing = "The convention knows no missing values.";

std::optional<detail::SynthevalRows> syntheval_rows(Score& score, const Table& real, const Table& synthetic,
                                                    const EvaluationContext& context) {
  auto rows = detail::SynthevalRows::of(real, synthetic, context.holdout.get());
  if (!rows) score.undefined = kNoMissing;
  return rows;
}

template <double (detail::SynthevalRows::*of)(const EvaluationContext&) const>
void syntheval_value(Score& score, const Table& real, const Table& synthetic,
                     const EvaluationContext& context) {
  if (const auto rows = syntheval_rows(score, real, synthetic, context)) score.value = ((*rows).*of)(context);
}

bool equally_many(Score& score, std::size_t a, std::size_t b) {
  if (a < 2 * b && b < 2 * a) return true;
  score.undefined =
      "Where a table has twice as many rows as the other the convention draws some without a seed, so there "
      "is no "
      "number to match.";
  return false;
}

void syntheval_nnaa(Score& score, const Table& real, const Table& synthetic,
                    const EvaluationContext& context) {
  if (!equally_many(score, real.rows(), synthetic.rows())) return;
  if (const auto rows = syntheval_rows(score, real, synthetic, context))
    score.value = rows->adversarial_accuracy(false, context);
}

void syntheval_loss(Score& score, const Table& real, const Table& synthetic,
                    const EvaluationContext& context) {
  if (!equally_many(score, real.rows(), synthetic.rows())) return;
  if (!equally_many(score, context.holdout->rows(), synthetic.rows())) return;
  if (const auto rows = syntheval_rows(score, real, synthetic, context))
    score.value = rows->adversarial_accuracy(true, context) - rows->adversarial_accuracy(false, context);
}

void synthcity_identifiability(Score& score, const Table& real, const Table& synthetic,
                               const EvaluationContext& context) {
  score.value = detail::synthcity_identifiability(real, synthetic, context);
  if (!score.value) score.undefined = kNoMissing;
}

// SDMetrics' DCROverfittingProtection.
void sdmetrics_share(Score& score, const Table& real, const Table& synthetic,
                     const EvaluationContext& context) {
  const std::vector<std::string> columns = detail::shared_columns(real, synthetic, context.holdout.get());
  const auto nearest = [&](const Table& reference) {
    const Table* scale_by[] = {&reference};
    MixedSpace space(scale_by, columns);
    MixedRows queries = space.encode(synthetic);
    const NeighbourIndex index(space, space.encode(reference)), from(space, std::move(queries));
    return index.nearest_to(from, {.neighbours = 1, .threads = context.threads, .cancel = context.cancel});
  };
  const std::vector<Neighbour> training = nearest(real), holdout = nearest(*context.holdout);
  std::size_t nearer = 0;
  for (std::size_t i = 0; i < training.size(); ++i)
    nearer += training[i].distance < holdout[i].distance ? 1 : 0;
  const double share = static_cast<double>(nearer) / static_cast<double>(training.size());
  score.value = std::min(1.0, 2 * (1 - share));
}

constexpr double kEndless = std::numeric_limits<double>::infinity();
constexpr LibraryMeasure kLibraryMeasures[] = {
    {NearestRowMeasure::dcr,
     Convention::syntheval,
     "Median distance of synthetic rows to real ones, over that of real rows to other real ones.",
     "median d(s -> T) / median d(t -> T')",
     Direction::higher,
     {0, kEndless},
     syntheval_value<&detail::SynthevalRows::dcr>},
    {NearestRowMeasure::nndr,
     Convention::syntheval,
     "Mean ratio of the distances of real rows to the closest and second closest synthetic row.",
     "first / (second nearest distance + 1e-16)",
     Direction::higher,
     {0, 1},
     syntheval_value<&detail::SynthevalRows::nndr>},
    {NearestRowMeasure::near_copies,
     Convention::syntheval,
     "Share of training rows with a synthetic row of the same labels and nearly the same numbers.",
     "each number within a thirtieth of the real range",
     Direction::lower,
     {0, 1},
     syntheval_value<&detail::SynthevalRows::hitting_rate>},
    {NearestRowMeasure::identifiability,
     Convention::syntheval,
     "Share of training rows with a synthetic row closer than any other training row.",
     "d(t -> S) < d(t -> T without t), columns weighed by 1 / entropy",
     Direction::lower,
     {0, 1},
     syntheval_value<&detail::SynthevalRows::identifiability>},
    {NearestRowMeasure::identifiability,
     Convention::synthcity,
     "Share of training rows with a synthetic row closer than any other training row.",
     "d(t -> S) < d(t -> T without t), Euclid's distance of raw columns",
     Direction::lower,
     {0, 1},
     synthcity_identifiability},
    {NearestRowMeasure::nnaa,
     Convention::syntheval,
     "Accuracy of telling real from synthetic rows by their nearest neighbour; 0.5 is best.",
     "([d(t -> S) > d(t -> T')] + [d(s -> T) > d(s -> S')]) / 2, all rows",
     Direction::none,
     {0, 1},
     syntheval_nnaa},
    {NearestRowMeasure::nnaa_privacy_loss,
     Convention::syntheval,
     "How much closer synthetic rows are to training than to holdout rows.",
     "nnaa(H, S) - nnaa(T, S), all rows",
     Direction::lower,
     {-1, 1},
     syntheval_loss},
    {NearestRowMeasure::dcr_share,
     Convention::sdmetrics,
     "How far synthetic rows are from being closer to training than to holdout rows.",
     "min(1, 2 (1 - share of [d(s -> T) < d(s -> H)]))",
     Direction::higher,
     {0, 1},
     sdmetrics_share}};

const LibraryMeasure* library_measure(NearestRowMeasure measure, Convention convention) {
  for (const LibraryMeasure& one : kLibraryMeasures)
    if (one.measure == measure && one.convention == convention) return &one;
  return nullptr;
}

Convention convention_of(NearestRowMeasure measure, Convention asked) {
  std::vector<Convention> has{Convention::synthema};
  for (const LibraryMeasure& one : kLibraryMeasures)
    if (one.measure == measure) has.push_back(one.convention);
  return require_convention(asked, has, measure_of(measure).name);
}

Score as_there(Score score, const LibraryMeasure& measure, const Table& real, const Table& synthetic,
               const EvaluationContext& context) {
  if (real.rows() < 2 || synthetic.rows() < 2 || (context.holdout && context.holdout->rows() < 2))
    return undefined(std::move(score), "Each table needs two rows.");
  const std::size_t held = context.holdout ? context.holdout->rows() : 0;
  if (measure.convention != Convention::sdmetrics &&
      std::max({real.rows(), synthetic.rows(), held}) > detail::kMostLibraryRows)
    return undefined(std::move(score), message("The convention measures all pairs, for at most ",
                                               detail::kMostLibraryRows, " rows."));
  if (detail::shared_columns(real, synthetic, context.holdout.get()).empty())
    return undefined(std::move(score), "The tables share no column of numbers or categories.");
  score.n = synthetic.rows();
  measure.score(score, real, synthetic, context);
  if (score.value) score.no_interval = "The convention has none.";
  return score;
}

}  // namespace

NearestRows::NearestRows(NearestRowMeasure measure, bool floor, Convention convention)
    : measure_(measure), floor_(floor), convention_(convention_of(measure, convention)) {}

std::string_view NearestRows::name() const {
  return measure_of(measure_).name;
}
Direction NearestRows::direction() const {
  const LibraryMeasure* there = library_measure(measure_, convention_);
  return there ? there->direction : measure_of(measure_).direction;
}
Range NearestRows::range() const {
  const LibraryMeasure* there = library_measure(measure_, convention_);
  return there ? there->range : measure_of(measure_).range;
}

Score NearestRows::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  const RowMeasure& measure = measure_of(measure_);
  const LibraryMeasure* there = library_measure(measure_, convention_);
  Score score = start_score(*this, std::string(there ? there->estimand : measure.estimand),
                            std::string(there ? there->definition : measure.definition));
  score.convention = name_of(convention_);
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (measure.needs_holdout && !context.holdout) return undefined(std::move(score), "No holdout was given.");
  if (real->rows() == 0 || synthetic.rows() == 0 || (measure.needs_holdout && context.holdout->rows() == 0))
    return undefined(std::move(score), "One of the tables has no rows.");
  if (there) return as_there(std::move(score), *there, *real, synthetic, context);
  const auto distances = detail::row_distances(*real, synthetic, context);
  if (!distances) return undefined(std::move(score), "The tables share no column of numbers or categories.");
  score.n = synthetic.rows();
  measure.score(score, *distances, context);
  if (floor_ && score.value)
    detail::set_marginal_floor(score, NearestRows(measure_, false), *real, synthetic, context);
  return score;
}

}  // namespace synthema
