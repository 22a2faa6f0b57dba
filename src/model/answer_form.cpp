#include "synthema/model/answer_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "src/model/answer_chain.hpp"
#include "src/model/expressions.hpp"
#include "src/model/json_schema.hpp"
#include "src/model/json_text.hpp"
#include "src/model/regex.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/field_rule.hpp"
#include "synthema/data/json.hpp"
#include "synthema/model/banned_texts.hpp"

namespace synthema {

using detail::AnswerChain;
using detail::Edge;
using detail::Expression;
using detail::Expressions;
using Node = VocabularyTrie::Node;

namespace {

enum class Pace : std::uint8_t {
  free,     // any token
  closing,  // only tokens after which less is left to write
  shortest  // only tokens on a way that is among the shortest
};

// Where tokens go on beyond the end of a stage: their node, and the bytes up to there.
struct Crossing {
  Node node;
  std::string path;
};

struct Mask {
  const std::vector<TokenId>* ids = nullptr;  // ascending
  std::vector<Crossing> crossings;
  std::uint64_t costliest = 0;  // of the open tokens, by any id
  std::uint64_t farthest = 0;   // tokens to the end of the stage behind any id, or more
  bool is_bent = false;         // bans make the way longer behind some id
};

// What a token costs of the open tokens.
std::uint64_t cost(std::uint32_t remaining_before, std::uint32_t remaining_after) {
  return remaining_after < remaining_before ? 0 : std::uint64_t{1} + remaining_after - remaining_before;
}

constexpr std::size_t kMostSearched = 20'000;              // states in a search for a spelling
constexpr std::size_t kMostForced = 4096;                  // bytes fed forward at once
constexpr std::uint32_t kLongestRest = 1 << 16;            // bytes whose spelling is looked for
constexpr std::uint32_t kNever = Expressions::kUnbounded;  // no spelling, or none is known

Expressions::Bytes single_bytes(const VocabularyTrie& trie) {
  Expressions::Bytes out;
  for (unsigned byte = 0; byte < 256; ++byte) out[byte] = trie.spells(static_cast<std::uint8_t>(byte));
  return out;
}

FormVocabulary without_forbidden(FormVocabulary vocabulary) {
  check_banned(vocabulary.banned);
  if (!vocabulary.forbidden.empty()) vocabulary.trie = vocabulary.trie->without(vocabulary.forbidden);
  return vocabulary;
}

}  // namespace

// A form is a chain of stages. Each is a regular language that ends in fixed text; the next one may depend on
// the text so far (fields under a rule). A form without rules is one stage.
struct AnswerForm::Impl {
  using Stage = std::function<Expression(std::string_view before, std::string& failure)>;

  explicit Impl(FormVocabulary v)
      : vocabulary(without_forbidden(std::move(v))),
        pool(single_bytes(*vocabulary.trie), vocabulary.banned) {}

  void begin(Expression start, const char* what);
  void build(AnswerChain chain, const char* what);
  Stage stage(const std::shared_ptr<const AnswerChain>& chain, std::size_t which, Expression rest);

  bool more_after(std::size_t stage) const { return stage < later.size(); }
  Expression enter(std::size_t stage, std::string_view before, std::string& failure) {
    return later[stage](before, failure);
  }

  bool completable(Expression state);
  // `node`: where the token stands that came to the beginning of a stage, or the root.
  const Mask& mask(Expression state, Node node, Pace pace, bool more);
  // Adds the ids that may come, with `left` tokens to the end at most; those of later stages too.
  void add_ids(Expression state, Node node, std::size_t stage, Pace pace, std::size_t left,
               std::string_view text, std::vector<TokenId>& out);
  // Whether all ids of a mask leave enough of so many tokens, for sure.
  bool is_loose(const Mask& mask, std::size_t stage, std::size_t left) {
    return left >= FormConstraint::kNoLimit / 2 || mask.farthest + need_later(stage) < left;
  }
  bool fits(Expression state, std::size_t stage, std::size_t tokens);
  // Whether the rest fits behind these tokens, which may be more than the fewest that would do.
  bool affords(Expression state, std::size_t stage, std::span<const TokenId> ids, std::size_t left);
  const std::vector<TokenId>& forced(Expression state, bool more);
  bool step(FormConstraint::Position& at, std::string& text, std::string_view bytes);

