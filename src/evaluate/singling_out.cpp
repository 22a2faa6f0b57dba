#include "synthema/evaluate/privacy/singling_out.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <span>
#include <tuple>

#include "src/evaluate/marginal_floor.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/privacy/residual_risk.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/evaluate/shared_work.hpp"

namespace synthema {

namespace {

constexpr std::size_t kBatch = 1024;  // predicates drawn at a time
constexpr std::size_t kSizes = 10;    // parts of the holdout that the size model is fitted to

enum class Relation : std::uint8_t { equal, at_most, at_least, missing };

struct Predicate {
  std::size_t column = 0;
  Relation relation = Relation::equal;
  double value = 0;

  auto key() const { return std::tuple(column, static_cast<int>(relation), value); }
  friend bool operator<(const Predicate& a, const Predicate& b) { return a.key() < b.key(); }
  friend bool operator==(const Predicate& a, const Predicate& b) { return a.key() == b.key(); }
};
using Query = std::vector<Predicate>;  // all of them hold; columns ascending

// Column by column; labels as whole numbers, missing as NaN.
struct Coded {
  std::vector<std::vector<double>> columns;
  Units units;
  std::size_t rows = 0;
};

// The rows of a column in the order of their values, missing ones last: those that a predicate holds for lie
// together.
class SortedColumn {
 public:
  SortedColumn() = default;
  explicit SortedColumn(const std::vector<double>& values) : rows_(values.size()) {
    std::vector<std::pair<double, std::uint32_t>> sorted;
    sorted.reserve(values.size());
    for (std::uint32_t row = 0; row < values.size(); ++row)
      if (!std::isnan(values[row])) sorted.emplace_back(values[row], row);
    std::sort(sorted.begin(), sorted.end());
    begin_.clear();
    std::size_t missing = sorted.size();
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      rows_[i] = sorted[i].second;
      if (!values_.empty() && values_.back() == sorted[i].first) continue;
      values_.push_back(sorted[i].first);
      begin_.push_back(i);
    }
    begin_.push_back(missing);
    for (std::uint32_t row = 0; row < values.size(); ++row)
      if (std::isnan(values[row])) rows_[missing++] = row;
  }

  const std::vector<double>& values() const { return values_; }  // different ones, ascending
  std::size_t count(std::size_t value) const { return begin_[value + 1] - begin_[value]; }
  std::size_t missing() const { return rows_.size() - begin_.back(); }
  std::span<const std::uint32_t> rows_of(const Predicate& predicate) const {
    const std::size_t present = begin_.back();
    const auto place = [&](auto at) { return begin_[static_cast<std::size_t>(at - values_.begin())]; };
    const std::size_t lower = place(std::lower_bound(values_.begin(), values_.end(), predicate.value)),
                      upper = place(std::upper_bound(values_.begin(), values_.end(), predicate.value));
    const auto part = [&](std::size_t begin, std::size_t end) {
      return std::span(rows_).subspan(begin, end - begin);
    };
    switch (predicate.relation) {
      case Relation::equal:
        return part(lower, upper);
      case Relation::at_most:
        return part(0, upper);
      case Relation::at_least:
        return part(lower, present);
      case Relation::missing:
        return part(present, rows_.size());
    }
    return {};
  }

 private:
  std::vector<std::uint32_t> rows_;
  std::vector<double> values_;
  std::vector<std::size_t> begin_ = {0};  // of each value's rows, and of the missing ones
};

// A table that predicates are tried on.
struct Searched {
  Coded coded;
  std::vector<SortedColumn> sorted;

  Searched(Coded table, const EvaluationContext& context)
      : coded(std::move(table)), sorted(coded.columns.size()) {
    parallel_for(
        sorted.size(), [&](std::size_t c) { sorted[c] = SortedColumn(coded.columns[c]); }, context.threads);
  }
};

// The columns and the labels of all tables, numbered in their order as texts: nothing may depend on the order
// of rows.
class Names {
 public:
  Names(std::vector<std::string> names, const std::vector<const Table*>& tables)
      : names_(std::move(names)), labels_(names_.size()) {
    for (std::size_t c = 0; c < names_.size(); ++c) {
      number_.push_back(detail::is_number(tables.front()->column(names_[c]).kind()));
      for (const Table* table : tables)
        if (!number_[c]) add_labels(table->column(names_[c]), labels_[c]);
      double next = 0;
      for (auto& [label, code] : labels_[c]) code = next++;
    }
  }

