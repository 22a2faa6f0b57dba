#include <doctest/doctest.h>

#include <map>
#include <set>

#include "model/toy_tokenizer.hpp"
#include "synthema/data/json.hpp"
#include "synthema/model/complete.hpp"
#include "synthema/model/engine.hpp"
#include "synthema/model/toy_language_model.hpp"

using namespace synthema;
using synthema::testing::ToyTokenizer;

namespace {

const std::vector<std::string> kPieces{"yes", "no", " and", "the ", "e\xCC\x81"};

// Text-like toy: printable ASCII is likely, everything else impossible, the end rare.
class Prose : public ToyLanguageModel {
 public:
  using ToyLanguageModel::ToyLanguageModel;
  std::vector<std::span<const float>> forward(std::span<const SlotStep> steps) {
    rows_.clear();
    std::size_t k = 0;
    const auto raw = ToyLanguageModel::forward(steps);
    for (const SlotStep& step : steps) {
      if (!step.wants_logits) continue;
      rows_.emplace_back(raw[k].begin(), raw[k].end());
      for (std::size_t i = 0; i < rows_.back().size(); ++i) {
        const std::size_t id = step.allowed.empty() ? i : static_cast<std::size_t>(step.allowed[i]);
        if (id < 32 || (id >= 127 && id < 256)) rows_.back()[i] -= 1000;
        if (id >= 256 + kPieces.size()) rows_.back()[i] -= 3;
      }
      ++k;
    }
    return {rows_.begin(), rows_.end()};
  }

 private:
  std::vector<std::vector<float>> rows_;
};

using Toy = Engine<Prose, ToyTokenizer>;
static_assert(CompletionModel<Toy>);

Toy toy(EngineOptions options = {}, std::size_t context = 400) {
  const ToyTokenizer tokenizer(kPieces, {"<end>", "<|im_start|>", "<|im_end|>"});
  return Toy(Prose(tokenizer.vocabulary_size(), context, 1), tokenizer, ChatTemplate::named("chatml"),
             {"toy", "toy"}, options);
}

Sampling limit(std::uint32_t tokens, double temperature = 1) {
  Sampling s;
  s.max_tokens = tokens;
  s.temperature = temperature;
  return s;
}

CompletionRequest request(std::uint64_t id, Prompt prompt, Sampling s = limit(30)) {
  return CompletionRequest(id, std::move(prompt), s, Random::for_call(1, id, 0, 0));
}

std::map<std::uint64_t, Completion> answers(Toy& engine, std::vector<CompletionRequest> requests) {
  std::map<std::uint64_t, Completion> out;
  const std::size_t n = requests.size();
  engine.submit(std::move(requests));
  for (int poll = 0; poll < 10000 && out.size() < n; ++poll)
    for (FinishedCompletion& one : engine.poll()) out[one.id] = std::move(one.completion);
  REQUIRE(out.size() == n);
  return out;
}

std::vector<CompletionRequest> mixed_requests() {
  std::vector<CompletionRequest> out;
  const std::string shared = "Once upon a time there was a long example that all prompts begin with. ";
  for (std::uint64_t i = 0; i < 64; ++i) {
    Prompt prompt = Prompt::plain((i % 3 != 0 ? shared : "Other ") + std::to_string(i * 7919));
    if (i % 5 == 0) prompt.stop = {"a", "qu"};
    if (i % 7 == 0 && i % 13 > 2) prompt.choices = {"yes", "yesterday", "no", "nobody knows"};
    if (i % 13 == 1) prompt.pattern = "(the |yes )[a-f]{1,30} and (no|[0-9]+)";
    if (i % 13 == 2)
      prompt.json_schema = R"({"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":200},
        "note":{"type":"string","maxLength":20}},"required":["n","note"]})";
    if (i % 11 == 0) prompt = Prompt::chat("Be brief.", "Question " + std::to_string(i));
    out.push_back(request(i, std::move(prompt), limit(1 + static_cast<std::uint32_t>(i % 40))));
  }
  return out;
}

}  // namespace

