#include "synthema/evaluate/samples.hpp"

#include <algorithm>
#include <numeric>

#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/text/tokens.hpp"

namespace synthema {

namespace {

constexpr std::size_t kGrain = 64;  // texts

bool holds_text(const Column& column) {
  return column.kind() == Kind::text || column.kind() == Kind::category;
}

std::string cell_text(const Column& column, std::size_t row) {
  return column.is_null(row) ? std::string() : column.value_at(row).display();
}

TextSample read_texts(const Table& table, const EvaluationContext& context, SplitWords wanted) {
  const Column& column = text_column(table, context.text_column);
  const std::string label = label_column_of(table, context);
  TextSample out;
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    if (column.is_null(row)) continue;
    kept.push_back(row);
    out.texts.emplace_back(column.text_at(row));
    if (!label.empty()) out.labels.push_back(cell_text(table.column(label), row));
  }
  if (wanted == SplitWords::yes) {
    out.words.resize(kept.size());
    parallel_for(
        kept.size(), [&](std::size_t i) { out.words[i] = words(out.texts[i]); }, context.threads, kGrain);
  }
  out.units = Units::of(table).take(kept);
  return out;
}

// The texts of a list cell, or the one text of a text cell.
std::vector<std::string> cell_texts(const Column& column, std::size_t row) {
  std::vector<std::string> out;
  if (column.is_null(row)) return out;
  const Value value = column.value_at(row);
  if (const auto* list = value.get_if<ValueList>()) {
    for (const Value& item : *list)
      if (!item.is_null()) out.push_back(item.display());
  } else if (std::string text = value.display(); !text.empty()) {
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace

const Column& text_column(const Table& table, const std::string& name) {
  if (!table.has(name))
    throw EvaluationError({.field = name},
                          "The table has no such column; name the column to judge as the text column.");
  const Column& column = table.column(name);
  if (!holds_text(column))
    throw EvaluationError({.field = name}, message("The column to judge must be text, but it is ",
                                                   name_of(column.kind()), "."));
  return column;
}

std::string label_column_of(const Table& table, const EvaluationContext& context) {
  if (!context.label_column.empty()) {
    if (!table.has(context.label_column))
      throw EvaluationError({.field = context.label_column}, "The table has no such label column.");
    return context.label_column;
  }
  const auto fields = table.schema().with_role(Role::label);
  return fields.empty() ? std::string() : fields.front()->name;
}

TextSample text_sample(const Table& table, const EvaluationContext& context, Score& score, SplitWords words) {
  TextSample out = read_texts(table, context, words);
  if (const std::size_t missing = table.rows() - out.size(); missing > 0)
    score.warnings.push_back(
        message("Left out: ", missing, " of ", counted(table.rows(), "row"), " without text."));
  return out;
}

std::optional<TextSample> text_sample_if_any(const Table* table, const EvaluationContext& context,
                                             SplitWords words) {
  if (!table || !table->has(context.text_column) || !holds_text(table->column(context.text_column)))
    return std::nullopt;
  EvaluationContext without_label = context;  // only the texts are wanted
  without_label.label_column.clear();
  return read_texts(*table, without_label, words);
}

std::vector<std::string> Term::names() const {
  std::vector<std::string> out{name};
  out.insert(out.end(), synonyms.begin(), synonyms.end());
  return out;
}

std::string Term::document() const {
  std::string out;
  for (const std::string& part : names()) (out += part) += ". ";
  return out += definition;
}

TermList::TermList(const Table& table) {
  for (const char* needed : {"id", "name"})
    if (!table.has(needed))
      throw EvaluationError({.field = needed}, "A term list needs the columns 'id' and 'name'.");
  const auto optional = [&](const char* name) { return table.has(name) ? &table.column(name) : nullptr; };
  const Column *synonyms = optional("synonyms"), *lay = optional("lay_synonyms"),
               *definition = optional("definition");
  for (std::size_t row = 0; row < table.rows(); ++row) {
    Term term;
    term.id = cell_text(table.column("id"), row);
    term.name = cell_text(table.column("name"), row);
    if (synonyms) term.synonyms = cell_texts(*synonyms, row);
    if (lay) term.lay_synonyms = cell_texts(*lay, row);
    for (const std::string& word : term.lay_synonyms)
      if (std::find(term.synonyms.begin(), term.synonyms.end(), word) == term.synonyms.end())
        term.synonyms.push_back(word);
    if (definition) term.definition = cell_text(*definition, row);
    by_id_.emplace(term.id, terms_.size());
    terms_.push_back(std::move(term));
  }
}

std::optional<std::size_t> TermList::find(std::string_view id) const {
  const auto found = by_id_.find(std::string(id));
  return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

void add_real_part(Score& score, const Table* real, const EvaluationContext& context, std::size_t rows,
                   const std::function<std::optional<double>(const TextSample&)>& measure, SplitWords words) {
  if (!real || real->rows() < rows) return;
  std::vector<std::size_t> chosen(real->rows());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  Random random = Random(context.seed).stream(0x7265616C);
  random.shuffle(chosen);
  chosen.resize(rows);
  const Table drawn = real->take(chosen);
  const std::optional<TextSample> sample = text_sample_if_any(&drawn, context, words);
  if (!sample) return;
  score.parts.push_back({"real text, same number of rows", measure(*sample), sample->size(), ""});
}

}  // namespace synthema
