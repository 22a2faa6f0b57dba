#include "synthema/model/safetensors.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "src/model/json_file.hpp"

namespace synthema {

namespace {

using detail::fail_json;
using detail::ModelJson;

constexpr std::uint64_t kLongestHeader = 100'000'000;  // of the reference implementation

TensorType type_named(const std::string& dtype, const std::string& tensor, const std::string& path) {
  if (dtype == "F32") return TensorType::f32;
  if (dtype == "F16") return TensorType::f16;
  if (dtype == "BF16") return TensorType::bf16;
  fail_json(path, message("The tensor '", tensor, "' has the type ", dtype, "; F32, F16 and BF16 are read."));
}

std::uint64_t unsigned_of(const ModelJson& value, const std::string& tensor, const std::string& path) {
  if (!value.is_number_unsigned())
    fail_json(path, message("The tensor '", tensor, "' has a size that is no natural number."));
  return value.get<std::uint64_t>();
}

std::vector<std::int64_t> read_shape(const ModelJson& shape, const std::string& tensor,
                                     const std::string& path) {
  if (!shape.is_array() || shape.size() > 8)
    fail_json(path, message("The tensor '", tensor, "' has no sensible shape."));
  std::vector<std::int64_t> out;
  std::uint64_t elements = 1;
  for (const ModelJson& entry : shape) {
    const std::uint64_t n = unsigned_of(entry, tensor, path);
    if (n == 0 || n > (std::uint64_t{1} << 48) / elements)
      fail_json(path, message("The tensor '", tensor, "' has the impossible dimension ", n, "."));
    elements *= n;
    out.push_back(static_cast<std::int64_t>(n));
  }
  return out;
}

// Of a tensor that is passed over, only where it lies.
TensorView read_tensor(const std::string& name, const ModelJson& about, std::span<const std::byte> data,
                       const std::string& path, bool is_passed_over) {
  const detail::JsonKeys keys(about, path);
  const ModelJson *const shape = keys.find("shape"), *const offsets = keys.find("data_offsets");
  if (!shape || !offsets || !offsets->is_array() || offsets->size() != 2)
    fail_json(path, message("The tensor '", name, "' lacks its shape or its two data_offsets."));
  TensorView view;
  view.name = name;
  const std::uint64_t begin = unsigned_of((*offsets)[0], name, path),
                      end = unsigned_of((*offsets)[1], name, path);
  if (begin > end || end > data.size())
    fail_json(path, message("The tensor '", name,
                            "' lies beyond the end of the file; the file is probably cut off."));
  view.data = data.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  if (is_passed_over) return view;
  view.type = type_named(keys.text("dtype"), name, path);
  view.shape = read_shape(*shape, name, path);
  if (end - begin != static_cast<std::uint64_t>(view.elements()) * block_bytes(view.type))
    fail_json(path,
              message("The tensor '", name, "' has ", end - begin, " bytes, which does not fit its shape."));
  return view;
}

// The format wants the data to be covered exactly, without overlaps and holes.
void check_coverage(std::vector<TensorView>& tensors, std::span<const std::byte> data,
                    const std::string& path) {
  std::ranges::sort(tensors, {}, [](const TensorView& view) { return view.data.data(); });
  const std::byte* at = data.data();
  for (const TensorView& view : tensors) {
    if (view.data.data() != at)
      fail_json(path, message("The tensor '", view.name, "' overlaps another or leaves a hole."));
    at += view.data.size();
  }
  if (at != data.data() + data.size()) fail_json(path, "The file has bytes that belong to no tensor.");
}

}  // namespace

std::vector<TensorView> parse_safetensors(std::span<const std::byte> bytes, const std::string& path,
                                          bool (*passed_over)(std::string_view name)) {
  const auto is_passed_over = [&](std::string_view name) { return passed_over && passed_over(name); };
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) fail_json(path, "The file is too short for a safetensors file.");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kLongestHeader || length > bytes.size() - sizeof length)
    fail_json(path,
              message("The safetensors header states ", length, " bytes, more than the file can hold."));
  const auto header = bytes.subspan(sizeof length, static_cast<std::size_t>(length));
  const auto data = bytes.subspan(sizeof length + header.size());
  const ModelJson json =
      detail::parse_model_json({reinterpret_cast<const char*>(header.data()), header.size()}, path);
  if (!json.is_object()) fail_json(path, "The safetensors header is not a JSON object.");
  std::vector<TensorView> out;
  for (const auto& [name, about] : json.items())
    if (name != "__metadata__") out.push_back(read_tensor(name, about, data, path, is_passed_over(name)));
  check_coverage(out, data, path);
  std::erase_if(out, [&](const TensorView& view) { return is_passed_over(view.name); });
  return out;
}

}  // namespace synthema
