#include <doctest/doctest.h>

#include "dependent_rows.hpp"
#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/fidelity/long_tail.hpp"
#include "tables.hpp"

using namespace synthema;
using doctest::Approx;

namespace {

std::vector<Value> labels(std::initializer_list<std::pair<const char*, int>> counts) {
  std::vector<Value> out;
  for (const auto& [label, count] : counts)
    for (int i = 0; i < count; ++i) out.emplace_back(label);
  return out;
}

}  // namespace

TEST_CASE("the rarest tenth by hand") {
  // Rarest first: r 2, s 4, t 4 (middles 0.01, 0.04, 0.08), u 30 (0.25), v 60 (0.7).
  const Table real =
      column_table(Kind::category, labels({{"v", 60}, {"u", 30}, {"t", 4}, {"s", 4}, {"r", 2}}));
  const Table synthetic = column_table(Kind::category, labels({{"v", 60}, {"u", 36}, {"t", 1}, {"s", 3}}));
  const Score score = LongTail().evaluate(&real, synthetic, {});
  CHECK(*score.value == Approx(4.0 / 10));  // min(2, 0) + min(4, 3) + min(4, 1) of 10
  CHECK(part_of(score, "rarest tenth") == Approx(0.4));
  CHECK(part_of(score, "tenth 3") == Approx(1));
  CHECK_FALSE(part_of(score, "tenth 2"));
  CHECK(score.parts[0].note.find("of 3") != std::string::npos);
  CHECK(*LongTail().evaluate(&real, real, {}).value == Approx(1));
  CHECK(nonconformities(LongTail(), &real, synthetic, {}) == std::vector<std::string>{});
  const Table even = column_table(Kind::category, labels({{"a", 5}, {"b", 5}}));
  CHECK_FALSE(LongTail().evaluate(&even, even, {}).value);
}

TEST_CASE("lists of codes count their elements") {
  const auto table = [](const std::vector<ValueList>& lists) {
    std::vector<Record> records;
    for (const ValueList& list : lists) records.push_back({{"codes", list}});
    return Table::from_records({.fields = {{.name = "codes", .kind = Kind::list}}}, records);
  };
  std::vector<ValueList> real(19, ValueList{"I10"}), synthetic(20, ValueList{"I10"});
  real.push_back({"Q99"});
  const Table real_codes = table(real);
  CHECK(LongTail().evaluate(&real_codes, table(synthetic), {}).value == 0.0);
}

TEST_CASE("subgroups are compared one by one, and one that is lost counts 0") {
  const Table real = dependent_rows(400, 1);
  const Score fresh = SubgroupFidelity().evaluate(&real, dependent_rows(400, 2), {});
  CHECK(*fresh.value > 0.85);
  std::vector<std::size_t> without_red;
  const Table synthetic = dependent_rows(400, 2);
  for (std::size_t row = 0; row < synthetic.rows(); ++row)
    if (synthetic.column("colour").text_at(row) != "red") without_red.push_back(row);
  const Score lost = SubgroupFidelity().evaluate(&real, synthetic.take(without_red), {});
  CHECK(part_of(lost, "colour = red") == 0.0);
  CHECK(*lost.value < *fresh.value - 0.1);
  CHECK(lost.warnings.front().find("colour = red") != std::string::npos);
  CHECK(nonconformities(SubgroupFidelity(), &real, synthetic, {}) == std::vector<std::string>{});
}
