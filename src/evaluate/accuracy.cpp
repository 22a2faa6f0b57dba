#include "synthema/evaluate/fidelity/accuracy.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>

#include "src/evaluate/cells.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/resampling.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

constexpr std::size_t kShown = 100;            // of groups that were drawn
constexpr std::size_t kMostPairs = 1'000'000;  // all of 1,414 columns
constexpr std::string_view kNames[] = {"accuracy", "univariate_accuracy", "bivariate_accuracy",
                                       "trivariate_accuracy"};

// One to three columns; their cells in row-major order.
struct Group {
  std::array<std::size_t, 3> columns{};
  std::size_t size = 0;
};

struct CodedTable {
  std::vector<std::vector<std::uint8_t>> columns;
  std::size_t rows = 0;
};

// Rows of one subject are not independent of each other. Empty where the schema names no subject.
struct Subjects {
  std::vector<std::size_t> order;   // of the rows, each subject's together
  std::vector<std::size_t> of_row;  // in that order
  std::vector<double> sizes;        // rows of each
  double squares = 0;               // of the sizes, their sum

  Subjects() = default;
  explicit Subjects(const Table& table) {
    if (!table.schema().subject()) return;
    const Units units = Units::of(table);
    order.resize(table.rows());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](auto a, auto b) { return units.of_row[a] < units.of_row[b]; });
    sizes.resize(units.count);
    for (const std::size_t row : order) ++sizes[of_row.emplace_back(units.of_row[row])];
    for (const double size : sizes) squares += size * size;
  }
};

struct Coded {
  std::vector<std::string> names;
  std::vector<std::size_t> cells;  // by column
  CodedTable real, synthetic, held;
  Subjects subjects;  // of the real rows, which are in their order
};

void append(CodedTable& coded, std::size_t column, const std::vector<std::uint8_t>& codes,
            const std::vector<std::size_t>& order = {}) {
  std::vector<std::uint8_t>& out = coded.columns[column];
  if (order.empty()) out.insert(out.end(), codes.begin(), codes.end());
  for (const std::size_t row : order) out.push_back(codes[row]);
}

Coded code(const Table& real, const Table& synthetic, Convention convention,
           const EvaluationContext& context) {
  Coded out;
  const bool mostlyai = convention == Convention::mostlyai;
  const Table *holdout = mostlyai ? context.holdout.get() : nullptr, *held = nullptr;
  const detail::CellOptions options{
      .rarest = mostlyai ? 5U : 1U, .missing_is_label = mostlyai, .floored_bounds = mostlyai};
  for (const std::string& name : detail::shared_columns(real, synthetic)) {
    if (holdout && !holdout->has(name)) continue;
    out.names.push_back(name);
  }
  if (!mostlyai && context.holdout &&
      detail::shared_columns(real, synthetic, context.holdout.get()) == out.names)
    held = context.holdout.get();
  if (!mostlyai) out.subjects = Subjects(real);  // mostlyai-qa's expectation knows none
  out.cells.resize(out.names.size());
  for (CodedTable* table : {&out.real, &out.synthetic, &out.held}) table->columns.resize(out.names.size());
  parallel_for(
      out.names.size(),
      [&](std::size_t c) {
        context.cancel.check();
        std::vector<const Column*> reference{&real.column(out.names[c])};
        if (holdout) reference.push_back(&holdout->column(out.names[c]));
        const detail::ColumnCells cells(reference, options);
        out.cells[c] = cells.count();
        for (const Column* column : reference) append(out.real, c, cells.of(*column), out.subjects.order);
        append(out.synthetic, c, cells.of(synthetic.column(out.names[c])));
        if (held) append(out.held, c, cells.of(held->column(out.names[c])));
      },
      context.threads);
  out.real.rows = real.rows() + (holdout ? holdout->rows() : 0);
  out.synthetic.rows = synthetic.rows();
  out.held.rows = held ? held->rows() : 0;
  return out;
}

using Counts = std::vector<std::uint32_t>;

std::size_t size_of(const Group& group, const std::vector<std::size_t>& cells) {
  std::size_t out = 1;
  for (std::size_t k = 0; k < group.size; ++k) out *= cells[group.columns[k]];
  return out;
}

