// Turns: what one thread may use at a time, while others wait until it is theirs.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

namespace synthema {

class Turns {
 public:
  // The turn of the thread that made it, until it is destroyed there.
  class Turn {
   public:
    // Waits for it. `while_waiting` is called a few times a second and may throw to give up.
    explicit Turn(Turns& turns, const std::function<void()>& while_waiting = {}) : turns_(turns) {
      while (!turns.mutex_.try_lock_for(std::chrono::milliseconds(100)))
        if (while_waiting) while_waiting();
      turns.owner_ = std::this_thread::get_id();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      turns_.owner_ = std::thread::id();
      turns_.mutex_.unlock();
    }

   private:
    Turns& turns_;
  };

  // Whether this thread has the turn: it would wait for itself.
  bool mine() const { return owner_ == std::this_thread::get_id(); }

 private:
  std::timed_mutex mutex_;
  std::atomic<std::thread::id> owner_;
};

}  // namespace synthema
