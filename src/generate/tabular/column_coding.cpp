#include "synthema/generate/tabular/column_coding.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "src/data/bits.hpp"
#include "src/generate/tabular/fresh_identifiers.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/data/row_numbers.hpp"
#include "synthema/generate/tabular/column_source.hpp"
#include "synthema/generate/tabular/fixed_combinations.hpp"

namespace synthema {

namespace {

constexpr double kListedShare = 0.95;  // of rows with frequent values in a list of particular numbers
constexpr std::size_t kMeasured = 20;  // more frequent values may be a measurement
constexpr std::size_t kAlike = 3;      // neighbours of a measurement, one within this factor of the other
constexpr std::size_t kMostOfFrequent =
    2;  // rows that may pile up on frequent values, as a multiple of theirs
constexpr std::uint32_t kMostDecimals = 9;
constexpr double kExact = 9007199254740992.0;  // 2^53
constexpr std::size_t kRowsThatCount = 10;
constexpr std::size_t kLongestIdentifier = 64;

void check(const CodingOptions& options) {
  if (options.rare_below < 1)
    throw ConfigError({.field = "rare_below"},
                      "At least 1 is needed, which protects nothing; 5 is a common choice.");
  if (options.bins < 2 || options.bins > 254)
    throw ConfigError({.field = "bins"}, message("There may be 2 to 254 bins, not ", options.bins, "."));
  if (options.classes < 2 || options.classes > 128)
    throw ConfigError({.field = "classes"},
                      message("There may be 2 to 128 classes, not ", options.classes, "."));
}

// Different people with each code.
std::vector<std::uint32_t> people_by_code(std::span<const std::uint32_t> codes, std::size_t count,
                                          std::span<const std::uint32_t> who, bool rows_are_people) {
  std::vector<std::uint32_t> out(count);
  if (rows_are_people) {
    for (const std::uint32_t code : codes)
      if (code < count) ++out[code];
    return out;
  }
  std::vector<std::uint64_t> pairs;
  pairs.reserve(codes.size());
  for (std::size_t row = 0; row < codes.size(); ++row)
    if (codes[row] < count) pairs.push_back(std::uint64_t{codes[row]} << 32 | who[row]);
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
  for (const std::uint64_t pair : pairs) ++out[pair >> 32];
  return out;
}

struct Learner {
  const CodingOptions& options;
  std::span<const std::uint32_t> who;
  bool rows_are_people;

