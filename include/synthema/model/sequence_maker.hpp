// From a request to a sequence of the engine: the prompt's tokens, and what limits the answer. Forms and
// lists of banned texts are compiled once for all requests that share them.
#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/model/answer_form.hpp"
#include "synthema/model/answer_sequence.hpp"
#include "synthema/model/chat_template.hpp"
#include "synthema/model/completion_model.hpp"

namespace synthema::detail {

template <Tokenizer T>
class SequenceMaker {
 public:
  SequenceMaker(T tokenizer, ChatTemplate chat)
      : tokenizer_(std::move(tokenizer)),
        chat_(std::move(chat)),
        forms_(std::make_shared<AnswerForms>(form_vocabulary(tokenizer_))) {}

  const T& tokenizer() const { return tokenizer_; }
  const ChatTemplate& chat_template() const { return chat_; }

  // ConfigError, SchemaError: it can never be answered. The prompt's tokens are in `tokens`.
  AnswerSequence make(CompletionRequest&& request, std::size_t context) {
    request.sampling.check();
    AnswerSequence sequence;
    sequence.id = request.id;
    sequence.sampling = request.sampling;
    sequence.random = request.random;
    sequence.given = std::move(request.given);
    sequence.tokens = prompt_tokens(request.prompt);
    const std::vector<TokenId>& tokens = sequence.tokens;
    sequence.counts.prompt = tokens.size();
    if (tokens.empty()) throw ConfigError("The prompt is empty; the model needs at least one token.");
    if (tokens.size() >= context)
      throw ConfigError(message("The prompt has ", tokens.size(), " tokens; the model's context of ", context,
                                " leaves no room for an answer."));
    // A form of our own has its bans in it.
    if (!request.prompt.banned.empty() && !request.prompt.has_written_form())
      sequence.banned = banned_texts(request.prompt.banned);
    for (const auto& [text, bias] : request.prompt.bias) add_bias(sequence, text, bias);
    if (request.prompt.has_form())
      constrain(sequence, request.prompt, context);
    else
      sequence.text = AnswerText(std::move(request.prompt.stop));
    if (sequence.sampling.min_tokens > 0 && !sequence.text.stops().empty())
      sequence.too_soon = banned_texts(sequence.text.stops());
    return sequence;
  }

 private:
  const std::shared_ptr<const TokenIndex>& token_index() {
    if (!token_index_) token_index_ = TokenIndex::of(tokenizer_);
    return token_index_;
  }
  // Made once for requests that ban the same texts.
  std::shared_ptr<const BannedTexts> banned_texts(const std::vector<std::string>& texts) {
    if (banned_.size() >= kBannedLists && !banned_.contains(texts)) banned_.clear();
    std::shared_ptr<const BannedTexts>& found = banned_[texts];
    if (!found) found = std::make_shared<const BannedTexts>(token_index(), texts);
    return found;
  }
  static constexpr std::size_t kBannedLists = 64;
  void add_bias(AnswerSequence& sequence, const std::string& text, double bias) {
    check_bias(bias);
    std::vector<TokenId> ids = text.empty() ? std::vector<TokenId>() : token_index()->spelling(text);
    if (const std::optional<TokenId> control = tokenizer_.special(text)) ids.push_back(*control);
    if (ids.empty())
      throw ConfigError({.field = "bias"},
                        message("No single token of the model has the text '", text, "'."));
    for (const TokenId id : ids) sequence.biases.push_back({id, static_cast<float>(bias)});
  }

  // max_tokens limits what a form leaves open and does not cut it short; the context does.
  void constrain(AnswerSequence& sequence, const Prompt& prompt, std::size_t context) const {
    const std::size_t room = context - sequence.counts.prompt;
    std::vector<TokenId> forbidden;
    for (const LogitBias& bias : sequence.biases)
      if (bias.bias == -std::numeric_limits<float>::infinity()) forbidden.push_back(bias.id);
    AnswerLimit limit = forms_->limit(prompt, sequence.sampling.max_tokens, room, std::move(forbidden));
    sequence.longest_answer = limit.longest;
    sequence.cut_answer = limit.is_cut;
    sequence.form = limit.made_of;
    sequence.constraint = std::move(limit.constraint);
    if (const std::string why = sequence.too_long(room); !why.empty()) throw ConfigError(why);
  }
  static FormVocabulary form_vocabulary(const T& tokenizer) {
    return {VocabularyTrie::of(tokenizer), [tokenizer](std::string_view text) {
              if constexpr (requires { tokenizer.encode_following(text); })
                return tokenizer.encode_following(text);
              else
                return tokenizer.encode(text);
            }};
  }

  std::vector<TokenId> prompt_tokens(const Prompt& prompt) const {
    std::vector<TokenId> tokens;
    if (prompt.is_plain()) {
      tokens = tokenizer_.encode(prompt.text);
    } else {
      const std::vector<ChatPiece> pieces = chat_.render(prompt.messages);
      tokens = encode_chat(tokenizer_, std::span<const ChatPiece>(pieces));
    }
    if constexpr (requires { tokenizer_.begin_id(); })
      if (const std::optional<TokenId> begin = tokenizer_.begin_id())
        if (tokens.empty() || tokens.front() != *begin) tokens.insert(tokens.begin(), *begin);
    return tokens;
  }

  T tokenizer_;
  ChatTemplate chat_;
  std::shared_ptr<AnswerForms> forms_;
  std::shared_ptr<const TokenIndex> token_index_;  // made when first needed
  std::map<std::vector<std::string>, std::shared_ptr<const BannedTexts>> banned_;
};

}  // namespace synthema::detail
