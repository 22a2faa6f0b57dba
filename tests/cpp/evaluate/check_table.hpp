// The toy set whose reference values are known from the libraries' own code.
#pragma once

#include <string>
#include <vector>

#include "synthema/data/table.hpp"

namespace synthema {

inline Table check_table(const std::vector<double>& x, const std::vector<double>& y, const std::string& c,
                         const std::string& d) {
  std::vector<Record> records;
  for (std::size_t i = 0; i < x.size(); ++i)
    records.push_back({{"x", x[i]}, {"y", y[i]}, {"c", std::string(1, c[i])}, {"d", std::string(1, d[i])}});
  return Table::from_records({.fields = {{.name = "x", .kind = Kind::real},
                                         {.name = "y", .kind = Kind::real},
                                         {.name = "c", .kind = Kind::category},
                                         {.name = "d", .kind = Kind::category}}},
                             records);
}
inline Table check_real() {
  return check_table({1, 2, 2.5, 3, 4.5, 5, 6, 7.5}, {2, 1, 4, 3, 6, 5, 8, 7}, "aaabbbcc", "uvuvuvuu");
}
inline Table check_synthetic() {
  return check_table({1.5, 2, 3.5, 4, 4, 6.5, 8, 9}, {1.5, 2.5, 2, 5, 4, 6, 9, 7}, "aabbbccd", "uuvvuvvu");
}
inline Table check_holdout() {
  return check_table({.5, 2.2, 3.1, 4.2, 5.5, 6.1, 7, 8.5}, {1, 2, 3.5, 2.5, 6.5, 5.5, 7.5, 9.5}, "abacbcbc",
                     "uvvuuvuv");
}

}  // namespace synthema
