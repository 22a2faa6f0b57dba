// A form is a chain of stages. Each is a regular language that ends in fixed text; the next one may depend on
// the text so far (fields under a rule). A form without rules is one stage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/answer_chain.hpp"
#include "src/model/expressions.hpp"
#include "src/model/form_masks.hpp"
#include "src/model/spelling.hpp"
#include "synthema/model/answer_form.hpp"

namespace synthema {

struct AnswerForm::Impl {
  using Expression = detail::Expression;
  using Node = VocabularyTrie::Node;
  // The language behind a text; nothing, and why, where the values before leave none.
  using Stage = std::function<Expression(std::string_view before, std::string& failure)>;

  explicit Impl(FormVocabulary v);

  void begin(Expression start, const char* what);
  void build(detail::AnswerChain chain, const char* what);

  bool more_after(std::size_t stage) const { return stage < later.size(); }
  Expression enter(std::size_t stage, std::string_view before, std::string& failure) {
    return later[stage].start(before, failure);
  }
  // Adds the ids that may come, with `left` tokens to the end at most; those of later stages too.
  void add_ids(Expression state, Node node, std::size_t stage, detail::Pace pace, std::size_t left,
               std::string_view text, std::vector<TokenId>& out);
  // Whether all ids of a mask leave enough of so many tokens, for sure.
  bool is_loose(const detail::FormMask& mask, std::size_t stage, std::size_t left) {
    return left >= FormConstraint::kNoLimit / 2 || mask.farthest + need_later(stage) < left;
  }
  bool fits(Expression state, std::size_t stage, std::size_t tokens);
  // Whether the rest fits behind these tokens, which may be more than the fewest that would do.
  bool affords(Expression state, std::size_t stage, std::span<const TokenId> ids, std::size_t left);
  // False, and `at` and `text` are spoilt, if the bytes may not come.
  bool step(FormConstraint::Position& at, std::string& text, std::string_view bytes);

  const FormVocabulary vocabulary;
  std::mutex mutex;  // guards all below, which grows as states are met
  detail::Expressions pool;
  detail::Spelling spelling;
  detail::FormMasks masks;
  Expression first = detail::Expressions::kNothing;
  struct Later {
    Stage start;
    Expression value, rest;                    // before any value is known
    std::optional<std::uint64_t> tokens = {};  // from here on, once it was asked for
  };
  std::vector<Later> later;
  std::uint64_t remaining = 0;  // of all stages
  bool open = false;
  const char* made_of = "";

 private:
  Stage stage(const std::shared_ptr<const detail::AnswerChain>& chain, std::size_t which, Expression rest);
  void count(Expression part);  // what it adds to the longest answer
  std::uint64_t need_later(std::size_t stage);
  [[noreturn]] void refuse_bans(const char* what) const;
};

}  // namespace synthema
