#include "synthema/evaluate/privacy/attribution.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "src/evaluate/key_cells.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using detail::Key;
using detail::KeyHash;

// Synthetic rows by what is known: how many there are, and how many have each combination of secrets.
struct LookedUp {
  double rows = 0;
  std::unordered_map<Key, double, KeyHash> secrets;

  void add(const LookedUp& other) {
    rows += other.rows;
    for (const auto& [secret, count] : other.secrets) secrets[secret] += count;
  }
  double share(const Key& secret) const {
    const auto found = secrets.find(secret);
    return found == secrets.end() ? 0 : found->second / rows;
  }
};
using Lookup = std::unordered_map<Key, LookedUp, KeyHash>;

Lookup lookup_of(const std::vector<Key>& known, const std::vector<Key>& secret) {
  Lookup out;
  for (std::size_t row = 0; row < known.size(); ++row) {
    LookedUp& one = out[known[row]];
    ++one.rows;
    ++one.secrets[secret[row]];
  }
  return out;
}

std::size_t differences(const Key& a, const Key& b) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < a.size(); ++i) out += a[i] != b[i];
  return out;
}

// For each of these keys the synthetic rows of all keys that agree in the most places.
Lookup nearest_of(const std::vector<Key>& wanted, const Lookup& synthetic, const EvaluationContext& context) {
  std::set<Key> missing;
  for (const Key& key : wanted)
    if (!synthetic.contains(key)) missing.insert(key);
  const std::vector<Key> keys(missing.begin(), missing.end());
  std::vector<LookedUp> found(keys.size());
  parallel_for(
      keys.size(),
      [&](std::size_t i) {
        context.cancel.check();
        std::size_t best = std::numeric_limits<std::size_t>::max();
        for (const auto& [key, one] : synthetic) {
          const std::size_t apart = differences(keys[i], key);
          if (apart > best) continue;
          if (apart < best) found[i] = {};
          best = apart;
          found[i].add(one);
        }
      },
      context.threads);
  Lookup out = synthetic;
  for (std::size_t i = 0; i < keys.size(); ++i) out.emplace(keys[i], std::move(found[i]));
  return out;
}

// 1 - CAP of each row, and which rows have one.
struct Protections {
  RatioRows ratio;
  std::vector<std::size_t> rows;
};
Protections protections(AttributionRule rule, const std::vector<Key>& known, const std::vector<Key>& secret,
                        const Lookup& synthetic, const EvaluationContext& context) {
  const Lookup nearest =
      rule == AttributionRule::generalized ? nearest_of(known, synthetic, context) : Lookup();
  const Lookup& lookup = rule == AttributionRule::generalized ? nearest : synthetic;
  Protections out;
  for (std::size_t row = 0; row < known.size(); ++row) {
    const auto found = lookup.find(known[row]);
    if (found == lookup.end() && rule != AttributionRule::zero) continue;
    out.ratio.add(found == lookup.end() ? 1 : 1 - found->second.share(secret[row]));
    out.rows.push_back(row);
  }
  return out;
}

constexpr std::string_view kRuleNames[] = {"categorical_cap", "zero_cap", "generalized_cap",
                                           "disclosure_protection"};

}  // namespace

Attribution::Attribution(AttributionRule rule, DisclosureOptions options)
    : rule_(rule), options_(std::move(options)) {
  if (options_.bins == 0) throw ConfigError({.field = "bins"}, "There must be at least one bin.");
  detail::check_disclosure(options_);
}

std::string_view Attribution::name() const {
  return kRuleNames[static_cast<std::size_t>(rule_)];
}

Score Attribution::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  constexpr const char* definitions[] = {
      "1 - mean share of synthetic rows with a training row's quasi-identifiers that have its secrets",
      "the same, rows without such synthetic rows counting as protected",
      "the same, by the synthetic rows that agree in the most quasi-identifiers",
      "min(1, categorical_cap / (1 - 1 / number of combinations of secrets))"};
  Score score = start_score(*this,
                            "How often looking up the synthetic rows that agree in the quasi-identifiers "
                            "does not give a training row's secrets.",
                            definitions[static_cast<std::size_t>(rule_)]);
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (options_.known.empty()) return undefined(std::move(score), "No quasi-identifiers were named.");
  const std::vector<std::string> secrets = detail::secrets_of(*real, options_);
  if (secrets.empty())
    return undefined(std::move(score), "No sensitive columns were named, and the schema marks none.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  const Table* holdout = context.holdout && context.holdout->rows() > 0 ? context.holdout.get() : nullptr;
  detail::require_columns(options_.known, *real, synthetic, holdout);
  detail::require_columns(secrets, *real, synthetic, holdout);

  detail::KeyCells known(*real, options_.known, options_.bins), secret(*real, secrets, options_.bins);
  const std::vector<Key> real_secret = secret.of(*real);
  const Lookup lookup = lookup_of(known.of(synthetic), secret.of(synthetic));
  const Protections found = protections(rule_, known.of(*real), real_secret, lookup, context);
  if (found.rows.empty())
    return undefined(std::move(score), "No training row has the quasi-identifiers of a synthetic row.");
  set_ratio(score, found.ratio, Units::of(*real).take(found.rows), context);
  if (score.interval) score.interval->method += ", synthetic rows held fixed";
  const std::set<Key> combinations(real_secret.begin(), real_secret.end());
  const double guessing = 1 - 1 / static_cast<double>(combinations.size());
  const auto scaled = [&](double cap) {
    if (rule_ != AttributionRule::disclosure) return cap;
    return guessing > 0 ? std::min(1.0, cap / guessing) : (cap > 0 ? 1.0 : 0.0);
  };
  score.parts = {
      {"before comparing with guessing", score.value, found.rows.size(), ""},
      {"guessing", guessing, real->rows(), counted(combinations.size(), "combination") + " of secrets"},
      {"training rows looked up", static_cast<double>(found.rows.size()), real->rows(), ""}};
  score.value = scaled(*score.value);
  if (score.interval) {
    score.interval->low = scaled(score.interval->low);
    score.interval->high = scaled(score.interval->high);
    if (!(score.interval->low < score.interval->high)) {
      score.interval.reset();
      score.no_interval = guessing > 0
                              ? "The whole interval lies above guessing, where the measure is cut at 1."
                              : "The training rows have one combination of secrets: there is nothing "
                                "to find out.";
    }
  }
  score.floor = Bound{0, "theory: the secrets can be looked up"};
  if (!holdout) return score;
  const Protections others = protections(rule_, known.of(*holdout), secret.of(*holdout), lookup, context);
  if (const auto value = others.ratio.value())
    score.ceiling = Bound{scaled(*value), message("holdout, ", counted(others.rows.size(), "real row"))};
  return score;
}

}  // namespace synthema
