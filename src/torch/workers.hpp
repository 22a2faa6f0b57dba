// Threads that live as long as the model. With many rows each computes its own through all layers; with few
// they work as a team that shares each product. Who waits turns for some microseconds before it sleeps: in a
// team the next piece of work comes at once, and a core that waits longer belongs to somebody else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "synthema/core/export.hpp"

namespace synthema::detail {

class SYNTHEMA_EXPORT Workers {
 public:
  explicit Workers(std::size_t threads);  // the caller of run() is one of them
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t size() const { return size_; }
  // task(i) for i in [0, count), count <= size(), each on its own thread; the first exception is rethrown.
  void run(std::size_t count, const std::function<void(std::size_t)>& task);

 private:
  class Crew;
  void leave_to_parent();  // a fork copies no thread: the child begins with a crew of its own

  std::size_t size_;
  std::unique_ptr<Crew> crew_;
};

// task(first, last) over [0, count): one range for each thread of the team, or all of it here where there is
// none.
template <class Task>
void split(Workers* team, std::int64_t count, const Task& task) {
  const auto threads = team ? static_cast<std::int64_t>(team->size()) : 1;
  if (threads == 1 || count < 2) return task(std::int64_t{0}, count);
  team->run(static_cast<std::size_t>(threads < count ? threads : count), [&](std::size_t index) {
    const std::int64_t parts = threads < count ? threads : count, i = static_cast<std::int64_t>(index);
    task(count * i / parts, count * (i + 1) / parts);
  });
}

}  // namespace synthema::detail
