#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/learn/nearest_neighbours.hpp"

using namespace synthema;

namespace {

struct Shape {
  std::size_t numbers = 3, labels = 3, few = 4;  // few: different labels, and different values of a number
  double missing = 0, spread = 1;
  bool whole = false;    // whole numbers, so that many distances are equal
  std::size_t each = 0;  // rows of one owner, far from those of the next, whose first label is another
};

Table random_table(std::size_t rows, const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  std::vector<Field> fields;
  for (std::size_t c = 0; c < shape.numbers; ++c)
    fields.push_back({.name = "n" + std::to_string(c), .kind = Kind::real});
  for (std::size_t c = 0; c < shape.labels; ++c)
    fields.push_back({.name = "l" + std::to_string(c), .kind = Kind::category});
  std::vector<Record> records;
  for (std::size_t row = 0; row < rows; ++row) {
    Record record;
    const double centre =
        shape.each > 0 ? 100.0 * static_cast<double>(row / shape.each) : static_cast<double>(random.below(5));
    for (std::size_t c = 0; c < fields.size(); ++c) {
      if (random.uniform() < shape.missing)
        record.set(fields[c].name, Value());
      else if (c >= shape.numbers)
        record.set(fields[c].name,
                   (shape.each > 0 && c == shape.numbers ? "u" + std::to_string(row / shape.each) : "v") +
                       std::to_string(random.below(shape.few)));
      else if (shape.whole)
        record.set(fields[c].name, static_cast<double>(random.below(shape.few)));
      else
        record.set(fields[c].name, centre + shape.spread * random.uniform());
    }
    records.push_back(std::move(record));
  }
  return Table::from_records({.fields = fields}, records);
}

std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> out;
  for (const Field& field : table.schema().fields) out.push_back(field.name);
  return out;
}

// All pairs, as the definition says.
std::vector<Neighbour> by_definition(const MixedSpace& space, const MixedRows& among,
                                     const std::vector<std::uint32_t>& owners, const MixedRows& queries,
                                     const std::vector<std::uint32_t>& query_owners,
                                     const SearchOptions& options) {
  std::vector<Neighbour> out;
  for (std::size_t q = 0; q < queries.rows; ++q) {
    std::vector<Neighbour> all;
    for (std::size_t r = 0; r < among.rows; ++r)
      if (!options.other_owners || owners[r] != query_owners[q])
        all.push_back({space.distance(queries.row(q), among.row(r)), static_cast<std::uint32_t>(r)});
    std::sort(all.begin(), all.end());
    all.resize(std::max(all.size(), options.neighbours));
    out.insert(out.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(options.neighbours));
  }
  return out;
}

// Orders codes of labels, the missing ones before all others.
bool below_missing(std::uint32_t a, std::uint32_t b) {
  return a + 1 < b + 1;
}

std::vector<std::uint32_t> owners_of(std::size_t rows, std::size_t each) {
  std::vector<std::uint32_t> out;
  for (std::size_t i = 0; i < rows; ++i) out.push_back(static_cast<std::uint32_t>(i / each));
  return out;
}

void compare(const Shape& shape, std::size_t rows, std::size_t queries, const SearchOptions& options,
             Scaling scaling = Scaling::range) {
  const Table real = random_table(rows, shape, 1), other = random_table(queries, shape, 2);
  const Table* scale[] = {&real};
  MixedSpace space(scale, names_of(real), scaling);
  const MixedRows a = space.encode(real), b = space.encode(other);
  const auto owners = owners_of(rows, 3), query_owners = owners_of(queries, 2);
  const NeighbourIndex index(space, a, owners), asked(space, b, query_owners);
  CHECK(index.nearest_to(asked, options) == by_definition(space, a, owners, b, query_owners, options));
  CHECK(index.nearest_to(index, options) == by_definition(space, a, owners, a, owners, options));
}

}  // namespace

