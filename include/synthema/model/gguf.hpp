// GGUF (versions 2 and 3, little endian): a header, metadata by key, tensor descriptions, aligned tensor
// data. Everything is checked while it is read; the views point into the caller's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema {

enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

// One metadata value. The accessors return nothing where the type does not fit.
struct SYNTHEMA_EXPORT GgufValue {
  GgufType type = GgufType::u8;
  GgufType item = GgufType::u8;      // of an array
  std::uint64_t count = 1;           // entries of an array
  std::span<const std::byte> bytes;  // the payload, already checked

  std::optional<std::int64_t> integer() const;  // any integer type that fits 64 signed bits
  std::optional<double> real() const;           // any number
  std::optional<bool> boolean() const;
  std::optional<std::string_view> text() const;
  std::optional<std::vector<std::string_view>> texts() const;  // an array of strings
  std::optional<std::vector<std::int64_t>> integers() const;   // an array of integers
  std::optional<std::vector<float>> floats() const;            // an array of f32
  std::string summary() const;                                 // for people: "30", "[49152 strings]"
};

struct SYNTHEMA_EXPORT Gguf {
  std::uint32_t version = 0;
  std::vector<std::pair<std::string, GgufValue>> metadata;  // in file order, keys unique
  std::vector<TensorView> tensors;                          // in file order, names unique

  // `path` is for error messages only. ModelError: anything that the format forbids or we do not read.
  static Gguf parse(std::span<const std::byte> bytes, const std::string& path);
  const GgufValue* find(std::string_view key) const;
};

}  // namespace synthema
