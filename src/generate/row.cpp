#include "synthema/generate/row.hpp"

#include <nlohmann/json.hpp>

#include "synthema/data/digest.hpp"
#include "synthema/data/json.hpp"

namespace synthema {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSeal = ",\"seal\":\"";
constexpr std::size_t kSealTail = kSeal.size() + 64 + 2;  // ...<64 digits>"}

std::string json_text(std::string_view text) {
  return to_json(Value(text));
}

Json provenance_json(const Provenance& p) {
  const Json tokens{{"prompt", p.tokens.prompt},
                    {"free", p.tokens.free},
                    {"masked", p.tokens.masked},
                    {"forced", p.tokens.forced}};
  return Json{{"generator", p.generator}, {"strategy", p.strategy},
              {"model", p.model},         {"numeric_path", p.numeric_path},
              {"library", p.library},     {"seed", p.seed},
              {"digest", p.digest},       {"exemplars", p.exemplars},
              {"tokens", tokens},         {"questions", p.questions},
              {"finish", p.finish},       {"answers", p.answers}};
}

Provenance provenance_from(const Json& j) {
  Provenance p;
  j.at("generator").get_to(p.generator);
  j.at("strategy").get_to(p.strategy);
  j.at("model").get_to(p.model);
  j.at("numeric_path").get_to(p.numeric_path);
  j.at("library").get_to(p.library);
  j.at("seed").get_to(p.seed);
  j.at("digest").get_to(p.digest);
  j.at("exemplars").get_to(p.exemplars);
  const Json& tokens = j.at("tokens");
  tokens.at("prompt").get_to(p.tokens.prompt);
  tokens.at("free").get_to(p.tokens.free);
  tokens.at("masked").get_to(p.tokens.masked);
  tokens.at("forced").get_to(p.tokens.forced);
  j.at("questions").get_to(p.questions);
  j.at("finish").get_to(p.finish);
  j.at("answers").get_to(p.answers);
  return p;
}

void check_seal(std::string_view line, const Location& where) {
  const bool shaped = line.size() > kSealTail && line.ends_with("\"}") &&
                      line.substr(line.size() - kSealTail, kSeal.size()) == kSeal;
  if (!shaped) throw ParseError(where, "The line is not a row of a run folder: it does not end in a seal.");
  const std::string_view body = line.substr(0, line.size() - kSealTail);
  if (sha256_hex(body) != line.substr(line.size() - 66, 64))
    throw ParseError(where,
                     "The seal does not fit the line: the row was changed or damaged after it was written.");
}

RowOutcome outcome_from(const Json& j, const Location& where) {
  RowOutcome o;
  j.at("row").get_to(o.row);
  j.at("attempt").get_to(o.attempt);
  o.condition = record_from_json(j.at("condition").dump(), where);
  o.values = record_from_json(j.at("values").dump(), where);
  if (j.contains("check")) {
    j.at("check").get_to(o.check);
    j.at("reason").get_to(o.reason);
    j.at("last").get_to(o.last);
    j.at("must_not_leave").get_to(o.must_not_leave);
  }
  o.provenance = provenance_from(j.at("provenance"));
  return o;
}

}  // namespace

std::string to_json(const RowOutcome& o) {
  std::string line = message("{\"row\":", o.row, ",\"attempt\":", o.attempt);
  if (!o.accepted()) {
    line += ",\"check\":" + json_text(o.check) + ",\"reason\":" + json_text(o.reason);
    line += std::string(",\"last\":") + (o.last ? "true" : "false");
    line += std::string(",\"must_not_leave\":") + (o.must_not_leave ? "true" : "false");
  }
  line += ",\"values\":" + to_json(o.values) + ",\"condition\":" + to_json(o.condition);
  line += ",\"provenance\":" + provenance_json(o.provenance).dump();
  const std::string seal = sha256_hex(line);
  return line + std::string(kSeal) + seal + "\"}";
}

RowOutcome row_outcome_from_json(std::string_view line, const Location& where) {
  check_seal(line, where);
  try {
    RowOutcome outcome = outcome_from(Json::parse(line), where);
    if (to_json(outcome) != line)  // a key that is unknown or said twice, which others who read it may take
      throw ParseError(where,
                       "The line has a good seal but says more than a row does, or in another way; it was "
                       "written by another version or by hand.");
    return outcome;
  } catch (const Json::exception&) {  // its message would quote the line
    throw ParseError(where,
                     "The line has a good seal but is not the JSON of a row; it was written by another "
                     "version or by hand.");
  }
}

}  // namespace synthema
