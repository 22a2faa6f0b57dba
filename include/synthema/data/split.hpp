// Splitting a table by subject, so that nobody's rows are on both sides.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "synthema/core/random.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

// Row positions, ascending, of one part per share. Shares are of subjects (of rows where the schema names no
// subject), positive, and sum to 1; every part gets at least one subject or this is a ConfigError. A row
// whose subject is missing is a subject of its own. The same table and stream give the same parts; the same
// rows in another order may be split another way.
std::vector<std::vector<std::size_t>> split(const Table& table, std::span<const double> shares,
                                            Random random);

}  // namespace synthema