  std::vector<std::uint32_t> count(std::span<const std::uint32_t> codes, std::size_t n) const {
    return people_by_code(codes, n, who, rows_are_people);
  }
  // How many codes from one end on belong to `rare_below` people together.
  std::size_t codes_of_end(std::span<const std::uint32_t> codes, std::span<const std::uint32_t> people,
                           bool high) const {
    const std::size_t n = people.size();
    std::size_t out = 0, sum = 0;
    while (out < n && sum < options.rare_below) sum += people[high ? n - ++out : out++];
    if (rows_are_people) return out;
    for (;; out = std::min(n, 2 * out)) {
      std::unordered_set<std::uint32_t> different;
      for (std::size_t row = 0; row < codes.size(); ++row)
        if (codes[row] < n && (high ? codes[row] >= n - out : codes[row] < out)) different.insert(who[row]);
      if (different.size() >= options.rare_below || out == n) return out;
    }
  }
};

// --- labels

struct Labels {
  std::vector<std::string> all;      // in order
  std::vector<std::uint32_t> codes;  // by row; all.size() is missing
};

Labels labels_of(const Column& column) {
  Labels out;
  out.codes.resize(column.size());
  if (column.kind() == Kind::category) {
    // Different codes may have the same label in a foreign dictionary.
    std::unordered_map<std::string, std::uint32_t> known;
    std::vector<std::uint32_t> of_code(column.labels().size());
    for (std::size_t code = 0; code < of_code.size(); ++code) {
      std::string label(column.labels().text_at(code));
      const auto [at, fresh] = known.try_emplace(label, static_cast<std::uint32_t>(out.all.size()));
      if (fresh) out.all.push_back(std::move(label));
      of_code[code] = at->second;
    }
    const auto codes = column.codes();
    for (std::size_t row = 0; row < out.codes.size(); ++row)
      out.codes[row] = column.is_null(row) ? static_cast<std::uint32_t>(out.all.size())
                                           : of_code[static_cast<std::size_t>(codes[row])];
    return out;
  }
  std::unordered_map<std::string_view, std::uint32_t> known;
  std::vector<std::string_view> different;
  for (std::size_t row = 0; row < out.codes.size(); ++row) {
    if (column.is_null(row)) continue;
    const std::string_view text = column.text_at(row);
    const auto [at, fresh] = known.try_emplace(text, static_cast<std::uint32_t>(different.size()));
    if (fresh) different.push_back(text);
    out.codes[row] = at->second;
  }
  std::vector<std::uint32_t> order(different.size()), place(different.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return different[a] < different[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = static_cast<std::uint32_t>(i);
    out.all.emplace_back(different[order[i]]);
  }
  for (std::size_t row = 0; row < out.codes.size(); ++row)
    out.codes[row] = column.is_null(row) ? static_cast<std::uint32_t>(place.size()) : place[out.codes[row]];
  return out;
}

// The most frequent ones each have a number of their own below `own`; the others share number `own`, or
// the last one where none is left over.
std::vector<std::uint8_t> ranked(std::span<const std::size_t> counts, std::size_t own) {
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  std::vector<std::uint8_t> out(counts.size());
  for (std::size_t i = 0; i < order.size(); ++i) out[order[i]] = static_cast<std::uint8_t>(std::min(i, own));
  return out;
}

constexpr std::size_t kLabelBins = 253, kLabelClasses = 62;

void finish_labels(ColumnCoding& out, std::span<const std::uint32_t> codes) {
  std::vector<std::size_t> rows(out.labels.size());
  for (const std::uint32_t code : codes)
    if (code < rows.size()) ++rows[code];
  out.label_bins = ranked(rows, kLabelBins);
  out.label_classes = ranked(rows, kLabelClasses);
  const auto numbers = [](const std::vector<std::uint8_t>& of) {
    return of.empty() ? 0 : *std::ranges::max_element(of) + std::size_t{1};
  };
  out.bins = numbers(out.label_bins) + 2;  // pooled, missing
  out.classes = numbers(out.label_classes) + 2;
}

void learn_boolean(const Column& column, ColumnCoding& out, std::vector<std::uint32_t>& codes) {
  out.form = CodingForm::category;
  out.labels = {"false", "true"};
  codes.resize(column.size());
  for (std::size_t row = 0; row < codes.size(); ++row)
    codes[row] = column.is_null(row) ? 2U : static_cast<std::uint32_t>(column.boolean_at(row));
  finish_labels(out, codes);
}

void learn_fresh(const std::vector<std::string>& texts, std::size_t least, ColumnCoding& out) {
  out.form = CodingForm::fresh;
  std::vector<std::string_view> views(texts.begin(), texts.end());
  out.pattern = detail::identifier_pattern(views, least);
  for (const std::string& text : texts) out.taken.push_back(detail::identifier_hash(text));
  std::sort(out.taken.begin(), out.taken.end());
  out.taken.erase(std::unique(out.taken.begin(), out.taken.end()), out.taken.end());
}

// A text that no two rows share and that has no blank is an identifier, whether the schema says so or not.
bool looks_like_identifiers(const Column& column, const Labels& labels) {
  const std::size_t present = column.size() - column.null_count();
  if (column.kind() != Kind::text || present < kRowsThatCount || labels.all.size() < present) return false;
  return std::ranges::none_of(labels.all, [](const std::string& text) {
    return text.size() > kLongestIdentifier || text.find(' ') != std::string::npos;
  });
}

void learn_labels(const Learner& learner, const Column& column, bool identifies, ColumnCoding& out,
                  std::vector<std::uint32_t>& codes) {
  Labels labels = labels_of(column);
  if (identifies || looks_like_identifiers(column, labels))
    return learn_fresh(labels.all, learner.options.rare_below, out);
  const std::vector<std::uint32_t> count = learner.count(labels.codes, labels.all.size());
  std::vector<std::uint32_t> kept(labels.all.size() + 1);
  std::vector<bool> is_kept(labels.all.size());
  for (std::size_t i = 0; i < labels.all.size(); ++i) {
    is_kept[i] = count[i] == 0 || count[i] >= learner.options.rare_below;  // nobody's: declared, not used
    if (is_kept[i]) {
      kept[i] = static_cast<std::uint32_t>(out.labels.size());
      out.labels.push_back(std::move(labels.all[i]));
    } else {
      out.pooled = true;
    }
  }
  out.form = CodingForm::category;
  out.ordered = column.ordered();
  std::size_t rows_kept = 0, present = 0;
  codes = std::move(labels.codes);
  for (std::uint32_t& code : codes) {
    const bool there = code < is_kept.size();
    present += there;
    rows_kept += there && is_kept[code];
    code = !there ? out.missing_code() : is_kept[code] ? kept[code] : out.pooled_code();
  }
  if (rows_kept == 0 || (column.kind() == Kind::text && 2 * rows_kept < present))
    throw SchemaError(
        {.field = out.field.name},
        message("Most texts of the column belong to fewer than ", learner.options.rare_below,
                " people, so they cannot be handed on. Give the column the role 'identifier' to have new "
                "ones drawn, leave it out, or group its values; a free text needs a text generator."));
  if (!out.field.categories.empty()) out.field.categories = out.labels;
  finish_labels(out, codes);
}

// --- numbers

// The nearest number of so many decimals, as a whole multiple of the last one; nothing where that is off by
// more than the rounding of arithmetic in binary (62.14215469 may be held as 62.142154690000005).
constexpr double kArithmetic = 1e-13;  // of the largest number
std::optional<double> whole_of(double v, double power, double largest) {
  const double scaled = std::nearbyint(v * power);
  const double slack = std::min(kArithmetic * largest, 0.01 / power);
  const bool kept = scaled / power == v || (scaled != 0 && std::abs(scaled / power - v) <= slack);
  return kept && std::abs(scaled) < kExact ? std::optional(scaled) : std::nullopt;
}

// Fewest decimals that all values keep; nothing where nine do not do.
std::optional<std::uint32_t> decimals_of(const Column& column, double largest) {
  const auto values = column.reals();
  double power = 1;
  std::uint32_t decimals = 0;
  for (std::size_t i = 0; i < values.size();) {
    if (column.is_null(i) || whole_of(values[i], power, largest)) {
      ++i;
      continue;
    }
    if (decimals == kMostDecimals) return std::nullopt;
    power *= 10;
    ++decimals;  // values that were whole before still are
  }
  return decimals;
}

double power_of_ten(std::uint32_t decimals) {
  double out = 1;
  for (std::uint32_t i = 0; i < decimals; ++i) out *= 10;
  return out;
}

// Values in ascending order as whole numbers, shifted and divided by what all differences are multiples of.
void learn_grid(std::span<const std::int64_t> sorted, ColumnCoding& out) {
  out.grid = true;
  out.origin = sorted.front();
  std::uint64_t step = 0;
  for (std::size_t i = 1; i < sorted.size() && step != 1; ++i)
    step = std::gcd(step, static_cast<std::uint64_t>(sorted[i]) - static_cast<std::uint64_t>(sorted[i - 1]));
  out.step = step == 0 || step > std::uint64_t{1} << 62 ? 1 : static_cast<std::int64_t>(step);
}

// Cuts of ascending values into at most `most` parts of about equal rows: the part of each value.
std::vector<std::uint8_t> parts(std::span<const std::size_t> rows, std::size_t most) {
  std::vector<std::uint8_t> out(rows.size());
  std::size_t left = std::accumulate(rows.begin(), rows.end(), std::size_t{0}), taken = 0, part = 0;
  if (rows.size() <= most) {
    for (std::size_t i = 0; i < rows.size(); ++i) out[i] = static_cast<std::uint8_t>(i);
    return out;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    // A part is full once it has its share of what is left; a frequent value closes it before itself.
    const double share = static_cast<double>(left) / static_cast<double>(most - part);
    const double with = static_cast<double>(taken + rows[i]);
    const bool overshoots = with - share > share - static_cast<double>(taken);
    if (taken > 0 && overshoots && part + 1 < most) {
      left -= taken;
      taken = 0;
      ++part;
    }
    out[i] = static_cast<std::uint8_t>(part);
    taken += rows[i];
  }
  return out;
}

// Whether the frequent values are those of something measured and rounded, rather than a list.
bool is_measured(const ColumnCoding& coding, std::span<const std::size_t> rows) {
  std::size_t frequent = 0, adjacent = 0, alike = 0, before = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (coding.protection[i] != Protection::none) continue;
    if (frequent++ > 0 && coding.values[i] - coding.values[before] == 1) {
      ++adjacent;
      alike += rows[i] <= kAlike * rows[before] && rows[before] <= kAlike * rows[i];
    }
    before = i;
  }
  return coding.grid && frequent > kMeasured && 2 * adjacent >= frequent && 2 * alike >= adjacent;
}

// For which rare values a frequent one stands in: run by run of those that follow each other.
std::vector<std::uint8_t> replaced_in_list(const ColumnCoding& coding, std::span<const std::size_t> rows) {
  std::vector<std::uint8_t> out(rows.size());
  const auto frequent = [&](std::size_t i) { return coding.protection[i] == Protection::none; };
  for (std::size_t from = 0, to; from < rows.size(); from = to) {
    for (to = from + 1; to < rows.size() && frequent(to) == frequent(from);) ++to;
    if (frequent(from)) continue;
    const std::size_t own = std::accumulate(rows.begin() + static_cast<std::ptrdiff_t>(from),
                                            rows.begin() + static_cast<std::ptrdiff_t>(to), std::size_t{0});
    const std::size_t ends = (from > 0 ? rows[from - 1] : 0) + (to < rows.size() ? rows[to] : 0);
    if (own <= kMostOfFrequent * ends)
      std::fill(out.begin() + static_cast<std::ptrdiff_t>(from),
                out.begin() + static_cast<std::ptrdiff_t>(to), std::uint8_t{1});
  }
  return out;
}

// The end of an even distribution that begins at the inner edge of a tail and has the mean of its rows. Not
// beyond the last value, nor at it where it is a single person's.
double end_of_tail(const ColumnCoding& coding, std::span<const std::size_t> rows, std::size_t codes,
                   bool high) {
  const std::size_t n = rows.size();
  const auto code = [&](std::size_t i) { return high ? n - 1 - i : i; };
  const double edge = coding.values[code(codes - 1)];
  double sum = 0, all = 0;
  for (std::size_t i = 0; i < codes; ++i) {
    sum += static_cast<double>(rows[code(i)]) * std::abs(coding.values[code(i)] - edge);
    all += static_cast<double>(rows[code(i)]);
  }
  const std::size_t last = codes > 1 && coding.protection[code(0)] == Protection::single ? 1 : 0;
  double width = std::min(2 * sum / all, std::abs(coding.values[code(last)] - edge));
  if (coding.grid) width = std::floor(width);
  return high ? edge + width : edge - width;
}

void learn_tails(const Learner& learner, ColumnCoding& out, std::span<const std::uint32_t> codes,
                 std::span<const std::uint32_t> people, std::span<const std::size_t> rows) {
  const std::size_t n = rows.size(), low = learner.codes_of_end(codes, people, false),
                    high = learner.codes_of_end(codes, people, true);
  if (low + high > n) return;
  out.low_tail = static_cast<std::uint32_t>(low);
  out.high_tail = static_cast<std::uint32_t>(n - high);
  out.lowest = end_of_tail(out, rows, low, false);
  out.highest = end_of_tail(out, rows, high, true);
}

void protect(const Learner& learner, ColumnCoding& out, std::span<const std::uint32_t> codes,
             std::span<const std::size_t> rows) {
  const std::vector<std::uint32_t> count = learner.count(codes, out.values.size());
  std::size_t present = 0, frequent = 0;
  for (std::size_t i = 0; i < count.size(); ++i) {
    const bool rare = count[i] < learner.options.rare_below;
    out.protection.push_back(!rare           ? Protection::none
                             : count[i] == 1 ? Protection::single
                                             : Protection::rare);
    present += rows[i];
    frequent += rare ? 0 : rows[i];
  }
  if (frequent < present) learn_tails(learner, out, codes, count, rows);
  if (frequent == present || static_cast<double>(frequent) < kListedShare * static_cast<double>(present) ||
      is_measured(out, rows))
    return;
  out.replaced = replaced_in_list(out, rows);
  if (std::ranges::find(out.replaced, 1) == out.replaced.end()) out.replaced.clear();
}

void finish_numbers(const Learner& learner, ColumnCoding& out, std::span<const std::uint32_t> codes) {
  std::vector<std::size_t> rows(out.values.size());
  for (const std::uint32_t code : codes)
    if (code < rows.size()) ++rows[code];
  protect(learner, out, codes, rows);
  out.value_bins = parts(rows, learner.options.bins);
  for (std::size_t i = 1; i < rows.size(); ++i)
    if (out.value_bins[i] != out.value_bins[i - 1])
      out.cuts.push_back(std::midpoint(out.values[i - 1], out.values[i]));
  out.bins = out.cuts.size() + 2;
  out.value_classes = parts(rows, learner.options.classes - (out.missing ? 1 : 0));
  if (out.missing)
    for (std::uint8_t& value : out.value_classes) ++value;  // missing is class 0
  out.classes = out.value_classes.back() + std::size_t{1};
}

// Codes of the rows by their place among the different values; `kept` is called with those, ascending.
//
// The values are sorted by themselves and looked up again: half the memory of sorting them with their rows.
template <class T, class Value, class Kept>
void code_values(const Column& column, const Value& value_at, std::vector<std::uint32_t>& codes,
                 const Kept& kept) {
  std::vector<T> different;
  different.reserve(column.size() - column.null_count());
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) different.push_back(value_at(row));
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  different.shrink_to_fit();
  codes.assign(column.size(), static_cast<std::uint32_t>(different.size()));
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row))
      codes[row] = static_cast<std::uint32_t>(
          std::lower_bound(different.begin(), different.end(), value_at(row)) - different.begin());
  kept(different);
}

