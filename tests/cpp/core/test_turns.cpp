#include <doctest/doctest.h>

#include <stdexcept>
#include <thread>
#include <vector>

#include "synthema/core/turns.hpp"

using namespace synthema;

TEST_CASE("threads have their turn one at a time") {
  Turns turns;
  int count = 0;  // not atomic: the turns keep it whole
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) {
          const Turns::Turn turn(turns);
          ++count;
        }
      });
  }
  CHECK(count == 4000);
}

TEST_CASE("a thread knows its own turn, and others do not have it") {
  Turns turns;
  CHECK(!turns.mine());
  {
    const Turns::Turn turn(turns);
    CHECK(turns.mine());
    std::jthread([&] { CHECK(!turns.mine()); }).join();
  }
  CHECK(!turns.mine());
}

TEST_CASE("who waits may give up, and the turn is free afterwards") {
  Turns turns;
  {
    const Turns::Turn turn(turns);
    std::jthread([&] {
      const auto give_up = [] { throw std::runtime_error("enough"); };
      CHECK_THROWS_AS((Turns::Turn{turns, give_up}), std::runtime_error);
    }).join();
  }
  CHECK_NOTHROW(Turns::Turn{turns});
}
