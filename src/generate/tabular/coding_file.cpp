#include "src/generate/tabular/coding_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "src/generate/tabular/number_parts.hpp"

namespace synthema::detail {

namespace {

// How many steps from the origin still fit 64 bits; no more than do where a real cannot tell them apart.
double most_steps(std::int64_t origin, std::int64_t step) {
  constexpr auto kEnd = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const std::uint64_t steps = (kEnd - static_cast<std::uint64_t>(origin)) / static_cast<std::uint64_t>(step);
  const auto out = static_cast<double>(steps);
  return steps < (std::uint64_t{1} << 53) ? out : std::nextafter(out, 0.0);
}

bool ascending(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); }) &&
         std::ranges::adjacent_find(values, std::greater_equal{}) == values.end();
}

void check_numbers(const ModelArrays& file, const ColumnCoding& c) {
  const std::size_t n = c.values.size();
  file.require(c.field.kind == Kind::real || c.field.kind == Kind::integer || c.field.kind == Kind::time,
               "a number of another kind");
  file.require(n > 0 && ascending(c.values) && ascending(c.cuts), "values that do not ascend");
  const std::size_t parts = c.cuts.size() + 1;
  file.require(c.protection.size() == n && c.part_bins.size() == parts && c.part_classes.size() == parts,
               "arrays of different lengths");
  file.require(std::ranges::is_sorted(c.part_bins) && c.part_bins.back() <= 254, "bins beyond the last");
  file.require(std::ranges::is_sorted(c.part_classes), "classes that do not ascend");
  file.require(std::ranges::all_of(c.protection, [](Protection p) { return p <= Protection::single; }),
               "an unknown protection");
  file.require(
      c.replaced.empty() ||
          (c.replaced.size() == n && std::ranges::find(c.protection, Protection::none) != c.protection.end()),
      "no value that may stand in for another");
  file.require(c.exact_from.empty() || c.exact_from.size() == n, "arrays of different lengths");
  const double first = c.values.front(), last = c.values.back();
  file.require(
      c.low_tail <= n && (c.low_tail == 0 || (c.lowest >= first && c.lowest <= c.values[c.low_tail - 1])),
      "a lower end that is none");
  file.require(c.high_tail >= n || (c.highest >= c.values[c.high_tail] && c.highest <= last),
               "an upper end that is none");
  file.require(c.low_tail == 0 || c.high_tail >= n || c.lowest <= c.highest, "ends that have changed places");
  file.require(c.step > 0 && c.decimals <= 9 && (c.field.kind == Kind::real || c.grid), "an impossible grid");
  if (c.grid)
    file.require(c.values.front() >= 0 && c.values.back() <= most_steps(c.origin, c.step),
                 "numbers beyond 64 bits");
  file.require(std::ranges::all_of(c.values, [&](double v) { return !c.grid || v == std::nearbyint(v); }),
               "values off the grid");
}

void check_labels(const ModelArrays& file, const ColumnCoding& c) {
  const std::size_t n = c.labels.size();
  file.require(c.field.kind == Kind::category || c.field.kind == Kind::text || c.field.kind == Kind::boolean,
               "a category of another kind");
  file.require(n > 0 && n < (std::size_t{1} << 31) && c.label_bins.size() == n && c.label_classes.size() == n,
               "arrays of different lengths");
  file.require(*std::ranges::max_element(c.label_bins) <= 253, "bins beyond the last");
  file.require(c.field.kind != Kind::boolean || n == 2, "a boolean without its two values");
}

void finish(ColumnCoding& c) {
  if (c.form == CodingForm::number) {
    if (!c.interval) find_gaps(c);
    c.bins = c.part_bins.back() + std::size_t{2};
    c.classes = c.part_classes.back() + std::size_t{1};
  } else if (c.form == CodingForm::category) {
    c.bins = *std::ranges::max_element(c.label_bins) + std::size_t{3};
    c.classes = *std::ranges::max_element(c.label_classes) + std::size_t{3};
  }
}

}  // namespace

void put_codings(ModelArrays& file, const CodedTable& table, const std::string& prefix) {
  file.about[prefix + "schema"] = ArrayJson::parse(to_json(table.schema));
  file.about[prefix + "rows"] = table.rows;
  ArrayJson columns = ArrayJson::array();
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    const ColumnCoding& c = table.columns[i];
    const std::string key = prefix + std::to_string(i) + ".";
    columns.push_back({{"form", static_cast<int>(c.form)},
                       {"missing", c.missing},
                       {"labels", c.labels},
                       {"ordered", c.ordered},
                       {"pooled", c.pooled},
                       {"interval", c.interval},
                       {"grid", c.grid},
                       {"decimals", c.decimals},
                       {"origin", c.origin},
                       {"step", c.step},
                       {"zone", c.zone},
                       {"pattern", c.pattern},
                       {"counted_from", c.counted_from},
                       {"missing_share", c.missing_share}});
    std::vector<std::uint8_t> protection;
    for (const Protection p : c.protection) protection.push_back(static_cast<std::uint8_t>(p));
    if (c.form == CodingForm::number) {
      file.put(key + "values", c.values);
      file.put(key + "protection", protection);
      if (!c.replaced.empty()) file.put(key + "replaced", c.replaced);
      if (!c.exact_from.empty()) file.put(key + "exact_from", c.exact_from);
      file.put(key + "tails", std::vector<std::uint32_t>{c.low_tail, c.high_tail});
      file.put(key + "ends", std::vector<double>{c.lowest, c.highest});
      file.put(key + "part_bins", c.part_bins);
      file.put(key + "part_classes", c.part_classes);
      file.put(key + "cuts", c.cuts);
    } else if (c.form == CodingForm::category) {
      file.put(key + "bins", c.label_bins);
      file.put(key + "classes", c.label_classes);
    } else if (c.form == CodingForm::fresh) {
      file.put(key + "taken", c.taken);
    }
  }
  file.about[prefix + "columns"] = columns;
}

