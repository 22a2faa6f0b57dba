// What shape an answer has (one of some strings, a regular expression, JSON), compiled for one vocabulary,
// and the constraint that keeps a sequence to it. A form is compiled once and shared: its states, their masks
// and the tokens of fixed text are computed when a sequence first meets them.
//
// Tokens may be split in any way: a token may cross from fixed text into a value, hold half a character, or
// end several values at once. Allowed are exactly the tokens after which the answer can still be finished.
//
// Fixed text is fed forward instead of drawn (forced()): its canonical tokens, up to the last place in it
// that no token of the vocabulary can span, whatever follows. The rest of it is drawn under the mask, so that
// where the canonical token would merge fixed text with the value behind it, the model may still choose that
// token. So fixed text costs the model nothing, and the distribution over the values is not bent by a token
// border that the model has never seen.
//
// max_tokens never cuts an answer short of its form. It limits what the form leaves open: a token that does
// not bring the end nearer (one more character of a text, one more element of a list) costs one, and what it
// adds to the bytes that must follow. Where the limit is reached, only tokens that lead to the end are
// allowed.
//
// The tokens that an answer may have in all (the room in the context) are a hard limit: where they run short,
// only tokens are allowed behind which the rest surely fits. The rest is the shortest text from there on, in
// the fewest tokens that spell it; values under a rule count with the longest that they may be. So an answer
// that fits at its beginning is finished in time.
//
// Banned texts and forbidden tokens are part of the form: a token after which every way to the end is banned
// is not allowed, and a form that they leave nothing of is refused. Where values stand under a rule, this
// look-ahead ends at the next of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/model/any_token_constraint.hpp"
#include "synthema/model/token_constraint.hpp"
#include "synthema/model/vocabulary_trie.hpp"
#include "synthema/prompt/prompt.hpp"

namespace synthema {

// The tokens that answers are spelt with.
struct FormVocabulary {
  std::shared_ptr<const VocabularyTrie> trie;
  // Canonical tokens of a piece of text; empty: all text is drawn.
  std::function<std::vector<TokenId>(std::string_view)> encode = {};
  std::vector<std::string> banned = {};  // no answer holds one of these texts
  std::vector<TokenId> forbidden = {};   // nor one of these tokens
};

// Each byte is a token: to look at a form, or at a text that should have it, without a model.
SYNTHEMA_EXPORT FormVocabulary byte_vocabulary();

// Copies share the compiled form; it may be used by several threads at once.
class SYNTHEMA_EXPORT AnswerForm {
 public:
  // Whichever of choices, pattern, json_schema and record_schema the prompt has, without what it bans.
  // ConfigError: more than one of them, none, or a constraint of its own beside it; and as below.
  static AnswerForm of(const Prompt& prompt, FormVocabulary vocabulary);

  // For all of them: ConfigError if bans leave nothing of the form.
  // Exactly one of these. ConfigError: none, an empty one, or one that the tokens cannot spell.
  static AnswerForm choices(const std::vector<std::string>& choices, FormVocabulary vocabulary);
  // All texts that match as a whole. ConfigError with the column of what is wrong or not supported.
  static AnswerForm pattern(std::string_view regex, FormVocabulary vocabulary);
  // JSON text that a JSON Schema allows. ConfigError names the keyword and its path: outside the subset that
  // masks support, an empty enumeration, a minimum above its maximum, a definition in itself without an end.
  static AnswerForm json(std::string_view json_schema, FormVocabulary vocabulary);
  // A JSON object with the fields of a schema, in their order, under its rules. ConfigError or SchemaError:
  // a field or rule that leaves no value.
  static AnswerForm record(const Schema& schema, FormVocabulary vocabulary);

  // Tokens of the longest answer at most, if `open_tokens` are spent on what the form leaves open.
  std::size_t longest(std::size_t open_tokens) const;
  std::size_t states() const;   // met so far
  const char* made_of() const;  // "choices", "regular expression", "JSON Schema" or "schema"