// To the schema's decimals, else to those that the values have; no grid where there are none.
void learn_reals(const Learner& learner, const Column& column, ColumnCoding& out,
                 std::vector<std::uint32_t>& codes) {
  const auto reals = column.reals();
  double largest = 0;
  for (std::size_t row = 0; row < reals.size(); ++row)
    if (!column.is_null(row)) largest = std::max(largest, std::abs(reals[row]));
  auto decimals = decimals_of(column, largest);
  if (const auto stated = out.field.decimals; stated && (!decimals || *decimals > *stated)) decimals = stated;
  const double power = power_of_ten(decimals.value_or(0));
  if (!decimals || !(largest * power < kExact)) {
    code_values<double>(
        column, [&](std::size_t row) { return reals[row] + 0.0; },  // one zero
        codes, [&](std::vector<double>& values) { out.values = std::move(values); });
    return finish_numbers(learner, out, codes);
  }
  out.decimals = *decimals;
  code_values<std::int64_t>(
      column, [&](std::size_t row) { return static_cast<std::int64_t>(std::nearbyint(reals[row] * power)); },
      codes,
      [&](const std::vector<std::int64_t>& values) {
        learn_grid(values, out);
        for (const std::int64_t v : values) {
          const std::int64_t steps = (v - out.origin) / out.step;  // whole: all lie on the grid
          out.values.push_back(static_cast<double>(steps));
        }
      });
  finish_numbers(learner, out, codes);
}

