#include <doctest/doctest.h>

#include <cmath>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/token_scores.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

Table with_references(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::vector<Record> records;
  for (const auto& [text, reference] : rows) records.push_back({{"text", text}, {"reference", reference}});
  return Table::from_records({.fields = {{.name = "text"}, {.name = "reference"}}}, records);
}

// a, b, c along the axes; d between a and b.
std::vector<std::vector<std::vector<float>>> letters(std::span<const std::string> texts) {
  std::vector<std::vector<std::vector<float>>> out;
  for (const std::string& text : texts) {
    auto& tokens = out.emplace_back();
    for (const char c : text)
      tokens.push_back(
          c == 'd' ? std::vector<float>{2, 2, 0}
                   : std::vector<float>{c == 'a' ? 1.0F : 0, c == 'b' ? 3.0F : 0, c == 'c' ? 1.0F : 0});
  }
  return out;
}

}  // namespace

TEST_CASE("perplexity of all tokens together") {
  EvaluationContext context;
  context.text_scorer = [](std::span<const std::string> texts) {
    std::vector<std::vector<double>> out;
    for (const std::string& text : texts)
      out.emplace_back(text.size(), -std::log(static_cast<double>(text.size())));
    return out;
  };
  // Two tokens at 1/2 and four at 1/4: (2 ln 2 + 4 ln 4) / 6.
  const Table table = text_table({"ab", "abcd"});
  CHECK(*Perplexity().evaluate(nullptr, table, context).value == Approx(std::pow(2.0, 10.0 / 6)));
  CHECK(nonconformities(Perplexity(), &table, table, context) == std::vector<std::string>{});
  CHECK(Perplexity().evaluate(nullptr, table, {}).undefined == "No text scorer was given.");
  context.text_scorer = [](std::span<const std::string>) {
    return std::vector<std::vector<double>>{{0.5}, {0.5}};
  };
  CHECK_THROWS_AS(Perplexity().evaluate(nullptr, table, context), EvaluationError);
}

TEST_CASE("greedy matching by hand") {
  const BertScore evaluator("reference", letters);
  // "ad" against "abc": a 1, d sqrt(1/2); a 1, b sqrt(1/2), c 0.
  const double h = std::sqrt(0.5), p = (1 + h) / 2, r = (1 + h) / 3;
  const Score score = evaluator.evaluate(nullptr, with_references({{"ad", "abc"}}), {});
  CHECK(*part_of(score, "precision") == Approx(p).epsilon(1e-6));
  CHECK(*part_of(score, "recall") == Approx(r).epsilon(1e-6));
  CHECK(*score.value == Approx(2 * p * r / (p + r)).epsilon(1e-6));
  CHECK(*evaluator.evaluate(nullptr, with_references({{"abc", "cba"}}), {}).value == Approx(1));
  const Table table = with_references({{"ad", "abc"}, {"c", "ccd"}, {"", "a"}});
  CHECK(nonconformities(evaluator, nullptr, table, {}) == std::vector<std::string>{});
  CHECK(BertScore().evaluate(nullptr, table, {}).undefined == "No token embedder was given.");
}
