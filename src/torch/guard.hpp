// The edge of src/torch: what libtorch throws leaves as a ModelError without its stack.
#pragma once

#include <c10/util/Exception.h>

#include <string>
#include <utility>

#include "synthema/core/error.hpp"

namespace synthema::detail {

template <class Action>
decltype(auto) guarded(const char* doing, Action&& action) {
  try {
    return std::forward<Action>(action)();
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    throw ModelError(message("libtorch failed while ", doing, ": ", text.substr(0, text.find('\n'))));
  }
}

}  // namespace synthema::detail
