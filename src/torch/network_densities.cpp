#include <algorithm>
#include <cmath>

#include "src/torch/network_block.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema {

namespace {

using detail::ColumnClasses;
using detail::kUnknownClass;

using detail::kMissing;
using detail::kNever;

}  // namespace

// How likely each row's further variables are given its first one; 1 where there are none. Classes that are
// unknown say nothing.
std::vector<double> AnyOrderNetwork::Fitted::Block::further_shares(
    std::size_t column, std::span<const ColumnClasses::Classes> classes) {
  const ColumnClasses& of = model.classes[column];
  std::vector<double> out(classes.size(), 1.0);
  const detail::Floats before = sums;
  for (std::size_t v = 1; v < of.variables(); ++v) {
    for (std::size_t i = 0; i < classes.size(); ++i)
      model.network->add(model.parameters.data(), model.first[column] + v - 1, classes[i][v - 1], sum(i));
    ask(column, v);
    for (std::size_t i = 0; i < classes.size(); ++i)
      if (of.continues(classes[i][0]) && read_next(i, column, v, classes[i])) out[i] *= shares[classes[i][v]];
  }
  sums = before;
  return out;
}

// How likely each row's label is among those of its class, against its share of the class by frequency; 1
// where it has the class for itself.
std::vector<double> AnyOrderNetwork::Fitted::Block::label_ratios(std::size_t column,
                                                                 std::span<const double> labels) {
  const ColumnClasses& of = model.classes[column];
  const ColumnCoding& coding = model.coded.columns[column];
  std::vector<ColumnClasses::Classes> classes(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i)
    classes[i] =
        of.of_code(std::isfinite(labels[i]) ? static_cast<std::uint32_t>(labels[i]) : coding.pooled_code());
  std::vector<double> out = further_shares(column, classes);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (!std::isfinite(labels[i]) || !of.continues(classes[i][0])) continue;
    const CodeCounts counts = of.counts()[classes[i][0]].view();
    out[i] *= std::exp(-synthema::log_density(coding, counts, labels[i]));
  }
  return out;
}

// Of the cells of a column that was told privately; -inf where it never gives one, or the rules refuse it.
// The row's missing labels, and those that are not told, are in states of their own.
std::vector<double> AnyOrderNetwork::Fitted::Block::told_densities(std::size_t column,
                                                                   std::span<const double> cells_asked) {
  const PrivateColumn& own = model.told[column];
  const ColumnClasses& of = model.classes[column];
  const double width = own.coding.is_category() ? 0 : std::log(measure_width(own.coding));
  std::vector<double> out(cells_asked.size(), 0.0);
  std::vector<ColumnClasses::Classes> classes(cells_asked.size());
  for (const bool rest : {false, true}) {
    if (rest && !own.rest) break;
    for (std::size_t i = 0; i < classes.size(); ++i)
      classes[i] = rest ? of.of_code(own.rest_state()) : model.classes_of_cell(column, cells_asked[i]);
    std::vector<double> further(classes.size(), 1.0);
    if (of.variables() > 1) further = further_shares(column, classes);
    ask(column, 0);
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const double cell = cells_asked[i];
      if (classes[i][0] == kUnknownClass || (rest && !std::isfinite(cell)) || !read_first(i, column, false))
        continue;
      const std::uint32_t state = rest ? own.rest_state() : own.state_of(cell);
      out[i] += shares[classes[i][0]] * further[i] * std::exp(own.log_share(state, cell));
    }
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double cell = cells_asked[i];
    const detail::RuledCell ruled{model.rules, model.coded.columns, column, row(i), false};
    if (model.rules.touches(column) && !std::isinf(cell) && read_first(i, column, false))
      out[i] = ruled.admits(cell) ? told_under_rules(column, cell, out[i], ruled) : 0;
    out[i] = std::log(out[i]) - (std::isnan(cell) ? 0 : width);
  }
  return out;
}

