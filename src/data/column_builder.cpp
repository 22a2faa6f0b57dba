#include <cmath>
#include <unordered_map>

#include "src/data/bits.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/data/column.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema {

namespace {

// The messages name kinds, never values: a value may be private.
[[noreturn]] void refuse(const Field& field, const Value& value) {
  throw SchemaError({.field = field.name},
                    message("A value of kind ", name_of(field.kind), " was needed, but the value is ",
                            value.kind_name(), " and cannot be converted without loss."));
}

double real_from(const Field& field, const Value& value) {
  if (const auto* real = value.get_if<double>()) return *real;
  const auto* integer = value.get_if<std::int64_t>();
  constexpr std::int64_t kExact = std::int64_t{1} << 53;  // a double holds every integer up to here
  if (integer && std::abs(*integer) <= kExact) return static_cast<double>(*integer);
  refuse(field, value);
}

std::int64_t integer_from(const Field& field, const Value& value) {
  if (const auto* integer = value.get_if<std::int64_t>()) return *integer;
  const auto* real = value.get_if<double>();
  if (real && std::abs(*real) <= 9007199254740992.0 && std::trunc(*real) == *real)
    return static_cast<std::int64_t>(*real);
  refuse(field, value);
}

std::int64_t time_from(const Field& field, const Value& value) {
  if (const auto* time = value.get_if<Timestamp>()) return time->microseconds;
  if (const auto* text = value.get_if<std::string>()) {
    if (const auto parsed = parse_iso8601(*text)) return parsed->time.microseconds;
    throw SchemaError(
        {.field = field.name},
        "The text is no ISO 8601 time of at most microseconds, for example 2026-11-24T03:30:00Z.");
  }
  refuse(field, value);
}

const std::string& text_from(const Field& field, const Value& value) {
  const auto* text = value.get_if<std::string>();
  if (!text) refuse(field, value);
  if (!is_valid_utf8(*text)) throw SchemaError({.field = field.name}, "The text is not valid UTF-8.");
  return *text;
}

// Texts one behind the other, as Arrow keeps them.
struct TextBuffers {
  std::vector<std::int64_t> offsets{0};
  std::vector<char> bytes;

  void push(std::string_view text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    offsets.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  Column finish(Validity validity = {}) {
    return Column::texts(Buffer<std::int64_t>::from(std::exchange(offsets, {0})),
                         Buffer<char>::from(std::exchange(bytes, {})), std::move(validity));
  }
};

Field item_field(const Field& list) {
  Field item;
  item.name = list.name;
  item.kind = list.item;
  item.categories = list.categories;
  return item;
}

}  // namespace

struct ColumnBuilder::Impl {
  explicit Impl(const Field& f) : field(f) {
    if (field.kind == Kind::list) child = std::make_unique<ColumnBuilder>(item_field(field));
    reset_labels();
  }

  void append(const Value& value);
  void append_null();
  void append_list(const Value& value);
  std::int32_t code_of(const std::string& label);
  void reset_labels();
  Column finish(std::string zone);

  Field field;
  detail::BitWriter present;
  std::vector<double> reals;
  std::vector<std::int64_t> integers;
  std::vector<bool> booleans;
  std::vector<std::int32_t> codes;
  TextBuffers texts;  // of a text column, or the labels of a category
  std::unordered_map<std::string, std::int32_t> label_codes;
  std::vector<std::int64_t> list_offsets{0};
  std::unique_ptr<ColumnBuilder> child;
};

void ColumnBuilder::Impl::reset_labels() {
  label_codes.clear();
  if (field.kind != Kind::category) return;
  for (const std::string& label : field.categories) {
    label_codes.emplace(label, static_cast<std::int32_t>(label_codes.size()));
    texts.push(label);
  }
}

std::int32_t ColumnBuilder::Impl::code_of(const std::string& label) {
  const auto next = static_cast<std::int32_t>(label_codes.size());
  const auto found = label_codes.find(label);
  if (found != label_codes.end()) return found->second;
  if (!field.categories.empty())
    throw SchemaError({.field = field.name},
                      message("The label is not among the ", field.categories.size(),
                              " categories of the schema; add it there or correct the value."));
  label_codes.emplace(label, next);
  texts.push(label);
  return next;
}

void ColumnBuilder::Impl::append_null() {
  if (!field.nullable)
    throw SchemaError({.field = field.name}, "The value is missing, but the schema says nullable = false.");
  switch (field.kind) {
    case Kind::real:
      return reals.push_back(0);
    case Kind::integer:
    case Kind::time:
      return integers.push_back(0);
    case Kind::boolean:
      return booleans.push_back(false);
    case Kind::category:
      return codes.push_back(0);
    case Kind::text:
      return texts.push({});
    case Kind::list:
      return list_offsets.push_back(list_offsets.back());
  }
}

void ColumnBuilder::Impl::append_list(const Value& value) {
  const auto* items = value.get_if<ValueList>();
  if (!items) refuse(field, value);
  for (const Value& item : *items) child->append(item);
  list_offsets.push_back(static_cast<std::int64_t>(child->size()));
}

void ColumnBuilder::Impl::append(const Value& value) {
  if (value.is_null()) {
    append_null();
    return present.push(false);
  }
  switch (field.kind) {
    case Kind::real:
      reals.push_back(real_from(field, value));
      break;
    case Kind::integer:
      integers.push_back(integer_from(field, value));
      break;
    case Kind::time:
      integers.push_back(time_from(field, value));
      break;
    case Kind::boolean:
      if (!value.get_if<bool>()) refuse(field, value);
      booleans.push_back(*value.get_if<bool>());
      break;
    case Kind::category:
      codes.push_back(code_of(text_from(field, value)));
      break;
    case Kind::text:
      texts.push(text_from(field, value));
      break;
    case Kind::list:
      append_list(value);
      break;
  }
  present.push(true);
}

Column ColumnBuilder::Impl::finish(std::string zone) {
  Validity validity = present.validity();
  switch (field.kind) {
    case Kind::real:
      return Column::reals(Buffer<double>::from(std::exchange(reals, {})), std::move(validity));
    case Kind::integer:
      return Column::integers(Buffer<std::int64_t>::from(std::exchange(integers, {})), std::move(validity));
    case Kind::time:
      return Column::times(Buffer<std::int64_t>::from(std::exchange(integers, {})), std::move(zone),
                           std::move(validity));
    case Kind::boolean:
      return Column::booleans(std::exchange(booleans, {}), std::move(validity));
    case Kind::text:
      return texts.finish(std::move(validity));
    case Kind::list:
      return Column::lists(Buffer<std::int64_t>::from(std::exchange(list_offsets, {0})), child->finish(zone),
                           std::move(validity));
    case Kind::category:
      break;
  }
  Column labels = texts.finish();
  reset_labels();
  return Column::categories(Buffer<std::int32_t>::from(std::exchange(codes, {})), std::move(labels), false,
                            std::move(validity));
}

ColumnBuilder::ColumnBuilder(const Field& field) : impl_(std::make_unique<Impl>(field)) {}
ColumnBuilder::~ColumnBuilder() = default;
ColumnBuilder::ColumnBuilder(ColumnBuilder&&) noexcept = default;
ColumnBuilder& ColumnBuilder::operator=(ColumnBuilder&&) noexcept = default;
void ColumnBuilder::append(const Value& value) {
  impl_->append(value);
}
std::size_t ColumnBuilder::size() const {
  return impl_->present.size();
}
Column ColumnBuilder::finish(std::string zone) {
  return impl_->finish(std::move(zone));
}

}  // namespace synthema
