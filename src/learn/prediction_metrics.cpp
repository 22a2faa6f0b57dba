#include "synthema/learn/prediction_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "synthema/core/error.hpp"
#include "synthema/core/mean.hpp"

namespace synthema {

namespace {

using Values = std::span<const double>;

void check(Values a, Values b) {
  if (a.size() != b.size())
    throw EvaluationError(message("There are ", a.size(), " predictions for ", b.size(), " rows."));
  for (const Values values : {a, b})
    for (const double value : values)
      if (!std::isfinite(value)) throw EvaluationError("A prediction or a true value is not finite.");
}

std::vector<std::size_t> ascending(Values scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] < scores[b]; });
  return order;
}

// visit(begin, end) for every run of tied scores in the order.
template <class Visit>
void for_ties(Values scores, const std::vector<std::size_t>& order, const Visit& visit) {
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && scores[order[end]] == scores[order[begin]]) ++end;
    visit(begin, end);
    begin = end;
  }
}

}  // namespace

std::optional<AurocInfluence> auroc_influence(Values scores, Values labels) {
  check(scores, labels);
  double ones = 0;
  for (const double label : labels) ones += label;
  const double zeros = static_cast<double>(labels.size()) - ones;
  if (ones == 0 || zeros == 0) return std::nullopt;
  const std::vector<std::size_t> order = ascending(scores);
  AurocInfluence out{0, std::vector<double>(scores.size())};
  double ones_below = 0, zeros_below = 0, pairs = 0;
  for_ties(scores, order, [&](std::size_t begin, std::size_t end) {
    double tied_ones = 0;
    for (std::size_t i = begin; i < end; ++i) tied_ones += labels[order[i]];
    const double tied_zeros = static_cast<double>(end - begin) - tied_ones;
    const double share_below = (zeros_below + tied_zeros / 2) / zeros;
    const double share_above = (ones - ones_below - tied_ones / 2) / ones;
    for (std::size_t i = begin; i < end; ++i)
      out.influence[order[i]] = labels[order[i]] == 1 ? share_below : share_above;
    pairs += tied_ones * (zeros_below + tied_zeros / 2);
    ones_below += tied_ones;
    zeros_below += tied_zeros;
  });
  out.auroc = pairs / (ones * zeros);
  for (std::size_t i = 0; i < labels.size(); ++i)
    out.influence[i] = (out.influence[i] - out.auroc) / (labels[i] == 1 ? ones : zeros);
  return out;
}

std::optional<double> auroc(Values scores, Values labels) {
  const auto found = auroc_influence(scores, labels);
  return found ? std::optional(found->auroc) : std::nullopt;
}

std::optional<std::vector<double>> true_positive_rates(Values scores, Values labels, Values at) {
  check(scores, labels);
  double ones = 0;
  for (const double label : labels) ones += label;
  const double zeros = static_cast<double>(labels.size()) - ones;
  if (ones == 0 || zeros == 0) return std::nullopt;
  std::vector<std::size_t> order = ascending(scores);
  std::reverse(order.begin(), order.end());
  std::vector<double> out(at.size());
  std::size_t next = 0;
  double false_before = 0, true_before = 0;  // counts, so that corners on the asked rates are met exactly
  for_ties(scores, order, [&](std::size_t begin, std::size_t end) {
    double true_after = true_before;
    for (std::size_t i = begin; i < end; ++i) true_after += labels[order[i]];
    const double false_after = static_cast<double>(end) - true_after;
    for (; next < at.size() && at[next] * zeros < false_after; ++next) {
      const double along = (at[next] * zeros - false_before) / (false_after - false_before);
      out[next] = (true_before + along * (true_after - true_before)) / ones;
    }
    false_before = false_after, true_before = true_after;
  });
  for (; next < at.size(); ++next) out[next] = 1;  // all are called positive
  return out;
}

std::optional<double> average_precision(Values scores, Values labels) {
  check(scores, labels);
  double ones = 0;
  for (const double label : labels) ones += label;
  if (ones == 0) return std::nullopt;
  std::vector<std::size_t> order = ascending(scores);
  std::reverse(order.begin(), order.end());
  double hits = 0, sum = 0;
  for_ties(scores, order, [&](std::size_t begin, std::size_t end) {
    const double before = hits;
    for (std::size_t i = begin; i < end; ++i) hits += labels[order[i]];
    sum += (hits - before) / ones * (hits / static_cast<double>(end));
  });
  return sum;
}

std::optional<double> brier_score(Values probabilities, Values labels) {
  check(probabilities, labels);
  if (labels.empty()) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    sum += (probabilities[i] - labels[i]) * (probabilities[i] - labels[i]);
  return sum / static_cast<double>(labels.size());
}

