#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "synthema/generate/driver.hpp"
#include "synthema/generate/run_folder.hpp"
#include "synthema/model/scripted_model.hpp"

using namespace synthema;
namespace fs = std::filesystem;

namespace {

// A fresh folder that goes away with the test.
struct Scratch {
  Scratch() {
    std::random_device device;
    path =
        fs::temp_directory_path() / ("synthema-test-" + std::to_string(device()) + std::to_string(device()));
    fs::create_directories(path);
  }
  ~Scratch() { fs::remove_all(path); }
  fs::path path;
};

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const fs::path& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) out[entry.path().filename()] = read(entry.path());
  return out;
}

struct Short {
  std::string_view name() const { return "short"; }
  Exchange compose(Task task, Random) const {
    const Completion c = co_await ask(Prompt::plain("x"));
    Record values = task.condition;
    values.set("text", c.text);
    co_return Draft(std::move(values));
  }
};

Completion draw(const CompletionRequest& request) {
  Random random = request.random;
  return scripted_answer(std::to_string(random.below(10)) + " \"caf\xC3\xA9\"\n");
}

const std::vector<Check> checks{{"digit", [](const Task&, const Draft& draft) -> std::optional<std::string> {
                                   if (draft.values.at("text").text()[0] < '4') return std::nullopt;
                                   return "Too large.";
                                 }}};

RunOptions options_of(std::uint64_t rows) {
  RunOptions options;
  options.rows = rows;
  options.max_attempts = 3;
  options.hopeless_below = 0;
  return options;
}

Record manifest(const std::string& key) {
  return {{"model", "scripted"}, {"rows", std::int64_t{12}}, {"pool", key.empty() ? "open" : "keyed"}};
}

RunCounts work(RunFolder& folder, const RunOptions& options) {
  const TaskSource tasks{[](std::uint64_t row) -> std::optional<Task> {
    Task task;
    task.row = row;
    task.condition = {{"n", static_cast<std::int64_t>(row)}};
    return task;
  }};
  ScriptedModel model(draw);
  return run_in_folder(folder, options, [&](const RunOptions& o, const RowSink& sink, RunCounts before) {
    return run_rows(model, Short(), tasks, checks, o, sink, std::move(before));
  });
}

}  // namespace

TEST_CASE("a row survives the trip through its line, and a changed line is refused") {
  RowOutcome o;
  o.row = 3, o.attempt = 1;
  o.condition = {{"age", std::int64_t{45}}, {"x", 0.1}};
  o.values = {{"text", "caf\xC3\xA9 \"q\"\n"}, {"list", ValueList{"a", Value(), true}}};
  o.provenance = {"text", "s",    "m",          "fp32", "0.1.0", 18446744073709551615u,
                  "abc",  {1, 2}, {1, 2, 3, 4}, 2,      "stop"};
  CHECK(row_outcome_from_json(to_json(o)) == o);
  o.check = "length", o.reason = "too \"short\"", o.last = true, o.must_not_leave = true;
  const std::string line = to_json(o);
  CHECK(row_outcome_from_json(line) == o);
  CHECK(to_json(row_outcome_from_json(line)) == line);
  for (std::size_t at = 0; at < line.size(); ++at) {
    std::string changed = line;
    changed[at] ^= 1;
    CHECK_THROWS_AS(row_outcome_from_json(changed), ParseError);
    CHECK_THROWS_AS(row_outcome_from_json(line.substr(0, at)), ParseError);
  }
}

