#include <doctest/doctest.h>

#include "synthema/core/counted.hpp"

using namespace synthema;

TEST_CASE("one of a thing is not plural") {
  CHECK(counted(0, "row") == "0 rows");
  CHECK(counted(1, "row") == "1 row");
  CHECK(counted(12, "rejected draft") == "12 rejected drafts");
}
