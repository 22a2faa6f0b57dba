#include "synthema/generate/tabular/published_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "synthema/core/error.hpp"

namespace synthema {

namespace {

using Json = nlohmann::ordered_json;

bool is_number(const Field& field) {
  return field.kind == Kind::real || field.kind == Kind::integer;
}

[[noreturn]] void refuse(const Field& field, const std::string& why) {
  throw SchemaError({.field = field.name}, why);
}

// Half of the last decimal with which a number was given.
double rounding_of(double value) {
  double power = 1;
  for (int decimals = 0; decimals < 9; ++decimals, power *= 10)
    if (std::abs(value * power - std::nearbyint(value * power)) < 1e-6) break;
  return 0.5 / power;
}

// Bhatia and Davis 2000: no distribution on a range has a larger variance around its mean, here any that
// rounds to this one. That of a sample divides by the rows less one.
double largest_sd(double mean, double rounding, double low, double high, std::optional<std::uint64_t> rows) {
  const double middle = std::isfinite(low + high) ? std::midpoint(low, high) : mean;
  mean = mean < middle ? std::min(mean + rounding, middle) : std::max(mean - rounding, middle);
  const double n = static_cast<double>(rows.value_or(0));
  return std::sqrt((high - mean) * (mean - low) * (n > 1 ? n / (n - 1) : 1));
}

void check_number(const Field& field, const ColumnStatistics& of, std::optional<std::uint64_t> rows) {
  const bool by_mean = of.mean || of.sd, by_median = of.median || of.q1 || of.q3;
  if (by_mean == by_median) refuse(field, "A number has either mean and sd, or q1, median and q3.");
  const double low = field.minimum.value_or(-HUGE_VAL), high = field.maximum.value_or(HUGE_VAL);
  if (by_mean) {
    if (!of.mean || !of.sd) refuse(field, "A mean goes with an sd.");
    if (!std::isfinite(*of.mean) || !(*of.sd >= 0) || !std::isfinite(*of.sd))
      refuse(field, "The mean must be a number and the sd zero or positive.");
    if (!(*of.mean >= low && *of.mean <= high)) refuse(field, "The mean lies outside of the range.");
    if ((*of.mean == low || *of.mean == high) && *of.sd > rounding_of(*of.sd))
      refuse(field, message("A mean at the ", *of.mean == low ? "minimum" : "maximum",
                            " leaves all values there, so the sd cannot be ", *of.sd,
                            "; correct one of the three, or give the mean with more decimals."));
    if (*of.sd > largest_sd(*of.mean, rounding_of(*of.mean), low, high, rows) + rounding_of(*of.sd))
      refuse(field, message("No values of this range have so large an sd around this mean: at most ",
                            largest_sd(*of.mean, 0, low, high, rows),
                            ", beyond what rounding in print explains; correct one of them, or the range."));
    return;
  }
  if (!of.median || !of.q1 || !of.q3) refuse(field, "A median goes with q1 and q3.");
  if (!(low <= *of.q1 && *of.q1 <= *of.median && *of.median <= *of.q3 && *of.q3 <= high))
    refuse(field, "Minimum, q1, median, q3 and maximum must ascend.");
}

void check_labels(const Field& field, const ColumnStatistics& of) {
  const std::size_t wanted = field.kind == Kind::boolean ? 2 : field.categories.size();
  if (wanted == 0 || of.shares.size() != wanted)
    refuse(field, field.kind == Kind::boolean ? "A boolean has a share of true."
                                              : "A category has a count or a share for each label.");
  if (field.kind == Kind::boolean && !(of.shares[1] >= 0 && of.shares[1] <= 1))
    refuse(field, message("A share lies from 0 to 1, not at ", of.shares[1], "; 21 per cent are 0.21."));
  double sum = 0;
  for (const double share : of.shares) {
    if (!(share >= 0) || !std::isfinite(share)) refuse(field, "A count or share is zero or positive.");
    sum += share;
  }
  if (std::abs(sum - 1) > 1e-9)
    refuse(field, message("The shares sum to ", sum,
                          ", not to one, beyond what rounding in print explains; 21 per cent are 0.21, and "
                          "counts are whole numbers."));
}

void check_correlation(const PublishedStatistics& of, const PublishedCorrelation& pair) {
  for (const std::string& name : {pair.first, pair.second})
    if (!of.schema.find(name))
      throw SchemaError({.field = name}, "A correlation names this column, which is not described.");
  if (pair.first == pair.second) refuse(of.schema.at(pair.first), "A column is correlated with itself.");
  if (!(std::abs(pair.value) <= 1))
    refuse(of.schema.at(pair.first),
           message("Its correlation with '", pair.second, "' does not lie between -1 and 1."));
}

// Where in the file something stands: "columns[2].sd".
struct Place {
  const std::string& file;
  std::string path;

