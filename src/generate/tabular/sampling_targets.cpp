#include "synthema/generate/tabular/sampling_targets.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

#include "src/generate/tabular/written_labels.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/generate/tabular/conditions.hpp"

namespace synthema {

namespace {

constexpr std::uint64_t kBalanceStream = 1, kSensitiveStream = 2, kTargetStream = 3;
constexpr std::uint64_t kRowsToSee = 10'000;
constexpr std::size_t kMostValues = 100;
constexpr double kRounding = 1e-6;        // by which shares may differ from 1
constexpr std::uint64_t kMostDraws = 50;  // until a column that may be missing is not

// Cells that are fixed, by column; null where the row is free.
class FixedCells {
 public:
  FixedCells(const Table* conditions, std::uint64_t rows) : rows_(rows) {
    if (!has_conditions(conditions)) return;
    for (std::size_t c = 0; c < conditions->columns(); ++c) {
      const Field& field = conditions->schema().fields[c];
      std::vector<Value>& cells = add(field);
      for (std::uint64_t row = 0; row < rows; ++row)
        cells[row] = conditions->column(c).value_at(row % conditions->rows());
    }
  }

  // Null for all rows unless it is there.
  std::vector<Value>& of(const Field& field) {
    const auto at = cells_.find(field.name);
    return at != cells_.end() ? at->second : add({.name = field.name, .kind = field.kind});
  }
  bool whole(const std::string& column) const {
    const auto at = cells_.find(column);
    return at != cells_.end() && std::ranges::none_of(at->second, &Value::is_null);
  }

  std::shared_ptr<const Table> table_without(std::span<const std::string> left_out) const {
    Schema schema;
    std::vector<Column> columns;
    for (const Field& field : fields_) {
      if (std::ranges::find(left_out, field.name) != left_out.end()) continue;
      ColumnBuilder builder(field);
      for (const Value& cell : cells_.at(field.name)) builder.append(cell);
      schema.fields.push_back(field);
      columns.push_back(builder.finish());
    }
    if (columns.empty() || rows_ == 0) return nullptr;
    return std::make_shared<const Table>(std::move(schema), std::move(columns));
  }

 private:
  std::vector<Value>& add(Field field) {
    field.nullable = true;
    field.roles.clear();
    fields_.push_back(field);
    return cells_.emplace(field.name, std::vector<Value>(rows_)).first->second;
  }

