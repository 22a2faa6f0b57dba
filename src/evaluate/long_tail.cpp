#include "synthema/evaluate/fidelity/long_tail.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "src/evaluate/label_counts.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/fidelity/column_shapes.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

constexpr std::size_t kTenths = 10;
using Counts = detail::Frequencies;

Counts counts_of(const Column& column) {
  if (column.kind() != Kind::list) return detail::label_counts(column);
  Counts out;
  const Column& items = column.items();
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    for (auto i = static_cast<std::size_t>(column.offsets()[row]);
         i < static_cast<std::size_t>(column.offsets()[row + 1]); ++i)
      if (!items.is_null(i)) ++out[items.value_at(i).display()];
  }
  return out;
}

bool has_labels(const Column& column) {
  return detail::is_category(column.kind()) ||
         (column.kind() == Kind::list && column.items().kind() != Kind::list);
}

std::vector<std::string> label_columns(const Table& real, const Table& synthetic) {
  std::vector<std::string> out;
  for (const Field& field : real.schema().fields)
    if (synthetic.has(field.name) && !field.has(Role::identifier) && !field.has(Role::subject) &&
        has_labels(real.column(field.name)) && has_labels(synthetic.column(field.name)))
      out.push_back(field.name);
  return out;
}

double sum_of(const Counts& counts) {
  double sum = 0;
  for (const auto& [label, count] : counts) sum += count;
  return sum;
}

struct Tenth {
  double real = 0, kept = 0;  // probabilities
  std::size_t labels = 0, seen = 0;
};
using Tenths = std::array<Tenth, kTenths>;

Tenths tenths_of(const Counts& real, const Counts& synthetic) {
  Tenths out;
  const double n = sum_of(real), m = sum_of(synthetic);
  std::vector<std::pair<double, std::string>> sorted;
  for (const auto& [label, count] : real) sorted.emplace_back(count, label);
  std::sort(sorted.begin(), sorted.end());  // rarest first
  double below = 0;
  for (const auto& [count, label] : sorted) {
    const double middle = (below + count / 2) / n;
    Tenth& tenth = out[std::min(kTenths - 1, static_cast<std::size_t>(middle * kTenths))];
    const auto found = synthetic.find(label);
    const double other = found == synthetic.end() ? 0 : found->second / m;
    tenth.real += count / n;
    tenth.kept += std::min(count / n, other);
    ++tenth.labels;
    tenth.seen += other > 0 ? 1 : 0;
    below += count;
  }
  return out;
}

struct Tails {
  std::array<RatioRows, kTenths> kept, seen;  // over columns
  std::vector<std::pair<std::string, Tenths>> columns;
};

Tails tails_of(const Table& real, const Table& synthetic) {
  Tails out;
  for (const std::string& name : label_columns(real, synthetic)) {
    const Counts r = counts_of(real.column(name)), s = counts_of(synthetic.column(name));
    if (r.empty() || s.empty()) continue;
    const Tenths tenths = tenths_of(r, s);
    for (std::size_t t = 0; t < kTenths; ++t) {
      if (tenths[t].labels == 0) continue;
      out.kept[t].add(tenths[t].kept / tenths[t].real);
      out.seen[t].add(static_cast<double>(tenths[t].seen), static_cast<double>(tenths[t].labels));
    }
    out.columns.emplace_back(name, tenths);
  }
  return out;
}

}  // namespace

Score LongTail::evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
  Score score = start_score(
      *this,
      "Share of the probability of the rarest labels, a tenth of all values, that synthetic rows have.",
      "mean over columns of sum min(p real, p synthetic) / sum p real");
  if (!real) return undefined(std::move(score), "No real table was given.");
  const Tails tails = tails_of(*real, synthetic);
  if (tails.columns.empty())
    return undefined(std::move(score), "The tables share no column of labels with values.");
  for (std::size_t t = 0; t < kTenths; ++t) {
    const std::string name = t == 0             ? "rarest tenth"
                             : t == kTenths - 1 ? "most frequent tenth"
                                                : message("tenth ", t + 1);
    const auto seen = tails.seen[t].value();
    std::size_t labels = 0;
    for (const double count : tails.seen[t].denominator) labels += static_cast<std::size_t>(count);
    score.parts.push_back({name, tails.kept[t].value(), labels,
                           seen ? message("labels seen: ", *seen, " of ", labels) : "no label lies here"});
  }
  for (const auto& [name, tenths] : tails.columns)
    if (tenths[0].labels > 0)
      score.parts.push_back(
          {name, tenths[0].kept / tenths[0].real, tenths[0].labels,
           message("rarest tenth; ", tenths[0].seen, " of ", counted(tenths[0].labels, "label"), " seen")});
  score.n = synthetic.rows();
  score.value = tails.kept[0].value();
  if (!score.value)
    return undefined(std::move(score), "No column has labels that are together a tenth of its values.");
  score.no_interval = "A bootstrap of distances between distributions is biased, so none is shown.";
  score.floor = Bound{0, "theory: no rare label occurs"};
  if (context.holdout && context.holdout->rows() > 0)
    if (const auto held = tails_of(*real, *context.holdout).kept[0].value())
      score.ceiling = Bound{*held, message("holdout, ", counted(context.holdout->rows(), "real row"))};
  return score;
}

