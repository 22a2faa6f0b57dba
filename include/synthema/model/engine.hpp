// Engine: a LanguageModel and a Tokenizer become a CompletionModel. A plain batched loop: every poll feeds
// each sequence its next tokens in one forward(), draws, and refills free slots in the order of submission. A
// faster engine replaces the inside of this class, not its interface.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/model/answer_form.hpp"
#include "synthema/model/answer_text.hpp"
#include "synthema/model/any_token_constraint.hpp"
#include "synthema/model/chat_template.hpp"
#include "synthema/model/completion_model.hpp"
#include "synthema/model/language_model.hpp"
#include "synthema/model/prefix_cache.hpp"
#include "synthema/model/sampler.hpp"

namespace synthema {

struct EngineOptions {
  std::size_t slots = 32;            // sequences under way at once
  std::size_t prefill_rows = 512;    // prompt tokens computed in one poll, about
  std::size_t shared_prefixes = 8;   // kept at once; 0: no sharing
  std::size_t shortest_prefix = 16;  // tokens from which sharing pays
};

// Names what answers: see CompletionModel.
struct EngineIdentity {
  std::string digest;
  std::string numeric_path;
};

template <LanguageModel M, Tokenizer T>
class Engine {
 public:
  Engine(M model, T tokenizer, ChatTemplate chat, EngineIdentity identity, EngineOptions options = {})
      : model_(std::move(model)),
        tokenizer_(std::move(tokenizer)),
        chat_(std::move(chat)),
        identity_(std::move(identity)),
        options_(options),
        forms_(std::make_shared<AnswerForms>(form_vocabulary(tokenizer_))),
        ends_(tokenizer_.end_ids()) {
    if (options_.slots == 0) throw ConfigError({.field = "slots"}, "The engine needs at least one slot.");
    std::ranges::sort(ends_);
  }

  void submit(std::vector<CompletionRequest> requests) {
    for (CompletionRequest& request : requests) {
      try {
        queue_.push_back(prepare(std::move(request)));
      } catch (const Error& error) {  // this request can never be answered
        fail(request.id, error.what());
      }
    }
  }

  std::vector<FinishedCompletion> poll() {
    while (active_.size() < options_.slots && !queue_.empty() && admit()) {
    }
    step();
    return std::exchange(finished_, {});
  }

  void discard() {
    for (const Sequence& sequence : active_) model_.close(sequence.slot);
    active_.clear();
    queue_.clear();
    finished_.clear();
    reserved_ = cached_;
  }

  std::string digest() const { return identity_.digest; }
  std::string numeric_path() const { return identity_.numeric_path; }
  ModelLocation location() const { return ModelLocation::in_process; }

  const M& model() const { return model_; }
  M& model() { return model_; }  // for scoring between polls: slots opened there must be closed there
  const T& tokenizer() const { return tokenizer_; }
  const ChatTemplate& chat_template() const { return chat_; }

 private:
  struct Sequence {
    std::uint64_t id = 0;
    Sampling sampling;
    Random random;
    std::vector<TokenId> tokens;  // prompt, then answer
    std::size_t fed = 0;          // of these, how many the slot holds
    Slot slot = 0;
    AnswerText text;
    std::optional<AnyTokenConstraint> constraint;
    std::size_t longest_answer = 0;    // in tokens, under the constraint
    std::span<const TokenId> allowed;  // for the next draw; empty: all
    std::vector<TokenId> with_ends;    // what `allowed` shows where an end may be drawn too
    TokenCounts counts;
    double log_probability = 0;
    detail::Prefix prefix;     // keeps it from being evicted
    std::size_t reserved = 0;  // tokens of memory
    std::optional<Finish> finish;
    std::string failure;
  };

  // --- from request to sequence

