#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include "model/toy_prose.hpp"
#include "model/toy_tokenizer.hpp"
#include "synthema/data/json.hpp"
#include "synthema/model/complete.hpp"
#include "synthema/model/engine.hpp"
#include "synthema/model/toy_language_model.hpp"

using namespace synthema;
using synthema::testing::kPieces;
using synthema::testing::Prose;
using synthema::testing::ToyTokenizer;

namespace {

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
      for (const std::size_t shared : {0, 150, 10000}) {
        EngineOptions options;
        options.slots = slots, options.prefill_rows = rows, options.shared_tokens = shared;
        Toy engine = toy(options);
        std::vector<CompletionRequest> requests = mixed_requests();
        Random(slots + rows).shuffle(requests);
        CHECK(answers(engine, std::move(requests)) == alone);
        CHECK(engine.model().widest_batch() <= slots + 4);  // and prefixes under way
        CHECK((engine.model().open_slots() > 0) == (shared > 0));
        engine.submit(mixed_requests());
        for (int poll = 0; poll < 5; ++poll) engine.poll();
        engine.discard();
        CHECK(answers(engine, mixed_requests()) == alone);
      }
}

TEST_CASE("a shared prefix is computed once") {
  const std::string prefix(200, 'x');
  const auto cost = [&](std::size_t shared) {
    EngineOptions options;
    options.shared_tokens = shared;
    Toy engine = toy(options);
    std::vector<CompletionRequest> requests;
    for (std::uint64_t i = 0; i < 20; ++i)
      requests.push_back(request(i, Prompt::plain(prefix + std::to_string(1000 + i)), limit(1)));
    answers(engine, std::move(requests));
    return engine.model().tokens_computed();
  };
  CHECK(cost(0) == 20 * 204);
  CHECK(cost(1000) == 202 + 20 * 2);  // "10" too stands before all
}

TEST_CASE("prefixes of several levels are computed once each, and found again when prompts come one by one") {
  const std::string system(100, 's'), a = system + std::string(50, 'a'), b = system + std::string(40, 'b');
  const auto text = [&](std::uint64_t i) { return (i % 2 == 0 ? a : b) + std::to_string(100 + i); };
  Toy together = toy();
  std::vector<CompletionRequest> requests;
  for (std::uint64_t i = 0; i < 30; ++i) requests.push_back(request(i, Prompt::plain(text(i)), limit(1)));
  const auto expected = answers(together, std::move(requests));
  // "1" stands before all numbers, so the levels end one token later than a and b do.
  CHECK(together.model().tokens_computed() < 100 + 50 + 40 + 30 * 3 + 20);

  Toy apart = toy();
  for (std::uint64_t i = 0; i < 30; ++i) {
    std::vector<CompletionRequest> one;
    one.push_back(request(i, Prompt::plain(text(i)), limit(1)));
    CHECK(answers(apart, std::move(one)).at(i) == expected.at(i));
  }
  CHECK(apart.model().tokens_computed() < 4 * (100 + 50 + 40) + 30 * 3);
}

