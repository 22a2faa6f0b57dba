// Identifiers drawn afresh: patterns of the real ones, and an enumeration of what has such a pattern in
// an order that only the seed knows, without repetition.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/random.hpp"

namespace synthema::detail {

std::uint64_t identifier_hash(std::string_view text);

// The most frequent pattern of these texts; 'AAAAAAAA' where fewer than `least` share one.
std::string identifier_pattern(std::span<const std::string_view> texts, std::size_t least);

// `rows` different texts of the pattern, none with its hash in `taken` (ascending). The pattern gets more
// digits at its end where it has too few texts.
std::vector<std::string> fresh_identifiers(const std::string& pattern, std::span<const std::uint64_t> taken,
                                           std::uint64_t rows, Random random);

}  // namespace synthema::detail
