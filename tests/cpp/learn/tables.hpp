// Tables whose answer is known.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/data/table.hpp"
#include "synthema/learn/learner.hpp"
#include "synthema/learn/target.hpp"

namespace synthema::testing {

// Columns x (real), z (real, a tenth missing), colour (category of four) and y: "yes" with a chance that
// depends on x beyond 0.5, on z being missing and on colour being red or blue.
inline Table coloured(std::size_t rows, std::uint64_t seed) {
  const std::vector<std::string> colours = {"blue", "green", "red", "white"};
  std::vector<Record> records;
  Random random(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = random.uniform(), z = random.uniform();
    const bool missing = random.uniform() < 0.1;
    const std::string& colour = colours[random.below(4)];
    const double raw =
        (x > 0.5 ? 1.5 : -1.5) + (missing ? 2 : 0) + (colour == "red" || colour == "blue" ? 1 : -1);
    records.push_back({{"x", x},
                       {"z", missing ? Value() : Value(z)},
                       {"colour", colour},
                       {"y", random.uniform() < 1 / (1 + std::exp(-raw)) ? "yes" : "no"}});
  }
  return Table::from_records({.fields = {{.name = "x", .kind = Kind::real},
                                         {.name = "z", .kind = Kind::real},
                                         {.name = "colour", .kind = Kind::category},
                                         {.name = "y", .kind = Kind::category}}},
                             records);
}

inline Table numbers(const std::vector<Value>& values, Kind kind = Kind::real) {
  std::vector<Record> records;
  for (const Value& value : values) records.push_back({{"v", value}});
  return Table::from_records({.fields = {{.name = "v", .kind = kind}}}, records);
}

// Numbers as they are, not standardised.
inline DesignMatrix plain(const std::vector<std::vector<double>>& rows) {
  DesignMatrix out{rows.size(), rows[0].size(), rows[0].size(), {}, {}};
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c)
      out.index.push_back(static_cast<std::uint32_t>(c)), out.value.push_back(row[c]);
  return out;
}

}  // namespace synthema::testing
