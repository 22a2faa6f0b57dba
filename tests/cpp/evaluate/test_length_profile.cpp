#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/length_profile.hpp"
#include "tables.hpp"

using namespace synthema;

TEST_CASE("mean length in words with its quantiles, against the real texts") {
  const Table table = text_table({"One two.", "One two. Three four."}),
              real = text_table({"a b", "a b c d e f"});
  const Score score = LengthProfile().evaluate(&real, table, {});
  CHECK(score.value == 3);
  CHECK(part_of(score, "minimum") == 2);
  CHECK(part_of(score, "lower quartile") == 2.5);
  CHECK(part_of(score, "median") == 3);
  CHECK(part_of(score, "upper quartile") == 3.5);
  CHECK(part_of(score, "maximum") == 4);
  CHECK(part_of(score, "sentences") == 1.5);
  CHECK(part_of(score, "real mean") == 4);
  CHECK(part_of(score, "KS distance to real") == 0.5);  // {2, 4} against {2, 6}
  CHECK(part_of(score, "W1 distance to real") == 1);
  CHECK(nonconformities(LengthProfile(), &real, table, {}).empty());
  CHECK_FALSE(part_of(LengthProfile().evaluate(nullptr, table, {}), "real mean"));
}
