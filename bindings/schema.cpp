#include "synthema/data/schema.hpp"

#include <variant>

#include "bindings/bindings.hpp"
#include "bindings/python_objects.hpp"
#include "bindings/values.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema::bindings {

namespace {

std::vector<std::string> role_names(const std::vector<Role>& roles) {
  std::vector<std::string> out;
  for (const Role role : roles) out.emplace_back(name_of(role));
  return out;
}

std::vector<Role> roles_from(const std::vector<std::string>& names) {
  std::vector<Role> out;
  for (const std::string& name : names) out.push_back(role_from(name));
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
                 std::optional<std::vector<std::string>> categories, std::string code_system, bool nullable,
                 std::string_view item, std::optional<std::uint32_t> minimum_length,
                 std::optional<std::uint32_t> maximum_length, std::optional<std::uint32_t> decimals) {
  if (categories && categories->empty())
    throw SchemaError({.field = name},
                      "The list of categories is empty, so no value is possible; list one, or leave it out.");
  return {.name = std::move(name),
          .kind = kind_from(kind),
          .roles = roles_from(roles),
          .description = std::move(description),
          .unit = std::move(unit),
          .minimum = number_from(minimum, "minimum"),
          .maximum = number_from(maximum, "maximum"),
          .categories = categories ? std::move(*categories) : std::vector<std::string>(),
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
categories : list of str, optional
    Allowed labels of a category, in their order; None means any, an empty list is an error.
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
           py::arg("categories") = py::none(), py::arg("code_system") = "", py::arg("nullable") = true,
           py::arg("item") = "text", py::arg("minimum_length") = py::none(),
           py::arg("maximum_length") = py::none(), py::arg("decimals") = py::none())
      .def_readonly("name", &Field::name, "Name of the column.")
      .def_property_readonly(
          "kind", [](const Field& f) { return std::string(name_of(f.kind)); },
          "'real', 'integer', 'category', 'boolean', 'text', 'time' or 'list'.")
      .def_property_readonly(
          "roles", [](const Field& f) { return role_names(f.roles); },
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
    `field` must then be one of these; of a boolean 'true' or 'false'.

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

void bind_schema_class(py::module_& module) {
  py::class_<Schema, std::shared_ptr<Schema>> schema(
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
)");
  copied_by_json(schema, [](const std::string& json) { return schema_from_json(json); });
  schema
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
      .def(
          "__getitem__", [](const Schema& s, std::string_view name) { return s.at(name); }, py::arg("name"))
      .def(
          "__contains__", [](const Schema& s, std::string_view name) { return s.find(name) != nullptr; },
          py::arg("name"))
      .def("__len__", [](const Schema& s) { return s.fields.size(); })
      .def(
          "__eq__", [](const Schema& a, const Schema& b) { return a == b; }, py::is_operator())
      .def(
          "to_json", [](const Schema& s) { return to_json(s); },
          "The JSON form, version 1; `from_json` reads it.")
      .def_static(
          "infer", [](const py::object& frame) -> py::object { return table_of(frame).attr("schema"); },
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

}  // namespace

void bind_schema(py::module_& module) {
  bind_field(module);
  bind_rule(module);
  bind_group(module);
  bind_schema_class(module);
}

}  // namespace synthema::bindings
