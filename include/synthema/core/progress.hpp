// Progress out, cancel in. Both are values that a caller passes; nothing is global and nothing is printed
// here.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "synthema/core/error.hpp"

namespace synthema {

struct Progress {
  std::string phase;         // "generate", "evaluate", ...
  std::uint64_t done = 0;    // finished units
  std::uint64_t total = 0;   // 0: not known
  std::string note;          // one short line for people, e.g. "acceptance 0.41"
  std::uint64_t tokens = 0;  // generated so far, rejected attempts too; 0: not known
};

using ProgressSink =
    std::function<void(const Progress&)>;  // called from the driving thread only; may throw to stop

// A shared flag: copies see the same request.
class CancelToken {
 public:
  void cancel() noexcept { flag_->store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return flag_->load(std::memory_order_relaxed); }
  // Throws Cancelled once cancel() was called.
  void check() const {
    if (cancelled())
      throw Cancelled("The work was cancelled by the caller; what was finished before is kept.");
  }

 private:
  std::shared_ptr<std::atomic<bool>> flag_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace synthema
