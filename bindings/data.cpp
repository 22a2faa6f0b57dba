#include <sstream>
#include <variant>

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
#include "synthema/data/split.hpp"
#include "synthema/data/table.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema::bindings {

namespace {

std::vector<std::string> names_of(const std::vector<Role>& roles) {
  std::vector<std::string> out;
  for (const Role role : roles) out.emplace_back(name_of(role));
  return out;
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> out;
  for (const Field& field : schema.fields) out.push_back(field.name);
  return out;
}

std::vector<Role> roles_from(const std::vector<std::string>& names) {
  std::vector<Role> out;
  for (const std::string& name : names) out.push_back(role_from(name));
  return out;
}

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

Record without_nan(const Record& record) {
  Record out;
  for (const auto& [name, value] : record) {
    const auto* real = value.get_if<double>();
    out.set(name, real && std::isnan(*real) ? Value{} : value);
  }
  return out;
}

std::vector<Record> records_from(const py::iterable& items, bool nan_as_missing) {
  std::vector<Record> out;
  for (const py::handle item : items) {
    if (!py::isinstance<py::dict>(item))
      throw SchemaError(message("Record ", out.size(), " is not a dict of field names and values."));
    const Record record = record_from_python(py::reinterpret_borrow<py::dict>(item));
    out.push_back(nan_as_missing ? without_nan(record) : record);
  }
  return out;
}

Table table_from_records(const Schema* schema, const py::iterable& items, bool nan_as_missing) {
  const auto records = records_from(items, nan_as_missing);
  return Table::from_records(schema ? *schema : schema_of_records(records), records);
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

CsvOptions csv_options(char delimiter, std::vector<std::string> missing, bool trim,
                       std::vector<std::string> header, const Schema* schema, std::string file) {
  return {.delimiter = delimiter,
          .missing = std::move(missing),
          .trim = trim,
          .header = std::move(header),
          .schema = schema,
          .file = std::move(file)};
}

Table table_from_csv(const py::bytes& text, char delimiter, std::vector<std::string> missing, bool trim,
                     std::vector<std::string> header, const Schema* schema, std::string file) {
  const auto options =
      csv_options(delimiter, std::move(missing), trim, std::move(header), schema, std::move(file));
  const std::string_view bytes = text;
  const py::gil_scoped_release release;
  return read_csv(bytes, options);
}

std::string_view text_of(const py::buffer_info& bytes) {
  return {static_cast<const char*>(bytes.ptr), static_cast<std::size_t>(bytes.size)};
}

py::tuple csv_shape_of(const py::buffer& text, char delimiter, const Schema* schema, std::string file) {
  const auto options = csv_options(delimiter, {""}, false, {}, schema, std::move(file));
  const py::buffer_info bytes = text.request();
  CsvShape shape;
  {
    const py::gil_scoped_release release;
    shape = csv_shape(text_of(bytes), options);
  }
  return py::make_tuple(std::move(shape.schema), shape.rows);
}

Table csv_column(const py::buffer& text, const std::string& name, const Schema& kinds, bool inferred,
                 char delimiter, std::string file) {
  const auto options = csv_options(delimiter, {""}, false, {}, inferred ? nullptr : &kinds, std::move(file));
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

using Bound = std::optional<std::variant<double, std::string>>;  // a number, or a time as text

std::optional<double> number_from(const Bound& bound, const char* name) {
  if (!bound) return std::nullopt;
  if (const auto* number = std::get_if<double>(&*bound)) return *number;
  const auto time = parse_iso8601(std::get<std::string>(*bound));
  if (!time) throw SchemaError(message("The ", name, " is neither a number nor a date like '2026-01-31'."));
  return static_cast<double>(time->time.microseconds);
}

Field make_field(std::string name, std::string_view kind, const std::vector<std::string>& roles,
                 std::string description, std::string unit, const Bound& minimum, const Bound& maximum,
                 std::vector<std::string> categories, std::string code_system, bool nullable,
                 std::string_view item, std::optional<std::uint32_t> minimum_length,
                 std::optional<std::uint32_t> maximum_length, std::optional<std::uint32_t> decimals) {
  return {.name = std::move(name),
          .kind = kind_from(kind),
          .roles = roles_from(roles),
          .description = std::move(description),
          .unit = std::move(unit),
          .minimum = number_from(minimum, "minimum"),
          .maximum = number_from(maximum, "maximum"),
          .categories = std::move(categories),
          .code_system = std::move(code_system),
          .nullable = nullable,
          .item = kind_from(item),
          .minimum_length = minimum_length,
          .maximum_length = maximum_length,
          .decimals = decimals};
}

FieldRule make_rule(std::string field, std::string given, std::vector<std::string> labels,
                    const Bound& lowest, const Bound& highest, std::string relation, const Bound& minimum,
                    const Bound& maximum, std::vector<std::string> categories) {
  return {.field = std::move(field),
          .given = std::move(given),
          .labels = std::move(labels),
          .lowest = number_from(lowest, "lowest"),
          .highest = number_from(highest, "highest"),
          .relation = std::move(relation),
          .minimum = number_from(minimum, "minimum"),
          .maximum = number_from(maximum, "maximum"),
          .categories = std::move(categories)};
}

Schema make_schema(std::vector<Field> fields, std::vector<FieldRule> rules, std::vector<GroupRule> groups,
                   std::string name, std::string source, std::string licence, std::string terms,
                   std::string language, bool may_leave_machine) {
  Schema schema{.name = std::move(name),
                .fields = std::move(fields),
                .rules = std::move(rules),
                .groups = std::move(groups),
                .source = std::move(source),
                .licence = std::move(licence),
                .terms = std::move(terms),
                .language = std::move(language),
                .may_leave_machine = may_leave_machine};
  schema.check();
  return schema;
}

void bind_field(py::module_& module) {
  py::class_<Field>(module, "Field", R"(What one column means.

Parameters
----------
name : str
    Name of the column; unique within a schema.
kind : str
    'real', 'integer', 'category', 'boolean', 'text', 'time' or 'list'.
roles : list of str
    Any of 'identifier', 'subject', 'label', 'time', 'target', 'sensitive'.
description, unit, code_system : str
    For people; the unit in UCUM ('mg/dL'), the code system by name ('ICD-10-CM').
minimum, maximum : float or str, optional
    Inclusive range of a real, integer or time field; of times as text ('2026-01-31') or in microseconds.
categories : list of str
    Allowed labels of a category, in their order; empty means any.
nullable : bool
    Whether values may be missing.
item : str
    Kind of the elements of a list.
minimum_length, maximum_length : int, optional
    Of a text in characters, of a list in elements.
decimals : int, optional
    Of a real field when a model writes it, 0 to 9.
)")
      .def(py::init(&make_field), py::arg("name"), py::arg("kind") = "text", py::kw_only(),
           py::arg("roles") = std::vector<std::string>{}, py::arg("description") = "", py::arg("unit") = "",
           py::arg("minimum") = py::none(), py::arg("maximum") = py::none(),
           py::arg("categories") = std::vector<std::string>{}, py::arg("code_system") = "",
           py::arg("nullable") = true, py::arg("item") = "text", py::arg("minimum_length") = py::none(),
           py::arg("maximum_length") = py::none(), py::arg("decimals") = py::none())
      .def_readonly("name", &Field::name, "Name of the column.")
      .def_property_readonly(
          "kind", [](const Field& f) { return std::string(name_of(f.kind)); },
          "'real', 'integer', 'category', 'boolean', 'text', 'time' or 'list'.")
      .def_property_readonly(
          "roles", [](const Field& f) { return names_of(f.roles); },
          "Any of 'identifier', 'subject', 'label', 'time', 'target', 'sensitive'; empty: an ordinary "
          "feature.")
      .def_readonly("description", &Field::description, "What the column is, for people.")
      .def_readonly("unit", &Field::unit, "UCUM unit, such as 'mg/dL'; empty: none.")
      .def_readonly("minimum", &Field::minimum,
                    "Smallest allowed value, or None; of times in microseconds since 1970.")
      .def_readonly("maximum", &Field::maximum,
                    "Largest allowed value, or None; of times in microseconds since 1970.")
      .def_readonly("categories", &Field::categories,
                    "Allowed labels of a category, in their order; empty: any.")
      .def_readonly("code_system", &Field::code_system,
                    "Name of the code system, such as 'ICD-10-CM'; empty: none.")
      .def_readonly("nullable", &Field::nullable, "Whether values may be missing.")
      .def_property_readonly(
          "item", [](const Field& f) { return std::string(name_of(f.item)); },
          "Kind of the elements of a list.")
      .def_readonly("minimum_length", &Field::minimum_length,
                    "Fewest characters of a text or elements of a list, or None.")
      .def_readonly("maximum_length", &Field::maximum_length,
                    "Most characters of a text or elements of a list, or None.")
      .def_readonly("decimals", &Field::decimals, "Decimals of a real when a model writes it, or None.")
      .def(
          "has", [](const Field& f, std::string_view role) { return f.has(role_from(role)); },
          py::arg("role"), "Whether the field has this role.")
      .def(
          "__eq__", [](const Field& a, const Field& b) { return a == b; }, py::is_operator())
      .def("__repr__",
           [](const Field& f) { return message("Field('", f.name, "', '", name_of(f.kind), "')"); });
}

void bind_rule(py::module_& module) {
  py::class_<FieldRule>(module, "FieldRule", R"(What a field may be, given an earlier field of the same row.

A rule says nothing where one of the two is missing. Rows are checked against the rules of their schema, and a model
that writes JSON under a schema can only write rows that keep them.

Parameters
----------
field : str
    What is limited.
given : str
    The field that it depends on; stands before it in the schema.
labels : list of str
    The rule holds where `given` is one of these.
lowest, highest : float or str, optional
    The rule holds where `given` lies in this range, both ends included. Neither labels nor range: it always holds.
relation : str
    To the value of `given`: '<', '<=', '=', '>=' or '>'; for categories '=' or '!='.
minimum, maximum : float or str, optional
    Inclusive range that `field` must then have.
categories : list of str
    `field` must then be one of these.

Examples
--------
>>> FieldRule("discharge", "admission", relation=">=")
FieldRule('discharge', given 'admission')
>>> FieldRule("diagnosis", "sex", labels=["male"], categories=["asthma", "prostatitis"])
FieldRule('diagnosis', given 'sex')
)")
      .def(py::init(&make_rule), py::arg("field"), py::arg("given"), py::kw_only(),
           py::arg("labels") = std::vector<std::string>{}, py::arg("lowest") = py::none(),
           py::arg("highest") = py::none(), py::arg("relation") = "", py::arg("minimum") = py::none(),
           py::arg("maximum") = py::none(), py::arg("categories") = std::vector<std::string>{})
      .def_readonly("field", &FieldRule::field, "Name of the field that is limited.")
      .def_readonly("given", &FieldRule::given, "Name of the earlier field that it depends on.")
      .def_readonly("labels", &FieldRule::labels,
                    "The rule holds where `given` is one of these; empty: whatever it is.")
      .def_readonly("lowest", &FieldRule::lowest,
                    "The rule holds where `given` is at least this, or None; of times in microseconds.")
      .def_readonly("highest", &FieldRule::highest,
                    "The rule holds where `given` is at most this, or None; of times in microseconds.")
      .def_readonly(
          "relation", &FieldRule::relation,
          "Of the field's value to that of `given`: '<', '<=', '=', '>=', '>' or '!='; empty: none.")
      .def_readonly("minimum", &FieldRule::minimum, "Smallest value that the field may then have, or None.")
      .def_readonly("maximum", &FieldRule::maximum, "Largest value that the field may then have, or None.")
      .def_readonly("categories", &FieldRule::categories, "Labels that the field may then have; empty: any.")
      .def(
          "__eq__", [](const FieldRule& a, const FieldRule& b) { return a == b; }, py::is_operator())
      .def("__repr__",
           [](const FieldRule& r) { return message("FieldRule('", r.field, "', given '", r.given, "')"); });
}

void bind_group(py::module_& module) {
  py::class_<GroupRule>(module, "GroupRule", R"(What several fields of a row must be together.

Generators of tables keep it by construction; rows of models are checked against it.

Parameters
----------
kind : str
    'one_hot': exactly one of the fields is set (true, or not zero). 'exclusive': at most one is. 'sum': `total` is
    the sum of the fields. 'unique': no two rows of a table have the same values in all of the fields.
    'combinations': the values of the fields stand together in one of `rows`, or, where none are listed, in real
    rows; of those that fewer than `rare_below` people have, a generator makes none.
fields : list of str
    Boolean or number fields; of 'unique' and 'combinations' anything but lists. A missing field is not set, and a
    sum with a missing member says nothing.
total : str
    Of a sum: the field that holds it.
rows : list of list
    Of 'combinations': values in the order of the fields. None is a missing one, and has to be listed where it may be.

Examples
--------
>>> GroupRule("one_hot", ["stage_1", "stage_2", "stage_3"])
GroupRule('one_hot', ['stage_1', 'stage_2', 'stage_3'])
>>> GroupRule("sum", ["days_on_ward", "days_in_icu"], total="days").total
'days'
>>> GroupRule("combinations", ["code", "chapter"], rows=[["A00", "I"], ["C50", "II"]]).rows
[['A00', 'I'], ['C50', 'II']]
)")
      .def(py::init([](std::string kind, std::vector<std::string> fields, std::string total,
                       const std::vector<std::vector<py::object>>& rows) {
             GroupRule made{std::move(kind), std::move(fields), std::move(total), {}};
             for (const std::vector<py::object>& row : rows) {
               ValueList& values = made.rows.emplace_back();
               for (const py::object& value : row) values.push_back(value_from_python(value, "rows"));
             }
             return made;
           }),
           py::arg("kind"), py::arg("fields"), py::kw_only(), py::arg("total") = "",
           py::arg("rows") = std::vector<std::vector<py::object>>{})
      .def_readonly("kind", &GroupRule::kind, "'one_hot', 'exclusive', 'sum', 'unique' or 'combinations'.")
      .def_readonly("fields", &GroupRule::fields, "Names of the fields.")
      .def_readonly("total", &GroupRule::total, "Of a sum: the field that holds it; else empty.")
      .def_property_readonly(
          "rows",
          [](const GroupRule& g) {
            std::vector<std::vector<py::object>> out;
            for (const ValueList& row : g.rows) {
              auto& values = out.emplace_back();
              for (const Value& value : row) values.push_back(to_python(value));
            }
            return out;
          },
          "Of 'combinations': those that are listed.")
      .def(
          "__eq__", [](const GroupRule& a, const GroupRule& b) { return a == b; }, py::is_operator())
      .def("__repr__", [](const GroupRule& g) {
        std::string names;
        for (const std::string& name : g.fields) names += (names.empty() ? "'" : ", '") + name + "'";
        return message("GroupRule('", g.kind, "', [", names, "]", g.total.empty() ? "" : ", total='", g.total,
                       g.total.empty() ? "" : "'", g.rows.empty() ? "" : message(", rows=", g.rows.size()),
                       ")");
      });
}

void bind_schema(py::module_& module) {
  py::class_<Schema, std::shared_ptr<Schema>>(
      module, "Schema", R"(What the columns of a table mean and under which terms it may be used.

Parameters
----------
fields : list of Field
    One per column, in order.
rules : list of FieldRule
    What fields may be, given earlier ones.
groups : list of GroupRule
    What several fields must be together.
name, source, licence, terms : str
    What the data are, where they come from and what their source asks of users.
language : str
    BCP 47 tag of the texts.
may_leave_machine : bool
    False: no remote endpoint may ever see a row.
)")
      .def(py::init(&make_schema), py::arg("fields"), py::kw_only(),
           py::arg("rules") = std::vector<FieldRule>{}, py::arg("groups") = std::vector<GroupRule>{},
           py::arg("name") = "", py::arg("source") = "", py::arg("licence") = "", py::arg("terms") = "",
           py::arg("language") = "en", py::arg("may_leave_machine") = true)
      .def_readonly("fields", &Schema::fields, "What each column means, in order; a list of Field.")
      .def_readonly("rules", &Schema::rules, "What fields may be, given earlier ones; a list of FieldRule.")
      .def_readonly("groups", &Schema::groups, "What several fields must be together; a list of GroupRule.")
      .def_readonly("name", &Schema::name, "What the data are called.")
      .def_readonly("source", &Schema::source, "Where the data come from, with version.")
      .def_readonly("licence", &Schema::licence, "SPDX identifier or name of the licence.")
      .def_readonly("terms", &Schema::terms, "What the source asks of users.")
      .def_readonly("language", &Schema::language, "BCP 47 tag of the texts.")
      .def_readonly("may_leave_machine", &Schema::may_leave_machine,
                    "False: no remote endpoint may ever see a row.")
      .def_property_readonly(
          "names", [](const Schema& s) { return names_of(s); }, "Names of the columns, in order.")
      .def_property_readonly(
          "subject",
          [](const Schema& s) -> std::optional<std::string> {
            const Field* field = s.subject();
            return field ? std::optional(field->name) : std::nullopt;
          },
          "Name of the subject column, or None.")
      .def(
          "with_role",
          [](const Schema& s, std::string_view role) {
            std::vector<std::string> out;
            for (const Field* field : s.with_role(role_from(role))) out.push_back(field->name);
            return out;
          },
          py::arg("role"), "Names of the fields that have this role.")
      .def("__getitem__", [](const Schema& s, std::string_view name) { return s.at(name); })
      .def("__contains__", [](const Schema& s, std::string_view name) { return s.find(name) != nullptr; })
      .def("__len__", [](const Schema& s) { return s.fields.size(); })
      .def(
          "__eq__", [](const Schema& a, const Schema& b) { return a == b; }, py::is_operator())
      .def(
          "to_json", [](const Schema& s) { return to_json(s); },
          "The JSON form, version 1; `from_json` reads it.")
      .def_static(
          "infer",
          [](const py::object& frame) -> py::object {
            return py::module_::import("synthema.tables").attr("table")(frame).attr("schema");
          },
          py::arg("frame"), "The schema that a frame's column types suggest.")
      .def_static(
          "from_dict",
          [](const py::object& dict) {
            return schema_from_json(py::module_::import("json").attr("dumps")(dict).cast<std::string>());
          },
          py::arg("dict"), "A schema from a dict (a table of a TOML file) with the keys of its JSON form.")
      .def_static("from_json", &schema_from_json, py::arg("text"), py::arg("file") = "",
                  "Read a schema; ParseError says where the text is broken.")
      .def("__repr__", [](const Schema& s) {
        std::string out;
        for (const Field& f : s.fields)
          out += message(out.empty() ? "" : ", ", f.name, ": ", name_of(f.kind));
        return "Schema(" + out + ")";
      });
}

void bind_table(py::module_& module) {
  py::class_<Table, std::shared_ptr<Table>>(
      module, "Table", "An immutable table: a schema and one column per field, in Arrow layout.")
      .def_property_readonly("schema", &Table::schema, "What the columns mean.")
      .def_property_readonly(
          "names", [](const Table& t) { return names_of(t.schema()); }, "Names of the columns, in order.")
      .def("__len__", &Table::rows)
      .def("__contains__", &Table::has)
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
          [](const Table& t, char delimiter, const std::string& missing) {
            return bytes_of([&](std::ostream& out) {
              write_csv(t, out, {.delimiter = delimiter, .missing = {missing}});
            });
          },
          py::kw_only(), py::arg("delimiter") = ',', py::arg("missing") = "", "The table as CSV bytes.")
      .def(
          "to_jsonl",
          [](const Table& t) { return bytes_of([&](std::ostream& out) { write_jsonl(t, out); }); },
          "The table as JSON lines, bytes.")
      .def_static("from_csv", &table_from_csv, py::arg("text"), py::kw_only(), py::arg("delimiter") = ',',
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
      .def_static(
          "from_records", &table_from_records, py::arg("schema"), py::arg("records"), py::kw_only(),
          py::arg("nan_as_missing") = false,
          "A table of dicts; a missing entry is null. Without a schema (None) kinds follow from the values.");
}

}  // namespace

void bind_data(py::module_& module) {
  bind_field(module);
  bind_rule(module);
  bind_group(module);
  bind_schema(module);
  bind_table(module);
  module.def("_csv_shape", &csv_shape_of, py::arg("text"), py::kw_only(), py::arg("delimiter") = ',',
             py::arg("schema") = nullptr, py::arg("file") = "",
             "Schema and number of rows of CSV text, which is not kept.");
  module.def("_csv_column", &csv_column, py::arg("text"), py::arg("name"), py::arg("kinds"),
             py::arg("inferred"), py::kw_only(), py::arg("delimiter") = ',', py::arg("file") = "",
             "One column of CSV text, as a table.");
  module.def(
      "label_columns", &label_columns, py::arg("table"),
      "The text columns without a role that hold labels: at most 1,000 different texts, each used twice on "
      "average; where some are longer than 64 bytes, at most 20, each used ten times on average.");
}

}  // namespace synthema::bindings