std::optional<double> calibration_error(Values probabilities, Values labels, std::size_t bins) {
  check(probabilities, labels);
  if (labels.empty()) return std::nullopt;
  if (bins == 0) throw ConfigError({.field = "bins"}, "Calibration needs at least one bin.");
  std::vector<double> difference(bins);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    // A probability on an edge belongs to the bin below it.
    const double place = std::ceil(std::clamp(probabilities[i], 0.0, 1.0) * static_cast<double>(bins)) - 1;
    difference[static_cast<std::size_t>(std::max(place, 0.0))] += probabilities[i] - labels[i];
  }
  double sum = 0;
  for (const double one : difference) sum += std::abs(one);
  return sum / static_cast<double>(labels.size());
}

ConfusionMatrix confusion_matrix(const Predictions& probabilities, Values classes) {
  if (probabilities.rows() != classes.size())
    throw EvaluationError(
        message("There are ", probabilities.rows(), " predictions for ", classes.size(), " rows."));
  ConfusionMatrix out{probabilities.width, std::vector<double>(probabilities.width * probabilities.width)};
  for (std::size_t row = 0; row < classes.size(); ++row) {
    const auto begin = probabilities.values.begin() + static_cast<std::ptrdiff_t>(row * out.classes);
    const auto most = std::max_element(begin, begin + static_cast<std::ptrdiff_t>(out.classes)) - begin;
    ++out.counts[static_cast<std::size_t>(classes[row]) * out.classes + static_cast<std::size_t>(most)];
  }
  return out;
}

std::optional<double> ConfusionMatrix::accuracy() const {
  const double rows = std::accumulate(counts.begin(), counts.end(), 0.0);
  if (rows == 0) return std::nullopt;
  double hits = 0;
  for (std::size_t c = 0; c < classes; ++c) hits += counts[c * classes + c];
  return hits / rows;
}

std::optional<double> ConfusionMatrix::balanced_accuracy() const {
  std::vector<double> recalls;
  for (std::size_t c = 0; c < classes; ++c) {
    const auto row = counts.begin() + static_cast<std::ptrdiff_t>(c * classes);
    const double there = std::accumulate(row, row + static_cast<std::ptrdiff_t>(classes), 0.0);
    if (there > 0) recalls.push_back(counts[c * classes + c] / there);
  }
  return recalls.empty() ? std::nullopt : std::optional(mean_of(recalls));
}

double ConfusionMatrix::f1(std::size_t of_class) const {
  double there = 0, predicted = 0;
  for (std::size_t c = 0; c < classes; ++c) {
    there += counts[of_class * classes + c];
    predicted += counts[c * classes + of_class];
  }
  return there + predicted > 0 ? 2 * counts[of_class * classes + of_class] / (there + predicted) : 0;
}

std::optional<double> ConfusionMatrix::f1() const {
  if (classes == 2) return accuracy() ? std::optional(f1(1)) : std::nullopt;
  std::vector<double> of_classes;
  for (std::size_t c = 0; c < classes; ++c) {
    double seen = 0;
    for (std::size_t other = 0; other < classes; ++other)
      seen += counts[c * classes + other] + counts[other * classes + c];
    if (seen > 0) of_classes.push_back(f1(c));
  }
  return of_classes.empty() ? std::nullopt : std::optional(mean_of(of_classes));
}

std::optional<AurocInfluence> auroc_influence(const Predictions& probabilities, Values classes) {
  if (probabilities.width == 2) return auroc_influence(probabilities.column(1), classes);
  AurocInfluence out{0, std::vector<double>(classes.size())};
  double used = 0;
  for (std::size_t c = 0; c < probabilities.width; ++c) {
    std::vector<double> is_class(classes.size());
    for (std::size_t i = 0; i < classes.size(); ++i)
      is_class[i] = classes[i] == static_cast<double>(c) ? 1 : 0;
    const auto one = auroc_influence(probabilities.column(c), is_class);
    if (!one) continue;
    ++used;
    out.auroc += one->auroc;
    for (std::size_t i = 0; i < classes.size(); ++i) out.influence[i] += one->influence[i];
  }
  if (used == 0) return std::nullopt;
  out.auroc /= used;
  for (double& value : out.influence) value /= used;
  return out;
}

std::optional<double> r_squared(Values predicted, Values values) {
  check(predicted, values);
  if (values.empty()) return std::nullopt;
  const double mean = mean_of(values);
  double residual = 0, total = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    residual += (values[i] - predicted[i]) * (values[i] - predicted[i]);
    total += (values[i] - mean) * (values[i] - mean);
  }
  return total > 0 ? std::optional(1 - residual / total) : std::nullopt;
}

std::optional<double> mean_absolute_error(Values predicted, Values values) {
  check(predicted, values);
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += std::abs(predicted[i] - values[i]);
  return sum / static_cast<double>(values.size());
}

std::optional<double> root_mean_squared_error(Values predicted, Values values) {
  const auto squared = brier_score(predicted, values);  // the same mean of squares
  return squared ? std::optional(std::sqrt(*squared)) : std::nullopt;
}

}  // namespace synthema
