// Whose codes they are, while columns are learnt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

// Different people with a row of which `has(row)` holds, counted up to `enough`.
template <class Has>
std::size_t people_with(std::span<const std::uint32_t> who, std::size_t enough, const Has& has) {
  std::unordered_set<std::uint32_t> people;
  for (std::size_t row = 0; row < who.size() && people.size() < enough; ++row)
    if (has(row)) people.insert(who[row]);
  return people.size();
}

// All rows; those of a person stand together.
std::vector<std::uint32_t> rows_by_person(std::span<const std::uint32_t> who);

struct CodingLearner {
  const CodingOptions& options;
  std::span<const std::uint32_t> who;  // by row
  bool rows_are_people;
};

// Who has each of the codes 0 to n - 1 of a column.
class CodePeople {
 public:
  enum class Side : std::uint8_t { low, high };

  // `codes` by row; n and above are of no interest.
  CodePeople(const CodingLearner& learner, std::span<const std::uint32_t> codes, std::size_t n);

  // Different people with the code.
  std::uint32_t count(std::size_t code) const { return counts_[code]; }

  // Goes through the codes from `from` to before `to`, from that side on, until visit(code, people) is false:
  // how many different people have the code and none that was visited before it.
  template <class Visit>
  void visit_new(std::size_t from, std::size_t to, Side side, const Visit& visit) const {
    std::unordered_set<std::uint32_t> seen;
    for (std::size_t i = from; i < to; ++i) {
      const std::size_t code = side == Side::low ? i : from + to - 1 - i;
      std::size_t people = counts_[code];
      if (!begin_.empty()) {
        people = 0;
        for (std::size_t k = begin_[code]; k < begin_[code + 1]; ++k) people += seen.insert(who_[k]).second;
      }
      if (!visit(code, people)) return;
    }
  }

  // How many of these codes, from that side on, `rare_below` people have together; nothing where fewer people
  // have any.
  std::optional<std::size_t> shortest(std::size_t from, std::size_t to, Side side) const;

 private:
  std::size_t enough_;
  std::vector<std::uint32_t> counts_;
  // Of subjects: those with each code, from its begin to that of the next one.
  std::vector<std::size_t> begin_;
  std::vector<std::uint32_t> who_;
};

}  // namespace synthema::detail
