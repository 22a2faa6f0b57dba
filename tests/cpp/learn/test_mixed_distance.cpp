#include <doctest/doctest.h>

#include "synthema/learn/mixed_distance.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Table two(const std::vector<std::pair<Value, Value>>& rows) {
  std::vector<Record> records;
  for (const auto& [x, c] : rows) records.push_back({{"x", x}, {"c", c}});
  return Table::from_records(
      {.fields = {{.name = "x", .kind = Kind::real}, {.name = "c", .kind = Kind::category}}}, records);
}
double distance(const Table& scale, const Table& rows, Scaling scaling = Scaling::range) {
  const Table* by[] = {&scale};
  MixedSpace space(by, {"x", "c"}, scaling);
  const MixedRows r = space.encode(rows);
  return space.distance(r.row(0), r.row(1));
}

}  // namespace

TEST_CASE("the mean over columns of differences in [0, 1]") {
  const Table scale = two({{0.0, "a"}, {10.0, "b"}});
  CHECK(distance(scale, two({{1.0, "a"}, {3.0, "a"}})) == Approx(0.1));
  CHECK(distance(scale, two({{1.0, "a"}, {3.0, "b"}})) == Approx(0.6));
  CHECK(distance(scale, two({{1.0, "new"}, {1.0, "new"}})) == 0);  // seen in no table before
  CHECK(distance(scale, two({{1.0, "new"}, {1.0, "other"}})) == 0.5);
  CHECK(distance(scale, two({{-90.0, "a"}, {90.0, "a"}})) == 0.5);  // at most 1 a column
}

TEST_CASE("missing: at 0 from missing, at 1 from all else") {
  const Table scale = two({{0.0, "a"}, {10.0, "b"}});
  CHECK(distance(scale, two({{Value(), "a"}, {Value(), "a"}})) == 0);
  CHECK(distance(scale, two({{Value(), "a"}, {0.0, "a"}})) == 0.5);
  CHECK(distance(scale, two({{Value(), Value()}, {0.0, "a"}})) == 1);
}

TEST_CASE("a column without range tells only whether values differ") {
  const Table scale = two({{5.0, "a"}, {5.0, "b"}});
  CHECK(distance(scale, two({{5.0, "a"}, {5.0, "a"}})) == 0);
  CHECK(distance(scale, two({{5.0, "a"}, {5.0000001, "a"}})) == 0.5);
}

TEST_CASE("quantile scaling: shares of the real values below") {
  const Table scale = two({{0.0, "a"}, {1.0, "a"}, {2.0, "a"}, {1000.0, "a"}});
  CHECK(distance(scale, two({{0.0, "a"}, {2.0, "a"}})) == Approx(0.001));
  CHECK(distance(scale, two({{0.0, "a"}, {2.0, "a"}}), Scaling::quantile) == Approx(0.25));
}

TEST_CASE("columns of other kinds are refused") {
  const Table numbers = Table::from_records({.fields = {{.name = "x", .kind = Kind::real}}}, {});
  const Table texts = Table::from_records({.fields = {{.name = "x"}}}, {});
  const Table* by[] = {&numbers};
  MixedSpace space(by, {"x"});
  CHECK_THROWS_AS(space.encode(texts), EvaluationError);
  const Table* text_scale[] = {&texts};
  CHECK_THROWS_AS(MixedSpace(text_scale, {"x"}), EvaluationError);
}
