// One cell (Value) and one row (Record) outside a Table: what a strategy returns, what a condition is, what
// JSONL holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "synthema/core/error.hpp"

namespace synthema {

// Microseconds since 1970-01-01T00:00:00 UTC.
struct Timestamp {
  std::int64_t microseconds = 0;
  friend bool operator==(const Timestamp&, const Timestamp&) = default;
};

class Value;
using ValueList = std::vector<Value>;

// Null, boolean, integer, real, time, text or list. A category's value is its text.
class Value {
 public:
  using Variant = std::variant<std::monostate, bool, std::int64_t, double, Timestamp, std::string, ValueList>;

  Value() = default;
  Value(bool v) : data_(v) {}
  Value(int v) : data_(std::int64_t{v}) {}
  Value(std::int64_t v) : data_(v) {}
  Value(double v) : data_(v) {}
  Value(Timestamp v) : data_(v) {}
  Value(std::string v) : data_(std::move(v)) {}
  Value(std::string_view v) : data_(std::string(v)) {}
  Value(const char* v) : data_(std::string(v)) {}
  Value(ValueList v) : data_(std::move(v)) {}

  bool is_null() const { return data_.index() == 0; }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&data_);
  }
  const Variant& variant() const { return data_; }

  // The text of a text value; SchemaError otherwise.
  const std::string& text() const {
    if (const auto* t = get_if<std::string>()) return *t;
    throw SchemaError("A text value was needed, but the value is " + std::string(kind_name()) + ".");
  }
  // "null", "boolean", "integer", "real", "time", "text" or "list".
  std::string_view kind_name() const {
    constexpr std::string_view names[] = {"null", "boolean", "integer", "real", "time", "text", "list"};
    return names[data_.index()];
  }
  // What a prompt or a message shows: text as it is, numbers in their shortest exact form, time in ISO 8601,
  // null as "".
  std::string display() const;

  friend bool operator==(const Value&, const Value&) = default;

 private:
  Variant data_;
};

// Named values in a fixed order; names are unique. Small, so a search is a scan.
class Record {
 public:
  using Entry = std::pair<std::string, Value>;

  Record() = default;
  Record(std::initializer_list<Entry> entries) {
    for (const Entry& e : entries) set(e.first, e.second);
  }

  const Value* find(std::string_view name) const {
    for (const Entry& e : entries_)
      if (e.first == name) return &e.second;
    return nullptr;
  }
  // The value of a field that must exist; SchemaError names the missing field and those there are.
  const Value& at(std::string_view name) const {
    if (const Value* v = find(name)) return *v;
    std::string known;
    for (const Entry& e : entries_) known += (known.empty() ? "'" : ", '") + e.first + "'";
    throw SchemaError({.field = std::string(name)}, "The record has no such field; it has " +
                                                        (known.empty() ? std::string("none") : known) + ".");
  }
  // Replaces in place or appends.
  void set(std::string name, Value value) {
    for (Entry& e : entries_)
      if (e.first == name) return void(e.second = std::move(value));
    append(std::move(name), std::move(value));
  }
  // The same for a name that the caller knows to be new: no search, so that wide records are made quickly.
  void append(std::string name, Value value) { entries_.emplace_back(std::move(name), std::move(value)); }

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  friend bool operator==(const Record&, const Record&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace synthema
