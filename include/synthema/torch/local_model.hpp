// LocalModel: a model file, the transformer, its tokenizer and its chat template behind the engine. The
// CompletionModel that runs on the user's own machine.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/completion_model.hpp"
#include "synthema/torch/transformer.hpp"

namespace synthema {

struct LocalModelOptions {
  TransformerOptions transformer{.dtype = "auto", .kv_dtype = "auto"};
  std::size_t slots = 0;                     // sequences at once; 0: 64 for each thread
  std::optional<std::string> chat_template;  // a family's name, in place of what the file says
};

class SYNTHEMA_EXPORT LocalModel {
 public:
  // A .gguf file or a folder in Hugging Face layout. ModelError or ConfigError, see ModelFile and
  // Transformer.
  static LocalModel load(const std::string& path, const LocalModelOptions& options = {});
  ~LocalModel();
  LocalModel(LocalModel&&) noexcept;
  LocalModel& operator=(LocalModel&&) noexcept;

  void submit(std::vector<CompletionRequest> requests);
  std::vector<FinishedCompletion> poll();
  void discard();
  std::string digest() const;  // of weights, tokenizer, chat template and library version
  std::string numeric_path() const;
  // As Transformer says.
  std::vector<std::pair<std::string, double>> seconds_by_part() const;
  ModelLocation location() const { return ModelLocation::in_process; }

  // Tokens of a plain prompt, with the begin token where the model has one.
  std::size_t count_tokens(std::string_view text) const;
  std::size_t context_limit() const;
  const std::string& chat_template() const;  // the family's name
  // For each text the natural log-probability of each of its tokens given those before it. Where the model
  // has no begin token the first is not scored. ModelError if a text is longer than the context.
  // `between_steps` may throw to stop (an interrupt).
  std::vector<std::vector<double>> score(const std::vector<std::string>& texts,
                                         const std::function<void()>& between_steps = {});

 private:
  struct Impl;
  explicit LocalModel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

static_assert(CompletionModel<LocalModel>);

}  // namespace synthema
