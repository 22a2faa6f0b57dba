#include "synthema/text/identifiers.hpp"

#include <algorithm>
#include <array>

namespace synthema {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
bool is_letter(char c) {  // bytes above ASCII are parts of letters
  return is_upper(c) || (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_space(char c) {
  return c == ' ' || c == '\t';
}
char lower(char c) {
  return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr std::array<std::string_view, 24> kMonths{
    "january",   "february", "march",    "april",    "may", "june", "july", "august",
    "september", "october",  "november", "december", "jan", "feb",  "mar",  "apr",
    "jun",       "jul",      "aug",      "sep",      "oct", "nov",  "dec",  "sept"};
constexpr std::array<std::string_view, 8> kGermanMonths{"januar", "februar", "märz",    "mai",
                                                        "juni",   "juli",    "oktober", "dezember"};
constexpr std::array<std::string_view, 16> kStreets{
    "street", "avenue", "road", "lane", "drive", "boulevard", "court",  "place",
    "st",     "ave",    "rd",   "ln",   "dr",    "blvd",      "square", "terrace"};
constexpr std::array<std::string_view, 10> kTitles{"dr",   "mr",   "mrs",  "ms",    "miss",
                                                   "prof", "herr", "frau", "nurse", "doctor"};
constexpr std::array<std::string_view, 6> kNameKeywords{"name",      "patient",  "physician",
                                                        "attending", "provider", "surgeon"};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<Identifier> all() {
    std::vector<Identifier> out;
    for (std::size_t at = 0; at < text_.size();) {
      Identifier best;
      for (const auto& [kind, form] : kForms)
        if (const std::size_t end = (this->*form)(at); end > at && end > best.end) best = {at, end, kind};
      if (best.end > at) {
        out.push_back(best);
        at = best.end;
      } else {
        at = next(at);
      }
    }
    return out;
  }

 private:
  using Form = std::size_t (Scanner::*)(std::size_t) const;
  struct Named {
    const char* kind;
    Form form;
  };
  static const std::array<Named, 7> kForms;

  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  bool starts_word(std::size_t i) const { return i == 0 || !(is_letter(at(i - 1)) || is_digit(at(i - 1))); }
  std::size_t next(std::size_t i) const {  // forms begin where a word or number does
    const bool inside = is_letter(at(i)) || is_digit(at(i));
    for (++i; inside && i < text_.size() && (is_letter(at(i)) || is_digit(at(i))); ++i) {
    }
    return i;
  }
  std::size_t digits(std::size_t i) const {
    while (is_digit(at(i))) ++i;
    return i;
  }
  std::size_t letters(std::size_t i) const {
    while (is_letter(at(i))) ++i;
    return i;
  }
  std::size_t spaces(std::size_t i) const {
    while (is_space(at(i))) ++i;
    return i;
  }
  std::string word(std::size_t begin, std::size_t end) const {
    std::string out(text_.substr(begin, end - begin));
    std::transform(out.begin(), out.end(), out.begin(), lower);
    return out;
  }
  template <class List>
  static bool among(const std::string& word, const List& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
  }
  static bool is_month(const std::string& word) { return among(word, kMonths) || among(word, kGermanMonths); }

  // One or more capitalised words from here, joined by spaces, hyphens, apostrophes or initials with a dot;
  // `most` words. Returns their end, or `begin`.
  std::size_t capitalised(std::size_t begin, int most) const {
    std::size_t end = begin;
    for (int count = 0; count < most; ++count) {
      const std::size_t start = count == 0 ? begin : spaces(end);
      if (count > 0 && start == end) break;
      if (!is_upper(at(start)) && !(static_cast<unsigned char>(at(start)) >= 0x80 && count > 0)) break;
      std::size_t i = letters(start);
      while ((at(i) == '-' || at(i) == '\'') && is_letter(at(i + 1))) i = letters(i + 1);
      if (i == start + 1) {  // an initial
        if (at(i) != '.') break;
        ++i;
      }
      end = i;
    }
    return end;
  }

  std::size_t email(std::size_t begin) const {
    if (!starts_word(begin)) return 0;
    const auto local = [](char c) {
      return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%';
    };
    std::size_t i = begin;
    while (local(at(i))) ++i;
    if (i == begin || at(i) != '@') return 0;
    std::size_t end = i + 1, dot = 0;
    for (; is_letter(at(end)) || is_digit(at(end)) || at(end) == '-' || at(end) == '.'; ++end)
      if (at(end) == '.' && is_letter(at(end + 1))) dot = end;
    if (at(end - 1) == '.') --end;
    return dot > i + 1 ? end : 0;
  }
  std::size_t url(std::size_t begin) const {
    if (!starts_word(begin)) return 0;
    const std::string_view rest = text_.substr(begin);
    std::size_t i = begin;
    for (const std::string_view start : {"http://", "https://", "www."})
      if (rest.starts_with(start)) i = begin + start.size();
    if (i == begin || !(is_letter(at(i)) || is_digit(at(i)))) return 0;
    while (i < text_.size() && !is_space(at(i)) && at(i) != '\n' && at(i) != '\r') ++i;
    while (i > begin && (at(i - 1) == '.' || at(i - 1) == ',' || at(i - 1) == ')')) --i;
    return i;
  }
  std::size_t date(std::size_t begin) const {
    if (!starts_word(begin)) return 0;
    return is_digit(at(begin)) ? numeric_date(begin) : month_date(begin);
  }
  std::size_t numeric_date(std::size_t begin) const {
    const std::size_t a = digits(begin), width = a - begin;
    const char mark = at(a);
    if ((mark == '-' || mark == '/' || mark == '.') && is_digit(at(a + 1))) {
      const std::size_t b = digits(a + 1);
      if (at(b) == mark && is_digit(at(b + 1))) {
        const std::size_t c = digits(b + 1), last = c - b - 1, middle = b - a - 1;
        const bool year_first = width == 4 && middle <= 2 && last <= 2;
        const bool year_last = width <= 2 && middle <= 2 && (last == 2 || last == 4);
        return year_first || year_last ? c : 0;
      }
      return 0;
    }
    // 12 March 2020, 12. März 2020
    if (width > 2) return 0;
    const std::size_t month = spaces(mark == '.' ? a + 1 : a), end = letters(month);
    if (end == month || !is_month(word(month, end))) return 0;
    const std::size_t year = spaces(at(end) == '.' || at(end) == ',' ? end + 1 : end);
    return digits(year) == year + 4 ? year + 4 : end;
  }
  std::size_t month_date(std::size_t begin) const {  // March 12, 2020
    const std::size_t end = letters(begin);
    if (!is_upper(at(begin)) || !is_month(word(begin, end))) return 0;
    const std::size_t day = spaces(at(end) == '.' ? end + 1 : end), after = digits(day);
    if (after == day) return 0;
    if (after == day + 4) return after;  // March 2020
    if (after > day + 2) return 0;
    const std::size_t year = spaces(at(after) == ',' ? after + 1 : after);
    return digits(year) == year + 4 ? year + 4 : after;
  }
  std::size_t phone(std::size_t begin) const {
    if (!is_digit(at(begin)) && at(begin) != '(' && at(begin) != '+') return 0;
    if (begin > 0 && (is_digit(at(begin - 1)) || is_letter(at(begin - 1)) || at(begin - 1) == '.')) return 0;
    std::size_t count = 0, groups = 0, i = begin, end = begin;
    while (i < text_.size()) {
      if (is_digit(at(i))) {
        const std::size_t run = digits(i);
        count += run - i;
        ++groups;
        i = end = run;
        continue;
      }
      const char c = at(i);
      const bool joins = c == '-' || c == '(' || c == ')' || c == '+' || (c == ' ' && end > begin) ||
                         (c == '.' && is_digit(at(i + 1))) || (c == '/' && groups == 1);
      if (!joins || i > end + 1 + static_cast<std::size_t>(end == begin)) break;
      ++i;
    }
    return groups >= 2 && count >= 7 && count <= 15 && !is_letter(at(end)) ? end : 0;
  }
  std::size_t number(std::size_t begin) const {
    if (!is_digit(at(begin)) || !starts_word(begin)) return 0;
    const std::size_t end = digits(begin);
    return end >= begin + 7 && !is_letter(at(end)) ? end : 0;
  }
  std::size_t address(std::size_t begin) const {
    if (!starts_word(begin)) return 0;
    if (is_digit(at(begin))) {
      const std::size_t number = digits(begin);
      std::size_t i = number;
      if (i > begin + 5 || !is_space(at(i))) return 0;
      for (int words = 0; words < 4; ++words) {
        const std::size_t start = spaces(i);
        if (!is_upper(at(start))) return 0;
        i = letters(start);
        if (words > 0 && among(word(start, i), kStreets)) return i;
      }
      return 0;
    }
    const std::size_t end = letters(begin);
    const std::string name = word(begin, end);
    const bool street = name.ends_with("straße") || name.ends_with("strasse") || name.ends_with("weg");
    if (!street || !is_upper(at(begin)) || name == "weg") return 0;
    const std::size_t house = spaces(end);
    return digits(house) > house ? digits(house) : 0;
  }
  // The name itself, without the title before it.
  std::size_t name(std::size_t begin) const {
    if (!is_upper(at(begin)) || !starts_word(begin)) return 0;
    std::size_t before = begin;
    while (before > 0 && is_space(at(before - 1))) --before;
    const bool dot = before > 0 && at(before - 1) == '.', colon = before > 0 && at(before - 1) == ':';
    if (dot || colon) --before;
    if (before == begin) return 0;
    std::size_t start = before;
    while (start > 0 && is_letter(at(start - 1))) --start;
    const std::string title = word(start, before);
    if (!(among(title, kTitles) || (colon && among(title, kNameKeywords)))) return 0;
    if (!colon && !is_upper(at(start))) return 0;
    const std::size_t end = capitalised(begin, 3);
    return among(word(begin, letters(begin)), kTitles) ? 0 : end;
  }

  std::string_view text_;
};

const std::array<Scanner::Named, 7> Scanner::kForms{{{"email", &Scanner::email},
                                                     {"url", &Scanner::url},
                                                     {"date", &Scanner::date},
                                                     {"phone", &Scanner::phone},
                                                     {"number", &Scanner::number},
                                                     {"address", &Scanner::address},
                                                     {"name", &Scanner::name}}};

}  // namespace

std::vector<Identifier> find_identifiers(std::string_view text) {
  return Scanner(text).all();
}

}  // namespace synthema