  const std::vector<bool>& number() const { return number_; }
  Coded code(const Table& table, const EvaluationContext& context) const {
    Coded out{std::vector<std::vector<double>>(names_.size()), Units::of(table), table.rows()};
    parallel_for(
        names_.size(), [&](std::size_t c) { out.columns[c] = code(table.column(names_[c]), c); },
        context.threads);
    return out;
  }

 private:
  std::vector<double> code(const Column& column, std::size_t c) const {
    std::vector<double> out, of_code;  // each label of a category is looked up once
    out.reserve(column.size());
    if (!number_[c] && column.kind() == Kind::category)
      for (std::size_t label = 0; label < column.labels().size(); ++label)
        of_code.push_back(labels_[c].find(std::string(column.labels().text_at(label)))->second);
    for (std::size_t row = 0; row < column.size(); ++row)
      out.push_back(column.is_null(row) ? std::numeric_limits<double>::quiet_NaN()
                    : number_[c]        ? column.number_at(row)
                    : of_code.empty()   ? labels_[c].find(detail::category_at(column, row))->second
                                        : of_code[static_cast<std::size_t>(column.codes()[row])]);
    return out;
  }

  static void add_labels(const Column& column, std::map<std::string, double>& labels) {
    if (column.kind() == Kind::category)
      for (std::size_t code = 0; code < column.labels().size(); ++code)
        labels.emplace(column.labels().text_at(code), 0.0);
    else
      for (const char* label : {"false", "true"}) labels.emplace(label, 0.0);
  }

  std::vector<std::string> names_;
  std::vector<std::map<std::string, double>> labels_;  // by column; empty for numbers
  std::vector<bool> number_;
};

// What both kinds of predicates need of the tables.
struct Prepared {
  Names names;
  Searched learnt, training, control;

  Prepared(std::vector<std::string> columns, const Table& real, const Table& synthetic, const Table& holdout,
           const EvaluationContext& context)
      : names(std::move(columns), {&real, &synthetic, &holdout}),
        learnt(names.code(synthetic, context), context),
        training(names.code(real, context), context),
        control(names.code(holdout, context), context) {}

  static std::shared_ptr<const Prepared> of(std::vector<std::string> columns, const Table& real,
                                            const Table& synthetic, const Table& holdout,
                                            const EvaluationContext& context) {
    const auto make = [&] {
      return std::make_shared<Prepared>(std::move(columns), real, synthetic, holdout, context);
    };
    if (!context.shared) return make();
    return context.shared->get<Prepared>(message("predicates ", &real, " ", &synthetic, " ", &holdout), make);
  }
};

// Row numbers in the order of what the rows hold.
std::vector<std::size_t> ordered_rows(const Coded& table) {
  std::vector<std::size_t> out(table.rows);
  std::iota(out.begin(), out.end(), std::size_t{0});
  std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
    for (const std::vector<double>& column : table.columns) {
      const double x = column[a], y = column[b];
      if (std::isnan(x) != std::isnan(y)) return std::isnan(x);
      if (x != y && !std::isnan(x)) return x < y;
    }
    return false;
  });
  return out;
}

bool holds(const Predicate& predicate, double value) {
  switch (predicate.relation) {
    case Relation::equal:
      return value == predicate.value;
    case Relation::at_most:
      return value <= predicate.value;
    case Relation::at_least:
      return value >= predicate.value;
    case Relation::missing:
      return std::isnan(value);
  }
  return false;
}

