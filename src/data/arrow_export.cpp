#include <cerrno>
#include <cstring>
#include <memory>

#include "src/data/bits.hpp"
#include "synthema/data/arrow.hpp"

namespace synthema {

namespace {

// --- types

struct TypeData {
  std::string format, name, metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
  ArrowSchema dictionary{};
};

// Releases the children that the receiver has not moved away, then our own memory.
template <class Struct, class Data>
void release(Struct* self) {
  auto* data = static_cast<Data*>(self->private_data);
  for (Struct& child : data->children)
    if (child.release) child.release(&child);
  if (data->dictionary.release) data->dictionary.release(&data->dictionary);
  self->release = nullptr;
  delete data;
}

void finish(std::unique_ptr<TypeData> data, std::int64_t flags, ArrowSchema* out) {
  for (ArrowSchema& child : data->children) data->pointers.push_back(&child);
  *out = {.format = data->format.c_str(),
          .name = data->name.c_str(),
          .metadata = data->metadata.empty() ? nullptr : data->metadata.data(),
          .flags = flags,
          .n_children = static_cast<std::int64_t>(data->children.size()),
          .children = data->pointers.data(),
          .dictionary = data->dictionary.release ? &data->dictionary : nullptr,
          .release = &release<ArrowSchema, TypeData>,
          .private_data = data.get()};
  (void)data.release();
}

std::string format_of(const Column& column) {
  switch (column.kind()) {
    case Kind::real:
      return "g";
    case Kind::integer:
      return "l";
    case Kind::boolean:
      return "b";
    case Kind::text:
      return "U";
    case Kind::category:
      return "i";
    case Kind::time:
      return "tsu:" + column.zone();
    case Kind::list:
      break;
  }
  return "+L";
}

void export_type(const Column& column, const std::string& name, bool nullable, ArrowSchema* out) {
  auto data = std::make_unique<TypeData>();
  data->format = format_of(column);
  data->name = name;
  std::int64_t flags = nullable ? ARROW_FLAG_NULLABLE : 0;
  if (column.kind() == Kind::category) {
    export_type(column.labels(), "", false, &data->dictionary);
    if (column.ordered()) flags |= ARROW_FLAG_DICTIONARY_ORDERED;
  }
  if (column.kind() == Kind::list) {
    data->children.resize(1);
    export_type(column.items(), "item", true, &data->children[0]);
  }
  finish(std::move(data), flags, out);
}

// One key and its value, as the interface lays out metadata: counts and lengths as native 32-bit integers.
std::string metadata_of(std::string_view key, std::string_view value) {
  std::string out;
  const auto number = [&](std::size_t n) {
    const auto narrow = static_cast<std::int32_t>(n);
    out.append(reinterpret_cast<const char*>(&narrow), sizeof narrow);
  };
  number(1);
  number(key.size());
  out += key;
  number(value.size());
  out += value;
  return out;
}

// --- arrays

struct ArrayData {
  Column column;
  Buffer<std::uint8_t> validity;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  ArrowArray dictionary{};
};

void finish(std::unique_ptr<ArrayData> data, std::size_t length, std::size_t nulls, ArrowArray* out) {
  for (ArrowArray& child : data->children) data->pointers.push_back(&child);
  *out = {.length = static_cast<std::int64_t>(length),
          .null_count = static_cast<std::int64_t>(nulls),
          .offset = 0,
          .n_buffers = static_cast<std::int64_t>(data->buffers.size()),
          .n_children = static_cast<std::int64_t>(data->children.size()),
          .buffers = data->buffers.data(),
          .children = data->pointers.data(),
          .dictionary = data->dictionary.release ? &data->dictionary : nullptr,
          .release = &release<ArrowArray, ArrayData>,
          .private_data = data.get()};
  (void)data.release();
}

// Arrow has one offset for validity and values; ours are separate, so an offset bitmap is moved to bit 0.
Buffer<std::uint8_t> validity_at_zero(const Column& column) {
  const Validity& validity = column.validity();
  if (column.null_count() == 0 || validity.offset == 0) return validity.bits;
  detail::BitWriter bits;
  for (std::size_t row = 0; row < column.size(); ++row) bits.push(!column.is_null(row));
  return Buffer<std::uint8_t>::from(bits.take());
}

std::vector<const void*> value_buffers(const Column& column) {
  switch (column.kind()) {
    case Kind::real:
      return {column.reals().data()};
    case Kind::integer:
    case Kind::time:
      return {column.integers().data()};
    case Kind::boolean:
      return {column.bits().data()};
    case Kind::category:
      return {column.codes().data()};
    case Kind::text:
      return {column.offsets().data(), column.bytes().data()};
    case Kind::list:
      break;
  }
  return {column.offsets().data()};
}

void export_array(const Column& column, ArrowArray* out) {
  static constexpr std::uint64_t kNothing = 0;  // some receivers refuse a null pointer even for no rows
  auto data = std::make_unique<ArrayData>();
  data->column = column;
  data->validity = validity_at_zero(column);
  data->buffers.push_back(column.null_count() == 0 ? nullptr : data->validity.view.data());
  for (const void* buffer : value_buffers(data->column)) data->buffers.push_back(buffer ? buffer : &kNothing);
  if (column.kind() == Kind::category) export_array(column.labels(), &data->dictionary);
  if (column.kind() == Kind::list) {
    data->children.resize(1);
    export_array(column.items(), &data->children[0]);
  }
  finish(std::move(data), column.size(), column.null_count(), out);
}

// --- stream

struct StreamData {
  Table table;
  bool sent = false;
  std::string error;
};

template <class Work>
int guarded(ArrowArrayStream* stream, const Work& work) {
  auto& data = *static_cast<StreamData*>(stream->private_data);
  try {
    work(data);
    return 0;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  } catch (const std::exception& error) {
    data.error = error.what();
    return EINVAL;
  }
}

int stream_type(ArrowArrayStream* stream, ArrowSchema* out) {
  return guarded(stream, [&](StreamData& data) { export_arrow(data.table, out); });
}

int stream_next(ArrowArrayStream* stream, ArrowArray* out) {
  return guarded(stream, [&](StreamData& data) {
    std::memset(out, 0, sizeof *out);  // released: the end of the stream
    if (!std::exchange(data.sent, true)) export_arrow(data.table, out);
  });
}

const char* stream_error(ArrowArrayStream* stream) {
  const auto& error = static_cast<StreamData*>(stream->private_data)->error;
  return error.empty() ? nullptr : error.c_str();
}

void stream_release(ArrowArrayStream* stream) {
  delete static_cast<StreamData*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

void export_arrow(const Table& table, ArrowSchema* out) {
  auto data = std::make_unique<TypeData>();
  data->format = "+s";
  data->metadata = metadata_of("synthema.schema", to_json(table.schema()));
  data->children.resize(table.columns());
  for (std::size_t i = 0; i < table.columns(); ++i) {
    const Field& field = table.schema().fields[i];
    const bool nullable = field.nullable || table.column(i).null_count() > 0;
    export_type(table.column(i), field.name, nullable, &data->children[i]);
  }
  finish(std::move(data), 0, out);
}

void export_arrow(const Table& table, ArrowArray* out) {
  auto data = std::make_unique<ArrayData>();
  data->buffers = {nullptr};
  data->children.resize(table.columns());
  for (std::size_t i = 0; i < table.columns(); ++i) export_array(table.column(i), &data->children[i]);
  finish(std::move(data), table.rows(), 0, out);
}

void export_arrow(const Table& table, ArrowArrayStream* out) {
  *out = {.get_schema = &stream_type,
          .get_next = &stream_next,
          .get_last_error = &stream_error,
          .release = &stream_release,
          .private_data = new StreamData{table, false, {}}};
}

}  // namespace synthema