TEST_CASE("an answer is the same alone, among 64, in any order, with few slots or many, shared or not") {
  std::map<std::uint64_t, Completion> alone;
  for (CompletionRequest& one : mixed_requests()) {
    Toy engine = toy();
    const std::uint64_t id = one.id;
    std::vector<CompletionRequest> single;
    single.push_back(std::move(one));
    alone[id] = answers(engine, std::move(single)).at(id);
  }
  std::set<Finish> kinds;
  for (const auto& [id, completion] : alone) kinds.insert(completion.finish);
  CHECK(kinds.contains(Finish::stop));
  CHECK(kinds.contains(Finish::length));
  CHECK(kinds.contains(Finish::constraint));

  for (const std::size_t slots : {1, 5, 64})
    for (const std::size_t rows : {3, 512})
      for (const std::size_t prefixes : {0, 1, 8}) {
        EngineOptions options;
        options.slots = slots, options.prefill_rows = rows, options.shared_prefixes = prefixes;
        Toy engine = toy(options);
        std::vector<CompletionRequest> requests = mixed_requests();
        Random(slots + rows).shuffle(requests);
        CHECK(answers(engine, std::move(requests)) == alone);
        CHECK(engine.model().widest_batch() <= slots);
        CHECK(engine.model().open_slots() <= prefixes);
      }
}

TEST_CASE("a shared prefix is computed once") {
  const std::string prefix(200, 'x');
  const auto cost = [&](std::size_t prefixes) {
    EngineOptions options;
    options.shared_prefixes = prefixes;
    Toy engine = toy(options);
    std::vector<CompletionRequest> requests;
    for (std::uint64_t i = 0; i < 20; ++i)
      requests.push_back(request(i, Prompt::plain(prefix + std::to_string(1000 + i)), limit(1)));
    answers(engine, std::move(requests));
    return engine.model().tokens_computed();
  };
  CHECK(cost(0) == 20 * 204);
  CHECK(cost(8) < 400);
}

TEST_CASE("nested prefixes: the saving counts, not the longest common part") {
  CHECK(detail::worthwhile_prefix({450, 480, 450, 450}, 0, 16) == 450);
  CHECK(detail::worthwhile_prefix({450, 480, 450, 450}, 450, 16) == 480);
  CHECK(detail::worthwhile_prefix({450, 455}, 450, 16) == 450);
  CHECK(detail::worthwhile_prefix({}, 7, 16) == 7);
}

TEST_CASE("limits: tokens, context, stop texts; counts add up") {
  Toy engine = toy();
  const auto out = answers(engine, [] {
    std::vector<CompletionRequest> r;
    r.push_back(request(0, Prompt::plain("abc"), limit(5)));
    r.push_back(request(1, Prompt::plain(std::string(395, 'q')), limit(100)));
    r.push_back(request(2, Prompt::plain(std::string(400, 'q'))));
    r.push_back(request(3, Prompt::plain("")));
    r.push_back(request(4, Prompt({Message("oracle", "hm")})));
    r.push_back(request(5, Prompt::plain("abc").until("")));
    r.push_back(request(6, Prompt::plain("abc"), limit(5, -1)));
    return r;
  }());
  CHECK(out.at(0).finish == Finish::length);
  CHECK(out.at(0).tokens == TokenCounts{3, 5, 0, 0});
  CHECK(out.at(0).log_probability.value() < 0);
  CHECK(out.at(1).tokens.prompt + out.at(1).tokens.generated() <= 400);
  for (const std::uint64_t id : {2, 3, 4, 5, 6}) {
    CAPTURE(id);
    CHECK(out.at(id).finish == Finish::failed);
    CHECK(out.at(id).failure.size() > 20);
    CHECK(out.at(id).text.empty());
  }
}

TEST_CASE("a choice is exactly one of the strings, forced tokens cost no draw, and all choices occur") {
  Toy engine = toy();
  std::vector<CompletionRequest> requests;
  for (std::uint64_t i = 0; i < 200; ++i)
    requests.push_back(
        request(i, Prompt::plain("Q" + std::to_string(i) + ":").among({"yes", "yesterday", "no"})));
  std::map<std::string, int> seen;
  for (const auto& [id, completion] : answers(engine, std::move(requests))) {
    CHECK(completion.finish == Finish::constraint);
    CHECK(completion.tokens.free == 0);
    CHECK(completion.tokens.masked >= 1);
    ++seen[completion.text];
  }
  CHECK(seen.size() == 3);
  CHECK(seen["yes"] + seen["yesterday"] + seen["no"] == 200);

  const Completion only = complete(engine, {Prompt::plain("Say:").among({"maybe"})}, limit(1)).at(0);
  CHECK(only.text == "maybe");
  CHECK(only.finish == Finish::constraint);
  CHECK(only.tokens.masked == 0);
  CHECK(only.tokens.forced > 0);
  CHECK(only.log_probability == 0);
}

