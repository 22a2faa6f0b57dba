#include "src/generate/tabular/look_ahead.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kLookedAt = 256;
constexpr std::size_t kMostRemembered = 1 << 20;
constexpr double kWhole = 1U << 30;

// The columns that rules bind to this one, directly or through others, itself among them.
std::vector<std::uint8_t> all_bound_to(const RowRules& rules, std::size_t column, std::size_t columns) {
  std::vector<std::uint8_t> out(columns);
  std::vector<std::size_t> open{column};
  out[column] = 1;
  while (!open.empty()) {
    const std::size_t from = open.back();
    open.pop_back();
    for (const std::size_t other : rules.bound_to(from)) {
      if (out[other] != 0) continue;
      out[other] = 1;
      open.push_back(other);
    }
  }
  return out;
}

}  // namespace

LookAhead::LookAhead(const RowRules& rules, std::span<const ColumnCoding> columns,
                     std::span<const CodeCounts> counts, std::span<const std::size_t> order)
    : rules_(rules), columns_(columns), counts_(counts), bound_(columns.size()) {
  for (const std::size_t column : order) {
    if (rules.bound_to(column).empty() || !bound_[column].empty()) continue;
    const std::vector<std::uint8_t> together = all_bound_to(rules, column, columns.size());
    std::vector<std::size_t> walk;
    std::ranges::copy_if(order, std::back_inserter(walk), [&](std::size_t c) { return together[c] != 0; });
    for (const std::size_t c : walk) bound_[c] = walk;
  }
}

double LookAhead::Outcomes::sum() const {
  return std::accumulate(weights.begin(), weights.end(), weight_of_determined);
}

LookAhead::Key LookAhead::key_of(const Walk& walk, std::size_t place, bool with_condition) const {
  Key out = rules_.asked(walk.columns, {walk.cells, walk.past}, columns_);
  out.push_back(static_cast<double>(walk.columns[place]));
  if (with_condition) out.insert(out.end(), walk.condition.begin(), walk.condition.end());
  return out;
}

template <class Make>
double LookAhead::remembered(std::map<Key, double>& in, Key key, const Make& make) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto at = in.find(key); at != in.end()) return at->second;
  }
  const double out = make();
  const std::scoped_lock lock(mutex_);
  if (in.size() >= kMostRemembered) in.clear();
  in.emplace(std::move(key), out);
  return out;
}

// The share of the column's rows that the rules leave beside the columns before it.
double LookAhead::share_left(Walk& walk, std::size_t place) {
  const std::size_t column = walk.columns[place];
  return remembered(left_, key_of(walk, place, false), [&] {
    return RuledCell{rules_, columns_, column, {walk.cells, walk.past}}.share_left(counts_[column],
                                                                                   kLookedAt);
  });
}

// Of a cell beside the columns before it.
double LookAhead::likelihood(Walk& walk, std::size_t place, double cell) {
  const std::size_t column = walk.columns[place];
  const RuledCell past{rules_, columns_, column, {walk.cells, walk.past}};
  if (!past.admits(cell)) return 0;
  const double width = measure_width(columns_[column]);
  if (past.determined()) return 1 / width;
  const CodeCounts from[] = {counts_[column]};
  if (past.is_listed()) return std::exp(past.log_density(from, cell));
  const double left = share_left(walk, place);
  return left > 0 ? std::exp(log_density(columns_[column], from[0], cell)) / left : 1 / width;
}