template <class Visit>
void each_row(const CodedTable& table, const Group& group, const std::vector<std::size_t>& cells,
              const Visit& visit) {
  const std::uint8_t *a = table.columns[group.columns[0]].data(), *b = nullptr, *c = nullptr;
  std::size_t cells_b = 1, cells_c = 1;
  if (group.size > 1) b = table.columns[group.columns[1]].data(), cells_b = cells[group.columns[1]];
  if (group.size > 2) c = table.columns[group.columns[2]].data(), cells_c = cells[group.columns[2]];
  if (c)
    for (std::size_t row = 0; row < table.rows; ++row)
      visit(row, (a[row] * cells_b + b[row]) * cells_c + c[row]);
  else if (b)
    for (std::size_t row = 0; row < table.rows; ++row) visit(row, a[row] * cells_b + b[row]);
  else
    for (std::size_t row = 0; row < table.rows; ++row) visit(row, std::size_t{a[row]});
}

Counts count(const CodedTable& table, const Group& group, const std::vector<std::size_t>& cells) {
  Counts out(size_of(group, cells));
  each_row(table, group, cells, [&](std::size_t, std::size_t cell) { ++out[cell]; });
  return out;
}

struct Outcome {
  double accuracy = 0, expected = 0, independent = 0;

  void add(const Outcome& other) {
    accuracy += other.accuracy;
    expected += other.expected;
    independent += other.independent;
  }
  Outcome divided(std::size_t by) const {
    const auto n = static_cast<double>(by);
    return {accuracy / n, expected / n, independent / n};
  }
};

// Of an accuracy over groups of one size: what the overall one shares with that of the size.
struct Summary {
  Outcome mean;
  std::vector<ScorePart> parts;
};

double distance_of(const Counts& real, const Counts& other, double n, double m) {
  double distance = 0;
  for (std::size_t cell = 0; cell < real.size(); ++cell)
    distance += std::abs(real[cell] / n - other[cell] / m);
  return distance / 2;
}

// mostlyai-qa's: E|difference| of two shares of n and m draws is sqrt(2/pi (p(1-p)/n + p(1-p)/m)), where
// counts are large. Cells without a real row have no share in it.
double half_normal(const Counts& real, double n, double m) {
  double noise = 0;
  for (const std::uint32_t rows : real) {
    const double p = rows / n;
    noise += std::sqrt(2 / std::numbers::pi * (p * (1 - p) / n + p * (1 - p) / m));
  }
  return std::min(1.0, noise / 2);  // of few rows the sum is no bound
}

// What k rows of a cell add to the distance of two parts of n real rows, times n: of two parts whose sizes
// have the ratio that the other table has to the real one, of as large parts of half the rows and of a
// quarter. Each row falls into either part, or into neither, by chance.
class PartGaps {
 public:
  PartGaps(double n, double m)
      : ratio_(std::min(1.0, m / n)),
        doublings_(std::log2((1 + ratio_) * (1 + ratio_) * m / (n + m) / ratio_)) {
    for (std::size_t k = 1; k <= kExact; ++k) table_[k][0] = of_all(static_cast<double>(k));
    for (std::size_t k = 1; k <= kExact; ++k)
      for (std::size_t i = 1; i < 3; ++i) table_[k][i] = of_some(k, i == 1 ? 0.5 : 0.25);
  }
  std::array<double, 3> of(double k) const {
    if (k >= kExact) return {of_all(k), 2 * of_all(k / 2), 4 * of_all(k / 4)};
    const auto below = static_cast<std::size_t>(k);
    const double rest = k - static_cast<double>(below);
    std::array<double, 3> out = table_[below];
    for (std::size_t i = 0; rest > 0 && i < 3; ++i) out[i] += rest * (table_[below + 1][i] - out[i]);
    return out;
  }
  // From the parts to tables of n and m rows: how often the harmonic mean of their sizes doubles.
  double doublings() const { return doublings_; }

