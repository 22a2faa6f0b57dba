// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104): names of contents. Private data are only ever named with
// a key, so that a digest in a public file cannot be used to test a guess about a private row.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

namespace synthema {

class SYNTHEMA_EXPORT Sha256 {
 public:
  Sha256& update(std::string_view bytes);
  // Length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
  Sha256& field(std::string_view bytes);
  std::array<std::uint8_t, 32> finish();
  std::string hex();  // finish() as 64 lower-case hexadecimal digits

 private:
  void block(const std::uint8_t* data);
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> buffer_{};
  std::uint64_t length_ = 0;
};

// The keyed form, for bytes that come in pieces.
class SYNTHEMA_EXPORT HmacSha256 {
 public:
  explicit HmacSha256(std::string_view key);
  HmacSha256& update(std::string_view bytes);
  std::string hex();

 private:
  Sha256 inner_, outer_;
};

std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);
std::string file_sha256_hex(const std::string& path);  // Error names the file if it cannot be read

// Digest of schema and contents, independent of how the memory is laid out (offsets, chunks, spare bits, how
// category codes are numbered; the order of labels counts only where the category is ordered).
// With a non-empty key it is an HMAC.
std::string content_digest(const Table& table, std::string_view key = {});

}  // namespace synthema
