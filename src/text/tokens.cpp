#include "synthema/text/tokens.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "synthema/core/utf8.hpp"
#include "synthema/text/nfc.hpp"

namespace synthema {

namespace {

struct Block {
  char32_t first, last;
};

// Blocks above ASCII that hold no letters or digits (Unicode 15 block names), in order.
constexpr std::array kNoLetters = {
    Block{0x0080, 0x00A9},   Block{0x00AB, 0x00B1}, Block{0x00B4, 0x00B4}, Block{0x00B6, 0x00B8},
    Block{0x00BB, 0x00BF},   Block{0x00D7, 0x00D7}, Block{0x00F7, 0x00F7}, Block{0x02C2, 0x02C5},
    Block{0x037E, 0x037E},   Block{0x0387, 0x0387}, Block{0x055A, 0x055F}, Block{0x0589, 0x058F},
    Block{0x05BE, 0x05BE},   Block{0x05F3, 0x05F4}, Block{0x060C, 0x060D}, Block{0x061B, 0x061F},
    Block{0x066A, 0x066D},   Block{0x06D4, 0x06D4}, Block{0x0964, 0x0965}, Block{0x0E3F, 0x0E3F},
    Block{0x1680, 0x1680},   Block{0x2000, 0x200B},  // spaces; the joiners U+200C and U+200D bind letters
    Block{0x200E, 0x206F},                           // general punctuation
    Block{0x20A0, 0x20CF},                           // currency
    Block{0x2100, 0x2101},   Block{0x2190, 0x2BFF},  // arrows, mathematics, technical, boxes, dingbats
    Block{0x2E00, 0x2E7F},   Block{0x3000, 0x3004}, Block{0x3008, 0x3020}, Block{0x3030, 0x3030},
    Block{0x30FB, 0x30FB},   Block{0xE000, 0xF8FF},  // private use
    Block{0xFE00, 0xFE1F},                           // variation selectors, vertical forms
    Block{0xFE30, 0xFE6F},   Block{0xFEFF, 0xFEFF}, Block{0xFF01, 0xFF0F}, Block{0xFF1A, 0xFF20},
    Block{0xFF3B, 0xFF40},   Block{0xFF5B, 0xFF65}, Block{0xFFE0, 0xFFFF}, Block{0x1F000, 0x1FAFF},  // emoji
    Block{0xE0000, 0x10FFFF}};

constexpr bool is_ascii_word(char32_t c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// By ASCII character what a word has for it; 0: it is in none.
constexpr std::array<char, 128> kInWord = [] {
  std::array<char, 128> out{};
  for (std::size_t c = 0; c < out.size(); ++c)
    if (is_ascii_word(static_cast<char32_t>(c)))
      out[c] = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  return out;
}();

char in_ascii_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < kInWord.size() ? kInWord[byte] : '\0';
}

bool is_word(char32_t c) {
  if (c < 0x80) return is_ascii_word(c);
  const auto after = std::upper_bound(kNoLetters.begin(), kNoLetters.end(), c,
                                      [](char32_t value, const Block& block) { return value < block.first; });
  return after == kNoLetters.begin() || c > std::prev(after)->last;
}

// Scripts written without spaces, where a code point is taken as a word.
bool stands_alone(char32_t c) {
  return (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) || (c >= 0xF900 && c <= 0xFAFF) ||
         (c >= 0x20000 && c <= 0x3FFFF);
}

// Never of more bytes in UTF-8.
char32_t lower(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c >= 0xC0 && c <= 0xDE) return c == 0xD7 ? c : c + 32;
  if (c == 0x130) return 'i';
  if (c == 0x178) return 0xFF;
  if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177)) return c | 1;
  if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1);
  if (c == 0x386) return 0x3AC;
  if (c >= 0x388 && c <= 0x38A) return c + 37;
  if (c == 0x38C) return 0x3CC;
  if (c == 0x38E || c == 0x38F) return c + 63;
  if (c >= 0x391 && c <= 0x3AB) return c == 0x3A2 ? c : c + 32;
  if (c >= 0x400 && c <= 0x40F) return c + 80;
  if (c >= 0x410 && c <= 0x42F) return c + 32;
  return c;
}

bool is_space(char32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x3000;
}

bool ends_sentence(char32_t c) {
  return c == '.' || c == '!' || c == '?' || c == 0x2026 || c == 0x3002 || c == 0xFF01 || c == 0xFF1F;
}

constexpr char32_t kInvalid = 0xFFFF;  // stands for each byte that is no UTF-8

// Calls visit(code point, bytes) for each code point.
template <class Visit>
void for_each_code_point(std::string_view text, const Visit& visit) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text, at);
    const std::size_t length = point.length > 0 ? point.length : 1;
    visit(point.length > 0 ? point.value : kInvalid, text.substr(at, length));
    at += length;
  }
}

// Whether the text may have marks apart from their letters: accents (U+0300 to U+036F), the voicing marks of
// kana, or parts of Hangul syllables.
bool may_be_decomposed(std::string_view text) {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]), next = static_cast<unsigned char>(text[i + 1]);
    if (lead < 0xCC) continue;
    if (lead == 0xCC || (lead == 0xCD && next < 0xB0) || (lead == 0xE1 && next >= 0x84 && next < 0x88))
      return true;
    if (lead == 0xE3 && next == 0x82 && i + 2 < text.size() &&
        (text[i + 2] == '\x99' || text[i + 2] == '\x9A'))
      return true;
  }
  return false;
}

