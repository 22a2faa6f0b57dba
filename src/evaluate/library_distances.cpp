#include "src/evaluate/library_distances.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

namespace {

using Numbers = std::vector<double>;

double median(Numbers values) {
  std::sort(values.begin(), values.end());
  return quantile(values, 0.5);
}

double share_above(const Numbers& a, const Numbers& b) {
  std::size_t above = 0;
  for (std::size_t i = 0; i < a.size(); ++i) above += a[i] > b[i] ? 1 : 0;
  return static_cast<double>(above) / static_cast<double>(a.size());
}

// Rank of each label, from 0, among those of all columns.
std::map<std::string, double> codes_of(const std::vector<const Column*>& columns) {
  std::map<std::string, double> codes;
  for (const Column* column : columns)
    for (std::size_t row = 0; row < column->size(); ++row)
      if (!column->is_null(row)) codes.emplace(category_at(*column, row), 0);
  double next = 0;
  for (auto& [label, code] : codes) code = next++;
  return codes;
}

Numbers coded(const Column& column, const std::map<std::string, double>& codes) {
  Numbers out;
  out.reserve(column.size());
  for (std::size_t row = 0; row < column.size(); ++row)
    out.push_back(is_number(column.kind()) ? column.number_at(row) : codes.at(category_at(column, row)));
  return out;
}

// Entropy, in nats, of the values rounded to whole numbers.
double rounded_entropy(const RawRows& rows, std::size_t column) {
  std::map<double, double> counts;
  for (const Numbers& row : rows) ++counts[std::nearbyint(row[column])];
  double out = 0;
  for (const auto& [value, count] : counts) {
    const double share = count / static_cast<double>(rows.size());
    out -= share * std::log(share);
  }
  return out;
}

}  // namespace

std::optional<RawRows> raw_rows(const Table& table, const Table& other,
                                const std::vector<std::string>& names) {
  RawRows out(table.rows(), Numbers(names.size()));
  for (std::size_t c = 0; c < names.size(); ++c) {
    const Column &column = table.column(names[c]), &second = other.column(names[c]);
    if (column.null_count() > 0) return std::nullopt;
    std::map<std::string, double> codes;
    if (!is_number(column.kind())) codes = codes_of({&column, &second});
    const Numbers values = coded(column, codes);
    for (std::size_t row = 0; row < out.size(); ++row) out[row][c] = values[row];
  }
  return out;
}

std::optional<double> synthcity_identifiability(const Table& real, const Table& synthetic,
                                                const EvaluationContext& context) {
  const std::vector<std::string> columns = shared_columns(real, synthetic);
  const auto r = raw_rows(real, synthetic, columns), s = raw_rows(synthetic, real, columns);
  if (columns.empty() || !r || !s) return std::nullopt;
  const auto squared = [](const Numbers& a, const Numbers& b) {
    double sum = 0;
    for (std::size_t c = 0; c < a.size(); ++c) sum += (a[c] - b[c]) * (a[c] - b[c]);
    return sum;
  };
  std::vector<char> nearer(r->size());
  parallel_for(
      r->size(),
      [&](std::size_t i) {
        context.cancel.check();
        double own = std::numeric_limits<double>::infinity(), other = own;
        for (std::size_t j = 0; j < r->size(); ++j)
          if (i != j) own = std::min(own, squared((*r)[i], (*r)[j]));
        for (const Numbers& row : *s) other = std::min(other, squared((*r)[i], row));
        nearer[i] = std::sqrt(other) < std::sqrt(own) ? 1 : 0;
      },
      context.threads, 16);
  return static_cast<double>(std::count(nearer.begin(), nearer.end(), 1)) / static_cast<double>(r->size());
}

