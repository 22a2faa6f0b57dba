#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/resampling.hpp"
#include "synthema/evaluate/text/run_quality.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

// Row 0 was accepted at its third attempt, row 1 at its first.
Table attempts() {
  const Schema schema{.fields = {{.name = "row_id", .kind = Kind::integer},
                                 {.name = "label", .kind = Kind::category, .roles = {Role::label}},
                                 {.name = "accepted", .kind = Kind::boolean},
                                 {.name = "check"}}};
  return Table::from_records(
      schema, std::vector<Record>{{{"row_id", 0}, {"label", "A"}, {"accepted", false}, {"check", "length"}},
                                  {{"row_id", 0}, {"label", "A"}, {"accepted", false}, {"check", "copy"}},
                                  {{"row_id", 0}, {"label", "A"}, {"accepted", true}},
                                  {{"row_id", 1}, {"label", "B"}, {"accepted", true}}});
}
Table tokens(const std::vector<std::array<int, 3>>& rows) {
  std::vector<Record> records;
  for (const auto& [free, masked, forced] : rows)
    records.push_back({{"free_tokens", free}, {"masked_tokens", masked}, {"forced_tokens", forced}});
  Schema schema;
  for (const char* name : {"free_tokens", "masked_tokens", "forced_tokens"})
    schema.fields.push_back({.name = name, .kind = Kind::integer});
  return Table::from_records(schema, records);
}

}  // namespace

TEST_CASE("acceptance rate, by label and by check") {
  const Score score = AcceptanceRate().evaluate(nullptr, attempts(), {});
  CHECK(score.value == 0.5);
  CHECK(score.n == 4);
  CHECK(part_of(score, "A") == Approx(1.0 / 3));
  CHECK(part_of(score, "B") == 1);
  CHECK(part_of(score, "rejected by copy") == 0.25);
  CHECK(part_of(score, "rejected by length") == 0.25);
  // Attempts at one row are one unit, and two units are too few to resample.
  CHECK(score.interval->low == Approx(wilson(1, 2).low));
  CHECK(score.interval->method == "Wilson over 2 row ids (too few for a bootstrap)");
  CHECK(score.warnings.empty());
  CHECK(nonconformities(AcceptanceRate(), nullptr, attempts(), {}).empty());
}

TEST_CASE("without row ids the interval is said to be too narrow; without the column there is no rate") {
  const Table table = column_table(Kind::boolean, {true, false, Value()}, "accepted");
  const Score score = AcceptanceRate().evaluate(nullptr, table, {});
  CHECK(score.value == 0.5);  // an attempt whose end is not known is left out
  CHECK(score.warnings.size() == 1);
  CHECK_FALSE(AcceptanceRate().evaluate(nullptr, text_table({"a"}), {}).value);
  CHECK_THROWS_AS(AcceptanceRate().evaluate(nullptr, column_table(Kind::integer, {1}, "accepted"), {}),
                  EvaluationError);
}

TEST_CASE("free tokens are summed over rows") {
  const Table table = tokens({{10, 0, 0}, {2, 5, 3}});
  const Score score = FreeTokenShare().evaluate(nullptr, table, {});
  CHECK(score.value == Approx(12.0 / 20));  // not the mean of 1 and 0.2
  CHECK(part_of(score, "masked") == Approx(5.0 / 20));
  CHECK(part_of(score, "forced") == Approx(3.0 / 20));
  CHECK(nonconformities(FreeTokenShare(), nullptr, table, {}).empty());
  CHECK_FALSE(FreeTokenShare().evaluate(nullptr, text_table({"a"}), {}).value);
  CHECK_FALSE(FreeTokenShare().evaluate(nullptr, tokens({{0, 0, 0}}), {}).value);
}

TEST_CASE("facts that were not asked for do not count") {
  const Schema schema{
      .fields = {{.name = "fact_age", .kind = Kind::boolean}, {.name = "fact_sex", .kind = Kind::boolean}}};
  const Table table = Table::from_records(
      schema, std::vector<Record>{{{"fact_age", true}, {"fact_sex", false}}, {{"fact_age", true}}, Record{}});
  const Score score = FactAgreement().evaluate(nullptr, table, {});
  CHECK(score.value == Approx(2.0 / 3));
  CHECK(part_of(score, "age") == 1);
  CHECK(part_of(score, "sex") == 0.0);
  CHECK(nonconformities(FactAgreement(), nullptr, table, {}).empty());
  CHECK_FALSE(FactAgreement().evaluate(nullptr, text_table({"a"}), {}).value);
}
