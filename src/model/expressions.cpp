#include "src/model/expressions.hpp"

#include <algorithm>
#include <functional>
#include <queue>
#include <set>
#include <tuple>
#include <utility>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

std::uint32_t bounded(std::uint64_t n) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(n, Expressions::kUnbounded - 1));
}

}  // namespace

Expressions::Expressions(const Bytes& single, const std::vector<std::string>& banned, std::size_t limit)
    : single_(single), bans_(banned), limit_(limit) {
  add({});
  Node empty;
  empty.kind = Kind::empty;
  empty.nullable = empty.spellable = true;
  add(empty);
}

std::size_t Expressions::Hash::operator()(const Key& key) const {
  std::uint64_t h = static_cast<std::uint64_t>(key.kind);
  for (const std::uint32_t part : {key.a, key.b, key.c}) h = (h ^ part) * 0x9E3779B97F4A7C15;
  return static_cast<std::size_t>(h ^ (h >> 29));
}

Expression Expressions::add(Node node) {
  if (nodes_.size() >= limit_)
    throw ConfigError(message("The constraint has more than ", limit_,
                              " states; make its texts, lists or alternatives shorter."));
  nodes_.push_back(node);
  return static_cast<Expression>(nodes_.size() - 1);
}

Expression Expressions::intern(Key key, Node node) {
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  node.kind = key.kind, node.a = key.a, node.b = key.b, node.c = key.c;
  const Expression made = add(node);
  known_.emplace(key, made);
  return made;
}

Expression Expressions::bytes(std::uint8_t first, std::uint8_t last) {
  if (first > last) return kNothing;
  Node node;
  for (unsigned b = first; b <= last; ++b) node.spellable |= single_[b];
  node.remaining = node.shortest = 1;
  return intern({Kind::bytes, first, last, 0}, node);
}

Expression Expressions::literal(std::string_view text) {
  Expression out = kEmpty;
  for (std::size_t i = text.size(); i-- > 0;) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    out = sequence(bytes(byte, byte), out);
  }
  return out;
}

Expression Expressions::sequence(Expression head, Expression tail) {
  if (head == kNothing || tail == kNothing) return kNothing;
  if (head == kEmpty) return tail;
  if (tail == kEmpty) return head;
  const Node &a = nodes_[head], &b = nodes_[tail];
  Node node;
  node.nullable = a.nullable && b.nullable;
  node.spellable = a.spellable && b.spellable;
  node.open = a.open || b.open;
  node.remaining = bounded(std::uint64_t{a.remaining} + b.remaining);
  node.shortest = bounded(std::uint64_t{a.shortest} + b.shortest);
  return intern({Kind::sequence, head, tail, 0}, node);
}

Expression Expressions::sequence(const std::vector<Expression>& parts) {
  Expression out = kEmpty;
  for (std::size_t i = parts.size(); i-- > 0;) out = sequence(parts[i], out);
  return out;
}

Expression Expressions::either(std::vector<Expression> parts) {
  std::vector<Expression> flat;
  for (const Expression part : parts) {
    if (part == kNothing) continue;
    if (nodes_[part].kind == Kind::either)
      flat.insert(flat.end(), sets_[nodes_[part].a].begin(), sets_[nodes_[part].a].end());
    else
      flat.push_back(part);
  }
  std::ranges::sort(flat);
  flat.erase(std::unique(flat.begin(), flat.end()), flat.end());
  if (flat.empty()) return kNothing;
  if (flat.size() == 1) return flat.front();
  const auto found = known_sets_.find(flat);
  if (found != known_sets_.end()) return found->second;
  Node node;
  node.kind = Kind::either;
  node.shortest = kUnbounded - 1;
  for (const Expression part : flat) {
    const Node& one = nodes_[part];
    node.nullable |= one.nullable, node.spellable |= one.spellable, node.open |= one.open;
    node.remaining = std::max(node.remaining, one.remaining);
    node.shortest = std::min(node.shortest, one.shortest);
  }
  node.a = static_cast<std::uint32_t>(sets_.size());
  const Expression made = add(node);
  sets_.push_back(flat);
  known_sets_.emplace(std::move(flat), made);
  return made;
}