  struct Impl;

 private:
  explicit AnswerForm(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
  friend class FormConstraint;
};

// What one answer is kept to.
struct AnswerLimit {
  AnyTokenConstraint constraint;
  std::size_t longest = 0;             // in tokens
  bool is_cut = false;                 // after so many tokens, finished or not; a form ends by itself
  const char* made_of = "constraint";  // in messages
};

// Compiled forms by what they were made from: thousands of requests ask for the same few.
class SYNTHEMA_EXPORT AnswerForms {
 public:
  explicit AnswerForms(FormVocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  // Without these tokens too. ConfigError, SchemaError: see AnswerForm.
  AnswerForm of(const Prompt& prompt, std::vector<TokenId> forbidden = {});
  // The limit of a new answer of at most `room` tokens to a prompt with a form, or with a constraint that it
  // brings along. ConfigError too if that one is for more tokens than there are.
  AnswerLimit limit(const Prompt& prompt, std::size_t max_tokens, std::size_t room,
                    std::vector<TokenId> forbidden = {});

 private:
  static constexpr std::size_t kMostForms = 256;
  static constexpr std::size_t kMostStates = 2'000'000;  // then a form is compiled anew

  FormVocabulary vocabulary_;
  std::mutex mutex_;
  std::unordered_map<std::string, AnswerForm> forms_;
  // Without the forbidden tokens: forms that lack the same ones share theirs.
  std::map<std::vector<TokenId>, std::shared_ptr<const VocabularyTrie>> tries_;
};

// ConfigError, SchemaError: the form of the prompt is written wrongly, or no text fits it. Bans are left out.
// `forms`: of byte_vocabulary().
SYNTHEMA_EXPORT void check_form(AnswerForms& forms, const Prompt& prompt);
// Whether the whole text matches a regular expression. `forms`: of byte_vocabulary().
SYNTHEMA_EXPORT bool matches(AnswerForms& forms, const std::string& pattern, std::string_view text);

class SYNTHEMA_EXPORT FormConstraint {
 public:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
  // `room`: tokens of the answer at most, forced ones too; it holds where the form fits() at the beginning.
  explicit FormConstraint(AnswerForm form, std::size_t open_tokens = kNoLimit, std::size_t room = kNoLimit);

  void fill_mask(TokenMask& mask) const;  // ConfigError if the mask is smaller than the vocabulary
  bool accept(TokenId id);
  void rollback(std::size_t n);  // ConfigError if fewer were accepted
  bool is_complete() const;
  void reset();

  // The mask as ids in ascending order; valid until the next change of this constraint.
  std::span<const TokenId> allowed() const;
  // Whether the answer can still be finished within so many tokens, as far as is known: see above. A rest of
  // more than 64 KiB, or one that the tokens cannot spell, counts as if it were spelt in the longest of them.
  bool fits(std::size_t tokens) const;
  // Tokens that follow in any case, to be accepted and fed without drawing; empty: draw.
  std::span<const TokenId> forced() const;
  // A sentence if the values so far leave no value for a later field: nothing is allowed then.
  const std::string& failure() const { return at_.failure; }
  const std::string& text() const { return text_; }  // what has been accepted

 private:
  struct Position {
    std::uint32_t state = 0, stage = 0;
    std::size_t spent = 0;  // of the open tokens
    bool hurried = false;   // on the shortest way out
    std::string failure = {};
  };
  struct Saved {
    Position at;
    std::size_t size = 0;  // of the text
  };
  std::uint8_t pace() const;
  std::size_t left() const { return room_ - std::min(room_, before_.size()); }  // of the tokens in all

  AnswerForm form_;
  std::size_t open_tokens_, room_;
  Position at_;
  std::string text_;
  std::vector<Saved> before_;            // each accepted token
  mutable std::vector<TokenId> joined_;  // a mask that depends on the values so far, or on the tokens left
  friend struct AnswerForm::Impl;
};

static_assert(TokenConstraint<FormConstraint>);

}  // namespace synthema