TEST_CASE("the same rows and distances as all pairs give, ties and all") {
  for (const std::size_t neighbours : {1, 2, 6})
    for (const bool other_owners : {false, true}) {
      const SearchOptions options{.neighbours = neighbours, .other_owners = other_owners};
      compare({}, 700, 150, options);
      compare({.numbers = 6, .labels = 0}, 500, 100, options);
      compare({.numbers = 0, .labels = 7, .few = 300}, 500, 100, options);  // more labels than codes
      compare({.numbers = 4, .labels = 4, .few = 3, .whole = true}, 600, 100, options);  // ties
      compare({.numbers = 5, .labels = 5, .missing = 0.3}, 600, 100, options);
      compare({.numbers = 40, .labels = 20, .missing = 0.1}, 400, 60, options);  // coarse codes
      compare({.numbers = 300, .labels = 200}, 200, 20, options);                // sums beyond the coarsest
    }
  compare({.numbers = 5, .labels = 2, .missing = 0.1}, 500, 100, {.neighbours = 3}, Scaling::quantile);
}

TEST_CASE("searches that visit blocks together: many columns, many blocks, labels of every kind") {
  for (const bool other_owners : {false, true}) {
    const SearchOptions options{.neighbours = 2, .other_owners = other_owners};
    compare({.numbers = 12, .labels = 12, .few = 6, .missing = 0.05, .spread = 5}, 1300, 150, options);
    compare({.numbers = 2, .labels = 20, .few = 40}, 1300, 150, options);  // labels that share bits
    compare({.numbers = 0, .labels = 70, .few = 3}, 1100, 130, options);   // more than are counted
    compare({.numbers = 20, .labels = 0, .missing = 0.1, .spread = 5}, 1100, 130, options);
    compare({.numbers = 3, .labels = 9, .few = 2, .spread = 9, .whole = true}, 1100, 130, options);  // ties
  }
}

// tests/CMakeLists.txt runs this one with every instruction set.
TEST_CASE("searches whose nearest blocks hold too few neighbours: a large owner, many neighbours") {
  // Whole blocks of each owner: in one of both every query would find a neighbour at once.
  const Shape shape{.numbers = 6, .labels = 4, .few = 12, .each = std::size_t{12} * 128};
  const Table table = random_table(2 * shape.each, shape, 1);
  const Table* scale[] = {&table};
  MixedSpace space(scale, names_of(table));
  const MixedRows rows = space.encode(table);
  const auto owners = owners_of(rows.rows, shape.each);
  std::vector<std::size_t> some;
  std::vector<std::uint32_t> their_owners;
  for (std::size_t row = 0; row < rows.rows; row += 20)
    some.push_back(row), their_owners.push_back(owners[row]);
  const MixedRows asked = space.encode(table.take(some));
  const NeighbourIndex index(space, rows, owners), queries(space, asked, their_owners);
  for (const std::size_t neighbours : {1, 3, 1100})
    for (const bool other_owners : {false, true}) {
      CAPTURE(neighbours);
      CAPTURE(other_owners);
      const SearchOptions options{.neighbours = neighbours, .other_owners = other_owners};
      const auto all_pairs = by_definition(space, rows, owners, asked, their_owners, options);
      CHECK((index.nearest_to(queries, options) == all_pairs));
    }
}

// Codes of labels that agree in a byte are told apart, whichever of the two indexes has the many labels.
TEST_CASE("more labels than a byte tells apart: in both indexes, in one of them, in a part") {
  const Shape many{.numbers = 1, .labels = 3, .few = 5000, .missing = 0.1}, few{.numbers = 1, .labels = 3};
  const Table some = random_table(200, few, 1), wide = random_table(900, many, 2),
              other = random_table(300, many, 3);
  const Table* scale[] = {&some};
  MixedSpace space(scale, names_of(some));
  const MixedRows a = space.encode(some), b = space.encode(wide), c = space.encode(other);
  CHECK(*std::max_element(a.labels.begin(), a.labels.end(), below_missing) < 255);
  CHECK(*std::max_element(b.labels.begin(), b.labels.end(), below_missing) > 2 * 255);
  const NeighbourIndex narrow(space, a), index(space, b), asked(space, c);
  const SearchOptions options{.neighbours = 3};
  CHECK(index.nearest_to(asked, options) == by_definition(space, b, {}, c, {}, options));
  CHECK(narrow.nearest_to(index, options) == by_definition(space, a, {}, b, {}, options));
  CHECK(index.nearest_to(narrow, options) == by_definition(space, b, {}, a, {}, options));
  const std::vector<std::size_t> chosen{899, 3, 700, 4, 5, 250};
  const MixedRows taken = space.encode(wide.take(chosen));
  CHECK(index.part(chosen).nearest_to(asked, options) == by_definition(space, taken, {}, c, {}, options));
  CHECK(asked.nearest_to(index.part(chosen), options) == by_definition(space, c, {}, taken, {}, options));
}

