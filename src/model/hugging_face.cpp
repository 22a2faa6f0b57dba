#include "src/model/loaded_model.hpp"
#include "synthema/core/error.hpp"

namespace synthema::detail {

FolderModel load_folder(const std::string& path) {
  throw ModelError(Location{.file = path}, "Folders are not read yet.");
}

}  // namespace synthema::detail
