// What correlates by one person's rows is not learnt.
#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "src/generate/tabular/products_by_people.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/core/random.hpp"

using namespace synthema;
using detail::Matrix;

namespace {

// Three columns of `each` rows a person that are the same in all of these: two that correlate and one apart.
struct People {
  Matrix scores;
  std::vector<std::uint32_t> who;

  People(std::uint32_t people, std::uint32_t each, double correlation) : scores(people * each, 3) {
    Random random(1);
    for (std::uint32_t person = 0; person < people; ++person) {
      const auto normal = [&] { return normal_quantile(0.999 * random.uniform() + 0.0005); };
      const double a = normal(), b = normal(), c = normal();
      for (std::uint32_t i = 0; i < each; ++i) {
        scores.row(static_cast<Eigen::Index>(who.size())) << a,
            correlation * a + std::sqrt(1 - correlation * correlation) * b, c;
        who.push_back(person * each);
      }
    }
  }
  Matrix both() const { return Matrix::Constant(3, 3, static_cast<double>(who.size())); }
  Matrix products(std::size_t threads = 1) const {
    return detail::products_by_people(scores, both(), who, threads);
  }
  Matrix by_rows() const { return scores.transpose() * scores; }
};

}  // namespace

TEST_CASE("Where each row is a person the sums are those of the rows") {
  const People people(200, 1, 0.5);
  CHECK(people.products() == people.by_rows());
}

TEST_CASE("A strong correlation of many people stays, and what few of them make does not") {
  const People people(400, 5, 0.9);
  const Matrix kept = people.products().array() / people.by_rows().array();
  CHECK(kept(0, 1) > 0.99);
  CHECK(kept(0, 1) < 1);
  CHECK(kept(1, 0) == kept(0, 1));
  CHECK(kept.diagonal().isApproxToConstant(1));
  CHECK(people.products(3) == people.products(1));
  People one(300, 3, 0);
  for (Eigen::Index row = 0; row < 150; ++row) one.scores.row(row) << 1.5, 1.5, 0;
  std::fill_n(one.who.begin(), 150, 0U);  // a sixth of the rows
  CHECK(one.by_rows()(0, 1) / 900 > 0.25);
  CHECK(std::abs(one.products()(0, 1) / 900) < 0.02);
}
