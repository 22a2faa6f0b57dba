#include "src/torch/workers.hpp"

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif
#if !defined(_WIN32)
#include <unistd.h>
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

std::int64_t this_process() {
#if defined(_WIN32)
  return 0;  // there is no fork
#else
  return getpid();
#endif
}

}  // namespace

class Workers::Crew {
 public:
  explicit Crew(std::size_t threads) {
    for (std::size_t i = 1; i < threads; ++i) threads_.emplace_back([this, i] { serve(i); });
  }
  ~Crew() {
    {
      const std::scoped_lock lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  bool is_of_parent() const { return process_ != this_process(); }
  void run(std::size_t count, const std::function<void(std::size_t)>& task);

 private:
  void serve(std::size_t index);
  void attempt(std::size_t index, const std::function<void(std::size_t)>& task);

  const std::int64_t process_ = this_process();
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(std::size_t)>* task_ = nullptr;
  std::size_t count_ = 0;
  std::atomic<std::size_t> left_ = 0, round_ = 0;
  bool stop_ = false;
  std::exception_ptr error_;
};

Workers::Workers(std::size_t threads)
    : size_(threads > 1 ? threads : 1), crew_(std::make_unique<Crew>(threads)) {}

Workers::~Workers() {
  leave_to_parent();
}

void Workers::leave_to_parent() {
  // Never destroyed here: to join a thread that is not in this process would wait for ever.
  if (crew_->is_of_parent()) static_cast<void>(crew_.release());
}

void Workers::run(std::size_t count, const std::function<void(std::size_t)>& task) {
  leave_to_parent();
  if (!crew_) crew_ = std::make_unique<Crew>(size_);
  crew_->run(count, task);
}

void Workers::Crew::run(std::size_t count, const std::function<void(std::size_t)>& task) {
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

void Workers::Crew::attempt(std::size_t index, const std::function<void(std::size_t)>& task) {
  try {
    task(index);
  } catch (...) {
    const std::scoped_lock lock(mutex_);
    if (!error_) error_ = std::current_exception();
  }
}

void Workers::Crew::serve(std::size_t index) {
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
