// Tables for the tests of tabular generators.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/data/table.hpp"

namespace synthema::testing {

// age (integer), sex (category), pressure (real, one decimal, depends on both, some missing), score (real, no
// two alike), visit (days), smoker (boolean, depends on sex), ward (text of four values).
inline Table patients(std::size_t rows, std::uint64_t seed = 1) {
  Schema schema;
  schema.fields = {{.name = "age", .kind = Kind::integer},   {.name = "sex", .kind = Kind::category},
                   {.name = "pressure", .kind = Kind::real}, {.name = "score", .kind = Kind::real},
                   {.name = "visit", .kind = Kind::time},    {.name = "smoker", .kind = Kind::boolean},
                   {.name = "ward", .kind = Kind::text}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(seed).stream(row);
    const auto age = static_cast<std::int64_t>(20 + random.below(60));
    const bool male = random.uniform() < 0.5;
    const double pressure =
        static_cast<double>(900 + 5 * age + (male ? 100 : 0) + static_cast<std::int64_t>(random.below(200))) /
        10;
    const auto day = static_cast<std::int64_t>(18000 + random.below(300));
    records.push_back({{"age", age},
                       {"sex", male ? "male" : "female"},
                       {"pressure", random.uniform() < 0.1 ? Value() : Value(pressure)},
                       {"score", random.uniform() * 3 + static_cast<double>(age)},
                       {"visit", Timestamp{day * 86400000000}},
                       {"smoker", random.uniform() < (male ? 0.6 : 0.1)},
                       {"ward", std::string(1, static_cast<char>('A' + random.below(4)))}});
  }
  return Table::from_records(schema, records);
}

inline double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

}  // namespace synthema::testing
