#include "synthema/generate/tabular/private_domain.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_map>

#include "synthema/core/error.hpp"

namespace synthema {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLargest = 9007199254740992.0;  // 2^53: whole numbers beyond it are not told apart
constexpr int kDeepest = 8;                      // halvings of a cell
constexpr int kSmallestPower = -20, kLargestPower = 53;
constexpr double kResolutionShare = 0.1;  // of a column's budget, where decimals are not named
constexpr double kRestShare = 0.2;        // of a column's budget, for rows whose label may not be told
constexpr double kClear = 4;              // standard deviations that noise alone will not reach
constexpr double kLonely = 5.5;           // likewise, of an end of the range with nothing beside it
constexpr double kBeside = 2;             // what stands beside it
constexpr double kFaint = 3;              // labels below are pooled
constexpr double kAgainShare = 0.3;       // of what is left, for columns of which nothing was told
constexpr double kMostAgainShare = 0.8;   // where nothing was told of any
constexpr double kPlainShare = 0.05;      // of the rows: a column without such a value has no frequent one
constexpr double kMostShare = 0.5;        // of the rows: what needs more than that will not be told either
constexpr double kSettled = 0.99;         // of the rows must be on the grid
constexpr std::size_t kMostGuessed = 6;   // decimals, where noise drowned how many there are
constexpr double kYear = 365.25 * 86400e6;
constexpr std::int64_t kResolutions[] = {86400000000, 3600000000, 60000000, 1000000, 1000, 1};

// P(N(0, 1) > z), inverted: z with this upper tail, rounded up.
double upper_quantile(double tail) {
  double low = 0, high = 40;
  for (int i = 0; i < 200; ++i) {
    const double z = (low + high) / 2;
    (0.5 * std::erfc(z / std::sqrt(2.0)) <= tail ? high : low) = z;
  }
  return high * (1 + 1e-12);
}

bool identifies(const Field& field) {
  return (field.has(Role::identifier) || field.has(Role::subject)) &&
         (field.kind == Kind::text || field.kind == Kind::category || field.kind == Kind::integer);
}

bool has_labels(const Field& field) {
  return field.kind == Kind::text || field.kind == Kind::category;
}

double power_of_ten(std::uint32_t decimals) {
  return std::pow(10.0, static_cast<double>(decimals));
}

struct Learner {
  const Table& table;
  std::span<const std::size_t> rows;
  const PrivateDomainOptions& options;
  PrivateBudget& budget;

