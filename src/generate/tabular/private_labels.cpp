#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <unordered_map>

#include "src/generate/tabular/private_learner.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/normal.hpp"

namespace synthema::detail {

namespace {

constexpr double kRestShare = 0.2;  // of a column's budget, for rows whose label may not be told
constexpr double kOthers =
    1.5;  // standard deviations: rows with labels that are not told, more likely than not

// z with this upper tail, not rounded down.
double upper_quantile(double tail) {
  return -normal_quantile(tail) * (1 + 1e-12);
}

// A person brings at most m labels of at most m rows. For discrete noise P(X >= k) <= P(Y >= k - 1) of the
// continuous one (Canonne, Kamath and Steinke 2020, proposition 25), and X is a whole number.
double threshold_of(double m, double sigma, double delta) {
  return m + std::ceil(sigma * upper_quantile(delta / m));
}

std::string_view label_at(const Column& column, std::size_t row) {
  if (column.kind() == Kind::boolean) return column.boolean_at(row) ? "true" : "false";
  return column.text_at(row);
}

// Codes of the rows' labels; labels that are not listed get their number, missing values the one after it.
std::vector<std::uint32_t> label_codes(const PrivateLearner& learner, const Column& column,
                                       std::span<const std::string> labels) {
  std::unordered_map<std::string_view, std::uint32_t> known;
  for (std::size_t i = 0; i < labels.size(); ++i) known.emplace(labels[i], static_cast<std::uint32_t>(i));
  const auto unlisted = static_cast<std::uint32_t>(labels.size());
  std::vector<std::uint32_t> out;
  out.reserve(learner.rows.size());
  for (const std::size_t row : learner.rows) {
    if (column.is_null(row)) {
      out.push_back(unlisted + 1);
      continue;
    }
    const auto at = known.find(label_at(column, row));
    out.push_back(at == known.end() ? unlisted : at->second);
  }
  return out;
}

[[noreturn]] void refuse_label(const Field& field) {
  throw SchemaError({.field = field.name},
                    "The column has a label that is not among the categories of the schema; add it there, or "
                    "correct the rows.");
}

// Codes as states, once the column has all of these.
std::vector<std::uint32_t> states_of(std::span<const std::uint32_t> codes, const PrivateColumn& column) {
  const std::size_t labels = column.label_states.size();
  std::vector<std::uint32_t> out;
  out.reserve(codes.size());
  for (const std::uint32_t code : codes)
    out.push_back(code < labels    ? column.label_states[code]
                  : code == labels ? column.rest_state()
                                   : column.missing_state());
  return out;
}

// Labels that the schema names: their counts, those of faint ones pooled.
void learn_named(const PrivateLearner& learner, const Column& column, PrivateColumn& out,
                 LearntColumn& learnt) {
  const std::size_t labels = out.coding.labels.size();
  const std::vector<std::uint32_t> codes = label_codes(learner, column, out.coding.labels);
  std::vector<double> counts(labels + (out.missing ? 1 : 0));
  for (const std::uint32_t code : codes) {
    if (code == labels) refuse_label(out.coding.field);
    counts[std::min<std::size_t>(code, counts.size() - 1)] += 1;
  }
  const double sigma = learner.budget.measure(counts, learner.rho(out.coding.field),
                                              "counts of labels: " + out.coding.field.name);
  const double precision = 1 / (sigma * sigma);
  const auto is_faint = [&](std::size_t label) { return counts[label] < kFaint * sigma; };
  std::size_t faint = 0;
  for (std::size_t i = 0; i < labels; ++i) faint += is_faint(i);
  const bool pools = column.kind() != Kind::boolean && faint >= 2;
  double pooled = 0;
  out.label_states.resize(labels);
  for (std::size_t i = 0; i < labels; ++i) {
    const bool own = !pools || !is_faint(i);
    out.label_weights.push_back(own ? 1 : std::max(counts[i], 0.0) + sigma / 4);
    if (own)
      out.label_states[i] = learnt.add_state(out, counts[i], precision);
    else
      pooled += counts[i];
  }
  if (pools) {
    const std::uint32_t state = learnt.add_state(out, pooled, precision / static_cast<double>(faint));
    for (std::size_t i = 0; i < labels; ++i)
      if (is_faint(i)) out.label_states[i] = state;
  }
  if (out.missing) learnt.add_state(out, counts.back(), precision);
  learnt.states = states_of(codes, out);
}

// Labels that nobody named: those with a noisy count above the threshold.
void learn_unnamed(const PrivateLearner& learner, const Column& column, PrivateColumn& out,
                   LearntColumn& learnt) {
  const Field& field = out.coding.field;
  const double rho = learner.rho(field), delta = learner.options.threshold_delta;
  std::map<std::string_view, double> found;  // in the order of the labels, not of the rows
  double missing = 0;
  for (const std::size_t row : learner.rows)
    (column.is_null(row) ? missing : found[column.text_at(row)]) += 1;
  std::vector<double> counts;
  for (const auto& [label, count] : found) counts.push_back(count);
  counts.push_back(missing);
  const double sigma = learner.budget.measure(counts, rho * (1 - kRestShare),
                                              "labels above a threshold: " + field.name, delta);
  const double threshold = threshold_of(learner.budget.sensitivity(), sigma, delta);
  const double precision = 1 / (sigma * sigma);
  std::size_t i = 0;
  for (const auto& [label, count] : found) {
    const double noisy = counts[i++];
    if (!(noisy > threshold)) continue;
    out.coding.labels.emplace_back(label);
    out.label_weights.push_back(noisy);
    out.label_states.push_back(learnt.add_state(out, noisy, precision));
  }
  const std::vector<std::uint32_t> codes = label_codes(learner, column, out.coding.labels);
  const std::size_t labels = out.coding.labels.size();
  std::vector<double> rest{static_cast<double>(std::ranges::count(codes, labels))};
  const double rest_sigma =
      learner.budget.measure(rest, rho * kRestShare, "rows of labels below the threshold: " + field.name);
  if (labels == 0) return give_up(out);
  out.rest = true;
  out.resolved = labels > 1 || rest[0] < kOthers * rest_sigma;
  learnt.add_state(out, rest[0], 1 / (rest_sigma * rest_sigma));
  if (out.missing) learnt.add_state(out, counts.back(), precision);
  learnt.states = states_of(codes, out);
}

}  // namespace

void learn_labels(const PrivateLearner& learner, const Column& column, PrivateColumn& out,
                  LearntColumn& learnt) {
  ColumnCoding& coding = out.coding;
  coding.form = CodingForm::category;
  if (column.kind() == Kind::boolean) {
    coding.labels = {"false", "true"};
  } else {
    learner.require_named(coding.field, !coding.field.categories.empty(), "labels");
    coding.labels = coding.field.categories;
    coding.ordered = !coding.labels.empty() && column.ordered();
  }
  if (coding.labels.empty()) return learn_unnamed(learner, column, out, learnt);
  learn_named(learner, column, out, learnt);
}

void refuse_unlisted(const PrivateLearner& learner, const Column& column, const Field& field) {
  const std::vector<std::uint32_t> codes = label_codes(learner, column, field.categories);
  if (std::ranges::find(codes, field.categories.size()) != codes.end()) refuse_label(field);
}

double label_is_told_from(const PrivateDomainOptions& options, const PrivateBudget& budget, double rho) {
  const double sigma = budget.sigma_of(rho * (1 - kRestShare));
  return budget.sensitivity() + sigma * upper_quantile(options.threshold_delta / budget.sensitivity());
}

}  // namespace synthema::detail
