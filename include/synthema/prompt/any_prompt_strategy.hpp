// AnyPromptStrategy holds any PromptStrategy by value and is one itself. Python passes this; C++ rarely needs
// it.
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>

#include "synthema/core/export.hpp"
#include "synthema/prompt/prompt_strategy.hpp"

namespace synthema {

class SYNTHEMA_EXPORT AnyPromptStrategy {
 public:
  // Excludes itself before the concept is named: clang recurses otherwise.
  template <class S>
    requires(!std::same_as<std::remove_cvref_t<S>, AnyPromptStrategy>) && PromptStrategy<S>
  AnyPromptStrategy(S strategy) : held_(std::make_shared<const Model<S>>(std::move(strategy))) {}

  std::string_view name() const { return held_->name(); }
  Exchange compose(Task task, Random random) const { return held_->compose(std::move(task), random); }
  PartOptions options() const { return held_->options(); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string_view name() const = 0;
    virtual Exchange compose(Task task, Random random) const = 0;
    virtual PartOptions options() const = 0;
  };
  template <class S>
  struct Model final : Interface {
    explicit Model(S s) : strategy(std::move(s)) {}
    std::string_view name() const override { return strategy.name(); }
    Exchange compose(Task task, Random random) const override {
      return strategy.compose(std::move(task), random);
    }
    PartOptions options() const override { return part_options(strategy); }
    S strategy;
  };
  std::shared_ptr<const Interface> held_;
};

static_assert(PromptStrategy<AnyPromptStrategy>);

}  // namespace synthema
