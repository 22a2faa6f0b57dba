// Small tables for the tests of this room.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

inline Table text_table(const std::vector<std::string>& texts) {
  std::vector<Record> records;
  for (const std::string& text : texts) records.push_back({{"text", text}});
  return Table::from_records({.fields = {{.name = "text"}}}, records);
}

// Pairs of text and label.
inline Table labelled_table(const std::vector<std::pair<std::string, std::string>>& rows) {
  std::vector<Record> records;
  for (const auto& [text, label] : rows) records.push_back({{"text", text}, {"label", label}});
  const Field label{.name = "label", .kind = Kind::category, .roles = {Role::label}};
  return Table::from_records({.fields = {{.name = "text"}, label}}, records);
}

struct TermRow {
  std::string id, name;
  std::vector<std::string> synonyms = {};
  std::string definition = {};
};
inline std::shared_ptr<const Table> term_table(const std::vector<TermRow>& terms) {
  std::vector<Record> records;
  for (const TermRow& term : terms)
    records.push_back({{"id", term.id},
                       {"name", term.name},
                       {"synonyms", ValueList(term.synonyms.begin(), term.synonyms.end())},
                       {"definition", term.definition}});
  const Schema schema{.fields = {{.name = "id"},
                                 {.name = "name"},
                                 {.name = "synonyms", .kind = Kind::list},
                                 {.name = "definition"}}};
  return std::make_shared<const Table>(Table::from_records(schema, records));
}

// One column of numbers or categories; a null Value is a missing cell.
inline Table column_table(Kind kind, const std::vector<Value>& values, const std::string& name = "x") {
  std::vector<Record> records;
  for (const Value& value : values) records.push_back({{name, value}});
  return Table::from_records({.fields = {{.name = name, .kind = kind}}}, records);
}

// The value of a score's part; nothing also if there is no such part.
inline std::optional<double> part_of(const Score& score, std::string_view name) {
  for (const ScorePart& part : score.parts)
    if (part.name == name) return part.value;
  return std::nullopt;
}

}  // namespace synthema
