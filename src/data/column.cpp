#include "synthema/data/column.hpp"

#include <algorithm>
#include <utility>

#include "src/data/bits.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/utf8.hpp"

namespace synthema {

namespace {

// Drops a bitmap that marks nothing, counts what it marks otherwise.
Validity checked(Validity validity, std::size_t size) {
  if (validity.bits.view.empty()) return {};
  if (validity.offset < 0 || validity.bits.view.size() * 8 < size + static_cast<std::size_t>(validity.offset))
    throw SchemaError(message("The validity bitmap of a column of ", counted(size, "row"), " has only ",
                              validity.bits.view.size(), " bytes."));
  validity.null_count = 0;
  for (std::size_t row = 0; row < size; ++row) validity.null_count += !validity.is_valid(row);
  return validity.null_count == 0 ? Validity{} : validity;
}

// Number of rows that `offsets` describe; they must stay within `limit` elements.
std::size_t checked_offsets(std::span<const std::int64_t> offsets, std::size_t limit) {
  if (offsets.empty())
    throw SchemaError("A column of texts or lists needs one offset more than it has rows.");
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i)
    if (offsets[i] > offsets[i + 1])
      throw SchemaError(message("The offsets of a column run backwards at row ", i, "."));
  if (offsets.front() < 0 || static_cast<std::size_t>(offsets.back()) > limit)
    throw SchemaError(message("The offsets of a column point outside its ", limit, " bytes or items."));
  return offsets.size() - 1;
}

[[noreturn]] void refuse_kind(Kind kind, const char* what) {
  throw SchemaError(message("The column's kind is ", name_of(kind), ", so it has no ", what, "."));
}

// Asked for each cell, so that it must be short enough to be part of its caller.
inline void require_kind(Kind kind, std::initializer_list<Kind> allowed, const char* what) {
  for (const Kind k : allowed)
    if (k == kind) return;
  refuse_kind(kind, what);
}

template <class T>
Buffer<T> gather(const Buffer<T>& from, std::span<const std::size_t> rows) {
  std::vector<T> out;
  out.reserve(rows.size());
  for (const std::size_t row : rows) out.push_back(from.view[row]);
  return Buffer<T>::from(std::move(out));
}

Validity gather(const Column& column, std::span<const std::size_t> rows) {
  if (column.null_count() == 0) return {};
  detail::BitWriter bits;
  for (const std::size_t row : rows) bits.push(!column.is_null(row));
  return bits.validity();
}

void check_rows(std::span<const std::size_t> rows, std::size_t size) {
  for (const std::size_t row : rows)
    if (row >= size)
      throw SchemaError(
          message("Row ", row, " was asked for, but the column has only ", counted(size, "row"), "."));
}

}  // namespace

Column Column::reals(Buffer<double> values, Validity validity) {
  Column out;
  out.kind_ = Kind::real;
  out.size_ = values.view.size();
  out.validity_ = checked(std::move(validity), out.size_);
  out.reals_ = std::move(values);
  return out;
}

Column Column::integers(Buffer<std::int64_t> values, Validity validity) {
  Column out;
  out.kind_ = Kind::integer;
  out.size_ = values.view.size();
  out.validity_ = checked(std::move(validity), out.size_);
  out.integers_ = std::move(values);
  return out;
}

Column Column::booleans(std::vector<bool> values, Validity validity) {
  Column out;
  out.kind_ = Kind::boolean;
  out.size_ = values.size();
  out.validity_ = checked(std::move(validity), out.size_);
  detail::BitWriter bits;
  for (const bool value : values) bits.push(value);
  out.bits_ = Buffer<std::uint8_t>::from(bits.take());
  return out;
}

Column Column::texts(Buffer<std::int64_t> offsets, Buffer<char> bytes, Validity validity) {
  Column out;
  out.kind_ = Kind::text;
  out.size_ = checked_offsets(offsets.view, bytes.view.size());
  out.validity_ = checked(std::move(validity), out.size_);
  out.integers_ = std::move(offsets);
  out.bytes_ = std::move(bytes);
  return out;
}

Column Column::texts(const std::vector<std::string>& values) {
  ColumnBuilder builder(Field{});
  for (const std::string& value : values) builder.append(value);
  return builder.finish();
}

Column Column::categories(Buffer<std::int32_t> codes, Column labels, bool ordered, Validity validity) {
  require_kind(labels.kind(), {Kind::text}, "labels: the labels of a category column must be texts");
  if (labels.null_count() > 0)
    throw SchemaError("A label of a category column is null; every label needs a text.");
  Column out;
  out.kind_ = Kind::category;
  out.size_ = codes.view.size();
  out.validity_ = checked(std::move(validity), out.size_);
  for (std::size_t row = 0; row < out.size_; ++row)
    if (!out.is_null(row) &&
        (codes.view[row] < 0 || static_cast<std::size_t>(codes.view[row]) >= labels.size()))
      throw SchemaError(message("Row ", row, " of a category column has a code without a label; there are ",
                                labels.size(), " labels."));
  out.codes_ = std::move(codes);
  out.ordered_ = ordered;
  out.child_ = std::make_shared<const Column>(std::move(labels));
  return out;
}

Column Column::times(Buffer<std::int64_t> microseconds, std::string zone, Validity validity) {
  Column out = integers(std::move(microseconds), std::move(validity));
  out.kind_ = Kind::time;
  out.zone_ = std::move(zone);
  return out;
}