double sdmetrics_new_rows(const Table& real, const Table& synthetic, const std::vector<std::string>& columns,
                          const EvaluationContext& context) {
  constexpr double kTolerance = 0.01, kMissing = std::numeric_limits<double>::quiet_NaN();
  RawRows r(real.rows(), Numbers(columns.size())), s(synthetic.rows(), Numbers(columns.size()));
  std::vector<char> number;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Column *of_real = &real.column(columns[c]), *of_synthetic = &synthetic.column(columns[c]);
    number.push_back(is_number(of_real->kind()) ? 1 : 0);
    std::map<std::string, double> codes;
    if (!number.back()) codes = codes_of({of_real, of_synthetic});
    for (const auto& [column, rows] : {std::pair{of_real, &r}, std::pair{of_synthetic, &s}})
      for (std::size_t row = 0; row < rows->size(); ++row)
        (*rows)[row][c] = column->is_null(row) ? kMissing
                          : number.back()      ? column->number_at(row)
                                               : codes.at(category_at(*column, row));
  }
  const auto matches = [&](const Numbers& mine, const Numbers& theirs) {
    for (std::size_t c = 0; c < mine.size(); ++c) {
      if (std::isnan(mine[c]) && std::isnan(theirs[c])) continue;
      const double within = number[c] ? std::abs(kTolerance * mine[c]) : 0;
      if (!(std::abs(theirs[c] - mine[c]) <= within)) return false;  // nor where one is missing
    }
    return true;
  };
  std::vector<char> fresh(s.size());
  parallel_for(
      s.size(),
      [&](std::size_t i) {
        context.cancel.check();
        fresh[i] = std::ranges::none_of(r, [&](const Numbers& row) { return matches(s[i], row); }) ? 1 : 0;
      },
      context.threads, 16);
  return static_cast<double>(std::count(fresh.begin(), fresh.end(), 1)) / static_cast<double>(fresh.size());
}

std::optional<SynthevalRows> SynthevalRows::of(const Table& real, const Table& synthetic,
                                               const Table* holdout) {
  const std::vector<std::string> shared = shared_columns(real, synthetic, holdout);
  if (shared.empty()) return std::nullopt;
  std::vector<std::string> names;
  for (const bool numbers : {true, false})
    for (const std::string& name : shared)
      if (is_number(real.column(name).kind()) == numbers) names.push_back(name);
  std::vector<const Table*> tables{&real, &synthetic};
  if (holdout) tables.push_back(holdout);
  SynthevalRows out;
  const std::vector<RawRows*> rows{&out.real_, &out.synthetic_, &out.holdout_};
  for (std::size_t t = 0; t < tables.size(); ++t) rows[t]->assign(tables[t]->rows(), Numbers(names.size()));
  for (std::size_t c = 0; c < names.size(); ++c) {
    const bool number = is_number(real.column(names[c]).kind());
    out.numbers_ += number ? 1 : 0;
    std::vector<const Column*> columns;
    for (const Table* table : tables) {
      columns.push_back(&table->column(names[c]));
      if (columns.back()->null_count() > 0) return std::nullopt;
    }
    std::map<std::string, double> codes;
    if (!number) codes = codes_of(columns);
    std::vector<Numbers> values;
    for (const Column* column : columns) values.push_back(coded(*column, codes));
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const Numbers& some : values)
      for (const double value : some) low = std::min(low, value), high = std::max(high, value);
    // x * scale + shift, in this order, so that equal distances stay or cease to be equal as they do there
    const double scale = high > low ? 1 / (high - low) : 1, shift = 0 - low * scale;
    for (std::size_t t = 0; t < tables.size(); ++t)
      for (std::size_t row = 0; row < values[t].size(); ++row) {
        const double product = values[t][row] * scale;
        (*rows[t])[row][c] = number ? product + shift : values[t][row];
      }
  }
  return out;
}

std::vector<double> SynthevalRows::even_weights() const {
  return Numbers(real_.front().size(), 1.0);
}

