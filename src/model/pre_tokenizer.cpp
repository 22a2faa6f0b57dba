#include "synthema/model/pre_tokenizer.hpp"

#include <algorithm>
#include <cstdint>

#include "synthema/core/error.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/model/unicode.hpp"

namespace synthema {

namespace {

struct Char {
  std::size_t begin;  // byte offset
  char32_t value;     // 0xFFFFFFFF: an invalid byte
  CharClass kind;
};

std::vector<Char> characters(std::string_view text) {
  std::vector<Char> out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text, at);
    const bool valid = point.length > 0;
    out.push_back(
        {at, valid ? point.value : char32_t{0xFFFFFFFF}, valid ? char_class(point.value) : CharClass::other});
    at += valid ? point.length : 1;
  }
  return out;
}

// Scans chars[begin, end); the functions return the index after the match, or `at` where nothing matches.
class Scanner {
 public:
  Scanner(const std::vector<Char>& chars, std::size_t end) : chars_(chars), end_(end) {}

  std::size_t gpt2(std::size_t at) const {
    std::size_t stop = contraction(at, false);
    for (const CharClass kind : {CharClass::letter, CharClass::number, CharClass::other})
      if (stop == at) stop = spaced_run(at, kind);
    return stop == at ? spaces(at) : stop;
  }

  std::size_t llama3(std::size_t at, std::size_t most_digits) const {
    std::size_t stop = contraction(at, true);
    if (stop == at) stop = word_with_lead(at);
    if (stop == at) stop = std::min(run(at, CharClass::number), at + most_digits);
    if (stop == at && (stop = spaced_run(at, CharClass::other)) != at)
      while (stop < end_ && is_newline(stop)) ++stop;
    if (stop == at) stop = through_last_newline(at);
    return stop == at ? spaces(at) : stop;
  }

 private:
  bool is(std::size_t at, CharClass kind) const { return at < end_ && chars_[at].kind == kind; }
  bool is_newline(std::size_t at) const { return chars_[at].value == '\n' || chars_[at].value == '\r'; }

  std::size_t run(std::size_t at, CharClass kind) const {
    while (is(at, kind)) ++at;
    return at;
  }

  // ' ?X+'
  std::size_t spaced_run(std::size_t at, CharClass kind) const {
    const std::size_t first = at + (chars_[at].value == ' ' ? 1 : 0);
    return is(first, kind) ? run(first, kind) : at;
  }

  // [^\r\n\p{L}\p{N}]?\p{L}+
  std::size_t word_with_lead(std::size_t at) const {
    if (is(at, CharClass::letter)) return run(at, CharClass::letter);
    const bool lead = !is(at, CharClass::number) && !is_newline(at);
    return lead && is(at + 1, CharClass::letter) ? run(at + 1, CharClass::letter) : at;
  }

  // The letter at `at`, folded where case does not matter; U+017F is the one other character that folds to
  // one of the letters wanted here.
  char32_t letter(std::size_t at, bool fold) const {
    const char32_t c = at < end_ ? chars_[at].value : 0;
    if (!fold) return c;
    return c == 0x17F ? U's' : c >= 'A' && c <= 'Z' ? c + 32 : c;
  }

  // 's 't 're 've 'm 'll 'd
  std::size_t contraction(std::size_t at, bool fold) const {
    if (chars_[at].value != '\'') return at;
    const char32_t a = letter(at + 1, fold), b = letter(at + 2, fold);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return at + 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l')) return at + 3;
    return at;
  }

  // \s*[\r\n]+
  std::size_t through_last_newline(std::size_t at) const {
    std::size_t stop = run(at, CharClass::space);
    while (stop > at && !is_newline(stop - 1)) --stop;
    return stop;
  }

  // \s+(?!\S)|\s+: all white space but the last, which goes with the word after it.
  std::size_t spaces(std::size_t at) const {
    const std::size_t stop = run(at, CharClass::space);
    return stop < end_ && stop - at > 1 ? stop - 1 : stop;
  }

  const std::vector<Char>& chars_;
  std::size_t end_;
};

// Where the stretch that starts at `at` ends: a single number, or all up to the next number.
std::size_t stretch(const std::vector<Char>& chars, std::size_t at) {
  if (chars[at].kind == CharClass::number) return at + 1;
  while (at < chars.size() && chars[at].kind != CharClass::number) ++at;
  return at;
}

}  // namespace

PreTokenizer PreTokenizer::named(std::string_view name) {
  if (name == "gpt2") return PreTokenizer(Rule::gpt2);
  if (name == "smollm") return PreTokenizer(Rule::smollm);
  if (name == "llama3") return PreTokenizer(Rule::llama3);
  if (name == "qwen2") return PreTokenizer(Rule::qwen2);
  throw ModelError(
      message("There is no pre-tokenizer '", name, "'; there are gpt2, smollm, llama3 and qwen2."));
}

std::vector<std::string_view> PreTokenizer::split(std::string_view text) const {
  const std::vector<Char> chars = characters(text);
  const auto offset = [&](std::size_t i) { return i < chars.size() ? chars[i].begin : text.size(); };
  std::vector<std::string_view> words;
  for (std::size_t begin = 0; begin < chars.size();) {
    const std::size_t end = rule_ == Rule::smollm ? stretch(chars, begin) : chars.size();
    const Scanner scan(chars, end);
    while (begin < end) {
      const std::size_t stop = rule_ == Rule::llama3  ? scan.llama3(begin, 3)
                               : rule_ == Rule::qwen2 ? scan.llama3(begin, 1)
                                                      : scan.gpt2(begin);
      words.push_back(text.substr(offset(begin), offset(stop) - offset(begin)));
      begin = stop;
    }
  }
  return words;
}

}  // namespace synthema