LookAhead::Outcomes LookAhead::outcomes(Walk& walk, std::size_t place) {
  const std::size_t column = walk.columns[place];
  const ColumnCoding& coding = columns_[column];
  const CodeCounts& counts = counts_[column];
  const auto weigh = [&](double cell) {
    walk.step(column, cell);
    const double out = ahead(walk, place + 1);
    walk.step_back(column);
    return out;
  };
  Outcomes out;
  const RuledCell now{rules_, columns_, column, {walk.cells, walk.known}};
  out.determined = now.determined();
  if (out.determined) {
    const double likely = likelihood(walk, place, *out.determined);
    if (likely > 0) out.weight_of_determined = likely * weigh(*out.determined);
  }
  const OwnedCounts left = now.left_of(counts);
  const double of_past = std::max<double>(counts.total() * share_left(walk, place), left.view().total());
  const double step = static_cast<double>(left.view().total()) / kLookedAt;
  double looked_at = -1, last = 0;  // the rows up to the value that was last looked at, and what it said
  for (std::size_t i = 0; i < left.codes.size(); ++i) {
    const std::uint32_t code = left.codes[i];
    const bool missing = code >= coding.codes();
    if (out.determined && !missing) continue;
    const double before = i == 0 ? 0.0 : left.cumulative[i - 1], with = left.cumulative[i];
    if (looked_at < 0 || missing || coding.is_category() || left.codes.size() <= kLookedAt ||
        with - looked_at >= step) {
      last = weigh(missing ? std::numeric_limits<double>::quiet_NaN()
                           : (coding.is_category() ? static_cast<double>(code) : coding.values[code]));
      looked_at = with;
    }
    out.codes.push_back(code);
    out.weights.push_back((with - before) / of_past * last);
  }
  return out;
}

// How likely all that is fixed from this place on is.
double LookAhead::ahead(Walk& walk, std::size_t place) {
  if (place > walk.last) return 1;
  const std::size_t column = walk.columns[place];
  return remembered(ahead_, key_of(walk, place, true), [&] {
    if (walk.fixed[column] == 0) return outcomes(walk, place).sum();
    const double cell = walk.cells[column];
    const double likely = likelihood(walk, place, cell);
    if (!(likely > 0)) return 0.0;
    walk.step(column, cell);
    const double rest = ahead(walk, place + 1);
    walk.step_back(column);
    return likely * rest;
  });
}

std::optional<double> LookAhead::draw(std::size_t column, std::span<const double> fixed,
                                      const KnownCells& row, const Random& random,
                                      std::uint64_t number_of_row) {
  if (fixed.empty()) return std::nullopt;
  const std::vector<std::size_t>& bound = bound_[column];
  Walk walk;
  walk.columns = bound;
  std::size_t place = bound.size();
  for (std::size_t i = 0; i < bound.size(); ++i) {
    if (bound[i] == column) place = i;
    if (i > place && !std::isnan(fixed[bound[i]])) walk.last = i;
  }
  if (walk.last <= place || place == bound.size()) return std::nullopt;
  walk.cells.assign(row.cells.begin(), row.cells.end());
  walk.known.assign(row.known.begin(), row.known.end());
  walk.fixed.resize(columns_.size());
  walk.past.resize(columns_.size());
  for (std::size_t i = 0; i < bound.size(); ++i) {
    walk.fixed[bound[i]] = !std::isnan(fixed[bound[i]]);
    walk.past[bound[i]] = i < place;
    walk.condition.push_back(walk.fixed[bound[i]] ? fixed[bound[i]]
                                                  : std::numeric_limits<double>::infinity());
  }
  const Outcomes all = outcomes(walk, place);
  const double sum = all.sum();
  if (!(sum > 0)) return std::nullopt;
  if (all.determined) {
    const double share = (random.block(number_of_row, column)[0] + 0.5) / 4294967296.0;
    return share * sum < all.weight_of_determined ? *all.determined
                                                  : std::numeric_limits<double>::quiet_NaN();
  }
  OwnedCounts weighed;
  std::uint32_t total = 0;
  for (std::size_t i = 0; i < all.codes.size(); ++i) {
    const auto weight = static_cast<std::uint32_t>(std::nearbyint(kWhole * all.weights[i] / sum));
    if (weight == 0) continue;
    weighed.codes.push_back(all.codes[i]);
    weighed.cumulative.push_back(total += weight);
  }
  const CodeCounts from[] = {weighed.view(), counts_[column]};
  return RuledCell{rules_, columns_, column, row}.draw(from, std::numeric_limits<double>::quiet_NaN(), random,
                                                       number_of_row);
}

}  // namespace synthema::detail
