#include "synthema/data/table.hpp"

#include <optional>
#include <sstream>
#include <string_view>
#include <unordered_map>

#include "bindings/bindings.hpp"
#include "bindings/values.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/data/arrow.hpp"
#include "synthema/data/csv.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/data/infer.hpp"
#include "synthema/data/jsonl.hpp"
#include "synthema/data/label_columns.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/data/schema_check.hpp"
#include "synthema/data/split.hpp"

namespace synthema::bindings {

namespace {

// A row counted from the end if negative, as Python does.
std::size_t row_index(const Table& table, std::ptrdiff_t row) {
  const auto rows = static_cast<std::ptrdiff_t>(table.rows());
  if (row < -rows || row >= rows)
    throw py::index_error(
        message("Row ", row, " was asked for, but the table has ", counted(table.rows(), "row"), "."));
  return static_cast<std::size_t>(row < 0 ? row + rows : row);
}

// A time without zone becomes a datetime without zone; a Value alone cannot say which it is.
py::object cell(const Column& column, std::size_t row) {
  if (column.is_null(row)) return py::none();
  if (column.kind() == Kind::list) {
    py::list out;
    for (auto i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i)
      out.append(cell(column.items(), static_cast<std::size_t>(i)));
    return out;
  }
  py::object value = to_python(column.value_at(row));
  const bool naive = column.kind() == Kind::time && column.zone().empty();
  return naive ? value.attr("replace")(py::arg("tzinfo") = py::none()) : value;
}

py::list values_of(const Column& column) {
  py::list out(column.size());
  for (std::size_t row = 0; row < column.size(); ++row) out[row] = cell(column, row);
  return out;
}

py::dict record_of(const Table& table, std::size_t row) {
  py::dict out;
  for (std::size_t i = 0; i < table.columns(); ++i)
    out[py::str(table.schema().fields[i].name)] = cell(table.column(i), row);
  return out;
}

// None and the different values of a column of labels (categories, booleans or texts), and which of them each
// row has: what is done by label need not be done by row.
py::tuple labels_and_codes(const Column& column) {
  py::list labels;
  labels.append(py::none());
  const auto add = [&](const Value& label) {
    labels.append(to_python(label));
    return static_cast<std::int32_t>(labels.size() - 1);
  };
  std::vector<std::optional<std::int32_t>> of_code(column.kind() == Kind::category ? column.labels().size()
                                                                                   : 2);
  std::unordered_map<std::string_view, std::int32_t> of_text;
  const auto code_of = [&](std::size_t row) {
    if (column.kind() == Kind::text) {
      const auto found = of_text.find(column.text_at(row));
      return found != of_text.end()
                 ? found->second
                 : of_text.emplace(column.text_at(row), add(column.value_at(row))).first->second;
    }
    auto& known = of_code[column.kind() == Kind::category ? static_cast<std::size_t>(column.codes()[row])
                                                          : std::size_t{column.boolean_at(row)}];
    if (!known) known = add(column.value_at(row));
    return *known;
  };
  py::array_t<std::int32_t> codes(static_cast<py::ssize_t>(column.size()));
  std::int32_t* const code = codes.mutable_data();
  for (std::size_t row = 0; row < column.size(); ++row) code[row] = column.is_null(row) ? 0 : code_of(row);
  return py::make_tuple(labels, codes);
}

Record without_nan(const Record& record) {
  Record out;
  for (const auto& [name, value] : record) {
    const auto* real = value.get_if<double>();
    out.append(name, real && std::isnan(*real) ? Value{} : value);
  }
  return out;
}

// The fields whose times have no zone, found value by value.
class ZonesOfFields {
 public:
  void see(const py::dict& record) {
    for (const auto& [key, value] : record) {
      if (value.is_none()) continue;
      const auto name = key.cast<std::string>();
      const auto known = zones_.find(name);
      if (known != zones_.end() && !known->second) continue;  // another kind of value
      const std::optional<bool> zone = has_zone(value);
      if (!zone && says_nothing(value)) continue;
      if (known == zones_.end())
        zones_.emplace(name, zone);
      else if (zone && zone != known->second)
        throw SchemaError(
            {.field = name},
            "Some times of the column have a zone and others have none; give all a zone, or none.");
    }
  }
  // What may stand in a column of times without being one: a missing value, a list without a time.
  static bool says_nothing(py::handle value) {
    return !py::isinstance<py::str>(value) && !py::isinstance<py::int_>(value) &&  // booleans are integers
           !(py::isinstance<py::float_>(value) && std::isfinite(value.cast<double>()));
  }
  std::vector<std::string> without() const {
    std::vector<std::string> out;
    for (const auto& [name, zone] : zones_)
      if (zone == false) out.push_back(name);
    return out;
  }

