// JSON read strictly: what other readers let pass in silence (a key given twice, an integer too large for 64
// bits, text that is no UTF-8) is a ParseError with its line and column. For our .cpp files only.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"

namespace synthema::detail {

using Json = nlohmann::ordered_json;

// Line and column (1-based, in bytes) of byte `at`, counted from the place where the text begins.
inline Location place_in(std::string_view text, std::size_t at, Location start) {
  if (start.line == 0) start.line = 1;
  if (start.column == 0) start.column = 1;
  for (const char c : text.substr(0, std::min(at, text.size()))) {
    if (c == '\n')
      ++start.line, start.column = 1;
    else
      ++start.column;
  }
  return start;
}

// Where the quote stands that begins the n-th key (from 0) of a text that is JSON up to there.
inline std::size_t place_of_key(std::string_view text, std::size_t n) {
  const auto after_string = [&](std::size_t at) {  // `at`: behind the opening quote
    while (text[at] != '"') at += text[at] == '\\' ? 2 : 1;
    return at + 1;
  };
  for (std::size_t at = text.find('"'); at < text.size(); at = text.find('"', at)) {
    const std::size_t begin = at;
    at = after_string(at + 1);
    const std::size_t next = text.find_first_not_of(" \t\r\n", at);
    if (next < text.size() && text[next] == ':' && n-- == 0) return begin;
  }
  return 0;
}

// Receives the events of nlohmann's parser and builds the document.
class StrictJsonBuilder {
 public:
  using string_t = std::string;
  static constexpr std::size_t kMaxDepth =
      64;  // of arrays and objects; deeper text is an attack or a mistake

  StrictJsonBuilder(std::string_view text, const Location& where) : text_(text), where_(where) {}
  Json take() { return std::move(root_); }

  bool null() { return put(nullptr); }
  bool boolean(bool v) { return put(v); }
  bool number_integer(std::int64_t v) { return put(v); }
  bool number_unsigned(std::uint64_t v) {
    if (v > static_cast<std::uint64_t>(INT64_MAX)) refuse_integer();
    return put(static_cast<std::int64_t>(v));
  }
  bool number_float(double v, const std::string& raw) {
    if (raw.find_first_of(".eE") == std::string::npos) refuse_integer();
    return put(v);
  }
  bool string(std::string& v) { return put(std::move(v)); }
  bool binary(nlohmann::json::binary_t&) { return false; }  // JSON text has none
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    key_ = std::move(name);
    if (open_.back()->contains(key_)) {
      Location where = place_in(text_, place_of_key(text_, keys_), where_);
      where.field = key_;
      throw ParseError(where, "The key occurs twice in one object; every key may occur only once.");
    }
    ++keys_;
    return true;
  }
  template <class E>
  bool parse_error(std::size_t at, const std::string&, const E&) {
    throw ParseError(place_in(text_, at > 0 ? at - 1 : 0, where_),
                     "The text is not valid JSON from here on (check quotes, commas, brackets, that numbers "
                     "are within the range of a double, and that the text is UTF-8).");
  }

 private:
  Location named() const {
    Location where = where_;
    if (!key_.empty()) where.field = key_;
    return where;
  }
  [[noreturn]] void refuse_integer() const {
    throw ParseError(named(), "The integer does not fit 64 bits; write it as text or as a real number.");
  }
  Json* put(Json value) {
    if (open_.empty()) return root_ = std::move(value), &root_;
    Json& parent = *open_.back();
    if (parent.is_array()) return parent.push_back(std::move(value)), &parent.back();
    return &(parent[key_] = std::move(value));
  }
  bool open(Json empty) {
    if (open_.size() >= kMaxDepth)
      throw ParseError(named(), message("The JSON is nested deeper than ", kMaxDepth, " levels."));
    open_.push_back(put(std::move(empty)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  Location where_;
  Json root_;
  std::string key_;
  std::size_t keys_ = 0;
  std::vector<Json*> open_;
};

// `where` is the place of the first byte (a line of a JSONL file); nothing set means line 1, column 1.
inline Json strict_json(std::string_view text, const Location& where = {}) {
  StrictJsonBuilder builder(text, where);
  Json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

}  // namespace synthema::detail
