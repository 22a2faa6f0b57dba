// Bitmaps in Arrow order: least significant bit first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "synthema/data/column.hpp"

namespace synthema::detail {

inline bool bit_at(const std::uint8_t* bits, std::size_t at) {
  return (bits[at / 8] >> (at % 8)) & 1;
}

class BitWriter {
 public:
  void push(bool bit) {
    if (size_ % 8 == 0) bytes_.push_back(0);
    if (bit) bytes_.back() = static_cast<std::uint8_t>(bytes_.back() | (1u << (size_ % 8)));
    zeros_ += !bit;
    ++size_;
  }
  std::size_t size() const { return size_; }
  std::size_t zeros() const { return zeros_; }
  std::vector<std::uint8_t> take() {
    zeros_ = size_ = 0;
    return std::exchange(bytes_, {});
  }
  // As a validity: empty where every bit is set.
  Validity validity() {
    if (zeros_ == 0) return take(), Validity{};
    const auto nulls = static_cast<std::int64_t>(zeros_);
    return {Buffer<std::uint8_t>::from(take()), 0, nulls};
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t size_ = 0;
  std::size_t zeros_ = 0;
};

}  // namespace synthema::detail
