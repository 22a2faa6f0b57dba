#include <doctest/doctest.h>

#include <cstring>

#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/model/gguf.hpp"
#include "synthema/model/grouped_codes.hpp"

using namespace synthema;

namespace {

// Builds a GGUF file byte by byte.
struct Writer {
  std::vector<std::byte> bytes;

  template <class T>
  Writer& put(T value) {
    const auto* const raw = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), raw, raw + sizeof value);
    return *this;
  }
  Writer& text(std::string_view s) {
    put<std::uint64_t>(s.size());
    for (const char c : s) put(c);
    return *this;
  }
  Writer& header(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    return put<std::uint32_t>(0x46554747).put(version).put(tensors).put(keys);
  }
  Writer& key(std::string_view name, GgufType type) {
    return text(name).put(static_cast<std::uint32_t>(type));
  }
  Writer& tensor(std::string_view name, std::vector<std::uint64_t> shape, std::uint32_t type,
                 std::uint64_t offset) {
    text(name).put<std::uint32_t>(static_cast<std::uint32_t>(shape.size()));
    for (const std::uint64_t n : shape) put(n);
    return put(type).put(offset);
  }
  Writer& pad(std::size_t more) {
    while (bytes.size() % 32 != 0) put('\0');
    bytes.resize(bytes.size() + more);
    return *this;
  }
};

void check_refused(const Writer& file, const char* words) {
  CAPTURE(words);
  try {
    Gguf::parse(file.bytes, "x.gguf");
    FAIL("the file was accepted");
  } catch (const ModelError& error) {
    CHECK(std::string(error.what()).starts_with("x.gguf: "));
    CHECK(std::string(error.what()).find(words) != std::string::npos);
  }
}

}  // namespace

TEST_CASE("metadata and tensors are read in place") {
  Writer file;
  file.header(2, 5);
  file.key("a", GgufType::u32).put<std::uint32_t>(7);
  file.key("b", GgufType::text).text("hello");
  file.key("c", GgufType::array).put<std::uint32_t>(8).put<std::uint64_t>(2).text("x").text("yz");
  file.key("d", GgufType::array).put<std::uint32_t>(6).put<std::uint64_t>(1).put(1.5f);
  file.key("e", GgufType::boolean).put('\1');
  file.tensor("m", {4, 2}, 0, 0).tensor("v", {32}, 8, 32).pad(32 + 34);
  for (const std::uint32_t version : {2, 3}) {
    std::memcpy(file.bytes.data() + 4, &version, 4);
    const Gguf gguf = Gguf::parse(file.bytes, "x.gguf");
    CHECK(gguf.version == version);
    CHECK(gguf.find("a")->integer() == 7);
    CHECK(gguf.find("a")->real() == 7.0);
    CHECK_FALSE(gguf.find("a")->text());
    CHECK(gguf.find("b")->text() == "hello");
    CHECK(gguf.find("c")->texts() == std::vector<std::string_view>{"x", "yz"});
    CHECK_FALSE(gguf.find("c")->integers());
    CHECK(gguf.find("d")->floats() == std::vector<float>{1.5f});
    CHECK(gguf.find("e")->boolean() == true);
    CHECK(gguf.find("f") == nullptr);
    CHECK(gguf.tensors[0].shape == std::vector<std::int64_t>{2, 4});
    CHECK(gguf.tensors[1].type == TensorType::q8_0);
    CHECK(gguf.tensors[1].data.data() - gguf.tensors[0].data.data() == 32);
    CHECK(gguf.tensors[1].data.size() == 34);
  }
}

TEST_CASE("broken headers are refused") {
  check_refused(Writer().put<std::uint32_t>(1), "begin with 'GGUF'");
  check_refused(Writer().header(0, 0, 1), "version 1 is not supported");
  check_refused(Writer().header(0, 0, 0x03000000), "big endian");
  check_refused(Writer().header(std::uint64_t{1} << 60, 0), "cannot hold");
  check_refused(Writer().header(0, std::uint64_t{1} << 60), "cannot hold");
  check_refused(Writer().put<std::uint32_t>(0x46554747).put<std::uint32_t>(3), "ends inside");
}

