#include "src/generate/tabular/private_file.hpp"

#include <algorithm>
#include <cmath>

namespace synthema::detail {

namespace {

constexpr double kExact = 9007199254740992.0;  // 2^53: whole numbers beyond it are not told apart

PrivateColumn load_column(const ModelArrays& file, const ArrayJson& about, const Field& field,
                          const std::string& key) {
  PrivateColumn out;
  ColumnCoding& c = out.coding;
  c.field = field;
  const int form = file.value<int>(about, "form");
  file.require(form >= 0 && form <= static_cast<int>(CodingForm::absent), "an unknown form of a column");
  c.form = static_cast<CodingForm>(form);
  out.states = file.value<std::uint32_t>(about, "states");
  out.missing = c.missing = file.value<bool>(about, "missing");
  out.rest = file.value<bool>(about, "rest");
  if (about.contains("resolved")) out.resolved = file.value<bool>(about, "resolved");  // older files lack it
  c.labels = file.value<std::vector<std::string>>(about, "labels");
  c.ordered = file.value<bool>(about, "ordered");
  c.grid = file.value<bool>(about, "grid");
  c.decimals = file.value<std::uint32_t>(about, "decimals");
  c.origin = file.value<std::int64_t>(about, "origin");
  c.step = file.value<std::int64_t>(about, "step");
  c.zone = file.value<std::string>(about, "zone");
  file.require(c.modelled() == out.modelled(), "a column of no form with states");
  const Kind kind = field.kind;
  file.require(kind != Kind::list, "a list");
  if (c.form == CodingForm::fresh) {
    file.require(kind != Kind::boolean && kind != Kind::time, "an identifier of another kind");
    c.pattern = "AAAAAAAA";
    if (kind == Kind::integer || kind == Kind::real) c.counted_from = 1;
  }
  if (!out.modelled()) return out;
  const std::uint32_t extra = (out.missing ? 1U : 0U) + (out.rest ? 1U : 0U);
  file.require(out.states > extra && out.states < (1U << 24), "a column without states of its own");
  std::vector<bool> used(out.states - extra);
  const auto use = [&](std::uint32_t state) {
    file.require(state < used.size(), "a state beyond the last");
    used[state] = true;
  };
  const auto weights = file.get<double>(key + "weights");
  const auto states = file.get<std::uint32_t>(key + "states");
  for (const double w : weights) file.require(w >= 0 && w <= 1e18, "an impossible weight");
  for (const std::uint32_t state : states) use(state);
  file.require(std::ranges::find(used, false) == used.end(), "a state without a value");
  std::vector<double> sums(out.states);
  for (std::size_t i = 0; i < std::min(states.size(), weights.size()); ++i) sums[states[i]] += weights[i];
  for (std::size_t s = 0; s < used.size(); ++s) file.require(sums[s] > 0, "a state without weight");
  if (c.is_category()) {
    const std::size_t n = c.labels.size();
    file.require(kind == Kind::category || kind == Kind::text || kind == Kind::boolean,
                 "a category of another kind");
    file.require(n > 0 && states.size() == n && weights.size() == n, "arrays of different lengths");
    file.require(kind != Kind::boolean || n == 2, "a boolean without its two values");
    out.label_states = states;
    out.label_weights = weights;
  } else {
    const auto low = file.get<double>(key + "low"), high = file.get<double>(key + "high");
    const std::size_t n = low.size();
    file.require(kind == Kind::real || kind == Kind::integer || kind == Kind::time,
                 "a number of another kind");
    file.require(n > 0 && high.size() == n && states.size() == n && weights.size() == n && !out.rest,
                 "arrays of different lengths");
    file.require(c.step > 0 && c.decimals <= 9 && (kind == Kind::real || c.grid), "an impossible grid");
    for (std::size_t i = 0; i < n; ++i) {
      file.require(std::abs(low[i]) <= 1e17 && std::abs(high[i]) <= 1e17 && low[i] <= high[i] &&
                       (i == 0 || low[i] >= high[i - 1]) && (i == 0 || states[i] >= states[i - 1]),
                   "cells that do not ascend");
      // Where a column spans more than 2^53 steps, both ends of a far cell may be the same number.
      file.require(!c.grid || (low[i] == std::floor(low[i]) && high[i] == std::floor(high[i]) &&
                               low[i] >= 0 && (high[i] > low[i] || low[i] >= kExact)),
                   "cells off the grid");
      out.cells.push_back({low[i], high[i], weights[i], states[i]});
    }
    const double top = std::abs(static_cast<double>(c.origin)) + static_cast<double>(c.step) * high.back();
    file.require(!c.grid || top < 9.2e18, "numbers beyond 64 bits");
    c.interval = true;
    c.values = {low.front(), high.back() - (c.grid ? 1 : 0)};
    if (c.values[1] <= c.values[0]) c.values.pop_back();
  }
  out.finish();
  return out;
}

}  // namespace

void put_private_columns(ModelArrays& file, std::span<const PrivateColumn> columns) {
  ArrayJson about = ArrayJson::array();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const PrivateColumn& column = columns[i];
    const ColumnCoding& c = column.coding;
    about.push_back({{"form", static_cast<int>(c.form)},
                     {"states", column.states},
                     {"missing", column.missing},
                     {"rest", column.rest},
                     {"resolved", column.resolved},
                     {"labels", c.labels},
                     {"ordered", c.ordered},
                     {"grid", c.grid},
                     {"decimals", c.decimals},
                     {"origin", c.origin},
                     {"step", c.step},
                     {"zone", c.zone}});
    if (!column.modelled()) continue;
    const std::string key = message("c", i, ".");
    if (c.is_category()) {
      file.put(key + "states", column.label_states);
      file.put(key + "weights", column.label_weights);
      continue;
    }
    std::vector<double> low, high, weight;
    std::vector<std::uint32_t> state;
    for (const NumberCell& cell : column.cells) {
      low.push_back(cell.low), high.push_back(cell.high);
      weight.push_back(cell.weight), state.push_back(cell.state);
    }
    file.put(key + "low", low);
    file.put(key + "high", high);
    file.put(key + "weights", weight);
    file.put(key + "states", state);
  }
  file.about["columns"] = about;
}

