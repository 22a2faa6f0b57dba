#include <doctest/doctest.h>

#include <set>

#include "synthema/model/any_completion_model.hpp"
#include "synthema/model/ngram_model.hpp"
#include "synthema/model/scripted_model.hpp"

using namespace synthema;

namespace {

struct Archetype {
  void submit(std::vector<CompletionRequest>) {}
  std::vector<FinishedCompletion> poll() { return {}; }
  void discard() {}
  const char* digest() const { return "a"; }
  const char* numeric_path() const { return "a"; }
  ModelLocation location() const { return ModelLocation::in_process; }
};
struct NoLocation {
  void submit(std::vector<CompletionRequest>);
  std::vector<FinishedCompletion> poll();
  void discard();
  const char* digest() const;
  const char* numeric_path() const;
};
struct SinglePoll : Archetype {
  FinishedCompletion poll();
};
static_assert(CompletionModel<Archetype>);
static_assert(!CompletionModel<NoLocation>);
static_assert(!CompletionModel<SinglePoll>);

CompletionRequest request(std::uint64_t id, Prompt prompt, double temperature = 1, std::uint32_t most = 50) {
  Sampling sampling;
  sampling.temperature = temperature, sampling.max_tokens = most;
  return CompletionRequest(id, std::move(prompt), sampling, Random(id));
}

}  // namespace

TEST_CASE("a scripted model is late, out of order and forgetful as told") {
  ScriptedModel model(
      {{"a", "one"}, {"b", "two words"}},
      {.delay = [](const CompletionRequest& r) { return r.id == 1 ? 2u : 0u; }, .newest_first = true});
  std::vector<CompletionRequest> requests;
  requests.push_back(request(1, Prompt::plain("a")));
  requests.push_back(request(2, Prompt::user("b")));
  requests.push_back(request(3, Prompt::plain("c")));
  model.submit(std::move(requests));
  const auto first = model.poll();
  REQUIRE(first.size() == 2);
  CHECK(first[0].id == 3);
  CHECK(first[0].completion.finish == Finish::failed);
  CHECK(first[1].completion.text == "two words");
  CHECK(first[1].completion.tokens.free == 2);
  CHECK(model.poll().empty());
  CHECK(model.under_way() == 1);
  CHECK(model.poll().at(0).id == 1);
  model.submit({request(4, Prompt::plain("a"))});
  model.discard();
  CHECK(model.poll().empty());
}

TEST_CASE("an n-gram model writes what it has read, ends, stops and chooses") {
  const NgramModel model({"the cat sat down .", "the dog ran off ."}, 3);
  std::set<std::string> seen;
  for (std::uint64_t id = 0; id < 50; ++id) {
    const Completion c = model.answer(request(id, Prompt::user("?")));
    CHECK(c.finish == Finish::stop);
    CHECK(c == model.answer(request(id, Prompt::user("?"))));
    seen.insert(c.text);
  }
  CHECK(seen == std::set<std::string>{"the cat sat down .", "the dog ran off ."});
  CHECK(model.answer(request(1, Prompt::plain("the cat"))).text == "sat down .");
  CHECK(model.answer(request(1, Prompt::plain("the cat"), 1, 2)).finish == Finish::length);
  CHECK(model.answer(request(1, Prompt::plain("the cat").until(" down"))).text == "sat");
  const Completion choice = model.answer(request(1, Prompt::plain("x").among({"yes", "no"})));
  CHECK(choice.finish == Finish::constraint);
  CHECK((choice.text == "yes" || choice.text == "no"));
  CHECK(choice.tokens.masked == 1);
  CHECK(model.answer(request(1, Prompt::user("?"), 0)).text ==
        model.answer(request(2, Prompt::user("?"), 0)).text);
  CHECK(model.digest() != NgramModel({"the cat sat down .", "the dog ran off ."}, 2).digest());
  CHECK_THROWS_AS(NgramModel({" "}), ConfigError);
  CHECK_THROWS_AS(NgramModel({"a"}, 1), ConfigError);
}
