#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "synthema/prompt/any_prompt_strategy.hpp"
#include "synthema/prompt/exchange.hpp"

using namespace synthema;

namespace {

Completion text(std::string t) {
  Completion c;
  c.text = std::move(t);
  return c;
}

// Counts how many of it are alive, to see that every path destroys the coroutine's locals once.
struct Tracked {
  explicit Tracked(int& alive) : alive_(&alive) { ++*alive_; }
  Tracked(const Tracked& other) : alive_(other.alive_) { ++*alive_; }
  ~Tracked() { --*alive_; }
  int* alive_;
};

Exchange one(Task task, Random) {
  const Completion c = co_await ask(Prompt::user("Name of a long symptom, longer than any small buffer"));
  co_return Draft({{"text", c.text}, {"row", static_cast<std::int64_t>(task.row)}});
}

Exchange several(Task, Random) {
  std::vector<Prompt> prompts;
  for (int i = 0; i < 5; ++i) prompts.push_back(Prompt::plain("Question number " + std::to_string(i)));
  const std::vector<Completion> answers = co_await ask(std::move(prompts));
  std::string all;
  for (const Completion& c : answers) all += c.text;
  co_return Draft({{"text", all}});
}

Exchange nothing(Task, Random) {
  const std::vector<Completion> none = co_await ask(std::vector<Prompt>());
  co_return Draft({{"count", static_cast<std::int64_t>(none.size())}});
}

Exchange silent(Task task, Random) {
  co_return Draft(std::move(task.condition));
}

Exchange looping(Task, Random) {
  std::string all;
  for (;;) {
    const Completion c = co_await ask(Prompt::plain("So far, in one long line: " + all).until("\n"));
    if (c.text == "stop") break;
    all += c.text;
  }
  co_return Draft({{"text", all}});
}

Exchange early(Task, Random) {
  const Completion c = co_await ask(Prompt::user("Is there anything to say about this patient?"));
  if (c.text == "no") co_return Draft({{"text", "early"}});
  const Completion d = co_await ask(Prompt::user("Say it."));
  co_return Draft({{"text", d.text}});
}

Exchange throwing(Task task, Random, int* alive) {
  const Tracked here(*alive);
  if (task.row == 0) throw GenerationError("Before the first question.");
  const Completion c = co_await ask(Prompt::user("A question that is long enough to live on the heap"));
  throw GenerationError("After: " + c.text);
}

Exchange waiting(Task, Random, int* alive) {
  const Tracked outer(*alive);
  const std::string kept(100, 'x');
  {
    const Tracked inner(*alive);
    const Completion c =
        co_await ask(Prompt::user("First of two questions, both longer than a small buffer"));
    const Tracked after(*alive);
    const std::vector<Completion> more = co_await ask(std::vector<Prompt>(3, Prompt::user(c.text)));
  }
  co_return Draft({{"text", kept}});
}

}  // namespace

TEST_CASE("one question: asked, answered, returned") {
  Task task;
  task.row = 7;
  Exchange e = one(task, Random(1));
  e.start();
  REQUIRE(!e.done());
  REQUIRE(e.questions().size() == 1);
  CHECK(e.questions()[0].messages[0].text.starts_with("Name of"));
  e.answer({text("Fatigue")});
  REQUIRE(e.done());
  CHECK(e.take() == Draft({{"text", "Fatigue"}, {"row", std::int64_t{7}}}));
}

TEST_CASE("several questions at once are answered in their order") {
  Exchange e = several({}, Random(1));
  e.start();
  REQUIRE(e.questions().size() == 5);
  CHECK(e.questions()[3].text == "Question number 3");
  e.answer({text("a"), text("b"), text("c"), text("d"), text("e")});
  CHECK(e.take().values.at("text").text() == "abcde");
}

TEST_CASE("asking for nothing is answered at once, and so is not asking at all") {
  Exchange e = nothing({}, Random(1));
  e.start();
  REQUIRE(e.done());
  CHECK(e.take().values.at("count") == Value(std::int64_t{0}));
  Task task;
  task.condition = {{"age", std::int64_t{45}}};
  Exchange s = silent(task, Random(1));
  s.start();
  REQUIRE(s.done());
  CHECK(s.take().values == task.condition);
}

TEST_CASE("a loop asks as often as it likes") {
  Exchange e = looping({}, Random(1));
  e.start();
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    REQUIRE(e.questions().size() == 1);
    CHECK(e.questions()[0].text == "So far, in one long line: " + expected);
    CHECK(e.questions()[0].stop == std::vector<std::string>{"\n"});
    e.answer({text("word ")});
    expected += "word ";
  }
  e.answer({text("stop")});
  CHECK(e.take().values.at("text").text() == expected);
}