TEST_CASE("the same prompt asked often is read once") {
  Toy engine = toy();
  std::vector<CompletionRequest> requests;
  for (std::uint64_t i = 0; i < 50; ++i)
    requests.push_back(request(i, Prompt::plain(std::string(120, 'q')), limit(1)));
  answers(engine, std::move(requests));
  CHECK(engine.model().tokens_computed() == 119 + 50);
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
    Prompt unending = Prompt::plain("abc");
    unending.stop = {""};
    r.push_back(request(5, unending));
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

namespace {

// Digits, as many as one likes but at least one.
struct Digits {
  std::size_t written = 0;
  void fill_mask(TokenMask& mask) const {
    mask.clear();
    for (TokenId id = '0'; id <= '9'; ++id) mask.allow(id);
  }
  bool accept(TokenId id) {
    if (id < '0' || id > '9') return false;
    ++written;
    return true;
  }
  void rollback(std::size_t n) { written -= n; }
  bool is_complete() const { return written > 0; }
  void reset() { written = 0; }
};

Prompt under_digits(std::size_t vocabulary) {
  Digits used;
  used.written = 7;  // the prototype's own place does not matter
  return Prompt::plain("Count:").under(
      {"digits", std::make_shared<const AnyTokenConstraint>(used, vocabulary)});
}

}  // namespace

TEST_CASE("a constraint that the prompt brings along") {
  Toy engine = toy();
  const std::size_t vocabulary = engine.tokenizer().vocabulary_size();
  std::vector<CompletionRequest> requests;
  for (std::uint64_t i = 0; i < 40; ++i) requests.push_back(request(i, under_digits(vocabulary), limit(5)));
  requests.push_back(request(40, under_digits(vocabulary).among({"a"})));
  requests.push_back(request(41, under_digits(vocabulary + 1)));
  const auto all = answers(engine, requests);
  std::set<Finish> kinds;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const Completion& one = all.at(i);
    kinds.insert(one.finish);
    CHECK(!one.text.empty());
    CHECK(one.text.size() <= 5);
    CHECK(one.text.find_first_not_of("0123456789") == std::string::npos);
    CHECK(one.tokens.free == 0);
    Toy alone = toy();
    CHECK(answers(alone, {requests[i]}).at(i) == one);
  }
  CHECK(kinds.contains(Finish::constraint));
  CHECK(all.at(40).failure.find("exactly one") != std::string::npos);
  CHECK(all.at(41).failure.find("this model's tokenizer") != std::string::npos);
  // What allows the same answers has the same name; the prompt is then the same.
  CHECK(under_digits(3) == under_digits(4));
  CHECK_FALSE(under_digits(3) == Prompt::plain("Count:"));
}

TEST_CASE("a constraint that the prompt brings along is cut at max_tokens, even where it leaves no choice") {
  struct OneEndlessly : Digits {
    void fill_mask(TokenMask& mask) const {
      mask.clear();
      mask.allow('1');
    }
    bool is_complete() const { return false; }
  };
  Toy engine = toy();
  const Prompt prompt =
      Prompt::plain("Count:").under({"ones", std::make_shared<const AnyTokenConstraint>(
                                                 OneEndlessly(), engine.tokenizer().vocabulary_size())});
  const Completion one = complete(engine, {prompt}, limit(6)).at(0);
  CHECK(one.text == "111111");
  CHECK(one.finish == Finish::length);
}

TEST_CASE("a constraint that ends an answer before its text is whole is told") {
  struct AlsoEnds : Digits {
    TokenId end = 0;
    void fill_mask(TokenMask& mask) const {
      mask.clear();
      mask.allow('1');
      mask.allow(end);
    }
    bool is_complete() const { return false; }
  };
  Toy engine = toy();
  AlsoEnds ends;
  ends.end = engine.tokenizer().end_ids().front();
  Prompt prompt = Prompt::plain("Count:").under(
      {"ends", std::make_shared<const AnyTokenConstraint>(ends, engine.tokenizer().vocabulary_size())});
  const Prompt ending = std::move(prompt).with_bias({{"<end>", 50}});
  const Completion one = complete(engine, {ending}, limit(6)).at(0);
  CHECK(one.finish == Finish::failed);
  CHECK(one.failure.find("its text is not whole") != std::string::npos);
}

namespace {

// A model whose file keeps what ends an answer as an ordinary token.
struct EndsInText : ToyTokenizer {
  using ToyTokenizer::ToyTokenizer;
  std::vector<TokenId> end_ids() const { return {'!', ToyTokenizer::end_ids().front()}; }
};

}  // namespace

