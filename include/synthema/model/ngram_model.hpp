// NgramModel: a word n-gram model with back-off as a CompletionModel. It is small, exact and needs no
// weights, so examples and tests run anywhere. It writes texts in the manner of those it was trained on and
// knows nothing of the prompt except its last words and its choices: of no use for real data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/completion_model.hpp"

namespace synthema {

class SYNTHEMA_EXPORT NgramModel {
 public:
  // `order` words form one n-gram (2 to 8). Words are what white space separates. ConfigError: no text with a
  // word, or an order out of range.
  explicit NgramModel(const std::vector<std::string>& texts, std::size_t order = 3);

  void submit(std::vector<CompletionRequest> requests);
  std::vector<FinishedCompletion> poll();  // answers everything that waits
  void discard() { waiting_.clear(); }
  std::string digest() const { return digest_; }
  std::string numeric_path() const { return "ngram"; }
  ModelLocation location() const { return ModelLocation::in_process; }

  // One answer. Honours temperature, top_k, max_tokens, stop texts and choices; the other sampling values do
  // not apply to so few candidates.
  Completion answer(const CompletionRequest& request) const;

 private:
  using Word = std::uint32_t;
  using Context = std::vector<Word>;

  std::vector<Word> known_context(const Prompt& prompt) const;
  Word next(const Context& context, const CompletionRequest& request, std::uint64_t token) const;

  std::size_t order_;
  std::vector<std::string> words_;  // 0: end of text
  std::map<std::string, Word> ids_;
  std::map<Context, std::map<Word, std::uint64_t>> counts_;  // of every length below the order
  std::string digest_;
  std::vector<CompletionRequest> waiting_;
};

static_assert(CompletionModel<NgramModel>);

}  // namespace synthema
