#include "synthema/model/gguf.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <unordered_set>

#include "synthema/core/error.hpp"

namespace synthema {

static_assert(std::endian::native == std::endian::little,
              "model files are read in place: little endian only");

namespace {

constexpr std::uint32_t kMagic = 0x46554747;       // "GGUF"
constexpr std::uint64_t kLongestKey = 65535;       // of the specification
constexpr std::uint64_t kLongestTensorName = 256;  // the specification says 64; longer ones exist
constexpr std::uint32_t kMostDimensions = 4;       // GGML_MAX_DIMS
constexpr std::uint64_t kMostAlignment = 1u << 20;
constexpr int kDeepestArray = 4;

std::size_t scalar_bytes(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    case GgufType::text:
    case GgufType::array:
      break;
  }
  return 0;
}

template <class T>
T load(std::span<const std::byte> bytes, std::size_t at = 0) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

// Reads forward; every step is checked against the end of the file.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const std::string& path) : bytes_(bytes), path_(path) {}

  std::size_t at() const { return at_; }
  std::size_t left() const { return bytes_.size() - at_; }

  [[noreturn]] void refuse(const std::string& what) const { throw ModelError(Location{.file = path_}, what); }
  [[noreturn]] void fail(const std::string& what) const {
    refuse(message("Broken GGUF at byte ", at_, ": ", what));
  }
  std::span<const std::byte> take(std::uint64_t n, const char* what) {
    if (n > left())
      fail(message("the file ends inside ", what, " (", n, " bytes wanted, ", left(), " left)."));
    at_ += static_cast<std::size_t>(n);
    return bytes_.subspan(at_ - static_cast<std::size_t>(n), static_cast<std::size_t>(n));
  }
  template <class T>
  T read(const char* what) {
    return load<T>(take(sizeof(T), what));
  }
  std::string_view text(std::uint64_t longest, const char* what) {
    const auto length = read<std::uint64_t>(what);
    if (length > longest)
      fail(message(what, " has ", length, " bytes, more than the ", longest, " allowed."));
    const auto data = take(length, what);
    return {reinterpret_cast<const char*>(data.data()), data.size()};
  }
  // A count of things of at least `least` bytes each cannot exceed what the rest of the file can hold.
  std::uint64_t count(std::uint64_t least, const char* what) {
    const auto n = read<std::uint64_t>(what);
    if (n > left() / least) fail(message("the file cannot hold ", n, " ", what, "."));
    return n;
  }
  std::span<const std::byte> since(std::size_t start) const { return bytes_.subspan(start, at_ - start); }

 private:
  std::span<const std::byte> bytes_;
  const std::string& path_;
  std::size_t at_ = 0;
};

GgufType read_type(Cursor& in) {
  const auto type = in.read<std::uint32_t>("a value type");
  if (type > static_cast<std::uint32_t>(GgufType::f64))
    in.fail(message("there is no value type ", type, "."));
  return static_cast<GgufType>(type);
}

GgufValue read_value(Cursor& in, GgufType type, int depth);

void skip_items(Cursor& in, GgufType item, std::uint64_t count, int depth) {
  if (const std::size_t size = scalar_bytes(item)) {
    if (count > in.left() / size) in.fail(message("the file cannot hold an array of ", count, " entries."));
    in.take(count * size, "an array");
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i) read_value(in, item, depth + 1);
}

// A value in place: an array keeps its whole payload and is decoded when somebody asks for it.
GgufValue read_value(Cursor& in, GgufType type, int depth = 0) {
  GgufValue value;
  value.type = type;
  std::size_t start = in.at();
  if (type == GgufType::text) {
    in.text(std::numeric_limits<std::uint64_t>::max(), "a string");
    start += sizeof(std::uint64_t);
  } else if (type == GgufType::array) {
    if (depth >= kDeepestArray) in.fail("arrays are nested too deeply.");
    value.item = read_type(in);
    value.count = in.count(value.item == GgufType::text    ? 8
                           : value.item == GgufType::array ? 12
                                                           : 1,
                           "array entries");
    start = in.at();
    skip_items(in, value.item, value.count, depth);
  } else {
    const auto payload = in.take(scalar_bytes(type), "a value");
    if (type == GgufType::boolean && load<std::uint8_t>(payload) > 1)
      in.fail("a truth value is neither 0 nor 1.");
  }
  value.bytes = in.since(start);
  return value;
}

std::optional<TensorType> tensor_type(std::uint32_t id) {
  switch (id) {  // enum ggml_type
    case 0:
      return TensorType::f32;
    case 1:
      return TensorType::f16;
    case 2:
      return TensorType::q4_0;
    case 3:
      return TensorType::q4_1;
    case 6:
      return TensorType::q5_0;
    case 7:
      return TensorType::q5_1;
    case 8:
      return TensorType::q8_0;
    case 10:
      return TensorType::q2_k;
    case 11:
      return TensorType::q3_k;
    case 12:
      return TensorType::q4_k;
    case 13:
      return TensorType::q5_k;
    case 14:
      return TensorType::q6_k;
    case 30:
      return TensorType::bf16;
    default:
      return std::nullopt;
  }
}

