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

constexpr std::string_view kTimes = "times", kWithoutZone = "times_without_zone";

// What runs of before do not have, with what it tells of: what the strategy and the checks were made with
// beside their names, and how to read the times in the lines.
constexpr std::pair<std::string_view, std::string_view> kNewer[] = {{"strategy_digest", "strategy"},
                                                                    {"check_digests", "checks"},
                                                                    {kTimes, "conditions"},
                                                                    {kWithoutZone, "conditions"}};

void set_names(Record& record, std::string_view name, const std::vector<std::string>& names) {
  if (!names.empty()) record.set(std::string(name), ValueList(names.begin(), names.end()));
}

std::vector<std::string> names_of(const Record& record, std::string_view name) {
  std::vector<std::string> names;
  const Value* value = record.find(name);
  if (const auto* list = value ? value->get_if<ValueList>() : nullptr)
    for (const Value& one : *list) names.push_back(one.text());
  return names;
}

}  // namespace

GivenTimes given_times(const Table* conditions, const Table* exemplars) {
  GivenTimes times;
  for (const Table* table : {conditions, exemplars})
    for (std::size_t i = 0; table && i < table->columns(); ++i) {
      const std::string& name = table->schema().fields[i].name;
      const Column& column = table->column(i);
      if (column.kind() != Kind::time || (table == exemplars && conditions && conditions->has(name)))
        continue;
      times.fields.push_back(name);
      if (column.zone().empty()) times.without_zone.push_back(name);
    }
  return times;
}

GivenTimes given_times(const Record& manifest) {
  return {names_of(manifest, kTimes), names_of(manifest, kWithoutZone)};
}

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
  const GivenTimes times = given_times(inputs.conditions.get(), inputs.exemplars.get());
  set_names(record, kTimes, times.fields);
  set_names(record, kWithoutZone, times.without_zone);
  record.set("settings", inputs.settings);
  return record;
}

std::string first_difference(const Record& there, const Record& wanted) {
  const auto given = [](const std::string& name) {
    const auto* newer =
        std::ranges::find(kNewer, name, &std::pair<std::string_view, std::string_view>::first);
    return newer == std::end(kNewer) ? name : std::string(newer->second);
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
