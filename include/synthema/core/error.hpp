// The named errors of synthema. Every message is a full sentence: what was wrong, where, what to do.
#pragma once

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "synthema/core/export.hpp"

namespace synthema {

// Where in an input something was wrong. Empty or zero means "not applicable".
struct Location {
  std::string file = {};
  std::uint64_t line = 0;    // 1-based
  std::uint64_t column = 0;  // 1-based, in bytes
  std::string field = {};

  // "notes.csv, line 3, column 7, field 'age'"; empty where nothing is known.
  std::string text() const {
    std::ostringstream out;
    const char* separator = "";
    const auto part = [&](const auto&... pieces) {
      out << separator;
      (out << ... << pieces);
      separator = ", ";
    };
    if (!file.empty()) part(file);
    if (line > 0) part("line ", line);
    if (column > 0) part("column ", column);
    if (!field.empty()) part("field '", field, "'");
    return std::move(out).str();
  }
};

// Joins any streamable pieces into one message; headers use this so that none of them needs fmt.
template <class... Pieces>
std::string message(const Pieces&... pieces) {
  std::ostringstream out;
  (out << ... << pieces);
  return std::move(out).str();
}

// The root: catch this to catch all of ours.
class SYNTHEMA_EXPORT Error : public std::runtime_error {
 public:
  explicit Error(const std::string& what) : std::runtime_error(what) {}
  Error(const Location& where, const std::string& what)
      : std::runtime_error(where.text().empty() ? what : where.text() + ": " + what), where_(where) {}

  const Location& where() const noexcept { return where_; }

 private:
  Location where_;
};

// One child per kind of mistake that a caller can act on.
#define SYNTHEMA_DEFINE_ERROR(Name)           \
  class SYNTHEMA_EXPORT Name : public Error { \
   public:                                    \
    using Error::Error;                       \
  }

SYNTHEMA_DEFINE_ERROR(
    SchemaError);  // a table or record does not fit its schema, or the schema is inconsistent
SYNTHEMA_DEFINE_ERROR(ParseError);  // a CSV, JSON, JSONL or TOML text is broken; `where` says at which place
SYNTHEMA_DEFINE_ERROR(
    ModelError);  // a model file or folder is broken, unsupported or does not fit the request
SYNTHEMA_DEFINE_ERROR(ConfigError);      // options that contradict each other or are out of range
SYNTHEMA_DEFINE_ERROR(GenerationError);  // a run cannot reach its target, or a strategy misbehaved
SYNTHEMA_DEFINE_ERROR(RunFolderError);   // a run folder is damaged, of another run, or does not verify
SYNTHEMA_DEFINE_ERROR(EvaluationError);  // an evaluator was given data that it cannot use
SYNTHEMA_DEFINE_ERROR(PolicyError);      // the schema forbids what was asked (data may not leave the machine)
SYNTHEMA_DEFINE_ERROR(PrivacyBudgetError);  // a release would spend more than the budget of its ledger
SYNTHEMA_DEFINE_ERROR(Cancelled);           // the caller asked to stop

#undef SYNTHEMA_DEFINE_ERROR

}  // namespace synthema
