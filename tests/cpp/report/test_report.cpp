#include <doctest/doctest.h>

#include <limits>

#include "synthema/core/error.hpp"
#include "synthema/core/plug_in_error.hpp"
#include "synthema/data/label_columns.hpp"
#include "synthema/report/evaluate_all.hpp"
#include "synthema/report/report.hpp"

using namespace synthema;

namespace {

Report example() {
  Report report;
  report.title = "Éxample";
  Score full;
  full.name = "full";
  full.value = 0.25;
  full.interval = Interval{0.1, 0.4, 0.95, "Wilson"};
  full.n = 12;
  full.parts = {{"a", 0.5, 3, "note"}, {"b", std::nullopt, 0, ""}};
  full.ceiling = Bound{0.9, "holdout"};
  full.floor = Bound{0, "theory"};
  full.warnings = {"careful"};
  full.direction = Direction::lower;
  full.range = {0, std::numeric_limits<double>::infinity()};
  Score missing;
  missing.name = "missing";
  missing.undefined = "There are no rows.";
  report.scores = {full, missing};
  report.timings = {{"full", 0.5, 1024}};
  report.set_fact("run", R"({"seed": 7, "command": "synthema evaluate"})");
  return report;
}

// Says what kind the column "t" of each table has.
struct Kinds {
  std::string_view name() const { return "kinds"; }
  Direction direction() const { return Direction::none; }
  Range range() const { return {0, 1e9}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
    Score score;
    score.name = "kinds";
    score.value = 0;
    for (const Table* table : {real, &synthetic, context.holdout.get()})
      if (table) score.parts.push_back({std::string(name_of(table->column("t").kind())), 0.0, 1, ""});
    return score;
  }
};

Table texts(const std::vector<std::string>& values) {
  std::vector<Record> records(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) records[i].set("t", values[i]);
  Schema schema;
  schema.fields = {{.name = "t", .kind = Kind::text}};
  return Table::from_records(schema, records);
}

std::string kinds(const Table* real, const Table& synthetic, const EvaluationContext& context) {
  const std::vector<AnyEvaluator> one = {AnyEvaluator(Kinds{})};
  const Report report = evaluate_all(one, real, synthetic, context);
  std::string out;
  for (const ScorePart& part : report.at("kinds").parts) out += part.name + ' ';
  return out;
}

struct Counting {
  std::string_view name() const { return "rows"; }
  Direction direction() const { return Direction::none; }
  Range range() const { return {0, 1e9}; }
  Score evaluate(const Table*, const Table& synthetic, const EvaluationContext&) const {
    Score score;
    score.name = "rows";
    score.value = static_cast<double>(synthetic.rows());
    return score;
  }
};
struct NeedsReal : Counting {
  static constexpr bool needs_reference = true;
  std::string_view name() const { return "needs_real"; }
};

}  // namespace

TEST_CASE("a report survives its JSON form") {
  const Report report = example();
  const std::string json = to_json(report);
  const Report again = report_from_json(json);
  CHECK(to_json(again) == json);
  CHECK(again.at("full").range.high == std::numeric_limits<double>::infinity());
  CHECK(again.at("full").parts[1].value == std::nullopt);
  CHECK(again.at("full").interval->method == "Wilson");
  CHECK(again.at("missing").undefined == "There are no rows.");
  CHECK(again.timings == report.timings);
  CHECK(score_from_json(to_json(report.scores[0])).warnings == report.scores[0].warnings);
}

TEST_CASE("broken reports are refused by name") {
  for (
      const char* broken :
      {"", "[]", "{}", R"({"report_version": 2})", R"({"report_version": 1})",
       R"({"report_version": 1, "title": "x", "library": "0", "scores": {}, "timings": [], "facts": {}})",
       R"({"report_version": 1, "title": "x", "library": "0", "scores": [{"name": "a"}], "timings": [], "facts": {}})",
       R"({"report_version": 1, "title": "x", "library": "0", "scores": [3], "timings": [], "facts": {}})",
       R"({"report_version": 1, "title": "x", "library": "0", "scores": [], "timings": [{"name": "a", "seconds": -1}], "facts": {}})"})
    CHECK_THROWS_AS(report_from_json(broken), ParseError);
  Report report;
  CHECK_THROWS_AS(report.set_fact("bad", "{"), ParseError);
  CHECK_THROWS_AS(report.at("none"), EvaluationError);
  Score nan;
  nan.value = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(to_json(nan), EvaluationError);
}

