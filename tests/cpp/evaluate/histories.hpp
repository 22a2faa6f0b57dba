// Small histories for the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

struct VisitRow {
  std::string subject;
  double day;
  std::vector<std::string> codes;
  double value = 0;
};

inline Table history_table(const std::vector<VisitRow>& rows) {
  std::vector<Record> records;
  for (const VisitRow& row : rows)
    records.push_back({{"subject", row.subject},
                       {"day", row.day},
                       {"codes", ValueList(row.codes.begin(), row.codes.end())},
                       {"value", row.value}});
  return Table::from_records({.fields = {{.name = "subject", .roles = {Role::subject}},
                                         {.name = "day", .kind = Kind::real, .roles = {Role::time}},
                                         {.name = "codes", .kind = Kind::list},
                                         {.name = "value", .kind = Kind::real}}},
                             records);
}

// Each subject has a level of its own, about which its values wander; codes come in pairs (2k, 2k + 1) and
// tend to be the same at the next visit.
inline Table histories(std::size_t subjects, std::uint64_t seed) {
  Random random(seed);
  std::vector<VisitRow> rows;
  for (std::size_t s = 0; s < subjects; ++s) {
    const double level = 10 * random.uniform();
    double wander = 0, day = 0;
    const auto drawn = [&] { return random.below(1 + random.below(6)); };  // some pairs are frequent
    std::size_t pair = drawn();
    for (std::size_t v = 0; v < 2 + random.below(5); ++v) {
      if (random.uniform() < 0.3) pair = drawn();
      wander = 0.8 * wander + random.uniform() - 0.5;
      rows.push_back({"s" + std::to_string(s), day, {}, level + wander});
      rows.back().codes = {"c" + std::to_string(2 * pair), "c" + std::to_string(2 * pair + 1)};
      if (random.uniform() < 0.2) rows.back().codes.push_back("x");
      day += 1 + static_cast<double>(random.below(30));
    }
  }
  return history_table(rows);
}

}  // namespace synthema
