#include <doctest/doctest.h>

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
