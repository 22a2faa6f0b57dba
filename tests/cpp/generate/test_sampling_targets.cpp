// Balanced columns and parity: what holds in the rows, what stays as it was, what is refused.
#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "synthema/data/digest.hpp"
#include "synthema/generate/tabular/sampling_targets.hpp"
#include "synthema/generate/tabular/sequential_trees.hpp"

using namespace synthema;

namespace {

// Income depends on sex, and so does height; education only on income. Some incomes are missing.
Table people(std::size_t rows) {
  Schema schema;
  schema.fields = {{.name = "sex", .kind = Kind::category},
                   {.name = "income", .kind = Kind::category},
                   {.name = "tall", .kind = Kind::boolean},
                   {.name = "studied", .kind = Kind::integer},
                   {.name = "code", .kind = Kind::integer}};
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Random random = Random(1).stream(row);
    const bool male = random.uniform() < 0.7;
    const bool high = random.uniform() < (male ? 0.4 : 0.1);
    records.push_back({{"sex", male ? "m" : "f"},
                       {"income", random.uniform() < 0.2 ? Value() : Value(high ? "high" : "low")},
                       {"tall", random.uniform() < (male ? 0.8 : 0.2)},
                       {"studied", static_cast<std::int64_t>(random.uniform() < (high ? 0.9 : 0.3))},
                       {"code", static_cast<std::int64_t>(random.below(500))}});
  }
  return Table::from_records(schema, records);
}

const SequentialTrees& trees() {
  static const SequentialTrees fitted = [] {
    SequentialTrees out({.first = {"sex", "income"}, .threads = 1});
    out.fit(people(6000));
    return out;
  }();
  return fitted;
}

// Share of rows with a value of a column, among those with another of another column.
double share_where(const Table& table, const char* column, const Value& value, const char* given = nullptr,
                   const Value& of = {}) {
  double all = 0, there = 0;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (given && table.column(given).value_at(row).display() != of.display()) continue;
    all += 1;
    there += table.column(column).value_at(row).display() == value.display();
  }
  return there / all;
}

Table drawn(const SamplingTargets& targets, std::uint64_t rows = 6000, std::shared_ptr<const Table> c = {}) {
  return sample_with_targets(trees(), {.rows = rows, .seed = 3, .conditions = std::move(c)}, targets);
}

}  // namespace

TEST_CASE("A balanced column has its shares, and the others follow it as they did") {
  const Table free = drawn({}), even = drawn({.balance = {{"sex"}}});
  CHECK(share_where(free, "sex", "m") == doctest::Approx(0.7).epsilon(0.05));
  CHECK(share_where(even, "sex", "m") == doctest::Approx(0.5).epsilon(0.05));
  for (const char* sex : {"m", "f"})
    CHECK(share_where(even, "tall", true, "sex", sex) ==
          doctest::Approx(share_where(free, "tall", true, "sex", sex)).epsilon(0.1));
  const Table skewed =
      drawn({.balance = {{"income", {{"high", 3.0}, {"low", 1.0}}}, {"tall", {{true, 1.0}}}}});
  CHECK(share_where(skewed, "income", "high") == doctest::Approx(0.75).epsilon(0.03));
  CHECK(skewed.column("income").null_count() == 0);
  CHECK(share_where(skewed, "tall", true) == 1);
  CHECK(share_where(skewed, "studied", 1, "income", "high") == doctest::Approx(0.9).epsilon(0.05));
}

TEST_CASE("Under parity the target does not depend on the sensitive column, and both keep their shares") {
  const Table free = drawn({}, 12000);
  const Table fair = drawn({.targets = {"income"}, .sensitive = {"sex"}}, 12000);
  const auto gap = [](const Table& table) {
    return share_where(table, "income", "high", "sex", "m") -
           share_where(table, "income", "high", "sex", "f");
  };
  CHECK(gap(free) > 0.2);
  CHECK(std::abs(gap(fair)) < 0.03);
  CHECK(fair.column("income").null_count() == 0);
  double high = 0, known = 0;
  for (std::size_t row = 0; row < free.rows(); ++row)
    if (!free.column("income").is_null(row)) known += 1, high += free.column("income").text_at(row) == "high";
  CHECK(share_where(fair, "income", "high") == doctest::Approx(high / known).epsilon(0.06));
  CHECK(share_where(fair, "sex", "m") == doctest::Approx(share_where(free, "sex", "m")).epsilon(0.03));
  // What depends on each of the two still does.
  CHECK(share_where(fair, "tall", true, "sex", "m") - share_where(fair, "tall", true, "sex", "f") > 0.45);
  CHECK(share_where(fair, "studied", 1, "income", "high") - share_where(fair, "studied", 1, "income", "low") >
        0.45);
}