std::vector<PrivateColumn> get_private_columns(const ModelArrays& file, const Schema& schema) {
  const auto about = file.value<ArrayJson>(file.about, "columns");
  file.require(about.is_array() && about.size() == schema.fields.size() && !about.empty(),
               "another number of columns than the schema has");
  std::vector<PrivateColumn> out;
  for (std::size_t i = 0; i < about.size(); ++i)
    out.push_back(load_column(file, about[i], schema.fields[i], message("c", i, ".")));
  return out;
}

void put_spending(ModelArrays& file, std::span<const PrivateSpending> spending) {
  ArrayJson out = ArrayJson::array();
  for (const PrivateSpending& one : spending)
    out.push_back({{"released", one.released},
                   {"mechanism", one.mechanism},
                   {"releases", one.releases},
                   {"noise", one.noise},
                   {"rho", one.rho},
                   {"delta", one.delta}});
  file.about["spending"] = out;
}

std::vector<PrivateSpending> get_spending(const ModelArrays& file) {
  std::vector<PrivateSpending> out;
  for (const ArrayJson& one : file.value<ArrayJson>(file.about, "spending"))
    out.push_back({file.value<std::string>(one, "released"), file.value<std::string>(one, "mechanism"),
                   file.value<std::uint64_t>(one, "releases"), file.value<double>(one, "noise"),
                   file.value<double>(one, "rho"), file.value<double>(one, "delta")});
  return out;
}

const LedgerEntry& only_entry(const ModelArrays& file, const Ledger& ledger) {
  file.require(ledger.entries().size() == 1, "not one entry in its privacy ledger");
  const LedgerEntry& entry = ledger.entries().front();
  file.require(entry.private_noise == file.value<bool>(file.about, "private"),
               "a ledger that says something else about its noise");
  return entry;
}

Cost cost_of(const ModelArrays& file, std::span<const PrivateSpending> spending, double sensitivity) {
  Cost out;
  for (const PrivateSpending& one : spending) {
    file.require(one.releases > 0 && one.noise > 0 && std::isfinite(one.noise) && one.delta >= 0,
                 "an impossible release");
    const auto times = static_cast<double>(one.releases);
    if (one.mechanism == "discrete Gaussian")
      out.rho += times * sensitivity * sensitivity / (2 * one.noise * one.noise);
    else if (one.mechanism == "exponential")
      out.rho += times * one.noise * one.noise / 8;
    else
      file.fail("The ledger has a mechanism that is not known.");
    out.delta += one.delta;
  }
  return out;
}

}  // namespace synthema::detail