  std::uint64_t rows_;
  std::vector<Field> fields_;
  std::map<std::string, std::vector<Value>> cells_;
};

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t stream, std::uint64_t draw) {
  Random random = Random(seed).stream(stream).stream(draw);
  const PhiloxBlock bits = random.block(0, 0);
  return std::uint64_t{bits[0]} << 32 | bits[1];
}

const Field& field_of(const Schema& schema, const std::string& column) {
  const auto at = std::ranges::find(schema.fields, column, &Field::name);
  if (at == schema.fields.end())
    throw ConfigError({.field = column}, "Shares are stated for a column that the generator does not make.");
  return *at;
}

void check(const Schema& schema, const SamplingTargets& targets) {
  std::set<std::string> balanced, sides;
  for (const ColumnShares& one : targets.balance) {
    field_of(schema, one.column);
    if (!balanced.insert(one.column).second)
      throw ConfigError({.field = one.column}, "The column is balanced twice; state its shares once.");
    double sum = 0;
    for (const auto& [value, weight] : one.shares) {
      if (!(weight >= 0 && std::isfinite(weight)))
        throw ConfigError({.field = one.column}, "The shares of values are numbers from 0.");
      if (value.is_null())
        throw ConfigError({.field = one.column},
                          "No share of missing values can be stated; a balanced column is never missing.");
      sum += weight;
    }
    if (!one.shares.empty() && !(sum > 0))
      throw ConfigError({.field = one.column}, "At least one share must be above 0.");
  }
  if (targets.targets.empty() != targets.sensitive.empty())
    throw ConfigError({.field = "parity"}, "Parity needs a target and a sensitive column.");
  for (const std::vector<std::string>* side : {&targets.targets, &targets.sensitive})
    for (const std::string& column : *side) {
      field_of(schema, column);
      if (!sides.insert(column).second)
        throw ConfigError({.field = column}, "A column of parity is a target or sensitive, once.");
    }
}

// Text stands for a value of another kind where shares come from JSON, whose names are text; a number for a
// label that is one.
Value of_kind(const Field& field, const Value& value) {
  if (field.kind == Kind::text || field.kind == Kind::category) return detail::label_of(value);
  if (field.kind == Kind::boolean)
    if (const auto truth = detail::truth_of(value)) return *truth;
  const std::string* const text = value.get_if<std::string>();
  if (!text) return value;
  if (field.kind == Kind::integer || field.kind == Kind::real) {
    double number = 0;
    const char* const end = text->data() + text->size();
    const auto [at, error] = std::from_chars(text->data(), end, number);
    if (error == std::errc() && at == end) return number;
  }
  return value;
}

bool are_equal(const Value& a, const Value& b) {
  const auto number = [](const Value& v) {
    const std::int64_t* const whole = v.get_if<std::int64_t>();
    return whole ? Value(static_cast<double>(*whole)) : v;
  };
  return number(a).display() == number(b).display();
}

using Shares = std::vector<std::pair<Value, double>>;

// Different values of the column and how many rows have each, in an order that does not depend on the rows'.
std::map<std::string, std::pair<Value, double>> values_seen(const SampleFunction& sample,
                                                            const std::string& column,
                                                            const CancelToken& cancel) {
  const Table seen = sample({.rows = kRowsToSee, .seed = 0, .cancel = cancel});
  std::map<std::string, std::pair<Value, double>> out;
  for (std::size_t row = 0; row < seen.rows(); ++row)
    if (Value value = seen.column(column).value_at(row); !value.is_null())
      ++out.try_emplace(value.display(), value, 0.0).first->second.second;
  if (out.empty())
    throw GenerationError({.field = column}, "The column is always missing and cannot be balanced.");
  return out;
}

Shares even_shares(const SampleFunction& sample, const std::string& column, const CancelToken& cancel) {
  const auto seen = values_seen(sample, column, cancel);
  if (seen.size() > kMostValues)
    throw ConfigError({.field = column},
                      "The column has too many values to be equally likely; state which "
                      "ones, with their shares.");
  Shares out;
  for (const auto& [name, one] : seen) out.emplace_back(one.first, 1.0);
  return out;
}

// What stated shares leave goes to the other values, in their own proportions.
Shares whole_shares(const ColumnShares& wanted, const Field& field, const SampleFunction& sample,
                    const CancelToken& cancel) {
  Shares out;
  double sum = 0;
  for (const auto& [value, share] : wanted.shares) {
    out.emplace_back(of_kind(field, value), share);
    sum += share;
  }
  if (sum > 1 - kRounding) return out;
  auto others = values_seen(sample, wanted.column, cancel);
  std::erase_if(others, [&](const auto& other) {
    return std::ranges::any_of(out,
                               [&](const auto& one) { return are_equal(one.first, other.second.first); });
  });
  double rows = 0;
  for (const auto& [name, one] : others) rows += one.second;
  if (others.empty())
    throw ConfigError({.field = wanted.column},
                      message("The shares sum to ", sum,
                              ", and there are no other values for the rest; they must sum to 1."));
  for (const auto& [name, one] : others) out.emplace_back(one.first, (1 - sum) * one.second / rows);
  return out;
}

void balance(const ColumnShares& wanted, const Schema& schema, const SampleFunction& sample,
             const SampleRequest& request, FixedCells& fixed) {
  const Field& field = field_of(schema, wanted.column);
  const Shares shares = wanted.shares.empty() ? even_shares(sample, wanted.column, request.cancel)
                                              : whole_shares(wanted, field, sample, request.cancel);
  std::vector<double> weights;
  for (const auto& [value, weight] : shares) weights.push_back(weight);
  const auto place = static_cast<std::uint64_t>(&field - schema.fields.data());
  const Random random = Random(request.seed).stream(kBalanceStream).stream(place);
  std::vector<Value>& cells = fixed.of(field);
  for (std::uint64_t row = 0; row < request.rows; ++row) {
    Random own = random.stream(row);
    if (cells[row].is_null()) cells[row] = shares[own.weighted(weights)].first;
  }
}

// Cells of these columns that are not given, jointly from rows that know nothing of `unseen`.
std::vector<std::vector<Value>> drawn_apart(std::span<const std::string> columns,
                                            std::span<const std::string> unseen, const SampleFunction& sample,
                                            const SampleRequest& request, std::uint64_t stream,
                                            const FixedCells& fixed) {
  std::vector<std::vector<Value>> out(columns.size(), std::vector<Value>(request.rows));
  const std::shared_ptr<const Table> conditions = fixed.table_without(unseen);
  std::vector<std::uint8_t> done(request.rows);
  std::uint64_t left = request.rows;
  std::string missing;
  for (std::uint64_t draw = 0; left > 0; ++draw) {
    if (draw == kMostDraws)
      throw GenerationError({.field = missing},
                            message("The column was missing in ", kMostDraws,
                                    " draws in a row; parity needs values, so leave the column out of it."));
    const Table rows = sample({.rows = request.rows,
                               .seed = seed_of(request.seed, stream, draw),
                               .conditions = conditions,
                               .cancel = request.cancel});
    for (std::uint64_t row = 0; row < request.rows; ++row) {
      if (done[row]) continue;
      const auto none = std::ranges::find_if(
          columns, [&](const std::string& column) { return rows.column(column).is_null(row); });
      if (none != columns.end()) {
        missing = *none;
        continue;
      }
      for (std::size_t c = 0; c < columns.size(); ++c) out[c][row] = rows.column(columns[c]).value_at(row);
      done[row] = 1;
      --left;
    }
  }
  return out;
}

}  // namespace

Table sample_with_targets(const Schema& schema, const SampleFunction& sample, const SampleRequest& request,
                          const SamplingTargets& targets) {
  if (targets.empty()) return sample(request);
  check(schema, targets);
  if (request.rows == 0) return sample(request);
  FixedCells fixed(request.conditions.get(), request.rows);
  for (const ColumnShares& one : targets.balance) balance(one, schema, sample, request, fixed);
  const auto needed = [&](const std::vector<std::string>& columns) {
    return !std::ranges::all_of(columns, [&](const std::string& c) { return fixed.whole(c); });
  };
  // Both are drawn before either is fixed.
  std::vector<std::vector<Value>> sensitive, target;
  if (needed(targets.sensitive))
    sensitive = drawn_apart(targets.sensitive, targets.targets, sample, request, kSensitiveStream, fixed);
  if (needed(targets.targets))
    target = drawn_apart(targets.targets, targets.sensitive, sample, request, kTargetStream, fixed);
  const auto fix = [&](const std::vector<std::string>& columns, std::vector<std::vector<Value>>& drawn) {
    for (std::size_t c = 0; c < drawn.size(); ++c)
      fixed.of(field_of(schema, columns[c])) = std::move(drawn[c]);
  };
  fix(targets.sensitive, sensitive);
  fix(targets.targets, target);
  SampleRequest last = request;
  last.conditions = fixed.table_without({});
  return sample(last);
}

}  // namespace synthema
