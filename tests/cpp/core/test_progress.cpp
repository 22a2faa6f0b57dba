#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "synthema/core/progress.hpp"

using namespace synthema;

TEST_CASE("copies of a cancel token see the same request, other tokens do not") {
  const CancelToken other;
  CancelToken token;
  const CancelToken copy = token;
  CHECK_NOTHROW(copy.check());
  token.cancel();
  CHECK(copy.cancelled());
  CHECK_THROWS_AS(copy.check(), Cancelled);
  CHECK(!other.cancelled());
}

TEST_CASE("a counter tells the end even where other threads did all of the work") {
  std::vector<Progress> seen;
  const ProgressSink sink = [&](const Progress& step) { seen.push_back(step); };
  ProgressCounter counter(sink, "fit", 3);
  counter.add(1);
  std::jthread([&] { counter.add(2); }).join();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].done == 1);
  counter.finish();
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].phase == "fit");
  CHECK(seen[1].done == 3);
  CHECK(seen[1].total == 3);
}

TEST_CASE("a counter without a listener is silent") {
  const ProgressSink nobody;
  ProgressCounter counter(nobody, "fit", 1);
  counter.add(1);
  CHECK_NOTHROW(counter.finish());
}
