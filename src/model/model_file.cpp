#include "synthema/model/model_file.hpp"

#include <filesystem>
#include <mutex>
#include <unordered_map>

#include "src/model/folder.hpp"
#include "src/model/loaded_model.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/digest.hpp"

namespace synthema {

struct ModelFile::Impl {
  std::string path;
  std::vector<MappedFile> files;   // what the tensor views point into,
  std::vector<std::byte> memory;   // or this, for a model that was handed over in memory
  std::vector<std::string> names;  // of all files that were read from a folder, sorted
  detail::LoadedModel model;
  std::unordered_map<std::string_view, const TensorView*> by_name;
  mutable std::once_flag digested;
  mutable std::string digest;

  void index_tensors() {
    for (const TensorView& view : model.tensors) by_name.emplace(view.name, &view);
  }
  std::string compute_digest() const;
};

std::string ModelFile::Impl::compute_digest() const {
  if (!memory.empty()) return sha256_hex({reinterpret_cast<const char*>(memory.data()), memory.size()});
  if (names.empty()) return file_sha256_hex(path);
  return detail::digest_of_files(path, names);
}

ModelFile ModelFile::open(const std::string& path) {
  auto impl = std::make_shared<Impl>();
  impl->path = path;
  std::error_code ignored;  // what cannot be asked about is reported when it is opened
  if (std::filesystem::is_directory(path, ignored)) {
    detail::FolderModel folder = detail::load_folder(path);
    impl->files = std::move(folder.files);
    impl->names = std::move(folder.names);
    impl->model = std::move(folder.model);
  } else {
    impl->files.push_back(MappedFile::open(path));
    impl->model = detail::load_gguf(impl->files.front().bytes(), path);
  }
  impl->index_tensors();
  return ModelFile(std::move(impl));
}

ModelFile ModelFile::from_gguf(std::vector<std::byte> bytes, const std::string& path) {
  auto impl = std::make_shared<Impl>();
  impl->path = path;
  impl->memory = std::move(bytes);
  impl->model = detail::load_gguf(impl->memory, path);
  impl->index_tensors();
  return ModelFile(std::move(impl));
}

const std::string& ModelFile::path() const {
  return impl_->path;
}
const std::string& ModelFile::format() const {
  return impl_->model.format;
}
const ModelConfig& ModelFile::config() const {
  return impl_->model.config;
}
const TokenizerData& ModelFile::tokenizer() const {
  return impl_->model.tokenizer;
}
std::span<const TensorView> ModelFile::tensors() const {
  return impl_->model.tensors;
}
const std::vector<std::pair<std::string, std::string>>& ModelFile::metadata() const {
  return impl_->model.metadata;
}

const TensorView* ModelFile::find(std::string_view name) const {
  const auto hit = impl_->by_name.find(name);
  return hit == impl_->by_name.end() ? nullptr : hit->second;
}

const TensorView& ModelFile::at(std::string_view name) const {
  if (const TensorView* const view = find(name)) return *view;
  throw ModelError(Location{.file = path()}, message("The model has no tensor '", name, "'."));
}

std::int64_t ModelFile::parameters() const {
  std::int64_t n = 0;
  for (const TensorView& view : tensors()) n += view.elements();
  return n;
}

const std::string& ModelFile::digest() const {
  std::call_once(impl_->digested, [&] { impl_->digest = impl_->compute_digest(); });
  return impl_->digest;
}

}  // namespace synthema
