// Threads that live as long as the model. Each computes its own rows through all layers, so that no product
// is split between threads and no OpenMP runs inside.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace synthema::detail {

class Workers {
 public:
  explicit Workers(std::size_t threads);  // the caller of run() is one of them
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t size() const { return threads_.size() + 1; }
  // task(i) for i in [0, count), count <= size(), each on its own thread; the first exception is rethrown.
  void run(std::size_t count, const std::function<void(std::size_t)>& task);

 private:
  void serve(std::size_t index);
  void attempt(std::size_t index, const std::function<void(std::size_t)>& task);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(std::size_t)>* task_ = nullptr;
  std::size_t count_ = 0, left_ = 0, round_ = 0;
  bool stop_ = false;
  std::exception_ptr error_;
};

}  // namespace synthema::detail