  double rho(const Field& field) const {
    return field.name == options.target ? options.target_rho : options.column_rho;
  }
  void named(const Field& field, bool is_named, const char* what) const {
    if (!is_named && !options.infer)
      throw ConfigError(
          {.field = field.name},
          message(
              "The schema does not say which ", what,
              " the column may have, and with infer = false nothing is learnt from the rows; name them in "
              "the schema."));
  }
};

struct Learnt {
  std::vector<std::uint32_t> states;  // by row
  NoisyMarginal marginal;
};

void give_up(PrivateColumn& out) {
  out.coding.form = CodingForm::absent;
  out.states = 0;
}

// --- labels

std::string_view label_at(const Column& column, std::size_t row) {
  if (column.kind() == Kind::boolean) return column.boolean_at(row) ? "true" : "false";
  return column.text_at(row);
}

// Codes of the rows' labels; labels that are not listed get `unlisted`, missing values the number after it.
std::vector<std::uint32_t> label_codes(const Learner& learner, const Column& column,
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

void refuse_missing(const PrivateColumn& out, const Column& column) {
  if (!out.missing && column.null_count() > 0)
    throw SchemaError(
        {.field = out.coding.field.name},
        "The schema says that no value of the column is missing, but some are; correct one of them.");
}

[[noreturn]] void refuse_label(const Field& field) {
  throw SchemaError({.field = field.name},
                    "The column has a label that is not among the categories of the schema; add it there, or "
                    "correct the rows.");
}

[[noreturn]] void refuse_list(const Field& field) {
  throw SchemaError({.field = field.name},
                    "A generator of single rows cannot make lists; leave the column out.");
}

// Labels that the schema names: their counts, those of faint ones pooled.
void learn_named_labels(const Learner& learner, const Column& column, PrivateColumn& out, Learnt& learnt) {
  const std::vector<std::string>& labels = out.coding.labels;
  const std::vector<std::uint32_t> codes = label_codes(learner, column, labels);
  std::vector<double> counts(labels.size() + (out.missing ? 1 : 0));
  for (const std::uint32_t code : codes) {
    if (code == labels.size()) refuse_label(out.coding.field);
    counts[std::min<std::size_t>(code, counts.size() - 1)] += 1;
  }
  const double sigma = learner.budget.measure(counts, learner.rho(out.coding.field),
                                              "counts of labels: " + out.coding.field.name);
  const double precision = 1 / (sigma * sigma);
  std::size_t faint = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) faint += counts[i] < kFaint * sigma;
  if (column.kind() == Kind::boolean || faint < 2) faint = 0;
  double pooled = 0;
  out.label_states.resize(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const bool own = faint == 0 || counts[i] >= kFaint * sigma;
    out.label_weights.push_back(own ? 1 : std::max(counts[i], 0.0) + sigma / 4);
    if (own) {
      out.label_states[i] = out.states++;
      learnt.marginal.counts.push_back(counts[i]);
      learnt.marginal.precisions.push_back(precision);
    } else {
      pooled += counts[i];
    }
  }
  if (faint > 0) {
    for (std::size_t i = 0; i < labels.size(); ++i)
      if (counts[i] < kFaint * sigma) out.label_states[i] = out.states;
    ++out.states;
    learnt.marginal.counts.push_back(pooled);
    learnt.marginal.precisions.push_back(precision / static_cast<double>(faint));
  }
  if (out.missing) {
    ++out.states;
    learnt.marginal.counts.push_back(counts.back());
    learnt.marginal.precisions.push_back(precision);
  }
  for (const std::uint32_t code : codes)
    learnt.states.push_back(code < labels.size() ? out.label_states[code] : out.missing_state());
}

// Labels that nobody named: those with a noisy count above the threshold.
void learn_unnamed_labels(const Learner& learner, const Column& column, PrivateColumn& out, Learnt& learnt) {
  const double rho = learner.rho(out.coding.field), m = learner.budget.sensitivity();
  const double delta = learner.options.threshold_delta;
  std::map<std::string_view, double> found;  // in the order of the labels, not of the rows
  double missing = 0;
  for (const std::size_t row : learner.rows)
    if (column.is_null(row))
      missing += 1;
    else
      found[column.text_at(row)] += 1;
  std::vector<double> counts;
  for (const auto& [label, count] : found) counts.push_back(count);
  counts.push_back(missing);
  const double sigma = learner.budget.measure(counts, rho * (1 - kRestShare),
                                              "labels above a threshold: " + out.coding.field.name, delta);
  // A person brings at most m labels of at most m rows. For discrete noise P(X >= k) <= P(Y >= k - 1) of the
  // continuous one (Canonne, Kamath and Steinke 2020, proposition 25), and X is a whole number.
  const double threshold = m + std::ceil(sigma * upper_quantile(delta / m));
  std::size_t i = 0;
  const double precision = 1 / (sigma * sigma);
  for (const auto& [label, count] : found) {
    const double noisy = counts[i++];
    if (!(noisy > threshold)) continue;
    out.coding.labels.emplace_back(label);
    out.label_states.push_back(out.states++);
    out.label_weights.push_back(noisy);
    learnt.marginal.counts.push_back(noisy);
    learnt.marginal.precisions.push_back(precision);
  }
  const std::vector<std::uint32_t> codes = label_codes(learner, column, out.coding.labels);
  const std::size_t labels = out.coding.labels.size();
  std::vector<double> rest{static_cast<double>(std::ranges::count(codes, labels))};
  const double rest_sigma = learner.budget.measure(
      rest, rho * kRestShare, "rows of labels below the threshold: " + out.coding.field.name);
  if (labels == 0) return give_up(out);
  out.rest = true;
  ++out.states;
  learnt.marginal.counts.push_back(rest[0]);
  learnt.marginal.precisions.push_back(1 / (rest_sigma * rest_sigma));
  if (out.missing) {
    ++out.states;
    learnt.marginal.counts.push_back(counts.back());
    learnt.marginal.precisions.push_back(precision);
  }
  for (const std::uint32_t code : codes)
    learnt.states.push_back(code < labels    ? out.label_states[code]
                            : code == labels ? out.rest_state()
                                             : out.missing_state());
}

void learn_labels(const Learner& learner, const Column& column, PrivateColumn& out, Learnt& learnt) {
  out.coding.form = CodingForm::category;
  const std::vector<std::string>& categories = out.coding.field.categories;
  if (column.kind() == Kind::boolean) out.coding.labels = {"false", "true"};
  if (column.kind() != Kind::boolean) {
    learner.named(out.coding.field, !categories.empty(), "labels");
    out.coding.labels = categories;
    out.coding.ordered = !categories.empty() && column.ordered();
  }
  if (out.coding.labels.empty()) return learn_unnamed_labels(learner, column, out, learnt);
  learn_named_labels(learner, column, out, learnt);
}

// --- numbers

// How many decimals, or which resolution of a time, the values need: the fewest that settle nearly all of the
// counts that noise alone would not make. Where there is none, what has the largest count, and not many
// decimals; it is then not told.
template <class Needs>
std::size_t noisy_resolution(const Learner& learner, const Column& column, std::size_t choices,
                             PrivateColumn& out, const Needs& needs) {
  const Field& field = out.coding.field;
  std::vector<double> counts(choices);
  for (const std::size_t row : learner.rows)
    if (!column.is_null(row)) counts[needs(row)] += 1;
  const double sigma =
      learner.budget.measure(counts, learner.rho(field) * kResolutionShare, "resolution: " + field.name);
  const auto most = std::max_element(
      counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(std::min(choices, kMostGuessed + 1)));
  const auto guessed = static_cast<std::size_t>(most - counts.begin());
  double all = 0, until = 0;
  for (double& count : counts) all += count = count < kFaint * sigma ? 0.0 : count;
  out.resolved = all > 0;
  if (!out.resolved) return guessed;
  for (std::size_t i = 0; i < choices; ++i)
    if ((until += counts[i]) >= kSettled * all) return i;
  return choices - 1;
}

// Decides the grid; the origin follows with the range.
void learn_resolution(const Learner& learner, const Column& column, PrivateColumn& learnt) {
  ColumnCoding& out = learnt.coding;
  out.grid = true;
  if (column.kind() == Kind::time) {
    out.zone = column.zone();
    const auto times = column.integers();
    out.step =
        kResolutions[noisy_resolution(learner, column, std::size(kResolutions), learnt, [&](std::size_t row) {
          std::size_t i = 0;
          while (times[row] % kResolutions[i] != 0) ++i;
          return i;
        })];
    return;
  }
  if (column.kind() == Kind::integer) return;
  if (out.field.decimals) {
    out.decimals = *out.field.decimals;
    return;
  }
  const auto reals = column.reals();
  const std::size_t found =
      noisy_resolution(learner, column, 11, learnt, [&](std::size_t row) -> std::size_t {
        for (std::uint32_t d = 0; d <= 9; ++d) {
          const double scaled = std::nearbyint(reals[row] * power_of_ten(d));
          if (std::abs(scaled) < kLargest && scaled / power_of_ten(d) == reals[row]) return d;
        }
        return 10;
      });
  out.grid = found < 10;
  if (out.grid) out.decimals = static_cast<std::uint32_t>(found);
}

// x of a value while the origin is still 0.
double raw_cell(const ColumnCoding& coding, double v) {
  if (!coding.grid) return v;
  const double x = std::nearbyint(v * power_of_ten(coding.decimals) / static_cast<double>(coding.step));
  return std::clamp(x, -kLargest, kLargest);
}

struct Node {
  double low, high;  // as of NumberCell
  double count = 0, variance = kInfinity;
  std::vector<std::size_t> children = {};
};

// Cells between powers of two, years for times, cut off at the range.
std::vector<Node> first_cells(const ColumnCoding& coding, double lowest, double highest) {
  std::vector<double> edges;
  if (coding.field.kind == Kind::time) {
    for (int year = -70; year <= 130; ++year)
      edges.push_back(std::floor(year * kYear / static_cast<double>(coding.step)));
  } else {
    for (int power = kLargestPower; power >= (coding.grid ? 0 : kSmallestPower); --power)
      edges.push_back(-std::ldexp(1.0, power) + (coding.grid ? 1 : 0));
    if (!coding.grid) edges.push_back(0);
    if (coding.grid) edges.push_back(0), edges.push_back(1);
    for (int power = coding.grid ? 1 : kSmallestPower; power <= kLargestPower; ++power)
      edges.push_back(std::ldexp(1.0, power));
  }
  std::ranges::sort(edges);
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  std::vector<Node> out;
  const double end = coding.grid ? highest + 1 : highest;
  double from = std::max(lowest, edges.front());
  if (std::isfinite(lowest)) from = lowest;
  for (const double edge : edges) {
    if (edge <= from) continue;
    if (edge >= end) break;
    out.push_back({from, edge});
    from = edge;
  }
  if (std::isfinite(highest) && (end > from || out.empty())) out.push_back({from, end});
  if (!coding.grid && lowest <= 0 && highest >= 0) {
    // Zero is a value of its own: the cell after it begins there all the same.
    const auto after = std::ranges::find_if(out, [](const Node& node) { return node.low >= 0; });
    out.insert(after, {0, 0});
  }
  return out;
}

std::size_t find(const std::vector<Node>& nodes, std::span<const std::size_t> among, double x) {
  // Ascending; a value of its own comes before the cell that begins with it.
  const auto at = std::ranges::partition_point(among, [&](std::size_t i) {
    const Node& node = nodes[i];
    return node.low == node.high ? node.low < x : node.high <= x;
  });
  if (at == among.end()) return among.back();  // clipped into the range
  return *at;
}

// Each node's count from its own and its children's noisy ones, weighted by precision, then made to add up
// (Hay et al., "Boosting the accuracy of differentially private histograms through consistency", VLDB 2010).
void reconcile(std::vector<Node>& nodes) {
  for (std::size_t i = nodes.size(); i-- > 0;) {  // children come after their parents
    Node& node = nodes[i];
    if (node.children.empty()) continue;
    double sum = 0, variance = 0;
    for (const std::size_t child : node.children)
      sum += nodes[child].count, variance += nodes[child].variance;
    const double weight = variance / (variance + node.variance);
    node.count = weight * node.count + (1 - weight) * sum;
    node.variance *= weight;
  }
  for (Node& node : nodes) {
    double sum = 0, variance = 0;
    for (const std::size_t child : node.children)
      sum += nodes[child].count, variance += nodes[child].variance;
    for (const std::size_t child : node.children)
      nodes[child].count += (node.count - sum) * nodes[child].variance / variance;
  }
}

std::vector<std::size_t> leaves_of(const std::vector<Node>& nodes, std::span<const std::size_t> roots) {
  std::vector<std::size_t> out;
  const auto walk = [&](const auto& self, std::size_t i) -> void {
    if (nodes[i].children.empty()) out.push_back(i);
    for (const std::size_t child : nodes[i].children) self(self, child);
  };
  for (const std::size_t root : roots) walk(walk, root);
  return out;
}

struct Histogram {
  std::vector<Node> nodes;
  std::vector<std::size_t> roots;
  double missing = 0, variance = 0;
};

// Noisy counts of the first cells; of what they say about the range; of halves of heavy cells.
Histogram noisy_histogram(const Learner& learner, const PrivateColumn& out, std::span<const double> cells,
                          double rho, double lowest, double highest) {
  const bool grid = out.coding.grid;
  const std::string& name = out.coding.field.name;
  const bool open = !std::isfinite(lowest) || !std::isfinite(highest);
  Histogram made{first_cells(out.coding, lowest, highest), {}, 0, 0};
  std::vector<Node>& nodes = made.nodes;
  std::vector<std::size_t> all(nodes.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::vector<std::size_t> at(cells.size(), std::numeric_limits<std::size_t>::max());  // node of each row
  std::vector<double> counts(nodes.size() + (out.missing ? 1 : 0));
  for (std::size_t row = 0; row < cells.size(); ++row) {
    if (!std::isnan(cells[row])) at[row] = find(nodes, all, cells[row]);
    counts[std::isnan(cells[row]) ? counts.size() - 1 : at[row]] += 1;
  }
  const double level_rho = rho / (kDeepest + 1);
  double sigma =
      learner.budget.measure(counts, level_rho, (open ? "range of numbers: " : "counts of cells: ") + name);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    nodes[i].count = counts[i], nodes[i].variance = sigma * sigma;
  made.missing = out.missing ? counts.back() : 0;
  made.variance = sigma * sigma;
  std::size_t first = 0, last = nodes.size();
  if (open) {
    // One of a hundred far cells that is beyond kClear by chance would stretch the range by orders of
    // magnitude; what people have is seldom all by itself.
    const auto above = [&](std::size_t i, double z) {
      return i < nodes.size() && nodes[i].count > z * sigma;
    };
    const auto clear = [&](std::size_t i) {
      return above(i, kLonely) ||
             (above(i, kClear) && (above(i + 1, kBeside) || (i > 0 && above(i - 1, kBeside))));
    };
    while (first < last && !clear(first)) ++first;
    while (last > first && !clear(last - 1)) --last;
  }
  for (std::size_t i = first; i < last; ++i) made.roots.push_back(i);
  if (made.roots.empty()) return made;
  double total = 0;
  for (const std::size_t i : made.roots) total += std::max(nodes[i].count, 0.0);
  for (std::size_t& i : at)  // clipped
    if (i != std::numeric_limits<std::size_t>::max())
      i = std::clamp(i, made.roots.front(), made.roots.back());

  std::vector<std::size_t> level = made.roots;
  const auto target = static_cast<double>(2 * learner.options.bins);
  for (int depth = 0; depth < kDeepest; ++depth) {
    std::vector<std::size_t> next;
    const double heavy = std::max(total / target, kClear * learner.budget.sigma_of(level_rho));
    for (const std::size_t i : level) {
      const Node node = nodes[i];
      const double width = node.high - node.low;
      if (node.count < heavy || (grid ? width < 2 : !(width > 0))) continue;
      const double middle =
          grid ? std::floor((node.low + node.high) / 2) : std::midpoint(node.low, node.high);
      for (const auto& [low, high] : {std::pair(node.low, middle), std::pair(middle, node.high)}) {
        nodes[i].children.push_back(nodes.size());
        next.push_back(nodes.size());
        nodes.push_back({low, high});
      }
    }
    if (next.empty()) break;
    std::vector<double> halves(next.size());
    for (std::size_t row = 0; row < cells.size(); ++row) {
      if (at[row] == std::numeric_limits<std::size_t>::max() || nodes[at[row]].children.empty()) continue;
      const std::vector<std::size_t>& children = nodes[at[row]].children;
      at[row] = children[cells[row] < nodes[children[1]].low ? 0 : 1];
      halves[at[row] - next.front()] += 1;
    }
    sigma = learner.budget.measure(halves, level_rho, "counts of halved cells: " + name);
    for (std::size_t i = 0; i < next.size(); ++i)
      nodes[next[i]].count = halves[i], nodes[next[i]].variance = sigma * sigma;
    level = std::move(next);
  }
  reconcile(nodes);
  return made;
}

// Neighbouring leaves share a state until it has its part of the rows.
void number_states(const Learner& learner, const Histogram& histogram, PrivateColumn& out, Learnt& learnt) {
  const std::vector<std::size_t> leaves = leaves_of(histogram.nodes, histogram.roots);
  double total = 0;
  for (const std::size_t i : leaves) total += std::max(histogram.nodes[i].count, 0.0);
  double left = total, mass = 0, count = 0, variance = 0;
  const auto close = [&] {
    learnt.marginal.counts.push_back(count);
    learnt.marginal.precisions.push_back(1 / variance);
    left -= mass;
    ++out.states;
    mass = count = variance = 0;
  };
  for (const std::size_t i : leaves) {
    const Node& node = histogram.nodes[i];
    const double own = std::max(node.count, 0.0);
    const std::size_t bins = learner.options.bins;
    const double share = left / static_cast<double>(bins - std::min<std::size_t>(out.states, bins - 1));
    if (variance > 0 && out.states + 1 < bins && mass + own - share > share - mass && mass > 0) close();
    out.cells.push_back({node.low, node.high, own, out.states});
    mass += own;
    count += node.count;
    variance += node.variance;
  }
  close();
  // A state without any weight is uniform over its cells.
  std::vector<double> weights(out.states);
  for (const NumberCell& cell : out.cells) weights[cell.state] += cell.weight;
  for (NumberCell& cell : out.cells)
    if (!(weights[cell.state] > 0)) cell.weight = std::max(cell.high - cell.low, 1.0);
}

void learn_numbers(const Learner& learner, const Column& column, PrivateColumn& out, Learnt& learnt) {
  ColumnCoding& coding = out.coding;
  coding.form = CodingForm::number;
  const Field& field = coding.field;
  learner.named(field, field.minimum && field.maximum, "range of numbers");
  const bool real_grid = field.kind == Kind::real && field.decimals;
  learn_resolution(learner, column, out);
  const bool spent = field.kind == Kind::time || (field.kind == Kind::real && !real_grid);
  const double rho = learner.rho(field) * (spent ? 1 - kResolutionShare : 1);
  std::vector<double> cells;
  cells.reserve(learner.rows.size());
  double lowest = field.minimum ? raw_cell(coding, *field.minimum) : -kInfinity;
  double highest = field.maximum ? raw_cell(coding, *field.maximum) : kInfinity;
  if (coding.grid && field.minimum && coding.number(lowest) < *field.minimum) ++lowest;
  if (coding.grid && field.maximum && coding.number(highest) > *field.maximum) --highest;
  if (lowest > highest)
    throw SchemaError({.field = field.name}, "No value lies within the range that the schema gives.");
  for (const std::size_t row : learner.rows)
    cells.push_back(column.is_null(row)
                        ? kMissing
                        : std::clamp(raw_cell(coding, column.number_at(row)), lowest, highest));
  const Histogram histogram = noisy_histogram(learner, out, cells, rho, lowest, highest);
  if (histogram.roots.empty()) return give_up(out);
  number_states(learner, histogram, out, learnt);
  if (out.missing) {
    ++out.states;
    learnt.marginal.counts.push_back(histogram.missing);
    learnt.marginal.precisions.push_back(1 / histogram.variance);
  }
  double shift = 0;
  if (coding.grid) {  // cells count from the lowest value
    shift = out.cells.front().low;
    coding.origin = coding.step * static_cast<std::int64_t>(shift);
    for (NumberCell& cell : out.cells) cell.low -= shift, cell.high -= shift;
  }
  coding.interval = true;
  coding.values = {out.cells.front().low, out.cells.back().high - (coding.grid ? 1 : 0)};
  if (coding.values[1] <= coding.values[0]) coding.values.pop_back();
  for (const double cell : cells)
    learnt.states.push_back(std::isnan(cell) ? out.missing_state()
                                             : out.state_of(std::clamp(cell - shift, coding.values.front(),
                                                                       coding.values.back())));
}

void learn_column(const Learner& learner, std::size_t index, PrivateColumn& out, Learnt& learnt) {
  const Column& column = learner.table.column(index);
  ColumnCoding& coding = out.coding;
  coding.field = learner.table.schema().fields[index];
  if (column.kind() == Kind::list) refuse_list(coding.field);
  if (identifies(coding.field)) {
    coding.form = CodingForm::fresh;
    coding.pattern = "AAAAAAAA";
    if (column.kind() == Kind::integer) coding.counted_from = 1;
    return;
  }
  out.missing = coding.missing = coding.field.nullable;
  refuse_missing(out, column);
  if (has_labels(coding.field) || column.kind() == Kind::boolean)
    learn_labels(learner, column, out, learnt);
  else
    learn_numbers(learner, column, out, learnt);
}

}  // namespace

PrivateBudget::PrivateBudget(double rho, double sensitivity, NoiseSource& source)
    : rho_(rho), sensitivity_(sensitivity), source_(&source) {}

double PrivateBudget::sigma_of(double rho) const {
  return sensitivity_ / std::sqrt(2 * rho);
}

void PrivateBudget::spend(PrivateSpending entry) {
  if (!(entry.rho > 0) || spent_ + entry.rho > rho_ * (1 + 1e-9))
    throw ConfigError({.field = "rho"}, "A release would spend more than is left of the fit's own budget.");
  spent_ += entry.rho;
  for (PrivateSpending& there : spending_)
    if (there.released == entry.released && there.mechanism == entry.mechanism &&
        there.noise == entry.noise) {
      there.releases += entry.releases, there.rho += entry.rho, there.delta += entry.delta;
      return;
    }
  spending_.push_back(std::move(entry));
}

double PrivateBudget::measure(std::span<double> counts, double rho, const std::string& released,
                              double delta) {
  const double least = sigma_of(rho);
  const Ratio variance = Ratio::at_least(least * least);
  const double sigma =
      std::sqrt(static_cast<double>(variance.numerator) / static_cast<double>(variance.denominator));
  spend({released, "discrete Gaussian", 1, sigma, rho, delta});
  for (double& count : counts) count += static_cast<double>(discrete_gaussian(*source_, variance));
  return sigma;
}

std::size_t PrivateBudget::choose(std::span<const double> scores, double rho, double weight,
                                  const std::string& released) {
  const double epsilon = std::sqrt(8 * rho);  // of bounded range epsilon: Cesar and Rogers, ALT 2021
  spend({released, "exponential", 1, epsilon, rho, 0});
  return exponential_choice(*source_, scores, epsilon, sensitivity_ * weight);
}

std::uint32_t PrivateColumn::state_of(double cell) const {
  if (std::isnan(cell)) return missing_state();
  if (coding.is_category()) return label_states[static_cast<std::size_t>(cell)];
  const auto at = std::ranges::partition_point(
      cells, [&](const NumberCell& one) { return one.low == one.high ? one.low < cell : one.high <= cell; });
  return at == cells.end() ? cells.back().state : at->state;
}

void PrivateColumn::finish() {
  places_.assign(states, {});
  const auto add = [&](std::uint32_t state, double weight, std::size_t place) {
    auto& list = places_[state];
    list.emplace_back((list.empty() ? 0 : list.back().first) + weight, static_cast<std::uint32_t>(place));
  };
  for (std::size_t i = 0; i < label_states.size(); ++i) {
    add(label_states[i], label_weights[i], i);
    if (rest) add(rest_state(), label_weights[i], i);
  }
  for (std::size_t i = 0; i < cells.size(); ++i)
    if (cells[i].weight > 0) add(cells[i].state, cells[i].weight, i);
}

double PrivateColumn::draw(std::uint32_t state, const PhiloxBlock& random) const {
  if (missing && state == missing_state()) return kMissing;
  const auto& list = places_[state];
  const double wanted = (random[0] + 0.5) / 4294967296.0 * list.back().first;
  const auto at =
      std::ranges::partition_point(list, [&](const auto& place) { return place.first <= wanted; });
  const std::uint32_t place = (at == list.end() ? list.back() : *at).second;
  if (coding.is_category()) return place;
  const NumberCell& cell = cells[place];
  const double share = ((std::uint64_t{random[1]} << 21 | random[2] >> 11) + 0.5) * 0x1p-53;
  const double x = cell.low + share * (cell.high - cell.low);
  return coding.grid ? std::min(std::floor(x), cell.high - 1) : x;
}

double PrivateColumn::log_share(std::uint32_t state, double cell) const {
  if (std::isnan(cell)) return missing && state == missing_state() ? 0 : -kInfinity;
  if (missing && state == missing_state()) return -kInfinity;
  const auto& list = places_[state];
  double before = 0;
  for (const auto& [until, place] : list) {
    const double share = (until - before) / list.back().first;
    before = until;
    if (coding.is_category()) {
      if (place == static_cast<std::uint32_t>(cell)) return std::log(share);
      continue;
    }
    const NumberCell& one = cells[place];
    if (one.low == one.high ? cell == one.low
                            : cell >= one.low && (coding.grid ? cell < one.high : cell <= one.high))
      return one.low == one.high ? std::log(share) : std::log(share / (one.high - one.low));
  }
  return -kInfinity;
}

Table unstated(const Table& table) {
  Schema schema = table.schema();
  std::vector<Column> columns;
  for (std::size_t c = 0; c < table.columns(); ++c) {
    Field& field = schema.fields[c];
    field.categories.clear();
    field.minimum.reset();
    field.maximum.reset();
    field.decimals.reset();
    field.nullable = true;
    columns.push_back(table.column(c));
  }
  return {std::move(schema), std::move(columns)};
}

std::vector<std::string> unresolved_of(std::span<const PrivateColumn> columns) {
  std::vector<std::string> out;
  for (const PrivateColumn& column : columns)
    if (column.modelled() && !column.resolved) out.push_back(column.coding.field.name);
  return out;
}

std::string protected_unit(const Schema& schema, std::size_t rows_per_person) {
  const Field* subject = schema.subject();
  if (!subject) return "row, added or removed";
  return message("subject (column '", subject->name, "'), added or removed, of at most ", rows_per_person,
                 rows_per_person == 1 ? " row" : " rows");
}

std::vector<std::size_t> rows_used(const Table& real, std::size_t most, NoiseSource& noise) {
  std::vector<std::size_t> out(real.rows());
  std::iota(out.begin(), out.end(), std::size_t{0});
  if (!real.schema().subject()) return out;
  const std::vector<std::uint32_t> who = people_of(real);
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (const std::size_t row : out) order.emplace_back(noise.bits(), row);
  std::ranges::sort(order);
  std::unordered_map<std::uint32_t, std::size_t> used;
  out.clear();
  for (const auto& [bits, row] : order)
    if (++used[who[row]] <= most) out.push_back(row);
  std::ranges::sort(out);
  return out;
}

double noisy_total(std::span<const NoisyMarginal> marginals) {
  double sum = 0, weight = 0;
  for (const NoisyMarginal& m : marginals) {
    double variance = 0;
    for (const double precision : m.precisions) variance += 1 / precision;
    sum += std::accumulate(m.counts.begin(), m.counts.end(), 0.0) / variance;
    weight += 1 / variance;
  }
  return weight > 0 ? std::max(sum / weight, 1.0) : 1;
}

std::size_t unnamed_label_columns(const Schema& schema) {
  return static_cast<std::size_t>(std::ranges::count_if(schema.fields, [](const Field& field) {
    return has_labels(field) && field.categories.empty() && !identifies(field);
  }));
}

RowRules check_rules(const Table& real) {
  constexpr std::size_t kFewPeople = 5;
  for (const GroupRule& group : real.schema().groups)
    if (group.kind == "combinations" && group.rows.empty())
      throw GenerationError({.field = group.fields.front()},
                            "Under differential privacy the combinations that the rows have are not read for "
                            "nothing: list in the group 'combinations' of this column those that may occur "
                            "(rows=), or leave the group out.");
  refuse_few_in_range(real, kFewPeople);
  std::vector<ColumnCoding> codings(real.columns());
  for (std::size_t c = 0; c < codings.size(); ++c) {
    ColumnCoding& coding = codings[c];
    const Column& column = real.column(c);
    coding.field = real.schema().fields[c];
    coding.missing = column.null_count() > 0;
    if (coding.field.has(Role::identifier) || coding.field.has(Role::subject)) {
      coding.form = CodingForm::fresh;
    } else if (coding.field.kind == Kind::boolean) {
      coding.form = CodingForm::category;
      coding.labels = {"false", "true"};
    } else if (coding.field.kind == Kind::text || coding.field.kind == Kind::category) {
      std::set<std::string> labels(coding.field.categories.begin(), coding.field.categories.end());
      for (std::size_t row = 0; row < column.size() && coding.field.categories.empty(); ++row)
        if (!column.is_null(row)) labels.emplace(column.text_at(row));
      coding.labels.assign(labels.begin(), labels.end());
      if (!labels.empty()) coding.form = CodingForm::category;
    } else if (column.null_count() < column.size()) {
      double low = std::numeric_limits<double>::infinity(), high = -low;
      for (std::size_t row = 0; row < column.size(); ++row)
        if (!column.is_null(row))
          low = std::min(low, column.number_at(row)), high = std::max(high, column.number_at(row));
      coding.form = CodingForm::number;
      coding.interval = true;
      coding.values = {low, high};
      if (low == high) coding.values.pop_back();
    }
  }
  return {real.schema(), codings};
}

void check_domain(const Table& table, const PrivateDomainOptions& options, double sensitivity) {
  NoiseSource none = NoiseSource::seeded_for_tests(0);  // nothing is drawn
  PrivateBudget budget(0, sensitivity, none);
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const Learner learner{table, rows, options, budget};
  for (std::size_t c = 0; c < table.columns(); ++c) {
    const Column& column = table.column(c);
    const Field& field = table.schema().fields[c];
    if (column.kind() == Kind::list) refuse_list(field);
    if (identifies(field) || column.kind() == Kind::boolean) continue;
    if (has_labels(field)) {
      learner.named(field, !field.categories.empty(), "labels");
      if (!field.categories.empty() &&
          std::ranges::count(label_codes(learner, column, field.categories), field.categories.size()) > 0)
        refuse_label(field);
    } else {
      learner.named(field, field.minimum && field.maximum, "range of numbers");
    }
  }
  for (std::size_t c = 0; c < table.columns(); ++c) {
    PrivateColumn stated;
    stated.coding.field = table.schema().fields[c];
    stated.missing = stated.coding.field.nullable || identifies(stated.coding.field);
    refuse_missing(stated, table.column(c));
  }
  check_rules(table);
  const double sigma = budget.sigma_of(options.column_rho / (kDeepest + 1) * kResolutionShare);
  if (!(sigma * sigma < 0x1p30))
    throw ConfigError({.field = "epsilon"},
                      message("With ", table.columns(),
                              " columns, this epsilon and this many rows of a person, the noise would drown "
                              "everything; use a larger epsilon or fewer columns or rows."));
}

namespace {

// About the noisy count that a label or cell needs to be told.
double count_to_be_told(const Field& field, const PrivateDomainOptions& options, const PrivateBudget& budget,
                        double rho) {
  if (!has_labels(field)) return kClear * budget.sigma_of(rho / (kDeepest + 1));
  const double m = budget.sensitivity();
  return m + budget.sigma_of(rho * (1 - kRestShare)) * upper_quantile(options.threshold_delta / m);
}

// Columns of which nothing was told get another share of the budget where this may help: most of it where
// nothing was told of any.
void try_again(const Learner& first, std::vector<PrivateColumn>& columns, std::vector<Learnt>& learnt) {
  PrivateBudget& budget = first.budget;
  std::vector<std::size_t> untold;
  double rows = 0, told = 0;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].coding.form == CodingForm::absent) untold.push_back(c);
    if (!columns[c].modelled()) continue;
    for (const double count : learnt[c].marginal.counts) rows += count;
    ++told;
  }
  if (untold.empty()) return;
  rows /= std::max(told, 1.0);
  PrivateDomainOptions options = first.options;
  options.column_rho = options.target_rho =
      budget.left() * (told > 0 ? kAgainShare : kMostAgainShare) / static_cast<double>(untold.size());
  const Learner learner{first.table, first.rows, options, budget};
  for (const std::size_t c : untold) {
    const Field& field = columns[c].coding.field;
    if (options.column_rho <= first.rho(field)) continue;
    const double before = count_to_be_told(field, options, budget, first.rho(field)),
                 after = count_to_be_told(field, options, budget, options.column_rho);
    if (told > 0 && (before < kPlainShare * rows || after > kMostShare * rows)) continue;
    columns[c] = {};
    learnt[c] = {};
    learn_column(learner, c, columns[c], learnt[c]);
  }
}

}  // namespace

PrivateDomain discover_domain(const Table& table, std::span<const std::size_t> rows,
                              const PrivateDomainOptions& whole, PrivateBudget& budget) {
  PrivateDomainOptions options = whole;
  options.threshold_delta /= 2;  // the other half is for try_again
  const Learner learner{table, rows, options, budget};
  PrivateDomain out;
  out.columns.resize(table.columns());
  std::vector<Learnt> all(table.columns());
  for (std::size_t c = 0; c < table.columns(); ++c) learn_column(learner, c, out.columns[c], all[c]);
  try_again(learner, out.columns, all);
  for (std::size_t c = 0; c < table.columns(); ++c) {
    if (!out.columns[c].modelled()) continue;
    Learnt& learnt = all[c];
    out.columns[c].finish();
    learnt.marginal.variables = {static_cast<std::uint32_t>(out.marginals.size())};
    out.marginals.push_back(std::move(learnt.marginal));
    out.states.push_back(std::move(learnt.states));
  }
  return out;
}

}  // namespace synthema