SynthevalRows::Nearest SynthevalRows::nearest(const RawRows& from, const RawRows& to, const Numbers& weights,
                                              const EvaluationContext& context) const {
  const std::size_t columns = weights.size(), labels = columns - numbers_;
  const bool within = from == to;  // equal tables count as one there, too
  Numbers scaled = weights;        // of numbers, over a range of at least 1 of both tables
  for (std::size_t c = 0; c < numbers_; ++c) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const RawRows* rows : {&from, &to})
      for (const Numbers& row : *rows) low = std::min(low, row[c]), high = std::max(high, row[c]);
    scaled[c] = weights[c] / std::max(high - low, 1.0);
  }
  const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
  double of_labels = 0;
  for (std::size_t c = numbers_; c < columns; ++c) of_labels += weights[c];
  const auto distance = [&](const Numbers& a, const Numbers& b) {
    double near = 0, differ = 0;
    for (std::size_t c = 0; c < numbers_; ++c) near += scaled[c] * std::abs(a[c] - b[c]);
    for (std::size_t c = numbers_; c < columns; ++c) differ += a[c] != b[c] ? weights[c] : 0;
    const double different = labels > 0 ? differ / of_labels * static_cast<double>(labels) : 0;
    return (near + different) / all;
  };
  Nearest out{Numbers(from.size()), Numbers(from.size())};
  parallel_for(
      from.size(),
      [&](std::size_t i) {
        context.cancel.check();
        double first = std::numeric_limits<double>::infinity(), second = first;
        for (std::size_t j = 0; j < to.size(); ++j) {
          const double d = distance(from[i], to[j]) + (within && i == j ? 1.0 : 0.0);
          if (d < first)
            second = std::exchange(first, d);
          else
            second = std::min(second, d);
        }
        out.first[i] = first;
        out.second[i] = std::min(second, first + 1);  // what was found is 1 farther on the second look
      },
      context.threads, 16);
  return out;
}

double SynthevalRows::dcr(const EvaluationContext& context) const {
  const double apart = median(nearest(synthetic_, real_, even_weights(), context).first),
               own = median(nearest(real_, real_, even_weights(), context).first);
  if (own == 0) return apart == 0 ? 1 : 0;
  return apart / own;
}

double SynthevalRows::nndr(const EvaluationContext& context) const {
  const Nearest found = nearest(real_, synthetic_, even_weights(), context);
  double sum = 0;
  for (std::size_t i = 0; i < found.first.size(); ++i) sum += found.first[i] / (found.second[i] + 1e-16);
  return sum / static_cast<double>(found.first.size());
}

double SynthevalRows::adversarial_accuracy(bool of_holdout, const EvaluationContext& context) const {
  const RawRows& real = of_holdout ? holdout_ : real_;
  const auto first = [&](const RawRows& from, const RawRows& to) {
    return nearest(from, to, even_weights(), context).first;
  };
  return (share_above(first(real, synthetic_), first(real, real)) +
          share_above(first(synthetic_, real), first(synthetic_, synthetic_))) /
         2;
}

double SynthevalRows::hitting_rate(const EvaluationContext& context) const {
  constexpr double kShareOfRange = 1.0 / 30;
  Numbers within;
  for (std::size_t c = 0; c < real_.front().size(); ++c) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const Numbers& row : real_) low = std::min(low, row[c]), high = std::max(high, row[c]);
    within.push_back(c < numbers_ ? kShareOfRange * (high - low) : 0);
  }
  std::vector<char> hit(real_.size());
  parallel_for(
      real_.size(),
      [&](std::size_t i) {
        context.cancel.check();
        hit[i] = std::ranges::any_of(synthetic_, [&](const Numbers& row) {
          for (std::size_t c = 0; c < row.size(); ++c)
            if (!(std::abs(real_[i][c] - row[c]) <= within[c])) return false;
          return true;
        });
      },
      context.threads, 16);
  return static_cast<double>(std::count(hit.begin(), hit.end(), 1)) / static_cast<double>(hit.size());
}

double SynthevalRows::identifiability(const EvaluationContext& context) const {
  Numbers weights;
  for (std::size_t c = 0; c < real_.front().size(); ++c)
    weights.push_back(1 / (rounded_entropy(real_, c) + 1e-16));
  return share_above(nearest(real_, real_, weights, context).first,
                     nearest(real_, synthetic_, weights, context).first);
}

}  // namespace synthema::detail
