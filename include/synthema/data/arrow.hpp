// Tables in and out by the Arrow C Data and C Stream Interfaces: how pandas, polars, pyarrow and DuckDB hand
// over frames without knowing us. The three structures are the published ABI
// (arrow.apache.org/docs/format/CDataInterface.html), guarded as its authors ask.
//
// Accepted: utf8, large_utf8, utf8_view; dictionaries with any index width; list, large_list and
// fixed_size_list of those; all integer widths, float16/32/64, bool, date32/64, timestamps of every unit and
// zone, null; any offset and any number of chunks. Anything else, integers beyond int64 and times finer than
// a microsecond are a SchemaError with the column's name. A float16 or float32 is the number that is written
// for it: 5.1, not 5.0999999046. Not copied: int64, float64 and microsecond timestamps that arrive in one
// chunk, and their validity. The rest is copied once.
#pragma once

#include <cstdint>

#include "synthema/core/export.hpp"
#include "synthema/data/table.hpp"

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE
#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4
extern "C" {
struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  std::int64_t flags;
  std::int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};
struct ArrowArray {
  std::int64_t length;
  std::int64_t null_count;
  std::int64_t offset;
  std::int64_t n_buffers;
  std::int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};
}
#endif
#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE
extern "C" {
struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
}
#endif

namespace synthema {

struct ArrowOptions {
  // The wanted schema: columns are taken by name, in its order, and converted losslessly. Null: kinds follow
  // from the Arrow types (dictionary: category, utf8: text, ...), or from the schema that a Table of ours
  // left in the metadata.
  const Schema* schema = nullptr;
  bool nan_as_missing = false;  // otherwise NaN is refused; infinities always are
};

// Both take ownership of what they are given and leave it released, as the interface asks.
Table table_from_arrow(ArrowArrayStream* stream, const ArrowOptions& options = {});
Table table_from_arrow(ArrowSchema* type, ArrowArray* array, const ArrowOptions& options = {});

// The receiver owns what is written to `out`. Buffers are shared with the table, one chunk in all; our schema
// travels in the metadata under "synthema.schema".
void export_arrow(const Table& table, ArrowSchema* out);
void export_arrow(const Table& table, ArrowArray* out);
void export_arrow(const Table& table, ArrowArrayStream* out);

}  // namespace synthema