 private:
  // Mean absolute deviation of the binomial count in the smaller part (De Moivre), of many rows the normal
  // one.
  double of_all(double k) const {
    const double p = ratio_ / (1 + ratio_), mean = k * p, scale = (1 + ratio_) / (2 * p);
    constexpr double kNormal = 50;
    if (mean > kNormal) return scale * std::sqrt(2 / std::numbers::pi * mean * (1 - p));
    const double next = std::min(std::floor(mean) + 1, k);
    const double ways = std::lgamma(k + 1) - std::lgamma(next + 1) - std::lgamma(k - next + 1);
    return scale * 2 * next * std::exp(ways + next * std::log(p) + (k - next + 1) * std::log1p(-p));
  }
  double of_some(std::size_t k, double share) const {
    double probability = std::pow(1 - share, static_cast<double>(k)), out = 0;
    for (std::size_t i = 0; i <= k; ++i) {
      out += probability * table_[i][0];
      probability *= static_cast<double>(k - i) / static_cast<double>(i + 1) * share / (1 - share);
    }
    return out / share;
  }
  static constexpr std::size_t kExact = 64;
  double ratio_, doublings_;
  std::array<std::array<double, 3>, kExact + 1> table_{};
};

// By cell, over subjects with c of their n rows there: sums of c^2 and c n. Empty without subjects.
struct Clumps {
  std::vector<double> squares, sizes;

  Clumps(const Group& group, const Coded& coded) {
    const Subjects& subjects = coded.subjects;
    if (subjects.order.empty()) return;
    squares.resize(size_of(group, coded.cells));
    sizes.resize(squares.size());
    std::vector<std::size_t> last(squares.size(), subjects.sizes.size());
    Counts run(squares.size());
    each_row(coded.real, group, coded.cells, [&](std::size_t row, std::size_t cell) {
      const std::size_t subject = subjects.of_row[row];
      if (last[cell] != subject) last[cell] = subject, run[cell] = 0;
      squares[cell] += 2.0 * run[cell]++ + 1;
      sizes[cell] += subjects.sizes[subject];
    });
  }
};

// The distance that tables of n and m rows of one distribution are expected to have: from that of parts of
// the real rows on at the pace at which parts of a quarter, half and all of them approach each other, which
// is 1 where nearly all rows are in cells of their own and sqrt(1/2) where cells are full. With subjects, all
// rows of one fall into the same part: k rows of a cell are as many clumps as have their sum of squares.
double expected_distance(const Counts& real, const Clumps& clumps, const Coded& coded, const PartGaps& gaps) {
  const auto n = static_cast<double>(coded.real.rows);
  std::array<double, 3> distances{};
  for (std::size_t cell = 0; cell < real.size(); ++cell) {
    if (real[cell] == 0) continue;
    const double k = real[cell], p = k / n;
    double count = k, scale = std::sqrt(1 - p);
    if (!clumps.squares.empty()) {
      const double q = clumps.squares[cell];
      const double variance = q - 2 * p * clumps.sizes[cell] + p * p * coded.subjects.squares;
      count = k * k / q;
      scale = q / k * std::sqrt(std::max(0.0, variance / q));
    }
    const std::array<double, 3> gap = gaps.of(count);
    for (std::size_t i = 0; i < gap.size(); ++i) distances[i] += scale * gap[i] / n;
  }
  const auto [all, half, quarter] = distances;
  if (!(all > 0)) return 0;
  const double pace = std::max(all / half * (all / half) / (half / quarter), 1 / std::numbers::sqrt2);
  return std::min(1.0, all * std::pow(pace, gaps.doublings()));
}

// Of samples as large as the synthetic table and the holdout, against the real one.
struct Expected {
  PartGaps synthetic, held;

  explicit Expected(const Coded& coded)
      : synthetic(static_cast<double>(coded.real.rows), static_cast<double>(coded.synthetic.rows)),
        held(static_cast<double>(coded.real.rows), std::max(1.0, static_cast<double>(coded.held.rows))) {}
};

