#include <doctest/doctest.h>

#include <cmath>

#include "synthema/core/error.hpp"
#include "synthema/text/bm25.hpp"
#include "synthema/text/embedder.hpp"
#include "synthema/text/text_scorer.hpp"
#include "synthema/text/tf_idf.hpp"

using namespace synthema;

namespace {
const std::vector<std::string> kDocuments = {"chest pain", "pain in the back pain", "fever", "Fever"};
}

TEST_CASE("TF-IDF weights by hand") {
  const TfIdf index = TfIdf::fit(kDocuments);
  // pain: df 2 of 4, fever: df 2, chest: df 1.
  const double pain = std::log(5.0 / 3.0) + 1, chest = std::log(5.0 / 2.0) + 1;
  CHECK(index.idf(*index.vocabulary().find("pain")) == doctest::Approx(pain).epsilon(1e-14));
  const SparseVector vector = index.vector("chest pain and nothing known");
  REQUIRE(vector.size() == 2);
  CHECK(vector[0].second == doctest::Approx(chest / std::hypot(chest, pain)).epsilon(1e-14));
  CHECK(dot(vector, vector) == doctest::Approx(1));
  CHECK(index.vector("zzz").empty());
  const TfIdf sublinear = TfIdf::fit(kDocuments, {.sublinear_tf = true, .smooth_idf = false});
  const SparseVector twice = sublinear.vector("pain pain chest");
  const double p = (1 + std::log(2.0)) * (std::log(2.0) + 1), c = std::log(4.0) + 1;
  CHECK(twice[1].second == doctest::Approx(p / std::hypot(p, c)).epsilon(1e-14));
}

TEST_CASE("search is by score, then by number") {
  const TfIdf index = TfIdf::fit(kDocuments);
  const auto hits = index.search("fever", 10);
  REQUIRE(hits.size() == 2);
  CHECK(hits[0].document == 2);
  CHECK(hits[1].document == 3);
  CHECK(hits[0].score == doctest::Approx(1));
  CHECK(index.search("fever", 1).size() == 1);
  CHECK(index.search("", 3).empty());
  CHECK(index.rank_of("fever", 3) == 2);
  CHECK(index.rank_of("fever", 0) == std::nullopt);
  CHECK_THROWS_AS(index.rank_of("fever", 4), ConfigError);
  CHECK(TfIdf::fit({}).search("x", 3).empty());
}

TEST_CASE("BM25 by hand") {
  const Bm25 index = Bm25::fit(kDocuments);
  // "pain": N 4, df 2 -> idf ln(1 + 2.5/2.5) = ln 2; lengths 2 5 1 1, mean 2.25.
  const auto weight = [](double tf, double length) {
    return std::log(2.0) * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / 2.25));
  };
  const auto hits = index.search("pain", 0);
  REQUIRE(hits.size() == 2);
  CHECK(hits[0].document == 0);  // one "pain" in two words outweighs two in five
  CHECK(hits[0].score == doctest::Approx(weight(1, 2)).epsilon(1e-14));
  CHECK(hits[1].score == doctest::Approx(weight(2, 5)).epsilon(1e-14));
  CHECK(index.search("pain pain", 1)[0].score == doctest::Approx(2 * weight(1, 2)));
  CHECK(index.rank_of("pain", 1) == 2);
  CHECK_THROWS_AS(Bm25::fit(kDocuments, {.k1 = -1}), ConfigError);
  CHECK_THROWS_AS(Bm25::fit(kDocuments, {.b = 1.5}), ConfigError);
}

namespace {

struct LeastEmbedder {
  const char* name() const { return "least"; }
  std::vector<std::vector<float>> embed(std::span<const std::string> texts) const {
    return std::vector<std::vector<float>>(texts.size(), {1.0f});
  }
};
struct LeastScorer {
  const char* name() const { return "least"; }
  std::vector<std::vector<double>> score(std::span<const std::string>) const { return {}; }
};
struct Nameless {
  std::vector<std::vector<float>> embed(std::span<const std::string>) const;
};
struct OneVector {
  const char* name() const;
  std::vector<float> embed(std::span<const std::string>) const;
};

static_assert(Embedder<LeastEmbedder> && TextScorer<LeastScorer>);
static_assert(!Embedder<Nameless> && !Embedder<OneVector> && !Embedder<LeastScorer>);
static_assert(!TextScorer<LeastEmbedder>);

}  // namespace