  FormVocabulary vocabulary;
  std::mutex mutex;  // guards all below, which grows as states are met
  Expressions pool;
  Expression first = Expressions::kNothing;
  std::vector<Stage> later;
  std::uint64_t remaining = 0;  // of all stages
  bool open = false;
  const char* made_of = "";

 private:
  static constexpr std::uint64_t kAnyRoom = std::numeric_limits<std::uint64_t>::max();
  struct Walk {
    Pace pace;
    bool more;
    std::uint32_t remaining, shortest;  // at the start
    std::uint64_t room = kAnyRoom;      // tokens of the stage that may be needed behind an id
    std::vector<TokenId> ids = {};
    Mask mask = {};
    std::string path = {};
  };
  void walk(Walk& w, Node node, Expression state);
  Walk walked(Expression state, Node node, Pace pace, bool more, std::uint64_t room = kAnyRoom);
  bool admits(const Walk& w, Expression to);
  std::uint32_t fewest(Expression state);
  std::uint64_t need(Expression state);
  std::uint64_t need_later(std::size_t stage);
  std::size_t longest_token();
  [[noreturn]] void refuse_bans(const char* what) const;
  void targets(Node node, Expression state, std::set<Expression>& out);
  bool search(Expression state);
  std::vector<TokenId> forced_tokens(Expression state, bool more);
  bool crosses(Node node, Expression end, bool more);
  std::size_t firm_end(std::string_view text, Expression end, bool more);

  std::vector<Expression> wholes_;  // each stage before any value is known
  std::size_t longest_token_ = 0;   // once it was asked for
  struct Later {
    Expression value, rest;                    // of the stage, before any value is known
    std::optional<std::uint64_t> tokens = {};  // from here on, once it was asked for
  };
  std::vector<Later> later_;
  std::unordered_map<Expression, std::uint32_t> fewest_;