// Units that match, `most` of them where there are more: the rows of the rarest predicate are tried.
std::vector<std::size_t> matching_units(const Query& query, const Searched& table, std::size_t most) {
  std::span<const std::uint32_t> rows;
  std::size_t rarest = query.size();
  for (std::size_t i = 0; i < query.size(); ++i) {
    const auto found = table.sorted[query[i].column].rows_of(query[i]);
    if (rarest < query.size() && found.size() >= rows.size()) continue;
    rows = found, rarest = i;
  }
  const Units& of = table.coded.units;
  const bool own = of.count == table.coded.rows;  // each row is a unit
  std::vector<std::size_t> units;
  for (const std::uint32_t row : rows) {
    bool all = true;
    for (std::size_t i = 0; i < query.size() && all; ++i)
      all = i == rarest || holds(query[i], table.coded.columns[query[i].column][row]);
    if (!all) continue;
    const std::size_t unit = of.of_row[row];
    if (own || std::find(units.begin(), units.end(), unit) == units.end()) units.push_back(unit);
    if (units.size() >= most) break;
  }
  return units;
}

std::vector<std::vector<std::size_t>> matching(const std::vector<Query>& queries, const Searched& table,
                                               std::size_t most, const EvaluationContext& context) {
  std::vector<std::vector<std::size_t>> out(queries.size());
  parallel_for(
      queries.size(),
      [&](std::size_t q) {
        context.cancel.check();
        out[q] = matching_units(queries[q], table, most);
      },
      context.threads, 8);
  return out;
}

// How many units match, counted up to `most`.
std::vector<std::size_t> matches_of(const std::vector<Query>& queries, const Searched& table,
                                    std::size_t most, const EvaluationContext& context) {
  std::vector<std::size_t> out;
  for (const auto& units : matching(queries, table, most, context)) out.push_back(units.size());
  return out;
}

// How often a predicate holds for one unit alone, and the variance of that number over draws of the people,
// by the delete-one jackknife: without a unit, predicates that hold for it alone fail, and those that hold
// for it and one other succeed. Predicates about the same people are not independent.
struct Successes {
  std::size_t count = 0;
  double variance = 0;
};
Successes successes_of(const std::vector<Query>& queries, const Searched& table,
                       const EvaluationContext& context) {
  Successes out;
  std::vector<double> change(table.coded.units.count, 0.0);
  std::size_t pairs = 0;
  for (const auto& units : matching(queries, table, 3, context)) {
    out.count += units.size() == 1;
    pairs += units.size() == 2;
    for (const std::size_t unit : units) change[unit] += units.size() == 1 ? -1 : units.size() == 2 ? 1 : 0;
  }
  const auto n = static_cast<double>(change.size());
  const double mean = std::accumulate(change.begin(), change.end(), 0.0) / n;
  for (const double one : change) out.variance += (one - mean) * (one - mean) * (n - 1) / n;
  const double p1 = static_cast<double>(out.count) / static_cast<double>(queries.size()),
               p2 = static_cast<double>(pairs) / static_cast<double>(queries.size());
  out.variance *= p1 > 0 ? p1 * (1 - p1) / (p1 + 2 * p2) : 0;
  return out;
}

// Every univariate predicate that could single out; which do is tried afterwards.
std::vector<Query> univariate(const Searched& table, const std::vector<bool>& number, Random random) {
  std::vector<Query> out;
  for (std::size_t c = 0; c < table.sorted.size(); ++c) {
    const SortedColumn& column = table.sorted[c];
    const std::vector<double>& values = column.values();
    if (column.missing() > 0) out.push_back({{c, Relation::missing, 0}});
    if (values.empty()) continue;
    if (number[c]) {
      out.push_back({{c, Relation::at_most, values.front()}});
      out.push_back({{c, Relation::at_least, values.back()}});
    }
    for (std::size_t i = 0; i < values.size(); ++i)
      if (column.count(i) == 1 || table.coded.units.count < table.coded.rows)
        out.push_back({{c, Relation::equal, values[i]}});
  }
  random.shuffle(out);
  return out;
}

std::vector<double> medians_of(const Coded& table, const std::vector<bool>& number) {
  std::vector<double> out(table.columns.size(), 0.0);
  for (std::size_t c = 0; c < out.size(); ++c) {
    if (!number[c]) continue;
    std::vector<double> sorted;
    for (const double value : table.columns[c])
      if (!std::isnan(value)) sorted.push_back(value);
    std::sort(sorted.begin(), sorted.end());
    if (!sorted.empty()) out[c] = quantile(sorted, 0.5);
  }
  return out;
}

