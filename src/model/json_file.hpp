// JSON files of models: parsed with a limit to their depth, no key twice in an object, every failure a
// ModelError with the file's name. Objects are maps here: a vocabulary has hundreds of thousands of keys.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "synthema/core/error.hpp"

namespace synthema::detail {

using ModelJson = nlohmann::json;

[[noreturn]] inline void fail_json(const std::string& path, const std::string& what) {
  throw ModelError(Location{.file = path}, what);
}

inline ModelJson parse_model_json(std::string_view text, const std::string& path) {
  constexpr int kDeepest = 64;
  std::vector<std::unordered_set<std::string>> keys(kDeepest +
                                                    2);  // by depth, of the object that is open there
  const auto check = [&](int depth, ModelJson::parse_event_t event, const ModelJson& value) {
    if (depth > kDeepest) fail_json(path, "The JSON is nested too deeply.");
    if (event == ModelJson::parse_event_t::object_start) keys[static_cast<std::size_t>(depth) + 1].clear();
    if (event == ModelJson::parse_event_t::key &&
        !keys[static_cast<std::size_t>(depth)].insert(value.get<std::string>()).second)
      fail_json(path, "A key occurs twice in one object of the JSON.");
    return true;
  };
  try {
    return ModelJson::parse(text.begin(), text.end(), check);
  } catch (const ModelJson::parse_error& error) {
    fail_json(path, message("The text is not valid JSON from byte ", error.byte, " on."));
  } catch (const ModelJson::out_of_range&) {
    fail_json(path, "The JSON has a number beyond the range of a double.");
  }
}

// Typed look-ups in one JSON object.
class JsonKeys {
 public:
  JsonKeys(const ModelJson& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object.is_object()) fail("A JSON object is missing where one is needed.");
  }
  [[noreturn]] void fail(const std::string& what) const { fail_json(path_, what); }
  const std::string& path() const { return path_; }

  // null where the key is missing or null
  const ModelJson* find(const char* key) const {
    const auto hit = object_.find(key);
    return hit == object_.end() || hit->is_null() ? nullptr : &*hit;
  }
  std::int64_t integer(const char* key) const { return required(key, integer_or(key)); }
  double real(const char* key) const { return required(key, real_or(key)); }
  std::string text(const char* key) const { return required(key, text_or(key)); }

  std::optional<std::int64_t> integer_or(const char* key) const {
    const ModelJson* const value = find(key);
    if (!value) return std::nullopt;
    if (!value->is_number_integer() ||
        (value->is_number_unsigned() && value->get<std::uint64_t>() >> 62 != 0))
      fail(message("'", key, "' should be an integer."));
    return value->get<std::int64_t>();
  }
  std::optional<double> real_or(const char* key) const {
    const ModelJson* const value = find(key);
    if (!value) return std::nullopt;
    if (!value->is_number()) fail(message("'", key, "' should be a number."));
    return value->get<double>();
  }
  std::optional<std::string> text_or(const char* key) const {
    const ModelJson* const value = find(key);
    if (!value) return std::nullopt;
    if (!value->is_string()) fail(message("'", key, "' should be a string."));
    return value->get<std::string>();
  }
  bool truth(const char* key, bool otherwise) const {
    const ModelJson* const value = find(key);
    if (!value) return otherwise;
    if (!value->is_boolean()) fail(message("'", key, "' should be true or false."));
    return value->get<bool>();
  }

 private:
  template <class T>
  T required(const char* key, std::optional<T> value) const {
    if (!value) fail(message("'", key, "' is missing."));
    return std::move(*value);
  }
  const ModelJson& object_;
  std::string path_;
};

}  // namespace synthema::detail