namespace {

using RowsOf = std::map<std::string, std::vector<std::size_t>>;

RowsOf rows_by_label(const Column& column) {
  RowsOf out;
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) out[detail::category_at(column, row)].push_back(row);
  return out;
}

struct Subgroup {
  std::string name;
  std::vector<std::size_t> real, synthetic, holdout;
  std::optional<double> value, fresh;
};

std::vector<std::string> grouping_columns(const Table& real, const Table& synthetic) {
  std::vector<std::string> sensitive, small;
  for (const std::string& name : detail::shared_columns(real, synthetic)) {
    const Column& column = real.column(name);
    if (!detail::is_category(column.kind())) continue;
    if (real.schema().at(name).has(Role::sensitive)) sensitive.push_back(name);
    if (rows_by_label(column).size() <= SubgroupFidelity::kLabels) small.push_back(name);
  }
  return sensitive.empty() ? small : sensitive;
}

std::vector<Subgroup> subgroups_of(const Table& real, const Table& synthetic, const Table* holdout) {
  std::vector<Subgroup> out;
  for (const std::string& name : grouping_columns(real, synthetic)) {
    RowsOf other = rows_by_label(synthetic.column(name));
    RowsOf held = holdout && holdout->has(name) && detail::is_category(holdout->column(name).kind())
                      ? rows_by_label(holdout->column(name))
                      : RowsOf();
    for (auto& [label, rows] : rows_by_label(real.column(name)))
      if (rows.size() >= SubgroupFidelity::kRows)
        out.push_back({message(name, " = ", label), rows, other[label], held[label], {}, {}});
  }
  return out;
}

}  // namespace

Score SubgroupFidelity::evaluate(const Table* real, const Table& synthetic,
                                 const EvaluationContext& context) const {
  Score score =
      start_score(*this, "Mean over subgroups of how alike the distributions of columns are in each.",
                  "column_shapes within each subgroup of 30 real rows or more");
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  const Table* holdout = context.holdout.get();
  std::vector<Subgroup> groups = subgroups_of(*real, synthetic, holdout);
  if (groups.empty())
    return undefined(std::move(score),
                     message("No column of labels has a subgroup of ", kRows, " real rows."));
  EvaluationContext bare = context;
  bare.holdout = nullptr;
  const ColumnFidelity shapes;
  parallel_for(
      groups.size(),
      [&](std::size_t g) {
        context.cancel.check();
        Subgroup& group = groups[g];
        const Table rows = real->take(group.real);
        if (!group.synthetic.empty())
          group.value = shapes.evaluate(&rows, synthetic.take(group.synthetic), bare).value;
        if (!group.holdout.empty())
          group.fresh = shapes.evaluate(&rows, holdout->take(group.holdout), bare).value;
      },
      context.threads);
  RatioRows mean, fresh;
  const Subgroup* worst = nullptr;
  for (const Subgroup& group : groups) {
    score.parts.push_back({group.name, group.value.value_or(0), group.synthetic.size(),
                           message(counted(group.real.size(), "real row"),
                                   group.value ? "" : "; no synthetic row, counted as 0")});
    mean.add(group.value.value_or(0));
    if (group.fresh) fresh.add(*group.fresh);
    if (!worst || group.value.value_or(0) < worst->value.value_or(0)) worst = &group;
  }
  score.n = synthetic.rows();
  score.value = mean.value();
  score.warnings.push_back(message("Least alike: ", worst->name, " (", worst->value.value_or(0), ", ",
                                   counted(worst->real.size(), "real row"), ")."));
  score.no_interval = "A bootstrap of distances between distributions is biased, so none is shown.";
  if (const auto held = fresh.value())
    score.ceiling = Bound{*held, message("holdout, ", counted(holdout->rows(), "real row"))};
  return score;
}

}  // namespace synthema
