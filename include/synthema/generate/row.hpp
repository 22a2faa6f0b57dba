// What the driver hands on for every finished attempt, accepted or not, and what a run folder keeps of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/data/value.hpp"
#include "synthema/prompt/completion.hpp"

namespace synthema {

// How an attempt came about. `digest` covers everything that shaped it: rendered messages, sampling values,
// schema, condition, seed, row, attempt, model digest, numeric path, library version; so equal digests mean
// equal causes. It is an HMAC where the data may not leave the machine, and empty if then no key was given.
struct Provenance {
  std::string generator;
  std::string strategy;
  std::string model;  // digest
  std::string numeric_path;
  std::string library = {};  // synthema version
  std::uint64_t seed = 0;
  std::string digest;
  std::vector<std::uint64_t> exemplars;  // ordinals in the run's pool, never patient ids
  TokenCounts tokens;                    // summed over the attempt's questions
  std::uint64_t questions = 0;
  std::string finish;  // of the last completion
  // Token ids of the answer to each question, where the model tells them: what re-scoring checks
  // (verify.hpp). Kept because text does not say how it was split into tokens; about as long as the text.
  std::vector<std::vector<std::int32_t>> answers = {};
  friend bool operator==(const Provenance&, const Provenance&) = default;
};

struct RowOutcome {
  std::uint64_t row = 0;
  std::uint64_t attempt = 0;  // 0-based; attempts needed = attempt + 1
  Record condition;
  Record values;  // empty where the exchange failed before a draft
  Provenance provenance;
  std::string check;            // which check rejected it; "exchange" if it failed before; empty: accepted
  std::string reason;           // empty: accepted
  bool last = false;            // rejected, and no further attempt will be made
  bool must_not_leave = false;  // rejected, and may hold a copy of an exemplar that may not leave the machine

  bool accepted() const { return check.empty(); }
  friend bool operator==(const RowOutcome&, const RowOutcome&) = default;
};

// One line of rows.jsonl or rejected.jsonl, without line end. Its last key "seal" is the SHA-256 of the line
// without it.
std::string to_json(const RowOutcome& outcome);
// ParseError names the place: no JSON, a missing or unknown key, or a seal that does not fit the line.
RowOutcome row_outcome_from_json(std::string_view line, const Location& where = {});

}  // namespace synthema