// What as many fresh real rows as the synthetic ones are expected to score: what the holdout scores, brought
// to that number as parts of the real rows are; without one, what such parts score.
double fresh(const Counts& real, const Group& group, const Coded& coded, const Expected& sizes) {
  const Clumps clumps(group, coded);
  const double expected = expected_distance(real, clumps, coded, sizes.synthetic);
  if (coded.held.rows == 0) return 1 - expected;
  const auto n = static_cast<double>(coded.real.rows), h = static_cast<double>(coded.held.rows);
  const double distance = distance_of(real, count(coded.held, group, coded.cells), n, h);
  const double own = expected_distance(real, clumps, coded, sizes.held);
  return 1 - std::min(1.0, own > 0 ? distance * expected / own : distance);
}

// E|X - k| of a count X with this mean and any k: of Poisson, where the mean is large of the normal
// distribution.
double expected_gap(double mean, double k) {
  constexpr double kNormal = 50;
  if (mean > kNormal) {
    const double deviation = std::sqrt(mean), gap = k - mean, z = gap / deviation;
    return deviation * std::sqrt(2 / std::numbers::pi) * std::exp(-z * z / 2) +
           gap * std::erf(z / std::numbers::sqrt2);
  }
  // mean - k, and twice what the counts up to k fall short of it; beyond `last` there are none.
  const double last = std::min(k, mean + 10 * std::sqrt(mean) + 20);
  double probability = std::exp(-mean), short_of = 0;
  for (double x = 0; x <= last; ++x) {
    short_of += (k - x) * probability;
    probability *= mean / (x + 1);
  }
  return mean - k + 2 * short_of;
}

// By cell of a column: the share of its rows, and of pairs of rows of one subject that both are in it.
struct Margin {
  std::vector<double> share, together;

  Margin(std::size_t column, const Coded& coded) {
    const Group group{{column}, 1};
    const Clumps clumps(group, coded);
    const auto n = static_cast<double>(coded.real.rows);
    const double pairs = coded.subjects.squares - n;  // twice their number
    for (const std::uint32_t rows : count(coded.real, group, coded.cells)) {
      const std::size_t cell = share.size();
      share.push_back(rows / n);
      together.push_back(pairs > 0 ? (clumps.squares[cell] - rows) / pairs : 0);
    }
  }
};

// What as many rows as the synthetic ones, drawn from the product of the real margins, are expected to score:
// without their sampling noise, the floor of weakly dependent columns would lie above the ceiling. With
// subjects, each keeps its rows of every column: the counts are of clumps, as large as these vary more.
double independence(const Counts& real, const Group& group, const Coded& coded,
                    const std::vector<Margin>& margins) {
  const auto n = static_cast<double>(coded.real.rows), m = static_cast<double>(coded.synthetic.rows);
  const double pairs = coded.subjects.squares - n;
  double distance = 0;
  for (std::size_t cell = 0; cell < real.size(); ++cell) {
    double product = 1, together = 1, clump = 1;
    std::size_t rest = cell;
    for (std::size_t k = group.size; k-- > 0;) {
      const std::size_t column = group.columns[k], own = rest % coded.cells[column];
      product *= margins[column].share[own];
      together *= margins[column].together[own];
      rest /= coded.cells[column];
    }
    if (pairs > 0 && product > 0 && product < 1)
      clump = std::max(1.0, 1 + pairs / n * (together - product * product) / (product * (1 - product)));
    distance += clump * expected_gap(m * product / clump, m * real[cell] / n / clump) / m;
  }
  return 1 - distance / 2;
}

double rounded(double value) {
  return std::nearbyint(value * 1e5) / 1e5 + 0.0;  // no negative zero
}

std::vector<Group> groups_of(std::size_t columns, std::size_t size) {
  std::vector<Group> out;
  for (std::size_t a = 0; a < columns; ++a) {
    if (size == 1) out.push_back({{a}, 1});
    for (std::size_t b = a + 1; size > 1 && b < columns; ++b) {
      if (size == 2) out.push_back({{a, b}, 2});
      for (std::size_t c = b + 1; size > 2 && c < columns; ++c) out.push_back({{a, b, c}, 3});
    }
  }
  return out;
}

double count_of_groups(std::size_t columns, std::size_t size) {
  double out = 1;
  for (std::size_t k = 0; k < size; ++k)
    out *= (static_cast<double>(columns) - static_cast<double>(k)) / static_cast<double>(k + 1);
  return std::round(out);
}

