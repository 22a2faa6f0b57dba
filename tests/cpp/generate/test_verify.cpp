#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "model/toy_prose.hpp"
#include "model/toy_tokenizer.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/generate/run_folder.hpp"
#include "synthema/generate/verify.hpp"
#include "synthema/model/engine.hpp"

using namespace synthema;
using synthema::testing::kPieces;
using synthema::testing::Prose;
using synthema::testing::ToyTokenizer;
namespace fs = std::filesystem;

namespace {

// A toy as it would be on a machine that rounds differently.
class Rounding : public Prose {
 public:
  Rounding(std::size_t vocabulary, double error) : Prose(vocabulary, 400, 1), error_(error) {}
  std::vector<std::span<const float>> forward(std::span<const SlotStep> steps) {
    rows_.clear();
    for (const std::span<const float> row : Prose::forward(steps)) {
      std::vector<float>& copy = rows_.emplace_back(row.begin(), row.end());
      for (std::size_t i = 0; i < copy.size(); ++i)
        copy[i] += static_cast<float>(error_ * (Random(7).uniform_at(rows_.size(), i) - 0.5));
    }
    return {rows_.begin(), rows_.end()};
  }

 private:
  double error_;
  std::vector<std::vector<float>> rows_;
};

using Toy = Engine<Rounding, ToyTokenizer>;

Toy toy(const std::string& path, double error = 0, std::size_t slots = 32) {
  const ToyTokenizer tokenizer(kPieces, {"<end>", "<|im_start|>", "<|im_end|>"});
  EngineOptions options;
  options.slots = slots;
  return Toy(Rounding(tokenizer.vocabulary_size(), error), tokenizer, ChatTemplate::named("chatml"),
             {"toy", path}, options);
}

struct TwoAnswers {
  std::string_view name() const { return "two_answers"; }
  Exchange compose(Task task, Random) const {
    const std::vector<std::string> verdicts{"yes", "no", "nobody knows"};
    Prompt first = Prompt::plain("Yes or no?").among(verdicts);
    const Completion verdict = co_await ask(std::move(first));
    Prompt second = Prompt::plain(verdict.text + ", because ").until("a");
    const Completion text = co_await ask(std::move(second));
    Record values;
    values.set("verdict", verdict.text);
    values.set("text", text.text);
    values.set("row", static_cast<std::int64_t>(task.row));
    co_return Draft(std::move(values));
  }
};

const std::vector<Check> kChecks{
    {"length", [](const Task&, const Draft& draft) -> std::optional<std::string> {
       if (draft.values.at("text").text().size() > 4) return std::nullopt;
       return "Too short.";
     }}};

RunOptions options_of(std::uint64_t rows, std::uint64_t max_attempts) {
  RunOptions options;
  options.rows = rows;
  options.seed = 11;
  options.max_attempts = max_attempts;
  options.hopeless_below = 0;
  options.sampling.max_tokens = 30;
  options.sampling.top_p = 0.9;
  return options;
}

const TaskSource kTasks{[](std::uint64_t row) -> std::optional<Task> {
                          Task task;
                          task.row = row;
                          return task;
                        },
                        true};

struct Run {
  explicit Run(std::uint64_t rows = 40, std::uint64_t max_attempts = 3)
      : options(options_of(rows, max_attempts)) {
    std::random_device device;
    path = fs::temp_directory_path() /
           ("synthema-verify-" + std::to_string(device()) + std::to_string(device()));
    Toy model = toy("fp32-here");
    const RunIdentity identity = identity_of(model, TwoAnswers(), options);
    ManifestInputs inputs;
    inputs.identity = identity;
    inputs.checks = kChecks;
    manifest = run_manifest(inputs, options, "");
    RunFolder folder = RunFolder::create(path, [&](const std::string&) { return manifest; }, false);
    run_in_folder(folder, options, [&](const RunOptions& o, const RowSink& sink, RunCounts before) {
      return run_rows(model, TwoAnswers(), kTasks, kChecks, o, sink, std::move(before));
    });
  }
  ~Run() { fs::remove_all(path); }
  VerifyResult verify(Toy model) const {
    return rescore(path, manifest, model, TwoAnswers(), kTasks, kChecks, options);
  }
  // Changes one row and seals it again, as somebody who knows the format can.
  void edit(std::uint64_t row, const std::function<void(RowOutcome&)>& change) const {
    std::string bytes;
    read_outcomes(path / "rows.jsonl", [&](RowOutcome outcome, std::string_view) {
      if (outcome.row == row) change(outcome);
      bytes += to_json(outcome) + "\n";
    });
    std::ofstream(path / "rows.jsonl", std::ios::binary) << bytes;
  }
  std::uint64_t some_row() const {
    std::uint64_t found = 0;
    read_outcomes(path / "rows.jsonl",
                  [&](const RowOutcome& outcome, std::string_view) { found = outcome.row; });
    return found;
  }

  fs::path path;
  RunOptions options;
  Record manifest;
};

}  // namespace

