// Engine: a LanguageModel and a Tokenizer become a CompletionModel by continuous batching. Every poll is one
// step: free slots are refilled in the order of submission, every sequence that draws gives one row to one
// forward(), and prompts are read in chunks beside them, within a budget of rows, so that neither holds up
// the other. What prompts begin with in common is stored once and computed once (prefix_tree.hpp). Draws run
// on the model's workers, each as soon as its logits are there.
//
// A model that computes long sequences otherwise than short ones (language_model.hpp) reads an answer that
// grows beyond the short context anew there, once, and goes on with it as a long one.
//
// Nobody starves: admission is first come, first served (a request that waits for memory holds up those
// behind it), every admitted sequence draws in every step, and older prompts are read first.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/model/answer_sequence.hpp"
#include "synthema/model/chat_template.hpp"
#include "synthema/model/completion_model.hpp"
#include "synthema/model/language_model.hpp"
#include "synthema/model/prefix_tree.hpp"
#include "synthema/model/sampler.hpp"
#include "synthema/model/score.hpp"
#include "synthema/model/sequence_maker.hpp"

namespace synthema {

struct EngineOptions {
  std::size_t slots = 32;             // sequences under way at once
  std::size_t prefill_rows = 512;     // prompt tokens computed in one poll, beside the draws
  std::size_t shared_tokens = 16384;  // kept for shared prefixes, together; 0: no sharing
  std::size_t shortest_prefix = 16;   // tokens from which sharing pays
  double tolerance = 1e-3;            // of logits, within which a given answer is a near-tie
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
        requests_(std::move(tokenizer), std::move(chat)),
        identity_(std::move(identity)),
        options_(options),
        ends_(requests_.tokenizer().end_ids()) {
    if (options_.slots == 0) throw ConfigError({.field = "slots"}, "The engine needs at least one slot.");
    std::ranges::sort(ends_);
  }

