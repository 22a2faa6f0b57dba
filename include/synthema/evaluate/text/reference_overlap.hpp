// BLEU, chrF, METEOR and ROUGE of the text column against a reference text in the same row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

// Corpus BLEU as sacreBLEU, in [0, 100]; see bleu.hpp.
class SYNTHEMA_EXPORT CorpusBleu {
 public:
  explicit CorpusBleu(std::string reference_column = "reference") : reference_(std::move(reference_column)) {}
  std::string_view name() const { return "bleu"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 100}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::string reference_;
};

// Corpus chrF as sacreBLEU, in [0, 100]; see chrf.hpp. Kinder than BLEU to inflection and to spelling.
class SYNTHEMA_EXPORT CorpusChrf {
 public:
  explicit CorpusChrf(std::string reference_column = "reference") : reference_(std::move(reference_column)) {}
  std::string_view name() const { return "chrf"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 100}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::string reference_;
};

// Mean METEOR over rows, words as words() makes them; see meteor.hpp: exact words and stems, no synonyms.
class SYNTHEMA_EXPORT Meteor {
 public:
  explicit Meteor(std::string reference_column = "reference") : reference_(std::move(reference_column)) {}
  std::string_view name() const { return "meteor"; }
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  std::string reference_;
};

// Mean F1 over rows as rouge-score; see rouge.hpp. Parts: mean precision and recall.
class SYNTHEMA_EXPORT Rouge {
 public:
  enum class Variant : std::uint8_t { rouge1, rouge2, rougel, rougelsum };

  explicit Rouge(Variant variant = Variant::rouge1, bool stem = false,
                 std::string reference_column = "reference")
      : variant_(variant), stem_(stem), reference_(std::move(reference_column)) {}
  std::string_view name() const;
  Direction direction() const { return Direction::higher; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Variant variant_;
  bool stem_;
  std::string reference_;
};

}  // namespace synthema
