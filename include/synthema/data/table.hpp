// A Table is a Schema and one Column per field, all of one length. Immutable; copies share memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/column.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema {

class SYNTHEMA_EXPORT Table {
 public:
  Table() = default;
  // SchemaError if counts, kinds or lengths do not agree, the schema itself is inconsistent, or a real number
  // is NaN or infinite: a missing number is null, nothing else. Ranges, allowed labels and nullability are
  // not checked here, so that a metric can count what breaks them.
  Table(Schema schema, std::vector<Column> columns);
  // Rows in the order of the schema's fields; a missing entry is null. Times are in UTC, but those of the
  // fields `without_zone`, which have none. SchemaError names row and field.
  static Table from_records(Schema schema, std::span<const Record> records,
                            std::span<const std::string> without_zone = {});

  const Schema& schema() const { return schema_; }
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_.size(); }
  const Column& column(std::size_t index) const { return columns_.at(index); }
  const Column& column(std::string_view name) const;  // SchemaError names the columns that exist
  const Field* find(std::string_view name) const;     // its field, or null
  bool has(std::string_view name) const { return find(name) != nullptr; }
  Record record(std::size_t row) const;

  Table take(std::span<const std::size_t> rows) const;
  Table select(std::span<const std::string> names) const;
  Table head(std::size_t rows) const;

 private:
  Schema schema_;
  std::vector<Column> columns_;
  std::vector<std::uint32_t> by_name_;  // places of the columns, in the order of their names
  std::size_t rows_ = 0;
};

}  // namespace synthema