  Place operator/(const std::string& key) const { return {file, path.empty() ? key : path + "." + key}; }
  Place operator[](std::size_t i) const { return {file, message(path, "[", i, "]")}; }
  [[noreturn]] void fail(const std::string& why) const {
    throw ParseError({.file = file, .field = path}, why);
  }
  double number(const Json& value) const {
    if (!value.is_number()) fail(message("Here stands ", value.dump(), " where a number belongs."));
    return value.get<double>();
  }
};

// The keys of statistics; the others are those of a field.
void take(Json& column, const Place& place, const char* key, std::optional<double>& out) {
  const auto at = column.find(key);
  if (at == column.end()) return;
  out = (place / key).number(*at);
  column.erase(at);
}

void refuse_unknown_keys(const Json& column, const Place& place) {
  static constexpr const char* kKeys[] = {
      "name",    "kind",    "mean",    "sd",   "q1",          "median", "q3",          "share",   "counts",
      "missing", "minimum", "maximum", "unit", "description", "roles",  "code_system", "decimals"};
  for (const auto& [key, unused] : column.items()) {
    if (std::ranges::find(kKeys, std::string_view(key)) != std::end(kKeys)) continue;
    std::string names;
    for (const char* one : kKeys) names += (names.empty() ? "" : ", ") + std::string(one);
    place.fail(message("The key '", key, "' is not known here; known are: ", names, "."));
  }
}

// Of counts, or of shares as they are rounded in print; others as they are.
std::vector<double> shares_of(std::vector<double> counts) {
  double sum = 0, rounding = 1e-6;
  for (const double one : counts) sum += one, rounding += rounding_of(one);
  const bool whole = std::ranges::all_of(counts, [](double one) { return one == std::nearbyint(one); });
  if (sum > 0 && (whole || std::abs(sum - 1) <= rounding))
    for (double& one : counts) one /= sum;
  return counts;
}

ColumnStatistics column_from(Json& column, const Place& place) {
  if (!column.is_object()) place.fail("A column is described by an object.");
  refuse_unknown_keys(column, place);
  ColumnStatistics out;
  take(column, place, "mean", out.mean);
  take(column, place, "sd", out.sd);
  take(column, place, "q1", out.q1);
  take(column, place, "median", out.median);
  take(column, place, "q3", out.q3);
  std::optional<double> missing, share;
  take(column, place, "missing", missing);
  take(column, place, "share", share);
  out.missing = missing.value_or(0);
  if (share) out.shares = {1 - *share, *share};
  if (const auto counts = column.find("counts"); counts != column.end()) {
    std::vector<std::string> labels;
    if (!counts->is_object()) (place / "counts").fail("Counts are an object: a count or a share by label.");
    for (const auto& [label, count] : counts->items()) {
      labels.push_back(label);
      out.shares.push_back((place / "counts" / label).number(count));
    }
    out.shares = shares_of(std::move(out.shares));
    column.erase(counts);
    column["categories"] = labels;
  }
  column["nullable"] = out.missing > 0;
  return out;
}

}  // namespace

void PublishedStatistics::check() const {
  schema.check();
  if (schema.fields.empty()) throw SchemaError("The statistics describe no column.");
  if (columns.size() != schema.fields.size())
    throw SchemaError("There are statistics for another number of columns than the schema has.");
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const Field& field = schema.fields[c];
    const ColumnStatistics& of = columns[c];
    if (!(of.missing >= 0 && of.missing < 1))
      refuse(field, "The share of missing values lies from 0 to below 1.");
    if (is_number(field))
      check_number(field, of, rows);
    else if (field.kind == Kind::category || field.kind == Kind::boolean)
      check_labels(field, of);
    else
      refuse(field, message("Statistics describe real, integer, category and boolean columns, not ",
                            name_of(field.kind), "."));
  }
  std::set<std::pair<std::string, std::string>> seen;
  for (const PublishedCorrelation& pair : correlations) {
    check_correlation(*this, pair);
    if (!seen.insert(std::minmax(pair.first, pair.second)).second)
      refuse(schema.at(pair.first), message("Its correlation with '", pair.second, "' is given twice."));
  }
}

PublishedStatistics statistics_from_json(std::string_view json, const std::string& file) {
  PublishedStatistics out;
  try {
    Json whole = Json::parse(json);
    if (!whole.is_object() || !whole.contains("columns") || !whole["columns"].is_array())
      throw ParseError({.file = file}, "Statistics are an object with a list 'columns'.");
    Json columns = whole["columns"];
    whole.erase("columns");
    const Place top{file, ""};
    for (std::size_t c = 0; c < columns.size(); ++c)
      out.columns.push_back(column_from(columns[c], (top / "columns")[c]));
    if (const auto pairs = whole.find("correlations"); pairs != whole.end()) {
      const Place all = top / "correlations";
      if (!pairs->is_array()) all.fail("Correlations are a list of lists: two names and a number each.");
      for (std::size_t i = 0; i < pairs->size(); ++i) {
        const Json& pair = (*pairs)[i];
        if (!pair.is_array() || pair.size() != 3 || !pair[0].is_string() || !pair[1].is_string())
          all[i].fail("A correlation is a list: two names and a number.");
        out.correlations.push_back(
            {pair[0].get<std::string>(), pair[1].get<std::string>(), all[i][2].number(pair[2])});
      }
      whole.erase(pairs);
    }
    if (const auto rows = whole.find("rows"); rows != whole.end()) {
      if (!rows->is_number_unsigned()) (top / "rows").fail("The rows are a whole number from 0.");
      out.rows = rows->get<std::uint64_t>();
      whole.erase(rows);
    }
    whole["version"] = 1;
    whole["fields"] = std::move(columns);
    out.schema = schema_from_json(whole.dump(), file);
  } catch (const Json::parse_error& error) {
    throw ParseError({.file = file}, message("The statistics are no JSON: ", error.what()));
  } catch (const Json::type_error&) {
    throw ParseError({.file = file}, "A value of the statistics has the wrong type.");
  }
  out.check();
  return out;
}

}  // namespace synthema