  static std::uint64_t key(Expression state, Node node, Pace pace, bool more) {
    return (std::uint64_t{state} << 32) ^ (std::uint64_t{node} << 3) ^
           (static_cast<std::uint64_t>(pace) << 1) ^ more;
  }
  std::unordered_map<std::uint64_t, Mask> masks_;
  std::unordered_map<std::uint64_t, std::vector<TokenId>> forced_;
  std::unordered_map<Expression, bool> spelt_;  // results of search
  std::set<std::vector<TokenId>> lists_;        // masks share equal ones
};

// --- masks: the trie of the vocabulary and the automaton, side by side

bool AnswerForm::Impl::admits(const Walk& w, Expression to) {
  if (!completable(to) || (w.room != kAnyRoom && need(to) > w.room)) return false;
  if (w.pace == Pace::closing) return pool.remaining(to) < w.remaining;
  return w.pace == Pace::free || pool.shortest(to) < w.shortest;
}

void AnswerForm::Impl::walk(Walk& w, Node node, Expression state) {
  const VocabularyTrie& trie = *vocabulary.trie;
  const Node begin = trie.first_child(node), end = trie.first_child(node + 1);
  if (begin == end) return;
  if (state == Expressions::kEmpty) {
    if (w.more) w.mask.crossings.push_back({node, w.path});
    return;
  }
  const std::vector<Edge>& edges = pool.edges(state);
  auto edge = edges.begin();
  for (Node child = begin; child < end; ++child) {
    const std::uint8_t byte = trie.byte(child);
    while (edge != edges.end() && edge->last < byte) ++edge;
    if (edge == edges.end()) return;
    if (byte < edge->first) continue;
    const Expression to = edge->to;
    if (const auto tokens = trie.tokens(child); !tokens.empty() && admits(w, to)) {
      w.ids.insert(w.ids.end(), tokens.begin(), tokens.end());
      w.mask.costliest = std::max(w.mask.costliest, cost(w.remaining, pool.remaining(to)));
      w.mask.farthest = std::max(w.mask.farthest, pool.is_spellable(to) ? pool.shortest(to) : need(to));
      w.mask.is_bent |= pool.is_bent(to);
    }
    w.path.push_back(static_cast<char>(byte));
    walk(w, child, to);
    w.path.pop_back();
  }
}

AnswerForm::Impl::Walk AnswerForm::Impl::walked(Expression state, Node node, Pace pace, bool more,
                                                std::uint64_t room) {
  const std::uint32_t begun = node == VocabularyTrie::root() ? 0 : 1;  // the token began before the stage
  Walk w{pace, more, pool.remaining(state) + begun, pool.shortest(state) + begun, room};
  walk(w, node, state);
  std::ranges::sort(w.ids);
  return w;
}

const Mask& AnswerForm::Impl::mask(Expression state, Node node, Pace pace, bool more) {
  const std::uint64_t name = key(state, node, pace, more);
  if (const auto found = masks_.find(name); found != masks_.end()) return found->second;
  if (node == VocabularyTrie::root()) {
    // Long texts look alike until their end is near: one walk for all of them. A way around a ban may need
    // what a text has left.
    const Expression alike =
        pool.within_reach(state, static_cast<std::uint32_t>(vocabulary.trie->longest_token()));
    if (alike != state)
      if (const Mask& same = mask(alike, node, pace, more); !same.is_bent)
        return masks_.emplace(name, same).first->second;
  }
  Walk w = walked(state, node, pace, more);
  w.mask.ids = &*lists_.insert(std::move(w.ids)).first;
  return masks_.emplace(name, std::move(w.mask)).first->second;
}

void AnswerForm::Impl::add_ids(Expression state, Node node, std::size_t stage, Pace pace, std::size_t left,
                               std::string_view text, std::vector<TokenId>& out) {
  const Mask& all = mask(state, node, pace, more_after(stage));
  if (is_loose(all, stage, left)) {
    out.insert(out.end(), all.ids->begin(), all.ids->end());
  } else if (const std::uint64_t behind = need_later(stage); behind < left) {
    const Walk some = walked(state, node, pace, more_after(stage), left - 1 - behind);
    out.insert(out.end(), some.ids.begin(), some.ids.end());
  }
  for (const Crossing& crossing : all.crossings) {
    const std::string before = std::string(text) + crossing.path;
    std::string failure;
    const Expression start = enter(stage, before, failure);
    if (start != Expressions::kNothing) add_ids(start, crossing.node, stage + 1, pace, left, before, out);
  }
}

// --- vocabularies that lack single bytes: is there a spelling at all?

bool AnswerForm::Impl::completable(Expression state) {
  if (state == Expressions::kNothing) return false;
  if (pool.is_spellable(state) || fewest(state) != kNever) return true;
  const auto found = spelt_.find(state);
  return found != spelt_.end() ? found->second : search(state);
}

void AnswerForm::Impl::targets(Node node, Expression state, std::set<Expression>& out) {
  const VocabularyTrie& trie = *vocabulary.trie;
  for (Node child = trie.first_child(node); child < trie.first_child(node + 1); ++child) {
    const Expression to = pool.after(state, trie.byte(child));
    if (to == Expressions::kNothing) continue;
    if (!trie.tokens(child).empty()) out.insert(to);
    targets(child, to, out);
  }
}

// Breadth first over tokens, until one leads to where single bytes are enough.
bool AnswerForm::Impl::search(Expression state) {
  std::set<Expression> seen{state};
  std::vector<Expression> queue{state};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    std::set<Expression> next;
    targets(VocabularyTrie::root(), queue[i], next);
    for (const Expression to : next) {
      const auto known = spelt_.find(to);
      if (pool.is_spellable(to) || (known != spelt_.end() && known->second)) return spelt_[state] = true;
      if (known == spelt_.end() && seen.insert(to).second) queue.push_back(to);
    }
    if (queue.size() > kMostSearched)
      throw ConfigError(
          "The tokens of this model spell so few bytes that the constraint cannot be checked; use a simpler "
          "one.");
  }
  for (const Expression one : queue) spelt_[one] = false;
  return false;
}

// --- fixed text

bool AnswerForm::Impl::crosses(Node node, Expression end, bool more) {
  if (end == Expressions::kEmpty) {
    const VocabularyTrie& trie = *vocabulary.trie;
    return more && trie.first_child(node) < trie.first_child(node + 1);  // what follows is not known yet
  }
  Walk w{Pace::free, more, 0, 0};
  walk(w, node, end);
  return !w.ids.empty() || !w.mask.crossings.empty();
}

