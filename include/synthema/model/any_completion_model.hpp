// AnyCompletionModel holds any CompletionModel and is one itself. Copies share the model (a model is a
// resource) and its turns, which callers on several threads take: a model is used by one thread at a time.
#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/turns.hpp"
#include "synthema/model/completion_model.hpp"

namespace synthema {

class SYNTHEMA_EXPORT AnyCompletionModel {
 public:
  template <class M>
    requires(!std::same_as<std::remove_cvref_t<M>, AnyCompletionModel>) && CompletionModel<M>
  AnyCompletionModel(M model) : held_(std::make_shared<Model<M>>(std::move(model))) {}

  void submit(std::vector<CompletionRequest> requests) { held_->submit(std::move(requests)); }
  std::vector<FinishedCompletion> poll() { return held_->poll(); }
  void discard() { held_->discard(); }
  std::string digest() const { return held_->digest(); }
  std::string numeric_path() const { return held_->numeric_path(); }
  ModelLocation location() const { return held_->location(); }

  Turns& turns() const { return held_->turns; }

 private:
  struct Interface {
    virtual ~Interface() = default;
    virtual void submit(std::vector<CompletionRequest> requests) = 0;
    virtual std::vector<FinishedCompletion> poll() = 0;
    virtual void discard() = 0;
    virtual std::string digest() const = 0;
    virtual std::string numeric_path() const = 0;
    virtual ModelLocation location() const = 0;
    Turns turns;
  };
  template <class M>
  struct Model final : Interface {
    explicit Model(M m) : model(std::move(m)) {}
    void submit(std::vector<CompletionRequest> requests) override { model.submit(std::move(requests)); }
    std::vector<FinishedCompletion> poll() override { return model.poll(); }
    void discard() override { model.discard(); }
    std::string digest() const override { return model.digest(); }
    std::string numeric_path() const override { return model.numeric_path(); }
    ModelLocation location() const override { return model.location(); }
    M model;
  };
  std::shared_ptr<Interface> held_;
};

static_assert(CompletionModel<AnyCompletionModel>);

}  // namespace synthema
