#include "bindings/values.hpp"

#include <pybind11/gil_safe_call_once.h>

#include <cmath>

namespace synthema::bindings {

namespace {

// What is needed of Python's datetime module, looked up once.
struct Clock {
  py::object date, datetime, timedelta, utc, epoch;
};

const Clock& clock() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<Clock> storage;
  return storage
      .call_once_and_store_result([] {
        const auto module = py::module_::import("datetime");
        const py::object utc = module.attr("timezone").attr("utc"), datetime = module.attr("datetime");
        return Clock{module.attr("date"), datetime, module.attr("timedelta"), utc,
                     datetime(1970, 1, 1, 0, 0, 0, 0, utc)};
      })
      .get_stored();
}

py::object to_datetime(Timestamp time) {
  try {
    return clock().epoch + clock().timedelta(0, 0, time.microseconds);
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_OverflowError)) throw;
    throw SchemaError(
        "A time lies outside the years 1 to 9999, which is all that Python's datetime can hold.");
  }
}

Timestamp from_date(py::handle object) {
  py::object when = py::reinterpret_borrow<py::object>(object);
  if (!py::isinstance(object, clock().datetime))
    when = clock().datetime(object.attr("year"), object.attr("month"), object.attr("day"));
  if (when.attr("tzinfo").is_none()) when = when.attr("replace")(py::arg("tzinfo") = clock().utc);
  const py::object since = when - clock().epoch;
  return {since.attr("days").cast<std::int64_t>() * 86'400'000'000 +
          since.attr("seconds").cast<std::int64_t>() * 1'000'000 +
          since.attr("microseconds").cast<std::int64_t>()};
}

std::int64_t to_integer(py::handle object, const std::string& name) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(object.ptr(), &overflow);
  if (overflow != 0)
    throw SchemaError({.field = name}, "The integer does not fit 64 bits; pass it as text or as a float.");
  if (value == -1 && PyErr_Occurred()) throw py::error_already_set();
  return value;
}

std::string to_text(py::handle object, const std::string& name) {
  try {
    return object.cast<std::string>();
  } catch (const std::exception&) {
    throw SchemaError({.field = name}, "The text holds a lone surrogate, so it cannot be written as UTF-8.");
  }
}

// pandas.NA and NaT, without importing pandas.
bool is_pandas_missing(py::handle object) {
  const auto type = py::type::handle_of(object);
  const auto name = py::str(type.attr("__name__")).cast<std::string>();
  return (name == "NAType" || name == "NaTType") &&
         py::str(type.attr("__module__")).cast<std::string>().starts_with("pandas.");
}

ValueList to_list(py::handle object, const std::string& name) {
  ValueList items;
  for (const py::handle item : object) items.push_back(value_from_python(item, name));
  return items;
}

// numpy's datetime64 and timedelta64 know their own unit; tolist() would turn nanoseconds into bare integers.
Value from_numpy_time(py::handle object, const std::string& name) {
  if (py::str(object.attr("dtype").attr("kind")).cast<std::string>() != "M")
    throw SchemaError({.field = name}, "A duration cannot go into a record; pass a number with a unit.");
  const auto numpy = py::module_::import("numpy");
  if (numpy.attr("isnat")(object).cast<bool>()) return {};
  const py::object micro = object.attr("astype")("datetime64[us]");
  if (!micro.equal(object))
    throw SchemaError({.field = name}, "A time is finer than a microsecond; round it first.");
  return Timestamp{micro.attr("astype")("int64").cast<std::int64_t>()};
}

bool is_numpy_time(py::handle object) {
  if (!py::hasattr(object, "dtype") || !py::hasattr(object, "astype") || py::hasattr(object, "__len__"))
    return false;
  const auto kind = py::str(py::getattr(object.attr("dtype"), "kind", py::str(""))).cast<std::string>();
  return kind == "M" || kind == "m";
}

// numpy's reals of 16 and 32 bits, which are what is written for them, as in frames (arrow_import.cpp).
bool is_narrow_real(py::handle object) {
  if (!py::hasattr(object, "dtype") || py::hasattr(object, "__len__")) return false;
  const py::object type = object.attr("dtype");
  return py::str(py::getattr(type, "kind", py::str(""))).cast<std::string>() == "f" &&
         type.attr("itemsize").cast<std::size_t>() < sizeof(double);
}

struct ToPython {
  py::object operator()(std::monostate) const { return py::none(); }
  py::object operator()(bool v) const { return py::bool_(v); }
  py::object operator()(std::int64_t v) const { return py::int_(v); }
  py::object operator()(double v) const { return py::float_(v); }
  py::object operator()(Timestamp v) const { return to_datetime(v); }
  py::object operator()(const std::string& v) const { return py::str(v); }
  py::object operator()(const ValueList& v) const {
    py::list out;
    for (const Value& item : v) out.append(to_python(item));
    return out;
  }
};

}  // namespace

std::optional<bool> has_zone(py::handle object) {
  if (is_pandas_missing(object)) return std::nullopt;
  if (py::isinstance(object, clock().date)) return !py::getattr(object, "tzinfo", py::none()).is_none();
  if (is_numpy_time(object)) return false;
  if (!py::isinstance<py::list>(object) && !py::isinstance<py::tuple>(object)) return std::nullopt;
  for (const py::handle item : object)
    if (const auto found = has_zone(item)) return found;
  return std::nullopt;
}

py::object to_python(const Value& value) {
  return std::visit(ToPython{}, value.variant());
}

py::dict to_python(const Record& record) {
  py::dict out;
  for (const auto& [name, value] : record) out[py::str(name)] = to_python(value);
  return out;
}

Value value_from_python(py::handle object, const std::string& name) {
  if (object.is_none()) return {};
  if (py::isinstance<py::bool_>(object)) return object.cast<bool>();
  if (py::isinstance<py::int_>(object)) return to_integer(object, name);
  if (py::isinstance<py::float_>(object)) return object.cast<double>();
  if (py::isinstance<py::str>(object)) return to_text(object, name);
  if (is_pandas_missing(object)) return {};  // before times: NaT is one
  if (py::isinstance(object, clock().date)) return from_date(object);
  if (py::isinstance<py::list>(object) || py::isinstance<py::tuple>(object)) return to_list(object, name);
  if (is_numpy_time(object)) return from_numpy_time(object, name);
  if (is_narrow_real(object)) return py::float_(py::str(object)).cast<double>();
  if (py::hasattr(object, "tolist")) {  // numpy scalars and arrays
    const py::object plain = object.attr("tolist")();
    if (!plain.is(object) && !py::hasattr(plain, "tolist")) return value_from_python(plain, name);
  }
  throw SchemaError(
      {.field = name},
      message("A value of type '", py::str(py::type::handle_of(object).attr("__name__")).cast<std::string>(),
              "' cannot go into a record; use None, bool, int, float, str, datetime or a list of these."));
}

Record record_from_python(const py::dict& dict) {
  Record record;
  for (const auto& [key, value] : dict) {
    if (!py::isinstance<py::str>(key))
      throw SchemaError("A key of a record is not a text; field names are texts.");
    std::string name = to_text(key, {});
    Value read = value_from_python(value, name);
    record.append(std::move(name), std::move(read));
  }
  return record;
}

std::vector<std::string> names_of(const Schema& schema) {
  std::vector<std::string> out;
  for (const Field& field : schema.fields) out.push_back(field.name);
  return out;
}

}  // namespace synthema::bindings