void learn_whole(const Learner& learner, const Column& column, ColumnCoding& out,
                 std::vector<std::uint32_t>& codes) {
  const auto integers = column.integers();
  code_values<std::int64_t>(
      column, [&](std::size_t row) { return integers[row]; }, codes,
      [&](const std::vector<std::int64_t>& values) {
        learn_grid(values, out);
        for (const std::int64_t v : values) {
          const std::uint64_t beyond = static_cast<std::uint64_t>(v) - static_cast<std::uint64_t>(out.origin);
          const std::uint64_t steps = beyond / static_cast<std::uint64_t>(out.step);
          out.values.push_back(static_cast<double>(steps));
        }
      });
  out.zone = column.zone();
  finish_numbers(learner, out, codes);
}

void learn_identifiers(const Learner& learner, const Column& column, ColumnCoding& out,
                       std::vector<std::uint32_t>& codes) {
  if (column.kind() != Kind::integer) return learn_labels(learner, column, true, out, codes);
  std::vector<std::string> texts;
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row)) texts.push_back(std::to_string(column.integers()[row]));
  learn_fresh(texts, learner.options.rare_below, out);
  std::size_t longest = 1;
  for (const std::string& text : texts) longest = std::max(longest, text.size() - (text[0] == '-' ? 1 : 0));
  out.pattern = "9" + std::string(std::min<std::size_t>(longest, 16) - 1, '9');
}