// The last place in fixed text that no token spans, whatever follows its end.
std::size_t AnswerForm::Impl::firm_end(std::string_view text, Expression end, bool more) {
  const VocabularyTrie& trie = *vocabulary.trie;
  std::size_t firm = 0, reach = 0;  // reach: the furthest end of a token that begins before the place
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    if (reach <= begin) firm = begin;
    Node node = VocabularyTrie::root();
    for (std::size_t at = begin; at < text.size(); ++at) {
      node = trie.child(node, text[at]);
      if (node == VocabularyTrie::kNone) break;
      if (!trie.tokens(node).empty()) reach = std::max(reach, at + 1);
    }
    if (node != VocabularyTrie::kNone && crosses(node, end, more)) return firm;
  }
  return text.size();
}

std::vector<TokenId> AnswerForm::Impl::forced_tokens(Expression state, bool more) {
  std::string text;
  while (text.size() < kMostForced && !pool.accepts_empty(state)) {
    const std::vector<Edge>& edges = pool.edges(state);
    if (edges.size() != 1 || edges.front().first != edges.front().last) break;
    text.push_back(static_cast<char>(edges.front().first));
    state = edges.front().to;
  }
  if (text.empty() || !vocabulary.encode) return {};
  const std::size_t firm = firm_end(text, state, more);
  std::vector<TokenId> tokens = vocabulary.encode(text);
  std::size_t size = 0, kept = 0;
  for (const TokenId id : tokens) {
    const std::string_view bytes = vocabulary.trie->token_bytes(id);
    if (bytes.empty() || !std::string_view(text).substr(size).starts_with(bytes)) return {};  // not this text
    if (size + bytes.size() > firm) break;
    size += bytes.size();
    ++kept;
  }
  tokens.resize(kept);
  return tokens;
}

const std::vector<TokenId>& AnswerForm::Impl::forced(Expression state, bool more) {
  const std::uint64_t name = key(state, 0, Pace::free, more);
  const auto found = forced_.find(name);
  return found != forced_.end() ? found->second
                                : forced_.emplace(name, forced_tokens(state, more)).first->second;
}

// --- one token further

// False, and `at` and `text` are spoilt, if the bytes may not come.
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
  return completable(at.state);
}

// --- how short an answer can be

// Tokens of the shortest text (of several, the first in the order of bytes), split into as few as can be;
// kNever: they do not spell it, or it is longer than kLongestRest.
std::uint32_t AnswerForm::Impl::fewest(Expression state) {
  if (pool.shortest(state) > kLongestRest) return kNever;
  if (const auto found = fewest_.find(state); found != fewest_.end()) return found->second;
  const VocabularyTrie& trie = *vocabulary.trie;
  // The way to the end, or so far beyond a known state that no token leads further.
  std::vector<Expression> way{state};
  std::string text;
  for (std::size_t stop = kLongestRest; pool.shortest(way.back()) > 0 && text.size() < stop;) {
    if (stop == kLongestRest && fewest_.contains(way.back())) stop = text.size() + trie.longest_token();
    const auto& edges = pool.edges(way.back());
    const auto next = std::ranges::find_if(
        edges, [&](const Edge& edge) { return pool.shortest(edge.to) + 1 == pool.shortest(way.back()); });
    if (next == edges.end()) return kNever;
    text.push_back(static_cast<char>(next->first));
    way.push_back(next->to);
  }
  for (std::size_t i = way.size(); i-- > 0;) {
    if (fewest_.contains(way[i])) continue;
    std::uint32_t best = pool.shortest(way[i]) == 0 ? 0 : kNever;
    Node node = VocabularyTrie::root();
    for (std::size_t at = i; at < text.size() && best != 0; ++at) {
      node = trie.child(node, text[at]);
      if (node == VocabularyTrie::kNone) break;
      const std::uint32_t rest = trie.tokens(node).empty() ? kNever : fewest_.at(way[at + 1]);
      if (rest != kNever) best = std::min(best, rest + 1);
    }
    fewest_.emplace(way[i], best);
  }
  return fewest_.at(state);
}

// The same, or where it is not known the bound below that the longest token gives.
std::uint64_t AnswerForm::Impl::need(Expression state) {
  if (const std::uint32_t tokens = fewest(state); tokens != kNever) return tokens;
  const std::uint64_t longest = longest_token();
  return (pool.shortest(state) + longest - 1) / longest;
}

