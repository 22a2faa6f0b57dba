#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "synthema/core/utf8.hpp"
#include "synthema/report/report.hpp"

namespace synthema {

namespace {

using Row = std::array<std::string, 6>;
Row header_row() {
  return {"score", "value", "95 % interval", "n", "floor", "ceiling"};
}

std::string number(double value) {
  return std::abs(value) >= 100 ? fmt::format("{:.1f}", value) : fmt::format("{:.3f}", value);
}

std::string bound(const std::optional<Bound>& bound) {
  return bound ? number(bound->value) : "";
}

std::string interval(const Score& score) {
  if (!score.interval) return "none";
  const std::string ends = number(score.interval->low) + " to " + number(score.interval->high);
  return score.interval->level == 0.95 ? ends
                                       : fmt::format("{} at {:g} %", ends, 100 * score.interval->level);
}

std::string arrow(Direction direction) {
  return direction == Direction::higher ? " (higher)" : direction == Direction::lower ? " (lower)" : "";
}

std::vector<Row> rows_of(const Report& report) {
  std::vector<Row> out;
  for (const Score& score : report.scores)
    if (score.value)
      out.push_back({score.name + arrow(score.direction), number(*score.value), interval(score),
                     std::to_string(score.n), bound(score.floor), bound(score.ceiling)});
  return out;
}

// Code points, as wide as most terminals show them.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// What was not measured, the names with one reason together.
std::string unmeasured(const Report& report, std::string_view bullet) {
  std::vector<std::pair<std::string_view, std::vector<std::string_view>>> by_reason;
  for (const Score& score : report.scores) {
    if (score.value) continue;
    auto group = std::find_if(by_reason.begin(), by_reason.end(),
                              [&](const auto& known) { return known.first == score.undefined; });
    if (group == by_reason.end()) group = by_reason.insert(group, {score.undefined, {}});
    group->second.push_back(score.name);
  }
  std::string out;
  for (const auto& [reason, names] : by_reason)
    out += fmt::format("{}{} {} not measured: {}\n", bullet, fmt::join(names, ", "),
                       names.size() == 1 ? "was" : "were", reason);
  return out;
}

std::string notes(const Report& report, std::string_view bullet) {
  std::string out = unmeasured(report, bullet);
  for (const Score& score : report.scores)
    for (const std::string& warning : score.warnings)
      out += fmt::format("{}{}: {}\n", bullet, score.name, warning);
  for (const Fact& fact : report.facts)
    if (fact.name == "cautions" || fact.name == "left_out")  // lists of sentences
      for (const nlohmann::json& sentence : nlohmann::json::parse(fact.json))
        out += fmt::format("{}{}\n", bullet, sentence.get<std::string>());
    else if (fact.name == "drift")  // a sentence
      out += fmt::format("{}{}\n", bullet, nlohmann::json::parse(fact.json).get<std::string>());
    else if (fact.name == "row_numbers")  // a list of names
      out += fmt::format("{}Taken for row numbers and left out, as identifiers are: {}\n", bullet,
                         fact.json.substr(1, fact.json.size() - 2));
  return out;
}

}  // namespace

std::string to_text(const Report& report) {
  const std::vector<Row> rows = rows_of(report);
  const Row header = header_row();
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (std::size_t c = 0; c < header.size(); ++c) {
    widths[c] = width_of(header[c]);
    for (const Row& row : rows) widths[c] = std::max(widths[c], width_of(row[c]));
  }
  const auto line = [&](const Row& row) {
    std::string out;
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string pad(widths[c] - width_of(row[c]), ' ');
      out += (c == 0 ? row[c] + pad : "  " + pad + row[c]);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out + "\n";
  };
  std::string out = report.title + "\n" + line(header);
  for (const Row& row : rows) out += line(row);
  const std::string rest = notes(report, "  ");
  return rest.empty() ? out : out + "\n" + rest;
}

std::string to_markdown(const Report& report) {
  const auto line = [](const Row& row) { return fmt::format("| {} |\n", fmt::join(row, " | ")); };
  std::string out = "# " + report.title + "\n\n" + line(header_row()) + "|---|---:|---:|---:|---:|---:|\n";
  for (const Row& row : rows_of(report)) out += line(row);
  const std::string rest = notes(report, "- ");
  return rest.empty() ? out : out + "\n" + rest;
}

}  // namespace synthema