TEST_CASE("the text form aligns and says what was not measured") {
  const std::string text = to_text(example());
  CHECK(text.find("full (lower)  0.250  0.100 to 0.400  12  0.000    0.900\n") != std::string::npos);
  CHECK(text.find("  missing was not measured: There are no rows.\n") != std::string::npos);
  Report two = example();
  two.scores.push_back(two.scores.back());
  two.scores.back().name = "other";
  CHECK(to_text(two).find("  missing, other were not measured: There are no rows.\n") != std::string::npos);
  CHECK(text.find("full: careful") != std::string::npos);
  CHECK(to_markdown(example()).find("| full (lower) | 0.250 |") != std::string::npos);
}

TEST_CASE("evaluate_all asks what it can and says what it cannot") {
  const std::vector<AnyEvaluator> evaluators = {Counting(), NeedsReal()};
  std::vector<std::string> seen;
  const Report report =
      evaluate_all(evaluators, nullptr, Table(), {}, [&](const Progress& p) { seen.push_back(p.note); });
  CHECK(report.at("rows").value == 0.0);
  CHECK(report.at("needs_real").undefined == "No real table was given.");
  CHECK(report.timings.size() == 2);
  CHECK(seen == std::vector<std::string>{"rows", "needs_real", ""});
  EvaluationContext context;
  context.cancel.cancel();
  CHECK_THROWS_AS(evaluate_all(evaluators, nullptr, Table(), context), Cancelled);
}

TEST_CASE("a column that does not serve one of several evaluators leaves the others their scores") {
  struct NeedsNumber {
    std::string field;
    std::string_view name() const { return "needs_number"; }
    Direction direction() const { return Direction::none; }
    Range range() const { return {0, 1}; }
    Score evaluate(const Table*, const Table&, const EvaluationContext&) const {
      throw EvaluationError({.field = field}, "It must be a number.");
    }
  };
  const Table rows = Table::from_records({.fields = {{.name = "x"}}}, std::vector<Record>{{{"x", "a"}}});
  const std::vector<AnyEvaluator> both = {NeedsNumber{"x"}, Counting()};
  const Report report = evaluate_all(both, nullptr, rows);
  CHECK(report.at("needs_number").undefined == "field 'x': It must be a number.");
  CHECK(report.at("rows").value == 1.0);
  // Alone there is nothing to save, and what is no column of a table is another mistake.
  CHECK_THROWS_AS(evaluate_all(std::span(both).first(1), nullptr, rows), EvaluationError);
  const std::vector<AnyEvaluator> other = {NeedsNumber{"y"}, Counting()};
  CHECK_THROWS_AS(evaluate_all(other, nullptr, rows), EvaluationError);
}

TEST_CASE("what a caller brought fails alone") {
  struct Asks : Counting {
    std::string_view name() const { return "asks"; }
    Score evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
      context.embedder({});
      return Counting::evaluate(nullptr, synthetic, context);
    }
  };
  EvaluationContext context;
  context.embedder = [](std::span<const std::string>) -> std::vector<std::vector<float>> {
    throw PlugInError("The encoder is away.");
  };
  const std::vector<AnyEvaluator> both = {Asks(), Counting()};
  const Table rows = texts({"a", "b"});
  const Report report = evaluate_all(both, nullptr, rows, context);
  CHECK(report.at("asks").undefined == "The encoder is away.");
  CHECK(report.at("rows").value == 2.0);
  CHECK(evaluate_all(std::span(both).first(1), nullptr, rows, context).at("asks").undefined != "");
}

TEST_CASE("evaluate_all takes texts that hold labels for categories, in all tables alike") {
  const Table real = texts({"f", "m", "m", "f"}), other = texts({"f", "m"});
  EvaluationContext context;
  context.holdout = std::make_shared<Table>(other);
  CHECK(kinds(&real, other, context) == "category category category ");
  CHECK(kinds(&other, real, context) == "text text text ");
  CHECK(kinds(nullptr, real, {}) == "category ");
  CHECK(real.column("t").kind() == Kind::text);
  const std::vector<std::string> names = {"t"};
  CHECK(kinds(&other, with_categories(other, names), context) == "category category category ");
  context.text_column = "t";
  CHECK(kinds(&real, real, context) == "text text text ");
}