Query multivariate(const Coded& table, const std::vector<bool>& number, const std::vector<double>& medians,
                   const std::vector<std::size_t>& rows, std::size_t size, Random random) {
  const std::size_t row = rows[random.below(rows.size())];
  std::vector<std::size_t> chosen;
  while (chosen.size() < std::min(size, table.columns.size())) {
    const std::size_t column = random.below(table.columns.size());
    if (std::find(chosen.begin(), chosen.end(), column) == chosen.end()) chosen.push_back(column);
  }
  std::sort(chosen.begin(), chosen.end());
  Query out;
  for (const std::size_t c : chosen) {
    const double value = table.columns[c][row];
    if (std::isnan(value))
      out.push_back({c, Relation::missing, 0});
    else if (!number[c])
      out.push_back({c, Relation::equal, value});
    else
      out.push_back({c, value > medians[c] ? Relation::at_least : Relation::at_most, value});
  }
  return out;
}

// Different predicates that single out a synthetic row, at most `attacks`, in the order drawn.
class Attack {
 public:
  Attack(const Searched& table, std::size_t attacks, const EvaluationContext& context)
      : table_(table), attacks_(attacks), context_(context) {}

  bool full() const { return queries_.size() == attacks_; }
  void keep_those_that_single_out(const std::vector<Query>& drawn) {
    for (std::size_t first = 0; first < drawn.size() && !full(); first += kBatch) {
      const std::size_t end = std::min(drawn.size(), first + kBatch);
      const std::vector<Query> batch(drawn.begin() + static_cast<std::ptrdiff_t>(first),
                                     drawn.begin() + static_cast<std::ptrdiff_t>(end));
      const std::vector<std::size_t> matches = matches_of(batch, table_, 2, context_);
      for (std::size_t i = 0; i < batch.size() && !full(); ++i)
        if (matches[i] == 1 && known_.insert(batch[i]).second) queries_.push_back(batch[i]);
    }
  }
  const std::vector<Query>& queries() const { return queries_; }

 private:
  const Searched& table_;
  std::size_t attacks_;
  const EvaluationContext& context_;
  std::set<Query> known_;
  std::vector<Query> queries_;
};

// Chance that a part of m of n rows has exactly one of the c that match (hypergeometric).
double chance_of_one(double c, double n, double m) {
  if (c < 1 || m < 1 || n - c < m - 1) return 0;
  const auto log_choose = [](double a, double b) {
    return std::lgamma(a + 1) - std::lgamma(b + 1) - std::lgamma(a - b + 1);
  };
  return c * std::exp(log_choose(n - c, m - 1) - log_choose(n, m));
}

// Success in a table of n rows when predicates have weights up to w, evenly (Cohen and Nissim 2020; the form
// that anonymeter fits), up to a factor.
double size_model(double n, double w) {
  return (1 - (n * w + 1) * std::exp(n * std::log1p(-w))) / (n + 1);
}

// By what the control's success is multiplied to stand for a table of `wanted` rows.
double size_correction(const std::vector<std::size_t>& matches, double rows, double wanted) {
  std::array<double, kSizes> sizes{}, expected{};
  const double smallest = std::min(1000.0, std::max(1.0, rows / 10));
  for (std::size_t k = 0; k < kSizes; ++k) {
    sizes[k] = std::floor(smallest + (rows - smallest) * static_cast<double>(k) / (kSizes - 1));
    for (const std::size_t count : matches)
      expected[k] += chance_of_one(static_cast<double>(count), rows, sizes[k]);
  }
  double best_error = std::numeric_limits<double>::infinity(), best = 1;
  for (double w = 1e-3 / rows; w < 0.5; w *= 1.05) {  // the factor of least squares is explicit
    double xy = 0, xx = 0, error = 0;
    for (std::size_t k = 0; k < kSizes; ++k) {
      const double x = size_model(sizes[k], w);
      xy += x * expected[k];
      xx += x * x;
    }
    if (!(xx > 0)) continue;
    for (std::size_t k = 0; k < kSizes; ++k)
      error += std::pow(xy / xx * size_model(sizes[k], w) - expected[k], 2);
    if (error < best_error) best_error = error, best = size_model(wanted, w) / size_model(rows, w);
  }
  return best;
}

}  // namespace