// Of a cell that the rules admit, where `shares` are those of the row's classes and a free draw has this
// density: what the rules refuse is drawn again, as ruled() does.
double AnyOrderNetwork::Fitted::Block::told_under_rules(std::size_t column, double cell, double free,
                                                        const detail::RuledCell& ruled) const {
  const PrivateColumn& own = model.told[column];
  const std::vector<OwnedCounts>& counts = model.classes[column].counts();
  // Over the states of each class, by their frequency.
  const auto mean_of = [&](std::size_t c, const auto& of_state) {
    const CodeCounts states = counts[c].view();
    double sum = 0;
    for (std::size_t i = 0; i < states.codes.size(); ++i)
      sum += states.rows_of(i) * of_state(states.codes[i]);
    return states.codes.empty() ? 0 : sum / states.total();
  };
  std::vector<double> left(counts.size());
  double taken = 0;
  for (std::size_t c = 0; c < left.size(); ++c) {
    left[c] = mean_of(c, [&](std::uint32_t state) {
      return own.share_that(state, [&](double one) { return ruled.admits(one); });
    });
    taken += shares[c] * left[c];
  }
  if (ruled.determined()) {
    const std::uint8_t none = model.classes_of_cell(column, kMissing)[0];
    const double missing = none < shares.size() && ruled.admits(kMissing) ? shares[none] : 0;
    return std::isnan(cell) ? missing : 1 - missing;
  }
  const double refused = std::max(0.0, 1 - taken);
  if (ruled.rules.combined(column) && !own.coding.is_category()) {
    const auto listed = listed_by_class(column, ruled);
    double all = 0;
    for (std::size_t c = 0; c < listed.size(); ++c) all += listed[c].empty() ? 0 : shares[c];
    const std::uint8_t at = model.classes_of_cell(column, cell)[0];
    if (!(all > 0) || at >= listed.size() || listed[at].empty()) return free;
    return free + refused * shares[at] / all / static_cast<double>(listed[at].size());
  }
  const std::vector<double> possible = not_refused(column, shares, ruled);
  double again = 0, density = 0;
  for (std::size_t c = 0; c < possible.size(); ++c) {
    if (possible[c] <= 0) continue;
    again += possible[c] * left[c];
    density +=
        possible[c] * mean_of(c, [&](std::uint32_t state) { return std::exp(own.log_share(state, cell)); });
  }
  return again > 0 ? free + refused * density / again : free;
}

// `shares` are those of the row's classes; `ratio` is from label_ratios.
double AnyOrderNetwork::Fitted::Block::log_density(std::size_t column, double cell, double ratio,
                                                   const detail::RuledCell& ruled) const {
  const CodeCounts all[] = {model.all[column].view()};
  if (model.distances[column])
    return detail::log_density_at_distance(distance_shares(column, ruled, cell), all, ruled, cell);
  const ColumnCoding& coding = model.coded.columns[column];
  const std::vector<OwnedCounts>& counts = model.classes[column].counts();
  const auto share_of = [&](double of) {
    const auto [from, to] = classes_near(column, of);
    double out = 0;
    for (std::size_t c = from; c < to; ++c)
      if (shares[c] > 0) out += shares[c] * std::exp(synthema::log_density(coding, counts[c].view(), of));
    return out;
  };
  const double free = ratio * share_of(cell);
  if (!model.rules.touches(column) || std::isinf(cell)) return std::log(free);
  if (!ruled.admits(cell)) return kNever;
  if (ruled.determined() && !std::isnan(cell))  // it may be a number that nobody has
    return std::log1p(ruled.admits(kMissing) ? -share_of(kMissing) : 0) - std::log(measure_width(coding));
  const auto [from, to] = classes_near(column, cell);
  double kept = 0, again = 0, under = 0;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (shares[c] <= 0) continue;
    const double share = shares[c] / counts[c].view().total();
    kept += share * ruled.left_of(counts[c].view()).view().total();
    const OwnedCounts left = ruled.redrawn_of(counts[c].view());
    if (left.codes.empty()) continue;
    const double weight = share * left.view().total();
    again += weight;
    if (c >= from && c < to) under += weight * std::exp(synthema::log_density(coding, left.view(), cell));
  }
  if (!ruled.is_reached()) kept = ruled.admits(kMissing) ? share_of(kMissing) : 0, again = 0;
  const double redrawn = again > 0 ? under / again : ruled.density_redrawn(all, cell);
  return std::log(free + std::max(0.0, 1 - kept) * redrawn);
}

// Classes from which a cell may come: a number that few have gives one that lies beside it.
std::pair<std::size_t, std::size_t> AnyOrderNetwork::Fitted::Block::classes_near(std::size_t column,
                                                                                 double cell) const {
  const ColumnCoding& coding = model.coded.columns[column];
  const ColumnClasses& of = model.classes[column];
  if (coding.is_category() || std::isnan(cell)) {
    const std::uint8_t own = std::isinf(cell) ? kUnknownClass : of.of_cell(coding, cell)[0];
    return own == kUnknownClass ? std::pair(std::size_t{0}, std::size_t{0}) : std::pair(own + 0UL, own + 1UL);
  }
  const bool far = !coding.replaced.empty() || coding.low_tail > coding.high_tail;
  if (far || std::isinf(cell)) return {0, of.classes(0)};
  constexpr std::size_t kReach = 257;  // values: see draw_cell
  const auto at = static_cast<std::size_t>(
      std::lower_bound(coding.values.begin(), coding.values.end(), cell) - coding.values.begin());
  std::size_t low = at > kReach ? at - kReach : 0, high = at + kReach;
  if (at >= coding.high_tail) low = std::min<std::size_t>(low, coding.high_tail);
  if (at < coding.low_tail) high = std::max<std::size_t>(high, coding.low_tail);
  const std::size_t last = coding.values.size() - 1;
  const auto class_of = [&](std::size_t code) {
    return std::size_t{coding.class_of_code(static_cast<std::uint32_t>(std::min(code, last)))};
  };
  return {class_of(low), class_of(high) + 1};
}

}  // namespace synthema
