#include "synthema/text/nfc.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <unordered_map>
#include <vector>

#include "synthema/core/utf8.hpp"

namespace synthema {

namespace {

struct Combining {
  char32_t first, last;
  std::uint8_t order;  // canonical combining class
};
struct Decomposition {
  char32_t whole, first, second;  // second 0: one character stands for another
  bool composes;                  // the way back is taken too
};
#include "src/text/nfc_tables.inc"

// Everything below is its own normal form and nothing there combines.
constexpr char32_t kFirstMark = 0x300;

// Hangul syllables are computed (Unicode Standard, section 3.12).
constexpr char32_t kSyllable = 0xAC00, kLead = 0x1100, kVowel = 0x1161, kTail = 0x11A7;
constexpr char32_t kLeads = 19, kVowels = 21, kTails = 28, kSyllables = kLeads * kVowels * kTails;

std::uint8_t order_of(char32_t c) {
  if (c < kFirstMark) return 0;
  const auto* const after = std::ranges::upper_bound(kCombining, c, {}, &Combining::first);
  return after != std::begin(kCombining) && c <= std::prev(after)->last ? std::prev(after)->order : 0;
}

void decompose(char32_t c, std::vector<char32_t>& out) {
  if (c >= kSyllable && c < kSyllable + kSyllables) {
    const char32_t index = c - kSyllable;
    out.push_back(kLead + index / (kVowels * kTails));
    out.push_back(kVowel + index / kTails % kVowels);
    if (index % kTails != 0) out.push_back(kTail + index % kTails);
    return;
  }
  const auto* const hit = std::ranges::lower_bound(kDecompositions, c, {}, &Decomposition::whole);
  if (hit == std::end(kDecompositions) || hit->whole != c) return out.push_back(c);
  decompose(hit->first, out);
  if (hit->second != 0) out.push_back(hit->second);
}

void sort_marks(std::vector<char32_t>& text) {
  for (auto begin = text.begin(); begin != text.end();) {
    if (order_of(*begin) == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, text.end(), [](char32_t c) { return order_of(c) == 0; });
    std::stable_sort(begin, end, [](char32_t a, char32_t b) { return order_of(a) < order_of(b); });
    begin = end;
  }
}

// The composed character, or 0.
char32_t composed(char32_t a, char32_t b) {
  static const auto pairs = [] {
    std::unordered_map<std::uint64_t, char32_t> out;
    for (const Decomposition& d : kDecompositions)
      if (d.composes && d.second != 0) out.emplace((std::uint64_t{d.first} << 32) | d.second, d.whole);
    return out;
  }();
  if (a >= kLead && a < kLead + kLeads && b >= kVowel && b < kVowel + kVowels)
    return kSyllable + ((a - kLead) * kVowels + (b - kVowel)) * kTails;
  if (a >= kSyllable && a < kSyllable + kSyllables && (a - kSyllable) % kTails == 0 && b > kTail &&
      b < kTail + kTails)
    return a + (b - kTail);
  const auto hit = pairs.find((std::uint64_t{a} << 32) | b);
  return hit == pairs.end() ? 0 : hit->second;
}

// A character joins the last starter unless one of the same or a higher order stands between.
std::vector<char32_t> compose(const std::vector<char32_t>& text) {
  std::vector<char32_t> out;
  std::size_t starter = 0;
  bool has_starter = false;
  for (const char32_t c : text) {
    const std::uint8_t order = order_of(c);
    const bool adjacent = has_starter && starter + 1 == out.size();
    const bool blocked = !adjacent && !out.empty() && order_of(out.back()) >= order;
    const char32_t joined = has_starter && !blocked ? composed(out[starter], c) : 0;
    if (joined != 0) {
      out[starter] = joined;
      continue;
    }
    if (order == 0) {
      starter = out.size();
      has_starter = true;
    }
    out.push_back(c);
  }
  return out;
}

}  // namespace

std::string nfc(std::string_view text) {
  std::string out;
  std::vector<char32_t> valid;  // the stretch of valid characters that is being collected, decomposed
  const auto flush = [&] {
    sort_marks(valid);
    for (const char32_t c : compose(valid)) append_utf8(out, c);
    valid.clear();
  };
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text, at);
    if (point.length > 0) {
      decompose(point.value, valid);
    } else {
      flush();
      out.push_back(text[at]);
    }
    at += std::max<std::size_t>(point.length, 1);
  }
  flush();
  return out;
}

}  // namespace synthema
