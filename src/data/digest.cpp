#include "synthema/data/digest.hpp"

#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <vector>

namespace synthema {

namespace {

// FIPS 180-4, section 4.2.2.
constexpr std::uint32_t kRound[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::array<std::uint8_t, 8> big_endian(std::uint64_t value) {
  std::array<std::uint8_t, 8> out{};
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::uint8_t>(value >> (56 - 8 * i));
  return out;
}

std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class Bytes>
std::string hex_of(const Bytes& bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += "0123456789abcdef"[byte >> 4];
    out += "0123456789abcdef"[byte & 15];
  }
  return out;
}

}  // namespace

Sha256& Sha256::update(std::string_view bytes) {
  std::size_t held = length_ % 64;
  length_ += bytes.size();
  while (!bytes.empty()) {
    if (held == 0 && bytes.size() >= 64) {
      block(reinterpret_cast<const std::uint8_t*>(bytes.data()));
      bytes.remove_prefix(64);
      continue;
    }
    const std::size_t count = std::min(bytes.size(), 64 - held);
    std::memcpy(buffer_.data() + held, bytes.data(), count);
    bytes.remove_prefix(count);
    held += count;
    if (held == 64) block(buffer_.data()), held = 0;
  }
  return *this;
}

Sha256& Sha256::field(std::string_view bytes) {
  return update(as_text(big_endian(bytes.size()))).update(bytes);
}

std::array<std::uint8_t, 32> Sha256::finish() {
  const std::uint64_t bits = length_ * 8;
  update(std::string_view("\x80", 1));
  static constexpr char kZeros[64] = {};
  update({kZeros, (120 - length_ % 64) % 64});
  update(as_text(big_endian(bits)));
  std::array<std::uint8_t, 32> out{};
  for (std::size_t i = 0; i < 32; ++i)
    out[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  return out;
}

std::string Sha256::hex() {
  return hex_of(finish());
}

// FIPS 180-4, section 6.2.2.
void Sha256::block(const std::uint8_t* data) {
  std::uint32_t w[64];
  for (int t = 0; t < 16; ++t)
    w[t] = (std::uint32_t{data[4 * t]} << 24) | (std::uint32_t{data[4 * t + 1]} << 16) |
           (std::uint32_t{data[4 * t + 2]} << 8) | data[4 * t + 3];
  for (int t = 16; t < 64; ++t) {
    const std::uint32_t a = w[t - 15], b = w[t - 2];
    w[t] = (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10)) + w[t - 7] +
           (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3)) + w[t - 16];
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (int t = 0; t < 64; ++t) {
    const std::uint32_t sum1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
    const std::uint32_t sum0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
    const std::uint32_t t1 = h + sum1 + ((e & f) ^ (~e & g)) + kRound[t] + w[t];
    const std::uint32_t t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  const std::uint32_t after[8] = {a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < 8; ++i) state_[i] += after[i];
}

HmacSha256::HmacSha256(std::string_view key) {
  std::array<std::uint8_t, 64> block{};
  if (key.size() > block.size()) {
    const auto digest = Sha256().update(key).finish();
    std::copy(digest.begin(), digest.end(), block.begin());
  } else {
    std::copy(key.begin(), key.end(), block.begin());
  }
  for (auto& byte : block) byte ^= 0x36;
  inner_.update(as_text(block));
  for (auto& byte : block) byte ^= 0x36 ^ 0x5c;
  outer_.update(as_text(block));
}

HmacSha256& HmacSha256::update(std::string_view bytes) {
  inner_.update(bytes);
  return *this;
}

std::string HmacSha256::hex() {
  return outer_.update(as_text(inner_.finish())).hex();
}

std::string sha256_hex(std::string_view bytes) {
  return Sha256().update(bytes).hex();
}

std::string hmac_sha256_hex(std::string_view key, std::string_view bytes) {
  return HmacSha256(key).update(bytes).hex();
}

std::string file_sha256_hex(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw Error({.file = path},
                message("The file cannot be opened: ", std::generic_category().message(errno), "."));
  Sha256 digest;
  std::vector<char> buffer(1 << 20);
  while (file) {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    digest.update({buffer.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (file.bad()) throw Error({.file = path}, "The file could not be read to its end.");
  return digest.hex();
}

namespace {

// Writes a table as one unambiguous byte string: every text with its length, every cell with a null flag.
template <class Sink>
class Serialiser {
 public:
  explicit Serialiser(Sink& sink) : sink_(sink) {}

  void table(const Table& table) {
    text(to_json(table.schema()));
    number(table.rows());
    for (std::size_t i = 0; i < table.columns(); ++i) column(table.column(i));
    flush();
  }

 private:
  void column(const Column& column) {
    byte(static_cast<std::uint8_t>(column.kind()));
    const bool any = column.null_count() < column.size();  // a zone says nothing where there is no time
    if (column.kind() == Kind::time) text(any ? column.zone() : "");
    if (column.kind() == Kind::category) labels(column);
    if (column.kind() == Kind::list) byte(static_cast<std::uint8_t>(column.items().kind()));
    for (std::size_t row = 0; row < column.size(); ++row) cell(column, row);
  }
  void labels(const Column& column) {
    byte(column.ordered());
    if (!column.ordered()) return;
    number(column.labels().size());
    for (std::size_t i = 0; i < column.labels().size(); ++i) text(column.labels().text_at(i));
  }
  void cell(const Column& column, std::size_t row) {
    byte(column.is_null(row));
    if (column.is_null(row)) return;
    switch (column.kind()) {
      case Kind::real:
        return number(std::bit_cast<std::uint64_t>(column.reals()[row]));
      case Kind::integer:
      case Kind::time:
        return number(static_cast<std::uint64_t>(column.integers()[row]));
      case Kind::boolean:
        return byte(column.boolean_at(row));
      case Kind::text:
      case Kind::category:
        return text(column.text_at(row));
      case Kind::list:
        break;
    }
    const auto begin = static_cast<std::size_t>(column.offsets()[row]);
    const auto end = static_cast<std::size_t>(column.offsets()[row + 1]);
    number(end - begin);
    for (std::size_t i = begin; i < end; ++i) cell(column.items(), i);
  }
  void byte(std::uint8_t value) { put({reinterpret_cast<const char*>(&value), 1}); }
  void number(std::uint64_t value) { put(as_text(big_endian(value))); }
  void text(std::string_view value) {
    number(value.size());
    put(value);
  }
  void put(std::string_view bytes) {
    held_ += bytes;
    if (held_.size() >= 1 << 16) flush();
  }
  void flush() {
    sink_.update(held_);
    held_.clear();
  }

  Sink& sink_;
  std::string held_;
};

template <class Sink>
std::string digest_with(Sink sink, const Table& table) {
  Serialiser<Sink>(sink).table(table);
  return sink.hex();
}

}  // namespace

std::string content_digest(const Table& table, std::string_view key) {
  return key.empty() ? digest_with(Sha256(), table) : digest_with(HmacSha256(key), table);
}

}  // namespace synthema