Expression Expressions::one_of(std::vector<std::string_view> texts) {
  std::ranges::sort(texts);
  std::vector<Expression> parts;
  for (std::size_t begin = 0; begin < texts.size();) {
    if (texts[begin].empty()) {
      parts.push_back(kEmpty);
      ++begin;
      continue;
    }
    const char head = texts[begin].front();
    std::vector<std::string_view> tails;
    for (; begin < texts.size() && texts[begin].front() == head; ++begin)
      tails.push_back(texts[begin].substr(1));
    const auto byte = static_cast<std::uint8_t>(head);
    parts.push_back(
        sequence(bytes(byte, byte), tails.size() == 1 ? literal(tails.front()) : one_of(std::move(tails))));
  }
  return either(std::move(parts));
}

Expression Expressions::repeat(Expression item, std::uint32_t least, std::uint32_t most) {
  if (least > most) return kNothing;
  if (most == 0 || item == kEmpty) return kEmpty;
  if (item == kNothing) return least == 0 ? kEmpty : kNothing;
  if (nodes_[item].nullable) least = 0;
  if (least == 1 && most == 1) return item;
  const Node& one = nodes_[item];
  Node node;
  node.nullable = least == 0;
  node.spellable = least == 0 || one.spellable;
  node.open = one.open || least != most;
  node.remaining = bounded(std::uint64_t{least} * one.remaining);
  node.shortest = bounded(std::uint64_t{least} * one.shortest);
  return intern({Kind::repeat, item, least, most}, node);
}

// The texts of `e` as a sum of (one byte, rest).
void Expressions::linear_form(Expression e, std::vector<LinearTerm>& out) {
  const Node node = nodes_[e];
  const std::size_t begin = out.size();
  const auto followed_by = [&](Expression tail) {
    for (std::size_t i = begin; i < out.size(); ++i) out[i].rest = sequence(out[i].rest, tail);
  };
  switch (node.kind) {
    case Kind::nothing:
    case Kind::empty:
      return;
    case Kind::bytes:
      out.push_back({static_cast<std::uint8_t>(node.a), static_cast<std::uint8_t>(node.b), kEmpty});
      return;
    case Kind::sequence:
      linear_form(node.a, out);
      followed_by(node.b);
      if (nodes_[node.a].nullable) linear_form(node.b, out);
      return;
    case Kind::either:
      for (const Expression part : sets_[node.a]) linear_form(part, out);
      return;
    case Kind::counted:
    case Kind::escaped:  // their edges are known from the beginning
    case Kind::avoiding:
      for (const Edge& edge : edges(e)) out.push_back({edge.first, edge.last, edge.to});
      return;
    case Kind::repeat:
      linear_form(node.a, out);
      followed_by(repeat(node.a, node.b == 0 ? 0 : node.b - 1, node.c == kUnbounded ? node.c : node.c - 1));
      return;
  }
}

std::vector<Edge> Expressions::edges_from(const std::vector<LinearTerm>& terms) {
  std::bitset<257> starts;
  for (const LinearTerm& term : terms) starts.set(term.first), starts.set(term.last + 1U);
  std::vector<Edge> out;
  std::vector<Expression> rests;
  for (unsigned from = 0; from < 256;) {
    unsigned to = from + 1;
    while (to < 256 && !starts[to]) ++to;
    rests.clear();
    for (const LinearTerm& term : terms)
      if (term.first <= from && from <= term.last) rests.push_back(term.rest);
    const Expression target = rests.size() == 1 ? rests.front() : either(rests);
    if (target != kNothing) {
      if (!out.empty() && out.back().to == target && out.back().last + 1U == from)
        out.back().last = static_cast<std::uint8_t>(to - 1);
      else
        out.push_back({static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(to - 1), target});
    }
    from = to;
  }
  return out;
}

const std::vector<Edge>& Expressions::edges(Expression e) {
  if (nodes_[e].edges == kUnbounded) {
    std::vector<Edge> out;
    if (nodes_[e].kind == Kind::avoiding) {
      out = avoiding_edges(nodes_[e].a, nodes_[e].b);
    } else {
      std::vector<LinearTerm> terms;
      linear_form(e, terms);
      out = edges_from(terms);
    }
    edges_.push_back(std::move(out));
    nodes_[e].edges = static_cast<std::uint32_t>(edges_.size() - 1);
  }
  return edges_[nodes_[e].edges];
}

