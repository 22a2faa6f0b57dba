#include <doctest/doctest.h>

#include <cmath>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/lexical_richness.hpp"
#include "synthema/text/tokens.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

// The opening of Swann's way, as long as HD-D needs.
const char* const kText =
    "For a long time I used to go to bed early. Sometimes, when I had put out my candle, my eyes would close "
    "so "
    "quickly that I had not even time to say I am going to sleep. And half an hour later the thought that it "
    "was "
    "time to go to sleep would awaken me; I would try to put away the book which I imagined was still in my "
    "hands.";

}  // namespace

TEST_CASE("by hand") {
  const std::vector<std::string> abab = words("a b a b c");
  CHECK(moving_type_token_ratio(abab, 3) == Approx((2.0 + 2 + 3) / 9));
  CHECK(moving_type_token_ratio(abab, 50) == Approx(0.6));
  // Two draws of a a b: different with probability 2/3: (1 + 2/3) / 2.
  CHECK(hypergeometric_diversity(words("a a b"), 2) == Approx(5.0 / 6));
  const std::vector<double> counts{4, 2, 1};
  CHECK(yule_k(counts) == Approx(1e4 * (21 - 7) / 49.0));
  // Counts that follow the law exactly: 1 / rank of 1,000 words.
  std::vector<double> zipf;
  for (int r = 1; r <= 1000; ++r) zipf.push_back(1e6 / r);
  CHECK(zipf_exponent(zipf) == Approx(1).epsilon(1e-9));
  // Factors forwards: a a (ratio 1/2) and b b; backwards the same. 4 words over 2 factors.
  CHECK(textual_lexical_diversity(words("a a b b")) == Approx(2));
}

TEST_CASE("the values of the package lexicalrichness") {
  const std::vector<std::string> text = words(kText);
  CHECK(text.size() == 72);
  CHECK(moving_type_token_ratio(text, 50) == Approx(.7182608695652174).epsilon(1e-9));
  CHECK(textual_lexical_diversity(text) == Approx(52.32786885245902).epsilon(1e-9));
  CHECK(hypergeometric_diversity(text) == Approx(.7523637545152473).epsilon(1e-9));
}

TEST_CASE("promises of lexical richness are kept") {
  const Table real = text_table({kText, "the pain is here and the pain is there"}),
              synthetic = text_table({kText, "my head hurts my head hurts my head hurts badly", "", "a b c"});
  for (const auto measure :
       {Richness::mattr, Richness::mtld, Richness::hdd, Richness::yule_k, Richness::zipf_exponent}) {
    CHECK(nonconformities(LexicalRichness(measure), &real, synthetic, {}) == std::vector<std::string>{});
    CHECK_FALSE(LexicalRichness(measure).evaluate(nullptr, text_table({""}), {}).value);
  }
}