 private:
  std::unordered_map<std::string, std::optional<bool>> zones_;
};

std::vector<Record> records_from(const py::iterable& items, bool nan_as_missing, ZonesOfFields& zones) {
  std::vector<Record> out;
  for (const py::handle item : items) {
    if (!py::isinstance<py::dict>(item))
      throw SchemaError(message("Record ", out.size(), " is not a dict of field names and values."));
    const auto dict = py::reinterpret_borrow<py::dict>(item);
    Record record = record_from_python(dict);
    zones.see(dict);
    out.push_back(nan_as_missing ? without_nan(record) : std::move(record));
  }
  return out;
}

Table table_from_records(const Schema* schema, const py::iterable& items, bool nan_as_missing) {
  ZonesOfFields zones;
  const auto records = records_from(items, nan_as_missing, zones);
  return Table::from_records(schema ? *schema : schema_of_records(records), records, zones.without());
}

// --- numpy

// A read-only array over memory of a column, which it keeps alive.
template <class T>
py::array view_of(const Column& column, std::span<const T> values) {
  auto* held = new Column(column);
  const py::capsule owner(held, [](void* p) { delete static_cast<Column*>(p); });
  py::array_t<T> out(static_cast<py::ssize_t>(values.size()), values.data(), owner);
  out.attr("flags").attr("writeable") = false;
  return out;
}

py::array_t<bool> null_mask(const Column& column) {
  py::array_t<bool> out(static_cast<py::ssize_t>(column.size()));
  for (std::size_t row = 0; row < column.size(); ++row)
    out.mutable_at(static_cast<py::ssize_t>(row)) = column.is_null(row);
  return out;
}

py::array_t<bool> truths(const Column& column) {
  py::array_t<bool> out(static_cast<py::ssize_t>(column.size()));
  for (std::size_t row = 0; row < column.size(); ++row)
    out.mutable_at(static_cast<py::ssize_t>(row)) = column.boolean_at(row);
  return out;
}

// Reals and times say "missing" in the values themselves (NaN, NaT); integers and booleans need a mask.
py::object with_missing(const Column& column, const py::object& values) {
  if (column.null_count() == 0) return values;
  const py::array_t<bool> mask = null_mask(column);
  const auto numpy = py::module_::import("numpy");
  if (column.kind() == Kind::integer || column.kind() == Kind::boolean)
    return numpy.attr("ma").attr("masked_array")(values, py::arg("mask") = mask);
  const py::object out = values.attr("copy")();
  out[mask] = column.kind() == Kind::real ? py::cast(std::nan("")) : numpy.attr("datetime64")("NaT");
  return out;
}

py::object array_or_list(const Column& column) {
  switch (column.kind()) {
    case Kind::real:
      return with_missing(column, view_of(column, column.reals()));
    case Kind::integer:
      return with_missing(column, view_of(column, column.integers()));
    case Kind::boolean:
      return with_missing(column, truths(column));
    case Kind::time:
      return with_missing(column, view_of(column, column.integers()).attr("view")("datetime64[us]"));
    default:
      return values_of(column);
  }
}

// --- Arrow capsules, named and owned as the PyCapsule interface of Arrow says

template <class Struct>
py::capsule capsule_of(const char* name, const Table& table) {
  auto held = std::make_unique<Struct>();
  export_arrow(table, held.get());
  const auto destroy = [](PyObject* object) {
    auto* inside = static_cast<Struct*>(PyCapsule_GetPointer(object, PyCapsule_GetName(object)));
    if (inside->release) inside->release(inside);  // nobody consumed it
    delete inside;
  };
  PyObject* capsule = PyCapsule_New(held.get(), name, destroy);
  if (!capsule) throw py::error_already_set();
  (void)held.release();
  return py::reinterpret_steal<py::capsule>(capsule);
}

template <class Struct>
Struct* inside(const py::capsule& capsule, const char* name) {
  auto* out = static_cast<Struct*>(PyCapsule_GetPointer(capsule.ptr(), name));
  if (!out) throw py::error_already_set();
  return out;
}

Table from_arrow(const py::object& frame, const Schema* schema, bool nan_as_missing) {
  const ArrowOptions options{.schema = schema, .nan_as_missing = nan_as_missing};
  if (py::hasattr(frame, "__arrow_c_stream__")) {
    const py::capsule stream = frame.attr("__arrow_c_stream__")();
    return table_from_arrow(inside<ArrowArrayStream>(stream, "arrow_array_stream"), options);
  }
  if (!py::hasattr(frame, "__arrow_c_array__"))
    throw py::type_error(
        "The object offers neither __arrow_c_stream__ nor __arrow_c_array__; pass a frame of pandas "
        "2.2 or later, polars, pyarrow or DuckDB.");
  const py::tuple both = frame.attr("__arrow_c_array__")();
  const py::capsule type = both[0], array = both[1];
  return table_from_arrow(inside<ArrowSchema>(type, "arrow_schema"), inside<ArrowArray>(array, "arrow_array"),
                          options);
}

// --- text formats

constexpr std::pair<std::string_view, DateOrder> kDateOrders[] = {
    {"ymd", DateOrder::year_first}, {"dmy", DateOrder::day_first}, {"mdy", DateOrder::month_first}};

DateOrder date_order(const std::string& name) {
  for (const auto& [known, order] : kDateOrders)
    if (name == known) return order;
  throw ConfigError({.field = "dates"},
                    message("Dates are written as ymd, dmy or mdy; '", name, "' is none of these."));
}

// How a file writes rows: what functions of CSV text take as keywords.
struct CsvForm {
  char delimiter;
  char decimal;
  std::string dates;

