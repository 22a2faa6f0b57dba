// LabelConditioned: an instruction that explains the wanted label with its name, synonyms and definition from
// a term list.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "synthema/prompt/zero_shot.hpp"

namespace synthema {

// Besides the condition's fields, the templates may use {label_id}, {label_name}, {label_synonyms} (joined by
// ", ") and {label_definition}. None of the four enters the row.
struct LabelConditionedOptions {
  ZeroShotOptions prompt;
  std::string label_field = "label";  // of the condition: holds a term's id
  std::string id_column = "id";       // of the term list; text or category
  std::string name_column = "name";
  std::string synonyms_column = "synonyms";      // list of text; may be missing
  std::string definition_column = "definition";  // may be missing or null: then {label_definition} is empty
};

class LabelConditioned {
 public:
  // ConfigError: broken templates, no term list, a repeated id. SchemaError: a column that is not there.
  LabelConditioned(LabelConditionedOptions options, std::shared_ptr<const Table> terms);

  std::string_view name() const { return "label_conditioned"; }
  PartOptions options() const;
  Exchange compose(Task task, Random random) const;  // ConfigError: a label that is not in the term list

 private:
  Record explained(const Task& task) const;

  LabelConditionedOptions options_;
  ZeroShot zero_shot_;
  std::shared_ptr<const Table> terms_;
  std::unordered_map<std::string, std::size_t> row_of_;
};

static_assert(PromptStrategy<LabelConditioned>);

}  // namespace synthema