TEST_CASE("cut at any byte of either file, a run resumes to the same bytes") {
  const Scratch scratch;
  const fs::path whole = scratch.path / "whole";
  {
    RunFolder folder = RunFolder::create(whole, manifest);
    work(folder, options_of(12));
  }
  const auto reference = contents(whole);
  REQUIRE(reference.at("rejected.jsonl").size() > 1000);
  std::size_t given_up = 0;
  read_outcomes(whole / "rejected.jsonl", [&](RowOutcome o, std::string_view) { given_up += o.last; });
  REQUIRE(given_up > 0);
  CHECK(read_manifest(whole).complete);
  const fs::path cut = scratch.path / "cut";
  const auto resumes = [&](std::size_t rows, std::size_t rejected) {
    fs::create_directories(cut);
    std::string running = reference.at("run.json");
    running.replace(running.find("\"complete\""), 10, "\"running\"");
    put(cut / "run.json", running);
    put(cut / "rows.jsonl", std::string_view(reference.at("rows.jsonl")).substr(0, rows));
    put(cut / "rejected.jsonl", std::string_view(reference.at("rejected.jsonl")).substr(0, rejected));
    {
      RunFolder folder = RunFolder::resume(cut, manifest);
      work(folder, options_of(12));
    }
    const bool same = contents(cut) == reference;
    fs::remove_all(cut);
    return same;
  };
  // What a kill can leave: a prefix of what was written, in the order it was written.
  std::vector<std::pair<std::size_t, std::size_t>> states;
  std::size_t rows_end = 0, rejected_end = 0;
  std::vector<std::pair<std::uint64_t, std::pair<bool, std::size_t>>> lines;
  const auto note = [&](bool accepted) {
    return [&lines, accepted](RowOutcome o, std::string_view line) {
      lines.push_back({o.row, {accepted, line.size() + 1}});
    };
  };
  read_outcomes(whole / "rejected.jsonl", note(false));
  read_outcomes(whole / "rows.jsonl", note(true));
  std::ranges::stable_sort(lines);  // rejected before accepted within a row
  for (const auto& [row, line] : lines) {
    std::size_t& end = line.first ? rows_end : rejected_end;
    for (std::size_t i = 0; i < line.second; i += 37) {
      const std::size_t start = end;
      end += i;
      states.emplace_back(rows_end, rejected_end);
      end = start;
    }
    end += line.second;
    states.emplace_back(rows_end, rejected_end);
  }
  for (const auto& [rows, rejected] : states) REQUIRE(resumes(rows, rejected));
  // What a power failure may leave: one file behind the other.
  const std::size_t all_rows = reference.at("rows.jsonl").size(),
                    all_rejected = reference.at("rejected.jsonl").size();
  CHECK(resumes(0, 0));
  CHECK(resumes(all_rows, all_rejected));
}

TEST_CASE("a folder is refused when it is another run's, in use, full of other things, or damaged") {
  const Scratch scratch;
  const fs::path path = scratch.path / "run";
  {
    RunFolder folder = RunFolder::create(path, manifest);
    CHECK_THROWS_WITH_AS(RunFolder::resume(path, manifest), doctest::Contains("Another process"),
                         RunFolderError);
    work(folder, options_of(5));
  }
  CHECK_THROWS_WITH_AS(RunFolder::create(path, manifest), doctest::Contains("already"), RunFolderError);
  const auto other = [](const std::string& key) {
    Record m = manifest(key);
    m.set("model", "another");
    return m;
  };
  CHECK_THROWS_WITH_AS(RunFolder::resume(path, other), doctest::Contains("'model'"), RunFolderError);
  const std::string rows = read(path / "rows.jsonl");
  std::string flipped = rows;
  flipped[20] ^= 1;
  put(path / "rows.jsonl", flipped);
  CHECK_THROWS_WITH_AS(RunFolder::resume(path, manifest), doctest::Contains("line 1"), RunFolderError);
  put(path / "rows.jsonl", rows.substr(rows.find('\n') + 1));  // the first row is gone
  CHECK_THROWS_AS(RunFolder::resume(path, manifest), RunFolderError);
  const fs::path full = scratch.path / "full";
  fs::create_directories(full);
  put(full / "notes.txt", "mine");
  CHECK_THROWS_WITH_AS(RunFolder::create(full, manifest), doctest::Contains("not empty"), RunFolderError);
  CHECK_THROWS_AS(RunFolder::resume(full, manifest), RunFolderError);
  CHECK(read(full / "notes.txt") == "mine");
  CHECK_THROWS_AS(read_manifest(scratch.path / "nowhere"), RunFolderError);
}

TEST_CASE("a private run has a key of its own and keeps it") {
  const Scratch scratch;
  std::string key;
  {
    RunFolder folder = RunFolder::create(scratch.path / "a", manifest, true);
    key = folder.digest_key();
    work(folder, options_of(3));
  }
  CHECK(key.size() == 64);
  CHECK(read_digest_key(scratch.path / "a") == key);
  CHECK((fs::status(scratch.path / "a" / "run.key").permissions() & fs::perms(077)) == fs::perms::none);
  CHECK(RunFolder::resume(scratch.path / "a", manifest, true).digest_key() == key);
  CHECK(RunFolder::create(scratch.path / "b", manifest, true).digest_key() != key);
  CHECK(RunFolder::create(scratch.path / "c", manifest).digest_key().empty());
}