// Of the stages behind one, with the longest values that they may have.
std::uint64_t AnswerForm::Impl::need_later(std::size_t stage) {
  if (!more_after(stage)) return 0;
  Later& at = later_[stage];
  if (!at.tokens)
    at.tokens = pool.remaining(at.value) + need(pool.avoiding(at.rest, detail::TextBans::kStart)) +
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
         need(state) + behind <= tokens;
}

// Bytes of the longest token that can occur in an answer, or more.
std::size_t AnswerForm::Impl::longest_token() {
  if (longest_token_ > 0) return longest_token_;
  Expressions::Bytes bytes;
  for (const Expression whole : wholes_) bytes |= pool.alphabet(whole);
  const VocabularyTrie& trie = *vocabulary.trie;
  const auto occurs = [&](char byte) { return bytes[static_cast<unsigned char>(byte)]; };
  for (std::size_t id = 0; id < trie.vocabulary_size(); ++id) {
    const std::string_view token = trie.token_bytes(static_cast<TokenId>(id));
    if (token.size() > longest_token_ && std::ranges::all_of(token, occurs)) longest_token_ = token.size();
  }
  return longest_token_ = std::max<std::size_t>(1, longest_token_);
}

// --- making forms

void AnswerForm::Impl::begin(Expression start, const char* what) {
  made_of = what;
  if (start == Expressions::kNothing)
    throw ConfigError(message("No text fits the ", what, ", so no answer is possible."));
  first = pool.avoiding(start, detail::TextBans::kStart);
  if (first == Expressions::kNothing) refuse_bans(what);
  if (!completable(first))
    throw ConfigError(
        message("No text that fits the ", what, " can be spelt with the tokens ",
                vocabulary.forbidden.empty() ? "of this model." : "that the biases of -infinity leave."));
  remaining += pool.remaining(first);
  open |= pool.is_open(first);
  wholes_.push_back(start);
}

void AnswerForm::Impl::refuse_bans(const char* what) const {
  throw ConfigError({.field = "banned"},
                    message("Every text that fits the ", what, " holds a banned text (",
                            named_by_place(pool.blocking()), "); change the ", what, " or ban less."));
}

AnswerForm AnswerForm::of(const Prompt& prompt, FormVocabulary vocabulary) {
  const int given = !prompt.choices.empty() + !prompt.pattern.empty() + !prompt.json_schema.empty() +
                    !prompt.record_schema.empty() + (prompt.constraint.prototype != nullptr);
  if (given != 1)
    throw ConfigError(
        "An answer is limited by exactly one of choices, a pattern, a JSON Schema, a schema or a "
        "constraint.");
  if (prompt.constraint.prototype)
    throw ConfigError("The prompt brings a constraint of its own along, which has no form to compile.");
  vocabulary.banned = prompt.banned;
  if (!prompt.choices.empty()) return choices(prompt.choices, std::move(vocabulary));
  if (!prompt.pattern.empty()) return pattern(prompt.pattern, std::move(vocabulary));
  if (!prompt.json_schema.empty()) return json(prompt.json_schema, std::move(vocabulary));
  return record(schema_from_json(prompt.record_schema), std::move(vocabulary));
}

AnswerForm AnswerForm::choices(const std::vector<std::string>& choices, FormVocabulary vocabulary) {
  if (choices.empty() || std::ranges::find(choices, std::string()) != choices.end())
    throw ConfigError({.field = "choices"},
                      "A choice needs at least one string, and none of them may be empty.");
  auto impl = std::make_shared<Impl>(std::move(vocabulary));
  for (const std::string& choice : choices)
    if (impl->vocabulary.forbidden.empty() && !impl->completable(impl->pool.literal(choice)))
      throw ConfigError(
          {.field = "choices"},
          message("A choice of ", choice.size(), " bytes cannot be spelt with the tokens of this model."));
  impl->begin(impl->pool.one_of({choices.begin(), choices.end()}), "choices");
  return AnswerForm(std::move(impl));
}

AnswerForm AnswerForm::pattern(std::string_view regex, FormVocabulary vocabulary) {
  auto impl = std::make_shared<Impl>(std::move(vocabulary));
  impl->begin(detail::regex(impl->pool, regex), "regular expression");
  return AnswerForm(std::move(impl));
}