ColumnCoding learn_column(const Learner& learner, const Field& field, const Column& column,
                          std::vector<std::uint32_t>& codes) {
  ColumnCoding out;
  out.field = field;
  const std::size_t present = column.size() - column.null_count();
  out.missing = column.null_count() > 0;
  const bool identifies = out.field.has(Role::identifier) || out.field.has(Role::subject);
  const Kind kind = column.kind();
  if (kind == Kind::list)
    throw SchemaError({.field = out.field.name},
                      "A generator of single rows cannot make lists; leave the column out.");
  if (kind == Kind::time) out.zone = column.zone();
  if (present == 0) return out;
  if (identifies && (kind == Kind::text || kind == Kind::category || kind == Kind::integer)) {
    learn_identifiers(learner, column, out, codes);
  } else if (kind == Kind::boolean) {
    learn_boolean(column, out, codes);
  } else if (kind == Kind::text || kind == Kind::category) {
    learn_labels(learner, column, false, out, codes);
  } else if (numbers_rows(column)) {
    out.form = CodingForm::fresh;
    out.counted_from = static_cast<std::uint64_t>(std::ranges::max(column.integers())) + 1;
  } else {
    out.form = CodingForm::number;
    if (kind == Kind::real)
      learn_reals(learner, column, out, codes);
    else
      learn_whole(learner, column, out, codes);
  }
  return out;
}

}  // namespace

