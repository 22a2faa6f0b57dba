#include "synthema/prompt/part_options.hpp"

#include "synthema/data/digest.hpp"
#include "synthema/data/json.hpp"

namespace synthema {

void PartOptions::add(std::string name, const std::vector<std::string>& texts) {
  values.set(std::move(name), ValueList(texts.begin(), texts.end()));
}

void PartOptions::add(const std::optional<Sampling>& sampling) {
  if (sampling) add_sampling(values, *sampling);
}

std::string PartOptions::digest(const std::string& key) const {
  if (values.empty()) return "none";
  Sha256 all;
  all.field("synthema options 1").field(to_json(values));
  if (table) {
    const bool is_named = table->schema().may_leave_machine || !key.empty();
    all.field(is_named ? content_digest(*table, key) : "private");
  }
  const std::string digest = all.hex();
  return key.empty() ? digest : hmac_sha256_hex(key, digest);
}

void add_sampling(Record& record, const Sampling& s) {
  const auto count = [](std::uint64_t n) { return Value(static_cast<std::int64_t>(n)); };
  record.set("temperature", s.temperature);
  record.set("top_k", count(s.top_k));
  record.set("top_p", s.top_p);
  record.set("min_p", s.min_p);
  record.set("repetition_penalty", s.repetition_penalty);
  record.set("max_tokens", count(s.max_tokens));
  record.set("min_tokens", count(s.min_tokens));
  record.set("log_probabilities", s.log_probabilities);
}

}  // namespace synthema
