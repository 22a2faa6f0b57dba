// The file of a fitted generator: a safetensors file whose metadata hold one JSON text. Arrays are one-
// dimensional, little-endian, of U8, U32, U64, I64, F32 or F64. Nothing in a file is trusted: the digest of
// its contents shows damage, and whoever means harm can leave it out.
#pragma once

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"

namespace synthema::detail {

using ArrayJson = nlohmann::ordered_json;

struct ArrayEntry {
  std::string type;
  std::string bytes;
};

template <class T>
constexpr const char* array_type() {
  if constexpr (std::is_same_v<T, std::uint8_t>) return "U8";
  if constexpr (std::is_same_v<T, std::uint32_t>) return "U32";
  if constexpr (std::is_same_v<T, std::uint64_t>) return "U64";
  if constexpr (std::is_same_v<T, std::int64_t>) return "I64";
  if constexpr (std::is_same_v<T, float>) return "F32";
  if constexpr (std::is_same_v<T, double>) return "F64";
}

class ModelArrays {
 public:
  explicit ModelArrays(std::string method) : method_(std::move(method)) {}
  // ModelError unless it is a whole file of this method.
  ModelArrays(std::string_view file, const std::string& path, const std::string& method);

  ArrayJson about = ArrayJson::object();

  template <class T>
  void put(const std::string& name, const std::vector<T>& values) {
    arrays_[name] = {array_type<T>(),
                     std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T))};
  }
  template <class T>
  std::vector<T> get(const std::string& name) const {
    const auto at = arrays_.find(name);
    if (at == arrays_.end() || at->second.type != array_type<T>() || at->second.bytes.size() % sizeof(T) != 0)
      fail("The array '" + name + "' is missing or of another type.");
    std::vector<T> out(at->second.bytes.size() / sizeof(T));
    if (!out.empty()) std::memcpy(out.data(), at->second.bytes.data(), at->second.bytes.size());
    return out;
  }
  bool has(const std::string& name) const { return arrays_.contains(name); }
  [[noreturn]] void fail(const std::string& why) const {
    throw ModelError({.file = path_}, why + " The file is damaged or was made by somebody else; fit again.");
  }
  void require(bool holds, const char* what) const {
    if (!holds) fail(std::string("The model is inconsistent: ") + what + ".");
  }
  // A member of a JSON object, of a type; fails where it is not there or of another type.
  template <class T>
  T value(const ArrayJson& object, const char* key) const {
    try {
      return object.at(key).get<T>();
    } catch (const nlohmann::json::exception&) {
      fail(std::string("The entry '") + key + "' is missing or of another type.");
    }
  }
  std::string file() const;
  std::string digest() const;  // SHA-256 of the description and all arrays

 private:
  std::string path_, method_;
  std::map<std::string, ArrayEntry> arrays_;
};

}  // namespace synthema::detail