TEST_CASE("broken metadata are refused") {
  const auto with = [](auto fill, std::uint64_t keys = 1) {
    Writer file;
    file.header(0, keys);
    fill(file);
    return file.pad(64);
  };
  check_refused(with([](Writer& f) { f.key("a", static_cast<GgufType>(13)); }), "no value type 13");
  check_refused(with([](Writer& f) { f.put<std::uint64_t>(1 << 20); }), "more than the 65535");
  check_refused(with([](Writer& f) { f.put<std::uint64_t>(60000); }), "ends inside");
  check_refused(with([](Writer& f) { f.key("a", GgufType::text).put(~std::uint64_t{0}); }), "ends inside");
  check_refused(with([](Writer& f) { f.key("a", GgufType::boolean).put('\2'); }), "neither 0 nor 1");
  check_refused(
      with([](Writer& f) { f.key("a", GgufType::array).put<std::uint32_t>(12).put(std::uint64_t{1} << 61); }),
      "cannot hold");
  check_refused(
      with([](Writer& f) { f.key("a", GgufType::array).put<std::uint32_t>(10).put(std::uint64_t{60}); }),
      "cannot hold");
  check_refused(with([](Writer& f) {
                  f.key("a", GgufType::array);
                  for (int i = 0; i < 6; ++i) f.put<std::uint32_t>(9).put<std::uint64_t>(1);
                }),
                "nested too deeply");
  check_refused(with([](Writer& f) { f.key("a", GgufType::u8).put('x').key("a", GgufType::u8).put('x'); }, 2),
                "occurs twice");
}

TEST_CASE("broken tensors are refused") {
  const auto with = [](std::vector<std::uint64_t> shape, std::uint32_t type, std::uint64_t offset) {
    return Writer().header(1, 0).tensor("t", std::move(shape), type, offset).pad(128);
  };
  CHECK_NOTHROW(Gguf::parse(with({32}, 0, 0).bytes, "x"));
  check_refused(with({32}, 0, 4), "not aligned");
  check_refused(with({32}, 0, 32), "beyond the end");
  check_refused(with({32}, 0, ~std::uint64_t{31}), "beyond the end");
  check_refused(with({0}, 0, 0), "impossible dimension");
  check_refused(with({std::uint64_t{1} << 40, std::uint64_t{1} << 40}, 0, 0), "impossible dimension");
  check_refused(with({}, 0, 0), "0 dimensions");
  check_refused(with({1, 1, 1, 1, 1}, 0, 0), "5 dimensions");
  check_refused(with({32}, 4, 0), "type 4, which is not read");
  check_refused(with({31, 2}, 8, 0), "not a multiple");
  check_refused(Writer().header(2, 0).tensor("t", {8}, 0, 0).tensor("t", {8}, 0, 32).pad(64), "occurs twice");
  check_refused(Writer().header(2, 0).tensor("t", {9}, 0, 0).tensor("u", {8}, 0, 32).pad(128), "overlap");
  Writer aligned;
  aligned.header(0, 1).key("general.alignment", GgufType::u32).put<std::uint32_t>(24).pad(64);
  check_refused(aligned, "power of two");
}

TEST_CASE("random damage never does worse than a ModelError") {
  Writer file;
  file.header(2, 2).key("a", GgufType::text).text("hello");
  file.key("c", GgufType::array).put<std::uint32_t>(8).put<std::uint64_t>(2).text("x").text("yz");
  file.tensor("m", {4, 2}, 0, 0).tensor("v", {32}, 8, 32).pad(32 + 34);
  Random random(5);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::byte> bytes = file.bytes;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    try {
      const Gguf gguf = Gguf::parse(bytes, "x");
      for (const auto& [key, value] : gguf.metadata) (void)value.summary();
    } catch (const ModelError&) {
      ++refused;
    }
  }
  CHECK(refused > 1000);
}

TEST_CASE("weights that are not finite are refused in every type") {
  std::vector<float> out(32);
  std::vector<std::byte> data(128);
  for (const std::uint8_t high : {0x7F, 0xFF}) {
    data[3] = std::byte{high}, data[2] = std::byte{0x80};  // an infinity of 32 bits
    CHECK_THROWS_WITH_AS(dequantize({"t", TensorType::f32, {32}, data}, out),
                         "Tensor 't' holds a number that is not finite; the file is damaged, or its training "
                         "failed.",
                         ModelError);
  }
  std::vector<std::byte> block(34);
  block[1] = std::byte{0x7E};  // the scale, a NaN of 16 bits
  CHECK_THROWS_WITH_AS(dequantize({"t", TensorType::q8_0, {32}, block}, out), doctest::Contains("not finite"),
                       ModelError);
  CHECK_THROWS_WITH_AS(grouped_codes({"t", TensorType::q8_0, {32}, block}), doctest::Contains("not finite"),
                       ModelError);
}

TEST_CASE("dequantize checks its sizes") {
  const std::vector<std::byte> data(34);
  std::vector<float> out(32);
  CHECK_NOTHROW(dequantize({"t", TensorType::q8_0, {32}, data}, out));
  CHECK_THROWS_AS(dequantize({"t", TensorType::q8_0, {64}, data}, out), ModelError);
  CHECK_THROWS_AS(dequantize({"t", TensorType::q4_0, {32}, data}, out), ModelError);
  out.resize(31);
  CHECK_THROWS_AS(dequantize({"t", TensorType::q8_0, {31}, data}, out), ModelError);
}
