// AnyTokenConstraint holds any TokenConstraint by value and is one itself; what the engine drives. It gives
// every constraint what FormConstraint has: the mask as ids, fixed text, and why nothing is allowed.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/token_constraint.hpp"

namespace synthema {

class SYNTHEMA_EXPORT AnyTokenConstraint {
 public:
  // `vocabulary_size`: of the masks.
  template <class C>
    requires(!std::same_as<std::remove_cvref_t<C>, AnyTokenConstraint>) && TokenConstraint<C>
  AnyTokenConstraint(C constraint, std::size_t vocabulary_size)
      : held_(std::make_unique<Model<C>>(std::move(constraint), vocabulary_size)) {}
  AnyTokenConstraint(const AnyTokenConstraint& other) : held_(other.held_->copy()) {}
  AnyTokenConstraint(AnyTokenConstraint&&) noexcept = default;
  AnyTokenConstraint& operator=(AnyTokenConstraint other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }
  ~AnyTokenConstraint() = default;

  std::size_t vocabulary_size() const { return held_->size(); }
  void fill_mask(TokenMask& mask) const { held_->fill_mask(mask); }
  bool accept(TokenId id) { return held_->accept(id); }
  void rollback(std::size_t n) { held_->rollback(n); }
  bool is_complete() const { return held_->is_complete(); }
  void reset() { held_->reset(); }

  // The mask as ids in ascending order; valid until the next call.
  std::span<const TokenId> allowed() { return held_->allowed(); }
  // Tokens to be accepted and fed without drawing; valid until the constraint is gone. Empty: draw.
  std::span<const TokenId> forced() { return held_->forced(); }
  // Why nothing is allowed although the answer is not complete; empty if the constraint does not say.
  std::string failure() const { return held_->failure(); }
  // False: the answer cannot be finished within so many more tokens. True if the constraint does not say.
  bool fits(std::size_t tokens) const { return held_->fits(tokens); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::unique_ptr<Interface> copy() const = 0;
    virtual std::size_t size() const = 0;
    virtual void fill_mask(TokenMask& mask) const = 0;
    virtual bool accept(TokenId id) = 0;
    virtual void rollback(std::size_t n) = 0;
    virtual bool is_complete() const = 0;
    virtual void reset() = 0;
    virtual std::span<const TokenId> allowed() = 0;
    virtual std::span<const TokenId> forced() = 0;
    virtual std::string failure() const = 0;
    virtual bool fits(std::size_t tokens) const = 0;
  };
  template <class C>
  struct Model final : Interface {
    Model(C c, std::size_t size) : constraint(std::move(c)), vocabulary_size(size) {}
    std::unique_ptr<Interface> copy() const override { return std::make_unique<Model>(*this); }
    std::size_t size() const override { return vocabulary_size; }
    void fill_mask(TokenMask& out) const override { constraint.fill_mask(out); }
    bool accept(TokenId id) override { return constraint.accept(id); }
    void rollback(std::size_t n) override { constraint.rollback(n); }
    bool is_complete() const override { return constraint.is_complete(); }
    void reset() override { constraint.reset(); }
    std::span<const TokenId> allowed() override {
      if constexpr (requires { std::span<const TokenId>(constraint.allowed()); }) {
        return constraint.allowed();
      } else {
        TokenMask mask(vocabulary_size);
        constraint.fill_mask(mask);
        ids = mask.ids();
        return ids;
      }
    }
    std::span<const TokenId> forced() override {
      if constexpr (requires { std::span<const TokenId>(constraint.forced()); })
        return constraint.forced();
      else
        return {};
    }
    std::string failure() const override {
      if constexpr (requires { std::string(constraint.failure()); })
        return constraint.failure();
      else
        return {};
    }
    bool fits(std::size_t tokens) const override {
      if constexpr (requires { bool(constraint.fits(tokens)); })
        return constraint.fits(tokens);
      else
        return true;
    }
    C constraint;
    std::size_t vocabulary_size;
    std::vector<TokenId> ids;  // of constraints that do not list them
  };
  std::unique_ptr<Interface> held_;
};

static_assert(TokenConstraint<AnyTokenConstraint>);

}  // namespace synthema
