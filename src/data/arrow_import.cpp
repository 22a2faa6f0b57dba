#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <unordered_map>

#include "src/data/bits.hpp"
#include "synthema/core/half.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/data/arrow.hpp"

namespace synthema {

namespace {

// A struct of the interface that is released when the last reference goes.
template <class Struct>
std::shared_ptr<Struct> adopt(Struct* given) {
  if (!given->release)
    throw SchemaError("The Arrow data have already been read by somebody; export them again.");
  std::shared_ptr<Struct> held(new Struct(*given), [](Struct* s) {
    if (s->release) s->release(s);
    delete s;
  });
  given->release = nullptr;  // moved
  return held;
}

// A run of rows of one array, with what keeps its memory alive.
struct Chunk {
  std::shared_ptr<const void> owner;
  const ArrowArray* array;
  std::int64_t offset;  // the array's own offset included
  std::int64_t length;

  template <class T>
  const T* buffer(int index) const {
    return static_cast<const T*>(array->buffers[index]);
  }
  bool is_valid(std::int64_t row) const {
    const auto* bits = array->n_buffers > 0 ? buffer<std::uint8_t>(0) : nullptr;
    return array->null_count == 0 || !bits || detail::bit_at(bits, static_cast<std::size_t>(offset + row));
  }
};

using Chunks = std::vector<Chunk>;

std::int64_t rows_of(const Chunks& chunks) {
  std::int64_t rows = 0;
  for (const Chunk& chunk : chunks) rows += chunk.length;
  return rows;
}

struct Source {
  const ArrowSchema* type;
  const std::string& name;  // of the column, for messages

