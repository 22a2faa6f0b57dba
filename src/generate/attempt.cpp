#include "synthema/generate/attempt.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "synthema/core/version.hpp"
#include "synthema/data/json.hpp"
#include "synthema/data/schema_check.hpp"

namespace synthema {

namespace {

void add_sampling(Sha256& digest, const Sampling& s) {
  for (const double value : {s.temperature, s.top_p, s.min_p, s.repetition_penalty})
    digest.field(to_json(Value(value)));
  digest.field(std::to_string(s.top_k)).field(std::to_string(s.max_tokens));
  digest.field(std::to_string(s.min_tokens)).field(s.log_probabilities ? "log-probabilities" : "");
}

void add_texts(Sha256& digest, const std::vector<std::string>& texts) {
  digest.field(std::to_string(texts.size()));
  for (const std::string& text : texts) digest.field(text);
}

void add_prompt(Sha256& digest, const Prompt& prompt) {
  digest.field(std::to_string(prompt.messages.size()));
  for (const Message& m : prompt.messages) digest.field(m.role).field(m.text);
  digest.field(prompt.text);
  add_texts(digest, prompt.stop);
  add_texts(digest, prompt.choices);
  add_texts(digest, prompt.banned);
  digest.field(std::to_string(prompt.bias.size()));
  for (const auto& [text, bias] : prompt.bias)  // JSON has no infinity
    digest.field(text).field(std::isinf(bias) ? "-infinity" : to_json(Value(bias)));
  digest.field(prompt.pattern).field(prompt.json_schema).field(prompt.record_schema);
  if (prompt.constraint.prototype) digest.field(prompt.constraint.name);
}

// Whether no check that looks for copies of exemplars vouches for this draft.
bool may_copy_exemplars(const Task& task, const Draft& draft, const std::vector<Check>& checks) {
  bool guarded = false;
  for (const Check& check : checks) {
    if (!check.guards_exemplars) continue;
    guarded = true;
    if (check.test(task, draft)) return true;
  }
  return !guarded;
}

}  // namespace

Attempt::Attempt(const RunIdentity& identity, const RunOptions& options, const Task& task, bool is_private)
    : options_(options), task_(task), private_(is_private) {
  outcome_.row = task.row;
  outcome_.attempt = task.attempt;
  outcome_.condition = task.condition;
  Provenance& p = outcome_.provenance;
  p.generator = identity.generator;
  p.strategy = identity.strategy;
  p.model = identity.model;
  p.numeric_path = identity.numeric_path;
  p.library = SYNTHEMA_VERSION;
  p.seed = options.seed;
  causes_.field("synthema row 1").field(p.library).field(p.generator).field(p.strategy);
  causes_.field(p.model).field(p.numeric_path);
  causes_.field(task.schema ? to_json(*task.schema) : std::string()).field(to_json(task.condition));
  for (const std::uint64_t n : {p.seed, task.row, task.attempt}) causes_.field(std::to_string(n));
}

CompletionRequest Attempt::request(std::uint64_t id, Prompt prompt) {
  const Sampling sampling = prompt.sampling.value_or(options_.sampling);
  add_prompt(causes_, prompt);
  add_sampling(causes_, sampling);
  const std::uint64_t call = outcome_.provenance.questions++;
  outcome_.provenance.answers.emplace_back();
  log_probabilities_.emplace_back();
  return CompletionRequest(id, std::move(prompt), sampling,
                           Random::for_call(options_.seed, task_.row, task_.attempt, call));
}

void Attempt::note(std::size_t question, const Completion& completion) {
  outcome_.provenance.tokens += completion.tokens;
  log_probabilities_[question] = completion.log_probability;
  if (question >= last_answered_) {  // of the last question, whichever answer arrives last
    last_answered_ = question;
    outcome_.provenance.finish = name_of(completion.finish);
  }
  outcome_.provenance.answers[question] = completion.token_ids;
}

RowOutcome Attempt::finished() {
  const std::string digest = causes_.hex();
  // Private data are only ever named with a key.
  if (!private_)
    outcome_.provenance.digest = digest;
  else if (!options_.digest_key.empty())
    outcome_.provenance.digest = hmac_sha256_hex(options_.digest_key, digest);
  return std::move(outcome_);
}

RowOutcome Attempt::judged(Draft draft, const std::vector<Check>& checks, bool last) && {
  if (draft.values.empty())
    return std::move(*this).failed("The strategy returned a row without any values.", last);
  std::optional<std::string> reason = drop_not_finite(draft.values);
  if (!reason && task_.schema) reason = schema_misfit(*task_.schema, draft.values, task_.condition);
  if (reason) outcome_.check = "schema";
  const TokenCounts& tokens = outcome_.provenance.tokens;
  std::optional<double> sum = 0;
  for (const std::optional<double>& one : log_probabilities_)
    sum = sum && one ? std::optional(*sum + *one) : std::nullopt;
  if (const std::uint64_t drawn = tokens.free + tokens.masked; sum && drawn > 0)
    draft.mean_log_probability = *sum / static_cast<double>(drawn);
  for (auto check = checks.begin(); !reason && check != checks.end(); ++check)
    if ((reason = check->test(task_, draft))) outcome_.check = check->name;
  if (reason) {
    outcome_.reason = std::move(*reason);
    outcome_.last = last;
    outcome_.must_not_leave = private_ && may_copy_exemplars(task_, draft, checks);
  }
  outcome_.provenance.exemplars = std::move(draft.exemplars);
  outcome_.values = std::move(draft.values);
  return finished();
}

RowOutcome Attempt::failed(const std::string& reason, bool last) && {
  outcome_.check = "exchange";
  outcome_.reason = reason;
  outcome_.last = last;
  return finished();
}

bool is_private(const Task& task) {
  return (task.schema && !task.schema->may_leave_machine) ||
         (task.exemplars && !task.exemplars->schema().may_leave_machine);
}

std::string reason_or_rethrow(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const GenerationError& e) {
    return e.what();
  } catch (const ParseError& e) {
    return e.what();
  } catch (const SchemaError& e) {
    return e.what();
  }
}

}  // namespace synthema
