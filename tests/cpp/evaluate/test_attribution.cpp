#include <doctest/doctest.h>

#include "check_table.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/privacy/anonymity.hpp"
#include "synthema/evaluate/privacy/attribution.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using enum AttributionRule;

namespace {

Score attribution(AttributionRule rule, DisclosureOptions options) {
  const Table r = check_real(), s = check_synthetic();
  EvaluationContext context;
  context.bootstrap = 50;
  return Attribution(rule, std::move(options)).evaluate(&r, s, context);
}

}  // namespace

TEST_CASE("the check values of SDMetrics") {
  CHECK(attribution(categorical, {{"c"}, {"d"}}).value == Approx(.5416666667));
  CHECK(attribution(categorical, {{"d"}, {"c"}}).value == Approx(.71875));
  const Score whole = attribution(disclosure, {{"c"}, {"d"}});
  CHECK(whole.value == 1.0);
  CHECK(part_of(whole, "guessing") == .5);
  const Score binned = attribution(disclosure, {{"x"}, {"c"}, 3});
  CHECK(binned.value == Approx(.3125));
  CHECK(part_of(binned, "guessing") == Approx(.6666666667));
  CHECK(part_of(binned, "before comparing with guessing") == Approx(.2083333333));
  REQUIRE(binned.interval);
  CHECK(binned.interval->high <= 1);
}

TEST_CASE("rows that nobody agrees with: left out, protected, or looked up by the nearest") {
  const auto table = [](const std::string& a, const std::string& b, const std::string& secret) {
    std::vector<Record> records;
    for (std::size_t i = 0; i < a.size(); ++i)
      records.push_back(
          {{"a", std::string(1, a[i])}, {"b", std::string(1, b[i])}, {"s", std::string(1, secret[i])}});
    return Table::from_records(
        {.fields = {{.name = "a", .kind = Kind::category},
                    {.name = "b", .kind = Kind::category},
                    {.name = "s", .kind = Kind::category, .roles = {Role::sensitive}}}},
        records);
  };
  const Table r = table("xxy", "pqr", "uvw"), s = table("xxxx", "ppqz", "uvvu");
  const DisclosureOptions options{{"a", "b"}, {}};
  // Row 1 (x p, u): 1 of 2. Row 2 (x q, v): 1 of 1. Row 3 (y r, w): no row agrees; all four are equally near.
  CHECK(Attribution(categorical, options).evaluate(&r, s, {}).value == Approx(1 - 1.5 / 2));
  CHECK(Attribution(zero, options).evaluate(&r, s, {}).value == Approx(1 - 1.5 / 3));
  const Table other = table("y", "p", "v");  // nearest: x p twice, of which one has v
  CHECK(Attribution(generalized, options).evaluate(&other, s, {}).value == Approx(0.5));
  CHECK_FALSE(Attribution(categorical, options).evaluate(&other, s, {}).value);
  CHECK(Attribution().evaluate(&r, s, {}).undefined == "No quasi-identifiers were named.");
  CHECK_THROWS_AS(Attribution(zero, {{"typo"}, {}}).evaluate(&r, s, {}), EvaluationError);
  CHECK_THROWS_WITH_AS(Attribution(zero, {{"a", "b"}, {"b"}}), doctest::Contains("'b' is named as"),
                       ConfigError);
  CHECK_THROWS_AS(Anonymity(AnonymityMeasure::l_diversity, {{"a"}, {"a"}}), ConfigError);
}

TEST_CASE("measures of anonymity by hand") {
  const Table r = check_real(), s = check_synthetic();
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(check_holdout());
  const auto value = [&](AnonymityMeasure measure, DisclosureOptions options) {
    return Anonymity(measure, std::move(options)).evaluate(&r, s, context);
  };
  using enum AnonymityMeasure;
  // Synthetic c: a a b b b c c d. Secrets d by c: uu, vvu, vv, u.
  CHECK(value(k_anonymity, {{"c"}, {}}).value == 1);
  CHECK(part_of(value(k_anonymity, {{"c"}, {}}), "the training rows' own") == 2);
  CHECK(value(l_diversity, {{"c"}, {"d"}}).value == 1);
  // Real people with a: 3 + 2, b: 3 + 3, c: 2 + 3; d fits nobody and points at nobody.
  CHECK(value(k_map, {{"c"}, {}}).value == 5);
  CHECK(value(delta_presence, {{"c"}, {}}).value == Approx(0.6));
  CHECK(value(delta_presence, {{"c"}, {}}).ceiling->value == 0.5);
  for (const auto measure : {k_anonymity, l_diversity, k_map, delta_presence})
    CHECK(nonconformities(Anonymity(measure, {{"c"}, {"d"}}), &r, s, context).empty());
}
