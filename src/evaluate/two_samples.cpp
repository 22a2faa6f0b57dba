#include "src/evaluate/two_samples.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "src/evaluate/shared_columns.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/core/random.hpp"
#include "synthema/data/split.hpp"

namespace synthema::detail {

namespace {

std::uint64_t mixed(std::uint64_t a, std::uint64_t b) {
  const PhiloxBlock out = philox({static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(a >> 32),
                                  static_cast<std::uint32_t>(b), static_cast<std::uint32_t>(b >> 32)},
                                 {0x726F7773, 0});
  return std::uint64_t{out[0]} | (std::uint64_t{out[1]} << 32);
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t out = text.size();
  for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001B3;  // FNV-1a
  return out;
}

std::vector<std::uint64_t> hashes_of(const Column& column) {
  std::vector<std::uint64_t> out(column.size(), 0x6E756C6C);
  std::vector<std::uint64_t> labels;
  if (column.kind() == Kind::category)
    for (std::size_t i = 0; i < column.labels().size(); ++i)
      labels.push_back(hash_of(column.labels().text_at(i)));
  if (column.kind() == Kind::list) return out;  // lists decide no order
  for (std::size_t row = 0; row < out.size(); ++row) {
    if (column.is_null(row)) continue;
    if (column.kind() == Kind::category)
      out[row] = labels[static_cast<std::size_t>(column.codes()[row])];
    else if (column.kind() == Kind::text)
      out[row] = hash_of(column.text_at(row));
    else
      out[row] = std::bit_cast<std::uint64_t>(column.number_at(row) + 0.0);  // -0 is 0
  }
  return out;
}

// One column below the other.
class Stacked {
 public:
  explicit Stacked(Kind kind) : numeric_(is_number(kind)) {}

  void append(const Column& column) {
    std::vector<std::int32_t> of_code;
    if (!numeric_ && column.kind() == Kind::category)
      for (std::size_t i = 0; i < column.labels().size(); ++i)
        of_code.push_back(code(std::string(column.labels().text_at(i))));
    for (std::size_t row = 0; row < column.size(); ++row) {
      const bool valid = !column.is_null(row);
      push_bit(valid);
      if (numeric_)
        numbers_.push_back(valid ? column.number_at(row) : 0);
      else
        codes_.push_back(!valid ? 0
                         : column.kind() == Kind::category
                             ? of_code[static_cast<std::size_t>(column.codes()[row])]
                             : code(category_at(column, row)));
    }
  }
  Column finish() {
    const Validity validity{Buffer<std::uint8_t>::from(std::move(bits_)), 0, 0};
    if (numeric_) return Column::reals(Buffer<double>::from(std::move(numbers_)), validity);
    if (labels_.empty()) code("");  // all missing: codes still need something to point at
    return Column::categories(Buffer<std::int32_t>::from(std::move(codes_)), Column::texts(labels_), false,
                              validity);
  }

 private:
  std::int32_t code(const std::string& label) {
    const auto [entry, fresh] = known_.try_emplace(label, static_cast<std::int32_t>(labels_.size()));
    if (fresh) labels_.push_back(label);
    return entry->second;
  }
  void push_bit(bool valid) {
    if (count_ % 8 == 0) bits_.push_back(0);
    if (valid) bits_.back() = static_cast<std::uint8_t>(bits_.back() | (1U << (count_ % 8)));
    ++count_;
  }
  bool numeric_;
  std::size_t count_ = 0;
  std::vector<std::uint8_t> bits_;
  std::vector<double> numbers_;
  std::vector<std::int32_t> codes_;
  std::vector<std::string> labels_;
  std::unordered_map<std::string, std::int32_t> known_;
};

}  // namespace

std::vector<std::uint64_t> content_keys(const Table& table, const std::vector<std::string>& columns) {
  std::vector<std::uint64_t> out(table.rows());
  for (const std::string& name : columns) {
    const std::vector<std::uint64_t> cells = hashes_of(table.column(name));
    for (std::size_t row = 0; row < out.size(); ++row) out[row] = mixed(out[row], cells[row]);
  }
  return out;
}

std::vector<std::size_t> order_by_content(const Table& table, const std::vector<std::string>& columns) {
  const std::vector<std::uint64_t> keys = content_keys(table, columns);
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return keys[a] < keys[b]; });
  return order;
}

std::vector<std::size_t> units_by_content(const Table& table, const Units& units,
                                          const std::vector<std::string>& columns) {
  const std::vector<std::uint64_t> rows = content_keys(table, columns);
  std::vector<std::uint64_t> keys(units.count, 0);
  for (std::size_t row = 0; row < rows.size(); ++row) keys[units.of_row[row]] += rows[row];
  std::vector<std::size_t> order(units.count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return keys[a] < keys[b]; });
  return order;
}