Expression Expressions::after(Expression e, std::uint8_t byte) {
  if (const Node node = nodes_[e]; node.kind == Kind::avoiding && node.edges == kUnbounded) {
    const TextBans::State state = bans_.after(node.b, byte);  // of many edges only one is asked for
    return bans_.completes(state) ? kNothing : avoiding(after(node.a, byte), state);
  }
  for (const Edge& edge : edges(e))
    if (byte <= edge.last) return byte >= edge.first ? edge.to : kNothing;
  return kNothing;
}

Expression Expressions::within_reach(Expression e, std::uint32_t bytes) {
  const auto found = reach_.find(e);
  if (found != reach_.end()) return found->second;
  const Node node = nodes_[e];
  Expression out = e;
  if (node.kind == Kind::sequence) {
    const Expression head = within_reach(node.a, bytes);
    out = sequence(head, node.b);  // tails come into reach when the head is written
    if (nodes_[node.a].nullable) out = sequence(head, within_reach(node.b, bytes));
  } else if (node.kind == Kind::either) {
    std::vector<Expression> parts = sets_[node.a];
    for (Expression& part : parts) part = within_reach(part, bytes);
    out = either(std::move(parts));
  } else if (node.kind == Kind::repeat && node.c > bytes) {
    out = repeat(node.a, node.b, kUnbounded);
  } else if (node.kind == Kind::counted && node.b == 0 && node.c > bytes) {
    out = node.a;
  } else if (node.kind == Kind::avoiding) {
    out = avoiding(within_reach(node.a, bytes), node.b);
  }
  reach_.emplace(e, out);
  return out;
}

Expressions::Bytes Expressions::alphabet(Expression e) const {
  Bytes out;
  std::vector<bool> seen(nodes_.size());
  for (std::vector<Expression> left{e}; !left.empty();) {
    const Node& node = nodes_[left.back()];
    const bool again = seen[left.back()];
    seen[left.back()] = true;
    left.pop_back();
    if (again) continue;
    if (node.kind == Kind::bytes)
      for (std::size_t byte = node.a; byte <= node.b; ++byte) out.set(byte);
    else if (node.kind == Kind::either)
      left.insert(left.end(), sets_[node.a].begin(), sets_[node.a].end());
    else
      left.push_back(node.a);  // kNothing where there is none
    if (node.kind == Kind::sequence) left.push_back(node.b);
  }
  return out;
}

// Whether every text is what stands behind the first byte of a character in UTF-8.
bool Expressions::is_tail(Expression e) {
  if (e == kEmpty) return true;
  const std::vector<Edge> tail = edges(e);
  return !nodes_[e].nullable && std::ranges::all_of(tail, [&](const Edge& edge) {
    return edge.first >= 0x80 && edge.last <= 0xBF && is_tail(edge.to);
  });
}

// Whether every text is one character, as of_length counts.
bool Expressions::is_character(Expression e) {
  const std::vector<Edge> first = edges(e);
  if (nodes_[e].nullable) return false;
  for (const Edge& lead : first) {
    if (lead.last >= 0x80 && lead.first <= 0xBF) return false;  // no beginning of a character
    if (lead.first <= '\\' && '\\' <= lead.last) {
      for (const Edge& edge : edges(lead.to))
        if (edge.to != kEmpty) return false;
      if (nodes_[lead.to].nullable) return false;
      continue;
    }
    if (!is_tail(lead.to)) return false;
  }
  return true;
}

Expression Expressions::of_length(Expression e, std::uint32_t least, std::uint32_t most) {
  if (least == 0 && most == kUnbounded) return e;
  const Node node = nodes_[e];
  if (node.kind == Kind::repeat && is_character(node.a))
    return repeat(node.a, std::max(node.b, least), std::min(node.c, most));
  if (std::max(least, most == kUnbounded ? 0 : most) > kMostCounted)
    throw ConfigError(message("A pattern beside a length above ", kMostCounted,
                              " cannot be counted; write the length into the pattern, as in [a-z]{2,5}."));
  return counted(Kind::counted, e, least, most);
}

