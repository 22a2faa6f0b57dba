#include "synthema/data/value.hpp"

#include <fmt/format.h>

#include "synthema/data/timestamp.hpp"

namespace synthema {

namespace {

struct Display {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
  std::string operator()(double v) const { return fmt::format("{}", v); }
  std::string operator()(Timestamp v) const { return to_iso8601(v); }
  std::string operator()(const std::string& v) const { return v; }
  std::string operator()(const ValueList& v) const {
    std::string out;
    for (const Value& item : v) out += (out.empty() ? "" : ", ") + item.display();
    return out;
  }
};

}  // namespace

std::string Value::display() const {
  return std::visit(Display{}, data_);
}

}  // namespace synthema