AnswerForm AnswerForm::json(std::string_view json_schema, FormVocabulary vocabulary) {
  auto impl = std::make_shared<Impl>(std::move(vocabulary));
  impl->build(detail::json_schema_chain(impl->pool, json_schema), "JSON Schema");
  return AnswerForm(std::move(impl));
}

namespace {

AnswerChain record_chain(Expressions& pool, const Schema& schema) {
  AnswerChain chain;
  chain.schema = schema;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    chain.links.push_back(
        {pool.literal((i == 0 ? "{" : ", ") + detail::json_quoted(schema.fields[i].name) + ": ")});
    chain.links.push_back({.field = i});
  }
  chain.links.push_back({pool.literal("}")});
  chain.values = [](std::string_view text, std::size_t) {
    return record_from_json(std::string(text) + "null}");
  };
  return chain;
}

}  // namespace

AnswerForm AnswerForm::record(const Schema& schema, FormVocabulary vocabulary) {
  schema.check();
  if (schema.fields.empty())
    throw ConfigError({.field = "fields"}, "The schema has no fields, so there is nothing to write.");
  auto impl = std::make_shared<Impl>(std::move(vocabulary));
  impl->build(record_chain(impl->pool, schema), "schema");
  return AnswerForm(std::move(impl));
}

namespace {

// A value that every later field must reach cannot be beyond what that field can reach: what is known before
// anything is drawn. Later fields first, so that chains of rules are followed.
Schema with_reachable_ranges(Schema schema) {
  for (std::size_t i = schema.fields.size(); i-- > 0;)
    for (const FieldRule& rule : schema.rules) {
      const Field& field = schema.fields[i];
      if (rule.field != field.name || field.nullable || !rule.labels.empty() || rule.lowest || rule.highest)
        continue;
      Field& given = *std::ranges::find(schema.fields, rule.given, &Field::name);
      const double beside = field.kind == Kind::integer ? 1 : 0;
      if (rule.relation.starts_with('>') && field.maximum)
        given.maximum = std::min(given.maximum.value_or(*field.maximum),
                                 *field.maximum - (rule.relation == ">" ? beside : 0));
      if (rule.relation.starts_with('<') && field.minimum)
        given.minimum = std::max(given.minimum.value_or(*field.minimum),
                                 *field.minimum + (rule.relation == "<" ? beside : 0));
    }
  return schema;
}

std::string range_name(const Field& field) {
  std::string out;
  for (const auto& bound : {field.minimum, field.maximum})
    out += bound ? fmt::format("{}", *bound) + ";" : ";";
  for (const std::string& label : field.categories) out += detail::json_quoted(label);
  return out;
}

}  // namespace

void AnswerForm::Impl::build(AnswerChain given, const char* what) {
  given.schema = with_reachable_ranges(std::move(given.schema));
  const auto chain = std::make_shared<const AnswerChain>(std::move(given));
  const auto limited = [&](const Field& field) {
    return std::ranges::any_of(chain->schema.rules,
                               [&](const FieldRule& rule) { return rule.field == field.name; });
  };
  // From the last link to the first: what follows until the next limited value, or the end.
  Expression rest = Expressions::kEmpty;
  for (auto link = chain->links.rbegin(); link != chain->links.rend(); ++link) {
    if (!link->field) {
      rest = pool.sequence(link->text, rest);
      continue;
    }
    const Field& field = chain->schema.fields[*link->field];
    const Expression value = detail::field_text(pool, field);
    if (!limited(field)) {
      rest = pool.sequence(value, rest);
      continue;
    }
    const Expression whole = pool.sequence(value, rest);
    if (pool.avoiding(whole, detail::TextBans::kStart) == Expressions::kNothing) refuse_bans(what);
    remaining += pool.remaining(whole);
    open |= pool.is_open(whole);
    later_.push_back({value, rest});
    wholes_.push_back(whole);
    later.push_back(stage(chain, *link->field, rest));
    rest = Expressions::kEmpty;
  }
  std::ranges::reverse(later);
  std::ranges::reverse(later_);
  begin(rest, what);
}

