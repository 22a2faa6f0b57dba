#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "check_table.hpp"
#include "src/evaluate/row_distances.hpp"
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

TEST_CASE("the few nearest of many rows are the same however many are in one index") {
  const Table rows = drawn(300, 1).take(std::vector<std::size_t>(300, 0)), fresh = drawn(300, 2);
  const Table* by[] = {&fresh};
  MixedSpace space(by, {"x", "y", "c", "z"});
  // Three hundred different rows between twice as many equal ones, of which the first count.
  const NeighbourIndex equal(space, space.encode(rows)), different(space, space.encode(fresh));
  std::vector<NeighbourIndex::RowOf> all;
  for (std::size_t row = 0; row < 300; ++row)
    all.push_back({&equal, row}), all.push_back({&different, row}), all.push_back({&equal, 299 - row});
  const auto whole = detail::nearest_few(all, different, {});
  const auto wanted = NeighbourIndex::of(all).nearest_to(different, {.neighbours = whole[0].size()});
  for (std::size_t i = 0; i < whole.size(); ++i)
    CHECK(std::equal(whole[i].begin(), whole[i].end(), &wanted[i * whole[i].size()]));
  for (const std::size_t at_once : {1, 7, 256, 900})
    CHECK(detail::nearest_few(all, different, {}, at_once) == whole);
  const auto one = detail::nearest_few(std::span(all).first(1), different, {});
  CHECK(std::isfinite(one[0][0].distance));
  CHECK(std::isinf(one[0][1].distance));
}

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
  double ratio = 0, identified = 0, aa_t = 0, aa_h = 0, auroc = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    ratio += st[i].first / st[i].second;
    // No two of these rows are equal or as far from a third.
    identified += ts[i].first < tt[i].first;
    aa_t += (ts[i].first > tt[i].first) + (st[i].first > ss[i].first);
    aa_h += (hs[i].first > hh[i].first) + (sh[i].first > ss[i].first);
    for (std::size_t j = 0; j < 8; ++j)
      auroc += (ts[i].first < hs[j].first) + (ts[i].first == hs[j].first) / 2.0;
  }
  CHECK(value(nndr, t, s, h) == Approx(ratio / 8));
  CHECK(value(identifiability, t, s, h) == Approx(identified / 8));
  CHECK(value(nnaa, t, s, h) == Approx(aa_t / 16));
  CHECK(value(nnaa_privacy_loss, t, s, h) == Approx((aa_h - aa_t) / 16));
  CHECK(value(membership, t, s, h) == Approx(auroc / 64));
}

TEST_CASE("the share of nearest training rows by its definition, and a holdout that is too small for it") {
  const Table t = drawn(40, 1), h = drawn(30, 2), s = drawn(25, 3);
  const Table* by[] = {&t, &h};
  MixedSpace space(by, {"x", "y", "c", "z"});
  const MixedRows rows[] = {space.encode(t), space.encode(h), space.encode(s)};
  double won = 0;
  for (std::size_t i = 0; i < s.rows(); ++i) {
    double nearest[] = {2, 2};
    for (const std::size_t to : {0, 1})
      for (std::size_t j = 0; j < rows[to].rows; ++j)
        nearest[to] = std::min(nearest[to], space.distance(rows[2].row(i), rows[to].row(j)));
    won += nearest[0] < nearest[1] ? 1.0 / 25 : 0;
  }
  CHECK(value(dcr_share, t, s, h) == Approx(0.5 + (won - 40.0 / 70) / (30.0 / 70) / 2));
  const auto undefined = [&](const Table& of, const Table& held) {
    return NearestRows(dcr_share).evaluate(&t, of, with_holdout(held)).undefined;
  };
  CHECK(undefined(drawn(2000, 3), h.head(9)).find("The holdout has 9 rows; with fewer than 10") == 0);
  CHECK(undefined(drawn(2000, 3), h.head(10)).empty());
  // 11 synthetic rows, of which 30 of 70 would go to the holdout: 4.7; of 12 it would be 5.1.
  CHECK(undefined(drawn(11, 3), h).find("only 4.7 synthetic rows") != std::string::npos);
  CHECK(undefined(drawn(12, 3), h).empty());
}

