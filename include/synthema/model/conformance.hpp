// What every token constraint promises, as a test that a plug-in's author can run:
// nonconformities(constraint, vocabulary_size) gives one sentence per broken promise; an empty result means
// that none was found.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/model/token_constraint.hpp"

namespace synthema {

namespace detail {

template <TokenConstraint C>
class ConstraintTrial {
 public:
  ConstraintTrial(C constraint, std::size_t vocabulary_size)
      : constraint_(std::move(constraint)), size_(vocabulary_size) {}

  std::vector<std::string> run(std::size_t walks, std::size_t steps) {
    constraint_.reset();
    const std::vector<TokenId> first = ids(constraint_);
    for (std::size_t walk = 0; walk < walks; ++walk) {
      const std::size_t accepted = go(Random(walk), steps);
      if (walk % 2 == 0)
        constraint_.rollback(accepted);
      else
        constraint_.reset();
      expect(ids(constraint_) == first, walk % 2 == 0
                                            ? "A rollback of all tokens does not lead back to the beginning."
                                            : "reset() does not lead back to the beginning.");
    }
    return std::move(broken_);
  }

 private:
  std::vector<TokenId> ids(const C& constraint) const {
    TokenMask mask(size_);
    constraint.fill_mask(mask);
    return mask.ids();
  }
  void expect(bool holds, const std::string& sentence) {
    if (!holds && std::ranges::find(broken_, sentence) == broken_.end()) broken_.push_back(sentence);
  }

  // Tokens accepted on the way.
  std::size_t go(Random random, std::size_t steps) {
    for (std::size_t step = 0; step < steps; ++step) {
      const std::vector<TokenId> allowed = ids(constraint_);
      expect(ids(constraint_) == allowed, "Two masks of one place differ.");
      if (allowed.empty()) {
        expect(constraint_.is_complete(), "A place allows no token, but the answer is not complete.");
        return step;
      }
      try_refused(random, step, allowed);
      const auto chosen =
          static_cast<std::size_t>(random.uniform_at(step, 0) * static_cast<double>(allowed.size()));
      if (!try_accepted(allowed[chosen], allowed)) return step;
    }
    return steps;
  }

  void try_refused(Random random, std::size_t step, const std::vector<TokenId>& allowed) {
    const auto id = static_cast<TokenId>(random.uniform_at(step, 1) * static_cast<double>(size_));
    if (std::ranges::binary_search(allowed, id)) return;
    expect(!constraint_.accept(id), "accept() takes a token that the mask does not allow.");
    expect(ids(constraint_) == allowed, "A refused token changes the constraint.");
  }

  bool try_accepted(TokenId id, const std::vector<TokenId>& allowed) {
    C copy = constraint_;
    if (!copy.accept(id)) {
      expect(false, "accept() refuses a token that the mask allows.");
      return false;
    }
    expect(ids(constraint_) == allowed, "What a copy accepts changes the original.");
    const std::vector<TokenId> after = ids(copy);
    const bool complete = copy.is_complete();
    copy.rollback(1);
    expect(ids(copy) == allowed, "A rollback does not undo what was accepted.");
    constraint_.accept(id);
    expect(ids(constraint_) == after && constraint_.is_complete() == complete,
           "The same token leads a copy elsewhere than the original.");
    return true;
  }

  C constraint_;
  std::size_t size_;
  std::vector<std::string> broken_;
};

}  // namespace detail

// Walks at random through the constraint. Tried: masks that do not change by themselves; exactly the allowed
// tokens are accepted; refused ones change nothing; rollback, reset and copies; no place that leads nowhere.
template <TokenConstraint C>
std::vector<std::string> nonconformities(C constraint, std::size_t vocabulary_size, std::size_t walks = 10,
                                         std::size_t steps = 60) {
  return detail::ConstraintTrial<C>(std::move(constraint), vocabulary_size).run(walks, steps);
}

}  // namespace synthema
