#include "src/learn/design_effect.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace synthema::detail {

namespace {

// Some rows of a cut: all and those on its left, by class; up to each class where classes are ordered.
struct CutRows {
  std::vector<double> all, left;
  double rows = 0, left_rows = 0;

  explicit CutRows(std::size_t classes) : all(classes), left(classes) {}
  void clear() {
    std::ranges::fill(all, 0.0);
    std::ranges::fill(left, 0.0);
    rows = left_rows = 0;
  }
  void add(std::uint8_t of_class, std::uint8_t is_left) {
    all[of_class] += 1;
    left[of_class] += is_left;
    rows += 1;
    left_rows += is_left;
  }
  void order() {
    std::partial_sum(all.begin(), all.end(), all.begin());
    std::partial_sum(left.begin(), left.end(), left.begin());
  }
};

// The square of what is on the left beyond a share of all, less that of the rows without these.
double square_added(const CutRows& node, const CutRows& own) {
  const double share = node.left_rows / node.rows, rest = node.rows - own.rows;
  const double share_without = rest > 0 ? (node.left_rows - own.left_rows) / rest : 0;
  double out = 0;
  for (std::size_t k = 0; k < node.all.size(); ++k) {
    const double added = own.left[k] - share * node.all[k] + share_without * (node.all[k] - own.all[k]);
    out += added * added;
  }
  return out;
}

// The square of what one row of each class adds, but for which side it is on.
std::vector<double> squares_of_rows(const CutRows& node, bool ordered) {
  std::vector<double> out(node.all.size());
  double squares = 0, beyond = 0;
  for (const double count : node.all) squares += count * count / (node.rows * node.rows);
  for (std::size_t k = out.size(); k-- > 0;) {
    beyond = (ordered ? beyond : 0) + 1 - 2 * node.all[k] / node.rows;
    out[k] = squares + beyond;
  }
  return out;
}

}  // namespace

double design_effect(const TreeTarget& target, std::span<const std::uint32_t> rows,
                     std::span<const std::uint8_t> is_left) {
  CutRows node(target.count), own(target.count);
  for (std::size_t i = 0; i < rows.size(); ++i) node.add(target.classes[rows[i]], is_left[i]);
  if (target.ordered) node.order();
  const std::vector<double> squares = squares_of_rows(node, target.ordered);
  const double share = node.left_rows / node.rows;
  double of_rows = 0, of_people = 0;
  for (std::size_t from = 0, to; from < rows.size(); from = to) {
    const std::uint32_t person = target.people[rows[from]];
    double alone = 0;
    own.clear();
    for (to = from; to < rows.size() && target.people[rows[to]] == person; ++to) {
      const double side = is_left[to] - share;
      alone += side * side * squares[target.classes[rows[to]]];
      own.add(target.classes[rows[to]], is_left[to]);
    }
    if (target.ordered) own.order();
    of_rows += alone;
    of_people += to == from + 1 ? alone : square_added(node, own);
  }
  return of_rows > 0 ? std::max(1.0, of_people / of_rows) : 1;
}

}  // namespace synthema::detail