  CsvOptions options(const Schema* schema, std::string file) const {
    return {.delimiter = delimiter,
            .decimal = decimal,
            .dates = date_order(dates),
            .schema = schema,
            .file = std::move(file)};
  }
};

Table table_from_csv(const py::bytes& text, char delimiter, char decimal, std::string dates,
                     std::vector<std::string> missing, bool trim, std::vector<std::string> header,
                     const Schema* schema, std::string file) {
  CsvOptions options = CsvForm{delimiter, decimal, std::move(dates)}.options(schema, std::move(file));
  options.missing = std::move(missing);
  options.trim = trim;
  options.header = std::move(header);
  const std::string_view bytes = text;
  const py::gil_scoped_release release;
  return read_csv(bytes, options);
}

std::string_view text_of(const py::buffer_info& bytes) {
  return {static_cast<const char*>(bytes.ptr), static_cast<std::size_t>(bytes.size)};
}

py::tuple csv_shape_of(const py::buffer& text, char delimiter, char decimal, std::string dates,
                       const Schema* schema, std::string file) {
  const auto options = CsvForm{delimiter, decimal, std::move(dates)}.options(schema, std::move(file));
  const py::buffer_info bytes = text.request();
  CsvShape shape;
  {
    const py::gil_scoped_release release;
    shape = csv_shape(text_of(bytes), options);
  }
  return py::make_tuple(std::move(shape.schema), shape.rows);
}

Table csv_column(const py::buffer& text, const std::string& name, const Schema& kinds, bool inferred,
                 char delimiter, char decimal, std::string dates, std::string file) {
  const auto options =
      CsvForm{delimiter, decimal, std::move(dates)}.options(inferred ? nullptr : &kinds, std::move(file));
  const py::buffer_info bytes = text.request();
  const py::gil_scoped_release release;
  return read_csv_column(text_of(bytes), options, {kinds, 0}, name);
}

Table table_from_jsonl(const py::bytes& text, const Schema* schema, std::string file) {
  const std::string_view bytes = text;
  const py::gil_scoped_release release;
  return read_jsonl(bytes, {.schema = schema, .file = std::move(file)});
}

template <class Write>
py::bytes bytes_of(const Write& write) {
  std::ostringstream out;
  {
    const py::gil_scoped_release release;
    write(out);
  }
  return py::bytes(std::move(out).str());
}

// What needs other packages is written in Python.
py::object frames(const char* function, const py::object& table) {
  return py::module_::import("synthema.tables").attr(function)(table);
}

std::vector<Table> split_tables(const Table& table, const std::vector<double>& shares, std::uint64_t seed) {
  std::vector<Table> out;
  for (const auto& rows : split(table, shares, Random(seed))) out.push_back(table.take(rows));
  return out;
}

void bind_table_class(py::module_& module) {
  py::class_<Table, std::shared_ptr<Table>>(
      module, "Table", "An immutable table: a schema and one column per field, in Arrow layout.")
      .def_property_readonly("schema", &Table::schema, "What the columns mean.")
      .def_property_readonly(
          "names", [](const Table& t) { return names_of(t.schema()); }, "Names of the columns, in order.")
      .def("__len__", &Table::rows)
      .def("__contains__", &Table::has, py::arg("name"))
      .def(
          "record", [](const Table& t, std::ptrdiff_t row) { return record_of(t, row_index(t, row)); },
          py::arg("row"), "One row as a dict.")
      .def(
          "records",
          [](const Table& t) {
            py::list out(t.rows());
            for (std::size_t row = 0; row < t.rows(); ++row) out[row] = record_of(t, row);
            return out;
          },
          "All rows as a list of dicts.")
      .def(
          "values", [](const Table& t, std::string_view name) { return values_of(t.column(name)); },
          py::arg("name"), "One column as a list, None where a value is missing.")
      .def(
          "_coded", [](const Table& t, std::string_view name) { return labels_and_codes(t.column(name)); },
          py::arg("name"),
          "None and the different values of a column of labels, and the place of each row's among them.")
      .def(
          "null_count", [](const Table& t, std::string_view name) { return t.column(name).null_count(); },
          py::arg("name"), "How many values of a column are missing.")
      .def(
          "take", [](const Table& t, const std::vector<std::size_t>& rows) { return t.take(rows); },
          py::arg("rows"), "The rows at these positions, in this order.")
      .def(
          "select", [](const Table& t, const std::vector<std::string>& names) { return t.select(names); },
          py::arg("names"), "The columns of these names, in this order.")
      .def("head", &Table::head, py::arg("rows") = 5, "The first rows.")
      .def(
          "digest", [](const Table& t, const std::string& key) { return content_digest(t, key); },
          py::arg("key") = "", py::call_guard<py::gil_scoped_release>(),
          "SHA-256 of schema and contents; with a key an HMAC, the form in which private data may be named.")
      .def(
          "__getitem__", [](const Table& t, std::string_view name) { return array_or_list(t.column(name)); },
          py::arg("name"),
          R"(One column. Reals, integers, booleans and times are numpy arrays; reals, integers and times without
missing values share the table's memory and are read-only. Missing is NaN in reals, NaT in times, masked in
integers and booleans. Texts, categories and lists are Python lists with None.)")
      .def("split", &split_tables, py::arg("shares"), py::arg("seed") = 0,
           R"(Tables of these shares of the subjects (of the rows where no subject is named).

No subject is in two of them. Shares are positive and sum to 1.)")
      .def("__arrow_c_schema__", [](const Table& t) { return capsule_of<ArrowSchema>("arrow_schema", t); })
      .def(
          "__arrow_c_stream__",
          [](const Table& t, const py::object&) {
            return capsule_of<ArrowArrayStream>("arrow_array_stream", t);
          },
          py::arg("requested_schema") = py::none())
      .def_static("from_arrow", &from_arrow, py::arg("frame"), py::arg("schema") = nullptr, py::kw_only(),
                  py::arg("nan_as_missing") = false,
                  "A table from anything with __arrow_c_stream__ or __arrow_c_array__.")
      .def(
          "to_csv",
          [](const Table& t, char delimiter, const std::string& missing, char decimal) {
            return bytes_of([&](std::ostream& out) {
              write_csv(t, out, {.delimiter = delimiter, .decimal = decimal, .missing = {missing}});
            });
          },
          py::kw_only(), py::arg("delimiter") = ',', py::arg("missing") = "", py::arg("decimal") = '.',
          "The table as CSV bytes.")
      .def(
          "to_jsonl",
          [](const Table& t) { return bytes_of([&](std::ostream& out) { write_jsonl(t, out); }); },
          "The table as JSON lines, bytes.")
      .def_static("from_csv", &table_from_csv, py::arg("text"), py::kw_only(), py::arg("delimiter") = ',',
                  py::arg("decimal") = '.', py::arg("dates") = "ymd",
                  py::arg("missing") = std::vector<std::string>{""}, py::arg("trim") = false,
                  py::arg("header") = std::vector<std::string>{}, py::arg("schema") = nullptr,
                  py::arg("file") = "",
                  "A table from CSV bytes; ParseError names file, line, column and field.")
      .def_static("from_jsonl", &table_from_jsonl, py::arg("text"), py::kw_only(),
                  py::arg("schema") = nullptr, py::arg("file") = "",
                  "A table from JSON lines; ParseError names file, line and field.")
      .def(
          "to_arrow", [](const py::object& t) { return frames("to_arrow", t); }, "A pyarrow.Table.")
      .def(
          "to_pandas", [](const py::object& t) { return frames("to_pandas", t); }, "A pandas.DataFrame.")
      .def(
          "to_polars", [](const py::object& t) { return frames("to_polars", t); }, "A polars.DataFrame.")
      .def("_repr_html_", [](const py::object& t) { return frames("html", t); })
      .def("__repr__",
           [](const Table& t) {
             return message(
                 "<synthema.Table: ", counted(t.rows(), "row"), ", ", counted(t.columns(), "column"), ": ",
                 std::string(py::str(", ").attr("join")(names_of(t.schema())).cast<std::string>()), ">");
           })
      .def_static("from_records", &table_from_records, py::arg("schema"), py::arg("records"), py::kw_only(),
                  py::arg("nan_as_missing") = false,
                  "A table of dicts; a missing entry is null. Without a schema (None) kinds follow from the "
                  "values. Dates "
                  "and times without a zone stay without one.");
}

}  // namespace

void bind_table(py::module_& module) {
  bind_table_class(module);
  module.def(
      "_schema_misfit",
      [](const Schema& schema, const Table& rows) -> std::optional<std::string> {
        const py::gil_scoped_release release;
        for (std::size_t row = 0; row < rows.rows(); ++row) {
          const Record record = rows.record(row);
          for (const auto& misfit : {schema_misfit(schema, record), broken_rule(schema, record)})
            if (misfit) return message("Row ", row, ": ", *misfit);
        }
        return std::nullopt;
      },
      py::arg("schema"), py::arg("rows"), "The first row that does not fit a schema, without its values.");
  module.def("_csv_shape", &csv_shape_of, py::arg("text"), py::kw_only(), py::arg("delimiter") = ',',
             py::arg("decimal") = '.', py::arg("dates") = "ymd", py::arg("schema") = nullptr,
             py::arg("file") = "", "Schema and number of rows of CSV text, which is not kept.");
  module.def("_csv_column", &csv_column, py::arg("text"), py::arg("name"), py::arg("kinds"),
             py::arg("inferred"), py::kw_only(), py::arg("delimiter") = ',', py::arg("decimal") = '.',
             py::arg("dates") = "ymd", py::arg("file") = "", "One column of CSV text, as a table.");
  module.def(
      "label_columns", &label_columns, py::arg("table"),
      "The text columns without a role that hold labels: at most 1,000 different texts, each used twice on "
      "average; where some are longer than 64 bytes, at most 20, each used ten times on average.");
}

}  // namespace synthema::bindings
