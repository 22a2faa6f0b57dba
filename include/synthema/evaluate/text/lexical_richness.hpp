// How rich the vocabulary is, by measures that depend less on the amount of text than a type-token ratio
// does.
//   mattr          moving-average type-token ratio, windows of 50 words (Covington and McFall 2010); a
//   shorter
//                  text is one window. Mean over texts
//   mtld           measure of textual lexical diversity: mean length of runs that keep a ratio above 0.72,
//   read
//                  forwards and backwards (McCarthy and Jarvis 2010). Mean over texts of 10 words or more
//   hdd            hypergeometric diversity: expected type-token ratio of 42 words drawn without replacement
//                  (McCarthy and Jarvis 2007). Mean over texts of 42 words or more
//   yule_k         10^4 (sum i^2 V_i - N) / N^2, V_i words that occur i times, of all texts together (Yule
//   1944);
//                  low is rich
//   zipf_exponent  s of the law p(rank) ~ rank^-s over the words that occur, by maximum likelihood, of all
//   texts
//                  together; natural prose has about 1
// Words are those of words(). None has a better direction: the part "real text, same number of rows" is what
// to compare with. Intervals: bootstrap over units for means, jackknife for measures of all texts together.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class Richness : std::uint8_t { mattr, mtld, hdd, yule_k, zipf_exponent };

class SYNTHEMA_EXPORT LexicalRichness {
 public:
  explicit LexicalRichness(Richness measure = Richness::mattr) : measure_(measure) {}
  std::string_view name() const {
    constexpr std::string_view names[] = {"mattr", "mtld", "hdd", "yule_k", "zipf_exponent"};
    return names[static_cast<int>(measure_)];
  }
  Direction direction() const { return Direction::none; }
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Richness measure_;
};

// Of one text, which must have words; hdd needs `draws` of them.
double moving_type_token_ratio(std::span<const std::string> words, std::size_t window = 50);
double textual_lexical_diversity(std::span<const std::string> words, double threshold = 0.72);
double hypergeometric_diversity(std::span<const std::string> words, std::size_t draws = 42);
// Of how often each different word occurs.
double yule_k(std::span<const double> counts);
double zipf_exponent(std::vector<double> counts);

}  // namespace synthema
