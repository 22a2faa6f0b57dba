#include <doctest/doctest.h>

#include <cmath>

#include "src/evaluate/two_samples.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/utility/survival.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Table followed(std::size_t rows, std::uint64_t seed) {
  Random random(seed);
  std::vector<Record> records;
  for (std::size_t i = 0; i < rows; ++i) {
    const double age = random.uniform();
    const bool treated = random.uniform() < 0.5;
    const double time = -std::log(1 - random.uniform()) / std::exp(3 * age - (treated ? 1 : 0)),
                 end = 2 * random.uniform();
    records.push_back({{"age", age},
                       {"arm", treated ? "drug" : "none"},
                       {"time", std::min(time, end)},
                       {"death", time <= end ? 1 : 0}});
  }
  return Table::from_records({.fields = {{.name = "age", .kind = Kind::real},
                                         {.name = "arm", .kind = Kind::category},
                                         {.name = "time", .kind = Kind::real},
                                         {.name = "death", .kind = Kind::integer}}},
                             records);
}

}  // namespace

TEST_CASE("fresh rows serve as well as real ones, shuffled ones do not") {
  const Table real = followed(500, 1), fresh = followed(500, 2);
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(followed(400, 3));
  const Table loose = detail::independent_marginals(fresh, 4);
  const SurvivalUsefulness order(false, "time", "death"), error(true, "time", "death");
  const Score good = order.evaluate(&real, fresh, context);
  CHECK(*good.value > 0.65);
  CHECK(*good.value == Approx(good.ceiling->value).epsilon(0.03));
  CHECK(good.interval->low < good.ceiling->value);
  const Score small = error.evaluate(&real, fresh, context);
  CHECK(*small.value < small.floor->value);
  CHECK(*small.value == Approx(small.ceiling->value).epsilon(0.05));
  CHECK(*error.evaluate(&real, loose, context).value > small.floor->value - 0.005);
}

TEST_CASE("promises of survival usefulness are kept") {
  const Table real = followed(60, 1), synthetic = followed(50, 2);
  for (const bool brier : {false, true}) {
    CHECK(nonconformities(SurvivalUsefulness(brier, "time", "death"), &real, synthetic, {}) ==
          std::vector<std::string>{});
    CHECK_FALSE(SurvivalUsefulness(brier).evaluate(&real, synthetic, {}).value);
  }
}