TEST_CASE("a fresh sample of a small domain is told from real rows by chance alone") {
  Random random(5);
  const auto sample = [&](std::size_t rows, double share_of_a) {
    std::vector<Value> values;
    for (std::size_t i = 0; i < rows; ++i)
      values.emplace_back(std::string(random.uniform() < share_of_a ? "a" : random.below(2) ? "b" : "c"));
    return column_table(Kind::category, values);
  };
  const Table t = sample(400, 0.3), h = sample(350, 0.3), fresh = sample(500, 0.3);
  CHECK(value(nnaa, t, fresh, h) == Approx(0.5).epsilon(0.02));
  CHECK(std::abs(value(nnaa_privacy_loss, t, fresh, h)) < 0.01);
  const Score identified = NearestRows(identifiability).evaluate(&t, fresh, with_holdout(h));
  CHECK(*identified.value == Approx(identified.ceiling->value).epsilon(0.02));
  // Nearly all synthetic rows one label: own rows are the greater share of the equal ones. A real "a" (3 of
  // 10) has 0.3 / (0.3 + 0.94) own ones among its equals, a "b" or "c" 0.35 / (0.35 + 0.03).
  const Table skewed = sample(400, 0.94);
  const double real_side = 0.3 * 0.3 / 1.24 + 0.7 * 0.35 / 0.38,
               synthetic_side = 0.94 * 0.94 / 1.24 + 0.06 * 0.03 / 0.38;
  CHECK(value(nnaa, t, skewed, h) == Approx((real_side + synthetic_side) / 2).epsilon(0.05));
  // All rows one: none can be told from another.
  const Table one = column_table(Kind::category, std::vector<Value>(40, std::string("a")));
  CHECK(value(nnaa, one, one, one) == Approx(0.5).epsilon(0.02));
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
  CHECK(value(nnaa_privacy_loss, t, t, h) > 0.2);  // 300 rows drawn of each: half of the copies meet
  CHECK(value(dcr, t, t, h) == 0);
}

TEST_CASE(
    "the share of nearest training rows: copies 1, fresh rows a half, the same leak the same at any size") {
  const Table t = drawn(600, 1), fresh = drawn(2000, 3);
  std::vector<Record> mixed;
  for (std::size_t row = 0; row < 1000; ++row) mixed.push_back(row < 300 ? t.record(row) : fresh.record(row));
  const Table leaky = Table::from_records(t.schema(), mixed);
  for (const std::size_t rows : {60, 150, 400, 599, 699, 900, 2000}) {
    CAPTURE(rows);
    const Table h = drawn(rows, 2);
    CHECK(value(dcr_share, t, t, h) == 1);
    CHECK(value(dcr_share, t, h, h) < 0.4);
    const double of_fresh = value(dcr_share, t, fresh, h);
    CHECK(of_fresh == Approx(0.5).epsilon(0.2));
    CHECK(value(dcr_share, t, leaky, h) == Approx(0.65).epsilon(0.12));  // 300 copies of 1,000
    const Score score = NearestRows(dcr_share).evaluate(&t, fresh, with_holdout(h));
    REQUIRE(score.interval);
    CHECK(score.interval->low < of_fresh);
    CHECK(of_fresh < score.interval->high);
  }
}

TEST_CASE("rows at the same distance are shared as training and holdout have them") {
  const auto labels = [](const std::vector<Value>& values) { return column_table(Kind::category, values); };
  const auto times = [&](std::size_t count, std::vector<Value> values) {
    const std::size_t once = values.size();
    for (std::size_t i = once; i < count * once; ++i) values.push_back(values[i % once]);
    return labels(values);
  };
  const Table t = times(5, {"a", "a", "a", "b"}), h = times(5, {"a", "b"});
  // Equal to "a": three of four rows are training; to "b": one of two. By chance: two of three.
  const double won = (0.75 + 0.5) / 2, chance = 4.0 / 6;
  CHECK(value(dcr_share, t, times(8, {"a", "b"}), h) == Approx(0.5 + (won - chance) / (1 - chance) / 2));
  // As near to every real row.
  CHECK(value(dcr_share, t, times(15, {"c"}), h) == Approx(0.5));
  // Samples of a small domain are neither copies nor not, whatever the sizes.
  Random random(3);
  const auto sample = [&](std::size_t rows) {
    std::vector<Value> values;
    for (std::size_t i = 0; i < rows; ++i)
      values.emplace_back(std::string(1, static_cast<char>('a' + random.below(4))));
    return labels(values);
  };
  const Table many = sample(500), few = sample(130);
  CHECK(value(dcr_share, many, sample(700), few) == Approx(0.5).epsilon(0.02));
  CHECK(value(dcr_share, many, many, few) == Approx(0.5).epsilon(0.02));
}