  Sequence prepare(CompletionRequest&& request) const {
    request.sampling.check();
    Sequence sequence;
    sequence.id = request.id;
    sequence.sampling = request.sampling;
    sequence.random = request.random;
    sequence.tokens = prompt_tokens(request.prompt);
    sequence.counts.prompt = sequence.tokens.size();
    if (sequence.tokens.empty())
      throw ConfigError("The prompt is empty; the model needs at least one token.");
    if (sequence.tokens.size() >= model_.context_limit())
      throw ConfigError(message("The prompt has ", sequence.tokens.size(), " tokens; the model's context of ",
                                model_.context_limit(), " leaves no room for an answer."));
    if (request.prompt.has_form())
      constrain(sequence, request.prompt);
    else
      sequence.text = AnswerText(std::move(request.prompt.stop));
    return sequence;
  }

  // max_tokens limits what the form leaves open and does not cut it short.
  void constrain(Sequence& sequence, const Prompt& prompt) const {
    const AnswerForm form = forms_->of(prompt);
    sequence.longest_answer = form.longest(sequence.sampling.max_tokens);
    sequence.constraint.emplace(FormConstraint(form, sequence.sampling.max_tokens),
                                tokenizer_.vocabulary_size());
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

  void fail(std::uint64_t id, std::string why) {
    Completion completion;
    completion.finish = Finish::failed;
    completion.failure = std::move(why);
    finished_.push_back({id, std::move(completion)});
  }

  // --- memory

  std::size_t capacity() const {
    if constexpr (requires { model_.token_capacity(); })
      return model_.token_capacity();
    else
      return std::numeric_limits<std::size_t>::max();
  }
  // Whole blocks and the block that a fork copies may take this much more than the tokens themselves.
  static constexpr std::size_t kSlack = 64;

  std::size_t need_of(const Sequence& sequence) const {
    const std::size_t answer =
        sequence.constraint ? sequence.longest_answer : std::size_t{sequence.sampling.max_tokens};
    return std::min(sequence.tokens.size() + answer, model_.context_limit()) + kSlack;
  }
  // Evicts idle prefixes until `need` more tokens fit; false if they still do not.
  bool make_room(std::size_t need, const detail::Prefix& keep) {
    while (need > capacity() - std::min(reserved_, capacity())) {
      const detail::Prefix old = prefixes_.evict(keep);
      if (!old) return false;
      release(*old);
    }
    return true;
  }
  void release(const detail::SharedPrefix& prefix) {
    model_.close(prefix.slot);
    reserved_ -= prefix.tokens.size() + kSlack;
    cached_ -= prefix.tokens.size() + kSlack;
  }

  // --- admission: the first of the queue gets a slot, or waits for memory (then so do all behind it)

  bool admit() {
    Sequence& next = queue_.front();
    detail::Prefix prefix = prefix_for(next);
    const std::size_t shared = prefix ? prefix->tokens.size() : 0;
    const std::size_t need = need_of(next) - shared;
    if (!make_room(need, prefix)) {
      if (!active_.empty()) return false;
      fail(next.id, message("Prompt and answer may take ", need_of(next),
                            " tokens, but the memory for keys and values holds only ", capacity(), "."));
      queue_.pop_front();
      return true;
    }
    next.slot = prefix ? model_.fork(prefix->slot) : model_.open();
    next.fed = shared;
    next.prefix = std::move(prefix);
    next.reserved = need;
    reserved_ += need;
    active_.push_back(std::move(next));
    queue_.pop_front();
    remember(active_.back().tokens);
    Sequence& sequence = active_.back();
    if (sequence.constraint) advance_constraint(sequence);
    return true;
  }

  void remember(const std::vector<TokenId>& prompt) {
    recent_.push_back(prompt);
    if (recent_.size() > kRecent) recent_.pop_front();
  }
  static constexpr std::size_t kRecent = 32;  // prompts that the next ones are compared with

  detail::Prefix prefix_for(const Sequence& sequence) {
    if (options_.shared_prefixes == 0) return nullptr;
    detail::Prefix found = prefixes_.find(sequence.tokens);
    const std::size_t have = found ? found->tokens.size() : 0;
    std::vector<std::size_t> common;
    const auto compare = [&](const std::vector<TokenId>& other) {
      const std::size_t most =
          std::min(sequence.tokens.size(), other.size()) - 1;  // one token is left to feed
      common.push_back(std::min(most, detail::common_length(sequence.tokens, other)));
    };
    for (std::size_t i = 1; i < std::min(queue_.size(), 2 * kRecent); ++i) compare(queue_[i].tokens);
    for (const std::vector<TokenId>& prompt : recent_) compare(prompt);
    const std::size_t length = detail::worthwhile_prefix(std::move(common), have,
                                                         std::max<std::size_t>(1, options_.shortest_prefix));
    return length > have ? build_prefix(sequence, std::move(found), length) : found;
  }

  // A new shared prefix of `length` tokens, grown from a shorter one where there is one.
  detail::Prefix build_prefix(const Sequence& sequence, detail::Prefix found, std::size_t length) {
    if (!make_room(length + kSlack + need_of(sequence), found)) return found;
    while (prefixes_.size() >= options_.shared_prefixes) {
      const detail::Prefix old = prefixes_.evict(found);
      if (!old) return found;
      release(*old);
    }
    auto prefix = std::make_shared<detail::SharedPrefix>();
    const auto tokens = std::span(sequence.tokens).first(length);
    prefix->tokens.assign(tokens.begin(), tokens.end());
    prefix->slot = found ? model_.fork(found->slot) : model_.open();
    const SlotStep step{prefix->slot, tokens.subspan(found ? found->tokens.size() : 0), false, {}};
    model_.forward(std::span(&step, 1));
    reserved_ += length + kSlack;
    cached_ += length + kSlack;
    prefixes_.add(prefix);
    return prefix;
  }

  // --- one step of all sequences

  void step() {
    std::vector<SlotStep> steps;
    std::vector<std::size_t> drawing;  // indices of the sequences that get logits
    std::size_t budget = std::max<std::size_t>(1, options_.prefill_rows);
    for (std::size_t i = 0; i < active_.size(); ++i) {
      Sequence& sequence = active_[i];
      const std::size_t pending = sequence.tokens.size() - sequence.fed;
      if (sequence.finish || (pending > 1 && budget == 0)) continue;
      const std::size_t now = pending > 1 ? std::min(pending, budget) : pending;
      if (pending > 1) budget -= now;
      const bool last = now == pending;
      steps.push_back({sequence.slot, std::span(sequence.tokens).subspan(sequence.fed, now), last,
                       last ? sequence.allowed : std::span<const TokenId>()});
      sequence.fed += now;
      if (last) drawing.push_back(i);
    }
    if (!steps.empty()) {
      const auto logits = model_.forward(steps);
      for (std::size_t k = 0; k < drawing.size(); ++k) draw(active_[drawing[k]], logits[k]);
    }
    retire();
  }

  void draw(Sequence& sequence, std::span<const float> logits) {
    const std::uint64_t index = sequence.tokens.size() - sequence.counts.prompt;
    try {
      const Draw drawn = sampler_.draw({logits, sequence.allowed, sequence.tokens}, sequence.sampling,
                                       sequence.random, index);
      sequence.log_probability += drawn.log_probability;
      ++(sequence.constraint ? sequence.counts.masked : sequence.counts.free);
      if (std::ranges::binary_search(ends_, drawn.id))
        sequence.finish = sequence.constraint ? Finish::constraint : Finish::stop;
      else
        accept(sequence, drawn.id);
    } catch (const ModelError& error) {
      fail(sequence, error.what());
    }
  }

  void accept(Sequence& sequence, TokenId id) {
    sequence.tokens.push_back(id);
    const bool stopped = sequence.text.append(tokenizer_.token_bytes(id));
    if (sequence.constraint) {
      sequence.constraint->accept(id);
      advance_constraint(sequence);
    } else if (stopped) {
      sequence.finish = Finish::stop;
    } else if (sequence.counts.generated() >= sequence.sampling.max_tokens || context_is_full(sequence)) {
      sequence.finish = Finish::length;
    }
  }

  bool context_is_full(const Sequence& sequence) const {
    return sequence.tokens.size() >= model_.context_limit();
  }

  // Takes fixed text and forced tokens without asking the model and leaves the ids of the next draw in
  // `allowed`. Where the answer is complete but may go on ("yes", "yes, but"), an end id may be drawn to
  // stay.
  void advance_constraint(Sequence& sequence) {
    try {
      while (take_forced(sequence)) {
      }
    } catch (const Error& error) {  // too large a constraint, found out on the way
      fail(sequence, error.what());
    }
  }

  // Takes what follows in any case. False: nothing does, and `allowed` or `finish` is set.
  bool take_forced(Sequence& sequence) {
    AnyTokenConstraint& constraint = *sequence.constraint;
    std::span<const TokenId> forced = constraint.forced();
    if (forced.empty()) {
      sequence.allowed = constraint.allowed();
      const bool complete = constraint.is_complete();
      if (sequence.allowed.empty() && !complete) {
        const std::string why = constraint.failure();
        return fail(sequence, why.empty() ? "The constraint leaves no token that could follow." : why), false;
      }
      if (sequence.allowed.empty() || (complete && ends_.empty()))
        return sequence.finish = Finish::constraint, false;
      if (complete) allow_ends(sequence);
      forced = sequence.allowed;
      if (forced.size() > 1 && !context_is_full(sequence)) return false;
    }
    for (const TokenId id : forced) {
      if (context_is_full(sequence))
        return fail(sequence, "The model's context ended before the answer was written out."), false;
      constraint.accept(id);
      sequence.tokens.push_back(id);
      sequence.text.append(tokenizer_.token_bytes(id));
      ++sequence.counts.forced;
    }
    return true;
  }

  void allow_ends(Sequence& sequence) const {
    sequence.with_ends.assign(sequence.allowed.begin(), sequence.allowed.end());
    const auto middle = static_cast<std::ptrdiff_t>(sequence.with_ends.size());
    sequence.with_ends.insert(sequence.with_ends.end(), ends_.begin(), ends_.end());
    std::ranges::inplace_merge(sequence.with_ends, sequence.with_ends.begin() + middle);
    sequence.allowed = sequence.with_ends;
  }

  static void fail(Sequence& sequence, std::string why) {
    sequence.finish = Finish::failed;
    sequence.failure = std::move(why);
  }

  // Hands over finished sequences; the others keep their order.
  void retire() {
    for (Sequence& sequence : active_) {
      if (!sequence.finish) continue;
      model_.close(sequence.slot);
      reserved_ -= sequence.reserved;
      finished_.push_back({sequence.id, completion_of(sequence)});
    }
    std::erase_if(active_, [](const Sequence& sequence) { return sequence.finish.has_value(); });
  }

  static Completion completion_of(Sequence& sequence) {
    Completion completion;
    completion.finish = *sequence.finish;
    completion.failure = std::move(sequence.failure);
    completion.tokens = sequence.counts;
    completion.log_probability = sequence.log_probability;
    try {
      completion.text = std::move(sequence.text).finish();
    } catch (const ModelError& error) {
      completion.finish = Finish::failed;
      completion.failure = error.what();
    }
    return completion;
  }

  M model_;
  T tokenizer_;
  ChatTemplate chat_;
  EngineIdentity identity_;
  EngineOptions options_;
  std::shared_ptr<AnswerForms> forms_;
  std::vector<TokenId> ends_;  // ascending
  Sampler sampler_;
  std::deque<Sequence> queue_;
  std::vector<Sequence> active_;  // in order of admission
  std::vector<FinishedCompletion> finished_;
  detail::PrefixCache prefixes_;
  std::deque<std::vector<TokenId>> recent_;
  std::size_t reserved_ = 0;  // tokens of memory promised to sequences and prefixes
  std::size_t cached_ = 0;    // of these, to prefixes
};

}  // namespace synthema
