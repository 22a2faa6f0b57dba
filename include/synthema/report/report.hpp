// A Report: scores, how long each took, and facts about the run. Its JSON form is versioned;
// pages are made from that form alone.
//   {"report_version": 1, "title", "library", "scores": [...], "timings": [{"name", "seconds",
//    "memory_growth_bytes"}], "facts": {name: any JSON}}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/core/version.hpp"
#include "synthema/evaluate/score.hpp"

namespace synthema {

// What one evaluator cost. Never part of a score: these numbers differ from run to run.
struct Timing {
  std::string name;
  double seconds = 0;                     // wall clock
  std::uint64_t memory_growth_bytes = 0;  // by which the process's peak resident memory grew; 0 where unknown
  friend bool operator==(const Timing&, const Timing&) = default;
};

// A named fact or table of facts about the run (command, versions, seeds, sample rows), as JSON text.
struct Fact {
  std::string name;
  std::string json;
  friend bool operator==(const Fact&, const Fact&) = default;
};

struct SYNTHEMA_EXPORT Report {
  std::string title = "Report";
  std::string library = SYNTHEMA_VERSION;  // the version that measured
  std::vector<Score> scores;
  std::vector<Timing> timings;
  std::vector<Fact> facts;

  const Score* find(std::string_view name) const;
  const Score& at(std::string_view name) const;  // EvaluationError names those there are
  // Replaces or appends; ParseError if `json` is no JSON.
  void set_fact(std::string name, std::string json);
};

std::string to_json(const Report& report);
Report report_from_json(std::string_view json);  // ParseError; refuses versions that it does not know

// For terminals: a table of what was measured, then what was not and why, then the warnings.
std::string to_text(const Report& report);
// The same as a Markdown table.
std::string to_markdown(const Report& report);

}  // namespace synthema
