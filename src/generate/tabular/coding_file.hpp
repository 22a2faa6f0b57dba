// Codings and counts of codes in the file of a generator.
#pragma once

#include "src/generate/tabular/model_arrays.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

// Several tables of codings may be in one file, each with a prefix of its names.
void put_codings(ModelArrays& file, const CodedTable& table, const std::string& prefix = {});
CodedTable get_codings(const ModelArrays& file, const std::string& prefix = {});

void put_counts(ModelArrays& file, const std::string& name, const OwnedCounts& counts);
OwnedCounts get_counts(const ModelArrays& file, const std::string& name, const ColumnCoding& coding);

// Whether these are codes of the column, ascending, with positive counts.
bool are_counts(const ColumnCoding& coding, std::span<const std::uint32_t> codes,
                std::span<const std::uint32_t> cumulative);

}  // namespace synthema::detail