  std::string_view format() const { return type->format; }
  [[noreturn]] void refuse(const std::string& what) const { throw SchemaError({.field = name}, what); }
  void require_buffers(const Chunks& chunks, std::int64_t least) const {
    for (const Chunk& chunk : chunks)
      if (chunk.array->n_buffers < least || chunk.length < 0 || chunk.offset < 0)
        refuse("The Arrow array is malformed: it has too few buffers, or a negative length or offset.");
  }
};

// Calls visit(chunk, row) for every row, after noting whether it is present.
template <class Visit>
Validity each_row(const Chunks& chunks, const Visit& visit) {
  detail::BitWriter present;
  for (const Chunk& chunk : chunks)
    for (std::int64_t row = 0; row < chunk.length; ++row) {
      const bool valid = chunk.is_valid(row);
      present.push(valid);
      visit(chunk, row, valid);
    }
  return present.validity();
}

// --- numbers

// The binary16 number nearest to one of their range.
double nearest_half(double v) {
  const double unit = std::ldexp(1.0, std::max(std::ilogb(v), -14) - 10);
  return std::nearbyint(v / unit) * unit;
}

double nearest_single(double v) {
  return static_cast<float>(v);
}

// What is written for a narrow number: 5.1, not 5.0999999046, where it is the one nearest to 5.1. So frames
// of any width, and the CSV files that they are written to, have the same decimals.
double as_written(double v, double (*nearest)(double)) {
  constexpr int kMostDecimals = 22;  // powers of ten up to here are exact
  double power = 1;
  for (int decimals = 0; decimals <= kMostDecimals; ++decimals, power *= 10)
    if (const double written = std::nearbyint(v * power) / power; nearest(written) == v) return written;
  return v;
}

// The values of one chunk as they lie, kept alive by the chunk.
template <class T>
Buffer<T> shared_values(const Chunk& chunk) {
  if (chunk.length == 0) return {};
  return {chunk.owner, {chunk.buffer<T>(1) + chunk.offset, static_cast<std::size_t>(chunk.length)}};
}

Validity shared_validity(const Chunk& chunk) {
  const auto* bits = chunk.buffer<std::uint8_t>(0);
  if (!bits || chunk.array->null_count == 0 || chunk.length == 0) return {};
  const auto bytes = static_cast<std::size_t>((chunk.offset + chunk.length + 7) / 8);
  return {{chunk.owner, {bits, bytes}}, chunk.offset, 0};
}

template <class Out, class Convert>
std::pair<Buffer<Out>, Validity> converted(const Chunks& chunks, const Convert& convert) {
  std::vector<Out> out;
  out.reserve(static_cast<std::size_t>(rows_of(chunks)));
  Validity validity = each_row(chunks, [&](const Chunk& chunk, std::int64_t row, bool valid) {
    out.push_back(valid ? convert(chunk, chunk.offset + row) : Out{});
  });
  return {Buffer<Out>::from(std::move(out)), std::move(validity)};
}

// Integers of width T as int64, times `scale`.
template <class T>
std::pair<Buffer<std::int64_t>, Validity> widened(const Source& source, const Chunks& chunks,
                                                  std::int64_t scale = 1) {
  source.require_buffers(chunks, 2);
  if (std::is_same_v<T, std::int64_t> && scale == 1 && chunks.size() == 1)
    return {shared_values<std::int64_t>(chunks[0]), shared_validity(chunks[0])};
  return converted<std::int64_t>(chunks, [&](const Chunk& chunk, std::int64_t at) {
    const T value = chunk.buffer<T>(1)[at];
    std::int64_t out = 0;
    if (!std::in_range<std::int64_t>(value) ||
        __builtin_mul_overflow(static_cast<std::int64_t>(value), scale, &out))
      source.refuse(
          "A value does not fit 64 signed bits; convert the column to text or to floating point first.");
    return out;
  });
}

std::pair<Buffer<std::int64_t>, Validity> integers_of(const Source& source, const Chunks& chunks) {
  switch (source.format()[0]) {
    case 'c':
      return widened<std::int8_t>(source, chunks);
    case 'C':
      return widened<std::uint8_t>(source, chunks);
    case 's':
      return widened<std::int16_t>(source, chunks);
    case 'S':
      return widened<std::uint16_t>(source, chunks);
    case 'i':
      return widened<std::int32_t>(source, chunks);
    case 'I':
      return widened<std::uint32_t>(source, chunks);
    case 'L':
      return widened<std::uint64_t>(source, chunks);
    default:
      return widened<std::int64_t>(source, chunks);
  }
}

Column reals_of(const Source& source, const Chunks& chunks) {
  source.require_buffers(chunks, 2);
  const char width = source.format()[0];
  if (width == 'g' && chunks.size() == 1)
    return Column::reals(shared_values<double>(chunks[0]), shared_validity(chunks[0]));
  auto [values, validity] = converted<double>(chunks, [&](const Chunk& chunk, std::int64_t at) -> double {
    if (width == 'e') return as_written(half_to_float(chunk.buffer<std::uint16_t>(1)[at]), nearest_half);
    if (width == 'f') return as_written(chunk.buffer<float>(1)[at], nearest_single);
    return chunk.buffer<double>(1)[at];
  });
  return Column::reals(std::move(values), std::move(validity));
}

Column booleans_of(const Source& source, const Chunks& chunks) {
  source.require_buffers(chunks, 2);
  std::vector<bool> out;
  Validity validity = each_row(chunks, [&](const Chunk& chunk, std::int64_t row, bool valid) {
    out.push_back(
        valid && detail::bit_at(chunk.buffer<std::uint8_t>(1), static_cast<std::size_t>(chunk.offset + row)));
  });
  return Column::booleans(std::move(out), std::move(validity));
}

// --- times

std::pair<Buffer<std::int64_t>, Validity> from_nanoseconds(const Source& source, const Chunks& chunks) {
  source.require_buffers(chunks, 2);
  return converted<std::int64_t>(chunks, [&](const Chunk& chunk, std::int64_t at) {
    const std::int64_t value = chunk.buffer<std::int64_t>(1)[at];
    if (value % 1000 != 0)
      source.refuse("A time is finer than a microsecond; round the column to microseconds first.");
    return value / 1000;
  });
}

Column times_of(const Source& source, const Chunks& chunks) {
  const std::string_view format = source.format();
  const auto column = [](std::pair<Buffer<std::int64_t>, Validity> parts, std::string_view zone = {}) {
    return Column::times(std::move(parts.first), std::string(zone), std::move(parts.second));
  };
  if (format == "tdD") return column(widened<std::int32_t>(source, chunks, 86'400'000'000));
  if (format == "tdm") return column(widened<std::int64_t>(source, chunks, 1000));
  const std::string_view zone = format.substr(std::min<std::size_t>(4, format.size()));
  if (format.starts_with("tss:")) return column(widened<std::int64_t>(source, chunks, 1'000'000), zone);
  if (format.starts_with("tsm:")) return column(widened<std::int64_t>(source, chunks, 1000), zone);
  if (format.starts_with("tsu:")) return column(widened<std::int64_t>(source, chunks), zone);
  return column(from_nanoseconds(source, chunks), zone);
}

// --- texts

// The bytes of row `at` (offset included) of a utf8, large_utf8 or utf8_view array.
std::string_view text_of(const Chunk& chunk, std::string_view format, std::int64_t at) {
  if (format == "vu") {
    const auto* view = chunk.buffer<std::int32_t>(1) + 4 * at;
    const auto size = static_cast<std::size_t>(view[0]);
    if (size <= 12) return {reinterpret_cast<const char*>(view + 1), size};
    return {chunk.buffer<char>(2 + view[2]) + view[3], size};
  }
  if (format == "U") {
    const auto* offsets = chunk.buffer<std::int64_t>(1) + at;
    return {chunk.buffer<char>(2) + offsets[0], static_cast<std::size_t>(offsets[1] - offsets[0])};
  }
  const auto* offsets = chunk.buffer<std::int32_t>(1) + at;
  return {chunk.buffer<char>(2) + offsets[0], static_cast<std::size_t>(offsets[1] - offsets[0])};
}

Column texts_of(const Source& source, const Chunks& chunks) {
  source.require_buffers(chunks, 3);
  std::vector<std::int64_t> offsets{0};
  std::vector<char> bytes;
  Validity validity = each_row(chunks, [&](const Chunk& chunk, std::int64_t row, bool valid) {
    const auto text = valid ? text_of(chunk, source.format(), chunk.offset + row) : std::string_view{};
    if (!is_valid_utf8(text)) source.refuse("A text is not valid UTF-8; decode the column first.");
    bytes.insert(bytes.end(), text.begin(), text.end());
    offsets.push_back(static_cast<std::int64_t>(bytes.size()));
  });
  return Column::texts(Buffer<std::int64_t>::from(std::move(offsets)), Buffer<char>::from(std::move(bytes)),
                       std::move(validity));
}

// A column of an Arrow null type: nothing but missing texts.
Column nulls_of(const Chunks& chunks) {
  ColumnBuilder builder(Field{});
  for (std::int64_t row = 0; row < rows_of(chunks); ++row) builder.append({});
  return builder.finish();
}

// --- nested

Column import_column(const Source& source, const Chunks& chunks);

Chunk whole(const std::shared_ptr<const void>& owner, const ArrowArray* array) {
  return {owner, array, array->offset, array->length};
}

// Collects the labels of several dictionaries into one, in the order in which they come.
class Labels {
 public:
  // The joint code of each entry of one dictionary; -1 for a null entry.
  std::vector<std::int32_t> add(const Column& dictionary) {
    std::vector<std::int32_t> codes;
    for (std::size_t i = 0; i < dictionary.size(); ++i)
      codes.push_back(dictionary.is_null(i) ? -1 : code(dictionary.value_at(i).display()));
    return codes;
  }
  Column take() { return Column::texts(labels_); }

 private:
  std::int32_t code(std::string label) {
    const auto [found, fresh] = codes_.emplace(std::move(label), static_cast<std::int32_t>(codes_.size()));
    if (fresh) labels_.push_back(found->first);
    return found->second;
  }
  std::unordered_map<std::string, std::int32_t> codes_;
  std::vector<std::string> labels_;
};

// A row is missing where its index is null or names a null entry of the dictionary.
Column categories_of(const Source& source, const Chunks& chunks) {
  Labels labels;
  std::vector<std::int32_t> codes;
  detail::BitWriter present;
  for (const Chunk& chunk : chunks) {
    if (!chunk.array->dictionary) source.refuse("The Arrow array is malformed: its dictionary is missing.");
    const Source entries{source.type->dictionary, source.name};
    const auto joint = labels.add(import_column(entries, {whole(chunk.owner, chunk.array->dictionary)}));
    const auto [indices, valid] = integers_of(source, {chunk});
    for (std::size_t row = 0; row < indices.view.size(); ++row) {
      std::int32_t code = -1;
      if (valid.is_valid(row)) {
        const auto index = static_cast<std::size_t>(indices.view[row]);
        if (index >= joint.size())
          source.refuse("The Arrow array is malformed: an index has no dictionary entry.");
        code = joint[index];
      }
      present.push(code >= 0);
      codes.push_back(std::max(code, 0));
    }
  }
  const bool ordered = source.type->flags & ARROW_FLAG_DICTIONARY_ORDERED;
  return Column::categories(Buffer<std::int32_t>::from(std::move(codes)), labels.take(), ordered,
                            present.validity());
}

// Where the items of row `at` begin and end in the child, its own offset not included.
std::pair<std::int64_t, std::int64_t> list_bounds(const Chunk& chunk, std::string_view format,
                                                  std::int64_t at) {
  if (format == "+l") return {chunk.buffer<std::int32_t>(1)[at], chunk.buffer<std::int32_t>(1)[at + 1]};
  if (format == "+L") return {chunk.buffer<std::int64_t>(1)[at], chunk.buffer<std::int64_t>(1)[at + 1]};
  const std::int64_t width = std::stoll(std::string(format.substr(3)));  // "+w:3"
  return {at * width, (at + 1) * width};
}

// Every present row becomes one chunk of the child: slow only for very many short lists, and always right.
Column lists_of(const Source& source, const Chunks& chunks) {
  const std::string_view format = source.format();
  source.require_buffers(chunks, format.starts_with("+w:") ? 1 : 2);
  if (source.type->n_children != 1)
    source.refuse("The Arrow array is malformed: a list without an item type.");
  const Source items{source.type->children[0], source.name};
  if (items.format().starts_with('+'))
    source.refuse("Lists of lists and lists of structs are not supported; use one flat list per column.");
  std::vector<std::int64_t> offsets{0};
  Chunks runs;
  Validity validity = each_row(chunks, [&](const Chunk& chunk, std::int64_t row, bool valid) {
    const ArrowArray* child = chunk.array->children[0];
    const auto [begin, end] =
        valid ? list_bounds(chunk, format, chunk.offset + row) : std::pair<std::int64_t, std::int64_t>{};
    if (begin > end || begin < 0 || end > child->length)
      source.refuse("The Arrow array is malformed: list offsets run backwards or past the items.");
    offsets.push_back(offsets.back() + end - begin);
    if (begin == end) return;
    const bool continues = !runs.empty() && runs.back().array == child &&
                           runs.back().offset + runs.back().length == child->offset + begin;
    if (continues) runs.back().length += end - begin;
    if (!continues) runs.push_back({chunk.owner, child, child->offset + begin, end - begin});
  });
  return Column::lists(Buffer<std::int64_t>::from(std::move(offsets)), import_column(items, runs),
                       std::move(validity));
}

// What Arrow's metadata have under a key.
std::optional<std::string_view> in_metadata(const char* metadata, std::string_view wanted) {
  if (!metadata) return {};
  const auto number = [&] {
    std::int32_t out = 0;
    std::memcpy(&out, metadata, sizeof out);
    metadata += sizeof out;
    return out;
  };
  const auto text = [&] {
    const std::int32_t size = number();
    const std::string_view out(metadata, static_cast<std::size_t>(size));
    metadata += size;
    return out;
  };
  for (std::int32_t pairs = number(); pairs > 0; --pairs) {
    const std::string_view key = text(), value = text();
    if (key == wanted) return value;
  }
  return {};
}

// Columns of pandas that are stored as what they do not mean.
void refuse_extensions(const Source& source) {
  const auto name = in_metadata(source.type->metadata, "ARROW:extension:name");
  if (name == "pandas.period")
    source.refuse(
        "The column holds periods; make them the times of their beginnings (in pandas .dt.to_timestamp()) or "
        "text (astype(str)).");
  if (name == "pandas.interval")
    source.refuse("The column holds intervals; make them text (in pandas astype(str)).");
}

std::string advice_for(std::string_view format) {
  if (format.starts_with("d:")) return "decimal numbers; convert it to floating point or to text";
  if (format == "z" || format == "Z" || format == "vz" || format.starts_with("w:"))
    return "binary data; decode it to text or leave it out";
  if (format.starts_with("tD")) return "durations; convert it to a number with a unit";
  if (format.starts_with("tt")) return "times of day; convert it to text or to a number with a unit";
  if (format == "+s") return "structs; unnest it into one column per member";
  if (format == "+m") return "maps; unnest it into one column per key";
  if (format.starts_with("+v")) return "list views; convert it to a list";
  if (format == "+r") return "run-end encoded values; decode it";
  return message("Arrow type '", format, "'; convert it to a number, text, time, boolean or list");
}

Column import_column(const Source& source, const Chunks& chunks) {
  refuse_extensions(source);
  if (source.type->dictionary) return categories_of(source, chunks);
  const std::string_view format = source.format();
  if (format.size() == 1 && std::string_view("cCsSiIlL").find(format[0]) != std::string_view::npos) {
    auto [values, validity] = integers_of(source, chunks);
    return Column::integers(std::move(values), std::move(validity));
  }
  if (format == "e" || format == "f" || format == "g") return reals_of(source, chunks);
  if (format == "b") return booleans_of(source, chunks);
  if (format == "n") return nulls_of(chunks);
  if (format == "u" || format == "U" || format == "vu") return texts_of(source, chunks);
  if (format.starts_with("td") || format.starts_with("ts")) return times_of(source, chunks);
  if (format == "+l" || format == "+L" || format.starts_with("+w:")) return lists_of(source, chunks);
  source.refuse("The column holds " + advice_for(format) + ".");
}

// --- what the columns mean

// NaN in valid rows becomes null.
Column without_nan(const Column& column) {
  if (column.kind() != Kind::real) return column;
  detail::BitWriter present;
  const auto values = column.reals();
  for (std::size_t row = 0; row < values.size(); ++row)
    present.push(!column.is_null(row) && !std::isnan(values[row]));
  return Column::reals(Buffer<double>::from({values.begin(), values.end()}), present.validity());
}

bool same_labels(const Column& column, const Field& field) {
  if (field.categories.empty()) return true;
  if (column.labels().size() != field.categories.size()) return false;
  for (std::size_t i = 0; i < field.categories.size(); ++i)
    if (column.labels().text_at(i) != field.categories[i]) return false;
  return true;
}

bool fits_as_it_is(const Column& column, const Field& field) {
  if (!field.nullable && column.null_count() > 0) return false;
  if (column.kind() != field.kind) return false;
  if (field.kind == Kind::category) return same_labels(column, field);
  if (field.kind != Kind::list) return true;
  return column.items().kind() == field.item && field.categories.empty();
}

// Whole numbers and booleans may serve as labels and codes: their text is exact.
Value as_wanted(Value value, Kind wanted) {
  const bool textual = wanted == Kind::text || wanted == Kind::category;
  if (textual && (value.get_if<std::int64_t>() || value.get_if<bool>())) return value.display();
  return value;
}

// Row by row through the builder, which converts losslessly or says why not.
Column fitted(const Column& column, const Field& field) {
  if (fits_as_it_is(column, field)) return column;
  ColumnBuilder builder(field);
  for (std::size_t row = 0; row < column.size(); ++row)
    builder.append(as_wanted(column.value_at(row), field.kind));
  return builder.finish(column.kind() == Kind::time ? column.zone() : std::string{});
}

Field inferred(const std::string& name, const Column& column) {
  Field field;
  field.name = name;
  field.kind = column.kind();
  if (field.kind == Kind::list) field.item = column.items().kind();
  return field;
}

// The schema that export_arrow left in the metadata, if there is one.
std::optional<Schema> schema_in_metadata(const char* metadata) {
  const auto text = in_metadata(metadata, "synthema.schema");
  return text ? std::optional(schema_from_json(*text, "the Arrow metadata")) : std::nullopt;
}

struct Named {
  std::string name;
  Column column;
};

// Names and terms of the schema that travelled with the data, for the columns that are still as it says.
Table with_inferred_schema(std::vector<Named> parts, const char* metadata) {
  Schema schema = schema_in_metadata(metadata).value_or(Schema{});
  const Schema known = schema;
  schema.fields.clear();
  std::vector<Column> columns;
  for (Named& part : parts) {
    const Field guess = inferred(part.name, part.column);
    const Field* field = known.find(part.name);
    const bool keeps =
        field && field->kind == guess.kind && (guess.kind != Kind::list || field->item == guess.item);
    schema.fields.push_back(keeps ? *field : guess);
    columns.push_back(std::move(part.column));
  }
  return Table(std::move(schema), std::move(columns));
}

Table with_schema(const std::vector<Named>& parts, const Schema& schema) {
  std::vector<Column> columns;
  for (const Field& field : schema.fields) {
    const Named* found = nullptr;
    for (const Named& part : parts)
      if (part.name == field.name) found = &part;
    if (!found)
      throw SchemaError({.field = field.name},
                        "The schema has this field, but the frame has no such column.");
    columns.push_back(fitted(found->column, field));
  }
  for (const Named& part : parts)
    if (!schema.find(part.name))
      throw SchemaError(
          {.field = part.name},
          "The frame has this column, but the schema has no such field; drop the column or add a field.");
  return Table(schema, std::move(columns));
}

Table import_table(const ArrowSchema& type, const std::vector<std::shared_ptr<ArrowArray>>& batches,
                   const ArrowOptions& options) {
  if (std::string_view(type.format) != "+s")
    throw SchemaError("The Arrow data are a single column; pass a frame or table with named columns.");
  std::vector<Named> parts;
  for (std::int64_t i = 0; i < type.n_children; ++i) {
    const std::string name = type.children[i]->name ? type.children[i]->name : "";
    Chunks chunks;
    for (const auto& batch : batches) {
      if (batch->n_children != type.n_children)
        throw SchemaError(
            "The Arrow data are malformed: a batch has another number of columns than the schema.");
      const ArrowArray* child = batch->children[i];
      if (batch->offset < 0 || child->length < batch->offset + batch->length)
        throw SchemaError({.field = name},
                          "The Arrow data are malformed: the column is shorter than its batch.");
      if (batch->length > 0) chunks.push_back({batch, child, child->offset + batch->offset, batch->length});
    }
    Column column = import_column({type.children[i], name}, chunks);
    parts.push_back({name, options.nan_as_missing ? without_nan(column) : std::move(column)});
  }
  return options.schema ? with_schema(parts, *options.schema)
                        : with_inferred_schema(std::move(parts), type.metadata);
}

void require_no_null_rows(const ArrowArray& batch) {
  if (batch.null_count > 0) throw SchemaError("Whole rows of the Arrow data are null; drop them first.");
}

void require_success(int code, ArrowArrayStream* stream) {
  if (code == 0) return;
  const char* text = stream->get_last_error ? stream->get_last_error(stream) : nullptr;
  throw SchemaError(message("The Arrow stream failed: ", text ? text : std::strerror(code), "."));
}

}  // namespace

Table table_from_arrow(ArrowArrayStream* given, const ArrowOptions& options) {
  const auto stream = adopt(given);
  ArrowSchema type{};
  require_success(stream->get_schema(stream.get(), &type), stream.get());
  const auto held_type = adopt(&type);
  std::vector<std::shared_ptr<ArrowArray>> batches;
  for (;;) {
    ArrowArray batch{};
    require_success(stream->get_next(stream.get(), &batch), stream.get());
    if (!batch.release) break;
    batches.push_back(adopt(&batch));
    require_no_null_rows(*batches.back());
  }
  return import_table(*held_type, batches, options);
}

Table table_from_arrow(ArrowSchema* type, ArrowArray* array, const ArrowOptions& options) {
  const auto held_type = adopt(type);
  const auto held_array = adopt(array);
  require_no_null_rows(*held_array);
  return import_table(*held_type, {held_array}, options);
}

}  // namespace synthema
