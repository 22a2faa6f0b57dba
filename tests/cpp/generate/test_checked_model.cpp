#include <doctest/doctest.h>

#include "synthema/generate/checked_model.hpp"
#include "synthema/model/complete.hpp"
#include "synthema/model/scripted_model.hpp"

using namespace synthema;

static_assert(CompletionModel<CheckedModel<ScriptedModel>>);

namespace {

Completion answered(const Prompt& prompt, const std::string& answer) {
  CheckedModel model(ScriptedModel([&](const CompletionRequest&) { return scripted_answer(answer); }));
  return complete(model, {prompt}).front();
}

}  // namespace

TEST_CASE("an answer that is not of the form of its prompt fails with a sentence without the answer") {
  const Prompt choice = Prompt::plain("Well?").among({"yes", "no"});
  CHECK(answered(choice, "yes").text == "yes");
  const Completion wrong = answered(choice, "maybe");
  CHECK(wrong.finish == Finish::failed);
  CHECK(wrong.failure == "The answer is none of the choices of the prompt.");
  // Other spellings and another order of keys are the same JSON.
  const Schema schema{.fields = {{.name = "a", .kind = Kind::real}, {.name = "b"}}};
  const Prompt record = Prompt::plain("Well?").json(schema);
  CHECK(answered(record, "{\"b\":\"x\",\"a\":1.50}").finish == Finish::stop);
  CHECK(answered(record, "{\"a\": \"x\"}").finish == Finish::failed);
  const Prompt json =
      Prompt::plain("Well?").json(std::string(R"({"type": "array", "items": {"type": "integer"}})"));
  CHECK(answered(json, "[1,2,3,4,5,6,7,8,9,10]").finish == Finish::stop);
  CHECK(answered(json, "[1, 2.5]").finish == Finish::failed);
  CHECK(answered(json, "[1").finish == Finish::failed);
}

TEST_CASE("rules between the values of a JSON Schema hold for answers that no mask kept to them") {
  const Prompt stay = Prompt::plain("Well?").json(std::string(
      R"({"type": "object", "required": ["sex", "stay"], "properties": {
          "sex": {"enum": ["female", "male"]},
          "stay": {"type": "object", "required": ["from", "to", "weight"], "properties": {
            "from": {"type": "string", "format": "date"}, "to": {"type": "string", "format": "date"},
            "weight": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
            "x-rules": [{"field": "to", "given": "from", "relation": ">="}]}},
          "x-rules": [{"field": "stay.weight", "given": "sex", "labels": ["female"], "maximum": 90}]})"));
  const auto said = [&](const std::string& sex, const std::string& to, const std::string& weight) {
    return answered(stay, R"({"sex":")" + sex + R"(","stay":{"weight":)" + weight + R"(,"to":")" + to +
                              R"(","from":"2024-02-28","ward":"A"}})");
  };
  CHECK(said("female", "2024-02-29", "80").finish == Finish::stop);
  CHECK(said("male", "2024-02-28", "95.0").finish == Finish::stop);
  CHECK(said("female", "2024-03-01", "null").finish == Finish::stop);
  CHECK(
      said("female", "2024-02-29", "91").failure ==
      "The answer does not fit the JSON Schema of the prompt. The field 'stay.weight' breaks its rule, which "
      "depends on 'sex'.");
  CHECK(said("male", "2024-02-27", "1").failure.find("'stay.to' breaks its rule") != std::string::npos);
  CHECK(said("male", "2024-02-29T10:00:00Z", "1").finish == Finish::failed);
}

TEST_CASE("formats of strings, in any of their spellings") {
  const auto allowed = [](const std::string& format, const std::string& text) {
    const Prompt prompt = Prompt::plain("Well?").json(R"({"type": "string", "format": ")" + format + "\"}");
    return answered(prompt, '"' + text + '"').finish == Finish::stop;
  };
  for (const char* time : {"12:30:00Z", "12:30", "23:59:59.25+02:00"}) CHECK(allowed("time", time));
  for (const char* time : {"24:00:00Z", "noon", "12:60"}) CHECK_FALSE(allowed("time", time));
  for (const char* length : {"P3D", "PT1H30M", "P2W", "P1Y2M3DT4H5M6.5S"}) CHECK(allowed("duration", length));
  for (const char* length : {"P", "P3DT", "3 days", ""}) CHECK_FALSE(allowed("duration", length));
  CHECK(allowed("uuid", "123E4567-e89b-12d3-a456-426614174000"));
  CHECK_FALSE(allowed("uuid", "123e4567-e89b-12d3-a456-42661417400"));
  CHECK(allowed("uuid4", "123e4567-e89b-42d3-a456-426614174000"));
  CHECK_FALSE(allowed("uuid4", "123e4567-e89b-12d3-a456-426614174000"));
  CHECK(allowed("date-time", "2024-02-29T12:30:00+01:00"));
  CHECK_FALSE(allowed("date", "2023-02-29"));
  CHECK_FALSE(allowed("date-time", "2024-02-29"));
}

TEST_CASE("what failed stays as it was, and a stop text ends an answer without a form only") {
  CheckedModel failing(ScriptedModel([](const CompletionRequest&) { return scripted_failure("Broken."); }));
  CHECK(complete(failing, {Prompt::plain("Well?").among({"yes"})}).front().failure == "Broken.");
  CHECK(answered(Prompt::plain("Well?").until("."), "One. Two.").text == "One");
  CHECK(answered(Prompt::plain("Well?").until("e").among({"yes"}), "yes").text == "yes");
}