std::uint8_t ColumnCoding::bin_of_code(std::uint32_t code) const {
  if (code == missing_code()) return static_cast<std::uint8_t>(bins - 1);
  if (form == CodingForm::number) return value_bins[code];
  return code == pooled_code() ? static_cast<std::uint8_t>(bins - 2) : label_bins[code];
}

std::uint8_t ColumnCoding::class_of_code(std::uint32_t code) const {
  if (form == CodingForm::number) return code == missing_code() ? std::uint8_t{0} : value_classes[code];
  if (code == missing_code()) return static_cast<std::uint8_t>(classes - 1);
  return code == pooled_code() ? static_cast<std::uint8_t>(classes - 2) : label_classes[code];
}

std::uint8_t ColumnCoding::bin_of(double cell) const {
  if (std::isnan(cell)) return bin_of_code(missing_code());
  if (form == CodingForm::category) return label_bins[static_cast<std::size_t>(cell)];
  return static_cast<std::uint8_t>(std::lower_bound(cuts.begin(), cuts.end(), cell) - cuts.begin());
}

double ColumnCoding::number(double x) const {
  if (!grid) return x;
  return (static_cast<double>(origin) + static_cast<double>(step) * x) / power_of_ten(decimals);
}

double ColumnCoding::cell_of_number(double v) const {
  if (!grid) return v;
  const double power = power_of_ten(decimals);
  // A decimal number is seldom exact in binary; what rounds to itself lies on the grid.
  const double largest =
      values.empty()
          ? std::abs(v)
          : std::max({std::abs(v), std::abs(number(values.front())), std::abs(number(values.back()))});
  const double whole = whole_of(v, power, largest).value_or(v * power);
  return (whole - static_cast<double>(origin)) / static_cast<double>(step);
}

OwnedCounts count_codes(const ColumnCoding& coding, std::vector<std::uint32_t> codes) {
  if (coding.pooled) {
    std::vector<std::uint32_t> kept;
    std::ranges::copy_if(codes, std::back_inserter(kept),
                         [&](std::uint32_t code) { return code != coding.pooled_code(); });
    if (kept.empty()) return {};
    codes = std::move(kept);
  }
  std::sort(codes.begin(), codes.end());
  OwnedCounts out;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (out.codes.empty() || out.codes.back() != codes[i]) {
      out.codes.push_back(codes[i]);
      out.cumulative.push_back(0);
    }
    out.cumulative.back() = static_cast<std::uint32_t>(i + 1);
  }
  return out;
}

namespace {

std::vector<std::uint32_t> rows_as_people(std::size_t rows) {
  std::vector<std::uint32_t> out(rows);
  std::iota(out.begin(), out.end(), 0U);
  return out;
}

std::vector<std::uint32_t> people_in(const Column& column) {
  std::vector<std::uint32_t> out = rows_as_people(column.size());
  std::unordered_map<std::string, std::uint32_t> first;
  for (std::size_t row = 0; row < out.size(); ++row)
    if (!column.is_null(row))
      out[row] = first.try_emplace(column.value_at(row).display(), out[row]).first->second;
  return out;
}

bool is_number(Kind kind) {
  return kind == Kind::real || kind == Kind::integer || kind == Kind::time;
}

}  // namespace

std::vector<std::uint32_t> people_of(const Table& table) {
  const Field* subject = table.schema().subject();
  if (!subject || subject->kind == Kind::list) return rows_as_people(table.rows());
  return people_in(table.column(subject->name));
}

namespace {

// A range that leaves fewer than `rare_below` people: what is made of them alone would be their values, or
// the ends of the range over and over. Where nobody is left, the rules say so (row_rules.hpp).
void refuse_few(const Field& field, const Column& column, std::span<const std::uint32_t> who,
                std::size_t least) {
  if (!field.minimum && !field.maximum) return;
  std::unordered_set<std::uint32_t> inside;
  bool outside = false;
  for (std::size_t row = 0; row < column.size() && inside.size() < least; ++row) {
    if (column.is_null(row)) continue;
    const double v = column.number_at(row);
    if (v >= field.minimum.value_or(v) && v <= field.maximum.value_or(v))
      inside.insert(who[row]);
    else
      outside = true;
  }
  if (outside && !inside.empty() && inside.size() < least)
    throw GenerationError(
        {.field = field.name},
        message("In the schema's range of the column lie the values of fewer than ", least,
                " people (rare_below), too few to make values from, and none is invented. Correct the schema "
                "or the unit of the column, or leave the column out."));
}

}  // namespace