TEST_CASE("synthetic rows that share a nearest real row are worth fewer, by hand") {
  const auto independent = [](const Table& t, const Table& h, const Table& s) {
    return detail::RowDistances(t, s, &h, 0).independent_rows({});
  };
  const auto numbers = [](const std::vector<Value>& values) { return column_table(Kind::real, values); };
  const auto expected = [](double squares, double units) {
    return (units - 1) / units / (squares - 1 / units);
  };
  const Table t = numbers({0.0, 20.0, 40.0, 60.0}), h = numbers({10.0, 30.0, 50.0});
  // Three of four follow 0, one follows 30.
  const Table s = numbers({1.0, 2.0, 3.0, 31.0});
  CHECK(independent(t, h, s) == Approx(expected((9 + 1) / 16.0, 7)));
  CHECK(independent(h, t, s) == Approx(expected((9 + 1) / 16.0, 7)));  // whoever's the real rows are
  CHECK(independent(t, h, numbers({0.0, 0.0})) == Approx(1));
  // As near to 0 as to 10; of equal real rows each has its part, of one table or both.
  CHECK(independent(t, h, numbers({5.0})) == Approx(expected(0.5, 7)));
  CHECK(independent(numbers({0.0, 0.0, 40.0}), h, numbers({1.0})) == Approx(expected(0.5, 6)));
  CHECK(independent(numbers({0.0, 40.0}), numbers({0.0, 0.0}), numbers({1.0})) ==
        Approx(expected(1 / 3.0, 4)));
  // Each real row has as many: every split gives the same share.
  CHECK(std::isinf(independent(numbers({0.0, 20.0}), numbers({10.0}), numbers({1.0, 11.0, 21.0}))));
}

TEST_CASE("rows that share a nearest real subject hang on where that subject went") {
  const auto people = [](const std::vector<std::pair<int, double>>& rows) {
    const Schema schema{
        .fields = {{.name = "who", .roles = {Role::subject}}, {.name = "x", .kind = Kind::real}}};
    std::vector<Record> records;
    for (const auto& [who, x] : rows) records.push_back({{"who", std::to_string(who)}, {"x", x}});
    return Table::from_records(schema, records);
  };
  const Table t = people({{1, 0.0}, {1, 10.0}, {2, 20.0}}), h = people({{3, 30.0}, {4, 40.0}});
  // Three of four rows are nearest to the first subject: squares 10 / 16, of four subjects.
  CHECK(detail::RowDistances(t, people({{1, 1.0}, {2, 11.0}, {3, 11.0}, {4, 41.0}}), &h, 0)
            .independent_rows({}) == Approx(3.0 / 4 / (10 / 16.0 - 1.0 / 4)));
}