struct TensorEntry {
  TensorView view;
  std::uint64_t offset = 0;  // from the start of the data section
  std::uint64_t size = 0;    // bytes
};

void read_shape(Cursor& in, TensorView& view) {
  const auto dimensions = in.read<std::uint32_t>("a tensor description");
  if (dimensions == 0 || dimensions > kMostDimensions)
    in.fail(message("tensor '", view.name, "' has ", dimensions, " dimensions; 1 to 4 are possible."));
  std::uint64_t elements = 1;
  for (std::uint32_t d = 0; d < dimensions; ++d) {
    const auto n = in.read<std::uint64_t>("a tensor description");
    if (n == 0 || n > (std::uint64_t{1} << 48) / elements)
      in.fail(message("tensor '", view.name, "' has the impossible dimension ", n, "."));
    elements *= n;
    view.shape.insert(view.shape.begin(), static_cast<std::int64_t>(n));  // the file has the innermost first
  }
}

TensorEntry read_tensor_entry(Cursor& in) {
  TensorEntry entry;
  TensorView& view = entry.view;
  view.name = in.text(kLongestTensorName, "a tensor name");
  read_shape(in, view);
  const auto id = in.read<std::uint32_t>("a tensor type");
  const auto type = tensor_type(id);
  if (!type)
    in.fail(message(
        "tensor '", view.name, "' has type ", id,
        ", which is not read here (F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and Q2_K to Q6_K are). "
        "Convert the model to one of those."));
  view.type = *type;
  const auto row = static_cast<std::size_t>(view.shape.back());
  if (row % block_elements(*type) != 0)
    in.fail(message("tensor '", view.name, "' has rows of ", row, ", not a multiple of its block of ",
                    block_elements(*type), "."));
  entry.size = static_cast<std::uint64_t>(view.elements()) / block_elements(*type) * block_bytes(*type);
  entry.offset = in.read<std::uint64_t>("a tensor offset");
  return entry;
}

std::uint64_t alignment_of(const Gguf& file, const Cursor& in) {
  const GgufValue* const value = file.find("general.alignment");
  if (value == nullptr) return 32;
  const auto n = value->integer().value_or(0);
  if (n <= 0 || static_cast<std::uint64_t>(n) > kMostAlignment ||
      !std::has_single_bit(static_cast<std::uint64_t>(n)))
    in.fail("general.alignment is not a power of two of sensible size.");
  return static_cast<std::uint64_t>(n);
}

void check_no_overlap(std::vector<const TensorEntry*> entries, const Cursor& in) {
  std::ranges::sort(entries, {}, &TensorEntry::offset);
  for (std::size_t i = 1; i < entries.size(); ++i)
    if (entries[i]->offset < entries[i - 1]->offset + entries[i - 1]->size)
      in.fail(
          message("tensors '", entries[i - 1]->view.name, "' and '", entries[i]->view.name, "' overlap."));
}

void place_tensors(Gguf& file, std::vector<TensorEntry>& entries, std::span<const std::byte> bytes,
                   Cursor& in) {
  const std::uint64_t alignment = alignment_of(file, in);
  const std::uint64_t start = (in.at() + alignment - 1) / alignment * alignment;
  std::vector<const TensorEntry*> order;
  for (TensorEntry& entry : entries) {
    if (entry.offset % alignment != 0)
      in.fail(message("tensor '", entry.view.name, "' starts at ", entry.offset, ", which is not aligned to ",
                      alignment, "."));
    const std::uint64_t room = start > bytes.size() ? 0 : bytes.size() - start;
    if (entry.offset > room || entry.size > room - entry.offset)
      in.fail(message("tensor '", entry.view.name,
                      "' lies beyond the end of the file; the file is probably cut off."));
    entry.view.data =
        bytes.subspan(static_cast<std::size_t>(start + entry.offset), static_cast<std::size_t>(entry.size));
    order.push_back(&entry);
  }
  check_no_overlap(std::move(order), in);
  for (TensorEntry& entry : entries) file.tensors.push_back(std::move(entry.view));
}

std::uint32_t read_version(Cursor& in) {
  if (in.read<std::uint32_t>("the magic number") != kMagic)
    in.refuse(
        "This is no GGUF file: it does not begin with 'GGUF'. A model in safetensors is opened by the "
        "folder that holds its weights, config.json and tokenizer.json.");
  const auto version = in.read<std::uint32_t>("the version");
  if (version == 0x02000000 || version == 0x03000000)
    in.fail("the file is big endian; convert it to little endian.");
  if (version != 2 && version != 3)
    in.fail(message("version ", version, " is not supported; versions 2 and 3 are."));
  return version;
}

