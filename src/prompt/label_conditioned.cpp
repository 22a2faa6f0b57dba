#include "synthema/prompt/label_conditioned.hpp"

namespace synthema {

namespace {

std::string joined(const Value& value) {
  const auto* items = value.get_if<ValueList>();
  if (!items) return value.display();
  std::string out;
  for (const Value& item : *items) out += (out.empty() ? "" : ", ") + item.display();
  return out;
}

std::string cell(const Table& table, const std::string& column, std::size_t row) {
  return table.has(column) ? joined(table.column(column).value_at(row)) : std::string();
}

}  // namespace

LabelConditioned::LabelConditioned(LabelConditionedOptions options, std::shared_ptr<const Table> terms)
    : options_(std::move(options)), zero_shot_(options_.prompt), terms_(std::move(terms)) {
  if (!terms_) throw ConfigError({.field = "terms"}, "A label-conditioned strategy needs a term list.");
  (void)terms_->column(options_.name_column);
  const Column& ids = terms_->column(options_.id_column);
  for (std::size_t row = 0; row < terms_->rows(); ++row)
    if (!row_of_.emplace(ids.value_at(row).display(), row).second)
      throw ConfigError({.line = row + 1, .field = options_.id_column},
                        "The term list names the same label twice; every id must occur once.");
}

PartOptions LabelConditioned::options() const {
  PartOptions out = zero_shot_.options();
  out.values.set("label_field", options_.label_field);
  out.values.set("id_column", options_.id_column);
  out.values.set("name_column", options_.name_column);
  out.values.set("synonyms_column", options_.synonyms_column);
  out.values.set("definition_column", options_.definition_column);
  out.table = terms_;
  return out;
}

Record LabelConditioned::explained(const Task& task) const {
  const std::string label = needed(task.condition, options_.label_field, "strategy").display();
  const auto found = row_of_.find(label);
  if (found == row_of_.end())
    throw ConfigError({.field = options_.label_field}, message("The condition of row ", task.row,
                                                               " has a label that is not in the term list."));
  Record record = task.condition;
  record.set("label_id", label);
  record.set("label_name", cell(*terms_, options_.name_column, found->second));
  record.set("label_synonyms", cell(*terms_, options_.synonyms_column, found->second));
  record.set("label_definition", cell(*terms_, options_.definition_column, found->second));
  return record;
}

Exchange LabelConditioned::compose(Task task, Random) const {
  const Completion answer = co_await ask(zero_shot_.prompt(explained(task)));
  co_return Draft(with_text(std::move(task.condition), options_.prompt.field, trimmed(answer.text)));
}

}  // namespace synthema