void refuse_few_in_range(const Table& table, std::size_t rare_below) {
  std::vector<std::uint32_t> who;
  for (std::size_t c = 0; c < table.columns(); ++c) {
    if (!is_number(table.column(c).kind())) continue;
    if (who.empty()) who = people_of(table);
    refuse_few(table.schema().fields[c], table.column(c), who, rare_below);
  }
}

namespace {

void check_size(std::size_t rows, std::size_t columns, const CodingOptions& options) {
  if (rows < std::max<std::size_t>(options.rare_below, 1))
    throw GenerationError(
        message("The table has ", counted(rows, "row"), ", fewer than the ", options.rare_below,
                " people among whom a single one may hide (rare_below); fit to more rows."));
  if (columns == 0) throw SchemaError("The table has no columns; there is nothing to learn.");
  if (rows > std::numeric_limits<std::int32_t>::max())
    throw ConfigError(message("At most 2^31 rows can be learnt from, but the table has ", rows, "."));
}

Column column_of(const ColumnSource& source, std::size_t number) {
  Column out = source.read(number);
  const Field& field = source.schema.fields[number];
  if (out.size() != source.rows || out.kind() != field.kind)
    throw SchemaError({.field = field.name},
                      message("The source has ", counted(source.rows, "row"), " and this column is of kind ",
                              name_of(field.kind), ", but it gave ", counted(out.size(), "cell"), " of kind ",
                              name_of(out.kind()), "; did the file change meanwhile?"));
  return out;
}

bool is_combined(const Schema& schema, const std::string& name) {
  return std::ranges::any_of(schema.groups, [&](const GroupRule& group) {
    return group.kind == "combinations" && std::ranges::find(group.fields, name) != group.fields.end();
  });
}

}  // namespace

std::vector<std::uint32_t> people_of(const ColumnSource& source) {
  const Field* subject = source.schema.subject();
  if (!subject || subject->kind == Kind::list) return rows_as_people(source.rows);
  return people_in(column_of(source, static_cast<std::size_t>(subject - source.schema.fields.data())));
}

CodedTable code_columns(const ColumnSource& source, const CodingOptions& options, const TakeCodes& take) {
  check(options);
  check_size(source.rows, source.schema.fields.size(), options);
  CodedTable out;
  out.schema = source.schema;
  out.rows = source.rows;
  out.columns.resize(source.schema.fields.size());
  out.codes.resize(out.columns.size());
  out.people = people_of(source);
  const Learner learner{options, out.people, source.schema.subject() == nullptr};
  for (std::size_t c = 0; c < out.columns.size(); ++c) {
    const Field& field = source.schema.fields[c];
    {
      const Column column = column_of(source, c);
      if (is_number(column.kind())) refuse_few(field, column, out.people, options.rare_below);
      out.columns[c] = learn_column(learner, field, column, out.codes[c]);
    }
    out.schema.fields[c] = out.columns[c].field;
    take(out, c);
    if (!is_combined(source.schema, field.name)) std::vector<std::uint32_t>().swap(out.codes[c]);
  }
  resolve_combinations(out, options.rare_below);
  return out;
}

CodedTable code_table(const Table& table, const CodingOptions& options) {
  check(options);
  check_size(table.rows(), table.columns(), options);
  const std::vector<std::uint32_t> who = people_of(table);
  const Learner learner{options, who, table.schema().subject() == nullptr};
  refuse_few_in_range(table, options.rare_below);
  CodedTable out;
  out.rows = table.rows();
  out.columns.resize(table.columns());
  out.codes.resize(table.columns());
  parallel_for(
      table.columns(),
      [&](std::size_t c) {
        out.columns[c] = learn_column(learner, table.schema().fields[c], table.column(c), out.codes[c]);
      },
      options.threads);
  out.people = who;
  out.schema = table.schema();
  for (std::size_t c = 0; c < out.columns.size(); ++c) out.schema.fields[c] = out.columns[c].field;
  resolve_combinations(out, options.rare_below);
  return out;
}