template <class T>
std::optional<std::vector<T>> widen(const GgufValue& value, auto convert) {
  const std::size_t size = scalar_bytes(value.item);
  std::vector<T> out;
  out.reserve(static_cast<std::size_t>(value.count));
  for (std::size_t i = 0; i < value.count; ++i) {
    const GgufValue one{value.item, GgufType::u8, 1, value.bytes.subspan(i * size, size)};
    const auto number = convert(one);
    if (!number) return std::nullopt;
    out.push_back(static_cast<T>(*number));
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> GgufValue::integer() const {
  switch (type) {
    case GgufType::u8:
      return load<std::uint8_t>(bytes);
    case GgufType::i8:
      return load<std::int8_t>(bytes);
    case GgufType::u16:
      return load<std::uint16_t>(bytes);
    case GgufType::i16:
      return load<std::int16_t>(bytes);
    case GgufType::u32:
      return load<std::uint32_t>(bytes);
    case GgufType::i32:
      return load<std::int32_t>(bytes);
    case GgufType::i64:
      return load<std::int64_t>(bytes);
    case GgufType::u64: {
      const auto n = load<std::uint64_t>(bytes);
      if (n > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
      return static_cast<std::int64_t>(n);
    }
    default:
      return std::nullopt;
  }
}

std::optional<double> GgufValue::real() const {
  if (type == GgufType::f32) return load<float>(bytes);
  if (type == GgufType::f64) return load<double>(bytes);
  if (const auto n = integer()) return static_cast<double>(*n);
  return std::nullopt;
}

std::optional<bool> GgufValue::boolean() const {
  if (type != GgufType::boolean) return std::nullopt;
  return load<std::uint8_t>(bytes) != 0;
}

std::optional<std::string_view> GgufValue::text() const {
  if (type != GgufType::text) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::optional<std::vector<std::string_view>> GgufValue::texts() const {
  if (type != GgufType::array || item != GgufType::text) return std::nullopt;
  std::vector<std::string_view> out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::size_t at = 0; out.size() < count;) {
    const auto length = static_cast<std::size_t>(load<std::uint64_t>(bytes, at));
    out.emplace_back(reinterpret_cast<const char*>(bytes.data()) + at + 8, length);
    at += 8 + length;
  }
  return out;
}

std::optional<std::vector<std::int64_t>> GgufValue::integers() const {
  if (type != GgufType::array || scalar_bytes(item) == 0) return std::nullopt;
  return widen<std::int64_t>(*this, [](const GgufValue& one) { return one.integer(); });
}

std::optional<std::vector<float>> GgufValue::floats() const {
  if (type != GgufType::array || item != GgufType::f32) return std::nullopt;
  return widen<float>(*this, [](const GgufValue& one) { return one.real(); });
}

std::string GgufValue::summary() const {
  if (const auto t = text()) return std::string(*t);
  if (const auto b = boolean()) return *b ? "true" : "false";
  if (const auto n = integer()) return message(*n);
  if (const auto x = real()) return message(*x);
  if (const auto words = texts(); words && words->size() <= 8) {
    std::string out;
    for (const std::string_view word : *words) out += (out.empty() ? "[" : ", ") + std::string(word);
    return out.empty() ? "[]" : out + "]";
  }
  return message("[", count, item == GgufType::text ? " strings]" : " entries]");
}

Gguf Gguf::parse(std::span<const std::byte> bytes, const std::string& path) {
  Cursor in(bytes, path);
  Gguf file;
  file.version = read_version(in);
  const auto tensor_count = in.count(24, "tensors");
  const auto key_count = in.count(13, "metadata entries");
  std::unordered_set<std::string_view> seen;
  for (std::uint64_t i = 0; i < key_count; ++i) {
    const std::string_view key = in.text(kLongestKey, "a metadata key");
    if (!seen.insert(key).second) in.fail(message("the key '", key, "' occurs twice."));
    const GgufType type = read_type(in);
    file.metadata.emplace_back(key, read_value(in, type));
  }
  std::vector<TensorEntry> entries;
  std::unordered_set<std::string> names;
  for (std::uint64_t i = 0; i < tensor_count; ++i) {
    entries.push_back(read_tensor_entry(in));
    if (!names.insert(entries.back().view.name).second)
      in.fail(message("the tensor '", entries.back().view.name, "' occurs twice."));
  }
  place_tensors(file, entries, bytes, in);
  return file;
}

const GgufValue* Gguf::find(std::string_view key) const {
  const auto hit = std::ranges::find(metadata, key, &std::pair<std::string, GgufValue>::first);
  return hit == metadata.end() ? nullptr : &hit->second;
}

}  // namespace synthema
