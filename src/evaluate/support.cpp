#include "synthema/evaluate/fidelity/support.hpp"

#include <limits>

#include "src/evaluate/library_distances.hpp"
#include "src/evaluate/row_support.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/mean.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using detail::kMostLibraryRows;
using detail::RowSupport;
using enum SupportMeasure;

struct NamedSupport {
  std::string_view name, estimand, definition;
  Direction direction = Direction::higher;
};
// Share of real rows to which a synthetic one is as near as the nearest real one, beyond which fresh rows
// have no beta_recall of 1/2.
constexpr double kFewTies = 0.01;

// By SupportMeasure.
constexpr NamedSupport kNamedSupport[] = {
    {"support_precision", "Share of synthetic rows that lie within the reach of real rows.",
     "in a closed ball of a real row, which reaches to its k-th neighbour (Kynkaanniemi et al. 2019)"},
    {"support_recall", "Share of real rows that lie within the reach of synthetic rows.",
     "in a closed ball of a synthetic row, which reaches to its k-th neighbour (Kynkaanniemi et al. 2019)"},
    {"density", "Mean number of real rows in whose reach a synthetic row lies, over k; may exceed 1.",
     "balls to the k-th neighbour, rows at that distance sharing what is left of k (Naeem et al. 2020)",
     Direction::none},
    {"coverage", "Share of real rows that have a synthetic row within their reach.",
     "a synthetic row no farther than the k-th real neighbour (Naeem et al. 2020)"},
    {"alpha_precision", "How alike synthetic and real rows are spread around the real centre.",
     "1 - 2 integral |P(alpha) - alpha| (Alaa et al. 2022)"},
    {"beta_recall", "How far synthetic rows reach the real ones, from their centre to the outskirts.",
     "1 - 2 integral |R(beta) - beta| (Alaa et al. 2022)"},
    {"authenticity", "Share of synthetic rows that are no closer to a real row than real rows are.",
     "farther from the nearest real row than that one is from its own nearest, ties half (Alaa et al. 2022)",
     Direction::none}};

const NamedSupport& named(SupportMeasure measure) {
  return kNamedSupport[static_cast<std::size_t>(measure)];
}

const std::vector<double>* by_row(SupportMeasure measure, const RowSupport& found) {
  switch (measure) {
    case precision:
      return &found.precision;
    case recall:
      return &found.recall;
    case density:
      return &found.density;
    case coverage:
      return &found.covered;
    case authenticity:
      return &found.authentic;
    default:
      return nullptr;
  }
}

double value_of(SupportMeasure measure, const RowSupport& found) {
  if (const auto* rows = by_row(measure, found)) return mean_of(*rows);
  return measure == alpha_precision ? found.alpha_precision : found.beta_recall;
}

// The comparisons of a run, made once for all measures but authenticity.
struct Compared {
  std::optional<RowSupport> synthetic, shuffled, holdout;
};

Compared compare(const Table& real, const Table& synthetic, bool authentic, std::size_t neighbours,
                 const EvaluationContext& context) {
  const Table loose = detail::independent_marginals(real, context.seed);
  std::vector<const Table*> others{&synthetic, &loose};
  if (context.holdout && context.holdout->rows() > neighbours) others.push_back(context.holdout.get());
  const Table* holdout = context.holdout.get();
  auto found = authentic ? detail::row_authenticity(real, others, holdout, context)
                         : detail::row_supports(real, others, holdout, neighbours, context);
  return {std::move(found[0]), std::move(found[1]), others.size() > 2 ? std::move(found[2]) : std::nullopt};
}

std::shared_ptr<Compared> compared(const Table& real, const Table& synthetic, bool authentic,
                                   std::size_t neighbours, const EvaluationContext& context) {
  const auto make = [&] {
    return std::make_shared<Compared>(compare(real, synthetic, authentic, neighbours, context));
  };
  if (!context.shared) return make();
  return context.shared->get<Compared>(
      message("row support ", &real, " ", &synthetic, " ", context.holdout.get(), " ", authentic, " ",
              neighbours, " ", context.seed),
      make);
}

