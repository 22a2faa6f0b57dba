// What several evaluators of one run need, made once by whoever asks first: the nearest rows of every table,
// for instance. evaluate_all() gives its evaluators one; without one each makes its own.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace synthema {

class SharedWork {
 public:
  // The thing of this key, made by make() -> std::shared_ptr<T> if it is not there yet. One type a key.
  template <class T, class Make>
  std::shared_ptr<T> get(const std::string& key, const Make& make) {
    const std::scoped_lock lock(mutex_);
    std::shared_ptr<void>& held = things_[key];
    if (!held) held = make();
    return std::static_pointer_cast<T>(held);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<void>> things_;
};

}  // namespace synthema
