#include "src/model/regex.hpp"

#include <optional>
#include <string>
#include <vector>

#include "src/model/text_sets.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/model/unicode.hpp"

namespace synthema::detail {

namespace {

constexpr std::uint32_t kMostRepeats = 100'000;
constexpr std::size_t kDeepest = 200;  // groups within groups

// What a class of characters is in every dialect, and in any: \d, \w and \s are ASCII to some (JavaScript)
// and all of Unicode to others (Python, Rust and so pydantic). Answers keep to what all agree on: `surely`;
// what is negated leaves out `possibly`.
struct Characters {
  CharacterSet surely, possibly;

  explicit Characters(CharacterSet set) : surely(std::move(set)), possibly(surely) {}
  Characters(CharacterSet every, CharacterSet any) : surely(std::move(every)), possibly(std::move(any)) {}
  void add(const Characters& other) { surely.add(other.surely), possibly.add(other.possibly); }
  Characters complement() const { return {possibly.complement(), surely.complement()}; }
};

const Characters& digits() {
  static const Characters set = [] {
    CharacterSet numbers;
    for (char32_t c = 0; c < 0x20000; ++c)
      if (char_class(c) == CharClass::number) numbers.add(c, c);
    return Characters(CharacterSet({{'0', '9'}}), std::move(numbers));
  }();
  return set;
}

// Beyond ASCII, blocks of punctuation and symbols that have no letters but those of char_class(), no marks
// and nothing that a later Unicode could make a letter.
CharacterSet signs() {
  CharacterSet out;
  for (const auto& [first, last] : std::vector<std::pair<char32_t, char32_t>>{{0xA1, 0xBF},
                                                                              {0xD7, 0xD7},
                                                                              {0xF7, 0xF7},
                                                                              {0x2010, 0x2027},
                                                                              {0x2030, 0x203E},
                                                                              {0x20A0, 0x20C0},
                                                                              {0x2190, 0x23FF},
                                                                              {0x2500, 0x2BFF},
                                                                              {0x3001, 0x3003},
                                                                              {0x3008, 0x3020},
                                                                              {0x1F300, 0x1F6FF},
                                                                              {0x1F900, 0x1F9FF}})
    for (char32_t c = first; c <= last; ++c)
      if (char_class(c) == CharClass::other) out.add(c, c);
  return out;
}

const Characters& word_characters() {
  static const CharacterSet ascii({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
  static const Characters set = [] {
    CharacterSet any = ascii;
    any.add(0x80, CharacterSet::kLast);
    return Characters(ascii, any.without(signs()));
  }();
  return set;
}

const Characters& white_space() {
  static const Characters set = [] {
    CharacterSet any({{0x1C, 0x1F}, {0x180E, 0x180E}, {0xFEFF, 0xFEFF}});
    for (char32_t c = 0; c <= 0x3000; ++c)
      if (is_white_space(c)) any.add(c, c);
    return Characters(CharacterSet({{'\t', '\r'}, {' ', ' '}}), std::move(any));
  }();
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
        return of(bracket().surely);
      case '.':
        ++at_;
        return of(CharacterSet({{'\n', '\n'}}).complement());
      case '\\':
        return of(escape(false).surely);
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

  Characters bracket() {
    const std::size_t open = at_++;
    const bool negated = take('^');
    Characters set{CharacterSet()};
    for (bool first = true; ended() || peek() != ']' || first; first = false) {
      if (ended()) refuse(open, "a '[' without its ']'");
      const std::size_t begin = at_;
      refuse_set_operation();
      const Characters low = bracket_item();
      const bool range = at_ + 1 < text_.size() && peek() == '-' && text_[at_ + 1] != ']';
      if (!range) {
        set.add(low);
        continue;
      }
      ++at_;
      const Characters high = bracket_item();
      if (!is_single(low) || !is_single(high)) refuse(begin, "a range between classes of characters");
      const char32_t a = low.surely.ranges().front().first, b = high.surely.ranges().front().first;
      if (a > b) refuse(begin, "a range of characters whose first is after its last");
      set.add(Characters(CharacterSet({{a, b}})));
    }
    ++at_;
    return negated ? set.complement() : set;
  }

  // What some dialects (Rust's, and so pydantic's) take for a class in a class or for sets, others for
  // characters.
  void refuse_set_operation() const {
    for (const std::string_view two : {"[:", "&&", "--", "~~"})
      if (text_.substr(at_, 2) == two)
        refuse(at_,
               message("'", two, "' in brackets, which dialects read in different ways; put a \\ before '",
                       two.substr(0, 1), "' if characters are meant, and list them if a class is"));
  }

  static bool is_single(const Characters& set) {
    const auto& ranges = set.possibly.ranges();
    return ranges.size() == 1 && ranges.front().first == ranges.front().second;
  }

  Characters bracket_item() {
    if (peek() == '\\') return escape(true);
    const char32_t c = take_character();
    return Characters(CharacterSet({{c, c}}));
  }

  Characters escape(bool inside) {
    const std::size_t begin = at_++;
    if (ended()) refuse(begin, "a '\\' at its end");
    const char32_t c = take_character();
    const auto one = [](char32_t value) { return Characters(CharacterSet({{value, value}})); };
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
