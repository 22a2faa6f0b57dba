#include <doctest/doctest.h>

#include <algorithm>

#include "check_table.hpp"
#include "synthema/core/random.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/privacy/nearest_rows.hpp"
#include "synthema/learn/mixed_distance.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;
using enum NearestRowMeasure;

namespace {

constexpr NearestRowMeasure kAll[] = {dcr,  dcr_share,         near_copies, nndr, identifiability,
                                      nnaa, nnaa_privacy_loss, membership};

EvaluationContext with_holdout(const Table& table) {
  EvaluationContext context;
  context.holdout = std::make_shared<const Table>(table);
  context.bootstrap = 50;
  return context;
}

// `rows` of a smooth distribution of four dependent columns.
Table drawn(std::size_t rows, std::uint64_t seed) {
  Random random(seed);
  std::vector<Record> records;
  for (std::size_t i = 0; i < rows; ++i) {
    const double x = random.uniform(), y = x + random.uniform() / 4;
    records.push_back(
        {{"x", x},
         {"y", y},
         {"c", std::string(1, static_cast<char>('a' + random.below(1 + static_cast<std::uint64_t>(4 * x))))},
         {"z", random.uniform()}});
  }
  return Table::from_records({.fields = {{.name = "x", .kind = Kind::real},
                                         {.name = "y", .kind = Kind::real},
                                         {.name = "c", .kind = Kind::category},
                                         {.name = "z", .kind = Kind::real}}},
                             records);
}

double value(NearestRowMeasure measure, const Table& r, const Table& s, const Table& h) {
  return *NearestRows(measure).evaluate(&r, s, with_holdout(h)).value;
}

}  // namespace

TEST_CASE("distances to the closest real row: the check values of SDMetrics") {
  const double want[] = {.03708791, .05631868, .05494505, .03846154,
                         .09065934, .32417582, .34065934, .30769231};
  const Table r = check_real(), s = check_synthetic();
  const Table* by[] = {&r};
  MixedSpace space(by, {"x", "y", "c", "d"});
  const MixedRows a = space.encode(r), b = space.encode(s);
  std::vector<double> nearest;
  for (std::size_t i = 0; i < 8; ++i) {
    double best = 1;
    for (std::size_t j = 0; j < 8; ++j) best = std::min(best, space.distance(b.row(i), a.row(j)));
    CHECK(best == Approx(want[i]).epsilon(1e-6));
    nearest.push_back(best);
  }
  std::sort(nearest.begin(), nearest.end());
  CHECK(NearestRows(dcr).evaluate(&r, s, {}).value == Approx((nearest[3] + nearest[4]) / 2));
}

TEST_CASE("every measure by its definition") {
  const Table t = check_real(), s = check_synthetic(), h = check_holdout();
  const Table* by[] = {&t, &h};
  MixedSpace space(by, {"x", "y", "c", "d"});
  const MixedRows rows[] = {space.encode(t), space.encode(h), space.encode(s)};
  const auto nearest = [&](int from, int to) {
    std::vector<std::pair<double, double>> out;
    for (std::size_t i = 0; i < 8; ++i) {
      std::vector<double> all;
      for (std::size_t j = 0; j < 8; ++j)
        if (from != to || i != j) all.push_back(space.distance(rows[from].row(i), rows[to].row(j)));
      std::sort(all.begin(), all.end());
      out.emplace_back(all[0], all[1]);
    }
    return out;
  };
  const auto st = nearest(2, 0), sh = nearest(2, 1), ss = nearest(2, 2), ts = nearest(0, 2),
             tt = nearest(0, 0), hs = nearest(1, 2), hh = nearest(1, 1);
  double share = 0, ratio = 0, identified = 0, aa_t = 0, aa_h = 0, auroc = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    share += (st[i].first < sh[i].first) + (st[i].first == sh[i].first) / 2.0;
    ratio += st[i].first / st[i].second;
    identified += ts[i].first < tt[i].first;
    aa_t += (ts[i].first > tt[i].first) + (st[i].first > ss[i].first);
    aa_h += (hs[i].first > hh[i].first) + (sh[i].first > ss[i].first);
    for (std::size_t j = 0; j < 8; ++j)
      auroc += (ts[i].first < hs[j].first) + (ts[i].first == hs[j].first) / 2.0;
  }
  CHECK(value(dcr_share, t, s, h) == Approx(share / 8));
  CHECK(value(nndr, t, s, h) == Approx(ratio / 8));
  CHECK(value(identifiability, t, s, h) == Approx(identified / 8));
  CHECK(value(nnaa, t, s, h) == Approx(aa_t / 16));
  CHECK(value(nnaa_privacy_loss, t, s, h) == Approx((aa_h - aa_t) / 16));
  CHECK(value(membership, t, s, h) == Approx(auroc / 64));
}

TEST_CASE("fresh rows give nothing away, copies do") {
  const Table t = drawn(600, 1), h = drawn(300, 2), fresh = drawn(500, 3);
  CHECK(value(dcr_share, t, fresh, h) == Approx(0.5).epsilon(0.12));
  CHECK(value(near_copies, t, fresh, h) < 0.1);
  CHECK(value(membership, t, fresh, h) == Approx(0.5).epsilon(0.1));
  CHECK(std::abs(value(nnaa_privacy_loss, t, fresh, h)) < 0.08);
  const Score identified = NearestRows(identifiability).evaluate(&t, fresh, with_holdout(h));
  CHECK(*identified.value == Approx(identified.ceiling->value).epsilon(0.15));
  CHECK(value(dcr_share, t, t, h) == 1);
  CHECK(value(near_copies, t, t, h) == 1);
  CHECK(value(membership, t, t, h) == Approx(1));
  CHECK(value(identifiability, t, t, h) > 0.99);
  CHECK(value(nnaa_privacy_loss, t, t, h) > 0.25);
  CHECK(value(dcr, t, t, h) == 0);
}

