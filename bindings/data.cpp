#include "bindings/bindings.hpp"
#include "bindings/values.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/data/table.hpp"

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
    throw py::index_error(message("Row ", row, " was asked for, but the table has ", rows, " rows."));
  return static_cast<std::size_t>(row < 0 ? row + rows : row);
}

py::list values_of(const Column& column) {
  py::list out(column.size());
  for (std::size_t row = 0; row < column.size(); ++row) out[row] = to_python(column.value_at(row));
  return out;
}

std::vector<Record> records_from(const py::iterable& items) {
  std::vector<Record> out;
  for (const py::handle item : items) {
    if (!py::isinstance<py::dict>(item))
      throw SchemaError(message("Record ", out.size(), " is not a dict of field names and values."));
    out.push_back(record_from_python(py::reinterpret_borrow<py::dict>(item)));
  }
  return out;
}

Field make_field(std::string name, std::string_view kind, const std::vector<std::string>& roles,
                 std::string description, std::string unit, std::optional<double> minimum,
                 std::optional<double> maximum, std::vector<std::string> categories, std::string code_system,
                 bool nullable, std::string_view item) {
  return {.name = std::move(name),
          .kind = kind_from(kind),
          .roles = roles_from(roles),
          .description = std::move(description),
          .unit = std::move(unit),
          .minimum = minimum,
          .maximum = maximum,
          .categories = std::move(categories),
          .code_system = std::move(code_system),
          .nullable = nullable,
          .item = kind_from(item)};
}

Schema make_schema(std::vector<Field> fields, std::string name, std::string source, std::string licence,
                   std::string terms, std::string language, bool may_leave_machine) {
  Schema schema{.name = std::move(name),
                .fields = std::move(fields),
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
minimum, maximum : float, optional
    Inclusive range of a real, integer or time (microseconds) field.
categories : list of str
    Allowed labels of a category, in their order; empty means any.
nullable : bool
    Whether values may be missing.
item : str
    Kind of the elements of a list.
)")
      .def(py::init(&make_field), py::arg("name"), py::arg("kind") = "text", py::kw_only(),
           py::arg("roles") = std::vector<std::string>{}, py::arg("description") = "", py::arg("unit") = "",
           py::arg("minimum") = py::none(), py::arg("maximum") = py::none(),
           py::arg("categories") = std::vector<std::string>{}, py::arg("code_system") = "",
           py::arg("nullable") = true, py::arg("item") = "text")
      .def_readonly("name", &Field::name)
      .def_property_readonly("kind", [](const Field& f) { return std::string(name_of(f.kind)); })
      .def_property_readonly("roles", [](const Field& f) { return names_of(f.roles); })
      .def_readonly("description", &Field::description)
      .def_readonly("unit", &Field::unit)
      .def_readonly("minimum", &Field::minimum)
      .def_readonly("maximum", &Field::maximum)
      .def_readonly("categories", &Field::categories)
      .def_readonly("code_system", &Field::code_system)
      .def_readonly("nullable", &Field::nullable)
      .def_property_readonly("item", [](const Field& f) { return std::string(name_of(f.item)); })
      .def(
          "has", [](const Field& f, std::string_view role) { return f.has(role_from(role)); },
          py::arg("role"), "Whether the field has this role.")
      .def(
          "__eq__", [](const Field& a, const Field& b) { return a == b; }, py::is_operator())
      .def("__repr__",
           [](const Field& f) { return message("Field('", f.name, "', '", name_of(f.kind), "')"); });
}

void bind_schema(py::module_& module) {
  py::class_<Schema, std::shared_ptr<Schema>>(
      module, "Schema", R"(What the columns of a table mean and under which terms it may be used.

Parameters
----------
fields : list of Field
    One per column, in order.
name, source, licence, terms : str
    What the data are, where they come from and what their source asks of users.
language : str
    BCP 47 tag of the texts.
may_leave_machine : bool
    False: no remote endpoint may ever see a row.
)")
      .def(py::init(&make_schema), py::arg("fields"), py::kw_only(), py::arg("name") = "",
           py::arg("source") = "", py::arg("licence") = "", py::arg("terms") = "", py::arg("language") = "en",
           py::arg("may_leave_machine") = true)
      .def_readonly("fields", &Schema::fields)
      .def_readonly("name", &Schema::name)
      .def_readonly("source", &Schema::source)
      .def_readonly("licence", &Schema::licence)
      .def_readonly("terms", &Schema::terms)
      .def_readonly("language", &Schema::language)
      .def_readonly("may_leave_machine", &Schema::may_leave_machine)
      .def_property_readonly("names", [](const Schema& s) { return names_of(s); })
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
      .def("to_json", [](const Schema& s) { return to_json(s); })
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
      .def_property_readonly("schema", &Table::schema)
      .def_property_readonly("names", [](const Table& t) { return names_of(t.schema()); })
      .def("__len__", &Table::rows)
      .def("__contains__", &Table::has)
      .def(
          "record", [](const Table& t, std::ptrdiff_t row) { return to_python(t.record(row_index(t, row))); },
          py::arg("row"), "One row as a dict.")
      .def(
          "records",
          [](const Table& t) {
            py::list out(t.rows());
            for (std::size_t row = 0; row < t.rows(); ++row) out[row] = to_python(t.record(row));
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
      .def_static(
          "from_records",
          [](const Schema& schema, const py::iterable& records) {
            return Table::from_records(schema, records_from(records));
          },
          py::arg("schema"), py::arg("records"),
          "A table of dicts; a missing entry is null. SchemaError names record and field.");
}

}  // namespace

void bind_data(py::module_& module) {
  bind_field(module);
  bind_schema(module);
  bind_table(module);
}

}  // namespace synthema::bindings
