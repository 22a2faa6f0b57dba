#include <doctest/doctest.h>

#include "synthema/evaluate/any_evaluator.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/samples.hpp"
#include "tables.hpp"

using namespace synthema;

namespace {

struct RowCount {
  static constexpr bool needs_reference = true;
  static constexpr bool needs_target = false;
  std::string_view name() const { return "row_count"; }
  Direction direction() const { return Direction::none; }
  Range range() const { return {0, 1e9}; }
  Score evaluate(const Table*, const Table& synthetic, const EvaluationContext&) const {
    Score score = start_score(*this, "Rows.", "rows");
    if (synthetic.rows() == 0) return undefined(std::move(score), "There are no rows.");
    score.value = static_cast<double>(synthetic.rows());
    score.no_interval = "A count.";
    return score;
  }
};
static_assert(NeedsReference<RowCount> && !NeedsTarget<RowCount> && !NeedsHoldout<RowCount>);

// Named otherwise, below its range, without an interval or a reason, by the order of the rows, and a value of
// nothing.
struct Sloppy : RowCount {
  Score evaluate(const Table*, const Table& synthetic, const EvaluationContext&) const {
    Score score;
    score.name = "other";
    double value = -1;
    for (std::size_t row = 0; row < synthetic.rows(); ++row)
      value -= static_cast<double>(row) * synthetic.column("text").text_at(row)[0];
    score.value = value;
    return score;
  }
};
struct Throwing : RowCount {
  Score evaluate(const Table*, const Table&, const EvaluationContext&) const {
    throw EvaluationError("It is broken.");
  }
};

// An interval beside its value and beyond the range, and bounds that no value reaches.
struct Unsure : RowCount {
  Range range() const { return {0, 10}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
    Score score = RowCount::evaluate(real, synthetic, context);
    score.interval = Interval{7, 11, 0.95, "none"};
    score.ceiling = Bound{12, "none"};
    score.floor = Bound{-1, "none"};
    return score;
  }
};

}  // namespace

TEST_CASE("the erased form says the same") {
  const AnyEvaluator any = RowCount();
  CHECK(any.name() == "row_count");
  CHECK(any.range() == Range{0, 1e9});
  CHECK(any.needs().reference);
  CHECK_FALSE(any.needs().target);
  CHECK(any.evaluate(nullptr, text_table({"a", "b"}), {}).value == 2);
  CHECK(AnyEvaluator(RowCount(), {.holdout = true}).needs().holdout);
}

TEST_CASE("kept and broken promises") {
  const Table table = text_table({"a", "b", "c", "d", "e", "f"});
  CHECK(nonconformities(RowCount(), nullptr, table, {}).empty());
  const auto broken = nonconformities(Sloppy(), nullptr, table, {});
  CHECK(broken.size() == 6);
  const auto thrown = nonconformities(Throwing(), nullptr, table, {});
  REQUIRE(thrown.size() == 1);
  CHECK(thrown[0] == "It threw on the tables given: It is broken.");
}

TEST_CASE("what surrounds a value is within its range, and its interval holds it") {
  const Table table = text_table({"a", "b", "c"});
  CHECK(nonconformities(Unsure(), nullptr, table, {}) ==
        std::vector<std::string>{"The value 3 is outside its own interval, 7 to 11.",
                                 "The interval 7 to 11 is outside the range [0, 10].",
                                 "The ceiling 12 is outside the range [0, 10].",
                                 "The floor -1 is outside the range [0, 10]."});
}