TEST_CASE("an end that the file keeps as an ordinary token cuts no form short") {
  const EndsInText tokenizer(kPieces, {"<end>", "<|im_start|>", "<|im_end|>"});
  Engine<Prose, EndsInText> engine(Prose(tokenizer.vocabulary_size(), 400, 1), tokenizer,
                                   ChatTemplate::named("chatml"), {"toy", "toy"});
  const Prompt asked = Prompt::plain("Note:").matching("[a-z!]{8}").with_bias({{"!", 50}});
  const Completion one = complete(engine, {asked}, limit(20)).at(0);
  CHECK(one.finish == Finish::constraint);
  CHECK(one.text.size() == 8);
  CHECK(one.text.find('!') == std::string::npos);
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

TEST_CASE("a form whose shortest answer the context cannot hold is refused before anything is computed") {
  Toy engine = toy();
  const std::string_view why = "Too much is left to write for the ";
  const std::vector<Prompt> hopeless{
      Prompt::plain("a").matching("(a{1000}){1000}"), Prompt::plain("a").matching("[a-z]{9000,}"),
      Prompt::plain("a").among({std::string(5000, 'x'), std::string(6000, 'y')}),
      Prompt::plain("a").json(R"({"type":"array","items":{"type":"integer"},"minItems":2000})")};
  for (const Completion& completion : complete(engine, hopeless, limit(5))) {
    CAPTURE(completion.failure);
    CHECK(completion.finish == Finish::failed);
    CHECK(completion.failure.starts_with(why));
  }
  CHECK(engine.model().tokens_computed() == 0);
  // A way beside a short one that cannot be finished is not taken.
  for (const Completion& completion :
       complete(engine, std::vector<Prompt>(40, Prompt::plain("a").matching("b|c{9000}")), limit(5)))
    CHECK(completion.text == "b");
  // What fits is not touched, whatever max_tokens is.
  CHECK(complete(engine, {Prompt::plain("a").matching("x{300}")}, limit(5))[0].text == std::string(300, 'x'));
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
  CHECK(engine.model().open_slots() == 0);  // one-token prompts share nothing
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

TEST_CASE("thousands of requests wait their turn; none is overtaken for ever") {
  EngineOptions options;
  options.slots = 8;
  options.prefill_rows = 16;
  Toy engine = toy(options);
  std::vector<CompletionRequest> requests;
  for (std::uint64_t i = 0; i < 3000; ++i)  // every hundredth is long
    requests.push_back(request(i,
                               Prompt::plain(std::string(i % 100 == 0 ? 300 : 10, 'x') + std::to_string(i)),
                               limit(2 + static_cast<std::uint32_t>(i % 3))));
  engine.submit(std::move(requests));
  std::map<std::uint64_t, std::size_t> when;
  for (std::size_t poll = 0; when.size() < 3000 && poll < 100000; ++poll)
    for (const FinishedCompletion& one : engine.poll()) when[one.id] = poll;
  REQUIRE(when.size() == 3000);
  for (const auto& [id, poll] : when)  // whoever came 200 places later came later
    if (id >= 200) CHECK(when.at(id - 200) < poll);
}

TEST_CASE("draws go on while a long prompt is read") {
  EngineOptions options;
  options.prefill_rows = 8;
  Toy engine = toy(options);
  engine.submit({request(1, Prompt::plain(std::string(300, 'p')), limit(1)),
                 request(2, Prompt::plain("a"), limit(20))});
  std::map<std::uint64_t, int> when;
  for (int poll = 0; when.size() < 2 && poll < 1000; ++poll)
    for (const FinishedCompletion& one : engine.poll()) when[one.id] = poll;
  CHECK(when.at(2) < when.at(1));
  CHECK(when.at(1) < 300 / 8 + 3);
}

TEST_CASE("log-probabilities of every token, on request, add up") {
  Toy engine = toy();
  Sampling s = limit(12);
  s.log_probabilities = true;
  const auto out =
      complete(engine, {Prompt::plain("abc"), Prompt::plain("Q:").among({"yes", "yesterday", "no"})}, s);
  for (const Completion& completion : out) {
    CHECK(completion.token_log_probabilities.size() == completion.token_ids.size());
    double sum = 0;
    for (const double x : completion.token_log_probabilities) {
      CHECK(x <= 0);
      sum += x;
    }
    CHECK(sum == doctest::Approx(completion.log_probability.value()));
  }
  CHECK(complete(engine, {Prompt::plain("abc")}, limit(12))[0].token_log_probabilities.empty());

  // The same numbers from scoring the text that stands.
  std::vector<TokenId> text{'a', 'b', 'c'};
  text.insert(text.end(), out[0].token_ids.begin(), out[0].token_ids.end());
  const std::vector<std::vector<TokenId>> texts{text, {}, {'x'}, {'a', 'b', 'c', 'd'}};
  for (const std::size_t rows : {1, 7, 512}) {
    EngineOptions options;
    options.prefill_rows = rows;
    Toy scorer = toy(options);
    const auto scores = scorer.score(texts);
    REQUIRE(scores[0].size() == text.size() - 1);
    for (std::size_t i = 0; i < out[0].token_ids.size(); ++i)
      CHECK(scores[0][i + 2] == out[0].token_log_probabilities[i]);
    CHECK(scores[1].empty());
    CHECK(scores[2].empty());
    CHECK(scores[3].size() == 3);
    CHECK(scorer.model().open_slots() == 0);
  }
  CHECK_THROWS_AS(engine.score(std::vector<std::vector<TokenId>>{std::vector<TokenId>(500, 1)}), ModelError);
}

TEST_CASE("scoring can be stopped between its steps, and nothing stays open") {
  EngineOptions options;
  options.prefill_rows = 4;
  Toy scorer = toy(options);
  const std::vector<std::vector<TokenId>> texts(3, {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'});
  int steps = 0;
  const auto stop = [&] {
    if (++steps == 2) throw Cancelled("Stop.");
  };
  CHECK_THROWS_AS(scorer.score(texts, stop), Cancelled);
  CHECK(scorer.model().open_slots() == 0);
  CHECK(scorer.score(texts).size() == 3);
}

TEST_CASE("what texts to be scored begin with is read once, and their scores stay as they are") {
  const auto tokens = [](const std::string& text) { return ToyTokenizer(kPieces).encode(text); };
  const std::string system(150, 's'), exemplars = system + std::string(140, 'e');
  std::vector<std::vector<TokenId>> texts;
  for (std::size_t i = 0; i < 40; ++i) {
    texts.push_back(tokens((i % 3 == 0 ? system : exemplars) + std::to_string(7919 * i)));
    if (i % 5 == 0) texts.push_back(tokens("alone " + std::to_string(i)));
  }
  texts.push_back(tokens(exemplars));  // the beginning itself
  texts.push_back(texts[3]);           // the same again
  texts.emplace_back();
  std::vector<std::vector<double>> apart;
  for (const std::vector<TokenId>& text : texts) {
    Toy scorer = toy();
    apart.push_back(scorer.score(std::span(&text, 1)).front());
  }
  for (const std::size_t rows : {1, 20, 512}) {
    EngineOptions options;
    options.prefill_rows = rows;
    Toy scorer = toy(options), unshared = toy([&] {
                                 EngineOptions o = options;
                                 o.shared_tokens = 0;
                                 return o;
                               }());
    CHECK(scorer.score(texts) == apart);
    CHECK(scorer.model().tokens_computed() < 150 + 140 + 42 * 20);
    CHECK(scorer.model().open_slots() == 0);
    CHECK(unshared.score(texts) == apart);
    CHECK(unshared.model().tokens_computed() > 40 * 150);
  }
  // Little memory: bases and what stands behind them take turns.
  const ToyTokenizer tokenizer(kPieces);
  Engine<Small, ToyTokenizer> small(Small(tokenizer.vocabulary_size(), 400, 1), tokenizer,
                                    ChatTemplate::named("none"), {"toy", "toy"});
  CHECK(small.score(texts).back().empty());
  CHECK(small.model().open_slots() == 0);
  texts.emplace_back(500, 1);
  CHECK_THROWS_AS(small.score(texts), ModelError);
  CHECK(small.model().open_slots() == 0);
}

TEST_CASE("banned texts cannot occur however they are split; biases and minimum lengths hold") {
  Toy engine = toy();
  std::vector<Prompt> prompts;
  for (int i = 0; i < 60; ++i)
    prompts.push_back(Prompt::plain("p" + std::to_string(i)).without({"e", "the", "no", "s an", "~"}));
  for (const Completion& completion : complete(engine, prompts, limit(40)))
    for (const char* banned : {"e", "the", "no", "s an", "~"})
      CHECK(completion.text.find(banned) == std::string::npos);

  std::vector<Prompt> stopped;
  for (int i = 0; i < 60; ++i)
    stopped.push_back(Prompt::plain("q" + std::to_string(i)).until("a").until("yes"));
  std::size_t shortest = 1000;
  Sampling s = limit(200);
  s.min_tokens = 25;
  for (const Completion& completion : complete(engine, stopped, s)) {
    CHECK(completion.finish == Finish::stop);
    shortest = std::min<std::size_t>(shortest, completion.tokens.free);
  }
  CHECK(shortest >= 26);  // the last one stopped it
  CHECK(shortest < 60);

  Prompt biased = Prompt::plain("abc");
  biased.bias = {{"yes", 50}};
  CHECK(complete(engine, {biased}, limit(3))[0].text == "yesyesyes");
  biased.bias = {{"<end>", 100}};
  CHECK(complete(engine, {biased}, limit(3))[0].text.empty());
  biased.bias = {{"yes", 1e39}};  // infinite as a float
  CHECK(complete(engine, {biased}, limit(3))[0].finish == Finish::failed);
  biased.bias = {{"no such token", 1}};
  CHECK(complete(engine, {biased}, limit(3))[0].finish == Finish::failed);
  Prompt mute = Prompt::plain("a");
  mute.banned = {""};
  CHECK(complete(engine, {mute}, limit(3))[0].finish == Finish::failed);

  // What a form writes without a draw is no way around a ban.
  for (const char* banned : {"yes", "es", "y"}) {
    const Completion fixed =
        complete(engine, {Prompt::plain("a").among({"yes"}).without({banned})}, limit(9))[0];
    CHECK(fixed.finish == Finish::failed);
    CHECK(fixed.failure.find("banned text") != std::string::npos);
  }
  CHECK(complete(engine, {Prompt::plain("a").among({"yes"}).without({"yess"})}, limit(9))[0].text == "yes");
}

TEST_CASE("a ban on all that may be written fails the answer and says so, without the text") {
  Toy engine = toy();
  constexpr double never = -std::numeric_limits<double>::infinity();
  const auto choice = [] { return Prompt::plain("a").among({"cat", "car"}); };
  Prompt by_bias = choice(), by_both = choice().without({"t"});
  by_bias.bias = {{"t", never}, {"r", never}};
  by_both.bias = {{"r", never}};
  Prompt without_form = Prompt::plain("a").without({});
  for (int byte = 0; byte < 256; ++byte) without_form.banned.emplace_back(1, static_cast<char>(byte));
  without_form.bias = {{"<end>", never}, {"<|im_start|>", never}, {"<|im_end|>", never}};
  const std::vector<std::pair<Prompt, std::string>> stuck{
      {choice().without({"t", "x", "ar"}),
       "Every text that fits the choices holds a banned text (banned texts 1, 3); change the choices or ban "
       "less."},
      {by_bias, "No text that fits the choices can be spelt with the tokens that the biases of -infinity"},
      {by_both, "No text that fits the choices can be spelt with the tokens that the biases of -infinity"},
      {Prompt::plain("a").among({"yes"}).without({"es"}),
       "Every text that fits the choices holds a banned text (banned text 1);"},
      {Prompt::plain("a").matching("x[ab]{3}").without({"a", "b"}),
       "Every text that fits the regular expression holds a banned text (banned texts 1, 2);"},
      {without_form,
       "After 0 tokens of the answer, all that may follow is forbidden (banned texts 1, 2, 3, 4, 5 and 251 "
       "more and a bias of -infinity); forbid less."}};
  std::vector<Prompt> prompts{choice().without({"t"})};  // one way is left
  for (const auto& [prompt, why] : stuck) prompts.push_back(prompt);
  const std::vector<Completion> out = complete(engine, prompts, limit(9));
  CHECK(out[0].text == "car");
  for (std::size_t i = 0; i < stuck.size(); ++i) {
    CAPTURE(out[i + 1].failure);
    CHECK(out[i + 1].finish == Finish::failed);
    CHECK(out[i + 1].failure.find(stuck[i].second) != std::string::npos);
    CHECK(out[i + 1].tokens.generated() == 0);
  }
}

TEST_CASE("no answer in a form walks to where bans or the context leave no end") {
  Toy engine = toy({}, 150);
  constexpr double never = -std::numeric_limits<double>::infinity();
  std::vector<Prompt> prompts;
  for (int i = 0; i < 40; ++i) {
    const std::string asked = "p" + std::to_string(i);
    prompts.push_back(Prompt::plain(asked).matching("x[ab]{3}y").without({"ay", "bb"}));
    prompts.push_back(Prompt::plain(asked).among({"cat", "car", "dog"}));
    prompts.back().bias = {{"g", never}, {"t", never}};
    prompts.push_back(Prompt::plain(asked).matching("[a-z]{120,}").without({"aa", "e", "y"}));
    prompts.push_back(Prompt::plain(asked).json(
        R"({"type":"object","properties":{"n":{"type":"integer","minimum":1},"note":{"type":"string",
           "maxLength":2000}, "list":{"type":"array","items":{"type":"string","minLength":3},"maxItems":90},
           "end":{"type":"boolean"}},"required":["n","note","list","end"]})"));
  }
  for (const Completion& completion : complete(engine, prompts, limit(1000))) {
    CAPTURE(completion.failure);
    CAPTURE(completion.text);
    REQUIRE(completion.finish == Finish::constraint);
    REQUIRE(completion.tokens.prompt + completion.tokens.generated() <= 150);
    if (completion.text.starts_with('{')) CHECK(record_from_json(completion.text).size() == 4);
  }
}

TEST_CASE("a given answer is read and judged, not written; another one is found") {
  Toy engine = toy();
  std::map<std::uint64_t, Completion> written = answers(engine, mixed_requests());
  const auto check = [&](const std::map<std::uint64_t, Completion>& given, std::size_t rows) {
    EngineOptions options;
    options.prefill_rows = rows;
    Toy other = toy(options);
    std::vector<CompletionRequest> requests = mixed_requests();
    for (CompletionRequest& one : requests) one.given = given.at(one.id).token_ids;
    return answers(other, std::move(requests));
  };
  for (const std::size_t rows : {1, 9, 512})
    for (auto& [id, completion] : check(written, rows)) {
      CAPTURE(id);
      REQUIRE(completion.check);
      CHECK(completion.check->near + completion.check->different == 0);
      CHECK(completion.check->same == completion.tokens.free + completion.tokens.masked);
      completion.check.reset();
      CHECK(completion == written.at(id));
    }
  std::map<std::uint64_t, Completion> edited = written;
  for (auto& [id, completion] : edited)
    if (completion.finish == Finish::length) completion.token_ids[completion.token_ids.size() / 2] ^= 1;
  for (const auto& [id, completion] : check(edited, 512))
    if (written.at(id).finish == Finish::length)
      CHECK((completion.check->different > 0 || completion.finish == Finish::failed));
  for (auto& [id, completion] : edited) completion.token_ids.push_back('x');
  for (const auto& [id, completion] : check(edited, 512)) CHECK(completion.finish == Finish::failed);
  for (auto& [id, completion] : edited) completion.token_ids.clear();
  for (const auto& [id, completion] : check(edited, 512))
    if (written.at(id).tokens.free > 0) CHECK(completion.finish == Finish::failed);
}

namespace {

// Hands its logits out from several threads, as a real model does.
class Streaming : public Prose {
 public:
  using Prose::forward;
  using Prose::Prose;
  void forward(std::span<const SlotStep> steps, const LogitsUse& use) {
    const auto all = Prose::forward(steps);
    std::vector<std::jthread> threads;
    for (std::size_t worker = 0; worker < workers(); ++worker)
      threads.emplace_back([&, worker] {
        for (std::size_t i = worker; i < all.size(); i += workers()) use(i, worker, all[i]);
      });
  }
  std::size_t workers() const { return 3; }
};
static_assert(StreamingLanguageModel<Streaming>);
static_assert(!StreamingLanguageModel<Prose>);

}  // namespace

namespace {

// Writes otherwise in sequences beyond a short context.
class TwoContexts : public Prose {
 public:
  using Prose::Prose;
  static constexpr std::size_t kShort = 110;
  std::size_t short_context() const { return kShort; }
  Slot open_long() {
    const Slot slot = Prose::open();
    long_.insert(slot);
    return slot;
  }
  Slot fork(Slot slot) {
    const Slot child = Prose::fork(slot);
    if (long_.contains(slot)) long_.insert(child);
    return child;
  }
  void close(Slot slot) {
    long_.erase(slot);
    Prose::close(slot);
  }
  std::vector<std::span<const float>> forward(std::span<const SlotStep> steps) {
    rows_.clear();
    for (const SlotStep& step : steps) {
      const bool is_long = long_.contains(step.slot);
      if (!is_long && length(step.slot) + step.tokens.size() > kShort)
        throw ModelError("Beyond the context.");
      for (const auto row : Prose::forward(std::span(&step, 1))) {
        std::vector<float>& out = rows_.emplace_back(row.begin(), row.end());
        for (std::size_t i = 0; i < out.size() && is_long; ++i)
          out[i] += static_cast<float>(
              (step.allowed.empty() ? i : static_cast<std::size_t>(step.allowed[i])) * 7 % 5);
      }
    }
    return {rows_.begin(), rows_.end()};
  }

 private:
  std::set<Slot> long_;
  std::deque<std::vector<float>> rows_;
};
using TwoToy = Engine<TwoContexts, ToyTokenizer>;

TwoToy two_contexts(EngineOptions options = {}) {
  const ToyTokenizer tokenizer(kPieces, {"<end>", "<|im_start|>", "<|im_end|>"});
  return TwoToy(TwoContexts(tokenizer.vocabulary_size(), 400, 1), tokenizer, ChatTemplate::named("chatml"),
                {"toy", "toy"}, options);
}

}  // namespace

TEST_CASE("an answer that outgrows the short context is read anew as a long one, and all stays the same") {
  std::vector<CompletionRequest> requests;
  for (CompletionRequest& one : mixed_requests()) {  // of 80, 150 and 10 to 60 tokens
    if (one.id % 4 == 0) one.prompt = Prompt::plain(std::string(150, 'l') + one.prompt.text);
    one.sampling.max_tokens += 40;
    requests.push_back(std::move(one));
  }
  const auto copies = [&](const std::map<std::uint64_t, Completion>* given = nullptr) {
    std::vector<CompletionRequest> out = requests;
    if (given)
      for (CompletionRequest& one : out) one.given = given->at(one.id).token_ids;
    return out;
  };
  const auto asked = [](TwoToy& engine, std::vector<CompletionRequest> wanted) {
    std::map<std::uint64_t, Completion> out;
    const std::size_t n = wanted.size();
    engine.submit(std::move(wanted));
    for (int poll = 0; poll < 10000 && out.size() < n; ++poll)
      for (FinishedCompletion& one : engine.poll()) out[one.id] = std::move(one.completion);
    REQUIRE(out.size() == n);
    return out;
  };
  std::map<std::uint64_t, Completion> alone;
  for (const CompletionRequest& one : requests) {
    EngineOptions plain;
    plain.shared_tokens = 0;
    TwoToy engine = two_contexts(plain);
    alone.merge(asked(engine, {one}));
  }
  std::size_t within = 0, across = 0, beyond = 0;
  for (const auto& [id, completion] : alone) {
    const std::size_t begin = completion.tokens.prompt, end = begin + completion.token_ids.size();
    CHECK(completion.failure.find("Beyond") == std::string::npos);
    ++(end <= TwoContexts::kShort ? within : begin > TwoContexts::kShort ? beyond : across);
  }
  CHECK(within > 5);
  CHECK(across > 5);
  CHECK(beyond > 5);
  for (const std::size_t rows : {7, 512})
    for (const std::size_t slots : {3, 64}) {
      EngineOptions options;
      options.prefill_rows = rows;
      options.slots = slots;
      TwoToy engine = two_contexts(options);
      CHECK(asked(engine, copies()) == alone);
      CHECK(asked(engine, copies()) == alone);  // with what is kept
      engine.discard();
      TwoToy judge = two_contexts(options);
      for (auto& [id, completion] : asked(judge, copies(&alone))) {
        CAPTURE(id);
        if (completion.finish == Finish::failed) continue;  // as it was written
        REQUIRE(completion.check);
        CHECK(completion.check->near + completion.check->different == 0);
        completion.check.reset();
        CHECK(completion == alone.at(id));
      }
    }
  // Each place is drawn as the model sees all that stands before it at once.
  const ToyTokenizer tokenizer(kPieces, {"<end>", "<|im_start|>", "<|im_end|>"});
  TwoContexts model(tokenizer.vocabulary_size(), 400, 1);
  const auto last_logits = [&](std::span<const TokenId> tokens, bool is_long) {
    const Slot slot = is_long ? model.open_long() : model.open();
    const SlotStep step{slot, tokens, 1, {}};
    return model.forward(std::span(&step, 1)).front();
  };
  TwoToy greedy = two_contexts();
  CompletionRequest long_one = request(1, Prompt::plain(std::string(90, 'g')), limit(40, 0));
  const Completion written = asked(greedy, {long_one}).at(1);
  std::vector<TokenId> tokens = tokenizer.encode(std::string(90, 'g'));
  REQUIRE(written.token_ids.size() > 30);
  for (const TokenId id : written.token_ids) {
    const auto logits = last_logits(tokens, tokens.size() > TwoContexts::kShort);
    REQUIRE(id == std::ranges::max_element(logits) - logits.begin());
    tokens.push_back(id);
  }
  // Texts are scored by their own length.
  std::vector<std::vector<TokenId>> texts;
  for (std::size_t length : {20, 110, 111, 200, 260})
    for (int i = 0; i < 4; ++i) {
      texts.emplace_back(length, 's');
      texts.back()[length / 2] = 'a' + i;
    }
  TwoToy engine = two_contexts();
  const auto together = engine.score(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    TwoToy single = two_contexts();
    CHECK(single.score(std::span(&texts[i], 1)).front() == together[i]);
    const auto logits =
        last_logits(std::span(texts[i]).first(texts[i].size() - 1), texts[i].size() > TwoContexts::kShort);
    CHECK(log_probability_of(logits, static_cast<std::size_t>(texts[i].back())) == together[i].back());
  }
}

TEST_CASE("answers do not depend on which worker draws") {
  const ToyTokenizer tokenizer(kPieces, {"<end>", "<|im_start|>", "<|im_end|>"});
  Engine<Streaming, ToyTokenizer> threaded(Streaming(tokenizer.vocabulary_size(), 400, 1), tokenizer,
                                           ChatTemplate::named("chatml"), {"toy", "toy"});
  Toy engine = toy();
  const auto expected = answers(engine, mixed_requests());
  threaded.submit(mixed_requests());
  std::map<std::uint64_t, Completion> out;
  for (int poll = 0; poll < 1000 && out.size() < expected.size(); ++poll)
    for (FinishedCompletion& one : threaded.poll()) out[one.id] = std::move(one.completion);
  CHECK(out == expected);
}
