#include "src/torch/workers.hpp"

namespace synthema::detail {

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
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stop_ || (round_ != seen && index < count_); });
    if (stop_) return;
    seen = round_;
    const auto* task = task_;
    lock.unlock();
    attempt(index, *task);
    lock.lock();
    if (--left_ == 0) done_.notify_one();
  }
}

}  // namespace synthema::detail
