#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/bleu.hpp"
#include "synthema/evaluate/text/chrf.hpp"
#include "synthema/evaluate/text/reference_overlap.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Table pairs(const std::string& reference = "reference") {
  const Schema schema{.fields = {{.name = "text"}, {.name = reference}}};
  return Table::from_records(schema,
                             std::vector<Record>{{{"text", "a b c d"}, {reference, "a b c d"}},
                                                 {{"text", "the cat ran fast"}, {reference, "the cat sat"}},
                                                 {{"text", "no reference"}}});
}

}  // namespace

TEST_CASE("BLEU, chrF and ROUGE of rows that have both texts") {
  const Score bleu = CorpusBleu().evaluate(nullptr, pairs(), {});
  const std::vector<std::string> texts{"a b c d", "the cat ran fast"}, references{"a b c d", "the cat sat"};
  CHECK(bleu.value == Approx(corpus_bleu(texts, references)));
  CHECK(bleu.n == 2);
  CHECK(bleu.warnings.size() == 1);
  CHECK(bleu.convention == "sacrebleu");
  const Score chrf = CorpusChrf().evaluate(nullptr, pairs(), {});
  CHECK(chrf.value == Approx(corpus_chrf(texts, references)));
  CHECK_FALSE(chrf.interval);  // of two texts
  CHECK(chrf.no_interval.find("fewer than ten") != std::string::npos);
  const Schema schema{.fields = {{.name = "text"}, {.name = "reference"}}};
  std::vector<Record> many;
  for (int i = 0; i < 12; ++i)
    many.push_back({{"text", "the cat ran " + std::to_string(i * i)},
                    {"reference", "the cat sat " + std::to_string(i)}});
  CHECK(CorpusChrf().evaluate(nullptr, Table::from_records(schema, many), {}).interval.has_value());
  CHECK(nonconformities(CorpusChrf(), nullptr, pairs(), {}).empty());
  const Score rouge = Rouge(Rouge::Variant::rouge1).evaluate(nullptr, pairs(), {});
  CHECK(rouge.value == Approx((1 + 4.0 / 7) / 2));
  CHECK(part_of(rouge, "precision") == Approx((1 + 2.0 / 4) / 2));
  CHECK(part_of(rouge, "recall") == Approx((1 + 2.0 / 3) / 2));
  CHECK(Rouge(Rouge::Variant::rougelsum, true).name() == "rouge_lsum_stemmed");
  CHECK(nonconformities(CorpusBleu(), nullptr, pairs(), {}).empty());
  CHECK(nonconformities(Rouge(), nullptr, pairs(), {}).empty());
}

TEST_CASE("the reference column has a name of one's own, or there is none") {
  CHECK(CorpusBleu("gold").evaluate(nullptr, pairs("gold"), {}).value);
  CHECK_FALSE(CorpusBleu().evaluate(nullptr, pairs("gold"), {}).value);
  EvaluationContext context;
  context.text_column = "nowhere";
  CHECK_THROWS_AS(CorpusBleu().evaluate(nullptr, pairs(), context), EvaluationError);
}
