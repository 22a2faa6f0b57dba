// A strategy, a generator and a metric written as CONTRIBUTING.md says, and plug-ins that break a promise.
#include <doctest/doctest.h>

#include "synthema/evaluate/conformance.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/generate/conformance.hpp"
#include "synthema/generate/text_generator.hpp"
#include "synthema/model/ngram_model.hpp"
#include "synthema/prompt/conformance.hpp"

using namespace synthema;

namespace {

// --- a strategy: a sentence, then the same in other words

struct Paraphrase {
  std::string_view name() const { return "paraphrase"; }
  Exchange compose(Task task, Random) const {
    const std::string topic = task.condition.at("topic").text();
    const Completion plain = co_await ask(Prompt::user("A sentence about " + topic + "."));
    const Completion other = co_await ask(Prompt::user("In other words: " + plain.text));
    co_return Draft({{"topic", topic}, {"text", plain.text}, {"paraphrase", other.text}});
  }
};
static_assert(PromptStrategy<Paraphrase>);

// --- a generator: each column drawn from its own real values, independently of the others

class IndependentColumns {
 public:
  std::string_view name() const { return "independent_columns"; }
  const Schema& schema() const { return real_.schema(); }
  void fit(const Table& real) { real_ = real; }
  Table sample(const SampleRequest& request) {
    if (real_.rows() == 0) throw GenerationError("The generator has no rows to draw from; call fit first.");
    std::vector<Record> records(request.rows);
    for (std::uint64_t row = 0; row < request.rows; ++row)
      for (std::size_t field = 0; field < schema().fields.size(); ++field) {
        Random random = Random::for_call(request.seed, row, 0, field);
        const std::string& of = schema().fields[field].name;
        records[row].set(of, real_.record(random.below(real_.rows())).at(of));
      }
    return Table::from_records(schema(), records);
  }

 private:
  Table real_;
};
static_assert(FittableGenerator<IndependentColumns>);

// --- a metric: how many texts hold a digit

struct DigitShare {
  std::string_view name() const { return "digit_share"; }
  Direction direction() const { return Direction::none; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
    Score score = start_score(*this, "Share of texts that hold a digit.", "texts with one of 0-9 / texts");
    const TextSample sample = text_sample(synthetic, context, score);
    if (sample.size() == 0) return undefined(std::move(score), "There are no texts.");
    double with_digit = 0;
    for (const std::string& text : sample.texts)
      with_digit += text.find_first_of("0123456789") != std::string::npos;
    score.n = sample.size();
    score.value = with_digit / static_cast<double>(sample.size());
    score.interval = wilson(with_digit, static_cast<double>(sample.size()));
    return score;
  }
};
static_assert(Evaluator<DigitShare>);

Table seen_visits() {
  Schema schema;
  schema.fields = {{.name = "text"}, {.name = "age", .kind = Kind::integer, .minimum = 0}};
  return Table::from_records(schema, std::vector<Record>{{{"text", "Pain for 3 days."}, {"age", 40}},
                                                         {{"text", "No pain."}, {"age", 71}},
                                                         {{"text", "Cough."}, {"age", 18}},
                                                         {{"text", "Fever, 39 degrees."}, {"age", 55}}});
}
Task about(std::string topic) {
  Task task;
  task.condition = {{"topic", std::move(topic)}};
  return task;
}
SampleRequest twenty() {
  SampleRequest request;
  request.rows = 20, request.seed = 5;
  return request;
}

}  // namespace