std::vector<std::size_t> drawn_rows(const Table& table, const std::vector<std::string>& columns,
                                    std::size_t most, Random random) {
  const Units units = Units::of(table);
  std::vector<std::size_t> order = units_by_content(table, units, columns);
  random.shuffle(order);
  order.resize(std::min(most, order.size()));
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  const std::vector<std::uint64_t> keys = content_keys(table, columns);
  std::vector<std::size_t> first(units.count, kNone);
  for (std::size_t row = 0; row < table.rows(); ++row) {
    std::size_t& held = first[units.of_row[row]];
    if (held == kNone || keys[row] < keys[held]) held = row;
  }
  for (std::size_t& unit : order) unit = first[unit];
  return order;
}

TwoSamples two_samples(const Table& real, const Table& synthetic) {
  TwoSamples out;
  out.columns = shared_columns(real, synthetic);
  Schema schema;
  std::vector<Column> columns;
  for (const std::string& name : out.columns) {
    const Kind kind = real.column(name).kind();
    schema.fields.push_back({.name = name, .kind = is_number(kind) ? Kind::real : Kind::category});
    Stacked stacked(kind);
    stacked.append(real.column(name));
    stacked.append(synthetic.column(name));
    columns.push_back(stacked.finish());
  }
  const Table pooled(std::move(schema), std::move(columns));
  std::vector<std::uint64_t> keys = content_keys(pooled, out.columns);
  for (std::size_t row = real.rows(); row < keys.size(); ++row) keys[row] = mixed(keys[row], 1);
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return keys[a] < keys[b]; });
  out.table = pooled.take(order);
  for (const std::size_t row : order) out.is_synthetic.push_back(row < real.rows() ? 0 : 1);
  Units both = Units::of(real);
  const Units second = Units::of(synthetic);
  for (const std::size_t unit : second.of_row) both.of_row.push_back(both.count + unit);
  both.count += second.count;
  out.units = both.take(order);
  return out;
}

std::vector<std::size_t> TwoSamples::fold_of_row(std::size_t folds, std::uint64_t seed) const {
  std::vector<std::size_t> by_label[2], fold_of_unit(units.count);
  std::vector<bool> seen(units.count);
  for (std::size_t row = 0; row < is_synthetic.size(); ++row) {
    const std::size_t unit = units.of_row[row];
    if (!seen[unit]) by_label[is_synthetic[row] == 1 ? 1 : 0].push_back(unit);
    seen[unit] = true;
  }
  Random random = Random(seed).stream(0x666F6C64);
  for (auto& of_label : by_label) {
    random.shuffle(of_label);
    for (std::size_t i = 0; i < of_label.size(); ++i) fold_of_unit[of_label[i]] = i % folds;
  }
  std::vector<std::size_t> out(is_synthetic.size());
  for (std::size_t row = 0; row < out.size(); ++row) out[row] = fold_of_unit[units.of_row[row]];
  return out;
}

Table independent_marginals(const Table& table, std::uint64_t seed) {
  std::vector<Column> columns;
  for (std::size_t c = 0; c < table.columns(); ++c) {
    const std::string& name = table.schema().fields[c].name;
    if (table.column(c).kind() == Kind::list) {
      columns.push_back(table.column(c));  // no order to shuffle by; no measure of tables reads lists
      continue;
    }
    std::vector<std::size_t> order = order_by_content(table, {name});
    Random random = Random(seed).stream(0x6D617267).stream(c);
    random.shuffle(order);
    columns.push_back(table.column(c).take(order));
  }
  return Table(table.schema(), std::move(columns));
}

TwoSamples against_marginals(const Table& table, std::uint64_t seed) {
  std::vector<std::string> names;
  for (const Field& field : table.schema().fields) names.push_back(field.name);
  const Table ordered = table.take(order_by_content(table, names));
  if (Units::of(ordered).count < 2) return {};
  const double shares[] = {0.5, 0.5};
  const auto halves = split(ordered, shares, Random(seed).stream(0x68616C66));
  return two_samples(ordered.take(halves[0]), independent_marginals(ordered.take(halves[1]), seed));
}

std::optional<Interval> influence_interval(double value, std::span<const double> influence,
                                           const Units& units, Range range) {
  if (units.count < kFewestUnits) return std::nullopt;
  std::vector<double> by_unit(units.count);
  for (std::size_t row = 0; row < influence.size(); ++row) by_unit[units.of_row[row]] += influence[row];
  double variance = 0;
  for (const double sum : by_unit) variance += sum * sum;
  if (variance < 1e-24) return std::nullopt;  // what rounding leaves of none
  const auto n = static_cast<double>(units.count);
  const double half = kNormal95 * std::sqrt(variance * n / (n - 1));
  return Interval{std::max(range.low, value - half), std::min(range.high, value + half), 0.95,
                  message("DeLong, ", units.count, " ", units.name)};
}

}  // namespace synthema::detail
