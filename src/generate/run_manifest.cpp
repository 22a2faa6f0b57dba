#include "synthema/generate/run_manifest.hpp"

#include "synthema/core/version.hpp"
#include "synthema/data/digest.hpp"

namespace synthema {

namespace {

Value count(std::uint64_t n) {
  return Value(static_cast<std::int64_t>(n));
}

std::string digest_of(const std::shared_ptr<const Table>& table, const std::string& key) {
  return table ? content_digest(*table, key) : "none";
}

void add_sampling(Record& record, const Sampling& s) {
  record.set("temperature", s.temperature);
  record.set("top_k", count(s.top_k));
  record.set("top_p", s.top_p);
  record.set("min_p", s.min_p);
  record.set("repetition_penalty", s.repetition_penalty);
  record.set("max_tokens", count(s.max_tokens));
  record.set("min_tokens", count(s.min_tokens));
  record.set("log_probabilities", s.log_probabilities);
}

}  // namespace

Record run_manifest(const ManifestInputs& inputs, const RunOptions& options, const std::string& key) {
  Record record{{"format", "synthema run 1"},
                {"library", SYNTHEMA_VERSION},
                {"generator", inputs.identity.generator},
                {"strategy", inputs.identity.strategy},
                {"model", inputs.identity.model},
                {"numeric_path", inputs.identity.numeric_path},
                {"rows", count(options.rows)},
                {"seed", std::to_string(options.seed)},  // 64 bits without sign: kept as text
                {"max_attempts", count(options.max_attempts)},
                {"max_questions", count(options.max_questions)},
                {"hopeless_after", count(options.hopeless_after)},
                {"hopeless_below", options.hopeless_below}};
  add_sampling(record, options.sampling);
  ValueList checks;
  for (const Check& check : inputs.checks) checks.emplace_back(check.name);
  record.set("checks", std::move(checks));
  record.set("schema", inputs.schema ? to_json(*inputs.schema) : std::string());
  record.set("exemplars", digest_of(inputs.exemplars, key));
  record.set("conditions", inputs.conditions ? digest_of(inputs.conditions, key) : "function");
  record.set("settings", inputs.settings);
  return record;
}

}  // namespace synthema
