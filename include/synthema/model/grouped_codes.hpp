// The codes inside a quantised tensor, as the file has them: what integer arithmetic works on without a
// second loss.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema {

// weight = scale * (code - zero), or scale * code + offset.
struct GroupCoding {
  std::int32_t group = 0;  // neighbouring inputs that share a scale: 32, or 16
  std::int32_t bits = 0;   // of a code
  std::int32_t zero = 0;   // the code of the weight 0, where there are no offsets
  bool offsets = false;
  friend bool operator==(const GroupCoding&, const GroupCoding&) = default;
};

struct GroupedCodes {
  GroupCoding coding;
  std::vector<std::uint8_t> codes;  // one per element, in the tensor's order
  std::vector<float> scales;        // one per group
  std::vector<float> offsets;       // the same, or none
};

// Nothing for F32, F16 and BF16. ModelError if the tensor's size and bytes disagree, or a scale is not
// finite.
SYNTHEMA_EXPORT std::optional<GroupedCodes> grouped_codes(const TensorView& view);

}  // namespace synthema
