#include <algorithm>
#include <limits>
#include <unordered_map>

#include "src/evaluate/has_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "src/evaluate/value_ids.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/fidelity/plausibility.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

constexpr std::size_t kRowsForOrder = 100, kRowsForLabel = 5, kLabels = 3;

using Ids = std::vector<std::uint64_t>;

// Columns that are compared, of one table after the other, in one numbering of their values.
struct Coded {
  std::vector<std::string> names;
  std::vector<bool> number;
  std::vector<std::vector<Ids>> ids;  // by table, by column
  std::vector<const Table*> tables;
  std::vector<detail::ValueIds> numbering;

  Coded(const Table& real, std::vector<std::string> columns, std::size_t threads)
      : names(std::move(columns)), numbering(names.size()) {
    for (const std::string& name : names) number.push_back(detail::is_number(real.column(name).kind()));
    add(real, threads);
  }
  void add(const Table& table, std::size_t threads) {
    tables.push_back(&table);
    ids.emplace_back(names.size());
    parallel_for(
        names.size(), [&](std::size_t c) { ids.back()[c] = numbering[c].of(table.column(names[c])); },
        threads);
  }
  const Column& column(std::size_t table, std::size_t c) const { return tables[table]->column(names[c]); }
};

struct Rule {
  std::size_t a = 0, b = 0;
  bool order = false;
  std::unordered_map<std::uint64_t, std::uint64_t> value_of;  // a decides b
};

std::optional<Rule> order_of(const Coded& coded, std::size_t a, std::size_t b) {
  const Column &x = coded.column(0, a), &y = coded.column(0, b);
  double lowest_b = std::numeric_limits<double>::infinity(), highest_a = -lowest_b;
  std::size_t both = 0, strict = 0;
  for (std::size_t row = 0; row < x.size(); ++row) {
    if (x.is_null(row) || y.is_null(row)) continue;
    const double left = x.number_at(row), right = y.number_at(row);
    if (left > right) return std::nullopt;
    highest_a = std::max(highest_a, left);
    lowest_b = std::min(lowest_b, right);
    ++both;
    strict += left < right ? 1 : 0;
  }
  // Ranges that do not overlap are a matter of each column alone; equal columns are the other kind of rule.
  if (both < kRowsForOrder || strict == 0 || highest_a <= lowest_b) return std::nullopt;
  return Rule{a, b, true, {}};
}

std::optional<Rule> decided_by(const Coded& coded, std::size_t a, std::size_t b) {
  Rule out{a, b, false, {}};
  std::size_t rows = 0;
  bool varies = false;
  std::uint64_t first = 0;
  for (std::size_t row = 0; row < coded.ids[0][a].size(); ++row) {
    const std::uint64_t x = coded.ids[0][a][row], y = coded.ids[0][b][row];
    if (x == detail::kMissingValue || y == detail::kMissingValue) continue;
    const auto [entry, fresh] = out.value_of.try_emplace(x, y);
    if (entry->second != y) return std::nullopt;
    if (rows++ == 0) first = y;
    varies = varies || y != first;
  }
  if (!varies || out.value_of.size() < kLabels || rows < kRowsForLabel * out.value_of.size())
    return std::nullopt;
  return out;
}

// Share of the rows of a table that keep the rule, of those it is about.
RatioRows kept(const Rule& rule, const Coded& coded, std::size_t table) {
  RatioRows out;
  const Column &x = coded.column(table, rule.a), &y = coded.column(table, rule.b);
  for (std::size_t row = 0; row < x.size(); ++row) {
    if (x.is_null(row) || y.is_null(row)) continue;
    if (rule.order) {
      out.add(x.number_at(row) <= y.number_at(row) ? 1 : 0);
    } else if (const auto known = rule.value_of.find(coded.ids[table][rule.a][row]);
               known != rule.value_of.end()) {
      out.add(known->second == coded.ids[table][rule.b][row] ? 1 : 0);  // of new labels the rule says nothing
    }
  }
  return out;
}