// `limit` of all groups of this size by the seed. Where that is a small part they are drawn one by one, so
// that 10,000 columns need no list of their 1.7e11 triples; else some of the list are taken.
std::vector<Group> drawn_groups(std::size_t columns, std::size_t size, std::size_t limit,
                                std::uint64_t seed) {
  if (columns < size || limit == 0) return {};
  if (count_of_groups(columns, size) <= static_cast<double>(limit)) return groups_of(columns, size);
  Random random = Random(seed).stream(0x747269);
  if (count_of_groups(columns, size) <= 2 * static_cast<double>(limit)) {
    std::vector<Group> all = groups_of(columns, size), out;
    for (std::size_t i = 0; i < all.size(); ++i)  // selection sampling: Knuth, TAOCP 2, 3.4.2, algorithm S
      if (random.below(all.size() - i) < limit - out.size()) out.push_back(all[i]);
    return out;
  }
  std::vector<std::array<std::size_t, 3>> drawn;
  while (drawn.size() < limit) {
    while (drawn.size() < limit) {
      std::array<std::size_t, 3> group{columns, columns + 1, columns + 2};  // what is not drawn sorts last
      for (std::size_t k = 0; k < size; ++k) group[k] = random.below(columns);
      std::sort(group.begin(), group.end());
      if (std::adjacent_find(group.begin(), group.end()) == group.end()) drawn.push_back(group);
    }
    std::sort(drawn.begin(), drawn.end());
    drawn.erase(std::unique(drawn.begin(), drawn.end()), drawn.end());
  }
  std::vector<Group> out;
  for (const auto& group : drawn) out.push_back({group, size});
  return out;
}

Summary summarise(const Coded& coded, const std::vector<Group>& groups, Convention convention,
                  const EvaluationContext& context) {
  std::vector<Margin> margins;
  for (std::size_t c = 0; c < coded.names.size(); ++c) margins.emplace_back(c, coded);
  std::vector<Outcome> outcomes(groups.size());
  const Expected sizes(coded);
  const auto n = static_cast<double>(coded.real.rows), m = static_cast<double>(coded.synthetic.rows);
  parallel_for(
      groups.size(),
      [&](std::size_t g) {
        context.cancel.check();
        const Counts real = count(coded.real, groups[g], coded.cells);
        outcomes[g].accuracy = 1 - distance_of(real, count(coded.synthetic, groups[g], coded.cells), n, m);
        outcomes[g].independent = independence(real, groups[g], coded, margins);
        const bool mostlyai = convention == Convention::mostlyai;
        outcomes[g].expected = mostlyai ? 1 - half_normal(real, n, m) : fresh(real, groups[g], coded, sizes);
        if (!mostlyai) return;
        outcomes[g].accuracy = rounded(outcomes[g].accuracy);
        outcomes[g].expected = rounded(outcomes[g].expected);
      },
      context.threads);
  Summary out;
  Outcome sum;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    sum.add(outcomes[g]);
    std::string name = coded.names[groups[g].columns[0]];
    for (std::size_t k = 1; k < groups[g].size; ++k) name += " x " + coded.names[groups[g].columns[k]];
    out.parts.push_back({std::move(name), outcomes[g].accuracy, coded.synthetic.rows,
                         message("expected of a sample of this size ", rounded(outcomes[g].expected))});
  }
  out.mean = sum.divided(groups.size());
  return out;
}

void keep_worst(std::vector<ScorePart>& parts, std::size_t count, std::vector<std::string>& warnings) {
  if (parts.size() <= count) return;
  std::sort(parts.begin(), parts.end(), [](const ScorePart& a, const ScorePart& b) {
    return *a.value != *b.value ? *a.value < *b.value : a.name < b.name;
  });
  warnings.push_back(message("The parts are the ", count, " worst of ", parts.size(), "."));
  parts.resize(count);
}