TEST_CASE("an early return ends the exchange") {
  for (const bool end : {true, false}) {
    Exchange e = early({}, Random(1));
    e.start();
    e.answer({text(end ? "no" : "yes")});
    CHECK(e.done() == end);
    if (!end) e.answer({text("late")});
    CHECK(e.take().values.at("text").text() == (end ? "early" : "late"));
  }
}

TEST_CASE("exceptions come out of start and answer, and the locals are destroyed once") {
  int alive = 0;
  Task task;
  {
    Exchange before = throwing(task, Random(1), &alive);
    CHECK_THROWS_WITH_AS(before.start(), "Before the first question.", GenerationError);
  }
  CHECK(alive == 0);
  task.row = 1;
  {
    Exchange after = throwing(task, Random(1), &alive);
    after.start();
    CHECK(alive == 1);
    CHECK_THROWS_WITH_AS(after.answer({text("x")}), "After: x", GenerationError);
  }
  CHECK(alive == 0);
}

TEST_CASE("an exchange destroyed half-way destroys what lives where it waits") {
  int alive = 0;
  {
    const Exchange never_started = waiting({}, Random(1), &alive);
  }
  CHECK(alive == 0);
  {
    Exchange e = waiting({}, Random(1), &alive);
    e.start();
    CHECK(alive == 2);
  }
  CHECK(alive == 0);
  {
    Exchange e = waiting({}, Random(1), &alive);
    e.start();
    e.answer({text("go on")});
    CHECK(alive == 3);
    CHECK(e.questions().size() == 3);
    e = Exchange();  // the way the driver drops one
    CHECK(alive == 0);
  }
  CHECK(alive == 0);
}

TEST_CASE("a wrong number of answers is refused and changes nothing") {
  Exchange e = several({}, Random(1));
  e.start();
  CHECK_THROWS_AS(e.answer({text("a")}), GenerationError);
  CHECK(e.questions().size() == 5);
}

namespace {

// A strategy with several questions: a claim, then a sentence for it and one against it, both at once.
struct SentencePair {
  std::string_view name() const { return "sentence_pair"; }
  Exchange compose(Task task, Random) const {
    const Completion claim = co_await ask(Prompt::user("A claim about " + task.condition.at("topic").text()));
    std::vector<Prompt> both;
    both.push_back(Prompt::user("Support: " + claim.text));
    both.push_back(Prompt::user("Refute: " + claim.text));
    const std::vector<Completion> sentences = co_await ask(std::move(both));
    co_return Draft({{"claim", claim.text}, {"support", sentences[0].text}, {"refute", sentences[1].text}});
  }
};
static_assert(PromptStrategy<SentencePair>);

// The least type accepted, and near misses.
struct Archetype {
  Archetype(Archetype&&) = default;
  Archetype& operator=(Archetype&&) = default;
  const char* name() const { return "archetype"; }
  Exchange compose(Task, Random) const { co_return Draft(); }
};
static_assert(PromptStrategy<Archetype>);
struct NoName {
  Exchange compose(Task, Random) const;
};
struct NotConst {
  std::string_view name() const;
  Exchange compose(Task, Random);
};
struct ReturnsDraft {
  std::string_view name() const;
  Draft compose(Task, Random) const;
};
struct TakesNoRandom {
  std::string_view name() const;
  Exchange compose(Task) const;
};
static_assert(!PromptStrategy<NoName>);
static_assert(!PromptStrategy<NotConst>);
static_assert(!PromptStrategy<ReturnsDraft>);
static_assert(!PromptStrategy<TakesNoRandom>);
static_assert(!PromptStrategy<int>);

}  // namespace

TEST_CASE("a two-step sentence pair, through the erased form") {
  const AnyPromptStrategy strategy = SentencePair();
  Task task;
  task.condition = {{"topic", "migraine"}};
  Exchange e = strategy.compose(task, Random(3));
  e.start();
  CHECK(e.questions()[0].messages[0].text == "A claim about migraine");
  e.answer({text("It hurts.")});
  REQUIRE(e.questions().size() == 2);
  CHECK(e.questions()[1].messages[0].text == "Refute: It hurts.");
  e.answer({text("Yes."), text("No.")});
  CHECK(e.take().values == Record{{"claim", "It hurts."}, {"support", "Yes."}, {"refute", "No."}});
}
