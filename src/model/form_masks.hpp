// Which tokens may come in a state of a form: the trie of the vocabulary and the automaton, side by side.
// And which must: the tokens of fixed text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/model/expressions.hpp"
#include "src/model/spelling.hpp"
#include "synthema/model/answer_form.hpp"
#include "synthema/model/vocabulary_trie.hpp"

namespace synthema::detail {

enum class Pace : std::uint8_t {
  free,     // any token
  closing,  // only tokens after which less is left to write
  shortest  // only tokens on a way that is among the shortest
};

// What a token costs of the open tokens.
inline std::uint64_t open_cost(std::uint32_t remaining_before, std::uint32_t remaining_after) {
  return remaining_after < remaining_before ? 0 : std::uint64_t{1} + remaining_after - remaining_before;
}

struct FormMask {
  // Where tokens go on beyond the end of a stage: their node, and the bytes up to there.
  struct Crossing {
    VocabularyTrie::Node node;
    std::string path;
  };
  const std::vector<TokenId>* ids = nullptr;  // ascending
  std::vector<Crossing> crossings;
  std::uint64_t costliest = 0;  // of the open tokens, by any id
  std::uint64_t farthest = 0;   // tokens to the end of the stage behind any id, or more
  bool is_bent = false;         // bans make the way longer behind some id
};

// In all of it `node` is where the token stands that came to the beginning of a stage, or the root, and
// `more` whether another stage follows.
class FormMasks {
 public:
  // All must outlive it.
  FormMasks(Expressions& pool, const FormVocabulary& vocabulary, Spelling& spelling)
      : pool_(pool), vocabulary_(vocabulary), spelling_(spelling) {}

  const FormMask& mask(Expression state, VocabularyTrie::Node node, Pace pace, bool more);
  // The ids behind which no more than `room` tokens are needed to the end of the stage.
  std::vector<TokenId> ids_within(std::uint64_t room, Expression state, VocabularyTrie::Node node, Pace pace,
                                  bool more);
  // The canonical tokens of the text that follows in any case, up to the last place that no token spans.
  const std::vector<TokenId>& forced(Expression state, bool more);

 private:
  using Node = VocabularyTrie::Node;
  static constexpr std::uint64_t kAnyRoom = std::numeric_limits<std::uint64_t>::max();
  struct Walk {
    Pace pace;
    bool more;
    std::uint32_t remaining, shortest;  // at the start
    std::uint64_t room = kAnyRoom;      // tokens of the stage that may be needed behind an id
    std::vector<TokenId> ids = {};
    FormMask mask = {};
    std::string path = {};
  };
  void walk(Walk& w, Node node, Expression state);
  Walk walked(Expression state, Node node, Pace pace, bool more, std::uint64_t room = kAnyRoom);
  bool admits(const Walk& w, Expression to);
  std::vector<TokenId> forced_tokens(Expression state, bool more);
  bool crosses(Node node, Expression end, bool more);
  std::size_t firm_end(std::string_view text, Expression end, bool more);

  static std::uint64_t key(Expression state, Node node, Pace pace, bool more) {
    return (std::uint64_t{state} << 32) ^ (std::uint64_t{node} << 3) ^
           (static_cast<std::uint64_t>(pace) << 1) ^ more;
  }
  Expressions& pool_;
  const FormVocabulary& vocabulary_;
  Spelling& spelling_;
  std::unordered_map<std::uint64_t, FormMask> masks_;
  std::unordered_map<std::uint64_t, std::vector<TokenId>> forced_;
  std::set<std::vector<TokenId>> lists_;  // masks share equal ones
};

}  // namespace synthema::detail