TEST_CASE("a run is re-scored: all its tokens are the model's own, rejected attempts too") {
  const Run run;
  const VerifyResult found = run.verify(toy("fp32-here", 0, 5));
  CHECK(found.ok());
  CHECK(found.rows == 40);
  CHECK(found.rejected > 0);
  CHECK(found.rescored >= 40);
  CHECK(found.tokens.same > 400);
  CHECK(found.tokens.near + found.tokens.different == 0);
}

TEST_CASE("another machine's rounding gives near-ties, counted apart; another model is found") {
  const Run run(300);
  const VerifyResult elsewhere = run.verify(toy("fp32-elsewhere", 1e-3));
  CHECK(elsewhere.ok());
  CHECK(elsewhere.tokens.near > 0);
  CHECK(elsewhere.tokens.near < elsewhere.tokens.same / 200);
  CHECK(elsewhere.numeric_path == "fp32-elsewhere");

  const VerifyResult other = run.verify(toy("fp32-here", 1.0));
  CHECK(!other.ok());
  CHECK(other.tokens.different > 100);
}

TEST_CASE("a row edited by hand is found, whatever was edited") {
  const auto one_difference = [](const std::function<void(RowOutcome&)>& change) {
    const Run run;
    const std::uint64_t row = run.some_row();
    run.edit(row, change);
    const VerifyResult found = run.verify(toy("fp32-here"));
    REQUIRE(found.differences.size() == 1);
    CHECK(found.differences[0].row == row);
  };
  one_difference([](RowOutcome& o) { o.values.set("text", o.values.at("text").text() + "!"); });
  one_difference([](RowOutcome& o) { o.provenance.tokens.free += 1; });
  one_difference([](RowOutcome& o) { o.provenance.answers[1].pop_back(); });
  one_difference([](RowOutcome& o) {  // text and tokens agree with each other, but not with the model
    std::string text = o.values.at("text").text();
    auto& tokens = o.provenance.answers[1];
    for (auto& id : tokens)
      if (id >= 'b' && id <= 'y') {
        text[text.find(static_cast<char>(id))] = static_cast<char>(id + 1);
        ++id;
        break;
      }
    o.values.set("text", text);
  });
}

TEST_CASE("rows are made again together, those that were given up too, and each is held against its own") {
  Run run(150, 1);
  std::vector<std::uint64_t> decided, given_up;
  for (const auto& attempts : read_rows(run.path)) {
    decided.push_back(attempts.front().row);
    if (!attempts.back().accepted()) given_up.push_back(attempts.front().row);
  }
  REQUIRE(given_up.size() > 3);
  const auto made_again = [&](std::size_t slots, std::size_t in_flight, std::size_t sample) {
    Toy model = toy("fp32-here", 0, slots);
    run.options.in_flight = in_flight;
    return verify(run.path, run.manifest, regenerate_with(model, TwoAnswers(), kTasks, kChecks, run.options),
                  sample);
  };
  const VerifyResult all = made_again(32, 64, decided.size());
  CHECK(all.ok());
  CHECK(all.regenerated == decided.size());
  CHECK(made_again(3, 2, 17).regenerated == 17);
  CHECK(made_again(3, 2, 0).regenerated == 0);

  const std::uint64_t row = run.some_row();
  run.edit(row, [](RowOutcome& o) { o.values.set("verdict", "perhaps"); });
  const VerifyResult found = made_again(32, 64, decided.size());
  REQUIRE(found.differences.size() == 1);
  CHECK(found.differences[0].row == row);
}

TEST_CASE("a line that says more than its row is damaged, though its seal is good") {
  const auto refused = [](std::string_view before, std::string_view more) {
    const Run run;
    std::string bytes;
    read_outcomes(run.path / "rows.jsonl", [&](const RowOutcome&, std::string_view line) {
      std::string body(line.substr(0, line.rfind(",\"seal\"")));
      if (bytes.empty()) body.insert(body.find(before), more);
      bytes += body + ",\"seal\":\"" + sha256_hex(body) + "\"}\n";
    });
    std::ofstream(run.path / "rows.jsonl", std::ios::binary) << bytes;
    CHECK_THROWS_WITH_AS(verify_lines(run.path),
                         doctest::Contains("rows.jsonl, line 1: The line has a good seal"), RunFolderError);
  };
  refused("\"provenance\"", "\"note\":\"added\",");
  refused("\"condition\"", "\"values\":{\"text\": \"another\"},");
  refused("\"finish\"", "\"reviewed\":true,");
  refused("\"condition\"", " ");
}

TEST_CASE("a run whose model told no tokens cannot be re-scored") {
  const Run run;
  std::string bytes;
  for (const char* file : {"rows.jsonl", "rejected.jsonl"}) {
    bytes.clear();
    read_outcomes(run.path / file, [&](RowOutcome outcome, std::string_view) {
      for (auto& answer : outcome.provenance.answers) answer.clear();
      bytes += to_json(outcome) + "\n";
    });
    std::ofstream(run.path / file, std::ios::binary) << bytes;
  }
  CHECK_THROWS_AS(run.verify(toy("fp32-here")), RunFolderError);
}