std::optional<double> mean_kept(const std::vector<Rule>& rules, const Coded& coded, std::size_t table,
                                std::vector<ScorePart>* parts, const EvaluationContext& context) {
  std::vector<RatioRows> shares(rules.size());
  parallel_for(
      rules.size(),
      [&](std::size_t r) {
        context.cancel.check();
        shares[r] = kept(rules[r], coded, table);
      },
      context.threads);
  RatioRows mean;
  for (std::size_t r = 0; r < rules.size(); ++r) {
    const std::optional<double> share = shares[r].value();
    if (share) mean.add(*share);
    if (parts)
      parts->push_back(
          {coded.names[rules[r].a] + (rules[r].order ? " <= " : " decides ") + coded.names[rules[r].b], share,
           shares[r].numerator.size(), share ? "" : "undefined: no row it is about"});
  }
  return mean.value();
}

}  // namespace

Score ImpliedRules::evaluate(const Table* real, const Table& synthetic,
                             const EvaluationContext& context) const {
  Score score = start_score(
      *this, "Mean over rules that every real row keeps of the share of synthetic rows that keep them.",
      "a <= b of numbers, and a decides b of labels");
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  const bool with_holdout = context.holdout && context.holdout->rows() > 0;
  const std::vector<std::string> names = detail::shared_columns(*real, synthetic);
  Coded coded(*real, names, context.threads);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::size_t a = 0; a < names.size(); ++a)
    for (std::size_t b = 0; b < names.size() && pairs.size() < kMostPairs; ++b)
      if (a != b && (!coded.number[a] || coded.number[b])) pairs.emplace_back(a, b);
  std::vector<std::optional<Rule>> found(pairs.size());
  parallel_for(
      pairs.size(),
      [&](std::size_t p) {
        context.cancel.check();
        const auto [a, b] = pairs[p];
        found[p] = coded.number[a] ? order_of(coded, a, b) : decided_by(coded, a, b);
      },
      context.threads);
  std::vector<Rule> rules;
  for (auto& rule : found)
    if (rule) rules.push_back(std::move(*rule));
  if (pairs.size() >= kMostPairs)
    score.warnings.push_back(message("Of all pairs of columns only the first ", kMostPairs, " were tried."));
  if (rules.empty())
    return undefined(std::move(score),
                     "Every rule of these kinds is broken by a real row: there is none to "
                     "keep.");
  const Table loose = detail::independent_marginals(*real, context.seed);
  coded.add(synthetic, context.threads);
  coded.add(loose, context.threads);
  if (with_holdout && detail::has_columns(*context.holdout, *real, names))
    coded.add(*context.holdout, context.threads);
  score.n = synthetic.rows();
  const std::optional<double> value = mean_kept(rules, coded, 1, &score.parts, context);
  if (!value) return undefined(std::move(score), "No synthetic row has the values that a rule is about.");
  score.value = value;
  score.no_interval = "The rules were found in the same real rows, which an interval would have to vary.";
  std::stable_sort(score.parts.begin(), score.parts.end(), [](const ScorePart& x, const ScorePart& y) {
    return x.value.value_or(2) < y.value.value_or(2);
  });
  if (score.parts.size() > kShownRules) {
    score.warnings.push_back(
        message("The parts are the ", kShownRules, " worst kept of ", rules.size(), " rules."));
    score.parts.resize(kShownRules);
  }
  if (coded.tables.size() > 3)
    if (const auto held = mean_kept(rules, coded, 3, nullptr, context))
      score.ceiling = Bound{*held, message("holdout, ", counted(context.holdout->rows(), "real row"))};
  if (const auto none = mean_kept(rules, coded, 2, nullptr, context))
    score.floor = Bound{*none, "the real columns, each shuffled apart"};
  return score;
}

}  // namespace synthema
