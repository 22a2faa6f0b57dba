// expect: Evaluator
#include "synthema/evaluate/any_evaluator.hpp"

// A bare number says neither how sure it is nor what it measures: evaluate() returns a Score.
struct Rows {
  std::string_view name() const { return "rows"; }
  synthema::Direction direction() const { return synthema::Direction::none; }
  synthema::Range range() const { return {0, 1e18}; }
#ifdef MISTAKE
  double evaluate(const synthema::Table*, const synthema::Table& table,
                  const synthema::EvaluationContext&) const {
    return static_cast<double>(table.rows());
  }
#else
  synthema::Score evaluate(const synthema::Table*, const synthema::Table& table,
                           const synthema::EvaluationContext&) const {
    synthema::Score score;
    score.name = "rows";
    score.value = static_cast<double>(table.rows());
    return score;
  }
#endif
};

const synthema::AnyEvaluator evaluator = Rows{};

int main() {}
