// parallel_for: runs body(i) for i in [0, n) on up to `threads` threads. Each index is handled once and
// writes only its own results, so the outcome does not depend on the number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace synthema {

// 0 asks for one thread per core.
inline std::size_t thread_count(std::size_t requested) {
  return requested > 0 ? requested : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

// The first exception thrown by a body is rethrown here after all threads have stopped.
template <class Body>
void parallel_for(std::size_t n, const Body& body, std::size_t threads = 0, std::size_t grain = 1) {
  grain = std::max<std::size_t>(1, grain);
  threads = std::min(thread_count(threads), (n + grain - 1) / grain);
  if (threads <= 1) {
    for (std::size_t i = 0; i < n; ++i) body(i);
    return;
  }
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::mutex error_mutex;
  const auto work = [&] {
    try {
      for (std::size_t begin = next.fetch_add(grain); begin < n && !failed; begin = next.fetch_add(grain))
        for (std::size_t i = begin; i < std::min(n, begin + grain); ++i) body(i);
    } catch (...) {
      const std::scoped_lock lock(error_mutex);
      if (!error) error = std::current_exception();
      failed = true;
    }
  };
  {
    std::vector<std::jthread> workers;
    for (std::size_t t = 1; t < threads; ++t) workers.emplace_back(work);
    work();
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace synthema
