// Texts and the reference texts in the same rows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema::detail {

struct TextPairs {
  std::vector<std::string> texts, references;
  Units units;
};

// Rows that have both texts; nothing (and the reason in the score) if there are none.
inline std::optional<TextPairs> text_pairs(const Table& table, const std::string& reference,
                                           const EvaluationContext& context, Score& score) {
  if (!table.has(reference)) {
    score.undefined = "The table has no column '" + reference + "' with a reference text for each row.";
    return std::nullopt;
  }
  const Column& references = text_column(table, reference);
  const Column& texts = text_column(table, context.text_column);
  TextPairs out;
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (texts.is_null(row) || references.is_null(row)) continue;
    kept.push_back(row);
    out.texts.emplace_back(texts.text_at(row));
    out.references.emplace_back(references.text_at(row));
  }
  if (kept.empty()) {
    score.undefined = "No row has both a text and a reference.";
    return std::nullopt;
  }
  if (kept.size() < table.rows())
    score.warnings.push_back(message("Left out: ", table.rows() - kept.size(), " of ",
                                     counted(table.rows(), "row"),
                                     " without a text or without a reference."));
  out.units = Units::of(table).take(kept);
  score.n = kept.size();
  return out;
}

}  // namespace synthema::detail
