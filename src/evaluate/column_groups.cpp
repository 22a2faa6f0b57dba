#include "synthema/evaluate/privacy/column_groups.hpp"

#include <algorithm>
#include <limits>

#include "src/evaluate/row_distances.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/mean.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using detail::RowDistances;
using detail::Rows;
using Names = std::vector<std::string>;

std::vector<Names> groups_of(const Names& columns, std::size_t shuffles, std::uint64_t seed) {
  std::vector<Names> out;
  for (std::size_t i = 0; i < shuffles; ++i) {
    Names order = columns;
    Random random = Random(seed).stream(0x67726F75).stream(i);
    random.shuffle(order);
    const auto middle = order.begin() + static_cast<std::ptrdiff_t>(order.size() / 2);
    out.emplace_back(order.begin(), middle);
    out.emplace_back(middle, order.end());
  }
  for (Names& group : out) std::sort(group.begin(), group.end());
  return out;
}

double mean_ratio(const detail::NearestTwo& nearest) {
  std::vector<double> out;
  for (std::size_t i = 0; i < nearest.first.size(); ++i)
    out.push_back(nearest.second[i] > 0 ? nearest.first[i] / nearest.second[i] : 1);
  return mean_of(out);
}

std::string joined(const Names& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

ColumnGroups::ColumnGroups(Measure measure, std::size_t shuffles) : measure_(measure), shuffles_(shuffles) {
  if (shuffles == 0)
    throw ConfigError({.field = "shuffles"}, "At least one shuffle of the columns is needed.");
}

Range ColumnGroups::range() const {
  return {0, measure_ == Measure::nndr ? std::numeric_limits<double>::infinity() : 1};
}

Score ColumnGroups::evaluate(const Table* real, const Table& synthetic,
                             const EvaluationContext& context) const {
  const bool ratio = measure_ == Measure::nndr;
  Score score =
      start_score(*this,
                  ratio ? "Smallest ratio, over groups of columns, of the synthetic rows' NNDR to the "
                          "holdout rows'."
                        : "Largest share, over groups of columns, of synthetic rows that are closer to a "
                          "training row than to a holdout row.",
                  message("both halves of the columns, shuffled ", shuffles_, " times"));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (!context.holdout) return undefined(std::move(score), "No holdout was given.");
  const Table& holdout = *context.holdout;
  if (real->rows() == 0 || synthetic.rows() == 0 || holdout.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  if (ratio && real->rows() < 2)
    return undefined(std::move(score), "A ratio of two nearest distances needs two training rows.");
  const Names columns = detail::shared_columns(*real, synthetic, &holdout);
  if (columns.size() < 4)
    return undefined(std::move(score), "Groups of columns need four columns of numbers or categories.");
  const std::vector<Names> groups = groups_of(columns, shuffles_, context.seed);
  std::optional<Interval> worst;
  for (const Names& group : groups) {
    RowDistances distances(*real, synthetic, &holdout, context.seed, group);
    if (!ratio && score.parts.empty())  // of every group alike
      if (std::string reason = distances.no_share(); !reason.empty())
        return undefined(std::move(score), std::move(reason));
    double value = 0;
    if (ratio) {
      const double of_holdout = mean_ratio(distances.nearest(Rows::holdout, Rows::training, context));
      if (!(of_holdout > 0)) continue;
      value = mean_ratio(distances.nearest(Rows::synthetic, Rows::training, context)) / of_holdout;
    } else {
      value = distances.against_chance(mean_of(distances.won_by_training(context)));
      if (const auto of_group = distances.split_interval(context, groups.size())) {
        if (!worst) worst = Interval{0, 0, 0.95, {}};
        worst->low = std::max(worst->low, distances.against_chance(of_group->low));
        worst->high = std::max(worst->high, distances.against_chance(of_group->high));
      }
    }
    score.parts.push_back({joined(group), value, synthetic.rows(), ""});
  }
  if (score.parts.empty())
    return undefined(std::move(score), "All holdout rows are copies of training rows.");
  const auto by_value = [](const ScorePart& a, const ScorePart& b) { return *a.value < *b.value; };
  std::sort(score.parts.begin(), score.parts.end(),
            [&](const ScorePart& a, const ScorePart& b) { return ratio ? by_value(a, b) : by_value(b, a); });
  score.value = score.parts.front().value;
  score.n = synthetic.rows();
  score.interval = worst;
  if (worst)
    score.interval->method =
        message("the farthest ends of Wilson's intervals of ", groups.size(),
                " groups, real units split again and again, all right at once (Bonferroni)");
  else
    score.no_interval = "The worst of several groups is no mean, and a bootstrap of it is biased.";
  score.ceiling = Bound{ratio ? 1 : 0.5, "theory: training and holdout rows are treated alike"};
  return score;
}

}  // namespace synthema
