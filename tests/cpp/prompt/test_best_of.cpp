#include <doctest/doctest.h>

#include "synthema/prompt/best_of.hpp"
#include "synthema/prompt/conformance.hpp"
#include "synthema/prompt/zero_shot.hpp"

using namespace synthema;

namespace {

Completion answer(std::string text, std::optional<double> log_probability, std::uint64_t tokens,
                  Finish finish = Finish::stop) {
  Completion completion;
  completion.text = std::move(text);
  completion.log_probability = log_probability;
  completion.tokens.free = tokens;
  completion.finish = finish;
  return completion;
}

ZeroShot zero_shot() {
  ZeroShotOptions options;
  options.instruction = "Write.";
  return ZeroShot(options);
}

}  // namespace

static_assert(PromptStrategy<BestOf<ZeroShot>>);

TEST_CASE("the likeliest is by the mean, not the sum; the first of equals; failed answers last") {
  CHECK(likeliest({answer("a", -4.0, 4), answer("b", -5.0, 10), answer("c", -0.8, 1)}) == 1);
  CHECK(likeliest({answer("a", -2.0, 2), answer("b", -2.0, 2)}) == 0);
  CHECK(likeliest({answer("a", 0.0, 0, Finish::failed), answer("b", -90.0, 2)}) == 1);
  CHECK(likeliest({answer("a", {}, 0, Finish::failed), answer("b", {}, 0, Finish::failed)}) == 0);
  CHECK(likeliest({answer("a", -1.0, 5), answer("b", 0.0, 0)}) == 1);  // all forced: certain
  CHECK_THROWS_AS(likeliest({answer("a", {}, 3)}), ConfigError);
  CHECK_THROWS_AS(BestOf(zero_shot(), 0), ConfigError);
}

TEST_CASE("every question is asked n times and the inner strategy gets one answer") {
  const BestOf strategy(zero_shot(), 3);
  CHECK(strategy.name() == "best_of_3(zero_shot)");
  Exchange exchange = strategy.compose(Task(), Random(1));
  exchange.start();
  REQUIRE(exchange.questions().size() == 3);
  CHECK(exchange.questions()[0] == exchange.questions()[2]);
  exchange.answer({answer("long", -30.0, 10), answer("best", -10.0, 10), answer("short", -3.0, 2)});
  REQUIRE(exchange.done());
  CHECK(exchange.take().values.at("text").text() == "best");
}
