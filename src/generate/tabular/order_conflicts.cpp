#include "src/generate/tabular/order_conflicts.hpp"

#include <algorithm>
#include <map>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

// The relations that a rule allows, as bits: less, equal, greater.
constexpr unsigned kLess = 1, kEqual = 2, kGreater = 4, kAny = 7;
constexpr unsigned kOrders[] = {kLess, kLess | kEqual, kEqual, kEqual | kGreater, kGreater, kLess | kGreater};
unsigned mirrored(unsigned order) {
  return (order & kEqual) | (order & kLess) << 2 | (order & kGreater) >> 2;
}

// What all rules together leave of the order of two numbers, the one with the smaller column first.
struct Orders {
  std::map<std::pair<std::size_t, std::size_t>, unsigned> left;
  std::vector<std::size_t> involved;

  unsigned of(std::size_t a, std::size_t b) const {
    const auto found = left.find(std::minmax(a, b));
    if (found == left.end()) return kAny;
    return a < b ? found->second : mirrored(found->second);
  }
};

Orders orders_of(const CodedRules& rules, std::span<const ColumnCoding> columns) {
  Orders out;
  for (const CodedRule& rule : rules.rules) {
    if (rule.relation < 0 || !rule.is_unconditional() || columns[rule.field].is_category() ||
        columns[rule.given].is_category())
      continue;
    const unsigned order = kOrders[rule.relation];
    const auto [low, high] = std::minmax(rule.field, rule.given);
    out.left.try_emplace({low, high}, kAny).first->second &= rule.field == low ? order : mirrored(order);
    for (const std::size_t column : {low, high})
      if (std::ranges::find(out.involved, column) == out.involved.end()) out.involved.push_back(column);
  }
  return out;
}

[[noreturn]] void refuse(const ColumnCoding& one, const ColumnCoding& other) {
  throw GenerationError({.field = one.field.name},
                        message("The rules of the schema order this column and '", other.field.name,
                                "' in ways that contradict each other or the table: no two of their "
                                "values can stand in one row."));
}

}  // namespace

void refuse_order_conflicts(const CodedRules& rules, std::span<const ColumnCoding> columns) {
  const Orders orders = orders_of(rules, columns);
  const auto coding = [&](std::size_t i) -> const ColumnCoding& { return columns[orders.involved[i]]; };
  // At most (1) or less (2), along any path.
  const std::size_t n = orders.involved.size();
  std::vector<std::vector<int>> below(n, std::vector<int>(n));
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      if (a == b) continue;
      const unsigned order = orders.of(orders.involved[a], orders.involved[b]);
      if (order == 0) refuse(coding(a), coding(b));
      if ((order & kGreater) == 0) below[a][b] = (order & kEqual) == 0 ? 2 : 1;
    }
  for (std::size_t by = 0; by < n; ++by)
    for (std::size_t a = 0; a < n; ++a)
      for (std::size_t b = 0; b < n; ++b)
        if (below[a][by] > 0 && below[by][b] > 0)
          below[a][b] = std::max({below[a][b], below[a][by], below[by][b]});
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      if (below[a][b] == 0) continue;
      const double least = coding(a).number(coding(a).values.front()),
                   most = coding(b).number(coding(b).values.back());
      if ((a == b && below[a][a] == 2) || least > most || (below[a][b] == 2 && least >= most))
        refuse(coding(a), coding(a == b ? (a + 1) % n : b));
    }
}

}  // namespace synthema::detail
