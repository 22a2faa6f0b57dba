#include "synthema/evaluate/text/rouge.hpp"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "synthema/core/error.hpp"
#include "synthema/text/ngrams.hpp"
#include "synthema/text/porter.hpp"
#include "synthema/text/vocabulary.hpp"

namespace synthema {

namespace {

using Sentence = std::vector<WordId>;

RougeScore score_of(double hits, double target, double prediction) {
  RougeScore out;
  out.precision = prediction > 0 ? hits / prediction : 0;
  out.recall = target > 0 ? hits / target : 0;
  const double sum = out.precision + out.recall;
  out.f1 = sum > 0 ? 2 * out.precision * out.recall / sum : 0;
  return out;
}

// Lengths of the longest common subsequence of all prefixes, row by row: (target + 1) x (prediction + 1).
class LcsTable {
 public:
  LcsTable(const Sentence& target, const Sentence& prediction)
      : width_(prediction.size() + 1), cells_((target.size() + 1) * width_) {
    for (std::size_t i = 1; i <= target.size(); ++i)
      for (std::size_t j = 1; j < width_; ++j)
        cells_[i * width_ + j] =
            target[i - 1] == prediction[j - 1] ? at(i - 1, j - 1) + 1 : std::max(at(i - 1, j), at(i, j - 1));
  }
  std::uint32_t at(std::size_t i, std::size_t j) const { return cells_[i * width_ + j]; }

 private:
  std::size_t width_;
  std::vector<std::uint32_t> cells_;
};

// Marks the target's positions in one longest common subsequence. Of several, the one that is found by going
// back in the target on a tie: the union below, and so the published numbers, depend on it.
void mark_lcs(const Sentence& target, const Sentence& prediction, std::vector<bool>& marked) {
  const LcsTable table(target, prediction);
  for (std::size_t i = target.size(), j = prediction.size(); i > 0 && j > 0;) {
    if (target[i - 1] == prediction[j - 1]) {
      marked[i - 1] = true;
      --i, --j;
    } else if (table.at(i, j - 1) > table.at(i - 1, j)) {
      --j;
    } else {
      --i;
    }
  }
}

std::vector<Sentence> sentences_of(std::string_view text, bool stem, Vocabulary& vocabulary) {
  std::vector<Sentence> out;
  while (true) {
    const std::size_t end = text.find('\n');
    if (const std::string_view line = text.substr(0, end); !line.empty())
      out.push_back(vocabulary.intern_all(rouge_tokens(line, stem)));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::unordered_map<WordId, int> word_budget(const std::vector<Sentence>& sentences) {
  std::unordered_map<WordId, int> out;
  for (const Sentence& sentence : sentences)
    for (const WordId word : sentence) ++out[word];
  return out;
}

double word_total(const std::vector<Sentence>& sentences) {
  std::size_t sum = 0;
  for (const Sentence& sentence : sentences) sum += sentence.size();
  return static_cast<double>(sum);
}

}  // namespace

std::vector<std::string> rouge_tokens(std::string_view text, bool stem) {
  std::vector<std::string> out;
  std::string word;
  const auto flush = [&] {
    if (!word.empty()) out.push_back(stem && word.size() > 3 ? porter_stem(word) : word);
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= 'A' && c <= 'Z')
      word += static_cast<char>(c + 32);
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      word += c;
    // Two letters beyond ASCII have an ASCII lower case: the Kelvin sign, and I with a dot, whose dot then
    // separates.
    else if (text.substr(i).starts_with("\xE2\x84\xAA"))
      word += 'k', i += 2;
    else if (text.substr(i).starts_with("\xC4\xB0"))
      word += 'i', i += 1, flush();
    else
      flush();
  }
  flush();
  return out;
}

RougeScore rouge_n(std::string_view target, std::string_view prediction, std::size_t order, bool stem) {
  if (order == 0) throw ConfigError({.field = "order"}, "ROUGE-N needs an order of at least 1.");
  Vocabulary vocabulary;
  const std::vector<WordId> t = vocabulary.intern_all(rouge_tokens(target, stem));
  const std::vector<WordId> p = vocabulary.intern_all(rouge_tokens(prediction, stem));
  const NgramOverlap found = ngram_overlaps(t, p, order).back();
  return score_of(static_cast<double>(found.matches), static_cast<double>(found.in_a),
                  static_cast<double>(found.in_b));
}

RougeScore rouge_l(std::string_view target, std::string_view prediction, bool stem) {
  Vocabulary vocabulary;
  const Sentence t = vocabulary.intern_all(rouge_tokens(target, stem));
  const Sentence p = vocabulary.intern_all(rouge_tokens(prediction, stem));
  return score_of(LcsTable(t, p).at(t.size(), p.size()), static_cast<double>(t.size()),
                  static_cast<double>(p.size()));
}

RougeScore rouge_lsum(std::string_view target, std::string_view prediction, bool stem) {
  Vocabulary vocabulary;
  const std::vector<Sentence> t = sentences_of(target, stem, vocabulary);
  const std::vector<Sentence> p = sentences_of(prediction, stem, vocabulary);
  std::unordered_map<WordId, int> left_t = word_budget(t), left_p = word_budget(p);
  double hits = 0;
  for (const Sentence& sentence : t) {
    std::vector<bool> marked(sentence.size());
    for (const Sentence& other : p) mark_lcs(sentence, other, marked);
    for (std::size_t i = 0; i < sentence.size(); ++i)
      if (marked[i] && left_t[sentence[i]] > 0 && left_p[sentence[i]] > 0) {
        ++hits;
        --left_t[sentence[i]];
        --left_p[sentence[i]];
      }
  }
  return score_of(hits, word_total(t), word_total(p));
}

}  // namespace synthema
