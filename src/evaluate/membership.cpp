#include "synthema/evaluate/privacy/membership.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "src/evaluate/membership_auroc.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/trial_rows.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/learn/nearest_neighbours.hpp"

namespace synthema {

namespace {

using Names = std::vector<std::string>;

// The holdout in two halves of whole subjects, whatever the order of its rows.
struct Halves {
  Table reference, others;
};
std::optional<Halves> halves_of(const Table& holdout, const Names& columns, std::uint64_t seed) {
  const Units units = Units::of(holdout);
  if (units.count < 4) return std::nullopt;
  std::vector<std::size_t> order = detail::units_by_content(holdout, units, columns);
  Random random = Random(seed).stream(0x68616C76);
  random.shuffle(order);
  std::vector<bool> is_reference(units.count, false);
  for (std::size_t i = 0; i < order.size() / 2; ++i) is_reference[order[i]] = true;
  std::vector<std::size_t> rows[2];
  for (std::size_t row = 0; row < holdout.rows(); ++row)
    rows[is_reference[units.of_row[row]] ? 0 : 1].push_back(row);
  return Halves{holdout.take(rows[0]), holdout.take(rows[1])};
}

std::vector<double> kth_distances(const NeighbourIndex& among, const NeighbourIndex& queries, std::size_t k,
                                  const EvaluationContext& context) {
  const auto found =
      among.nearest_to(queries, {.neighbours = k, .threads = context.threads, .cancel = context.cancel});
  std::vector<double> out;
  for (std::size_t i = k - 1; i < found.size(); i += k) out.push_back(found[i].distance);
  return out;
}

// Loss of each row with a target; the others are left out of `table` by the caller.
std::vector<double> losses(const Predictions& predicted, const Target& target) {
  std::vector<double> out;
  for (std::size_t row = 0; row < target.values.size(); ++row) {
    const double truth = target.values[row];
    if (target.classes > 0) {
      const double p = predicted.at(row, static_cast<std::size_t>(truth));
      out.push_back(-std::log(std::clamp(p, 1e-12, 1.0)));
    } else {
      out.push_back(std::pow(predicted.at(row) - truth, 2));
    }
  }
  return out;
}

Table with_target(const Table& table, const TargetColumn& target, const Names& columns) {
  const Target read = target.of(table);
  std::vector<std::size_t> rows;
  for (const std::size_t row : detail::order_by_content(table, columns))
    if (!std::isnan(read.values[row])) rows.push_back(row);
  return table.take(rows);
}

}  // namespace

MembershipByDensity::MembershipByDensity(std::size_t neighbours) : neighbours_(neighbours) {
  if (neighbours == 0) throw ConfigError({.field = "neighbours"}, "At least one neighbour is needed.");
}

Score MembershipByDensity::evaluate(const Table* real, const Table& synthetic,
                                    const EvaluationContext& context) const {
  Score score =
      start_score(*this,
                  "Chance that synthetic rows are denser, against real rows in general, around a "
                  "training row, or a subject's rows, than around holdout ones.",
                  message("AUROC of p_synthetic / p_reference, densities by the neighbour of rank ",
                          neighbours_, " (van Breugel et al. 2023); subjects by the mean logarithm"));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (!context.holdout) return undefined(std::move(score), "No holdout was given.");
  if (real->rows() == 0) return undefined(std::move(score), "One of the tables has no rows.");
  const Names columns = detail::shared_columns(*real, synthetic, context.holdout.get());
  if (columns.empty())
    return undefined(std::move(score), "The tables share no column of numbers or categories.");
  const auto halves = halves_of(*context.holdout, columns, context.seed);
  if (!halves || halves->reference.rows() < neighbours_ || synthetic.rows() < neighbours_)
    return undefined(
        std::move(score),
        "Half of the holdout and the synthetic table need as many rows as there are neighbours.");
  const std::vector<const Table*> scale_by{real, context.holdout.get()};
  MixedSpace space(scale_by, columns);
  const NeighbourIndex of_synthetic(space, space.encode(synthetic)),
      of_reference(space, space.encode(halves->reference)), members(space, space.encode(*real)),
      others(space, space.encode(halves->others));
  const auto ratios = [&](const NeighbourIndex& queries) {
    constexpr double kSmall = 1e-9;  // where both are 0, a row is no more one than the other
    std::vector<double> out = kth_distances(of_reference, queries, neighbours_, context);
    const std::vector<double> near = kth_distances(of_synthetic, queries, neighbours_, context);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::log((out[i] + kSmall) / (near[i] + kSmall));
    return out;
  };
  detail::set_membership_auroc(score, ratios(members), ratios(others), Units::of(*real),
                               Units::of(halves->others));
  score.parts.push_back({"rows of the holdout as reference", static_cast<double>(halves->reference.rows()),
                         halves->reference.rows(), "the others are the non-members"});
  return score;
}

Score MembershipByModel::evaluate(const Table* real, const Table& synthetic,
                                  const EvaluationContext& context) const {
  Score score = start_score(*this,
                            "Chance that a model trained on synthetic rows favours a training row, or a "
                            "subject's rows, over holdout ones.",
                            message("AUROC of the shadow model's loss minus the model's, ", learner_.name,
                                    " (Watson et al. 2022); subjects by the mean over their rows"));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (!context.holdout) return undefined(std::move(score), "No holdout was given.");
  if (context.target_column.empty()) return undefined(std::move(score), "No target column was named.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  const Names all = detail::shared_columns(*real, synthetic, context.holdout.get());
  Names columns = all;
  if (std::erase(columns, context.target_column) == 0)
    throw EvaluationError({.field = context.target_column},
                          "The target must be a number or a category that every table has.");
  if (columns.empty()) return undefined(std::move(score), "The tables share no column but the target.");
  const auto halves = halves_of(*context.holdout, all, context.seed);
  if (!halves) return undefined(std::move(score), "The holdout needs four rows, of four subjects.");
  const std::optional<TargetColumn> target = detail::target_of(*real, context, score);
  if (!target) return score;
  const Table members = with_target(*real, *target, all), others = with_target(halves->others, *target, all);
  const auto fitted = [&](const Table& rows, std::uint64_t stream) {
    const LearningTask task{.training = &rows,
                            .columns = columns,
                            .target = &*target,
                            .random = Random(context.seed).stream(0x73686164).stream(stream),
                            .threads = context.threads,
                            .cancel = context.cancel};
    return learner_.fit(task);
  };
  const Table from_synthetic = with_target(synthetic, *target, all),
              from_reference = with_target(halves->reference, *target, all);
  if (members.rows() == 0 || others.rows() == 0 || from_synthetic.rows() == 0 || from_reference.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows with a target.");
  const Predictor attacked = fitted(from_synthetic, 0), shadow = fitted(from_reference, 1);
  const auto signal = [&](const Table& rows) {
    const Target truth = target->of(rows);
    const std::vector<double> loss = losses(attacked(rows), truth);
    std::vector<double> out = losses(shadow(rows), truth);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] -= loss[i];
    return out;
  };
  detail::set_membership_auroc(score, signal(members), signal(others), Units::of(members), Units::of(others));
  return score;
}

}  // namespace synthema
