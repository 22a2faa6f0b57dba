// Sums of products of scores, where a person has several rows.
#pragma once

#include <cstdint>
#include <span>

#include "src/generate/tabular/score_correlation.hpp"

namespace synthema::detail {

// {columns, columns}: of scores {rows, columns}, over the rows. Where a person has several of these, each sum
// of two columns is brought nearer to zero, by twice the share that its variance has of its square: the
// variance of what people add to it, not rows, so that little is left of what one person makes. That of a
// strong correlation is small (the influence function of a correlation; Devlin, Gnanadesikan and Kettenring,
// Biometrika 1975); twice is what Akaike's criterion charges. `both`: rows in which both columns say
// something. `people` by row.
Matrix products_by_people(const Matrix& scores, const Matrix& both, std::span<const std::uint32_t> people,
                          std::size_t threads);

}  // namespace synthema::detail
