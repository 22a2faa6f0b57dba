#include "src/generate/tabular/model_arrays.hpp"

#include <algorithm>
#include <bit>

#include "synthema/core/version.hpp"
#include "synthema/data/digest.hpp"

namespace synthema::detail {

namespace {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

constexpr const char* kFormat = "synthema.tabular";
constexpr int kVersion = 1;
constexpr std::uint64_t kLongestHeader = 100'000'000;
constexpr int kDeepest = 16;

std::size_t size_of(const std::string& type) {
  if (type == "U8") return 1;
  if (type == "U32" || type == "F32") return 4;
  return type == "U64" || type == "I64" || type == "F64" ? 8 : 0;
}

// No duplicates are looked for: the last of two equal keys counts, as in every reader of ours of this file.
ArrayJson parsed(std::string_view text) {
  const auto shallow = [](int depth, nlohmann::ordered_json::parse_event_t, nlohmann::ordered_json&) {
    return depth <= kDeepest;
  };
  return ArrayJson::parse(text, shallow, false);
}

}  // namespace

ModelArrays::ModelArrays(std::string_view file, const std::string& path, const std::string& method)
    : path_(path), method_(method) {
  std::uint64_t length = 0;
  if (file.size() < 8) fail("The file is too short to be a model.");
  std::memcpy(&length, file.data(), 8);
  if (length > kLongestHeader || length > file.size() - 8) fail("The header does not fit into the file.");
  const ArrayJson header = parsed(file.substr(8, length));
  const std::string_view data = file.substr(8 + length);
  if (!header.is_object() || !header.contains("__metadata__")) fail("The header is no JSON of a model.");
  const ArrayJson& metadata = header["__metadata__"];
  if (value<std::string>(metadata, "format") != kFormat) fail("The file holds something else.");
  if (value<std::string>(metadata, "version") != std::to_string(kVersion))
    throw ModelError({.file = path}, "The model has another version than this library reads (1).");
  const auto found = value<std::string>(metadata, "method");
  if (found != method)
    throw ModelError({.file = path}, message("The model is one of ", found, ", not of ", method, "."));
  about = parsed(value<std::string>(metadata, "model"));
  if (!about.is_object()) fail("The description is no JSON.");
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const auto type = value<std::string>(entry, "dtype");
    const auto shape = value<std::vector<std::uint64_t>>(entry, "shape");
    const auto offsets = value<std::vector<std::uint64_t>>(entry, "data_offsets");
    const std::size_t size = size_of(type);
    if (size == 0 || shape.size() != 1 || offsets.size() != 2 || offsets[0] > offsets[1] ||
        offsets[1] > data.size() || shape[0] > data.size() || offsets[1] - offsets[0] != shape[0] * size)
      fail("The array '" + name + "' does not lie where the header says.");
    places.emplace_back(offsets[0], offsets[1]);
    arrays_[name] = {type, std::string(data.substr(offsets[0], offsets[1] - offsets[0]))};
  }
  std::sort(places.begin(), places.end());
  std::uint64_t at = 0;
  for (const auto& [begin, end] : places) {
    if (begin != at) fail("Arrays overlap or leave a gap.");
    at = end;
  }
  if (at != data.size()) fail("There are bytes that belong to nothing.");
  if (metadata.contains("digest"))
    require(value<std::string>(metadata, "digest") == digest(), "it was changed after it was saved");
}

std::string ModelArrays::file() const {
  ArrayJson header = ArrayJson::object();
  header["__metadata__"] = {{"format", kFormat},
                            {"version", std::to_string(kVersion)},
                            {"library", std::string("synthema ") + SYNTHEMA_VERSION},
                            {"method", method_},
                            {"digest", digest()},
                            {"model", about.dump()}};
  std::uint64_t at = 0;
  for (const auto& [name, entry] : arrays_) {
    header[name] = {{"dtype", entry.type},
                    {"shape", {entry.bytes.size() / size_of(entry.type)}},
                    {"data_offsets", {at, at + entry.bytes.size()}}};
    at += entry.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string out(reinterpret_cast<const char*>(&length), 8);
  out += text;
  out.reserve(out.size() + at);
  for (const auto& [name, entry] : arrays_) out += entry.bytes;
  return out;
}

std::string ModelArrays::digest() const {
  Sha256 hash;
  hash.field(about.dump());
  for (const auto& [name, entry] : arrays_) hash.field(name).field(entry.type).field(entry.bytes);
  return hash.hex();
}

}  // namespace synthema::detail