TEST_CASE("Parity and balance go together: the target has its stated shares in every group") {
  const Table fair = drawn({.balance = {{"income"}, {"sex", {{"f", 0.9}, {"m", 0.1}}}},
                            .targets = {"income"},
                            .sensitive = {"sex"}},
                           12000);
  CHECK(share_where(fair, "sex", "f") == doctest::Approx(0.9).epsilon(0.02));
  for (const char* sex : {"m", "f"})
    CHECK(share_where(fair, "income", "high", "sex", sex) == doctest::Approx(0.5).epsilon(0.1));
}

TEST_CASE("Several sensitive columns stay dependent on each other, but not on the target") {
  const Table fair = drawn({.targets = {"income"}, .sensitive = {"sex", "tall"}}, 12000);
  CHECK(share_where(fair, "tall", true, "sex", "m") - share_where(fair, "tall", true, "sex", "f") > 0.45);
  for (const bool tall : {true, false})
    CHECK(share_where(fair, "income", "high", "tall", tall) ==
          doctest::Approx(share_where(fair, "income", "high")).epsilon(0.08));
}

TEST_CASE("Conditions are kept, whatever the shares say; rows repeat by their seed and number") {
  Schema schema;
  schema.fields = {{.name = "sex", .kind = Kind::category}};
  const std::vector<Record> wanted{{{"sex", "f"}}, {{"sex", Value()}}};
  const auto conditions = std::make_shared<Table>(Table::from_records(schema, wanted));
  const SamplingTargets men{.balance = {{"sex", {{"m", 1.0}}}}};
  const Table made = drawn(men, 200, conditions);
  for (std::size_t row = 0; row < 200; ++row)
    REQUIRE(made.column("sex").text_at(row) == (row % 2 == 0 ? "f" : "m"));
  CHECK(content_digest(drawn(men, 200, conditions)) == content_digest(made));
  const SamplingTargets fair{.targets = {"income"}, .sensitive = {"sex"}};
  CHECK(content_digest(drawn(fair, 300)) == content_digest(drawn(fair, 300)));
  CHECK(drawn(fair, 0).rows() == 0);
}

TEST_CASE("Numbers and booleans may be named by text, as in JSON") {
  const Table made = drawn({.balance = {{"studied", {{"1", 1.0}}}, {"tall", {{"false", 1.0}}}}}, 100);
  CHECK(share_where(made, "studied", 1) == 1);
  CHECK(share_where(made, "tall", false) == 1);
}

TEST_CASE("Shares and parity that say nothing are refused by name") {
  const auto refused = [](const SamplingTargets& targets, const char* what) {
    CHECK_THROWS_WITH_AS(drawn(targets, 10), doctest::Contains(what), ConfigError);
  };
  refused({.balance = {{"height"}}}, "height");
  refused({.balance = {{"sex"}, {"sex"}}}, "twice");
  refused({.balance = {{"sex", {{"f", -1.0}}}}}, "from 0");
  refused({.balance = {{"sex", {{"f", 0.0}}}}}, "above 0");
  refused({.balance = {{"income", {{Value(), 1.0}}}}}, "missing");
  refused({.balance = {{"code"}}}, "too many values");
  refused({.targets = {"income"}}, "sensitive");
  refused({.targets = {"income"}, .sensitive = {"income"}}, "once");
  CHECK_THROWS_WITH_AS(drawn({.balance = {{"sex", {{"x", 1.0}}}}}, 10), doctest::Contains("'x'"),
                       GenerationError);
}