std::string ceiling_source(const Coded& coded, Convention convention) {
  const std::size_t m = coded.synthetic.rows;
  if (convention == Convention::mostlyai)
    return message("expected of ", m, " rows of the same distribution as ", coded.real.rows,
                   " real rows (half-normal)");
  if (coded.held.rows == 0)
    return message(coded.subjects.order.empty() ? "parts" : "parts, by subject,", " of ", coded.real.rows,
                   " real rows, brought to ", m, " rows");
  std::string out = message("holdout, ", counted(coded.held.rows, "real row"));
  return coded.held.rows == m ? out : message(out, ", brought to ", m, " rows");
}

// What the overall accuracy shares with those of one, two and three columns.
template <class T, class Make>
std::shared_ptr<T> once(const EvaluationContext& context, const std::string& key, const Make& make) {
  return context.shared ? context.shared->get<T>(key, make) : make();
}

constexpr std::string_view kEstimands[] = {
    "Mean accuracy of columns, of pairs and of triples of columns.",
    "Mean over columns of the accuracy of their distribution.",
    "Mean over pairs of columns of the accuracy of their joint distribution.",
    "Mean over triples of columns of the accuracy of their joint distribution."};

}  // namespace

Accuracy::Accuracy(AccuracyOf of, Convention convention, std::size_t triples)
    : of_(of),
      convention_(require_convention(convention, kConventions, kNames[static_cast<int>(of)])),
      triples_(triples) {}

std::string_view Accuracy::name() const {
  return kNames[static_cast<int>(of_)];
}

Score Accuracy::evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(*this, std::string(kEstimands[static_cast<int>(of_)]),
                            "1 - TVD of cells: 10 quantile bins, 10 most frequent labels, missing");
  score.convention = std::string(name_of(convention_));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  const std::string key = message("accuracy ", real, " ", &synthetic, " ", context.holdout.get(), " ",
                                  name_of(convention_), " ", context.seed, " ");
  const auto coded = once<Coded>(
      context, key, [&] { return std::make_shared<Coded>(code(*real, synthetic, convention_, context)); });
  score.n = synthetic.rows();
  std::vector<std::shared_ptr<const Summary>> found;
  constexpr AccuracyOf kSizes[] = {AccuracyOf::columns, AccuracyOf::pairs, AccuracyOf::triples};
  for (std::size_t size = 1; size <= 3; ++size) {
    if (of_ != AccuracyOf::overall && of_ != kSizes[size - 1]) continue;
    const auto summary = once<Summary>(context, message(key, size, " ", triples_), [&] {
      const std::size_t columns = coded->names.size(), limits[] = {columns, kMostPairs, triples_};
      const auto groups = drawn_groups(columns, size, limits[size - 1], context.seed);
      return std::make_shared<Summary>(summarise(*coded, groups, convention_, context));
    });
    if (summary->parts.empty()) continue;
    found.push_back(summary);
    const std::size_t groups = summary->parts.size();
    const bool drawn = static_cast<double>(groups) < count_of_groups(coded->names.size(), size);
    if (drawn)
      score.warnings.push_back(
          message("Of all ", size == 3 ? "triples " : "pairs ", groups, " were drawn by the seed."));
    if (of_ != AccuracyOf::overall) {
      score.parts = summary->parts;
      if (drawn || size == 3) keep_worst(score.parts, kShown, score.warnings);
    } else {
      score.parts.push_back({std::string(kNames[size]), summary->mean.accuracy, groups,
                             message("expected of a sample of this size ", rounded(summary->mean.expected))});
    }
  }
  if (found.empty() && of_ == AccuracyOf::triples && triples_ == 0)
    return undefined(std::move(score), "No triples were asked for (triples = 0).");
  if (found.empty()) return undefined(std::move(score), "The tables share too few columns to compare.");
  Outcome sum;
  for (const auto& one : found) sum.add(one->mean);
  const Outcome mean = sum.divided(found.size());
  score.value = mean.accuracy;
  score.no_interval = "A bootstrap of distances between distributions is biased, so none is shown.";
  score.ceiling = Bound{mean.expected, ceiling_source(*coded, convention_)};
  if (of_ != AccuracyOf::columns)
    score.floor =
        Bound{mean.independent, message("expected of ", synthetic.rows(),
                                        " rows of the real columns, made independent of each other",
                                        coded->subjects.order.empty() ? "" : "; a subject's stay together")};
  return score;
}

}  // namespace synthema
