// How hard texts are to read, by formulas of sentence and word length. Mean over texts with words.
//   flesch_reading_ease          206.835 - 1.015 W/S - 84.6 Y/W      (Flesch 1948); high is easy
//   flesch_kincaid_grade         0.39 W/S + 11.8 Y/W - 15.59         (Kincaid et al. 1975); years of school
//   gunning_fog                  0.4 (W/S + 100 H/W)                 (Gunning 1952)
//   automated_readability_index  4.71 C/W + 0.5 W/S - 21.43          (Smith and Senter 1967)
//   coleman_liau_index           5.88 C/W - 29.6 S/W - 15.8          (Coleman and Liau 1975)
// W words, S sentences, Y syllables, H words of three syllables or more, C letters and digits in words. Words
// and sentences are those of text/tokens.hpp. Syllables are groups of vowels (a e i o u y), less a silent e
// at the end (but not of -le after a consonant), at least one: a rule for English that errs in a tenth of the
// words, so the first three agree with dictionary-based tools within a grade and not better. All were fitted
// to English.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class ReadingFormula : std::uint8_t {
  flesch_ease,
  flesch_kincaid,
  gunning_fog,
  automated,
  coleman_liau
};

class SYNTHEMA_EXPORT Readability {
 public:
  explicit Readability(ReadingFormula formula = ReadingFormula::flesch_kincaid) : formula_(formula) {}
  std::string_view name() const;
  Direction direction() const { return Direction::none; }
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  ReadingFormula formula_;
};

// Of one lower-case word.
std::size_t syllables(std::string_view word);

}  // namespace synthema
