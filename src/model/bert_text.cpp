#include "src/model/bert_text.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "src/model/code_point_ranges.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/model/unicode.hpp"

namespace synthema::detail {

namespace {

struct CombiningClass {
  char32_t first, last;
  std::uint8_t order;
};
struct Lower {
  char32_t from, to;
};
struct Decomposition {
  char32_t from;
  char32_t to[4];  // full, ends with a zero if shorter
};
#include "src/model/bert_tables.inc"

constexpr char32_t kReplacement = 0xFFFD;

template <class Row, std::size_t n>
const Row* row_of(const Row (&table)[n], char32_t c) {
  const Row* const row = std::lower_bound(std::begin(table), std::end(table), c,
                                          [](const Row& r, char32_t value) { return r.from < value; });
  return row != std::end(table) && row->from == c ? row : nullptr;
}

std::uint8_t combining_class(char32_t c) {
  if (c < 0x300) return 0;
  const auto* const after =
      std::upper_bound(std::begin(kCombiningClasses), std::end(kCombiningClasses), c,
                       [](char32_t value, const CombiningClass& row) { return value < row.first; });
  if (after == std::begin(kCombiningClasses) || c > std::prev(after)->last) return 0;
  return std::prev(after)->order;
}

// Hangul syllables by arithmetic (Unicode Standard, 3.12), all others by table.
void append_decomposed(std::u32string& out, char32_t c) {
  constexpr char32_t syllables = 0xAC00, leads = 0x1100, vowels = 0x1161, trails = 0x11A7;
  if (c >= syllables && c < syllables + 19 * 21 * 28) {
    const char32_t index = c - syllables;
    out.push_back(leads + index / (21 * 28));
    out.push_back(vowels + index % (21 * 28) / 28);
    if (index % 28 != 0) out.push_back(trails + index % 28);
  } else if (const Decomposition* const row = c < 0xC0 ? nullptr : row_of(kDecompositions, c)) {
    for (const char32_t part : row->to)
      if (part != 0) out.push_back(part);
  } else {
    out.push_back(c);
  }
}

// Canonical order: between starters (class 0), marks by class.
void order_marks(std::u32string& text) {
  for (std::size_t at = 0; at < text.size();) {
    if (combining_class(text[at]) == 0) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && combining_class(text[end]) != 0) ++end;
    std::stable_sort(text.begin() + static_cast<std::ptrdiff_t>(at),
                     text.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); });
    at = end;
  }
}

std::u32string code_points(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text, at);
    out.push_back(point.length > 0 ? point.value : kReplacement);
    at += point.length > 0 ? point.length : 1;
  }
  return out;
}

void clean(std::u32string& text) {
  std::erase_if(text, [](char32_t c) { return inside(kRemoved, c); });
  for (char32_t& c : text)
    if (is_white_space(c)) c = U' ';
}

std::u32string without_accents(const std::u32string& text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) append_decomposed(out, c);
  order_marks(out);
  std::erase_if(out, [](char32_t c) { return c >= 0x300 && inside(kAccents, c); });
  return out;
}

std::u32string lowercased(const std::u32string& text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (c < 0x80) {
      out.push_back(c >= U'A' && c <= U'Z' ? c + 32 : c);
    } else if (c == 0x130) {  // the one letter whose lower case is two code points
      out += U"i\u0307";
    } else {
      const Lower* const row = row_of(kLower, c);
      out.push_back(row ? row->to : c);
    }
  }
  return out;
}

class Words {
 public:
  void add(char32_t c) { open_.push_back(c); }
  void add_alone(char32_t c) {
    close();
    done_.emplace_back(1, c);
  }
  void close() {
    if (!open_.empty()) done_.push_back(std::move(open_));
    open_.clear();
  }
  std::vector<std::u32string> take() {
    close();
    return std::move(done_);
  }

 private:
  std::u32string open_;
  std::vector<std::u32string> done_;
};

}  // namespace

std::vector<std::u32string> bert_words(std::string_view raw, const BertTextOptions& options) {
  std::u32string text = code_points(raw);
  if (options.clean) clean(text);
  if (options.split_chinese) {
    std::u32string spaced;
    spaced.reserve(text.size());
    for (const char32_t c : text) inside(kChinese, c) ? spaced.append({U' ', c, U' '}) : spaced.append(1, c);
    text = std::move(spaced);
  }
  if (options.strip_accents) text = without_accents(text);
  if (options.lowercase) text = lowercased(text);
  Words words;
  for (const char32_t c : text) {
    if (is_white_space(c))
      words.close();
    else if (inside(kPunctuation, c))
      words.add_alone(c);
    else
      words.add(c);
  }
  return words.take();
}

}  // namespace synthema::detail
