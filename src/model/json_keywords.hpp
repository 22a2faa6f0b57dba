// One object of a JSON Schema, read keyword by keyword.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "src/data/strict_json.hpp"
#include "synthema/core/error.hpp"

namespace synthema::detail {

// Every keyword must be asked for: what is left and means something is refused, with its path.
class Keywords {
 public:
  Keywords(const Json& json, std::string path) : json_(json), path_(std::move(path)) {
    if (!json.is_object()) refuse("must be an object that describes a value");
  }
  const Json* find(const char* name) {
    seen_.insert(name);
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  std::optional<double> number(const char* name) {
    const Json* value = find(name);
    if (!value) return std::nullopt;
    if (!value->is_number()) refuse(message("has a '", name, "' that is no number"));
    return value->get<double>();
  }
  std::optional<std::uint32_t> count(const char* name) {
    const Json* value = find(name);
    if (!value) return std::nullopt;
    if (!value->is_number_integer() || value->get<std::int64_t>() < 0 ||
        value->get<std::int64_t>() > 1'000'000)
      refuse(message("has a '", name, "' that is no whole number from 0 to 1000000"));
    return value->get<std::uint32_t>();
  }
  void need_list(const Json& value, const char* name) const {
    if (!value.is_array() || value.empty())
      refuse(message("has an empty '", name, "'; list at least one ",
                     name == std::string_view("enum") ? "value" : "part"));
  }
  const std::string& path() const { return path_; }

  [[noreturn]] void refuse(const std::string& what) const { refuse_at(path_, what); }
  [[noreturn]] void refuse_keyword(const char* name, const std::string& what) const {
    refuse_at(path_ + "/" + name, what);
  }
  // Keywords that were not asked for and mean something.
  void no_others() const {
    static const std::set<std::string> annotations{"title",      "description", "default",   "examples",
                                                   "deprecated", "readOnly",    "writeOnly", "$comment",
                                                   "$schema",    "$id",         "$defs",     "definitions"};
    for (const auto& [name, unused] : json_.items())
      if (!seen_.contains(name) && !annotations.contains(name))
        refuse_at(
            path_ + "/" + name,
            message("has the keyword '", name,
                    "', which masks do not support here; remove it, or check the rows for it afterwards"));
  }

 private:
  [[noreturn]] static void refuse_at(const std::string& path, const std::string& what) {
    throw ConfigError({.field = path}, message("The JSON Schema ", what, "."));
  }
  const Json& json_;
  std::string path_;
  std::set<std::string> seen_;
};

}  // namespace synthema::detail
