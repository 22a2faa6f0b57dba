// AnyGenerator holds any Generator and is one itself. Copies share the generator.
#pragma once

#include <concepts>
#include <memory>
#include <string_view>
#include <utility>

#include "synthema/core/export.hpp"
#include "synthema/generate/generator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT AnyGenerator {
 public:
  template <class G>
    requires(!std::same_as<std::remove_cvref_t<G>, AnyGenerator>) && Generator<G>
  AnyGenerator(G generator) : held_(std::make_shared<Model<G>>(std::move(generator))) {}

  std::string_view name() const { return held_->name(); }
  const Schema& schema() const { return held_->schema(); }
  Table sample(const SampleRequest& request) { return held_->sample(request); }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual std::string_view name() const = 0;
    virtual const Schema& schema() const = 0;
    virtual Table sample(const SampleRequest& request) = 0;
  };
  template <class G>
  struct Model final : Interface {
    explicit Model(G g) : generator(std::move(g)) {}
    std::string_view name() const override { return generator.name(); }
    const Schema& schema() const override { return generator.schema(); }
    Table sample(const SampleRequest& request) override { return generator.sample(request); }
    G generator;
  };
  std::shared_ptr<Interface> held_;
};

static_assert(Generator<AnyGenerator>);

}  // namespace synthema
