#include <doctest/doctest.h>

#include <limits>

#include "synthema/core/error.hpp"
#include "synthema/evaluate/score.hpp"

using namespace synthema;

TEST_CASE("a score survives its JSON form") {
  Score score;
  score.name = "rows";
  score.value = 1.0 / 3;
  score.interval = Interval{0.25, 0.5, 0.95, "Wilson"};
  score.range = {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
  score.direction = Direction::higher;
  score.ceiling = Bound{1, "holdout", 0.125};
  score.floor = Bound{0, "theory"};
  score.parts = {{"é", std::nullopt, 3, "none"}};
  score.curves = {{"ROC", "trained on real rows", {0, 0.5, 1}, {0, 0.75, 1}}};
  const Score again = score_from_json(to_json(score));
  CHECK(to_json(again) == to_json(score));
  CHECK(again.value == score.value);
  CHECK(again.range == score.range);
  CHECK(again.ceiling->error == 0.125);
  CHECK(again.floor->error == 0);
  CHECK(again.parts[0].name == "é");
  CHECK(again.curves[0].y == score.curves[0].y);
}

TEST_CASE("a score has a value or the reason why not") {
  const auto json = [](const char* members) {
    return std::string(R"({"name": "a", "n": 1, "direction": "none", "convention": "synthema")") + members +
           "}";
  };
  CHECK(score_from_json(json(R"(, "value": 0.5)")).value == 0.5);
  CHECK(score_from_json(json(R"(, "undefined": "No rows.")")).undefined == "No rows.");
  CHECK_THROWS_AS(score_from_json(json("")), ParseError);
  CHECK_THROWS_AS(score_from_json(json(R"(, "value": 0.5, "undefined": "No rows.")")), ParseError);
  CHECK_THROWS_AS(score_from_json(json(R"(, "value": "many")")), ParseError);
  CHECK_THROWS_AS(
      score_from_json(json(R"(, "value": 0.5, "curves": [{"name": "ROC", "x": [0], "y": [0, 1]}])")),
      ParseError);
  CHECK_THROWS_AS(score_from_json(json(R"(, "value": 0.5, "curves": [{"name": "ROC", "x": ["a"]}])")),
                  ParseError);
  for (const char* interval : {R"("low": 1, "high": 0, "level": 0.95)", R"("low": 0, "high": 1, "level": 95)",
                               R"("low": 0, "high": 1, "level": 0)"})
    CHECK_THROWS_AS(
        score_from_json(json((std::string(R"(, "value": 0.5, "interval": {)") + interval + "}").c_str())),
        ParseError);
  CHECK_THROWS_AS(score_from_json("{"), ParseError);
  Score broken;
  broken.name = "\xFF", broken.value = 1;
  CHECK_THROWS_AS(to_json(broken), EvaluationError);
}