// The value of a field as the rules leave it, and what follows.
AnswerForm::Impl::Stage AnswerForm::Impl::stage(const std::shared_ptr<const AnswerChain>& chain,
                                                std::size_t which, Expression rest) {
  const auto known = std::make_shared<std::map<std::string, Expression>>();
  return [this, chain, which, rest, known](std::string_view text, std::string& failure) {
    const Field& here = chain->schema.fields[which];
    std::optional<Field> left = narrowed(chain->schema, here, chain->values(text, which));
    const std::string name = left ? range_name(*left) : "none";
    auto found = known->find(name);
    if (found == known->end()) {
      Expression start = here.nullable ? pool.literal("null") : Expressions::kNothing;
      try {
        if (left) start = detail::field_text(pool, *left);
      } catch (const ConfigError&) {  // no value between the bounds
      }
      found = known->emplace(name, pool.sequence(start, rest)).first;
    }
    const Expression start = pool.avoiding(found->second, pool.bans().after_text(text));
    if (start == Expressions::kNothing)
      failure = message("The rules ", pool.bans().empty() ? "" : "and the banned texts ",
                        "leave no value for the field '", here.name, "' after the values before it.");
    return start;
  };
}

AnswerForm AnswerForms::of(const Prompt& prompt, std::vector<TokenId> forbidden) {
  std::string name = message(prompt.choices.size(), ' ', prompt.banned.size(), ' ', forbidden.size(), ' ',
                             prompt.pattern.size(), ' ', prompt.json_schema.size(), ' ');
  for (const auto* texts : {&prompt.choices, &prompt.banned})
    for (const std::string& text : *texts) name += message(text.size(), ' ', text);
  for (const TokenId id : forbidden) name += message(id, ' ');
  name += prompt.pattern + prompt.json_schema + prompt.record_schema;
  const std::scoped_lock lock(mutex_);
  const auto found = forms_.find(name);
  if (found != forms_.end() && found->second.states() < kMostStates) return found->second;
  // Forms under way keep their own handle; what is used again is compiled again.
  if (forms_.size() >= kMostForms) forms_.clear();
  FormVocabulary vocabulary = vocabulary_;
  vocabulary.forbidden = std::move(forbidden);
  return forms_.insert_or_assign(std::move(name), AnswerForm::of(prompt, std::move(vocabulary)))
      .first->second;
}

AnswerLimit AnswerForms::limit(const Prompt& prompt, std::size_t max_tokens, std::size_t room,
                               std::vector<TokenId> forbidden) {
  if (!prompt.constraint.prototype || prompt.has_written_form()) {
    const AnswerForm form = of(prompt, std::move(forbidden));
    return {{FormConstraint(form, max_tokens, room), vocabulary_.trie->vocabulary_size()},
            form.longest(max_tokens),
            false,
            form.made_of()};
  }
  AnswerLimit limit{*prompt.constraint.prototype, max_tokens, true};
  if (const std::size_t size = limit.constraint.vocabulary_size(); size > vocabulary_.trie->vocabulary_size())
    throw ConfigError(
        {.field = "constraint"},
        message("The constraint is made for a vocabulary of ", size, " tokens, but the model has ",
                vocabulary_.trie->vocabulary_size(), "; make it with this model's tokenizer."));
  limit.constraint.reset();
  return limit;
}

std::size_t AnswerForm::longest(std::size_t open_tokens) const {
  return impl_->remaining + (impl_->open ? open_tokens : 0);
}

const char* AnswerForm::made_of() const {
  return impl_->made_of;
}

std::size_t AnswerForm::states() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->pool.size();
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
    const Mask& mask = form.mask(at_.state, VocabularyTrie::root(), pace, more);
    if (!mask.ids->empty() && form.is_loose(mask, at_.stage, left())) return true;
    joined_.clear();
    form.add_ids(at_.state, VocabularyTrie::root(), at_.stage, pace, left(), text_, joined_);
    return !joined_.empty();
  };
  const std::size_t open = open_tokens_ - std::min(at_.spent, open_tokens_);
  Pace pace = Pace::free;
  if (!at_.hurried && form.mask(at_.state, VocabularyTrie::root(), Pace::free, more).costliest > open)
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
  const Mask& mask = form.mask(at_.state, VocabularyTrie::root(), by, form.more_after(at_.stage));
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
  const std::vector<TokenId>& ids = form.forced(at_.state, form.more_after(at_.stage));
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
    at_.spent += cost(form.pool.remaining(from), form.pool.remaining(to));
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
