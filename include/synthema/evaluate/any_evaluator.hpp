// AnyEvaluator holds any Evaluator by value and is one itself; what it needs is asked at run time.
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

struct EvaluatorNeeds {
  bool reference = false, holdout = false, target = false, subject = false, embedder = false;
};

template <class E>
constexpr EvaluatorNeeds needs_of() {
  return {NeedsReference<E>, NeedsHoldout<E>, NeedsTarget<E>, NeedsSubject<E>, NeedsEmbedder<E>};
}

class SYNTHEMA_EXPORT AnyEvaluator {
 public:
  template <class E>
    requires(!std::same_as<std::remove_cvref_t<E>, AnyEvaluator>) && Evaluator<E>
  AnyEvaluator(E evaluator) : AnyEvaluator(std::move(evaluator), needs_of<E>()) {}
  // For plug-ins whose needs are known at run time only.
  template <class E>
    requires(!std::same_as<std::remove_cvref_t<E>, AnyEvaluator>) && Evaluator<E>
  AnyEvaluator(E evaluator, EvaluatorNeeds needs)
      : held_(std::make_shared<const Model<E>>(std::move(evaluator))), needs_(needs) {}

  std::string_view name() const { return held_->name(); }
  Direction direction() const { return held_->direction(); }
  Range range() const { return held_->range(); }
  EvaluatorNeeds needs() const { return needs_; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
    return held_->evaluate(real, synthetic, context);
  }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string_view name() const = 0;
    virtual Direction direction() const = 0;
    virtual Range range() const = 0;
    virtual Score evaluate(const Table* real, const Table& synthetic,
                           const EvaluationContext& context) const = 0;
  };
  template <class E>
  struct Model final : Interface {
    explicit Model(E e) : evaluator(std::move(e)) {}
    std::string_view name() const override { return evaluator.name(); }
    Direction direction() const override { return evaluator.direction(); }
    Range range() const override { return evaluator.range(); }
    Score evaluate(const Table* real, const Table& synthetic,
                   const EvaluationContext& context) const override {
      return evaluator.evaluate(real, synthetic, context);
    }
    E evaluator;
  };
  std::shared_ptr<const Interface> held_;
  EvaluatorNeeds needs_;
};

static_assert(Evaluator<AnyEvaluator>);

}  // namespace synthema
