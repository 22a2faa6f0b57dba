// What a ModelFile holds.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/model/loaded_model.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema {

struct ModelFile::Impl {
  std::string path;
  std::vector<MappedFile> files;   // what the tensor views point into,
  std::vector<std::byte> memory;   // or this, for a model that was handed over in memory
  std::vector<std::string> names;  // of all files that were read
  detail::LoadedModel model;
  std::unordered_map<std::string_view, const TensorView*> by_name;
  mutable std::once_flag digested;
  mutable std::string digest;
};

}  // namespace synthema
