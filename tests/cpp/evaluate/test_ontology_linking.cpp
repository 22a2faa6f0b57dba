#include <doctest/doctest.h>

#include <map>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/text/ontology_linking.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using LinkingMeasure = OntologyLinking::Measure;

namespace {

// Directions on a compass as vectors of different length.
std::vector<std::vector<float>> compass(std::span<const std::string> texts) {
  const std::map<std::string, std::vector<float>> known = {
      {"east", {1, 0}},       {"orient", {4, 3}},  {"north", {0, 1}},          {"arctic", {3, 4}},
      {"west", {-1, 0}},      {"sunrise", {2, 0}}, {"polar light", {0, 3}},    {"tulips", {3, -4}},
      {"sunset", {-5, 0.1f}}, {"nowhere", {0, 0}}, {"where it dawns", {0, -1}}};
  std::vector<std::vector<float>> out;
  for (const std::string& text : texts) out.push_back(known.at(text));
  return out;
}

EvaluationContext directions() {
  EvaluationContext context;
  context.terms =
      term_table({{"E", "east", {"orient"}, "where it dawns"}, {"N", "north", {"arctic"}}, {"W", "west"}});
  context.embedder = &compass;
  context.embedder_name = "compass";
  context.bootstrap = 100;
  return context;
}

// Linked to E, N and W; the tulips are 53 degrees from east and stay unlinked at 0.7.
Table rows() {
  return labelled_table({{"sunrise", "E"}, {"polar light", "E"}, {"tulips", "W"}, {"sunset", "W"}});
}

Score linking(LinkingMeasure measure, const Table& table = rows(),
              const OntologyLinkingOptions& options = {.threshold = 0.7}) {
  return OntologyLinking(measure, options).evaluate(nullptr, table, directions());
}

}  // namespace

TEST_CASE("precision, recall and F1 by hand") {
  const Score precision = linking(LinkingMeasure::precision), recall = linking(LinkingMeasure::recall),
              f1 = linking(LinkingMeasure::f1);
  CHECK(*precision.value == Approx(2.0 / 3));
  CHECK(*recall.value == Approx(2.0 / 4));
  CHECK(*f1.value == Approx(4.0 / 7));
  CHECK(precision.n == 3);
  CHECK(recall.n == 4);
  // Half the labels are E, half W: of the links to E, N and W, one in all is right.
  CHECK(precision.floor->value == Approx(1.0 / 3));
  CHECK(recall.floor->value == Approx(1.0 / 4));
  CHECK(f1.floor->value == Approx(2.0 / 7));
  CHECK(f1.ceiling->value == 1);
  CHECK(f1.interval);
  CHECK(part_of(f1, "linked rows") == 0.75);
  CHECK(part_of(f1, "synonyms of the labels, each without itself") ==
        0.0);  // "orient" is nearest to "arctic"
  CHECK(f1.definition.find("encoder compass") != std::string::npos);
}

TEST_CASE("the threshold decides what is linked") {
  CHECK(*linking(LinkingMeasure::recall, rows(), {.threshold = -1}).value == Approx(0.5));
  CHECK(*linking(LinkingMeasure::precision, rows(), {.threshold = -1}).value ==
        Approx(0.5));  // tulips go to E
  const Table far = labelled_table({{"tulips", "W"}, {"nowhere", "E"}});
  const Score none = linking(LinkingMeasure::precision, far);
  CHECK(none.undefined == "No text has a cosine of 0.7 or more with any term.");
  CHECK(linking(LinkingMeasure::recall, far).value == 0);
  CHECK(linking(LinkingMeasure::f1, far).value == 0);
  CHECK_THROWS_AS(OntologyLinking(LinkingMeasure::f1, {.threshold = 1.5}), ConfigError);
}

TEST_CASE("definitions link only where they are asked for") {
  const Table table = labelled_table({{"tulips", "E"}});
  CHECK(linking(LinkingMeasure::recall, table).value == 0);
  CHECK(linking(LinkingMeasure::recall, table, {.threshold = 0.7, .definitions = true}).value == 1);
}

TEST_CASE("what is missing is said, and promises are kept") {
  for (const LinkingMeasure measure : {LinkingMeasure::precision, LinkingMeasure::recall, LinkingMeasure::f1})
    CHECK(
        nonconformities(OntologyLinking(measure, {.threshold = 0.7}), nullptr, rows(), directions()).empty());
  EvaluationContext context = directions();
  context.terms = nullptr;
  CHECK(OntologyLinking().evaluate(nullptr, rows(), context).undefined ==
        "No term list was given to link texts to.");
  context = directions();
  context.embedder = nullptr;
  CHECK(OntologyLinking().evaluate(nullptr, rows(), context).undefined == "No embedder was given.");
  static_assert(NeedsEmbedder<OntologyLinking>);
}

TEST_CASE("an embedder that breaks its promise is named") {
  EvaluationContext context = directions();
  context.embedder = [](std::span<const std::string>) { return std::vector<std::vector<float>>(1, {1, 2}); };
  CHECK_THROWS_AS(OntologyLinking().evaluate(nullptr, rows(), context), EvaluationError);
  context.embedder = [](std::span<const std::string> texts) {
    return std::vector<std::vector<float>>(texts.size(), {1, std::nanf("")});
  };
  CHECK_THROWS_AS(OntologyLinking().evaluate(nullptr, rows(), context), EvaluationError);
}