TEST_CASE("an index of rows of several others is that of a table of them") {
  const Shape few{.missing = 0.1, .whole = true}, many{.few = 2000, .missing = 0.1};
  const Table first = random_table(200, few, 1), second = random_table(700, many, 2);
  const Table queries = random_table(50, few, 3);
  const Table* scale[] = {&first, &second};
  MixedSpace space(scale, names_of(first));
  const MixedRows a = space.encode(first), b = space.encode(second), asked = space.encode(queries);
  const NeighbourIndex of_first(space, a), of_second(space, b);
  MixedRows both{0, a.number_columns, a.label_columns, {}, {}};
  std::vector<NeighbourIndex::RowOf> rows;
  for (std::size_t row = 0; row < 400; ++row) {
    const bool one = row % 3 == 0;
    const std::size_t at = one ? 199 - row / 3 : 2 * (row / 2);  // some twice
    rows.push_back({one ? &of_first : &of_second, at});
    const MixedRow cells = (one ? a : b).row(at);
    both.numbers.insert(both.numbers.end(), cells.numbers.begin(), cells.numbers.end());
    both.labels.insert(both.labels.end(), cells.labels.begin(), cells.labels.end());
    ++both.rows;
  }
  const SearchOptions options{.neighbours = 3};
  CHECK(NeighbourIndex::of(rows).nearest_to(NeighbourIndex(space, asked), options) ==
        by_definition(space, both, {}, asked, {}, options));
  CHECK_THROWS_AS(NeighbourIndex::of({}), ConfigError);
}

TEST_CASE("an index of some rows is that of a table of them") {
  const Shape shape{.numbers = 4, .labels = 3, .missing = 0.1};
  const Table table = random_table(500, shape, 1), queries = random_table(50, shape, 2);
  const Table* scale[] = {&table};
  MixedSpace space(scale, names_of(table));
  const NeighbourIndex whole(space, space.encode(table), owners_of(500, 4)),
      asked(space, space.encode(queries));
  std::vector<std::size_t> chosen;
  std::vector<std::uint32_t> owners;
  for (std::size_t row = 0; row < 500; row += 3)
    chosen.push_back(499 - row), owners.push_back(static_cast<std::uint32_t>((499 - row) / 4));
  const NeighbourIndex part = whole.part(chosen), anew(space, space.encode(table.take(chosen)), owners);
  CHECK(part.rows() == chosen.size());
  CHECK(part.nearest_to(asked, {.neighbours = 3}) == anew.nearest_to(asked, {.neighbours = 3}));
  CHECK(part.nearest_to(part, {.other_owners = true}) == anew.nearest_to(anew, {.other_owners = true}));
}

TEST_CASE("few rows, one row, none") {
  compare({}, 1, 3, {.neighbours = 2});
  compare({}, 2, 1, {.neighbours = 2, .other_owners = true});
  compare({}, 129, 130, {});
  const Table none = random_table(0, {}, 1), some = random_table(3, {}, 1);
  const Table* scale[] = {&some};
  MixedSpace space(scale, names_of(some));
  const NeighbourIndex empty(space, space.encode(none)), index(space, space.encode(some));
  CHECK(std::isinf(empty.nearest_to(index)[0].distance));
  CHECK(index.nearest_to(empty).empty());
  CHECK_THROWS_AS(index.nearest_to(index, {.neighbours = 0}), ConfigError);
}

