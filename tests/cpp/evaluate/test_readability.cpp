#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/readability.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using enum ReadingFormula;

TEST_CASE("syllables") {
  CHECK(syllables("pain") == 1);
  CHECK(syllables("fever") == 2);
  CHECK(syllables("dyspnea") == 2);  // the rule hears one vowel in "ea"; there are three
  CHECK(syllables("table") == 2);
  CHECK(syllables("made") == 1);
  CHECK(syllables("the") == 1);
  CHECK(syllables("abdominal") == 4);
  CHECK(syllables("42") == 1);
}

TEST_CASE("formulas by hand") {
  // 8 words, 2 sentences, 11 syllables (the pa-tient has fe-ver she is tired), no hard word, 32 letters.
  const Table table = text_table({"The patient has a fever. She is tired."});
  const auto value = [&](ReadingFormula f) { return *Readability(f).evaluate(nullptr, table, {}).value; };
  const double letters = 3 + 7 + 3 + 1 + 5 + 3 + 2 + 5, sounds = 1 + 2 + 1 + 1 + 2 + 1 + 1 + 2;
  CHECK(value(flesch_ease) == Approx(206.835 - 1.015 * 4 - 84.6 * sounds / 8));
  CHECK(value(flesch_kincaid) == Approx(0.39 * 4 + 11.8 * sounds / 8 - 15.59));
  CHECK(value(gunning_fog) == Approx(0.4 * 4));
  CHECK(value(automated) == Approx(4.71 * letters / 8 + 0.5 * 4 - 21.43));
  CHECK(value(coleman_liau) == Approx(5.88 * letters / 8 - 29.6 / 4 - 15.8));
}

TEST_CASE("promises of readability are kept, and other languages warned of") {
  const Table real = text_table({"One text. And more."}), synthetic = text_table({"Another, of words.", ""});
  for (const auto formula : {flesch_ease, flesch_kincaid, gunning_fog, automated, coleman_liau})
    CHECK(nonconformities(Readability(formula), &real, synthetic, {}) == std::vector<std::string>{});
  CHECK_FALSE(Readability().evaluate(nullptr, text_table({""}), {}).value);
  Schema german{.fields = {{.name = "text"}}, .language = "de"};
  const std::vector<Record> rows{{{"text", "Der Kopf schmerzt."}}};
  CHECK(Readability().evaluate(nullptr, Table::from_records(german, rows), {}).warnings.size() == 1);
}
