// A model folder in Hugging Face layout as a set of files. What was read is remembered, for the digest; every
// failure is a ModelError with the path.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "src/model/json_file.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/model/mapped_file.hpp"

namespace synthema::detail {

inline constexpr std::uintmax_t kLargestText = std::uintmax_t{1} << 30;

class Folder {
 public:
  explicit Folder(const std::string& path) : path_(path) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(path_, ignored))
      fail(message(
          std::filesystem::exists(path_, ignored) ? "This is no folder" : "There is no such folder",
          "; a model is opened by the folder that holds its weights, config.json and tokenizer.json."));
  }

  [[noreturn]] void fail(const std::string& what) const { fail_json(path_.string(), what); }
  std::string full(const std::string& name) const { return (path_ / name).string(); }
  bool has(const std::string& name) const {
    std::error_code ignored;
    return std::filesystem::is_regular_file(path_ / name, ignored);
  }
  std::string read(const std::string& name) {
    if (!has(name)) fail(message("The folder has no file '", name, "'."));
    if (std::filesystem::file_size(path_ / name) > kLargestText)
      fail(message("The file '", name, "' is too large."));
    std::ifstream in(path_ / name, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) fail(message("The file '", name, "' cannot be read."));
    used_.push_back(name);
    return text;
  }
  // null where the file is missing
  ModelJson json_or_null(const std::string& name) {
    return has(name) ? parse_model_json(read(name), full(name)) : ModelJson();
  }
  MappedFile map(const std::string& name) {
    if (!has(name)) fail(message("The folder has no file '", name, "'."));
    used_.push_back(name);
    return MappedFile::open(full(name));
  }
  std::vector<std::string> used() const {
    std::vector<std::string> out = used_;
    std::ranges::sort(out);
    return out;
  }

 private:
  std::filesystem::path path_;
  std::vector<std::string> used_;
};

// The files that the index names; a name that leads out of the folder is refused.
inline std::vector<std::string> shards(Folder& folder) {
  constexpr const char* single = "model.safetensors";
  constexpr const char* index = "model.safetensors.index.json";
  if (folder.has(single)) return {single};
  if (!folder.has(index)) folder.fail(message("The folder has neither '", single, "' nor '", index, "'."));
  const ModelJson json = folder.json_or_null(index);
  const ModelJson* const map = JsonKeys(json, folder.full(index)).find("weight_map");
  if (!map || !map->is_object() || map->empty()) folder.fail("The index of the weights has no weight_map.");
  std::vector<std::string> out;
  for (const auto& [tensor, file] : map->items()) {
    if (!file.is_string() || file.get<std::string>().find_first_of("/\\") != std::string::npos ||
        file == "..")
      folder.fail("The index of the weights names a file that is not in the folder.");
    out.push_back(file.get<std::string>());
  }
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// SHA-256 of every file by its name and contents, in the order given.
inline std::string digest_of_files(const std::filesystem::path& folder,
                                   const std::vector<std::string>& names) {
  Sha256 all;
  for (const std::string& name : names) all.field(name).field(file_sha256_hex((folder / name).string()));
  return all.hex();
}

}  // namespace synthema::detail
