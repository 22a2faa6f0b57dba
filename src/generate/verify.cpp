#include "synthema/generate/verify.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "synthema/core/counted.hpp"
#include "synthema/data/json.hpp"

namespace synthema {

namespace {

// The lines of each decided row: rejected attempts in order, then the accepted one if there is one.
struct RowLines {
  std::vector<std::string> lines;
  bool decided = false;
};
using AllLines = std::map<std::uint64_t, RowLines>;

AllLines lines_of(const std::string& folder, VerifyResult& result) {
  AllLines all;
  for (const std::vector<RowOutcome>& attempts : read_rows(folder)) {
    RowLines& row = all[attempts.front().row];
    for (const RowOutcome& outcome : attempts) {
      row.lines.push_back(to_json(outcome));
      row.decided = outcome.accepted() || outcome.last;
      ++(outcome.accepted() ? result.rows : result.rejected);
    }
  }
  return all;
}

void require_manifest(const std::string& folder, const Record& wanted) {
  if (const std::string name = first_difference(read_manifest(folder).manifest, wanted); !name.empty())
    throw RunFolderError({.file = folder}, message("The rows cannot be made again with what was given: '",
                                                   name, "' differs from the run's."));
}

std::string difference(const RowLines& there, std::span<const RowOutcome> again) {
  if (there.lines.size() != again.size())
    return message("The row took ", counted(there.lines.size(), "attempt"), ", but ", again.size(),
                   " when made again.");
  for (std::size_t i = 0; i < again.size(); ++i)
    if (to_json(again[i]) != there.lines[i]) return message("Attempt ", i, " differs when made again.");
  return {};
}

bool same_lines(const std::vector<std::string>& there, std::span<const RowOutcome> again) {
  return std::ranges::equal(there, again, {}, {}, [](const RowOutcome& outcome) { return to_json(outcome); });
}

std::uint64_t whole_number(const Record& manifest, const char* name) {
  const Value* value = manifest.find(name);
  const auto* number = value ? value->get_if<std::int64_t>() : nullptr;
  if (!number || *number < 0)
    throw RunFolderError({.field = name},
                         "The manifest has no such whole number, so the run cannot be made again.");
  return static_cast<std::uint64_t>(*number);
}

bool truth(const Record& manifest, const char* name) {
  const Value* value = manifest.find(name);
  const auto* told = value ? value->get_if<bool>() : nullptr;
  if (!told)
    throw RunFolderError({.field = name},
                         "The manifest has no such true or false, so the run cannot be made again.");
  return *told;
}

double real_number(const Record& manifest, const char* name) {
  const Value* value = manifest.find(name);
  if (value && value->get_if<double>()) return *value->get_if<double>();
  return static_cast<double>(whole_number(manifest, name));
}

}  // namespace

std::string VerifyResult::text() const {
  const std::string whole =
      message("whole: ", counted(rows, "row"), ", ", counted(rejected, "rejected attempt"), "; ");
  if (rescored == 0)
    return message(whole, "made again: ", counted(regenerated, "row"), ", of which ", differences.size(),
                   " differ");
  return message(whole, "re-scored: ", counted(rescored, "row"), ", with ", counted(tokens.same, "token"),
                 " the same, ", counted(tokens.near, "near-tie"), ", ", tokens.different,
                 " not what the model draws; ", differences.size(), " of the rows differ");
}

std::string text_entry(const Record& manifest, const char* name) {
  const Value* value = manifest.find(name);
  const auto* text = value ? value->get_if<std::string>() : nullptr;
  if (!text)
    throw RunFolderError({.field = name}, "The manifest has no such text, so the run cannot be made again.");
  return *text;
}

std::uint64_t seed_of(const Record& manifest) {
  const Value* value = manifest.find("seed");
  const auto* text = value ? value->get_if<std::string>() : nullptr;
  std::uint64_t seed = 0;
  if (!text || text->empty() ||
      std::from_chars(text->data(), text->data() + text->size(), seed).ptr != text->data() + text->size() ||
      std::to_string(seed) != *text)
    throw RunFolderError({.field = "seed"},
                         "The manifest has no whole number of 64 bits as its seed, so the run cannot be made "
                         "again.");
  return seed;
}

RunOptions options_from(const Record& manifest) {
  RunOptions o;
  o.rows = whole_number(manifest, "rows");
  o.seed = seed_of(manifest);
  o.max_attempts = whole_number(manifest, "max_attempts");
  o.max_questions = whole_number(manifest, "max_questions");
  o.hopeless_after = whole_number(manifest, "hopeless_after");
  o.hopeless_below = real_number(manifest, "hopeless_below");
  o.generator = text_entry(manifest, "generator");
  o.sampling.temperature = real_number(manifest, "temperature");
  o.sampling.top_k = static_cast<std::uint32_t>(whole_number(manifest, "top_k"));
  o.sampling.top_p = real_number(manifest, "top_p");
  o.sampling.min_p = real_number(manifest, "min_p");
  o.sampling.repetition_penalty = real_number(manifest, "repetition_penalty");
  o.sampling.max_tokens = static_cast<std::uint32_t>(whole_number(manifest, "max_tokens"));
  o.sampling.min_tokens = static_cast<std::uint32_t>(whole_number(manifest, "min_tokens"));
  o.sampling.log_probabilities = truth(manifest, "log_probabilities");
  return o;
}

VerifyResult verify_lines(const std::string& folder) {
  VerifyResult result;
  lines_of(folder, result);
  return result;
}

VerifyResult verify(const std::string& folder, const Record& manifest, const RegenerateRows& regenerate,
                    std::size_t sample) {
  VerifyResult result;
  require_manifest(folder, manifest);
  AllLines all = lines_of(folder, result);
  std::erase_if(all, [](const auto& row) { return !row.second.decided; });
  const std::uint64_t count = all.size() <= 100 ? all.size() : std::min<std::uint64_t>(sample, all.size());
  std::vector<std::uint64_t> chosen;
  for (std::uint64_t i = 0; i < count; ++i)
    chosen.push_back(i * all.size() / count);  // decided rows are 0, 1, 2, ...
  regenerate(chosen, [&](std::span<const RowOutcome> attempts) {
    const std::uint64_t row = attempts.front().row;
    if (std::string what = difference(all.at(row), attempts); !what.empty())
      result.differences.push_back({row, std::move(what)});
    ++result.regenerated;
  });
  return result;
}

RecordedRun recorded_run(const std::string& folder, const Record& manifest) {
  RecordedRun run;
  require_manifest(folder, manifest);
  const AllLines all = lines_of(folder, run.result);
  const std::uint64_t seed = options_from(manifest).seed;
  for (const auto& [row, lines] : all) {
    if (!lines.decided) continue;
    for (const std::string& line : lines.lines) {
      RowOutcome outcome = row_outcome_from_json(line);
      for (std::size_t call = 0; call < outcome.provenance.answers.size(); ++call)
        if (auto& tokens = outcome.provenance.answers[call]; !tokens.empty())
          run.answers[Random::for_call(seed, row, outcome.attempt, call).key()] = {row, std::move(tokens)};
    }
    run.lines_[row] = lines.lines;
  }
  if (run.answers.empty())
    throw RunFolderError({.file = folder},
                         "The run has no recorded tokens to re-score; make rows again instead.");
  return run;
}

void RecordedRun::compare(std::span<const RowOutcome> attempts) {
  const std::uint64_t row = attempts.front().row;
  const auto there = lines_.extract(row);
  if (!there)
    differences_[row] = "The run does not have this row, but it follows from its manifest.";
  else if (!same_lines(there.mapped(), attempts))
    differences_[row] = "What is written does not follow from the recorded tokens.";
  result.rescored += there ? 1 : 0;
}

std::vector<std::uint64_t> RecordedRun::waiting() const {
  std::vector<std::uint64_t> rows;
  for (const auto& [row, lines] : lines_) rows.push_back(row);
  return rows;
}

VerifyResult RecordedRun::finished(const std::map<std::uint64_t, AnswerCheck>& checks,
                                   std::string numeric_path) && {
  for (const auto& [row, check] : checks) {
    result.tokens += check;
    if (check.different > 0)
      differences_[row] = message(check.different, " of its tokens are not what the model draws.");
  }
  for (const auto& [row, lines] : lines_) differences_[row] = "The row was not made again.";
  for (auto& [row, what] : differences_) result.differences.push_back({row, std::move(what)});
  result.numeric_path = std::move(numeric_path);
  return std::move(result);
}

}  // namespace synthema