void set_interval_of(Score& score, SupportMeasure measure, const RowSupport& found,
                     const EvaluationContext& context) {
  if (measure != precision && measure != density) {
    score.no_interval =
        measure == recall
            ? "The real rows also set the scale of distances, which a bootstrap of them does not vary; in "
              "simulations it held 90 %."
        : measure == coverage || measure == authenticity
            ? "Nearest rows within a table change when its rows are resampled, so no bootstrap is valid."
            : "The curve hangs on quantiles of one table and nearest rows of the other; no valid interval is "
              "known.";
    return;
  }
  RatioRows rows{.numerator = {}, .denominator = {}, .share = measure != density};
  for (const double value : *by_row(measure, found)) rows.add(value);
  set_ratio(score, rows, found.synthetic, context);
  const auto n = static_cast<double>(found.precision.size());
  if (measure == precision && found.synthetic.count == found.precision.size()) {
    // Precision is often near 1, where a bootstrap of independent rows is too wide.
    score.interval = wilson(*score.value * n, n);
    score.interval->method = message("Wilson over ", found.precision.size(), " rows");
  }
  if (score.interval) score.interval->method += ", real rows held fixed";
}

}  // namespace

Support::Support(SupportMeasure measure, Convention convention, std::size_t neighbours)
    : measure_(measure),
      convention_(require_convention(convention, kConventions, named(measure).name)),
      neighbours_(neighbours) {
  if (neighbours == 0)
    throw ConfigError({.field = "neighbours"}, "Balls need at least one neighbour to reach to.");
}

std::string_view Support::name() const {
  return named(measure_).name;
}
Direction Support::direction() const {
  return named(measure_).direction;
}
Range Support::range() const {
  if (measure_ == density) return {0, std::numeric_limits<double>::infinity()};
  return {measure_ == alpha_precision || measure_ == beta_recall ? -1.0 : 0.0, 1};
}

Score Support::evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, std::string(named(measure_).estimand),
                            message(named(measure_).definition, ", k = ", neighbours_));
  score.convention = std::string(name_of(convention_));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  if (detail::shared_columns(*real, synthetic).empty())
    return undefined(std::move(score), "The tables share no column of numbers or categories.");
  const bool of_real = measure_ == recall || measure_ == coverage || measure_ == beta_recall;
  score.n = of_real ? real->rows() : synthetic.rows();
  if (convention_ == Convention::synthcity) {
    if (std::max(real->rows(), synthetic.rows()) > kMostLibraryRows)
      return undefined(std::move(score), message("The convention measures all pairs, for at most ",
                                                 kMostLibraryRows, " rows."));
    const auto found = detail::library_support(*real, synthetic, neighbours_, context);
    if (!found) return undefined(std::move(score), "The convention knows no missing values.");
    if (measure_ >= alpha_precision && real->rows() != synthetic.rows())
      return undefined(std::move(score), "The convention needs equally many real and synthetic rows.");
    score.value = value_of(measure_, *found);
    score.no_interval = "The convention has none.";
    return score;
  }
  const auto all = compared(*real, synthetic, measure_ == authenticity, neighbours_, context);
  if (!all->synthetic)
    return undefined(std::move(score),
                     "A nearest other row needs two rows, of two subjects where there are subjects.");
  const RowSupport& found = *all->synthetic;
  if (found.real.count <= neighbours_ || found.synthetic.count <= neighbours_)
    return undefined(std::move(score),
                     message("Each table needs more than ", neighbours_, " ", found.real.name,
                             " for its rows to have that many neighbours."));
  score.value = value_of(measure_, found);
  set_interval_of(score, measure_, found, context);
  if (all->holdout)
    score.ceiling = Bound{value_of(measure_, *all->holdout),
                          message("holdout, ", counted(context.holdout->rows(), "real row"))};
  else if (measure_ == density)
    score.ceiling = Bound{1, "theory: rows of one distribution, on average"};
  else if (measure_ == authenticity || (measure_ == beta_recall && found.as_far < kFewTies))
    score.ceiling = Bound{0.5, "theory: as many fresh rows of the same distribution"};
  if (all->shuffled)
    score.floor = Bound{value_of(measure_, *all->shuffled), "the real columns, each shuffled apart"};
  return score;
}

}  // namespace synthema