// `escaped`: behind a backslash, whose byte belongs to the character that was counted.
Expression Expressions::counted(Kind kind, Expression e, std::uint32_t least, std::uint32_t most) {
  if (e == kNothing || (kind == Kind::counted && least == 0 && most == kUnbounded)) return e;
  const Key key{kind, e, least, most};
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  Node node;
  node.kind = kind, node.a = e, node.b = least, node.c = most;
  node.nullable = node.spellable = kind == Kind::counted && nodes_[e].nullable && least == 0;
  node.open = true;
  node.shortest = node.nullable ? 0 : kUnbounded - 1;
  std::vector<Edge> out;
  const auto piece = [&](unsigned first, unsigned last, Expression to, bool counts) {
    if (first > last || (counts && most == 0)) return;
    const bool escapes = counts && first == '\\';
    const Expression next = counts ? counted(escapes ? Kind::escaped : Kind::counted, to,
                                             least == 0 ? 0 : least - 1, most == kUnbounded ? most : most - 1)
                                   : counted(Kind::counted, to, least, most);
    if (next == kNothing) return;
    out.push_back({static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last), next});
    node.shortest = std::min(node.shortest, bounded(std::uint64_t{1} + nodes_[next].shortest));
    for (unsigned byte = first; byte <= last && nodes_[next].spellable; ++byte)
      node.spellable |= single_[byte];
  };
  for (const Edge& edge : edges(e)) {
    const auto within = [&](unsigned from, unsigned to, bool counts) {
      piece(std::max<unsigned>(edge.first, from), std::min<unsigned>(edge.last, to), edge.to, counts);
    };
    if (kind == Kind::escaped) {
      within(0, 0xFF, false);
      continue;
    }
    within(0, '\\' - 1, true), within('\\', '\\', true), within('\\' + 1, 0x7F, true);
    within(0x80, 0xBF, false), within(0xC0, 0xFF, true);
  }
  Expression made = kNothing;
  if (node.nullable || !out.empty()) {
    node.remaining = node.shortest;
    edges_.push_back(std::move(out));
    node.edges = static_cast<std::uint32_t>(edges_.size() - 1);
    made = add(node);
  }
  known_.emplace(key, made);
  return made;
}

// --- banned texts beside an expression

// The parts of an edge that lead to different states of the bans; none where a banned text would be complete.
template <class Use>
void Expressions::for_pieces(const Edge& edge, TextBans::State state, const Use& use) {
  unsigned from = edge.first;
  const auto piece = [&](unsigned last, TextBans::State to) {
    if (from <= last) use(static_cast<std::uint8_t>(from), static_cast<std::uint8_t>(last), to);
  };
  for (const TextBans::Step& step : bans_.steps(state)) {
    if (step.byte < from) continue;
    if (step.byte > edge.last) break;
    if (step.byte > from) piece(step.byte - 1U, TextBans::kStart);
    from = step.byte;
    if (!bans_.completes(step.to)) piece(step.byte, step.to);
    from = step.byte + 1U;
  }
  piece(edge.last, TextBans::kStart);
}

std::vector<Edge> Expressions::avoiding_edges(Expression e, TextBans::State state) {
  std::vector<Edge> out;
  for (const Edge& edge : edges(e))
    for_pieces(edge, state, [&](std::uint8_t first, std::uint8_t last, TextBans::State next) {
      const Expression to = avoiding(edge.to, next);
      if (to == kNothing) return;
      if (!out.empty() && out.back().to == to && out.back().last + 1U == first)
        out.back().last = last;
      else
        out.push_back({first, last, to});
    });
  return out;
}

// Bytes to the end: exactly where the pair is known, never too many elsewhere.
std::uint32_t Expressions::least_steps(Expression e, TextBans::State state) const {
  const auto known = known_.find({Kind::avoiding, e, state, 0});
  return nodes_[known == known_.end() || known->second == kNothing ? e : known->second].shortest;
}