CodedTable get_codings(const ModelArrays& file, const std::string& prefix) {
  CodedTable out;
  try {
    out.schema = schema_from_json(file.value<ArrayJson>(file.about, (prefix + "schema").c_str()).dump());
  } catch (const ModelError&) {
    throw;
  } catch (const Error&) {
    file.fail("The schema is none.");
  }
  out.rows = file.value<std::uint64_t>(file.about, (prefix + "rows").c_str());
  const auto columns = file.value<ArrayJson>(file.about, (prefix + "columns").c_str());
  file.require(columns.is_array() && columns.size() == out.schema.fields.size() && !columns.empty(),
               "another number of columns than the schema has");
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const ArrayJson& about = columns[i];
    const std::string key = prefix + std::to_string(i) + ".";
    ColumnCoding c;
    c.field = out.schema.fields[i];
    const int form = file.value<int>(about, "form");
    file.require(form >= 0 && form <= static_cast<int>(CodingForm::absent), "an unknown form of a column");
    c.form = static_cast<CodingForm>(form);
    c.missing = file.value<bool>(about, "missing");
    c.labels = file.value<std::vector<std::string>>(about, "labels");
    c.ordered = file.value<bool>(about, "ordered");
    c.pooled = file.value<bool>(about, "pooled");
    c.grid = file.value<bool>(about, "grid");
    c.decimals = file.value<std::uint32_t>(about, "decimals");
    c.origin = file.value<std::int64_t>(about, "origin");
    c.step = file.value<std::int64_t>(about, "step");
    c.zone = file.value<std::string>(about, "zone");
    c.pattern = file.value<std::string>(about, "pattern");
    c.counted_from = file.value<std::uint64_t>(about, "counted_from");
    if (c.form == CodingForm::number) {
      c.values = file.get<double>(key + "values");
      for (const std::uint8_t p : file.get<std::uint8_t>(key + "protection"))
        c.protection.push_back(static_cast<Protection>(p));
      c.interval =
          about.contains("interval")
              ? file.value<bool>(about, "interval")
              : std::ranges::all_of(c.protection, [](Protection p) { return p == Protection::rare; });
      if (file.has(key + "replaced")) c.replaced = file.get<std::uint8_t>(key + "replaced");
      if (file.has(key + "exact_from")) c.exact_from = file.get<std::uint32_t>(key + "exact_from");
      if (file.has(key + "tails")) {
        const auto tails = file.get<std::uint32_t>(key + "tails");
        const auto ends = file.get<double>(key + "ends");
        file.require(tails.size() == 2 && ends.size() == 2, "ends of a column that are none");
        c.low_tail = tails[0], c.high_tail = tails[1];
        c.lowest = ends[0], c.highest = ends[1];
      }
      if (file.has(key + "part_bins")) {
        c.part_bins = file.get<std::uint8_t>(key + "part_bins");
        c.part_classes = file.get<std::uint8_t>(key + "part_classes");
        c.cuts = file.get<double>(key + "cuts");
      } else {  // older files: by value
        c.part_bins = file.get<std::uint8_t>(key + "bins");
        c.part_classes = file.get<std::uint8_t>(key + "classes");
        cut_between_all(c);
      }
      check_numbers(file, c);
    } else if (c.form == CodingForm::category) {
      c.label_bins = file.get<std::uint8_t>(key + "bins");
      c.label_classes = file.get<std::uint8_t>(key + "classes");
      check_labels(file, c);
    } else if (c.form == CodingForm::fresh) {
      c.taken = file.get<std::uint64_t>(key + "taken");
      c.missing_share = file.value<double>(about, "missing_share");
      file.require(c.missing_share >= 0 && c.missing_share <= 1, "a share that is none");
      const Kind kind = c.field.kind;
      file.require(std::ranges::is_sorted(c.taken) && c.pattern.size() <= 1024, "identifiers without order");
      const bool numbers = kind == Kind::integer || kind == Kind::real;
      file.require(numbers || kind == Kind::text || kind == Kind::category, "an identifier of another kind");
      file.require(!numbers || (c.counted_from < std::uint64_t{1} << 62 && c.pattern.size() <= 16 &&
                                c.pattern.find_first_not_of('9') == std::string::npos &&
                                (c.counted_from > 0 || !c.pattern.empty())),
                   "numbers of another form");
      file.require(numbers || (c.counted_from == 0 && !c.pattern.empty()), "an empty pattern");
    }
    finish(c);
    out.columns.push_back(std::move(c));
  }
  return out;
}

bool are_counts(const ColumnCoding& coding, std::span<const std::uint32_t> codes,
                std::span<const std::uint32_t> cumulative) {
  if (codes.size() != cumulative.size()) return false;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (codes[i] > coding.missing_code() || cumulative[i] == 0) return false;
    if (i > 0 && (codes[i] <= codes[i - 1] || cumulative[i] <= cumulative[i - 1])) return false;
  }
  return true;
}

void put_counts(ModelArrays& file, const std::string& name, const OwnedCounts& counts) {
  file.put(name + ".codes", counts.codes);
  file.put(name + ".cumulative", counts.cumulative);
}

OwnedCounts get_counts(const ModelArrays& file, const std::string& name, const ColumnCoding& coding) {
  OwnedCounts out{file.get<std::uint32_t>(name + ".codes"), file.get<std::uint32_t>(name + ".cumulative")};
  file.require(are_counts(coding, out.codes, out.cumulative), "counts of codes that do not exist");
  return out;
}

}  // namespace synthema::detail
