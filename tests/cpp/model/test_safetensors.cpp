#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "synthema/core/error.hpp"
#include "synthema/model/safetensors.hpp"

using namespace synthema;

namespace {

std::vector<std::byte> file_of(std::string_view header, std::size_t data_bytes) {
  std::vector<std::byte> out(8 + header.size() + data_bytes);
  const std::uint64_t length = header.size();
  std::memcpy(out.data(), &length, sizeof length);
  std::memcpy(out.data() + 8, header.data(), header.size());
  for (std::size_t i = 0; i < data_bytes; ++i) out[8 + header.size() + i] = static_cast<std::byte>(i);
  return out;
}

void refused(const std::vector<std::byte>& bytes, const char* part) {
  CAPTURE(part);
  CHECK_THROWS_WITH_AS(parse_safetensors(bytes, "x.safetensors"), doctest::Contains("x.safetensors: "),
                       ModelError);
  CHECK_THROWS_WITH_AS(parse_safetensors(bytes, "x.safetensors"), doctest::Contains(part), ModelError);
}
void refused(std::string_view header, std::size_t data_bytes, const char* part) {
  refused(file_of(header, data_bytes), part);
}

}  // namespace

TEST_CASE("tensors are views of the data, in its order") {
  const auto bytes = file_of(R"({"__metadata__": {"format": "pt"},
    "b": {"dtype": "F16", "shape": [3], "data_offsets": [8, 14]},
    "a": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}})",
                             14);
  const auto tensors = parse_safetensors(bytes, "x.safetensors");
  REQUIRE(tensors.size() == 2);
  CHECK(tensors[0].name == "a");
  CHECK(tensors[0].type == TensorType::f32);
  CHECK(tensors[0].shape == std::vector<std::int64_t>{1, 2});
  CHECK(tensors[1].type == TensorType::f16);
  CHECK(tensors[1].data.data() == bytes.data() + bytes.size() - 6);
  CHECK(tensors[1].data.size() == 6);
}

TEST_CASE("tensors that are passed over may have any type, and still have their place") {
  const auto bytes = file_of(R"({"a": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
    "b": {"dtype": "F32", "shape": [1], "data_offsets": [8, 12]}})",
                             12);
  refused(bytes, "the type I64");
  const auto kept = parse_safetensors(bytes, "x", [](std::string_view name) { return name == "a"; });
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].name == "b");
}

TEST_CASE("what the format forbids is refused") {
  const auto with = [](const char* shape, const char* offsets, const char* dtype = "F32") {
    return message(R"({"a": {"dtype": ")", dtype, R"(", "shape": )", shape, R"(, "data_offsets": )", offsets,
                   "}}");
  };
  CHECK_NOTHROW(parse_safetensors(file_of(with("[2]", "[0, 8]"), 8), "x"));
  refused(std::vector<std::byte>(7), "too short");
  refused(std::vector<std::byte>(8, std::byte{0xFF}), "more than the file can hold");
  refused("{", 0, "not valid JSON");
  refused("[]", 0, "not a JSON object");
  refused(R"({"a": 1})", 0, "JSON object");
  refused(R"({"a": {"dtype": "F32", "shape": [1]}})", 0, "data_offsets");
  refused(R"({"a": {}, "a": {}})", 0, "twice");
  refused(with("[2]", "[0, 9]"), 8, "beyond the end");
  refused(with("[2]", "[8, 0]"), 8, "beyond the end");
  refused(with("[2]", "[-1, 8]"), 8, "natural number");
  refused(with("[3]", "[0, 8]"), 8, "does not fit its shape");
  refused(with("[2, 0]", "[0, 8]"), 8, "impossible dimension");
  refused(with("[4294967296, 4294967296]", "[0, 8]"), 8, "impossible dimension");
  refused(with("\"wide\"", "[0, 8]"), 8, "no sensible shape");
  refused(with("[2]", "[0, 8]", "F8_E4M3"), 8, "F8_E4M3");
  refused(with("[2]", "[0, 8]"), 9, "belong to no tensor");
  refused(with("[2]", "[1, 9]"), 9, "leaves a hole");
  refused(R"({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
    "b": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}})",
          12, "overlaps");
}
