// Where the time of a model goes: seconds of all its threads, by part of a step. Always on: a lap costs some
// ten nanoseconds and there are a few hundred in a step.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace synthema::detail {

enum class Part : std::uint8_t {
  products,           // of rows with the matrices of the layers, rows made to integers included
  head,               // the same for the logits
  shared_attention,   // over blocks that several rows see
  private_attention,  // over blocks of one row
  draws,              // what callers do with logits
  rest                // of the layers: embeddings, norms, rotations, storing keys, activations
};
constexpr std::array<const char*, 6> kPartNames{"products",          "head",  "shared attention",
                                                "private attention", "draws", "rest of the layers"};

class PartTimes {
 public:
  using Clock = std::chrono::steady_clock;

  void add(Part part, Clock::duration time, std::size_t threads) {
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
    sums_[static_cast<std::size_t>(part)].fetch_add(nanoseconds * static_cast<std::int64_t>(threads),
                                                    std::memory_order_relaxed);
  }
  std::vector<std::pair<std::string, double>> seconds() const {
    std::vector<std::pair<std::string, double>> out;
    for (std::size_t i = 0; i < sums_.size(); ++i)
      out.emplace_back(kPartNames[i], 1e-9 * static_cast<double>(sums_[i].load(std::memory_order_relaxed)));
    return out;
  }

 private:
  std::array<std::atomic<std::int64_t>, kPartNames.size()> sums_{};
};

// A stopwatch of one thread, which may lead a team of several: end(part) gives what passed since the last
// end() to that part.
class Laps {
 public:
  explicit Laps(PartTimes& times, std::size_t threads = 1) : times_(times), threads_(threads) {}
  void end(Part part) {
    const auto now = PartTimes::Clock::now();
    times_.add(part, now - begin_, threads_);
    begin_ = now;
  }
  // What passed was counted by the team's own threads.
  void skip() { begin_ = PartTimes::Clock::now(); }

 private:
  PartTimes& times_;
  std::size_t threads_;
  PartTimes::Clock::time_point begin_ = PartTimes::Clock::now();
};

}  // namespace synthema::detail
