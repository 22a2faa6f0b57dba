#include <algorithm>
#include <cmath>

#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/order_distance.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"

namespace synthema {

std::string GaussianCopula::save() const {
  detail::require_fitted(fitted());
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"rare_below", options_.rare_below}};
  detail::put_codings(file, coded_);
  for (const Variable& variable : variables_) {
    const std::string key = std::to_string(variable.column);
    detail::put_counts(file, key + (variable.missing ? ".missing" : ".present"), variable.counts);
  }
  file.put("correlations", correlations_);
  if (!limited_.empty()) file.put("limited", limited_);
  for (const Variable& variable : variables_)
    if (!variable.places.empty()) {
      const std::string key = std::to_string(variable.column);
      file.put(key + ".places", variable.places);
      file.put(key + ".given", std::vector<std::uint64_t>{variable.given});
    }
  detail::Distances distances(coded_.columns.size());
  for (const Variable& variable : variables_)
    if (variable.distance) distances[variable.column] = variable.distance;
  detail::put_distances(file, distances);
  return file.file();
}

GaussianCopula GaussianCopula::load(std::string_view bytes, const std::string& path) {
  const detail::ModelArrays file(bytes, path, "gaussian_copula");
  GaussianCopula out;
  out.options_.rare_below =
      file.value<std::size_t>(file.value<detail::ArrayJson>(file.about, "options"), "rare_below");
  out.coded_ = detail::get_codings(file);
  out.rules_ = detail::loaded_rules(file, out.coded_);
  for (const bool missing : {false, true})
    for (const std::size_t c : detail::modelled_order(out.rules_, out.coded_.columns)) {
      const ColumnCoding& coding = out.coded_.columns[c];
      const std::string key = std::to_string(c) + (missing ? ".missing" : ".present");
      if (missing && !file.has(key + ".codes")) continue;
      if (!missing) {
        out.variables_.push_back({c, false, detail::get_counts(file, key, coding)});
        continue;
      }
      OwnedCounts counts{file.get<std::uint32_t>(key + ".codes"),
                         file.get<std::uint32_t>(key + ".cumulative")};
      file.require(counts.codes == std::vector<std::uint32_t>{0, 1} && counts.cumulative.size() == 2 &&
                       counts.cumulative[0] < counts.cumulative[1],
                   "counts of missing values that are none");
      out.variables_.push_back({c, true, std::move(counts)});
    }
  const std::size_t p = out.variables_.size();
  const auto get_correlations = [&](const char* name) {
    std::vector<double> found = file.get<double>(name);
    file.require(found.size() == p * p, "another number of correlations");
    for (std::size_t i = 0; i < p; ++i)
      for (std::size_t j = 0; j < p; ++j) {
        const double r = found[i * p + j];
        file.require(std::abs(r) <= 1.000001 && std::abs(r - found[j * p + i]) < 1e-9 &&
                         (i != j || std::abs(r - 1) < 1e-6),
                     "correlations that are none");
      }
    return found;
  };
  out.correlations_ = get_correlations("correlations");
  if (!file.has("limited")) return out;
  out.limited_ = get_correlations("limited");
  const detail::Distances distances =
      detail::get_distances(file, out.coded_, detail::modelled_order(out.rules_, out.coded_.columns));
  for (Variable& variable : out.variables_) {
    if (variable.missing || !distances[variable.column]) continue;
    variable.distance = distances[variable.column];
    file.require(variable.distance->counts.codes.back() < variable.distance->coding.codes(),
                 "distances that are missing");
  }
  const auto orders = out.rules_.orders(out.coded_.columns);
  for (Variable& variable : out.variables_) {
    const std::string key = std::to_string(variable.column);
    const auto order =
        std::ranges::find(orders, variable.column, &std::pair<std::size_t, std::size_t>::first);
    if (variable.missing || order == orders.end() || !file.has(key + ".places")) continue;
    variable.places = file.get<double>(key + ".places");
    file.require(variable.places.size() >= 2 && variable.places.front() == 0 && variable.places.back() == 1 &&
                     std::ranges::is_sorted(variable.places) &&
                     std::ranges::none_of(variable.places, [](double x) { return std::isnan(x); }),
                 "places that are none");
    variable.given = order->second;  // of older files, which do not say it
    if (!file.has(key + ".given")) continue;
    const auto given = file.get<std::uint64_t>(key + ".given");
    file.require(
        given.size() == 1 &&
            std::ranges::find(orders, std::pair(variable.column, std::size_t{given[0]})) != orders.end(),
        "places beside a column that no rule orders");
    variable.given = given[0];
  }
  return out;
}

}  // namespace synthema
