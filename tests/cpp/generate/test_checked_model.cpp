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

TEST_CASE("what failed stays as it was, and a stop text ends an answer without a form only") {
  CheckedModel failing(ScriptedModel([](const CompletionRequest&) { return scripted_failure("Broken."); }));
  CHECK(complete(failing, {Prompt::plain("Well?").among({"yes"})}).front().failure == "Broken.");
  CHECK(answered(Prompt::plain("Well?").until("."), "One. Two.").text == "One");
  CHECK(answered(Prompt::plain("Well?").until("e").among({"yes"}), "yes").text == "yes");
}
