// How many threads torch's operations use in the thread that calls them.
#pragma once

#include <ATen/Parallel.h>

#include <cstddef>

namespace synthema::detail {

// The caller's number of torch threads, restored at the end. Setting it is not free: only where it differs.
class ThreadsGuard {
 public:
  explicit ThreadsGuard(std::size_t threads)
      : before_(at::get_num_threads()), now_(static_cast<int>(threads)) {
    if (now_ != before_) at::set_num_threads(now_);
  }
  ~ThreadsGuard() {
    if (now_ != before_) at::set_num_threads(before_);
  }
  ThreadsGuard(const ThreadsGuard&) = delete;
  ThreadsGuard& operator=(const ThreadsGuard&) = delete;

 private:
  int before_, now_;
};

}  // namespace synthema::detail
