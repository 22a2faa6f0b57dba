// Progress out, cancel in. Both are values that a caller passes; nothing is global and nothing is printed
// here.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

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

// Counts work that any thread finishes and tells it from the thread that made the counter. That thread may be
// left without work by quicker ones, so finish() tells the end in any case.
class ProgressCounter {
 public:
  ProgressCounter(const ProgressSink& sink, std::string phase, std::uint64_t total)
      : sink_(sink), phase_(std::move(phase)), total_(total) {}

  // From any thread.
  void add(std::uint64_t finished) {
    const std::uint64_t done = done_ += finished;
    if (done < total_ && std::this_thread::get_id() == driver_) tell(done);
  }
  // From the thread that made the counter, when all is done.
  void finish() const { tell(total_); }

 private:
  void tell(std::uint64_t done) const {
    if (sink_) sink_({.phase = phase_, .done = done, .total = total_, .note = {}});
  }

  const ProgressSink& sink_;
  std::string phase_;
  std::uint64_t total_;
  std::atomic<std::uint64_t> done_{0};
  std::thread::id driver_ = std::this_thread::get_id();
};

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
