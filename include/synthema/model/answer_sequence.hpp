// One answer under way in the engine: what was asked, what stands so far, and what the step decides.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/counted.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/model/answer_text.hpp"
#include "synthema/model/any_token_constraint.hpp"
#include "synthema/model/banned_texts.hpp"
#include "synthema/model/language_model.hpp"
#include "synthema/model/prefix_tree.hpp"
#include "synthema/model/sampler.hpp"
#include "synthema/prompt/completion.hpp"

namespace synthema::detail {

// One token that is about to be drawn, or that was given and is judged.
struct Decision {
  std::size_t position = 0;          // of the token after which it comes
  std::uint64_t index = 0;           // of the tokens after the prompt
  std::size_t written = 0;           // bytes of the answer before it
  std::span<const TokenId> allowed;  // ascending; empty: all
  std::vector<TokenId> kept;         // what it shows, where the constraint moves on within the step
  std::vector<LogitBias> biases;
  std::optional<TokenId> given;
  Sampler::Judged outcome;
  std::string failure;
};

struct AnswerSequence {
  std::uint64_t id = 0;
  Sampling sampling;
  Random random;
  PrefixNode* leaf = nullptr;   // the prompt without its last token
  TokenId last = 0;             // of the prompt
  PrefixNode* base = nullptr;   // computed prefix that it begins with
  std::vector<TokenId> tokens;  // prompt, then answer; empty while it waits
  std::size_t fed = 0;          // of these, how many the slot holds
  bool is_long = false;         // beyond the model's short context
  std::optional<Slot> slot;     // from when its base is computed
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

  // Ends it; the sentence goes to whoever asked.
  void fail(std::string why) {
    finish = Finish::failed;
    failure = std::move(why);
  }

  bool is_cut() const { return cut_answer && counts.generated() >= longest_answer; }

  // Where an end id may be drawn too.
  void allow_ends(std::span<const TokenId> ends) {
    with_ends.assign(allowed.begin(), allowed.end());
    const auto middle = static_cast<std::ptrdiff_t>(with_ends.size());
    with_ends.insert(with_ends.end(), ends.begin(), ends.end());
    std::ranges::inplace_merge(with_ends, with_ends.begin() + middle);
    allowed = with_ends;
  }

  // Fixed text at the beginning of a form stands before the first decision.
  bool begins_as_given() {
    const auto fixed = std::span(tokens).subspan(counts.prompt);
    taken = fixed.size();
    return fixed.size() <= given->size() && std::ranges::equal(fixed, std::span(*given).first(fixed.size()));
  }
  void refuse_given(Decision& decision) {
    fail("The recorded tokens are not an answer to this prompt.");
    decision.given = -1;  // nobody draws this
  }

  // What stands for the draw, or for the judgement of a given token.
  void note_draw(const Decision& decision) {
    const double drawn = decision.outcome.draw.log_probability;
    log_probability += drawn;
    if (sampling.log_probabilities) {
      log_probabilities.resize(decision.index);  // forced tokens before it are certain
      log_probabilities.push_back(drawn);
    }
    if (!decision.given) return;
    const Agreement agreement = decision.outcome.agreement;
    ++(agreement == Agreement::same   ? check.same
       : agreement == Agreement::near ? check.near
                                      : check.different);
  }

  // Why the form cannot be finished within so many tokens; empty: it may.
  std::string too_long(std::size_t left) const {
    if (cut_answer || constraint->fits(left)) return {};
    return message("Too much is left to write for the ", form, ": its shortest text takes more than the ",
                   left,
                   " tokens that the model's context has left; demand less, such as shorter texts or fewer "
                   "repetitions.");
  }

  // Why no id is left to draw after so many tokens.
  std::string nothing_left(std::uint64_t written, const std::set<std::size_t>& bans, bool by_bias) const {
    std::string by = named_by_place(bans);
    if (by_bias) by += by.empty() ? "a bias of -infinity" : " and a bias of -infinity";
    const bool formed = constraint.has_value();
    return message("After ", counted(written, "token"), " of the answer, all that may follow",
                   formed ? message(" by the ", form) : "", " is forbidden",
                   by.empty() ? "" : message(" (", by, ")"), "; ",
                   formed ? message("change the ", form, " or forbid less.") : "forbid less.");
  }

  Completion completion() {
    Completion out;
    out.finish = *finish;
    out.failure = std::move(failure);
    out.tokens = counts;
    out.log_probability = log_probability;
    out.token_ids.assign(tokens.begin() + static_cast<std::ptrdiff_t>(counts.prompt), tokens.end());
    if (end) out.token_ids.push_back(*end);
    if (sampling.log_probabilities) {
      out.token_log_probabilities = std::move(log_probabilities);
      out.token_log_probabilities.resize(out.token_ids.size());
    }
    if (given) out.check = check;
    try {
      out.text = std::move(text).finish();
    } catch (const ModelError& error) {
      out.finish = Finish::failed;
      out.failure = error.what();
    }
    return out;
  }
};

}  // namespace synthema::detail