TEST_CASE(
    "the share of nearest training rows sees copies whatever the sizes, and fresh rows stay at a half") {
  const Table t = drawn(600, 1), fresh = drawn(2000, 3);
  for (const std::size_t rows : {60, 150, 400, 599, 900, 2000}) {
    CAPTURE(rows);
    const Table h = drawn(rows, 2);
    CHECK(value(dcr_share, t, t, h) > 0.99);
    const double of_fresh = value(dcr_share, t, fresh, h);
    CHECK(of_fresh == Approx(0.5).epsilon(0.2));
    // Training and holdout rows change places.
    CHECK(value(dcr_share, h, fresh, t) == Approx(1 - of_fresh).epsilon(0.1));
    const Score score = NearestRows(dcr_share).evaluate(&t, fresh, with_holdout(h));
    REQUIRE(score.interval);
    CHECK(score.interval->low < of_fresh);
    CHECK(of_fresh < score.interval->high);
  }
}

TEST_CASE("the order of the rows decides nothing, whatever the sizes; floors are of shuffled columns") {
  const Table t = drawn(300, 1), h = drawn(200, 2), s = drawn(250, 3);
  const auto reversed = [](const Table& table) {
    std::vector<std::size_t> order(table.rows());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = order.size() - 1 - i;
    return table.take(order);
  };
  for (const NearestRowMeasure measure : kAll)
    CHECK(value(measure, t, s, h) == Approx(value(measure, reversed(t), reversed(s), reversed(h))));
  for (const NearestRowMeasure measure : {dcr, nnaa, membership}) {
    const Score score = NearestRows(measure, true).evaluate(&t, t, with_holdout(h));
    REQUIRE(score.floor);
    CHECK(score.floor->source == "columns of the training rows shuffled apart, 300 rows");
  }
  CHECK(NearestRows(dcr, true).evaluate(&t, t, with_holdout(h)).floor->value > 0.01);
  CHECK(NearestRows(nnaa, true).evaluate(&t, s, with_holdout(h)).floor->value > 0.6);
  // Without a holdout the training rows, each against the others, stand for fresh rows.
  const Score alone = NearestRows(dcr).evaluate(&t, s, {});
  REQUIRE(alone.ceiling);
  CHECK(alone.ceiling->value == Approx(*alone.value).epsilon(0.15));
  CHECK(NearestRows(nndr).evaluate(&t, s, {}).ceiling->value == Approx(0.6).epsilon(0.2));
}

TEST_CASE("rows of one subject are not each other's neighbours") {
  std::vector<Record> records;
  for (int i = 0; i < 20; ++i)
    records.push_back({{"who", "p" + std::to_string(i / 2)}, {"x", static_cast<double>(i / 2)}});
  Schema schema{.fields = {{.name = "who", .roles = {Role::subject}}, {.name = "x", .kind = Kind::real}}};
  const Table by_subject = Table::from_records(schema, records);
  schema.fields[0].roles = {Role::identifier};
  const Table by_row = Table::from_records(schema, records);
  const Table s = column_table(Kind::real, {0.5, 4.5, 8.5});
  CHECK(NearestRows(identifiability).evaluate(&by_row, s, {}).value == 0.0);  // a twin row is nearer
  CHECK(*NearestRows(identifiability).evaluate(&by_subject, s, {}).value > 0.2);
  const Score score = NearestRows(membership).evaluate(&by_subject, s, with_holdout(by_subject));
  REQUIRE(score.interval);
  CHECK(score.interval->method.starts_with("Obuchowski"));
  const Score of_rows = NearestRows(membership).evaluate(&by_row, s, with_holdout(by_row));
  CHECK(score.interval->high - score.interval->low > of_rows.interval->high - of_rows.interval->low);
}

TEST_CASE("what cannot be computed says why; work may be shared; promises are kept") {
  const Table t = check_real(), s = check_synthetic(), h = check_holdout();
  for (const NearestRowMeasure measure : kAll) {
    const NearestRows evaluator(measure);
    CHECK(nonconformities(evaluator, &t, s, with_holdout(h)).empty());
    CHECK_FALSE(evaluator.evaluate(nullptr, s, {}).value);
    CHECK_FALSE(evaluator.evaluate(&t, text_table({"a"}), with_holdout(h)).value);
    CHECK(evaluator.evaluate(&t, s, {}).value.has_value() ==
          (measure == dcr || measure == nndr || measure == identifiability || measure == nnaa));
    EvaluationContext shared = with_holdout(h);
    shared.shared = std::make_shared<SharedWork>();
    for (const NearestRowMeasure before : kAll) NearestRows(before).evaluate(&t, s, shared);
    CHECK(evaluator.evaluate(&t, s, shared).value == evaluator.evaluate(&t, s, with_holdout(h)).value);
  }
  const Table one = t.head(1);
  for (const NearestRowMeasure measure : kAll) {
    const Score score = NearestRows(measure).evaluate(&one, one, with_holdout(one));
    CHECK(score.value.has_value() != !score.undefined.empty());
    if (score.value) CHECK(std::isfinite(*score.value));
  }
}
