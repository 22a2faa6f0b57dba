#include <doctest/doctest.h>

#include "synthema/core/random.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/privacy/residual_risk.hpp"
#include "synthema/evaluate/privacy/singling_out.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

// People with a nearly unique number, two plain ones and a label.
Table people(std::size_t rows, std::uint64_t seed) {
  Random random(seed);
  std::vector<Record> records;
  for (std::size_t i = 0; i < rows; ++i)
    records.push_back({{"code", static_cast<double>(random.below(5000))},
                       {"age", static_cast<double>(20 + random.below(60))},
                       {"weight", 50 + 50 * random.uniform()},
                       {"sex", random.below(2) ? "f" : "m"}});
  return Table::from_records({.fields = {{.name = "code", .kind = Kind::real},
                                         {.name = "age", .kind = Kind::real},
                                         {.name = "weight", .kind = Kind::real},
                                         {.name = "sex", .kind = Kind::category}}},
                             records);
}
EvaluationContext against(const Table& holdout) {
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(holdout);
  return context;
}
Score risk(bool multivariate, const Table& t, const Table& s, const Table& h) {
  return SinglingOut(multivariate).evaluate(&t, s, against(h));
}

}  // namespace

TEST_CASE("residual risk: the check value of anonymeter") {
  const ResidualRisk found = residual_risk(60, 500, 40, 500);
  CHECK(found.attack == Approx(.1228972494).epsilon(1e-9));
  CHECK(found.attack_half == Approx(.0285223492).epsilon(1e-8));
  CHECK(found.control == Approx(.0832022230).epsilon(1e-9));
  CHECK(found.control_half == Approx(.0239040936).epsilon(1e-8));
  CHECK(found.risk() == Approx(.0432974723).epsilon(1e-8));
  CHECK(found.half == Approx(.0398762447).epsilon(1e-8));
  CHECK(residual_risk(10, 100, 90, 100).risk() == 0);  // an attack that is worse than the control
}

TEST_CASE("univariate predicates: which they are, on a table small enough to count") {
  // Alone in the synthetic rows: 1 (and "at most 1"), 3 (and "at least 3"), b, missing.
  const Table s = Table::from_records(
      {.fields = {{.name = "x", .kind = Kind::real}, {.name = "c", .kind = Kind::category}}},
      std::vector<Record>{{{"x", 1.0}, {"c", "a"}},
                          {{"x", 2.0}, {"c", "a"}},
                          {{"x", 2.0}, {"c", "b"}},
                          {{"x", 3.0}, {"c", Value()}}});
  const Score score = risk(false, s, s, s);
  CHECK(score.n == 6);
  CHECK(score.parts[0].note == "6 training rows singled out");
  CHECK(score.parts[1].note == "6 holdout rows singled out");
  CHECK(score.value == 0.0);
  CHECK(score.warnings.at(0) ==
        "Only 6 of 1000 predicates were found that hold for one synthetic row alone.");
  // Real rows that share nothing: nobody is at most 1, missing or b; 3 is one row's, and "at least 3" too.
  const Table other = Table::from_records(
      s.schema(), std::vector<Record>{{{"x", 3.0}, {"c", "a"}}, {{"x", 2.5}, {"c", "a"}}});
  CHECK(risk(false, other, s, other).parts[0].note == "2 training rows singled out");
}

TEST_CASE("copies are singled out, fresh rows are not") {
  const Table t = people(1500, 1), h = people(1500, 2), fresh = people(1500, 3);
  for (const bool multivariate : {false, true}) {
    CHECK(*risk(multivariate, t, t, h).value > 0.5);
    CHECK(risk(multivariate, t, t, h).interval->low > 0.4);
    CHECK(*risk(multivariate, t, fresh, h).value < 0.06);
    CHECK(risk(multivariate, t, fresh, h).n >= (multivariate ? 200 : 900));
  }
}

TEST_CASE("a smaller holdout is no alarm: the control is rescaled") {
  const Table t = people(2000, 1), h = people(500, 2), fresh = people(2000, 3);
  for (const bool multivariate : {false, true}) {
    const Score score = risk(multivariate, t, fresh, h);
    CHECK(score.parts[1].note.find("for the size of the training table") != std::string::npos);
    CHECK(*score.value < 0.08);
  }
}

TEST_CASE("subjects: several rows of one are one person") {
  Schema schema{.fields = {{.name = "who", .roles = {Role::subject}}, {.name = "x", .kind = Kind::integer}}};
  const std::vector<Record> rows{
      {{"who", "a"}, {"x", 1}}, {{"who", "a"}, {"x", 1}}, {{"who", "b"}, {"x", 2}}, {{"who", "c"}, {"x", 2}}};
  const Table t = Table::from_records(schema, rows);
  const Table s = column_table(Kind::integer, {1, 2, 2});  // "x = 1" and "x at most 1" hold for one row
  CHECK(risk(false, t, s, t).parts[0].note == "2 training rows singled out");
}

TEST_CASE("the evaluators keep their promises") {
  const Table t = people(60, 1), s = people(40, 2), h = people(50, 3);
  for (const bool multivariate : {false, true}) {
    CHECK(nonconformities(SinglingOut(multivariate), &t, s, against(h)).empty());
    CHECK_FALSE(SinglingOut(multivariate).evaluate(&t, s, {}).value);
    CHECK_FALSE(SinglingOut(multivariate).evaluate(nullptr, s, against(h)).value);
    CHECK_FALSE(SinglingOut(multivariate).evaluate(&t, text_table({"a"}), against(h)).value);
    const Table one = t.head(1);
    CHECK(SinglingOut(multivariate).evaluate(&one, one, against(one)).value == 0.0);
  }
}
