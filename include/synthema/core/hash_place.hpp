// Where a key belongs among a power of two of places, by multiplication (Knuth, The Art of Computer
// Programming 3, 6.4).
#pragma once

#include <cstddef>
#include <cstdint>

namespace synthema {

constexpr std::size_t hash_place(std::uint64_t key, std::size_t places) {
  return ((key * 0x9E3779B97F4A7C15) >> 32) & (places - 1);
}

}  // namespace synthema
