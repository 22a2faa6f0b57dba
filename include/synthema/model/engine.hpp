// Engine: a LanguageModel and a Tokenizer become a CompletionModel by continuous batching. Every poll is one
// step: free slots are refilled in the order of submission, every sequence that draws gives one row to one
// forward(), and prompts are read in chunks beside them, within a budget of rows, so that neither holds up
// the other. What prompts begin with in common is stored once and computed once (prefix_tree.hpp). Draws run
// on the model's workers, each as soon as its logits are there.
//
// Nobody starves: admission is first come, first served (a request that waits for memory holds up those
// behind it), every admitted sequence draws in every step, and older prompts are read first.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/counted.hpp"
#include "synthema/core/error.hpp"
#include "synthema/model/answer_form.hpp"
#include "synthema/model/answer_text.hpp"
#include "synthema/model/any_token_constraint.hpp"
#include "synthema/model/banned_texts.hpp"
#include "synthema/model/chat_template.hpp"
#include "synthema/model/completion_model.hpp"
#include "synthema/model/language_model.hpp"
#include "synthema/model/prefix_tree.hpp"
#include "synthema/model/sampler.hpp"
#include "synthema/model/score.hpp"

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
    for (Sequence& sequence : active_) leave(sequence);
    active_.clear();
    for (Sequence& sequence : queue_) tree_.release(sequence.leaf);
    queue_.clear();
    finished_.clear();
    while (!building_.empty()) drop(building_.back());
  }

  // For each text the natural log-probability of each of its tokens but the first, given those before it.
  // Works beside whatever is under way. ModelError if a text is longer than the context or than the free
  // memory.
  std::vector<std::vector<double>> score(std::span<const std::vector<TokenId>> texts) {
    std::size_t longest = 0;
    for (const std::vector<TokenId>& text : texts) longest = std::max(longest, text.size());
    const std::size_t need = std::max<std::size_t>(1, options_.prefill_rows) + longest + kSlack;
    make_room(std::min(need, capacity()));
    return score_tokens(model_, texts, options_.prefill_rows, capacity() - std::min(reserved_, capacity()));
  }

  std::string digest() const { return identity_.digest; }
  std::string numeric_path() const { return identity_.numeric_path; }
  ModelLocation location() const { return ModelLocation::in_process; }

  const M& model() const { return model_; }
  const T& tokenizer() const { return tokenizer_; }
  const ChatTemplate& chat_template() const { return chat_; }

 private:
  // One token that is about to be drawn, or that was given and is judged.
  struct Decision {
    std::size_t position = 0;          // of the token after which it comes
    std::uint64_t index = 0;           // of the tokens after the prompt
    std::span<const TokenId> allowed;  // ascending; empty: all
    std::vector<TokenId> kept;         // what it shows, where the constraint moves on within the step
    std::vector<LogitBias> biases;
    std::optional<TokenId> given;
    Sampler::Judged outcome;
    std::string failure;
  };

  struct Sequence {
    std::uint64_t id = 0;
    Sampling sampling;
    Random random;
    detail::PrefixNode* leaf = nullptr;  // the prompt without its last token
    TokenId last = 0;                    // of the prompt
    detail::PrefixNode* base = nullptr;  // computed prefix that it begins with
    std::vector<TokenId> tokens;         // prompt, then answer; empty until admitted
    std::size_t fed = 0;                 // of these, how many the slot holds
    std::optional<Slot> slot;            // from when its base is computed
    AnswerText text;
    std::vector<LogitBias> biases;                // of the whole answer
    std::shared_ptr<const BannedTexts> banned;    // never
    std::shared_ptr<const BannedTexts> too_soon;  // the stop texts, before min_tokens
    std::optional<AnyTokenConstraint> constraint;
    std::size_t longest_answer = 0;    // in tokens, under the constraint
    bool cut_answer = false;           // there, finished or not
    const char* form = "";             // what the constraint is made of
    std::span<const TokenId> allowed;  // for the next draw; empty: all
    std::vector<TokenId> with_ends;    // what `allowed` shows where an end may be drawn too
    std::vector<Decision> decisions;   // of this step
    std::optional<TokenId> end;        // the end id that was drawn
    TokenCounts counts;
    double log_probability = 0;
    std::vector<double> log_probabilities;  // only where asked for
    std::optional<std::vector<std::int32_t>> given;
    std::size_t taken = 0;  // of given
    AnswerCheck check;
    std::size_t reserved = 0;  // tokens of memory
    std::optional<Finish> finish;
    std::string failure;
  };

  // --- from request to sequence

  Sequence prepare(CompletionRequest&& request) {
    request.sampling.check();
    Sequence sequence;
    sequence.id = request.id;
    sequence.sampling = request.sampling;
    sequence.random = request.random;
    sequence.given = std::move(request.given);
    const std::vector<TokenId> tokens = prompt_tokens(request.prompt);
    sequence.counts.prompt = tokens.size();
    if (tokens.empty()) throw ConfigError("The prompt is empty; the model needs at least one token.");
    if (tokens.size() >= model_.context_limit())
      throw ConfigError(message("The prompt has ", tokens.size(), " tokens; the model's context of ",
                                model_.context_limit(), " leaves no room for an answer."));
    if (!request.prompt.banned.empty()) sequence.banned = banned_texts(request.prompt.banned);
    for (const auto& [text, bias] : request.prompt.bias) add_bias(sequence, text, bias);
    if (request.prompt.has_form())
      constrain(sequence, request.prompt);
    else
      sequence.text = AnswerText(std::move(request.prompt.stop));
    if (sequence.sampling.min_tokens > 0 && !sequence.text.stops().empty())
      sequence.too_soon = banned_texts(sequence.text.stops());
    sequence.last = tokens.back();
    sequence.leaf = tree_.hold(std::span(tokens).first(tokens.size() - 1));
    return sequence;
  }

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
  void add_bias(Sequence& sequence, const std::string& text, double bias) {
    if (!(bias < std::numeric_limits<double>::infinity()))
      throw ConfigError({.field = "bias"}, "A bias must be a finite number, or -infinity to forbid a token.");
    std::vector<TokenId> ids = text.empty() ? std::vector<TokenId>() : token_index()->spelling(text);
    if (const std::optional<TokenId> control = tokenizer_.special(text)) ids.push_back(*control);
    if (ids.empty())
      throw ConfigError({.field = "bias"},
                        message("No single token of the model has the text '", text, "'."));
    for (const TokenId id : ids) sequence.biases.push_back({id, static_cast<float>(bias)});
  }

  // max_tokens limits what a form leaves open and does not cut it short; the context does.
  void constrain(Sequence& sequence, const Prompt& prompt) const {
    AnswerLimit limit = forms_->limit(prompt, sequence.sampling.max_tokens);
    sequence.longest_answer = limit.longest;
    sequence.cut_answer = limit.is_cut;
    sequence.form = limit.made_of;
    sequence.constraint = std::move(limit.constraint);
    if (const std::string why = too_long(sequence, sequence.counts.prompt); !why.empty())
      throw ConfigError(why);
  }
  // Why a form cannot be finished behind so many tokens of prompt and answer; empty: it may.
  std::string too_long(const Sequence& sequence, std::size_t tokens) const {
    const std::size_t left = model_.context_limit() - tokens;
    if (sequence.cut_answer || sequence.constraint->fits(left)) return {};
    return message("Too much is left to write for the ", sequence.form, ": more than the ", left,
                   " tokens that the model's context has left, however it is written; demand less, such as "
                   "shorter texts or fewer repetitions.");
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
    return std::min(sequence.counts.prompt + answer, model_.context_limit()) + kSlack;
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
    if (!fresh.empty() && make_cache_room(extra) && make_room(extra + need - shared - length)) {
      for (detail::PrefixNode* node : fresh) {
        tree_.keep(node, base);
        building_.push_back(node);
        base = node;
      }
      reserved_ += extra;
      cached_ += extra;
    } else if (!make_room(need - shared)) {
      return false;
    }
    for (detail::PrefixNode* node = base; node; node = node->base) tree_.touch(node);
    if (base) ++base->users;
    sequence.base = base;
    sequence.reserved = need - (base ? base->depth : 0);
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
      if (!node.slot) node.slot = node.base ? model_.fork(*node.base->slot) : model_.open();
      tokens[i] = detail::PrefixTree::tokens(&node);
      computed[i] = std::min(node.depth - node.computed, budget);
      budget -= computed[i];
      steps.push_back({*node.slot, std::span(tokens[i]).subspan(node.computed, computed[i]), 0, {}});
    }
    return computed;
  }

  void feed(Sequence& sequence, std::vector<SlotStep>& steps,
            std::vector<std::pair<Sequence*, Decision*>>& rows, std::size_t& budget) {
    if (sequence.finish || (sequence.base && !sequence.base->ready())) return;
    if (!sequence.slot) {
      sequence.slot = sequence.base ? model_.fork(*sequence.base->slot) : model_.open();
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

  void note_decision(Sequence& sequence) {
    Decision& decision = sequence.decisions.emplace_back();
    decision.position = sequence.tokens.size() - 1;
    decision.index = sequence.tokens.size() - sequence.counts.prompt;
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
    if (sequence.taken == 0 && !begins_as_given(sequence))
      return refuse_given(sequence, sequence.decisions.back());
    for (;;) {
      Decision& decision = sequence.decisions.back();
      if (sequence.taken == sequence.given->size()) return refuse_given(sequence, decision);
      const TokenId id = (*sequence.given)[sequence.taken];
      if (!decision.allowed.empty() && !std::ranges::binary_search(decision.allowed, id))
        return refuse_given(sequence, decision);
      decision.given = id;
      const std::size_t before = sequence.tokens.size();
      take(sequence, id);
      const auto grown = std::span(sequence.tokens).subspan(before);
      const auto expected = std::span(*sequence.given).subspan(sequence.taken + (grown.empty() ? 1 : 0));
      if (expected.size() < grown.size() || !std::ranges::equal(grown, expected.first(grown.size())))
        return refuse_given(sequence, decision);
      sequence.taken += std::max<std::size_t>(1, grown.size());
      if (sequence.finish) {
        if (sequence.taken != sequence.given->size()) refuse_given(sequence, decision);
        return;
      }
      const std::size_t more = sequence.tokens.size() - sequence.fed;
      if (budget < more) return;
      budget -= more;
      sequence.fed += more;
      note_decision(sequence);
    }
  }
  // Fixed text at the beginning of a form stands before the first decision.
  bool begins_as_given(Sequence& sequence) const {
    const auto fixed = std::span(sequence.tokens).subspan(sequence.counts.prompt);
    sequence.taken = fixed.size();
    return fixed.size() <= sequence.given->size() &&
           std::ranges::equal(fixed, std::span(*sequence.given).first(fixed.size()));
  }
  void refuse_given(Sequence& sequence, Decision& decision) {
    sequence.finish = Finish::failed;
    sequence.failure = "The recorded tokens are not an answer to this prompt.";
    decision.given = -1;  // nobody draws this
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
    if (sequence.banned)
      for (const TokenId id : forbidden)
        bans.merge(sequence.banned->completed_by(sequence.text.text(), tokenizer_.token_bytes(id)));
    return nothing_left(sequence, decision.index, bans, !by_bias.empty());
  }
  static std::string nothing_left(const Sequence& sequence, std::uint64_t written,
                                  const std::set<std::size_t>& bans, bool by_bias) {
    std::string by = named_by_place(bans);
    if (by_bias) by += by.empty() ? "a bias of -infinity" : " and a bias of -infinity";
    const bool formed = sequence.constraint.has_value();
    return message("After ", counted(written, "token"), " of the answer, all that may follow",
                   formed ? message(" by the ", sequence.form) : "", " is forbidden (", by, "); ",
                   formed ? message("change the ", sequence.form, " or forbid less.") : "forbid less.");
  }

  // What the decisions of this step mean for the sequence.
  void settle(Sequence& sequence) {
    for (Decision& decision : sequence.decisions) {
      if (!decision.failure.empty()) {
        sequence.finish = Finish::failed;
        sequence.failure = std::move(decision.failure);
        break;
      }
      note_draw(sequence, decision);
      if (!decision.given) take(sequence, decision.outcome.draw.id);
    }
    sequence.decisions.clear();
  }
  static void note_draw(Sequence& sequence, const Decision& decision) {
    const double log_probability = decision.outcome.draw.log_probability;
    sequence.log_probability += log_probability;
    if (sequence.sampling.log_probabilities) {
      sequence.log_probabilities.resize(decision.index);  // forced tokens before it are certain
      sequence.log_probabilities.push_back(log_probability);
    }
    if (!decision.given) return;
    const Agreement agreement = decision.outcome.agreement;
    ++(agreement == Agreement::same   ? sequence.check.same
       : agreement == Agreement::near ? sequence.check.near
                                      : sequence.check.different);
  }

  void take(Sequence& sequence, TokenId id) {
    ++(sequence.constraint ? sequence.counts.masked : sequence.counts.free);
    if (std::ranges::binary_search(ends_, id)) {
      sequence.end = id;
      sequence.finish = sequence.constraint ? Finish::constraint : Finish::stop;
    } else {
      accept(sequence, id);
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

  static bool is_cut(const Sequence& sequence) {
    return sequence.cut_answer && sequence.counts.generated() >= sequence.longest_answer;
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
    if (is_cut(sequence))
      return sequence.finish = constraint.is_complete() ? Finish::constraint : Finish::length, false;
    if (std::string why = too_long(sequence, sequence.tokens.size()); !why.empty())
      return fail(sequence, std::move(why)), false;
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
      if (is_cut(sequence)) break;
      if (context_is_full(sequence))
        return fail(sequence, "The model's context ended before the answer was written out."), false;
      const std::string_view bytes = tokenizer_.token_bytes(id);
      if (sequence.banned)
        if (const auto bans = sequence.banned->completed_by(sequence.text.text(), bytes); !bans.empty())
          return fail(sequence, nothing_left(sequence, sequence.counts.generated(), bans, false)), false;
      constraint.accept(id);
      sequence.tokens.push_back(id);
      sequence.text.append(bytes);
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
      leave(sequence);
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
    completion.token_ids.assign(sequence.tokens.begin() + static_cast<std::ptrdiff_t>(sequence.counts.prompt),
                                sequence.tokens.end());
    if (sequence.end) completion.token_ids.push_back(*sequence.end);
    if (sequence.sampling.log_probabilities) {
      completion.token_log_probabilities = std::move(sequence.log_probabilities);
      completion.token_log_probabilities.resize(completion.token_ids.size());
    }
    if (sequence.given) completion.check = sequence.check;
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
  std::vector<TokenId> ends_;      // ascending
  std::vector<Sampler> samplers_;  // one a worker
  std::deque<Sequence> queue_;
  std::vector<Sequence> active_;  // in order of admission
  std::vector<FinishedCompletion> finished_;
  detail::PrefixTree tree_;
  std::vector<detail::PrefixNode*> building_;  // kept but not yet computed, bases before what grows from them
  std::deque<detail::PrefixNode*> recent_;     // prompts of finished sequences
  std::shared_ptr<const TokenIndex> token_index_;  // made when first needed
  std::map<std::vector<std::string>, std::shared_ptr<const BannedTexts>> banned_;
  std::size_t reserved_ = 0;  // tokens of memory promised to sequences and prefixes
  std::size_t cached_ = 0;    // of these, to prefixes
};

}  // namespace synthema