TEST_CASE(
    "clumps of synthetic rows that never saw the training rows are no leak, however the rows are split") {
  const Table real = drawn(300, 1), centres = drawn(8, 7);
  Random random(3);
  std::vector<std::size_t> clumped;
  for (std::size_t i = 0; i < 300; ++i) clumped.push_back(i % centres.rows());
  const Table s = centres.take(clumped);
  std::vector<std::size_t> order(real.rows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::size_t held = 0, not_near = 0;
  for (std::size_t split = 0; split < 24; ++split) {
    random.shuffle(order);
    const std::span<const std::size_t> rows(order);
    const Table t = real.take(rows.first(150)), h = real.take(rows.subspan(150));
    const Score score = NearestRows(dcr_share).evaluate(&t, s, with_holdout(h));
    REQUIRE(score.interval);
    held += score.interval->low <= 0.5 && score.interval->high >= 0.5 ? 1 : 0;
    const Score near = NearestRows(near_copies).evaluate(&t, s, with_holdout(h));
    not_near += near.interval->low <= near.ceiling->value ? 1 : 0;
    const Interval of_rows = wilson(*near.value * 300, 300);
    CHECK(near.interval->high - near.interval->low > 2 * (of_rows.high - of_rows.low));
    CHECK(NearestRows(dcr_share).evaluate(&t, t, with_holdout(h)).interval->low > 0.9);
    CHECK(NearestRows(near_copies).evaluate(&t, t, with_holdout(h)).interval->low > 0.9);
  }
  CHECK(not_near >= 21);
  CHECK(held >= 21);  // by an interval of 95 %, 20 or fewer of 24 come once in a hundred times
}

TEST_CASE("check values of syntheval, synthcity and SDMetrics") {
  const Table t = check_real(), s = check_synthetic(), h = check_holdout();
  const auto as = [&](NearestRowMeasure measure, Convention convention) {
    const NearestRows evaluator(measure, false, convention);
    CHECK(nonconformities(evaluator, &t, s, with_holdout(h)).empty());
    const Score score = evaluator.evaluate(&t, s, with_holdout(h));
    CHECK(score.convention == name_of(convention));
    return score.value;
  };
  CHECK(as(dcr, Convention::syntheval) == Approx(.5333333333));
  CHECK(as(nndr, Convention::syntheval) == Approx(.6336525190));
  CHECK(as(nnaa, Convention::syntheval) == Approx(.25));
  CHECK(as(nnaa_privacy_loss, Convention::syntheval) == Approx(0));
  CHECK(as(identifiability, Convention::syntheval) == Approx(.75));
  CHECK(as(dcr_share, Convention::sdmetrics) == Approx(.75));
  // By hand: distances of the rows of one column, of which the first and the last have a synthetic row
  // nearer.
  const auto numbers = [](const std::vector<Value>& values) { return column_table(Kind::real, values); };
  const Table r = numbers({0.0, 10.0, 11.0, 30.0});
  CHECK(NearestRows(identifiability, false, Convention::synthcity)
            .evaluate(&r, numbers({1.0, 29.0}), {})
            .value == 0.5);
  CHECK(as(near_copies, Convention::syntheval) == Approx(0));
  CHECK(NearestRows(near_copies, false, Convention::syntheval)
            .evaluate(&r, numbers({1.0, 10.5, 20.0}), with_holdout(r))
            .value == 0.75);
  CHECK_THROWS_AS(NearestRows(nndr, false, Convention::sdmetrics), ConfigError);
  CHECK_THROWS_AS(NearestRows(dcr, false, Convention::synthcity), ConfigError);
  // A table twice as large is drawn from without a seed there.
  CHECK_FALSE(NearestRows(nnaa, false, Convention::syntheval).evaluate(&t, s.head(4), with_holdout(h)).value);
  const Table gap = numbers({0.0, Value(), 11.0});
  for (const NearestRowMeasure measure : {dcr, nndr, identifiability})
    CHECK(NearestRows(measure, false, Convention::syntheval).evaluate(&gap, r, {}).undefined ==
          "The convention knows no missing values.");
  // Equal tables are one there: rows are not nearest to themselves.
  CHECK(NearestRows(dcr, false, Convention::syntheval).evaluate(&r, r, {}).value == Approx(1));
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
  CHECK(score.interval->method == "DeLong over subjects, normal, synthetic rows held fixed");
  const Score of_rows = NearestRows(membership).evaluate(&by_row, s, with_holdout(by_row));
  CHECK(score.interval->high - score.interval->low > of_rows.interval->high - of_rows.interval->low);
  CHECK(of_rows.parts.empty());
}

TEST_CASE("people are told apart by all their rows, each person once") {
  const auto people = [](const std::vector<std::vector<double>>& rows) {
    const Schema schema{
        .fields = {{.name = "who", .roles = {Role::subject}}, {.name = "x", .kind = Kind::real}}};
    std::vector<Record> records;
    for (std::size_t person = 0; person < rows.size(); ++person)
      for (const double x : rows[person]) records.push_back({{"who", std::to_string(person)}, {"x", x}});
    return Table::from_records(schema, records);
  };
  // Mean distances to 0 of the members: 2, 3, 6; of the others: 5, 4.5, 1. Four of nine pairs.
  const Table t = people({{1, 3}, {3}, {10, 2}}), h = people({{5}, {9, 0}, {1, 1, 1}});
  const Score score = NearestRows(membership).evaluate(&t, column_table(Kind::real, {0.0}), with_holdout(h));
  CHECK(score.value == Approx(4.0 / 9));
  CHECK(score.n == 6);
  REQUIRE(score.parts.size() == 1);
  // Of 5 x 6 pairs of rows: 1 beats 5, 9 and half of three ones; 3 (twice) and 2 beat 5 and 9; 10 none.
  CHECK(score.parts[0].value == Approx((3.5 + 2 + 2 + 2) / 30));
  CHECK(score.parts[0].n == 11);

  // Ten rows a person, each of which tells a little: together they tell much.
  const auto drawn_people = [&](double shift, std::uint64_t seed) {
    std::vector<std::vector<double>> rows(60);
    for (std::size_t person = 0; person < rows.size(); ++person)
      for (std::size_t i = 0; i < 10; ++i) rows[person].push_back(shift + Random(seed).uniform_at(person, i));
    return people(rows);
  };
  const Table near = drawn_people(0, 1), far = drawn_people(0.2, 2);
  const Score many =
      NearestRows(membership).evaluate(&near, column_table(Kind::real, {0.0}), with_holdout(far));
  CHECK(*many.value > 0.9);
  CHECK(*many.parts[0].value < 0.75);
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
