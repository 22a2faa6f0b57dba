#include <doctest/doctest.h>

#include "histories.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/longitudinal/code_probabilities.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

double value(CodesOf of, const Table& real, const Table& synthetic) {
  return *CodeProbabilities(of).evaluate(&real, synthetic, {}).value;
}

}  // namespace

TEST_CASE("probabilities by hand, as the evaluation of HALO counts them") {
  // p: {a b} then {b}; q: {a}. Three visits, one with a visit before it.
  const Table real = history_table({{"p", 0, {"a", "b"}}, {"p", 1, {"b"}}, {"q", 0, {"a"}}});
  // r: {a}, {a, c}. Two visits.
  const Table synthetic = history_table({{"r", 0, {"a"}}, {"r", 5, {"a", "c"}}});
  // a: 2/3 against 1, b: 2/3 against 0, c: 0 against 1/2. Mean 4/9.
  const double apart = 1.0 / 9 + 4.0 / 9 + 1.0 / 4, spread = 2 * (2.0 / 9) * (2.0 / 9) + 16.0 / 81;
  CHECK(value(CodesOf::visit, real, synthetic) == Approx(1 - apart / spread));
  // ab: 1/3 against 0; ac: 0 against 1/2. Mean 1/6.
  CHECK(value(CodesOf::pair, real, synthetic) == Approx(1 - (1.0 / 9 + 1.0 / 4) / (2.0 / 36)));
  // a -> b 1, b -> b 1 of one visit; a -> a 1, a -> c 1 of one. Mean 1/2 of four keys.
  CHECK(value(CodesOf::next, real, synthetic) == Approx(1 - 4.0 / 1));
  const Score by_patient = CodeProbabilities().evaluate(&real, synthetic, {});
  CHECK(part_of(by_patient, "keys") == 3.0);
  // a: 1 against 1, b: 1/2 against 0, c: 0 against 1. Mean 1/2.
  CHECK(*part_of(by_patient, "by patient") == Approx(1 - (0.25 + 1) / 0.5));
}

TEST_CASE("one row for each code is the same as one row for each visit") {
  const Table lists = histories(40, 1), other = histories(40, 2);
  const auto flat = [](const Table& table) {
    std::vector<Record> records;
    for (std::size_t row = 0; row < table.rows(); ++row) {
      const Value list = table.column("codes").value_at(row);
      for (const Value& code : *list.get_if<ValueList>())
        records.push_back({{"subject", table.column("subject").value_at(row)},
                           {"day", table.column("day").value_at(row)},
                           {"code", code}});
    }
    return Table::from_records(
        {.fields = {{.name = "subject", .roles = {Role::subject}},
                    {.name = "day", .kind = Kind::real, .roles = {Role::time}},
                    {.name = "code", .kind = Kind::category, .code_system = "ICD-10-CM"}}},
        records);
  };
  for (const CodesOf of : {CodesOf::visit, CodesOf::pair, CodesOf::next})
    CHECK(value(of, flat(lists), flat(other)) == Approx(value(of, lists, other)).epsilon(1e-12));
}

TEST_CASE("identity is 1; fresh rows near it; independent codes at the floor") {
  const Table real = histories(400, 1);
  for (const CodesOf of : {CodesOf::visit, CodesOf::pair, CodesOf::next}) {
    CHECK(value(of, real, real) == Approx(1));
    CHECK(value(of, real, histories(400, 2)) > 0.8);
  }
  const Score pairs = CodeProbabilities(CodesOf::pair).evaluate(&real, histories(400, 2), {});
  CHECK(pairs.floor->value < 0.5);
}

TEST_CASE("promises of code probabilities are kept") {
  const Table real = histories(20, 1), synthetic = histories(15, 2);
  for (const CodesOf of : {CodesOf::visit, CodesOf::pair, CodesOf::next})
    CHECK(nonconformities(CodeProbabilities(of), &real, synthetic, {}) == std::vector<std::string>{});
  const Table bare = column_table(Kind::real, {1.0});
  CHECK(CodeProbabilities().evaluate(&bare, bare, {}).undefined == "The schema names no subject column.");
}
