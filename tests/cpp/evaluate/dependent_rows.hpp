// Rows of one distribution whose columns depend on each other, and what breaks them.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

inline Schema dependent_schema() {
  return {.fields = {{.name = "x", .kind = Kind::real},
                     {.name = "z", .kind = Kind::real},
                     {.name = "colour", .kind = Kind::category},
                     {.name = "y", .kind = Kind::category},
                     {.name = "w", .kind = Kind::real}}};
}

// z follows x, colour follows z, y follows x and colour, w is 2 x + noise; a tenth of z is missing.
inline Table dependent_rows(std::size_t rows, std::uint64_t seed, double shift = 0) {
  std::vector<Record> records;
  Random random(seed);
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = random.uniform() + shift, z = x + 0.3 * random.uniform();
    const std::string colour = z > 0.9 ? "red" : (random.uniform() < 0.5 ? "blue" : "green");
    const bool missing = random.uniform() < 0.1;
    const double raw = 4 * (x - 0.5) + (colour == "red" ? 1 : -0.5);
    records.push_back({{"x", x},
                       {"z", missing ? Value() : Value(z)},
                       {"colour", colour},
                       {"y", random.uniform() < 1 / (1 + std::exp(-raw)) ? "yes" : "no"},
                       {"w", 2 * x + 0.2 * random.uniform()}});
  }
  return Table::from_records(dependent_schema(), records);
}

}  // namespace synthema
