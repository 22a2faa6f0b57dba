#include <algorithm>
#include <utility>

#include "src/model/form_stages.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/error.hpp"
#include "synthema/model/answer_form.hpp"

namespace synthema {

using detail::Expression;
using detail::Expressions;
using detail::FormMask;
using detail::Pace;

// --- the stages of a form

void AnswerForm::Impl::add_ids(Expression state, Node node, std::size_t stage, Pace pace, std::size_t left,
                               std::string_view text, std::vector<TokenId>& out) {
  const FormMask& all = masks.mask(state, node, pace, more_after(stage));
  if (is_loose(all, stage, left)) {
    out.insert(out.end(), all.ids->begin(), all.ids->end());
  } else if (const std::uint64_t behind = need_later(stage); behind < left) {
    const std::vector<TokenId> ids =
        masks.ids_within(left - 1 - behind, state, node, pace, more_after(stage));
    out.insert(out.end(), ids.begin(), ids.end());
  }
  for (const FormMask::Crossing& crossing : all.crossings) {
    const std::string before = std::string(text) + crossing.path;
    std::string failure;
    const Expression start = enter(stage, before, failure);
    if (start != Expressions::kNothing) add_ids(start, crossing.node, stage + 1, pace, left, before, out);
  }
}

bool AnswerForm::Impl::step(FormConstraint::Position& at, std::string& text, std::string_view bytes) {
  const auto enter_next = [&] {
    while (at.failure.empty() && at.state == Expressions::kEmpty && more_after(at.stage)) {
      const Expression start = enter(at.stage, text, at.failure);
      if (start == Expressions::kNothing) return;
      at.state = start, ++at.stage;
    }
  };
  for (const char byte : bytes) {
    enter_next();
    if (!at.failure.empty()) return false;
    at.state = pool.after(at.state, static_cast<std::uint8_t>(byte));
    if (at.state == Expressions::kNothing) return false;
    text.push_back(byte);
  }
  enter_next();
  return spelling.completable(at.state);
}

// Of the stages behind one, with the longest values that they may have.
std::uint64_t AnswerForm::Impl::need_later(std::size_t stage) {
  if (!more_after(stage)) return 0;
  Later& at = later[stage];
  if (!at.tokens)
    at.tokens = pool.remaining(at.value) + spelling.need(pool.avoiding(at.rest, detail::TextBans::kStart)) +
                need_later(stage + 1);
  return *at.tokens;
}

bool AnswerForm::Impl::affords(Expression state, std::size_t stage, std::span<const TokenId> ids,
                               std::size_t left) {
  if (ids.empty() || left >= FormConstraint::kNoLimit / 2) return true;
  if (pool.is_spellable(state) && pool.shortest(state) + need_later(stage) <= left) return true;
  for (const TokenId id : ids)
    for (const char byte : vocabulary.trie->token_bytes(id))
      state = pool.after(state, static_cast<std::uint8_t>(byte));
  return ids.size() <= left && fits(state, stage, left - ids.size());
}

bool AnswerForm::Impl::fits(Expression state, std::size_t stage, std::size_t tokens) {
  if (tokens >= FormConstraint::kNoLimit / 2) return true;
  const std::uint64_t behind = need_later(stage);
  return (pool.is_spellable(state) && pool.shortest(state) + behind <= tokens) ||
         spelling.need(state) + behind <= tokens;
}

// --- the constraint of one sequence

FormConstraint::FormConstraint(AnswerForm form, std::size_t open_tokens, std::size_t room)
    : form_(std::move(form)), open_tokens_(open_tokens), room_(room) {
  reset();
}

void FormConstraint::reset() {
  at_ = {};
  at_.state = form_.impl_->first;
  text_.clear();
  before_.clear();
}

// How the next token must be chosen so that the open tokens are not overdrawn.
std::uint8_t FormConstraint::pace() const {
  AnswerForm::Impl& form = *form_.impl_;
  const bool more = form.more_after(at_.stage);
  const auto leads_on = [&](Pace pace) {
    const FormMask& mask = form.masks.mask(at_.state, VocabularyTrie::root(), pace, more);
    if (!mask.ids->empty() && form.is_loose(mask, at_.stage, left())) return true;
    joined_.clear();
    form.add_ids(at_.state, VocabularyTrie::root(), at_.stage, pace, left(), text_, joined_);
    return !joined_.empty();
  };
  const std::size_t open = open_tokens_ - std::min(at_.spent, open_tokens_);
  Pace pace = Pace::free;
  if (!at_.hurried && form.masks.mask(at_.state, VocabularyTrie::root(), Pace::free, more).costliest > open)
    pace = Pace::closing;
  if (at_.hurried || (pace == Pace::closing && !leads_on(pace))) pace = Pace::shortest;
  // Without single bytes as tokens there may be no shorter way; then the tokens in all are the limit.
  if (pace == Pace::shortest && !form.pool.accepts_empty(at_.state) && !leads_on(pace)) pace = Pace::free;
  return static_cast<std::uint8_t>(pace);
}

std::span<const TokenId> FormConstraint::allowed() const {
  AnswerForm::Impl& form = *form_.impl_;
  const std::scoped_lock lock(form.mutex);
  if (!at_.failure.empty() || left() == 0) return {};
  const auto by = static_cast<Pace>(pace());
  const FormMask& mask = form.masks.mask(at_.state, VocabularyTrie::root(), by, form.more_after(at_.stage));
  if (mask.crossings.empty() && form.is_loose(mask, at_.stage, left())) return *mask.ids;
  joined_.clear();
  form.add_ids(at_.state, VocabularyTrie::root(), at_.stage, by, left(), text_, joined_);
  std::ranges::sort(joined_);
  return joined_;
}

std::span<const TokenId> FormConstraint::forced() const {
  AnswerForm::Impl& form = *form_.impl_;
  const std::scoped_lock lock(form.mutex);
  if (!at_.failure.empty()) return {};
  const std::vector<TokenId>& ids = form.masks.forced(at_.state, form.more_after(at_.stage));
  return form.affords(at_.state, at_.stage, ids, left()) ? std::span(ids) : std::span<const TokenId>();
}

void FormConstraint::fill_mask(TokenMask& mask) const {
  const std::size_t needed = form_.impl_->vocabulary.trie->vocabulary_size();
  if (mask.size() < needed)
    throw ConfigError(message("The mask has ", mask.size(), " places for ", needed, " tokens."));
  mask.clear();
  for (const TokenId id : allowed()) mask.allow(id);
}

bool FormConstraint::accept(TokenId id) {
  AnswerForm::Impl& form = *form_.impl_;
  const std::string_view bytes = form.vocabulary.trie->token_bytes(id);
  if (bytes.empty() || !at_.failure.empty() || left() == 0) return false;
  const std::scoped_lock lock(form.mutex);
  const auto by = static_cast<Pace>(pace());
  Saved saved{at_, text_.size()};
  const auto refuse = [&] {
    at_ = std::move(saved.at);
    text_.resize(saved.size);
    return false;
  };
  if (!form.step(at_, text_, bytes) || !form.fits(at_.state, at_.stage, left() - 1)) return refuse();
  if (at_.stage == saved.at.stage) {
    const Expression from = saved.at.state, to = at_.state;
    if (by == Pace::closing && form.pool.remaining(to) >= form.pool.remaining(from)) return refuse();
    if (by == Pace::shortest && form.pool.shortest(to) >= form.pool.shortest(from)) return refuse();
    at_.spent += detail::open_cost(form.pool.remaining(from), form.pool.remaining(to));
  }
  at_.hurried |= by == Pace::shortest;
  before_.push_back(std::move(saved));
  return true;
}

void FormConstraint::rollback(std::size_t n) {
  if (n > before_.size())
    throw ConfigError(
        message("A rollback of ", counted(n, "token"), " was asked for, after only ", before_.size(), "."));
  if (n == 0) return;
  Saved& saved = before_[before_.size() - n];
  at_ = std::move(saved.at);
  text_.resize(saved.size);
  before_.resize(before_.size() - n);
}

bool FormConstraint::fits(std::size_t tokens) const {
  AnswerForm::Impl& form = *form_.impl_;
  const std::scoped_lock lock(form.mutex);
  return form.fits(at_.state, at_.stage, tokens);
}

bool FormConstraint::is_complete() const {
  AnswerForm::Impl& form = *form_.impl_;
  const std::scoped_lock lock(form.mutex);
  return at_.failure.empty() && form.pool.accepts_empty(at_.state) && !form.more_after(at_.stage);
}

}  // namespace synthema
