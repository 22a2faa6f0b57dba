#include "synthema/report/report.hpp"

#include "src/evaluate/score_json.hpp"
#include "synthema/core/error.hpp"

namespace synthema {

using detail::Json;

const Score* Report::find(std::string_view name) const {
  for (const Score& score : scores)
    if (score.name == name) return &score;
  return nullptr;
}

const Score& Report::at(std::string_view name) const {
  if (const Score* score = find(name)) return *score;
  std::string known;
  for (const Score& score : scores) known += (known.empty() ? "'" : ", '") + score.name + "'";
  throw EvaluationError({.field = std::string(name)}, message("The report has no such score; it has ",
                                                              known.empty() ? "none" : known, "."));
}

void Report::set_fact(std::string name, std::string json) {
  detail::strict_json(json, {.field = name});
  for (Fact& fact : facts)
    if (fact.name == name) return void(fact.json = std::move(json));
  facts.push_back({std::move(name), std::move(json)});
}

std::string to_json(const Report& report) {
  Json out = {{"report_version", 1}, {"title", report.title}, {"library", report.library}};
  out["scores"] = Json::array();
  for (const Score& score : report.scores) out["scores"].push_back(detail::to_object(score));
  out["timings"] = Json::array();
  for (const Timing& timing : report.timings)
    out["timings"].push_back({{"name", timing.name},
                              {"seconds", timing.seconds},
                              {"memory_growth_bytes", timing.memory_growth_bytes}});
  out["facts"] = Json::object();
  for (const Fact& fact : report.facts)
    out["facts"][fact.name] = detail::strict_json(fact.json, {.field = fact.name});
  try {
    return out.dump(1);
  } catch (const Json::type_error&) {
    throw EvaluationError("A text of the report is not valid UTF-8, so it cannot be written as JSON.");
  }
}

namespace {

const Json& member(const Json& object, const char* key, Json::value_t type) {
  const auto found = object.find(key);
  if (found == object.end()) throw ParseError({.field = key}, "The report lacks this member.");
  if (found->type() != type) throw ParseError({.field = key}, "The member is of the wrong kind.");
  return *found;
}

void check_version(const Json& json) {
  if (!json.is_object()) throw ParseError("A report must be a JSON object.");
  const auto version = json.find("report_version");
  if (version == json.end() || *version != 1)
    throw ParseError(
        {.field = "report_version"},
        "This library reads reports of version 1; read this one with the version that wrote it.");
}

Timing timing_from(const Json& json) {
  if (!json.is_object()) throw ParseError({.field = "timings"}, "A timing must be a JSON object.");
  Timing out{member(json, "name", Json::value_t::string).get<std::string>(), 0, 0};
  const auto number = [&](const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number() || found->get<double>() < 0)
      throw ParseError({.field = key}, "A timing needs this member as a number of at least 0.");
    return *found;
  };
  out.seconds = number("seconds").get<double>();
  out.memory_growth_bytes = number("memory_growth_bytes").get<std::uint64_t>();
  return out;
}

}  // namespace

Report report_from_json(std::string_view text) {
  const Json json = detail::strict_json(text);
  check_version(json);
  Report out;
  out.title = member(json, "title", Json::value_t::string).get<std::string>();
  out.library = member(json, "library", Json::value_t::string).get<std::string>();
  for (const Json& score : member(json, "scores", Json::value_t::array))
    out.scores.push_back(detail::score_from_object(score));
  for (const Json& timing : member(json, "timings", Json::value_t::array))
    out.timings.push_back(timing_from(timing));
  for (const auto& [name, fact] : member(json, "facts", Json::value_t::object).items())
    out.facts.push_back({name, fact.dump()});
  return out;
}

}  // namespace synthema