// The pairs on the way to a visit from where the rest is known, or empty.
void Expressions::keep_way(const std::vector<Visit>& visits, std::size_t last) {
  const Visit& end = visits[last];
  const auto known = known_.find({Kind::avoiding, end.e, end.state, 0});
  Node node;
  node.spellable = known == known_.end() || nodes_[known->second].spellable;
  node.shortest = known == known_.end() ? 0 : nodes_[known->second].shortest;
  for (std::size_t at = last;; at = visits[at].before) {
    const Visit& here = visits[at];
    if (here.e != kEmpty && (at != last || known == known_.end())) {
      node.nullable = nodes_[here.e].nullable;
      node.open = nodes_[here.e].open;
      node.remaining = std::max(nodes_[here.e].remaining, node.shortest);
      intern({Kind::avoiding, here.e, here.state, 0}, node);
    }
    if (at == 0) return;
    node.shortest = bounded(std::uint64_t{node.shortest} + 1);
    node.spellable = node.spellable && here.is_spellable;
  }
}

// A* over pairs of states, with the shortest text of the expression alone as what is left at the least.
Expression Expressions::avoiding(Expression e, TextBans::State state) {
  if (bans_.empty() || e == kNothing || e == kEmpty) return e;
  const Key key{Kind::avoiding, e, state, 0};
  if (const auto found = known_.find(key); found != known_.end()) return found->second;
  std::vector<Visit> visits{{e, state}};
  std::set<std::pair<Expression, TextBans::State>> done;
  using Waiting = std::tuple<std::uint32_t, std::uint32_t, std::size_t>;  // all steps, left, visit
  std::priority_queue<Waiting, std::vector<Waiting>, std::greater<>> queue;
  queue.emplace(least_steps(e, state), 0, 0);
  std::set<TextBans::State> complete;
  while (!queue.empty()) {
    const std::size_t at = std::get<2>(queue.top());
    queue.pop();
    const Visit here = visits[at];
    if (!done.emplace(here.e, here.state).second) continue;
    const auto known = known_.find({Kind::avoiding, here.e, here.state, 0});
    if (known != known_.end() && known->second == kNothing) continue;
    if (known != known_.end() || nodes_[here.e].nullable) {
      keep_way(visits, at);
      return known_.at(key);
    }
    for (const Edge& edge : edges(here.e)) {
      for_pieces(edge, here.state, [&](std::uint8_t first, std::uint8_t last, TextBans::State next) {
        Visit visit{edge.to, next, here.steps + 1, at};
        for (unsigned byte = first; byte <= last && !visit.is_spellable; ++byte)
          visit.is_spellable = single_[byte];
        const std::uint32_t left = least_steps(edge.to, next);
        queue.emplace(bounded(std::uint64_t{visit.steps} + left), left, visits.size());
        visits.push_back(visit);
      });
      for (const TextBans::Step& step : bans_.steps(here.state))
        if (edge.first <= step.byte && step.byte <= edge.last && bans_.completes(step.to))
          complete.insert(step.to);
    }
    if (visits.size() > kMostSearched)
      throw ConfigError({.field = "banned"},
                        message("The banned texts leave so few ways to write the answer that none was found "
                                "in ",
                                kMostSearched, " steps; ban less, or leave more ways."));
  }
  for (const TextBans::State one : complete) bans_.add_places(one, blocking_);
  for (const auto& [dead, its_state] : done)
    known_.emplace(Key{Kind::avoiding, dead, its_state, 0}, kNothing);
  return kNothing;
}

bool Expressions::exclude(Expression a, Expression b, std::size_t limit) {
  std::set<std::pair<Expression, Expression>> seen{{a, b}};
  std::vector<std::pair<Expression, Expression>> queue{{a, b}};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const auto [x, y] = queue[i];
    if (x == y && x != kNothing) return false;
    if (nodes_[x].nullable && nodes_[y].nullable) return false;
    if (queue.size() > limit) return false;
    for (const Edge& one : edges(x))
      for (const Edge& other : edges(y))
        if (one.first <= other.last && other.first <= one.last && seen.emplace(one.to, other.to).second)
          queue.emplace_back(one.to, other.to);
  }
  return true;
}

}  // namespace synthema::detail
