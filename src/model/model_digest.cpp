#include <filesystem>

#include "src/model/model_impl.hpp"
#include "synthema/data/digest.hpp"

namespace synthema {

namespace {

std::string digest_of(const ModelFile& model, const ModelFile::Impl& impl) {
  if (!impl.memory.empty())
    return sha256_hex({reinterpret_cast<const char*>(impl.memory.data()), impl.memory.size()});
  if (impl.names.size() == 1 && impl.names.front() == model.path()) return file_sha256_hex(model.path());
  Sha256 all;  // of a folder: every file by its name and contents, in the order of names
  for (const std::string& name : impl.names)
    all.field(name).field(file_sha256_hex((std::filesystem::path(model.path()) / name).string()));
  return all.hex();
}

}  // namespace

const std::string& ModelFile::digest() const {
  std::call_once(impl_->digested, [&] { impl_->digest = digest_of(*this, *impl_); });
  return impl_->digest;
}

}  // namespace synthema