TEST_CASE("threads and the order of rows change nothing") {
  const Shape shape{.numbers = 4, .labels = 3, .few = 3, .missing = 0.1, .whole = true};
  const Table real = random_table(900, shape, 1);
  const Table* scale[] = {&real};
  MixedSpace space(scale, names_of(real));
  const NeighbourIndex index(space, space.encode(real));
  const auto one = index.nearest_to(index, {.neighbours = 2, .other_owners = true, .threads = 1});
  CHECK(one == index.nearest_to(index, {.neighbours = 2, .other_owners = true, .threads = 3}));
  std::vector<std::size_t> backwards;
  for (std::size_t i = real.rows(); i-- > 0;) backwards.push_back(i);
  const NeighbourIndex turned(space, space.encode(real.take(backwards)));
  const auto other = turned.nearest_to(turned, {.neighbours = 2, .other_owners = true});
  for (std::size_t i = 0; i < real.rows(); ++i)
    CHECK(other[2 * (real.rows() - 1 - i)].distance == one[2 * i].distance);
}

TEST_CASE("rows within a radius are those of comparing all pairs, whatever the radii") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    Shape shape{.missing = 0.1, .whole = seed == 2};
    if (seed == 3) shape.numbers = 40, shape.labels = 20;  // coarse codes
    const Table table = random_table(700, shape, seed), queries = random_table(150, shape, seed + 10);
    const Table* scale[] = {&table};
    MixedSpace space(scale, names_of(table));
    const MixedRows rows = space.encode(table), asked = space.encode(queries);
    std::vector<double> radii;
    Random random(seed);
    for (std::size_t i = 0; i < asked.rows; ++i) {
      // Some exactly at the distance of a row, which is within.
      const double exact = space.distance(asked.row(i), rows.row(i));
      radii.push_back(i % 4 == 0   ? exact
                      : i % 4 == 1 ? random.uniform() * random.uniform()
                      : i % 4 == 2 ? 0.0
                                   : std::numeric_limits<double>::infinity());
    }
    const auto owners = owners_of(rows.rows, 3), query_owners = owners_of(asked.rows, 2);
    const NeighbourIndex index(space, rows, owners), of_queries(space, asked, query_owners);
    for (const bool other_owners : {false, true}) {
      std::vector<std::vector<Neighbour>> found(asked.rows);
      index.each_within(of_queries, radii,
                        [&](std::size_t query, std::span<const Neighbour> within) {
                          found[query].assign(within.begin(), within.end());
                          std::sort(found[query].begin(), found[query].end());
                        },
                        {.other_owners = other_owners});
      const SearchOptions all{.neighbours = rows.rows, .other_owners = other_owners};
      const auto wanted = by_definition(space, rows, owners, asked, query_owners, all);
      for (std::size_t q = 0; q < asked.rows; ++q) {
        std::vector<Neighbour> within;
        for (std::size_t i = 0; i < rows.rows; ++i)
          if (const Neighbour& one = wanted[q * rows.rows + i];
              std::isfinite(one.distance) && one.distance <= radii[q])
            within.push_back(one);
        CHECK(found[q] == within);
      }
    }
  }
}

TEST_CASE("rows within a radius: none to search, and one radius a query") {
  const Table some = random_table(5, {}, 1), none = some.head(0);
  const Table* scale[] = {&some};
  MixedSpace space(scale, names_of(some));
  const NeighbourIndex index(space, space.encode(some)), empty(space, space.encode(none));
  const std::vector<double> radii(5, 1.0);
  std::size_t visits = 0, rows = 0;
  empty.each_within(index, radii,
                    [&](std::size_t, std::span<const Neighbour> within) { ++visits, rows += within.size(); },
                    {.threads = 1});
  CHECK(visits == 5);
  CHECK(rows == 0);
  CHECK_THROWS_AS(index.each_within(index, {}, [](std::size_t, std::span<const Neighbour>) {}), ConfigError);
}
