#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "synthema/core/parallel.hpp"

using namespace synthema;

TEST_CASE("every index is handled once, whatever the threads and the grain") {
  for (const std::size_t threads : {1, 2, 5, 64})
    for (const std::size_t grain : {0, 1, 7, 5000}) {
      std::vector<int> handled(1000);
      parallel_for(handled.size(), [&](std::size_t i) { ++handled[i]; }, threads, grain);
      CHECK(handled == std::vector<int>(1000, 1));
    }
  parallel_for(0, [](std::size_t) { FAIL("there is nothing to do"); });
}

TEST_CASE("results do not depend on the number of threads") {
  const auto run = [](std::size_t threads) {
    std::vector<std::uint64_t> out(500);
    parallel_for(out.size(), [&](std::size_t i) { out[i] = i * i + 1; }, threads);
    return out;
  };
  CHECK(run(1) == run(8));
}

TEST_CASE("an exception comes out after all threads have stopped") {
  for (const std::size_t threads : {1, 4}) {
    std::atomic<int> running{0};
    const auto body = [&](std::size_t i) {
      ++running;
      if (i == 10) {
        --running;
        throw std::runtime_error("index " + std::to_string(i));
      }
      --running;
    };
    CHECK_THROWS_WITH_AS(parallel_for(100, body, threads), "index 10", std::runtime_error);
    CHECK(running == 0);
  }
}

TEST_CASE("zero threads means one per core") {
  CHECK(thread_count(3) == 3);
  CHECK(thread_count(0) >= 1);
}