TEST_CASE("a form: fixed text is fed, every answer fits, and two forms at once are refused") {
  Toy engine = toy();
  const std::string schema =
      R"({"type":"object","properties":{"patient":{"type":"string","maxLength":40},"age":{"type":"integer","minimum":18,"maximum":90}},
          "required":["patient","age"]})";
  std::vector<CompletionRequest> requests;
  for (std::uint64_t i = 0; i < 100; ++i)
    requests.push_back(request(i, Prompt::plain("Q" + std::to_string(i)).json(schema), limit(12)));
  requests.push_back(request(100, Prompt::plain("Q").json(schema).matching("a")));
  requests.push_back(request(101, Prompt::plain("Q").matching("a(")));
  for (const auto& [id, completion] : answers(engine, std::move(requests))) {
    CAPTURE(completion.text);
    if (id >= 100) {
      CHECK(completion.finish == Finish::failed);
      CHECK(completion.failure.size() > 30);
      continue;
    }
    REQUIRE(completion.finish == Finish::constraint);
    const Record record = record_from_json(completion.text);
    const std::int64_t age = *record.at("age").get_if<std::int64_t>();
    CHECK((age >= 18 && age <= 90));
    CHECK(record.at("patient").text().size() <= 40 * 4);
    CHECK(completion.tokens.free == 0);
    CHECK(completion.tokens.forced >= 10);
  }
}

TEST_CASE("requests are served in the order of submission and discard forgets them") {
  EngineOptions options;
  options.slots = 1;
  Toy engine = toy(options);
  std::vector<CompletionRequest> requests;
  for (const std::uint64_t id : {4, 2, 9}) requests.push_back(request(id, Prompt::plain("go"), limit(3)));
  engine.submit(std::move(requests));
  std::vector<std::uint64_t> order;
  for (int i = 0; i < 50; ++i)
    for (const FinishedCompletion& one : engine.poll()) order.push_back(one.id);
  CHECK(order == std::vector<std::uint64_t>{4, 2, 9});

  engine.submit({request(1, Prompt::plain("a")), request(2, Prompt::plain("b"))});
  engine.poll();
  engine.discard();
  for (int i = 0; i < 50; ++i) CHECK(engine.poll().empty());
  CHECK(engine.model().open_slots() == 0);
  CHECK_THROWS_AS(toy([] {
                    EngineOptions o;
                    o.slots = 0;
                    return o;
                  }()),
                  ConfigError);
}

namespace {

// A toy with little memory, and one whose logits break.
class Small : public Prose {
 public:
  using Prose::Prose;
  std::size_t token_capacity() const { return 600; }
};
class Broken : public Prose {
 public:
  using Prose::Prose;
  std::vector<std::span<const float>> forward(std::span<const SlotStep> steps) {
    const auto out = Prose::forward(steps);
    nan_.assign(vocabulary_size(), std::numeric_limits<float>::quiet_NaN());
    return std::vector<std::span<const float>>(out.size(), nan_);
  }

 private:
  std::vector<float> nan_;
};

}  // namespace

TEST_CASE("memory is never promised twice; what cannot fit fails with a sentence") {
  const ToyTokenizer tokenizer(kPieces);
  Engine<Small, ToyTokenizer> engine(Small(tokenizer.vocabulary_size(), 2000, 1), tokenizer,
                                     ChatTemplate::named("none"), {"toy", "toy"});
  std::vector<Prompt> prompts(10, Prompt::plain(std::string(50, 'x') + "y"));
  prompts.push_back(Prompt::plain(std::string(580, 'z')));
  const auto out = complete(engine, prompts, limit(40));
  for (std::size_t i = 0; i < 10; ++i) CHECK(out[i].finish != Finish::failed);
  CHECK(out[10].finish == Finish::failed);
  CHECK(engine.model().widest_batch() <= 6);
}

TEST_CASE("logits that are not finite fail the answer, not the engine") {
  const ToyTokenizer tokenizer(kPieces);
  Engine<Broken, ToyTokenizer> engine(Broken(tokenizer.vocabulary_size(), 100, 1), tokenizer,
                                      ChatTemplate::named("none"), {"toy", "toy"});
  const auto out = complete(engine, {Prompt::plain("a"), Prompt::plain("b")});
  CHECK(out[0].finish == Finish::failed);
  CHECK(out[1].failure.find("not finite") != std::string::npos);
}
