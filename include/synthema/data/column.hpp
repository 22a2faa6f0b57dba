// A Column is an immutable, shared array in Arrow layout: a validity bitmap and typed buffers. Copies share
// memory. What each kind stores (Arrow format in brackets):
//   real     double [g]            integer  int64 [l]            boolean  bits [b]
//   text     int64 offsets + utf8 bytes [U]
//   category int32 codes into a text column of labels [i + dictionary U]
//   time     int64 microseconds since the epoch [tsu:ZONE], ZONE kept as metadata
//   list     int64 offsets + one child column [+L]
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/export.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

// A read-only span and whatever keeps its memory alive (a vector of ours, an Arrow array of somebody else's).
template <class T>
struct Buffer {
  std::shared_ptr<const void> owner;
  std::span<const T> view;

  static Buffer from(std::vector<T> items) {
    auto held = std::make_shared<const std::vector<T>>(std::move(items));
    return {held, std::span<const T>(held->data(), held->size())};
  }
};

// One bit a row, least significant bit first, 1 = present; starts at bit `offset`. An empty view means no
// nulls.
struct Validity {
  Buffer<std::uint8_t> bits;
  std::int64_t offset = 0;
  std::int64_t null_count = 0;

  bool is_valid(std::size_t row) const {
    if (bits.view.empty()) return true;
    const std::size_t bit = row + static_cast<std::size_t>(offset);
    return (bits.view[bit / 8] >> (bit % 8)) & 1;
  }
};

class SYNTHEMA_EXPORT Column {
 public:
  Column() = default;  // an empty text column

  // All of these throw SchemaError where the parts do not fit each other: a bitmap that is too short, offsets
  // that run backwards or past the bytes, codes without a label. Nulls are counted here.
  static Column reals(Buffer<double> values, Validity validity = {});
  static Column integers(Buffer<std::int64_t> values, Validity validity = {});
  static Column booleans(std::vector<bool> values, Validity validity = {});
  static Column texts(Buffer<std::int64_t> offsets, Buffer<char> bytes, Validity validity = {});
  static Column texts(const std::vector<std::string>& values);  // SchemaError unless all are UTF-8
  static Column categories(Buffer<std::int32_t> codes, Column labels, bool ordered = false,
                           Validity validity = {});
  static Column times(Buffer<std::int64_t> microseconds, std::string zone = {}, Validity validity = {});
  static Column lists(Buffer<std::int64_t> offsets, Column items, Validity validity = {});

  Kind kind() const { return kind_; }
  std::size_t size() const { return size_; }
  std::size_t null_count() const { return static_cast<std::size_t>(validity_.null_count); }
  bool is_null(std::size_t row) const { return !validity_.is_valid(row); }
  const Validity& validity() const { return validity_; }

  // Typed access to a whole column; SchemaError if the kind is another. Null rows hold unspecified values.
  std::span<const double> reals() const;
  std::span<const std::int64_t> integers() const;    // also the microseconds of a time column
  std::span<const std::int32_t> codes() const;       // of a category column; -1 never occurs in a valid row
  const Column& labels() const;                      // text column of a category's labels
  bool ordered() const { return ordered_; }          // category order carries meaning
  const Column& items() const;                       // child of a list column
  std::span<const std::int64_t> offsets() const;     // of text and list columns, size() + 1 entries
  std::span<const std::uint8_t> bits() const;        // of a boolean column
  std::span<const char> bytes() const;               // of a text column
  const std::string& zone() const { return zone_; }  // time zone of a time column; empty: no zone

  // One cell. `text_at` also gives a category's label. Reading a null cell is the caller's mistake: check
  // is_null first.
  std::string_view text_at(std::size_t row) const;
  bool boolean_at(std::size_t row) const;
  double number_at(std::size_t row) const;  // real, integer, boolean or time as a double
  Value value_at(std::size_t row) const;    // any kind; null where null

  // The rows at these positions, in this order.
  Column take(std::span<const std::size_t> rows) const;

 private:
  Kind kind_ = Kind::text;
  std::size_t size_ = 0;
  Validity validity_;
  Buffer<double> reals_;
  Buffer<std::int64_t> integers_;  // integer, time, text and list offsets
  Buffer<std::int32_t> codes_;
  Buffer<std::uint8_t> bits_;  // boolean
  Buffer<char> bytes_;
  bool ordered_ = false;
  std::string zone_;
  std::shared_ptr<const Column> child_;  // labels or list items

  friend class ColumnBuilder;
};

// Collects Values of one field. `append` converts losslessly (integer to real, whole real to integer, text to
// category, ISO 8601 text to time) or throws SchemaError; so it does for null where the field is not nullable
// and for a label that is not among the field's categories. Ranges are left to checks and metrics.
class SYNTHEMA_EXPORT ColumnBuilder {
 public:
  explicit ColumnBuilder(const Field& field);
  ~ColumnBuilder();
  ColumnBuilder(ColumnBuilder&&) noexcept;
  ColumnBuilder& operator=(ColumnBuilder&&) noexcept;
  void append(const Value& value);
  std::size_t size() const;
  Column finish(std::string zone = {});  // leaves the builder empty; `zone` is for time columns

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace synthema
