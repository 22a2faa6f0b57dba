// Columns of text that hold labels rather than free text, such as a frame's strings "f" and "m": what reads
// them may take them for categories. The rule is the one by which CSV files are read.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

// At most 1,000 different texts, each used twice on average; where some are longer than 64 bytes, at most 20,
// each used ten times on average.
SYNTHEMA_EXPORT bool holds_labels(const Column& column);

// The text columns of a table that hold labels, but for identifiers and subjects.
SYNTHEMA_EXPORT std::vector<std::string> label_columns(const Table& table);

// The table with those of the named columns that are texts as categories. Names of other columns change
// nothing.
SYNTHEMA_EXPORT Table with_categories(const Table& table, std::span<const std::string> names);

}  // namespace synthema