namespace {

Column fresh_column(const ColumnCoding& coding, std::uint64_t rows, Random random) {
  if (coding.counted_from > 0 || coding.field.kind == Kind::integer) {
    std::vector<std::int64_t> values;
    values.reserve(rows);
    if (coding.counted_from > 0) {
      for (std::uint64_t row = 0; row < rows; ++row)
        values.push_back(static_cast<std::int64_t>(coding.counted_from + row));
    } else {
      // A leading 1 keeps the number of digits where the pattern does not grow.
      const std::string pattern =
          coding.pattern.size() > 1 ? "\\1" + coding.pattern.substr(1) : coding.pattern;
      for (const std::string& text : detail::fresh_identifiers(pattern, coding.taken, rows, random))
        values.push_back(std::stoll(text));
    }
    return Column::integers(Buffer<std::int64_t>::from(std::move(values)));
  }
  const auto texts = detail::fresh_identifiers(coding.pattern, coding.taken, rows, random);
  if (coding.field.kind == Kind::text) return Column::texts(texts);
  std::vector<std::int32_t> codes(rows);
  std::iota(codes.begin(), codes.end(), 0);
  return Column::categories(Buffer<std::int32_t>::from(std::move(codes)), Column::texts(texts));
}

Validity all_missing(std::uint64_t rows) {
  detail::BitWriter bits;
  for (std::uint64_t row = 0; row < rows; ++row) bits.push(false);
  return bits.validity();
}

Column absent_column(const ColumnCoding& coding, std::uint64_t rows) {
  Validity validity = all_missing(rows);
  switch (coding.field.kind) {
    case Kind::real:
      return Column::reals(Buffer<double>::from(std::vector<double>(rows)), validity);
    case Kind::integer:
      return Column::integers(Buffer<std::int64_t>::from(std::vector<std::int64_t>(rows)), validity);
    case Kind::boolean:
      return Column::booleans(std::vector<bool>(rows), validity);
    case Kind::time:
      return Column::times(Buffer<std::int64_t>::from(std::vector<std::int64_t>(rows)), coding.zone,
                           validity);
    case Kind::category:
      return Column::categories(Buffer<std::int32_t>::from(std::vector<std::int32_t>(rows)),
                                Column::texts(coding.field.categories), false, validity);
    default:
      return Column::texts(Buffer<std::int64_t>::from(std::vector<std::int64_t>(rows + 1)),
                           Buffer<char>::from({}), validity);
  }
}

}  // namespace

Column decode_column(const ColumnCoding& coding, std::span<const double> cells, std::uint64_t rows,
                     Random random) {
  if (coding.form == CodingForm::fresh) return fresh_column(coding, rows, random);
  if (coding.form == CodingForm::absent) return absent_column(coding, rows);
  detail::BitWriter valid;
  for (const double cell : cells) valid.push(!std::isnan(cell));
  Validity validity = valid.validity();
  const auto mapped = [&]<class T>(std::vector<T> out, const auto& of) {
    for (std::size_t row = 0; row < cells.size(); ++row)
      if (!std::isnan(cells[row])) out[row] = static_cast<T>(of(cells[row]));
    return out;
  };
  const auto code = [](double cell) { return cell; };
  const auto whole = [&](double cell) {
    return coding.origin + coding.step * static_cast<std::int64_t>(cell);
  };
  switch (coding.field.kind) {
    case Kind::real:
      return Column::reals(Buffer<double>::from(mapped(std::vector<double>(cells.size()),
                                                       [&](double cell) { return coding.number(cell); })),
                           std::move(validity));
    case Kind::integer:
      return Column::integers(
          Buffer<std::int64_t>::from(mapped(std::vector<std::int64_t>(cells.size()), whole)),
          std::move(validity));
    case Kind::time:
      return Column::times(Buffer<std::int64_t>::from(mapped(std::vector<std::int64_t>(cells.size()), whole)),
                           coding.zone, std::move(validity));
    case Kind::boolean: {
      std::vector<bool> out(cells.size());
      for (std::size_t row = 0; row < cells.size(); ++row) out[row] = cells[row] == 1.0;
      return Column::booleans(std::move(out), std::move(validity));
    }
    case Kind::category:
      return Column::categories(
          Buffer<std::int32_t>::from(mapped(std::vector<std::int32_t>(cells.size()), code)),
          Column::texts(coding.labels), coding.ordered, std::move(validity));
    default: {
      std::vector<std::int64_t> offsets{0};
      std::vector<char> bytes;
      for (const double cell : cells) {
        if (!std::isnan(cell)) {
          const std::string& text = coding.labels[static_cast<std::size_t>(cell)];
          bytes.insert(bytes.end(), text.begin(), text.end());
        }
        offsets.push_back(static_cast<std::int64_t>(bytes.size()));
      }
      return Column::texts(Buffer<std::int64_t>::from(std::move(offsets)),
                           Buffer<char>::from(std::move(bytes)), std::move(validity));
    }
  }
}

}  // namespace synthema
