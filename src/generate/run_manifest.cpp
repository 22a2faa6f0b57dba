#include "synthema/generate/run_manifest.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "synthema/core/version.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/data/json.hpp"

namespace synthema {

namespace {

Value count(std::uint64_t n) {
  return Value(static_cast<std::int64_t>(n));
}

std::string digest_of(const std::shared_ptr<const Table>& table, const std::string& key) {
  return table ? content_digest(*table, key) : "none";
}

// Beside the names of the strategy and the checks: what these were made with.
constexpr std::pair<std::string_view, std::string_view> kOptionDigests[] = {{"strategy_digest", "strategy"},
                                                                            {"check_digests", "checks"}};

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
  ValueList checks, check_digests;
  for (const Check& check : inputs.checks) {
    checks.emplace_back(check.name);
    check_digests.emplace_back(check.options.digest(key));
  }
  record.set("strategy_digest", inputs.identity.strategy_options.digest(key));
  record.set("checks", std::move(checks));
  record.set("check_digests", std::move(check_digests));
  record.set("schema", inputs.schema ? to_json(*inputs.schema) : std::string());
  record.set("exemplars", digest_of(inputs.exemplars, key));
  record.set("conditions", inputs.conditions ? digest_of(inputs.conditions, key) : "function");
  record.set("settings", inputs.settings);
  return record;
}

std::string first_difference(const Record& there, const Record& wanted) {
  const auto given = [](const std::string& name) {
    const auto* digest =
        std::ranges::find(kOptionDigests, name, &std::pair<std::string_view, std::string_view>::first);
    return digest == std::end(kOptionDigests) ? name : std::string(digest->second);
  };
  for (const auto& [name, value] : wanted) {
    const Value* old = there.find(name);
    const bool is_new = !old && given(name) != name;
    if (!is_new && (!old || to_json(*old) != to_json(value))) return given(name);
  }
  for (const auto& [name, value] : there)
    if (!wanted.find(name)) return given(name);
  return {};
}

}  // namespace synthema