// Eight characters of a text side by side, the first in the lowest byte (machines are little-endian).
using Eight = std::uint64_t;
constexpr Eight kOnes = 0x0101010101010101, kTops = 0x80 * kOnes;

Eight eight_at(const char* from) {
  Eight out = 0;
  std::memcpy(&out, from, sizeof out);
  return out;
}

// The top bit of each byte of ASCII that lies in [first, last].
constexpr Eight in_range(Eight x, char first, char last) {
  const Eight from = x + static_cast<Eight>(0x80 - first) * kOnes,
              above = x + static_cast<Eight>(0x7F - last) * kOnes;
  return from & ~above & kTops;
}
// The top bits of eight bytes as eight bits.
constexpr std::uint64_t gathered(Eight tops) {
  return ((tops >> 7) * 0x0102040810204080) >> 56;
}

}  // namespace

bool has_words(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text, at);
    if (is_word(point.length > 0 ? point.value : kInvalid)) return true;
    at += std::max<std::size_t>(point.length, 1);
  }
  return false;
}

void JoinedWords::read(std::string_view text) {
  begins_.clear();
  ends_.clear();
  if (may_be_decomposed(text))
    read_composed(nfc(text));
  else
    read_composed(text);
}

void JoinedWords::read_composed(std::string_view text) {
  letters_.resize(text.size());  // never more bytes than the text has
  read_rest(text, read_ascii(text));
}

// Most of most texts is ASCII: 64 characters at a time, with a step for each border of a word only.
std::size_t JoinedWords::read_ascii(std::string_view text) {
  constexpr std::size_t kTogether = 64;
  std::uint64_t before = 0;  // whether the last character belongs to a word
  std::size_t at = 0;
  for (; at + kTogether <= text.size(); at += kTogether) {
    Eight other = 0;
    std::uint64_t in_word = 0;
    for (std::size_t i = 0; i < kTogether; i += 8) {
      const Eight x = eight_at(text.data() + at + i), upper = in_range(x, 'A', 'Z');
      other |= x;
      const Eight lower = x | upper >> 2;
      std::memcpy(letters_.data() + at + i, &lower, sizeof lower);
      in_word |= gathered(in_range(lower, 'a', 'z') | in_range(x, '0', '9')) << i;
    }
    if ((other & kTops) != 0) break;
    for (std::uint64_t borders = in_word ^ (in_word << 1 | before); borders != 0; borders &= borders - 1) {
      const std::size_t border = at + static_cast<std::size_t>(std::countr_zero(borders));
      (begins_.size() == ends_.size() ? begins_ : ends_).push_back(border);
    }
    before = in_word >> (kTogether - 1);
  }
  return at;
}

void JoinedWords::read_rest(std::string_view text, std::size_t at) {
  std::size_t out = at;
  const auto open = [&] { return begins_.size() > ends_.size(); };  // what follows belongs to the last word
  const auto add = [&](char c) {
    if (!open()) begins_.push_back(out);
    letters_[out++] = c;
  };
  const auto close = [&] {
    if (open()) ends_.push_back(out);
  };
  std::string bytes;
  while (at < text.size()) {
    if (const char c = in_ascii_word(text[at]); c != 0) {  // without a look at blocks
      add(c);
      ++at;
      continue;
    }
    const CodePoint point = decode_utf8(text, at);
    const char32_t c = point.length > 0 ? point.value : kInvalid;
    at += std::max<std::size_t>(point.length, 1);
    const bool alone = stands_alone(c);
    if (alone || !is_word(c)) close();
    if (is_word(c)) {
      bytes.clear();
      append_utf8(bytes, lower(c));
      for (const char byte : bytes) add(byte);
    }
    if (alone) close();
  }
  close();
}

std::vector<std::string> words(std::string_view text) {
  JoinedWords joined;
  joined.read(text);
  std::vector<std::string> out;
  out.reserve(joined.size());
  for (std::size_t i = 0; i < joined.size(); ++i) out.emplace_back(joined[i]);
  return out;
}

std::string lower_case(std::string_view text) {
  std::string out;
  for_each_code_point(text, [&](char32_t c, std::string_view bytes) {
    if (c == kInvalid || lower(c) == c)
      out += bytes;
    else
      append_utf8(out, lower(c));
  });
  return out;
}

std::size_t sentence_count(std::string_view text) {
  std::size_t count = 0;
  bool open = false, ended = false;  // something was said since the last end; the last mark may be an end
  char32_t before = 0;
  for_each_code_point(text, [&](char32_t c, std::string_view) {
    const bool blank_line = c == '\n' && before == '\n';
    if (open && ((is_space(c) && ended) || blank_line)) {
      ++count;
      open = false;
    }
    if (is_word(c)) open = true;
    // A closing quote or bracket after the mark belongs to it.
    const bool closing = c == '"' || c == '\'' || c == ')' || c == 0x201D || c == 0x2019;
    ended = ends_sentence(c) || (ended && closing);
    if (c >= 0x3000 && ends_sentence(c) && open) {  // full-width marks need no space
      ++count;
      open = ended = false;
    }
    if (c != '\r') before = c;
  });
  return count + (open ? 1 : 0);
}

}  // namespace synthema
