#include "src/torch/workers.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace synthema::detail {

namespace {

constexpr int kTurns = 2000;  // about 50 microseconds

template <class Condition>
void turn_until(const Condition& condition) {
  for (int i = 0; i < kTurns && !condition(); ++i) {
#if defined(__x86_64__)
    _mm_pause();
#else
    std::this_thread::yield();
#endif
  }
}

}  // namespace

Workers::Workers(std::size_t threads) {
  for (std::size_t i = 1; i < threads; ++i) threads_.emplace_back([this, i] { serve(i); });
}

Workers::~Workers() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Workers::run(std::size_t count, const std::function<void(std::size_t)>& task) {
  if (count == 0) return;
  {
    const std::scoped_lock lock(mutex_);
    task_ = &task;
    count_ = count;
    left_ = count - 1;
    error_ = nullptr;
    ++round_;
  }
  if (count > 1) wake_.notify_all();
  attempt(0, task);
  turn_until([this] { return left_.load() == 0; });
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return left_ == 0; });
  count_ = 0;
  if (error_) std::rethrow_exception(error_);
}

void Workers::attempt(std::size_t index, const std::function<void(std::size_t)>& task) {
  try {
    task(index);
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    if (!error_) error_ = std::current_exception();
  }
}

void Workers::serve(std::size_t index) {
  std::size_t seen = 0;
  std::unique_lock lock(mutex_, std::defer_lock);
  for (;;) {
    turn_until([&] { return round_.load() != seen; });
    lock.lock();
    wake_.wait(lock, [&] { return stop_ || (round_ != seen && index < count_); });
    if (stop_) return;
    seen = round_;
    const auto* task = task_;
    lock.unlock();
    attempt(index, *task);
    lock.lock();
    if (--left_ == 0) done_.notify_one();
    lock.unlock();
  }
}

}  // namespace synthema::detail
