#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/plausibility.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Schema stays() {
  Schema out{.fields = {{.name = "age", .kind = Kind::integer, .unit = "a", .minimum = 0, .maximum = 120},
                        {.name = "sex", .kind = Kind::category, .categories = {"f", "m"}},
                        {.name = "admitted", .kind = Kind::integer},
                        {.name = "died", .kind = Kind::integer},
                        {.name = "code", .kind = Kind::category, .nullable = false}}};
  out.rules = {{.field = "died", .given = "admitted", .relation = ">="},
               {.field = "code", .given = "sex", .labels = {"m"}, .categories = {"N40", "I10"}}};
  return out;
}

Table stays(const std::vector<Record>& rows, Schema schema = stays()) {
  // Columns may hold what the schema forbids: they are built without it.
  Schema bare = schema;
  bare.rules.clear();
  for (Field& field : bare.fields) field.categories.clear(), field.nullable = true;
  const Table loose = Table::from_records(bare, rows);
  std::vector<Column> columns;
  for (std::size_t c = 0; c < loose.columns(); ++c) columns.push_back(loose.column(c));
  return Table(std::move(schema), std::move(columns));
}

Record stay(int age, const char* sex, int admitted, Value died, Value code) {
  return {{"age", age},
          {"sex", sex},
          {"admitted", admitted},
          {"died", std::move(died)},
          {"code", std::move(code)}};
}

}  // namespace

TEST_CASE("each statement of the schema is counted, and a row needs to keep them all") {
  const Table table = stays({stay(50, "f", 3, 5, "O80"), stay(50, "m", 3, Value(), "N40"),
                             stay(130, "f", 3, 5, "O80"),     // too old
                             stay(50, "x", 3, 5, "O80"),      // no such sex
                             stay(50, "m", 3, 2, "O80"),      // dead before admission, and a woman's code
                             stay(50, "f", 3, 5, Value())});  // without code
  const Score score = SchemaPlausibility().evaluate(nullptr, table, {});
  CHECK(*score.value == Approx(2.0 / 6));
  CHECK(part_of(score, "age within 0 to 120 a") == Approx(5.0 / 6));
  CHECK(part_of(score, "sex among its categories") == Approx(5.0 / 6));
  CHECK(part_of(score, "died >= admitted") == Approx(5.0 / 6));
  CHECK(part_of(score, "code among 2 labels where sex is m") == Approx(5.0 / 6));
  CHECK(part_of(score, "code not missing") == Approx(5.0 / 6));
  CHECK(score.interval);
  const Table bare = column_table(Kind::real, {1.0});
  CHECK_FALSE(SchemaPlausibility().evaluate(nullptr, bare, {}).value);
  // The real table's schema is what counts.
  const Table real = stays({stay(50, "f", 3, 5, "O80")});
  Schema plain = stays();
  plain.rules.clear();
  for (Field& field : plain.fields) field.minimum.reset(), field.maximum.reset(), field.categories.clear();
  const Table synthetic = stays({stay(130, "f", 3, 5, "O80"), stay(20, "f", 3, 5, "O80")}, plain);
  const Score of_real = SchemaPlausibility().evaluate(&real, synthetic, {});
  CHECK(of_real.value == 0.5);
  CHECK(of_real.ceiling->value == 1);
}

TEST_CASE("rules that real rows keep are found, and broken ones counted") {
  Random random(1);
  const auto rows = [&](std::size_t count, std::size_t broken) {
    std::vector<Record> out;
    for (std::size_t i = 0; i < count; ++i) {
      const int start = static_cast<int>(random.below(50)), end = start + static_cast<int>(random.below(9));
      const std::string town = "t" + std::to_string(i % 6);
      out.push_back({{"start", i < broken ? end + 1 : start},
                     {"end", end},
                     {"town", town},
                     {"region", i % 6 < 3 ? "north" : "south"},
                     {"noise", random.below(2) == 0 ? "p" : "q"}});
    }
    return Table::from_records({.fields = {{.name = "start", .kind = Kind::integer},
                                           {.name = "end", .kind = Kind::integer},
                                           {.name = "town", .kind = Kind::category},
                                           {.name = "region", .kind = Kind::category},
                                           {.name = "noise", .kind = Kind::category}}},
                               out);
  };
  const Table real = rows(300, 0);
  const Score score = ImpliedRules().evaluate(&real, rows(200, 50), {});
  REQUIRE(score.parts.size() == 2);
  CHECK(part_of(score, "start <= end") == Approx(0.75));
  CHECK(part_of(score, "town decides region") == 1.0);
  CHECK(*score.value == Approx(0.875));
  CHECK(score.floor->value < 0.8);
  CHECK(nonconformities(ImpliedRules(), &real, rows(90, 9), {}) == std::vector<std::string>{});
  const Table none = column_table(Kind::real, {1.0, 2.0});
  CHECK_FALSE(ImpliedRules().evaluate(&none, none, {}).value);
}
