#include "synthema/text/tokens.hpp"

#include <algorithm>
#include <array>
#include <utility>

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

std::size_t end_of_ascii_word(std::string_view text, std::size_t at) {
  while (at < text.size() && in_ascii_word(text[at]) != 0) ++at;
  return at;
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

constexpr char32_t kInvalid = 0xFFFF;    // stands for each byte that is no UTF-8
constexpr std::size_t kBytesOfWord = 6;  // about, in most texts

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

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  out.reserve(text.size() / kBytesOfWord + 1);
  bool open = false;  // whether what follows belongs to the last word
  const auto add = [&](std::string_view part) -> std::string& {
    return std::exchange(open, true) ? out.back().append(part) : out.emplace_back(part);
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = end_of_ascii_word(text, at);
    if (end > at) {  // most of most texts: without a look at blocks
      std::string& run = add(text.substr(at, end - at));
      for (std::size_t i = run.size() - (end - at); i < run.size(); ++i) run[i] = in_ascii_word(run[i]);
      at = end;
      continue;
    }
    const CodePoint point = decode_utf8(text, at);
    const char32_t c = point.length > 0 ? point.value : kInvalid;
    at += std::max<std::size_t>(point.length, 1);
    const bool alone = stands_alone(c);
    if (alone || !is_word(c)) open = false;
    if (is_word(c)) append_utf8(add({}), lower(c));
    if (alone) open = false;
  }
  return out;
}

}  // namespace

std::vector<std::string> words(std::string_view text) {
  return may_be_decomposed(text) ? words_of(nfc(text)) : words_of(text);
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
