#include "synthema/model/model_file.hpp"

#include <filesystem>
#include <mutex>
#include <unordered_map>

#include "src/model/loaded_model.hpp"
#include "src/model/model_impl.hpp"
#include "synthema/core/error.hpp"

namespace synthema {

namespace {

void index_tensors(ModelFile::Impl& impl) {
  for (const TensorView& view : impl.model.tensors) impl.by_name.emplace(view.name, &view);
}

}  // namespace

ModelFile ModelFile::open(const std::string& path) {
  auto impl = std::make_shared<Impl>();
  impl->path = path;
  if (std::filesystem::is_directory(path)) {
    detail::FolderModel folder = detail::load_folder(path);
    impl->files = std::move(folder.files);
    impl->names = std::move(folder.names);
    impl->model = std::move(folder.model);
  } else {
    impl->files.push_back(MappedFile::open(path));
    impl->names = {path};
    impl->model = detail::load_gguf(impl->files.front().bytes(), path);
  }
  index_tensors(*impl);
  return ModelFile(std::move(impl));
}

ModelFile ModelFile::from_gguf(std::vector<std::byte> bytes, const std::string& path) {
  auto impl = std::make_shared<Impl>();
  impl->path = path;
  impl->memory = std::move(bytes);
  impl->model = detail::load_gguf(impl->memory, path);
  index_tensors(*impl);
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

}  // namespace synthema
