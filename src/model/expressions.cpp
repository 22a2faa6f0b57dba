#include "src/model/expressions.hpp"

#include <algorithm>

#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

std::uint32_t bounded(std::uint64_t n) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(n, Expressions::kUnbounded - 1));
}

}  // namespace

Expressions::Expressions(const Bytes& single, std::size_t limit) : single_(single), limit_(limit) {
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
    std::vector<LinearTerm> terms;
    linear_form(e, terms);
    edges_.push_back(edges_from(terms));
    nodes_[e].edges = static_cast<std::uint32_t>(edges_.size() - 1);
  }
  return edges_[nodes_[e].edges];
}

Expression Expressions::after(Expression e, std::uint8_t byte) {
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
  }
  reach_.emplace(e, out);
  return out;
}

}  // namespace synthema::detail
