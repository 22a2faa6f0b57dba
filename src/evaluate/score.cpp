#include "synthema/evaluate/score.hpp"

#include <cmath>
#include <limits>

#include "src/evaluate/score_json.hpp"

namespace synthema {

namespace detail {

namespace {

Json number(double value) {
  if (std::isfinite(value)) return value;
  if (std::isnan(value))
    throw EvaluationError(
        "A score holds a NaN; what cannot be computed is an undefined score with its reason.");
  return value > 0 ? "inf" : "-inf";
}

void put_text(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

Json to_object(const Bound& bound) {
  Json out = {{"value", number(bound.value)}, {"source", bound.source}};
  if (bound.error > 0) out["error"] = number(bound.error);
  return out;
}

Json to_object(const ScorePart& part) {
  Json out = {{"name", part.name}};
  if (part.value) out["value"] = number(*part.value);
  out["n"] = part.n;
  put_text(out, "note", part.note);
  return out;
}

Json numbers(const std::vector<double>& values) {
  Json out = Json::array();
  for (const double value : values) out.push_back(number(value));
  return out;
}

Json to_object(const Curve& curve) {
  Json out = {{"name", curve.name}};
  put_text(out, "of", curve.of);
  out["x"] = numbers(curve.x);
  out["y"] = numbers(curve.y);
  return out;
}

// Reads members of the wanted kind, and names the member that is of another.
class Members {
 public:
  // `what` it is of a score: "interval"; empty: the score itself.
  explicit Members(const Json& object, const char* what = "") : object_(object), what_(what) {
    if (!object.is_object())
      throw ParseError({.field = what_}, what_.empty() ? "A score must be a JSON object."
                                                       : "The member must be a JSON object.");
  }
  const Json* find(const char* key) const {
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  void text(const char* key, std::string& out) const {
    const Json* value = find(key);
    if (!value) return;
    if (!value->is_string()) throw ParseError({.field = path(key)}, "The member must be a text.");
    out = value->get<std::string>();
  }
  void count(const char* key, std::uint64_t& out) const {
    const Json* value = find(key);
    if (!value) return;
    if (!value->is_number_integer() || value->get<std::int64_t>() < 0)
      throw ParseError({.field = path(key)}, "The member must be a whole number of at least 0.");
    out = static_cast<std::uint64_t>(value->get<std::int64_t>());
  }
  double number(const char* key) const {
    const Json* value = find(key);
    if (value && value->is_number()) return value->get<double>();
    if (value && *value == "inf") return std::numeric_limits<double>::infinity();
    if (value && *value == "-inf") return -std::numeric_limits<double>::infinity();
    throw ParseError({.field = path(key)}, message(value ? "The member" : "The member is missing; it",
                                                   " must be a number, \"inf\" or \"-inf\"."));
  }
  template <class Visit>
  void each(const char* key, const Visit& visit) const {
    const Json* value = find(key);
    if (!value) return;
    if (!value->is_array()) throw ParseError({.field = path(key)}, "The member must be a list.");
    for (const Json& item : *value) visit(item);
  }

 private:
  std::string path(const char* key) const { return what_.empty() ? key : what_ + "." + key; }

  const Json& object_;
  std::string what_;
};

Bound bound_from(const Json& json, const char* what) {
  const Members in(json, what);
  Bound out{.value = in.number("value"), .source = ""};
  in.text("source", out.source);
  if (in.find("error")) out.error = in.number("error");
  return out;
}

ScorePart part_from(const Json& json) {
  const Members in(json, "parts");
  ScorePart out;
  in.text("name", out.name);
  if (in.find("value")) out.value = in.number("value");
  in.count("n", out.n);
  in.text("note", out.note);
  return out;
}

Curve curve_from(const Json& json) {
  const Members in(json, "curves");
  Curve out;
  in.text("name", out.name);
  in.text("of", out.of);
  const auto read = [&](const char* key, std::vector<double>& values) {
    in.each(key, [&](const Json& value) {
      if (!value.is_number()) throw ParseError({.field = key}, "A curve has numbers only.");
      values.push_back(value.get<double>());
    });
  };
  read("x", out.x);
  read("y", out.y);
  if (out.x.size() != out.y.size())
    throw ParseError({.field = "curves"}, "A curve must have as many numbers y as x.");
  return out;
}

Interval interval_from(const Json& json) {
  const Members in(json, "interval");
  Interval out{in.number("low"), in.number("high"), in.number("level"), ""};
  in.text("method", out.method);
  if (out.low > out.high)
    throw ParseError({.field = "interval"}, "The lower end of an interval must not be above the upper one.");
  if (!(out.level > 0 && out.level < 1))
    throw ParseError({.field = "interval"}, "The level of an interval must be between 0 and 1, as 0.95 is.");
  return out;
}

Direction direction_from(const Members& in) {
  std::string name = "none";
  in.text("direction", name);
  for (const Direction d : {Direction::higher, Direction::lower, Direction::none})
    if (name == name_of(d)) return d;
  throw ParseError({.field = "direction"}, "The member must be 'higher', 'lower' or 'none'.");
}

}  // namespace

Json to_object(const Score& score) {
  Json out = {{"name", score.name}};
  if (score.value) out["value"] = number(*score.value);
  put_text(out, "undefined", score.undefined);
  if (score.interval)
    out["interval"] = {{"low", number(score.interval->low)},
                       {"high", number(score.interval->high)},
                       {"level", score.interval->level},
                       {"method", score.interval->method}};
  put_text(out, "no_interval", score.no_interval);
  out["n"] = score.n;
  out["direction"] = name_of(score.direction);
  out["range"] = {{"low", number(score.range.low)}, {"high", number(score.range.high)}};
  if (score.ceiling) out["ceiling"] = to_object(*score.ceiling);
  if (score.floor) out["floor"] = to_object(*score.floor);
  put_text(out, "estimand", score.estimand);
  put_text(out, "definition", score.definition);
  out["convention"] = score.convention;
  for (const std::string& warning : score.warnings) out["warnings"].push_back(warning);
  for (const ScorePart& part : score.parts) out["parts"].push_back(to_object(part));
  for (const Curve& curve : score.curves) out["curves"].push_back(to_object(curve));
  return out;
}

Score score_from_object(const Json& object) {
  const Members in(object);
  Score out;
  in.text("name", out.name);
  in.text("undefined", out.undefined);
  in.text("no_interval", out.no_interval);
  in.text("estimand", out.estimand);
  in.text("definition", out.definition);
  in.text("convention", out.convention);
  in.count("n", out.n);
  out.direction = direction_from(in);
  if (in.find("value")) out.value = in.number("value");
  if (out.value.has_value() == !out.undefined.empty())
    throw ParseError({.field = "value"}, "A score has either a value or the reason why it is undefined.");
  if (const Json* json = in.find("interval")) out.interval = interval_from(*json);
  if (const Json* json = in.find("ceiling")) out.ceiling = bound_from(*json, "ceiling");
  if (const Json* json = in.find("floor")) out.floor = bound_from(*json, "floor");
  if (const Json* json = in.find("range"))
    out.range = {Members(*json, "range").number("low"), Members(*json, "range").number("high")};
  in.each("parts", [&](const Json& part) { out.parts.push_back(part_from(part)); });
  in.each("curves", [&](const Json& curve) { out.curves.push_back(curve_from(curve)); });
  in.each("warnings", [&](const Json& warning) {
    if (!warning.is_string()) throw ParseError({.field = "warnings"}, "A warning must be a text.");
    out.warnings.push_back(warning.get<std::string>());
  });
  return out;
}

}  // namespace detail

std::string to_json(const Score& score) {
  try {
    return detail::to_object(score).dump();
  } catch (const detail::Json::type_error&) {
    throw EvaluationError({.field = score.name}, "A text of the score is not valid UTF-8.");
  }
}

Score score_from_json(std::string_view json) {
  return detail::score_from_object(detail::strict_json(json));
}

}  // namespace synthema