  void submit(std::vector<CompletionRequest> requests) {
    for (CompletionRequest& request : requests) {
      try {
        Sequence sequence = requests_.make(std::move(request), model_.context_limit());
        const std::vector<TokenId> prompt = std::exchange(sequence.tokens, {});
        sequence.last = prompt.back();
        sequence.is_long = prompt.size() > short_context(model_);
        sequence.leaf = tree_.hold(std::span(prompt).first(prompt.size() - 1), sequence.is_long);
        queue_.push_back(std::move(sequence));
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
    for (Sequence& sequence : active_) leave(sequence);
    active_.clear();
    for (Sequence& sequence : queue_) tree_.release(sequence.leaf);
    queue_.clear();
    finished_.clear();
    while (!building_.empty()) drop(building_.back());
  }

  // For each text the natural log-probability of each of its tokens but the first, given those before it.
  // Works beside whatever is under way. ModelError if a text is longer than the context or than the free
  // memory. `between_steps` may throw to stop (an interrupt).
  std::vector<std::vector<double>> score(std::span<const std::vector<TokenId>> texts,
                                         const std::function<void()>& between_steps = {}) {
    std::size_t longest = 0;
    for (const std::vector<TokenId>& text : texts) longest = std::max(longest, text.size());
    const std::size_t need = std::max<std::size_t>(1, options_.prefill_rows) + longest + kSlack;
    make_room(std::min(need, capacity()));
    // A shared beginning goes before the rest; it must be long enough to fill much of a step by itself.
    const std::size_t least = options_.shared_tokens == 0
                                  ? capacity()
                                  : std::max(options_.shortest_prefix, options_.prefill_rows / 4);
    return score_tokens(model_, texts, options_.prefill_rows, capacity() - std::min(reserved_, capacity()),
                        least, between_steps);
  }

  std::string digest() const { return identity_.digest; }
  std::string numeric_path() const { return identity_.numeric_path; }
  ModelLocation location() const { return ModelLocation::in_process; }

  const M& model() const { return model_; }
  const T& tokenizer() const { return requests_.tokenizer(); }
  const ChatTemplate& chat_template() const { return requests_.chat_template(); }

 private:
  using Decision = detail::Decision;
  using Sequence = detail::AnswerSequence;

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
  static constexpr std::size_t kSlack = detail::kForkSlack;

  std::size_t need_of(const Sequence& sequence) const {
    const std::size_t answer =
        sequence.constraint ? sequence.longest_answer : std::size_t{sequence.sampling.max_tokens};
    return std::min(sequence.counts.prompt + answer, model_.context_limit()) + kSlack;
  }
  // The part of it that a prefix of so many tokens takes on; none where the answer may outgrow the prefix.
  std::size_t spared(const Sequence& sequence, std::size_t prefix) const {
    const bool stays = sequence.is_long || need_of(sequence) - kSlack <= short_context(model_);
    return stays ? prefix : 0;
  }
  // Drops idle prefixes until `need` more tokens fit; false if they still do not.
  bool make_room(std::size_t need) {
    while (need > capacity() - std::min(reserved_, capacity())) {
      detail::PrefixNode* old = tree_.idle();
      if (!old) return false;
      drop(old);
    }
    return true;
  }
  void drop(detail::PrefixNode* node) {
    if (node->slot) model_.close(*node->slot);
    std::erase(building_, node);
    reserved_ -= node->cost() + kSlack;
    cached_ -= node->cost() + kSlack;
    tree_.drop(node);
  }

  // --- admission: the first of the queue gets a slot, or waits for memory (then so do all behind it)

  bool admit() {
    Sequence& next = queue_.front();
    const auto [base, fresh] = prefixes_of(next);
    if (base) ++base->users;  // it must not be dropped to make room for itself
    bool fits = find_room(next, base, fresh);
    if (base) --base->users;
    if (!fits && active_.empty()) fits = find_room(next, nullptr, {});  // the prefix itself is in the way
    if (!fits) {
      if (!active_.empty()) return false;
      fail(next.id, message("Prompt and answer may take ", need_of(next),
                            " tokens, but the memory for keys and values holds only ", capacity(), "."));
      tree_.release(next.leaf);
      queue_.pop_front();
      return true;
    }
    next.tokens = detail::PrefixTree::tokens(next.leaf);
    next.tokens.push_back(next.last);
    active_.push_back(std::move(next));
    queue_.pop_front();
    Sequence& sequence = active_.back();
    if (sequence.constraint) advance_constraint(sequence);
    return true;
  }

  detail::PrefixTree::Plan prefixes_of(const Sequence& sequence) const {
    if (options_.shared_tokens == 0) return {};
    return detail::PrefixTree::plan(sequence.leaf, std::max<std::size_t>(1, options_.shortest_prefix));
  }

  // Promises memory to the sequence, and where there is enough to the prefixes before it.
  bool find_room(Sequence& sequence, detail::PrefixNode* base,
                 const std::vector<detail::PrefixNode*>& fresh) {
    const std::size_t shared = base ? base->depth : 0, need = need_of(sequence);
    const std::size_t length = fresh.empty() ? 0 : fresh.back()->depth - shared;
    const std::size_t extra = length + fresh.size() * kSlack;
    if (!fresh.empty() && make_cache_room(extra) &&
        make_room(extra + need - spared(sequence, shared + length))) {
      for (detail::PrefixNode* node : fresh) {
        tree_.keep(node, base);
        building_.push_back(node);
        base = node;
      }
      reserved_ += extra;
      cached_ += extra;
    } else if (!make_room(need - spared(sequence, shared))) {
      return false;
    }
    for (detail::PrefixNode* node = base; node; node = node->base) tree_.touch(node);
    if (base) ++base->users;
    sequence.base = base;
    sequence.reserved = need - spared(sequence, base ? base->depth : 0);
    reserved_ += sequence.reserved;
    return true;
  }
  bool make_cache_room(std::size_t more) {
    while (cached_ + more > options_.shared_tokens) {
      detail::PrefixNode* old = tree_.idle();
      if (!old) return false;
      drop(old);
    }
    return true;
  }

  // The prompt stays known for a while, so that later ones find what they have in common with it.
  void leave(Sequence& sequence) {
    if (sequence.slot) model_.close(*sequence.slot);
    if (sequence.base) --sequence.base->users;
    reserved_ -= sequence.reserved;
    recent_.push_back(sequence.leaf);
    if (recent_.size() <= kRecent) return;
    tree_.release(recent_.front());
    recent_.pop_front();
  }
  static constexpr std::size_t kRecent = 64;

  // --- one step of all sequences

  void step() {
    std::vector<SlotStep> steps;
    std::vector<std::pair<Sequence*, Decision*>>
        rows;  // one per distribution; no decision: nobody looks at it
    std::size_t budget = std::max<std::size_t>(1, options_.prefill_rows);
    std::vector<std::vector<TokenId>> prefixes(building_.size());
    std::vector<std::size_t> computed = feed_prefixes(steps, prefixes, budget);
    for (Sequence& sequence : active_) feed(sequence, steps, rows, budget);
    if (!steps.empty()) {
      samplers_.resize(std::max(samplers_.size(), worker_count(model_)));
      forward_each(model_, steps, [&](std::size_t which, std::size_t worker, std::span<const float> logits) {
        const auto& [sequence, decision] = rows[which];
        if (decision) decide(*sequence, *decision, logits, samplers_[worker]);
      });
    }
    for (std::size_t i = 0; i < computed.size(); ++i) building_[i]->computed += computed[i];
    std::erase_if(building_, [](const detail::PrefixNode* node) { return node->ready(); });
    for (Sequence& sequence : active_) settle(sequence);
    retire();
  }

  // Shared prefixes come first: others wait for them. Tokens fed, by prefix under way.
  std::vector<std::size_t> feed_prefixes(std::vector<SlotStep>& steps,
                                         std::vector<std::vector<TokenId>>& tokens, std::size_t& budget) {
    std::vector<std::size_t> computed(building_.size());
    for (std::size_t i = 0; i < building_.size() && budget > 0; ++i) {
      detail::PrefixNode& node = *building_[i];
      if (node.base && !node.base->ready()) continue;
      if (!node.slot) node.slot = node.base ? model_.fork(*node.base->slot) : open_slot(model_, node.is_long);
      tokens[i] = detail::PrefixTree::tokens(&node);
      computed[i] = std::min(node.depth - node.computed, budget);
      budget -= computed[i];
      steps.push_back({*node.slot, std::span(tokens[i]).subspan(node.computed, computed[i]), 0, {}});
    }
    return computed;
  }

  void feed(Sequence& sequence, std::vector<SlotStep>& steps,
            std::vector<std::pair<Sequence*, Decision*>>& rows, std::size_t& budget) {
    if (sequence.finish) return;
    if (outgrows(sequence)) begin_anew(sequence);
    if (sequence.base && !sequence.base->ready()) return;
    if (!sequence.slot) {
      sequence.slot = sequence.base ? model_.fork(*sequence.base->slot) : open_slot(model_, sequence.is_long);
      sequence.fed = sequence.base ? sequence.base->depth : 0;
    }
    const std::size_t begin = sequence.fed, pending = sequence.tokens.size() - begin;
    if (pending > 1 && budget == 0) return;
    const std::size_t now = pending > 1 ? std::min(pending, budget) : pending;
    if (pending > 1) budget -= now;
    sequence.fed += now;
    if (now == pending) {
      note_decision(sequence);
      if (sequence.given) take_given(sequence, budget);
    }
    const std::size_t wanted =
        sequence.decisions.empty() ? 0 : sequence.fed - sequence.decisions.front().position;
    const bool sliced = sequence.decisions.size() == 1;
    steps.push_back({*sequence.slot, std::span(sequence.tokens).subspan(begin, sequence.fed - begin), wanted,
                     sliced ? sequence.decisions.front().allowed : std::span<const TokenId>()});
    const std::size_t first = rows.size();
    rows.resize(first + wanted, {&sequence, nullptr});
    for (Decision& decision : sequence.decisions)
      rows[first + decision.position - sequence.decisions.front().position].second = &decision;
  }

  // Whether what comes next must be computed as a long sequence, and the slot holds a short one.
  bool outgrows(const Sequence& sequence) const {
    return !sequence.is_long && sequence.tokens.size() > short_context(model_);
  }
  void begin_anew(Sequence& sequence) {
    if (sequence.slot) model_.close(*sequence.slot);
    if (sequence.base) --sequence.base->users;
    sequence.slot.reset();
    sequence.base = nullptr;
    sequence.fed = 0;
    sequence.is_long = true;
  }

  void note_decision(Sequence& sequence) {
    Decision& decision = sequence.decisions.emplace_back();
    decision.position = sequence.tokens.size() - 1;
    decision.index = sequence.tokens.size() - sequence.counts.prompt;
    decision.written = sequence.text.text().size();
    decision.allowed = std::exchange(sequence.allowed, {});
    if (sequence.given) {
      decision.kept.assign(decision.allowed.begin(), decision.allowed.end());
      decision.allowed = decision.kept;
    }
    decision.biases = sequence.biases;
    if (sequence.banned) sequence.banned->forbid(sequence.text.text(), decision.biases);
    if (decision.index >= sequence.sampling.min_tokens || sequence.constraint) return;
    for (const TokenId id : ends_) decision.biases.push_back({id, -std::numeric_limits<float>::infinity()});
    if (sequence.too_soon) sequence.too_soon->forbid(sequence.text.text(), decision.biases);
  }

  // Takes tokens of a given answer, as many as the budget has rows for; they are judged when their logits are
  // there. A given answer that is none (too short, too long, against a mask) fails.
  void take_given(Sequence& sequence, std::size_t& budget) {
    if (sequence.taken == 0 && !sequence.begins_as_given())
      return sequence.refuse_given(sequence.decisions.back());
    for (;;) {
      Decision& decision = sequence.decisions.back();
      if (sequence.taken == sequence.given->size()) return sequence.refuse_given(decision);
      const TokenId id = (*sequence.given)[sequence.taken];
      if (!decision.allowed.empty() && !std::ranges::binary_search(decision.allowed, id))
        return sequence.refuse_given(decision);
      decision.given = id;
      const std::size_t before = sequence.tokens.size();
      take(sequence, id);
      const auto grown = std::span(sequence.tokens).subspan(before);
      const auto expected = std::span(*sequence.given).subspan(sequence.taken + (grown.empty() ? 1 : 0));
      if (expected.size() < grown.size() || !std::ranges::equal(grown, expected.first(grown.size())))
        return sequence.refuse_given(decision);
      sequence.taken += std::max<std::size_t>(1, grown.size());
      if (sequence.finish) {
        if (sequence.taken != sequence.given->size()) sequence.refuse_given(decision);
        return;
      }
      const std::size_t more = sequence.tokens.size() - sequence.fed;
      if (budget < more || outgrows(sequence)) return;
      budget -= more;
      sequence.fed += more;
      note_decision(sequence);
    }
  }
  // Draws or judges. Runs on a worker, beside others: touches nothing but the decision and the sampler.
  void decide(const Sequence& sequence, Decision& decision, std::span<const float> logits,
              Sampler& sampler) const {
    try {
      std::vector<float> chosen;
      if (!decision.allowed.empty() && logits.size() != decision.allowed.size()) {
        for (const TokenId id : decision.allowed) chosen.push_back(logits[static_cast<std::size_t>(id)]);
        logits = chosen;
      }
      const Offer offer{logits, decision.allowed,
                        std::span(sequence.tokens).first(sequence.counts.prompt + decision.index),
                        decision.biases};
      if (decision.given)
        decision.outcome = sampler.judge(offer, sequence.sampling, sequence.random, decision.index,
                                         *decision.given, options_.tolerance);
      else
        decision.outcome.draw = sampler.draw(offer, sequence.sampling, sequence.random, decision.index);
    } catch (const Error& error) {
      const std::string forbidden = all_forbidden(sequence, decision, logits.size());
      decision.failure = forbidden.empty() ? error.what() : forbidden;
    }
  }

  // Where bans and biases leave no id to draw: what forbids them. Empty: they do leave some.
  std::string all_forbidden(const Sequence& sequence, const Decision& decision, std::size_t offered) const {
    const auto is_offered = [&](TokenId id) {
      return decision.allowed.empty() || std::ranges::binary_search(decision.allowed, id);
    };
    std::set<TokenId> forbidden, by_bias;
    for (const LogitBias& bias : decision.biases)
      if (std::isinf(bias.bias) && is_offered(bias.id)) forbidden.insert(bias.id);
    if (forbidden.size() < offered) return {};
    for (const LogitBias& bias : sequence.biases)
      if (std::isinf(bias.bias) && is_offered(bias.id)) by_bias.insert(bias.id);
    std::set<std::size_t> bans;
    const std::string_view before = std::string_view(sequence.text.text()).substr(0, decision.written);
    if (sequence.banned)
      for (const TokenId id : forbidden)
        bans.merge(sequence.banned->completed_by(before, tokenizer().token_bytes(id)));
    return sequence.nothing_left(decision.index, bans, !by_bias.empty());
  }
  // What the decisions of this step mean for the sequence.
  void settle(Sequence& sequence) {
    for (Decision& decision : sequence.decisions) {
      if (!decision.failure.empty()) {
        sequence.finish = Finish::failed;
        sequence.failure = std::move(decision.failure);
        break;
      }
      sequence.note_draw(decision);
      if (!decision.given) take(sequence, decision.outcome.draw.id);
    }
    sequence.decisions.clear();
  }
  void take(Sequence& sequence, TokenId id) {
    ++(sequence.constraint ? sequence.counts.masked : sequence.counts.free);
    if (std::ranges::binary_search(ends_, id)) {
      if (sequence.constraint && !sequence.constraint->is_complete()) return sequence.fail(kEndsTooSoon);
      sequence.end = id;
      sequence.finish = sequence.constraint ? Finish::constraint : Finish::stop;
    } else {
      accept(sequence, id);
    }
  }

  void accept(Sequence& sequence, TokenId id) {
    sequence.tokens.push_back(id);
    const bool stopped = sequence.text.append(tokenizer().token_bytes(id));
    if (sequence.constraint) {
      advance_constraint(sequence, id);
    } else if (stopped) {
      sequence.finish = Finish::stop;
    } else if (sequence.counts.generated() >= sequence.sampling.max_tokens || context_is_full(sequence)) {
      sequence.finish = Finish::length;
    }
  }

  bool context_is_full(const Sequence& sequence) const {
    return sequence.tokens.size() >= model_.context_limit();
  }

  // Takes the token that was drawn, if one was, then fixed text and forced tokens without asking the model,
  // and leaves the ids of the next draw in `allowed`. Where the answer is complete but may go on ("yes",
  // "yes, but"), an end id may be drawn to stay.
  void advance_constraint(Sequence& sequence, std::optional<TokenId> drawn = std::nullopt) {
    try {
      if (drawn && !sequence.constraint->accept(*drawn)) return sequence.fail(kRefused);
      while (take_forced(sequence)) {
      }
    } catch (const Error& error) {  // too large a constraint, found out on the way
      sequence.fail(error.what());
    }
  }

  static constexpr const char* kEndsTooSoon =
      "The constraint allowed an end-of-text token, but its text is not whole; it must leave these out.";
  static constexpr const char* kRefused = "The constraint refused a token that it had allowed.";

  // Takes what follows in any case. False: nothing does, and `allowed` or `finish` is set.
  bool take_forced(Sequence& sequence) {
    AnyTokenConstraint& constraint = *sequence.constraint;
    if (sequence.is_cut())
      return sequence.finish = constraint.is_complete() ? Finish::constraint : Finish::length, false;
    if (std::string why = sequence.too_long(model_.context_limit() - sequence.tokens.size()); !why.empty())
      return sequence.fail(std::move(why)), false;
    std::span<const TokenId> forced = constraint.forced();
    if (forced.empty()) {
      sequence.allowed = constraint.allowed();
      const bool complete = constraint.is_complete();
      if (sequence.allowed.empty() && !complete) {
        const std::string why = constraint.failure();
        return sequence.fail(why.empty() ? "The constraint leaves no token that could follow." : why), false;
      }
      if (sequence.allowed.empty() || (complete && (ends_.empty() || context_is_full(sequence))))
        return sequence.finish = Finish::constraint, false;
      if (complete) sequence.allow_ends(ends_);
      forced = sequence.allowed;
      if (forced.size() > 1 && !context_is_full(sequence)) return false;
    }
    for (const TokenId id : forced) {
      if (sequence.is_cut()) break;
      if (context_is_full(sequence))
        return sequence.fail("The model's context ended before the answer was written out."), false;
      const std::string_view bytes = tokenizer().token_bytes(id);
      if (sequence.banned)
        if (const auto bans = sequence.banned->completed_by(sequence.text.text(), bytes); !bans.empty())
          return sequence.fail(sequence.nothing_left(sequence.counts.generated(), bans, false)), false;
      if (!constraint.accept(id)) return sequence.fail(kRefused), false;
      sequence.tokens.push_back(id);
      sequence.text.append(bytes);
      ++sequence.counts.forced;
    }
    return true;
  }

  // Hands over finished sequences; the others keep their order.
  void retire() {
    for (Sequence& sequence : active_) {
      if (!sequence.finish) continue;
      leave(sequence);
      finished_.push_back({sequence.id, sequence.completion()});
    }
    std::erase_if(active_, [](const Sequence& sequence) { return sequence.finish.has_value(); });
  }

  M model_;
  detail::SequenceMaker<T> requests_;
  EngineIdentity identity_;
  EngineOptions options_;
  std::vector<TokenId> ends_;      // ascending
  std::vector<Sampler> samplers_;  // one a worker
  std::deque<Sequence> queue_;
  std::vector<Sequence> active_;  // in order of admission
  std::vector<FinishedCompletion> finished_;
  detail::PrefixTree tree_;
  std::vector<detail::PrefixNode*> building_;  // kept but not yet computed, bases before what grows from them
  std::deque<detail::PrefixNode*> recent_;     // prompts of finished sequences
  std::size_t reserved_ = 0;                   // tokens of memory promised to sequences and prefixes
  std::size_t cached_ = 0;                     // of these, to prefixes
};

}  // namespace synthema