TEST_CASE("the strategy keeps its promises and writes rows") {
  CHECK(nonconformities(Paraphrase(), about("pain")).empty());
  const auto answers = [](const Prompt& p) { return "<" + p.messages.back().text + ">"; };
  CHECK(nonconformities(Paraphrase(), about("pain"), answers).empty());
  Schema schema;
  schema.fields = {{.name = "topic"}, {.name = "text"}, {.name = "paraphrase"}};
  TextGenerator generator(NgramModel({"The pain was dull .", "The pain was gone ."}, 2), Paraphrase(),
                          schema);
  SampleRequest request = twenty();
  Schema topics;
  topics.fields = {{.name = "topic"}};
  request.conditions =
      std::make_shared<const Table>(Table::from_records(topics, std::vector<Record>{{{"topic", "pain"}}}));
  CHECK(nonconformities(generator, request).empty());
  CHECK(generator.sample(request).record(3).at("topic").text() == "pain");
}

TEST_CASE("the generator keeps its promises and keeps to the real values") {
  IndependentColumns generator;
  CHECK_THROWS_AS(generator.sample(twenty()), GenerationError);
  generator.fit(seen_visits());
  CHECK(nonconformities(generator, twenty()).empty());
  SampleRequest other = twenty();
  other.seed = 6;
  CHECK(content_digest(generator.sample(other)) != content_digest(generator.sample(twenty())));
}

TEST_CASE("the metric keeps its promises and counts") {
  CHECK(nonconformities(DigitShare(), nullptr, seen_visits(), {}).empty());
  CHECK(DigitShare().evaluate(nullptr, seen_visits(), {}).value == 0.5);
}

namespace {

// Remembers earlier calls: the second conversation differs from the first.
struct Forgetful {
  std::string_view name() const { return "forgetful"; }
  Exchange compose(Task, Random) const {
    const int call = ++*calls;
    const Completion answer = co_await ask(Prompt::user(message("Question ", call)));
    co_return Draft({{"text", answer.text}}, {3});
  }
  std::shared_ptr<int> calls = std::make_shared<int>(0);
};
struct EndlessStrategy {
  std::string_view name() const { return ""; }
  Exchange compose(Task, Random) const {
    for (;;) co_await ask(Prompt::user("Again?"));
  }
};
// One row too few, an age that the schema forbids, and other rows at each call.
struct Sloppy {
  const char* name() const { return "sloppy"; }
  const Schema& schema() const { return schema_; }
  Table sample(const SampleRequest& request) {
    ++calls_;
    return Table::from_records(schema_, std::vector<Record>(request.rows - 1, Record{{"age", -calls_}}));
  }
  Schema schema_{.fields = {{.name = "age", .kind = Kind::integer, .minimum = 0}}};
  int calls_ = 0;
};

// The first rows that it was given, whatever the seed and the conditions.
struct Recited {
  static constexpr bool honours_conditions = true;
  const char* name() const { return "recited"; }
  const Schema& schema() const { return rows_.schema(); }
  Table sample(const SampleRequest& request) {
    std::vector<std::size_t> rows(request.rows);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i % rows_.rows();
    return rows_.take(rows);
  }
  Table rows_ = seen_visits();
};

}  // namespace

TEST_CASE("broken promises are found") {
  CHECK(nonconformities(Forgetful(), about("pain")).size() == 2);        // another question, no such exemplar
  CHECK(nonconformities(EndlessStrategy(), about("pain")).size() == 2);  // no name, no end
  Sloppy sloppy;
  CHECK(nonconformities(sloppy, twenty()).size() == 3);
  Recited recited;
  SampleRequest request{.rows = 6, .seed = 5};
  CHECK(nonconformities(recited, request) == std::vector<std::string>{"Other seeds gave the same table."});
  Schema asked;
  asked.fields = {{.name = "age", .kind = Kind::integer}, {.name = "ward"}};
  request.conditions = std::make_shared<const Table>(
      Table::from_records(asked, std::vector<Record>{{{"age", 40}}, {{"age", 41}, {"ward", "A"}}}));
  CHECK(nonconformities(recited, request) ==
        std::vector<std::string>{"Row 1 does not agree with its condition in the field 'age'.",
                                 "Row 1 does not agree with its condition in the field 'ward'.",
                                 "Other seeds gave the same table."});
}
