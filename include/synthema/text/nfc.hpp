// Unicode normalisation form C (UAX #15), which some tokenizers apply to a text before they split it:
// composed characters where there are any, marks in canonical order.
#pragma once

#include <string>
#include <string_view>

#include "synthema/core/export.hpp"

namespace synthema {

// UTF-8 in and out, Unicode 16.0. Bytes that are no UTF-8 stay as they are.
SYNTHEMA_EXPORT std::string nfc(std::string_view text);

}  // namespace synthema
