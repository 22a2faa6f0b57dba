// Guesses a schema from records: what the JSONL reader and schema_of_records share.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "src/data/text_reading.hpp"
#include "synthema/data/schema.hpp"

namespace synthema::detail {

enum class Texts { as_they_are, told_apart };  // told apart: into time, category and text, as TextKind does

// What kinds of values a field (or the items of its lists) has shown.
class ValueKind {
 public:
  explicit ValueKind(Texts texts) : told_apart_(texts == Texts::told_apart) {}

  void see(const Value& value, const Location& where) {
    if (value.is_null()) return;
    const Kind kind = kind_of(value);
    kind_ = joined(kind, where);
    if (kind == Kind::text && told_apart_) texts_.see(value.text());
  }
  Kind kind() const {
    const Kind seen = kind_.value_or(Kind::text);
    return seen == Kind::text && told_apart_ ? texts_.kind() : seen;
  }

 private:
  static Kind kind_of(const Value& value) {
    constexpr Kind kinds[] = {Kind::text, Kind::boolean, Kind::integer, Kind::real,
                              Kind::time, Kind::text,    Kind::list};
    return kinds[value.variant().index()];
  }
  Kind joined(Kind kind, const Location& where) const {
    if (!kind_ || *kind_ == kind) return kind;
    const auto numeric = [](Kind k) { return k == Kind::integer || k == Kind::real; };
    if (numeric(*kind_) && numeric(kind)) return Kind::real;
    throw SchemaError(where,
                      message("The value is ", name_of(kind), ", but earlier values of this field are ",
                              name_of(*kind_), "; make them alike or pass a schema."));
  }

  bool told_apart_;
  std::optional<Kind> kind_;
  TextKind texts_{false};
};

class SchemaGuess {
 public:
  explicit SchemaGuess(Texts texts) : texts_(texts) {}

  void see(const Record& record, Location where) {
    for (const auto& [name, value] : record) {
      where.field = name;
      if (name.empty()) throw SchemaError(where, "A key is empty; every field needs a name.");
      const auto [found, fresh] = fields_.try_emplace(name, ValueKind(texts_), ValueKind(texts_));
      if (fresh) order_.push_back(name);
      found->second.first.see(value, where);
      if (const auto* items = value.get_if<ValueList>())
        for (const Value& item : *items) found->second.second.see(item, where);
    }
  }
  Schema schema() const {
    Schema out;
    for (const std::string& name : order_) {
      const auto& [kind, item] = fields_.at(name);
      Field field;
      field.name = name;
      field.kind = kind.kind();
      if (field.kind == Kind::list) field.item = item.kind();
      out.fields.push_back(std::move(field));
    }
    return out;
  }

 private:
  Texts texts_;
  std::vector<std::string> order_;
  std::map<std::string, std::pair<ValueKind, ValueKind>, std::less<>> fields_;
};

}  // namespace synthema::detail
