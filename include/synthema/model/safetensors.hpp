// The safetensors format: a little-endian length, a JSON header with dtype, shape and offsets of each tensor,
// then the data. Everything is checked; the views point into the caller's bytes and keep the file's names.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema {

// `path` is for error messages only. ModelError: anything that the format forbids (overlapping or missing
// bytes, offsets beyond the end, sizes that do not fit the shape, a header that is no JSON) or a dtype other
// than F32, F16 and BF16. Tensors for whose name `passed_over` is true are left out and may have any dtype.
SYNTHEMA_EXPORT std::vector<TensorView> parse_safetensors(
    std::span<const std::byte> bytes, const std::string& path,
    bool (*passed_over)(std::string_view name) = nullptr);

}  // namespace synthema
