// Regular languages over bytes as hash-consed expressions, and what may follow: derivatives (Brzozowski,
// J. ACM 1964) through linear forms (Antimirov, TCS 1996). An expression is the state of a lazy automaton:
// equal states have equal numbers, and all languages of one pool share theirs.
//
// No expression but kNothing is empty, so every path along edges can be finished. Counters stay symbolic:
// a text of up to 500 characters is one expression, not 500.
//
// Banned texts (avoiding()) run beside an expression as a second automaton. Whether a pair of states has a
// way to the end is searched for when the pair is first met, shortest ways first, and kept: where no ban is
// near, the search goes straight.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "src/model/text_bans.hpp"

namespace synthema::detail {

using Expression = std::uint32_t;

struct Edge {
  std::uint8_t first = 0, last = 0;  // any of these bytes
  Expression to = 0;
};

class Expressions {
 public:
  static constexpr Expression kNothing = 0;  // no text
  static constexpr Expression kEmpty = 1;    // the empty text
  static constexpr std::uint32_t kUnbounded = std::numeric_limits<std::uint32_t>::max();
  using Bytes = std::bitset<256>;

  // `single`: bytes that are tokens of their own. `limit`: expressions before a ConfigError says that the
  // language is too large.
  explicit Expressions(const Bytes& single, const std::vector<std::string>& banned = {},
                       std::size_t limit = 4'000'000);

  Expression bytes(std::uint8_t first, std::uint8_t last);
  Expression literal(std::string_view text);
  Expression sequence(Expression head, Expression tail);
  Expression sequence(const std::vector<Expression>& parts);
  Expression either(std::vector<Expression> parts);
  Expression one_of(std::vector<std::string_view> texts);  // shares beginnings
  Expression optional(Expression e) { return either({kEmpty, e}); }
  Expression repeat(Expression item, std::uint32_t least, std::uint32_t most);
  // The texts of `e` with so many characters: of UTF-8, where a backslash and the byte behind it are one.
  // ConfigError if the maximum is above kMostCounted and `e` is no plain repetition of characters.
  Expression of_length(Expression e, std::uint32_t least, std::uint32_t most);
  static constexpr std::uint32_t kMostCounted = 1000;
  // The texts of `e` with no banned text in them, behind a text that ends in this state of the bans.
  // ConfigError if that takes a search of more than kMostSearched steps.
  Expression avoiding(Expression e, TextBans::State state);
  static constexpr std::size_t kMostSearched = 200'000;
  TextBans& bans() { return bans_; }
  // The banned texts, by their places from 1, that stood in the way where nothing was left.
  const std::set<std::size_t>& blocking() const { return blocking_; }
  // Whether bans make its shortest text longer.
  bool is_bent(Expression e) const {
    return nodes_[e].kind == Kind::avoiding && nodes_[e].shortest > nodes_[nodes_[e].a].shortest;
  }
  bool accepts_empty(Expression e) const { return nodes_[e].nullable; }
  // Whether some text can be spelt byte by byte.
  bool is_spellable(Expression e) const { return nodes_[e].spellable; }
  // Whether its length is left open: a repetition with room.
  bool is_open(Expression e) const { return nodes_[e].open; }
  // Bytes of the longest text if every open repetition stops as soon as it can: what is left to write at the
  // worst, whatever is chosen. Only a byte that lengthens a repetition lets it stay or grow.
  std::uint32_t remaining(Expression e) const { return nodes_[e].remaining; }
  // Bytes of the shortest text.
  std::uint32_t shortest(Expression e) const { return nodes_[e].shortest; }
  // Bytes that its texts are made of, or more than those.
  Bytes alphabet(Expression e) const;

  // What may come next, by byte, disjoint and in ascending order. Stays valid.
  const std::vector<Edge>& edges(Expression e);
  // The state after one byte; kNothing if it may not come.
  Expression after(Expression e, std::uint8_t byte);
  // The same language as far as `bytes` bytes can tell: counters out of their reach lose their end.
  Expression within_reach(Expression e, std::uint32_t bytes);

  // Whether no text belongs to both; false too where `limit` pairs of states are not enough to tell.
  bool exclude(Expression a, Expression b, std::size_t limit);

  std::size_t size() const { return nodes_.size(); }

 private:
  enum class Kind : std::uint8_t {
    nothing,
    empty,
    bytes,
    sequence,
    either,
    repeat,
    counted,
    escaped,
    avoiding
  };
  struct Node {
    Kind kind = Kind::nothing;
    bool nullable = false, spellable = false, open = false;
    std::uint32_t a = 0, b = 0,
                  c = 0;  // by kind: bytes (first, last); parts; index of parts; item (or texts) and counts;
                          // texts and state of the bans
    std::uint32_t remaining = 0, shortest = 0;
    std::uint32_t edges = kUnbounded;  // index of its edges once known
  };
  struct Key {
    Kind kind;
    std::uint32_t a, b, c;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const;
  };
  struct LinearTerm {
    std::uint8_t first, last;
    Expression rest;
  };
  Expression intern(Key key, Node node);
  Expression add(Node node);
  void linear_form(Expression e, std::vector<LinearTerm>& out);
  std::vector<Edge> edges_from(const std::vector<LinearTerm>& terms);
  Expression counted(Kind kind, Expression e, std::uint32_t least, std::uint32_t most);
  bool is_character(Expression e);
  bool is_tail(Expression e);

  // One step of the search of avoiding(): a pair of states and how it was come by.
  struct Visit {
    Expression e;
    TextBans::State state;
    std::uint32_t steps = 0;    // to here
    std::size_t before = 0;     // the visit that it came from
    bool is_spellable = false;  // a byte that leads here is a token
  };
  template <class Use>
  void for_pieces(const Edge& edge, TextBans::State state, const Use& use);
  std::vector<Edge> avoiding_edges(Expression e, TextBans::State state);
  std::uint32_t least_steps(Expression e, TextBans::State state) const;
  void keep_way(const std::vector<Visit>& visits, std::size_t last);

  Bytes single_;
  TextBans bans_;
  std::set<std::size_t> blocking_;
  std::size_t limit_;
  std::vector<Node> nodes_;
  std::unordered_map<Key, Expression, Hash> known_;  // kNothing too, for what has no text of its length
  std::map<std::vector<Expression>, Expression> known_sets_;
  std::deque<std::vector<Expression>> sets_;  // parts of the alternatives
  std::deque<std::vector<Edge>> edges_;
  std::unordered_map<Expression, Expression> reach_;  // results of within_reach
};

}  // namespace synthema::detail