Column Column::lists(Buffer<std::int64_t> offsets, Column items, Validity validity) {
  if (items.kind() == Kind::list)
    throw SchemaError("A list of lists is not supported; use one list per field.");
  Column out;
  out.kind_ = Kind::list;
  out.size_ = checked_offsets(offsets.view, items.size());
  out.validity_ = checked(std::move(validity), out.size_);
  out.integers_ = std::move(offsets);
  out.child_ = std::make_shared<const Column>(std::move(items));
  return out;
}

std::span<const double> Column::reals() const {
  require_kind(kind_, {Kind::real}, "real numbers");
  return reals_.view;
}
std::span<const std::int64_t> Column::integers() const {
  require_kind(kind_, {Kind::integer, Kind::time}, "integers");
  return integers_.view;
}
std::span<const std::int32_t> Column::codes() const {
  require_kind(kind_, {Kind::category}, "category codes");
  return codes_.view;
}
const Column& Column::labels() const {
  require_kind(kind_, {Kind::category}, "labels");
  return *child_;
}
const Column& Column::items() const {
  require_kind(kind_, {Kind::list}, "list items");
  return *child_;
}
std::span<const std::int64_t> Column::offsets() const {
  static constexpr std::int64_t kNoRows[] = {0};  // a default column has no buffers at all
  require_kind(kind_, {Kind::text, Kind::list}, "offsets");
  return integers_.view.empty() ? std::span<const std::int64_t>(kNoRows) : integers_.view;
}
std::span<const std::uint8_t> Column::bits() const {
  require_kind(kind_, {Kind::boolean}, "boolean bits");
  return bits_.view;
}
std::span<const char> Column::bytes() const {
  require_kind(kind_, {Kind::text}, "text bytes");
  return bytes_.view;
}

std::string_view Column::text_at(std::size_t row) const {
  if (kind_ == Kind::category) return child_->text_at(static_cast<std::size_t>(codes_.view[row]));
  require_kind(kind_, {Kind::text}, "texts");
  const auto begin = static_cast<std::size_t>(integers_.view[row]);
  const auto end = static_cast<std::size_t>(integers_.view[row + 1]);
  return {bytes_.view.data() + begin, end - begin};
}

bool Column::boolean_at(std::size_t row) const {
  require_kind(kind_, {Kind::boolean}, "booleans");
  return detail::bit_at(bits_.view.data(), row);
}

double Column::number_at(std::size_t row) const {
  if (kind_ == Kind::real) return reals_.view[row];
  if (kind_ == Kind::boolean) return boolean_at(row) ? 1 : 0;
  require_kind(kind_, {Kind::integer, Kind::time}, "numbers");
  return static_cast<double>(integers_.view[row]);
}

Value Column::value_at(std::size_t row) const {
  if (is_null(row)) return {};
  switch (kind_) {
    case Kind::real:
      return reals_.view[row];
    case Kind::integer:
      return integers_.view[row];
    case Kind::boolean:
      return boolean_at(row);
    case Kind::time:
      return Timestamp{integers_.view[row]};
    case Kind::text:
    case Kind::category:
      return text_at(row);
    case Kind::list:
      break;
  }
  ValueList items;
  for (auto i = integers_.view[row]; i < integers_.view[row + 1]; ++i)
    items.push_back(child_->value_at(static_cast<std::size_t>(i)));
  return items;
}

namespace {

Column take_texts(const Column& from, std::span<const std::size_t> rows, Validity validity) {
  std::vector<std::int64_t> offsets{0};
  std::vector<char> bytes;
  for (const std::size_t row : rows) {
    const std::string_view text = from.is_null(row) ? std::string_view{} : from.text_at(row);
    bytes.insert(bytes.end(), text.begin(), text.end());
    offsets.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  return Column::texts(Buffer<std::int64_t>::from(std::move(offsets)), Buffer<char>::from(std::move(bytes)),
                       std::move(validity));
}

Column take_lists(const Column& from, std::span<const std::size_t> rows, Validity validity) {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::size_t> items;
  for (const std::size_t row : rows) {
    if (!from.is_null(row))
      for (auto i = from.offsets()[row]; i < from.offsets()[row + 1]; ++i)
        items.push_back(static_cast<std::size_t>(i));
    offsets.push_back(static_cast<std::int64_t>(items.size()));
  }
  return Column::lists(Buffer<std::int64_t>::from(std::move(offsets)), from.items().take(items),
                       std::move(validity));
}

}  // namespace

Column Column::take(std::span<const std::size_t> rows) const {
  check_rows(rows, size_);
  Validity validity = gather(*this, rows);
  switch (kind_) {
    case Kind::real:
      return reals(gather(reals_, rows), std::move(validity));
    case Kind::integer:
      return integers(gather(integers_, rows), std::move(validity));
    case Kind::time:
      return times(gather(integers_, rows), zone_, std::move(validity));
    case Kind::category:
      return categories(gather(codes_, rows), *child_, ordered_, std::move(validity));
    case Kind::text:
      return take_texts(*this, rows, std::move(validity));
    case Kind::list:
      return take_lists(*this, rows, std::move(validity));
    case Kind::boolean:
      break;
  }
  std::vector<bool> values;
  for (const std::size_t row : rows) values.push_back(boolean_at(row));
  return booleans(std::move(values), std::move(validity));
}

}  // namespace synthema
