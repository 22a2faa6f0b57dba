#include "src/model/regex.hpp"

#include <optional>
#include <string>
#include <vector>

#include "src/model/text_sets.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/utf8.hpp"

namespace synthema::detail {

namespace {

constexpr std::uint32_t kMostRepeats = 100'000;
constexpr std::size_t kDeepest = 200;  // groups within groups

const CharacterSet& digits() {
  static const CharacterSet set({{'0', '9'}});
  return set;
}
const CharacterSet& word_characters() {
  static const CharacterSet set({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
  return set;
}
const CharacterSet& white_space() {
  static const CharacterSet set({{'\t', '\r'}, {' ', ' '}});
  return set;
}

class Parser {
 public:
  Parser(Expressions& pool, std::string_view text, bool json) : pool_(pool), text_(text), json_(json) {
    if (const auto bad = first_invalid_utf8(text)) refuse(*bad, "bytes that are not valid UTF-8");
  }

  Expression parse() {
    const Expression out = alternatives();
    if (at_ < text_.size()) refuse(at_, "a ')' without its '('");
    return out;
  }

 private:
  [[noreturn]] static void refuse(std::size_t at, const std::string& what) {
    throw ConfigError({.column = at + 1, .field = "pattern"},
                      message("The regular expression has ", what, "."));
  }
  bool ended() const { return at_ >= text_.size(); }
  char peek() const { return text_[at_]; }
  bool take(char c) {
    if (ended() || peek() != c) return false;
    ++at_;
    return true;
  }
  char32_t take_character() {
    const CodePoint point = decode_utf8(text_, at_);
    at_ += point.length;
    return point.value;
  }
  Expression of(const CharacterSet& set) const {
    return json_ ? json_character(pool_, set) : character(pool_, set);
  }

  Expression alternatives() {
    std::vector<Expression> parts{sequence()};
    while (take('|')) parts.push_back(sequence());
    return pool_.either(std::move(parts));
  }

  Expression sequence() {
    std::vector<Expression> parts;
    while (!ended() && peek() != '|' && peek() != ')') parts.push_back(repeated());
    return pool_.sequence(parts);
  }

  Expression repeated() {
    const std::size_t begin = at_;
    Expression item = atom();
    for (bool first = true;; first = false) {
      const std::size_t at = at_;
      const auto counts = quantifier();
      if (!counts) return item;
      if (!first) refuse(at, "a repetition of a repetition; put the first one in (?:...)");
      if (anchor_) refuse(begin, "a repetition of an anchor");
      item = pool_.repeat(item, counts->first, counts->second);
      if (!take('?') && !ended() && peek() == '+')
        refuse(at_, "a '+' behind a repetition, which never gives back what it took; leave it out");
    }
  }

  std::optional<std::pair<std::uint32_t, std::uint32_t>> quantifier() {
    if (take('*')) return std::pair{0U, Expressions::kUnbounded};
    if (take('+')) return std::pair{1U, Expressions::kUnbounded};
    if (take('?')) return std::pair{0U, 1U};
    const std::size_t open = at_;
    if (!take('{')) return std::nullopt;
    const std::uint32_t least = number(open);
    std::uint32_t most = least;
    if (take(',')) most = !ended() && peek() == '}' ? Expressions::kUnbounded : number(open);
    if (!take('}'))
      refuse(open, "a '{' that begins no repetition like {3}, {3,} or {3,5}; write \\{ for a brace");
    if (least > most) refuse(open, "a repetition whose minimum is above its maximum");
    return std::pair{least, most};
  }

  std::uint32_t number(std::size_t open) {
    const std::size_t begin = at_;
    std::uint32_t value = 0;
    while (!ended() && peek() >= '0' && peek() <= '9') {
      value = value * 10 + static_cast<std::uint32_t>(text_[at_++] - '0');
      if (value > kMostRepeats) refuse(open, message("a repetition of more than ", kMostRepeats, " times"));
    }
    if (at_ == begin)
      refuse(open, "a '{' that begins no repetition like {3}, {3,} or {3,5}; write \\{ for a brace");
    return value;
  }

  Expression atom() {
    const std::size_t begin = at_;
    anchor_ = false;
    switch (peek()) {
      case '(':
        return group();
      case '[':
        return of(bracket());
      case '.':
        ++at_;
        return of(CharacterSet({{'\n', '\n'}}).complement());
      case '\\':
        return of(escape(false));
      case '^':
      case '$':
        return anchor();
      case '*':
      case '+':
      case '?':
        refuse(begin, message("a '", std::string(1, peek()), "' with nothing before it to repeat"));
      case '{':
        refuse(begin, "a '{' with nothing before it to repeat; write \\{ for a brace");
      default: {
        const char32_t c = take_character();
        return of(CharacterSet({{c, c}}));
      }
    }
  }

  Expression anchor() {
    const bool start = peek() == '^';
    anchor_ = true;
    // Both are implied, so they may only stand where they change nothing.
    if (start ? at_ != 0 : at_ + 1 != text_.size())
      refuse(at_, start ? "a '^' that is not at its beginning" : "a '$' that is not at its end");
    ++at_;
    return Expressions::kEmpty;
  }

  Expression group() {
    const std::size_t open = at_++;
    if (take('?') && !take(':'))
      refuse(open,
             "a group that begins with '(?'; only (...) and (?:...) are supported, no look-around, flags or "
             "names");
    if (++depth_ > kDeepest) refuse(open, "groups that are nested too deeply");
    const Expression out = alternatives();
    --depth_;
    if (!take(')')) refuse(open, "a '(' without its ')'");
    anchor_ = false;
    return out;
  }

  CharacterSet bracket() {
    const std::size_t open = at_++;
    const bool negated = take('^');
    CharacterSet set;
    for (bool first = true; ended() || peek() != ']' || first; first = false) {
      if (ended()) refuse(open, "a '[' without its ']'");
      const std::size_t begin = at_;
      const CharacterSet low = bracket_item();
      const bool range = at_ + 1 < text_.size() && peek() == '-' && text_[at_ + 1] != ']';
      if (!range) {
        set.add(low);
        continue;
      }
      ++at_;
      const CharacterSet high = bracket_item();
      if (!is_single(low) || !is_single(high)) refuse(begin, "a range between classes of characters");
      const char32_t a = low.ranges().front().first, b = high.ranges().front().first;
      if (a > b) refuse(begin, "a range of characters whose first is after its last");
      set.add(a, b);
    }
    ++at_;
    return negated ? set.complement() : set;
  }

  static bool is_single(const CharacterSet& set) {
    return set.ranges().size() == 1 && set.ranges().front().first == set.ranges().front().second;
  }

  CharacterSet bracket_item() {
    if (peek() == '\\') return escape(true);
    const char32_t c = take_character();
    return CharacterSet({{c, c}});
  }

  CharacterSet escape(bool inside) {
    const std::size_t begin = at_++;
    if (ended()) refuse(begin, "a '\\' at its end");
    const char32_t c = take_character();
    const auto one = [](char32_t value) { return CharacterSet({{value, value}}); };
    switch (c) {
      case 'd':
        return digits();
      case 'D':
        return digits().complement();
      case 'w':
        return word_characters();
      case 'W':
        return word_characters().complement();
      case 's':
        return white_space();
      case 'S':
        return white_space().complement();
      case 'n':
        return one('\n');
      case 't':
        return one('\t');
      case 'r':
        return one('\r');
      case 'f':
        return one('\f');
      case 'v':
        return one('\v');
      case '0':
        if (!ended() && peek() >= '0' && peek() <= '9')
          refuse(begin, "an octal escape; write \\x and two hexadecimal digits");
        return one(0);
      case 'x':
        return one(hexadecimal(begin, 2));
      case 'u':
        return one(take('{') ? braced(begin) : hexadecimal(begin, 4));
      default:
        break;
    }
    if (inside && c == 'b') return one('\b');
    const bool letter_or_digit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter_or_digit)
      refuse(begin,
             message("the escape \\", std::string(1, static_cast<char>(c)), ", which is not supported"));
    return one(c);
  }

  static int digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
  }
  char32_t hexadecimal(std::size_t begin, int count) {
    char32_t value = 0;
    for (int i = 0; i < count; ++i) {
      if (ended() || digit(peek()) < 0)
        refuse(begin, message("an escape that lacks its ", count, " hexadecimal digits"));
      value = value * 16 + static_cast<char32_t>(digit(text_[at_++]));
    }
    return checked(begin, value);
  }
  char32_t braced(std::size_t begin) {
    char32_t value = 0;
    int count = 0;
    for (; !ended() && digit(peek()) >= 0 && count < 7; ++count)
      value = value * 16 + static_cast<char32_t>(digit(text_[at_++]));
    if (count == 0 || !take('}')) refuse(begin, "an escape \\u{...} without hexadecimal digits or '}'");
    return checked(begin, value);
  }
  static char32_t checked(std::size_t begin, char32_t value) {
    if (value > CharacterSet::kLast || (value >= 0xD800 && value <= 0xDFFF))
      refuse(begin, "an escape of a number that is no character");
    return value;
  }

  Expressions& pool_;
  std::string_view text_;
  bool json_;
  bool anchor_ = false;  // the atom just read was ^ or $
  std::size_t at_ = 0, depth_ = 0;
};

}  // namespace

Expression regex(Expressions& pool, std::string_view pattern, bool json) {
  return Parser(pool, pattern, json).parse();
}

}  // namespace synthema::detail