Score SinglingOut::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  Score score =
      start_score(*this,
                  multivariate_ ? "Risk that a predicate of three columns that holds for one synthetic row "
                                  "singles out one person, over that for people not in the data."
                                : "Risk that a predicate of one column that holds for one synthetic row "
                                  "singles out one person, over that for people not in the data.",
                  "(attack - control) / (1 - control), Wilson centres (Giomi et al. 2023)");
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (!context.holdout) return undefined(std::move(score), "No holdout was given.");
  const Table& holdout = *context.holdout;
  if (real->rows() == 0 || synthetic.rows() == 0 || holdout.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  std::vector<std::string> columns = detail::shared_columns(*real, synthetic, &holdout);
  if (columns.empty())
    return undefined(std::move(score), "The tables share no column of numbers or categories.");
  const std::shared_ptr<const Prepared> prepared =
      Prepared::of(std::move(columns), *real, synthetic, holdout, context);
  const Names& names = prepared->names;
  const Coded& learnt = prepared->learnt.coded;
  const Searched &training = prepared->training, &control = prepared->control;

  const Random random = Random(context.seed).stream(0x73696E67);
  Attack attack(prepared->learnt, options_.attacks, context);
  if (!multivariate_) {
    attack.keep_those_that_single_out(univariate(prepared->learnt, names.number(), random));
  } else {
    const std::vector<double> medians = medians_of(learnt, names.number());
    const std::vector<std::size_t> rows = ordered_rows(learnt);
    for (std::size_t tried = 0; tried < options_.most_tries && !attack.full(); tried += kBatch) {
      std::vector<Query> drawn;
      for (std::size_t i = tried; i < tried + kBatch; ++i)
        drawn.push_back(
            multivariate(learnt, names.number(), medians, rows, options_.columns, random.stream(i)));
      attack.keep_those_that_single_out(drawn);
    }
  }
  const std::vector<Query>& queries = attack.queries();
  if (queries.empty())
    return undefined(std::move(score), "No predicate of this kind holds for one synthetic row alone.");
  if (queries.size() < options_.attacks)
    score.warnings.push_back(message("Only ", queries.size(), " of ", options_.attacks,
                                     " predicates were found that hold for one synthetic row alone."));
  const auto n = static_cast<double>(queries.size());
  const Successes hits = successes_of(queries, training, context),
                  of_holdout = successes_of(queries, control, context);
  const bool same_size = control.coded.units.count == training.coded.units.count;
  const std::size_t control_hits = of_holdout.count;
  const double factor =
      same_size
          ? 1
          : size_correction(matches_of(queries, control, std::numeric_limits<std::size_t>::max(), context),
                            static_cast<double>(control.coded.units.count),
                            static_cast<double>(training.coded.units.count));
  ResidualRisk risk = residual_risk(static_cast<double>(hits.count), n,
                                    std::min(n, factor * static_cast<double>(control_hits)), n);
  widen(risk, std::sqrt(hits.variance) / n, factor * std::sqrt(of_holdout.variance) / n);
  set_risk(score, risk);
  score.interval->method = "the wider of Wilson and jackknife over people for both rates, propagated";
  score.n = queries.size();
  score.ceiling = Bound{0, "theory: people in the data and others are singled out alike"};
  score.parts = {
      {"attack", risk.attack, queries.size(), message(counted(hits.count, "training row"), " singled out")},
      {"control", risk.control, queries.size(),
       message(counted(control_hits, "holdout row"), " singled out",
               same_size ? "" : message("; for the size of the training table x ", factor))}};
  if (options_.floor) {
    SinglingOutOptions without = options_;
    without.floor = false;
    detail::set_marginal_floor(score, SinglingOut(multivariate_, without), *real, synthetic, context);
  }
  return score;
}

}  // namespace synthema
