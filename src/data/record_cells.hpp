// The values of records in the order of a schema's fields. Names are looked up, so that a record costs as
// much as it has entries and fields, not as their product.
#pragma once

#include <algorithm>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "synthema/data/schema.hpp"

namespace synthema::detail {

class RecordCells {
 public:
  explicit RecordCells(const Schema& schema) : cells_(schema.fields.size()) {
    for (const Field& field : schema.fields) places_.emplace(field.name, places_.size());
  }
  // One value a field, null where the record has none; they last as the record does, and until the next call.
  // refuse(name) throws: the record has an entry that the schema does not know.
  template <class Refuse>
  std::span<const Value* const> of(const Record& record, const Refuse& refuse) {
    std::ranges::fill(cells_, &missing_);
    for (const auto& [name, value] : record) {
      const auto place = places_.find(name);
      if (place == places_.end()) refuse(name);
      cells_[place->second] = &value;
    }
    return cells_;
  }

 private:
  const Value missing_;
  std::unordered_map<std::string_view, std::size_t> places_;
  std::vector<const Value*> cells_;
};

}  // namespace synthema::detail
