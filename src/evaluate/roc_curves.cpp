#include "src/evaluate/roc_curves.hpp"

#include <algorithm>
#include <numeric>

#include "synthema/core/error.hpp"
#include "synthema/learn/prediction_metrics.hpp"

namespace synthema::detail {

namespace {

using Numbers = std::vector<double>;
constexpr std::size_t kSteps = 100;
constexpr std::size_t kLabels = 4;
constexpr std::size_t kFewest = 5;

const Numbers& false_positive_rates() {
  static const Numbers rates = [] {
    Numbers out;
    for (std::size_t i = 0; i <= kSteps; ++i) out.push_back(static_cast<double>(i) / kSteps);
    return out;
  }();
  return rates;
}

void add_share(Numbers& to, const Numbers& from, double share) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i] * share;
}

// Of one label against the rest; empty where all or no rows have it.
Numbers mean_over_fits(const std::vector<Predictions>& fits, std::size_t label, const Numbers& classes) {
  Numbers is_label, out(false_positive_rates().size());
  for (const double one : classes) is_label.push_back(one == static_cast<double>(label) ? 1 : 0);
  for (const Predictions& fit : fits) {
    const auto rates = true_positive_rates(fit.column(label), is_label, false_positive_rates());
    if (!rates) return {};
    add_share(out, *rates, 1 / static_cast<double>(fits.size()));
  }
  return out;
}

Numbers mean_over_labels(const std::vector<Numbers>& of_label) {
  Numbers out(false_positive_rates().size());
  const auto used =
      std::count_if(of_label.begin(), of_label.end(), [](const auto& one) { return !one.empty(); });
  for (const Numbers& one : of_label)
    if (!one.empty()) add_share(out, one, 1 / static_cast<double>(used));
  return out;
}

Curve curve_of(std::string name, std::string of, const Numbers& true_positive_rates) {
  Curve out{std::move(name), std::move(of), {0}, {0}};  // where nothing is called positive
  out.x.insert(out.x.end(), false_positive_rates().begin(), false_positive_rates().end());
  out.y.insert(out.y.end(), true_positive_rates.begin(), true_positive_rates.end());
  return out;
}

}  // namespace

std::vector<std::size_t> frequent_labels(const Numbers& classes, std::size_t labels) {
  std::vector<std::size_t> rows(labels), order(labels);
  for (const double one : classes) ++rows[static_cast<std::size_t>(one)];
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [&](auto label) { return rows[label] < kFewest; });
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rows[a] > rows[b]; });
  order.resize(std::min(kLabels, order.size()));
  return order;
}

std::vector<Curve> roc_curves(const std::vector<Predictions>& fits, const std::vector<std::string>& labels,
                              const Numbers& classes, const std::string& of) {
  if (labels.size() < 2 || fits.empty()) return {};
  const std::vector<std::size_t> frequent = frequent_labels(classes, labels.size());
  if (frequent.size() < 2) return {};
  if (labels.size() == 2) return {curve_of("ROC", of, mean_over_fits(fits, 1, classes))};
  std::vector<Numbers> of_label;
  for (std::size_t label = 0; label < labels.size(); ++label)
    of_label.push_back(mean_over_fits(fits, label, classes));
  std::vector<Curve> out{curve_of("ROC, mean of labels", of, mean_over_labels(of_label))};
  for (const std::size_t label : frequent)
    out.push_back(curve_of(message("ROC of ", labels[label]), of, of_label[label]));
  return out;
}

}  // namespace synthema::detail
