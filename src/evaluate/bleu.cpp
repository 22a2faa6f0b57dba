#include "synthema/evaluate/text/bleu.hpp"

#include <algorithm>
#include <cmath>

#include "src/evaluate/python_space.hpp"
#include "synthema/core/error.hpp"
#include "synthema/text/ngrams.hpp"

namespace synthema {

namespace {

constexpr std::size_t kOrders = 4;

std::string_view without_trailing_space(std::string_view text) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = detail::code_point(text, at);
    at += point.length;
    if (!detail::is_python_space(point.value)) end = at;
  }
  return text.substr(0, end);
}

std::string replace_all(std::string text, std::string_view what, std::string_view with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string unescaped(std::string_view text) {
  std::string out(text);
  constexpr std::array<std::array<std::string_view, 2>, 7> pairs = {{{"<skipped>", ""},
                                                                     {"-\n", ""},
                                                                     {"\n", " "},
                                                                     {"&quot;", "\""},
                                                                     {"&amp;", "&"},
                                                                     {"&lt;", "<"},
                                                                     {"&gt;", ">"}}};
  for (const auto& [what, with] : pairs) out = replace_all(std::move(out), what, with);
  return out;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_stop(char c) {
  return c == '.' || c == ',';
}
// ASCII punctuation that always stands alone: everything but ' , - . and what is alphanumeric.
bool is_separate(char c) {
  return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
         (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// The four rewriting passes of 13a; each consumes the characters of a match, as a regular expression does.
std::string space_out_punctuation(const std::string& text) {
  std::string out;
  out.reserve(text.size() * 5 / 4);
  for (const char c : text) {
    if (is_separate(c))
      ((out += ' ') += c) += ' ';
    else
      out += c;
  }
  return out;
}
// Puts `before`, `between` and `after` around each pair of neighbours that `matches`.
template <class Matches>
std::string space_out_pairs(const std::string& text, const Matches& matches, std::string_view before,
                            std::string_view between, std::string_view after) {
  std::string out;
  out.reserve(text.size() * 5 / 4);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && matches(text[i], text[i + 1])) {
      ((((out += before) += text[i]) += between) += text[i + 1]) += after;
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> split_on_space(std::string_view text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = detail::code_point(text, at);
    if (detail::is_python_space(point.value)) {
      if (at > begin) out.emplace_back(text.substr(begin, at - begin));
      begin = at + point.length;
    }
    at += point.length;
  }
  if (begin < text.size()) out.emplace_back(text.substr(begin));
  return out;
}

}  // namespace

std::vector<std::string> tokens_13a(std::string_view text) {
  std::string line(1, ' ');
  (line += unescaped(without_trailing_space(text))) += ' ';
  line = space_out_punctuation(line);
  // Byte for byte is enough: a pair's other half may be any byte of a longer character.
  line = space_out_pairs(line, [](char a, char b) { return !is_digit(a) && is_stop(b); }, "", " ", " ");
  line = space_out_pairs(line, [](char a, char b) { return is_stop(a) && !is_digit(b); }, " ", " ", "");
  line = space_out_pairs(line, [](char a, char b) { return is_digit(a) && b == '-'; }, "", " ", " ");
  return split_on_space(line);
}

BleuCounts& BleuCounts::operator+=(const BleuCounts& other) {
  for (std::size_t i = 0; i < kOrders; ++i) {
    matches[i] += other.matches[i];
    totals[i] += other.totals[i];
  }
  hypothesis_length += other.hypothesis_length;
  reference_length += other.reference_length;
  return *this;
}

BleuCounts bleu_counts(std::string_view hypothesis, std::string_view reference) {
  Vocabulary vocabulary;
  const std::vector<WordId> h = vocabulary.intern_all(tokens_13a(hypothesis));
  const std::vector<WordId> r = vocabulary.intern_all(tokens_13a(reference));
  BleuCounts out;
  out.hypothesis_length = static_cast<double>(h.size());
  out.reference_length = static_cast<double>(r.size());
  const std::vector<NgramOverlap> overlaps = ngram_overlaps(r, h, kOrders);
  for (std::size_t i = 0; i < kOrders; ++i) {
    out.totals[i] = static_cast<double>(overlaps[i].in_b);
    out.matches[i] = static_cast<double>(overlaps[i].matches);
  }
  return out;
}

double bleu_from(const BleuCounts& counts, bool effective_order) {
  const double c = counts.hypothesis_length, r = counts.reference_length;
  const double brevity = c >= r ? 1 : c > 0 ? std::exp(1 - r / c) : 0;
  if (counts.matches == std::array<double, 4>{}) return 0;
  double smooth = 1, sum_of_logs = 0;
  std::size_t used = 0;
  for (; used < kOrders && counts.totals[used] > 0; ++used) {
    if (counts.matches[used] == 0) smooth *= 2;
    const double matches = counts.matches[used] > 0 ? counts.matches[used] : 1 / smooth;
    sum_of_logs += std::log(100 * matches / counts.totals[used]);
  }
  if (effective_order) return std::min(100.0, brevity * std::exp(sum_of_logs / static_cast<double>(used)));
  // A corpus without a single n-gram of some order has BLEU 0 (a logarithm of zero).
  return used < kOrders ? 0 : std::min(100.0, brevity * std::exp(sum_of_logs / kOrders));
}

double sentence_bleu(std::string_view hypothesis, std::string_view reference) {
  return bleu_from(bleu_counts(hypothesis, reference), true);
}

double corpus_bleu(std::span<const std::string> hypotheses, std::span<const std::string> references) {
  if (hypotheses.size() != references.size())
    throw EvaluationError(message("BLEU needs one reference per hypothesis, but there are ",
                                  hypotheses.size(), " hypotheses and ", references.size(), " references."));
  BleuCounts counts;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) counts += bleu_counts(hypotheses[i], references[i]);
  return bleu_from(counts);
}

}  // namespace synthema
