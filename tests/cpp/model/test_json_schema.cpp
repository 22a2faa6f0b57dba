#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/model/answer_form.hpp"

using namespace synthema;

namespace {

FormVocabulary byte_vocabulary() {
  static const auto trie = [] {
    std::vector<std::string> tokens;
    for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
    return std::make_shared<const VocabularyTrie>(std::move(tokens));
  }();
  return {trie};
}

AnswerForm form_of(const std::string& schema) {
  CAPTURE(schema);
  return AnswerForm::json(schema, byte_vocabulary());
}

bool accepts(const AnswerForm& form, std::string_view text) {
  FormConstraint constraint(form);
  for (const char c : text)
    if (!constraint.accept(static_cast<unsigned char>(c))) return false;
  return constraint.is_complete();
}

void check_texts(const std::string& schema, const std::vector<std::string>& good,
                 const std::vector<std::string>& bad) {
  const AnswerForm form = form_of(schema);
  for (const std::string& text : good) CHECK_MESSAGE(accepts(form, text), schema, " should allow ", text);
  for (const std::string& text : bad) CHECK_MESSAGE(!accepts(form, text), schema, " should refuse ", text);
}

void check_refused(const std::string& schema, const std::string& path, const char* what = "") {
  CAPTURE(schema);
  try {
    (void)form_of(schema);
    FAIL_CHECK("accepted");
  } catch (const ConfigError& error) {
    CHECK(error.where().field == path);
    CHECK(std::string(error.what()).size() > 40);
    CHECK(std::string(error.what()).find(what) != std::string::npos);
  }
}

std::string inside(const std::string& value) {
  return R"({"type":"object","properties":{"a":)" + value + "}}";
}

}  // namespace

TEST_CASE("an enumeration keeps to its type, and may hold lists and objects") {
  check_texts(R"({"type": "string", "enum": ["a", 1, null]})", {"\"a\""}, {"1", "null"});
  check_texts(R"({"type": ["integer", "null"], "enum": ["a", 1, 1.5, null]})", {"1", "null"},
              {"\"a\"", "1.5"});
  check_texts(R"({"enum": [[1, "x"], {"k": [], "é": null}]})", {"[1, \"x\"]", "{\"k\": [], \"é\": null}"},
              {"[1,\"x\"]", "{}"});
}

TEST_CASE("oneOf: alternatives that a key tells apart") {
  const std::string cat = R"({"type":"object","properties":{"kind":{"const":"cat"},"lives":{"enum":[9]}},)"
                          R"("required":["kind","lives"]})",
                    dog = R"({"type":"object","properties":{"kind":{"enum":["dog","puppy"]}},)"
                          R"("required":["kind"]})";
  check_texts(R"({"oneOf":[)" + cat + "," + dog +
                  R"(],"discriminator":{"propertyName":"kind","mapping":{"cat":"#/oneOf/0"}}})",
              {R"({"kind": "cat", "lives": 9})", R"({"kind": "dog"})", R"({"kind": "puppy"})"},
              {R"({"kind": "cat"})", R"({"kind": "dog", "lives": 9})"});
  // A key behind long texts still tells them apart.
  const auto late = [](const char* kind) {
    return std::string(R"({"type":"object","properties":{"t":{"type":"string"},"k":{"const":")") + kind +
           R"("}},"required":["t","k"]})";
  };
  CHECK(accepts(form_of(R"({"oneOf":[)" + late("x") + "," + late("y") + "]}"), R"({"t": "abc", "k": "y"})"));
  check_refused(inside(R"({"oneOf":[{"type":"integer"},{"type":"number"}]})"), "#/properties/a/oneOf",
                "alternatives 0 and 1");
  check_refused(inside(R"({"oneOf":[{"type":"null"},{"type":"boolean"},{"const":true}]})"),
                "#/properties/a/oneOf", "alternatives 1 and 2");
}

TEST_CASE("oneOf: objects that are open for the keys of others") {
  const auto one = [](const std::string& properties, const std::string& required, const char* more = "") {
    return R"({"type":"object","properties":{)" + properties + R"(},"required":[)" + required + "]" + more +
           "}";
  };
  const std::string a = R"("a":{"enum":[1,2]})", b = R"("b":{"enum":[1]})",
                    closed = R"(,"additionalProperties":false)";
  const auto both = [&](const std::string& first, const std::string& second) {
    return R"({"oneOf":[)" + first + "," + second + "]}";
  };
  check_texts(both(one(a, R"("a")"), one(b, R"("b")")), {R"({"a": 2})", R"({"b": 1})"}, {"{}"});
  check_texts(both(one(a, R"("a")"), one(b, "", closed.c_str())), {R"({"a": 1})", "{}", R"({"b": 1})"},
              {R"({"a": 1, "b": 1})"});
  // {"a": 1} fits the second as well, which takes any further key.
  check_refused(both(one(a, R"("a")"), one(b, "")), "#/oneOf", "alternatives 0 and 1");
  check_refused(R"({"oneOf":[{"$ref":"#/$defs/A"},{"allOf":[{"$ref":"#/$defs/B"}]}],"$defs":{"A":)" +
                    one(a, R"("a")") + R"(,"B":)" + one(b, "") + "}}",
                "#/oneOf", "alternatives 0 and 1");
  // A key that both name tells them apart by its values only.
  check_texts(both(one(a + "," + b, R"("a","b")"), one(R"("a":{"enum":[3]})", "")),
              {R"({"a": 1, "b": 1})", R"({"a": 3})", "{}"}, {R"({"a": 3, "b": 1})"});
  check_refused(both(one(a + "," + b, R"("a","b")"), one(R"("a":{"enum":[2,3]})", R"("a")")), "#/oneOf",
                "alternatives 0 and 1");
}

TEST_CASE("oneOf: what stands within objects and lists is open as well") {
  const auto object = [](const std::string& properties, const std::string& required, const char* more = "") {
    return R"({"type":"object","properties":{)" + properties + R"(},"required":[)" + required + "]" + more +
           "}";
  };
  const auto list = [](const std::string& items) { return R"({"type":"array","items":)" + items + "}"; };
  const auto both = [](const std::string& first, const std::string& second, const std::string& more = "") {
    return R"({"oneOf":[)" + first + "," + second + "]" + more + "}";
  };
  const auto in = [&](const std::string& value) { return object("\"a\":" + value, "\"a\""); };
  const std::string x = R"("x":{"enum":[1]})", y = R"("y":{"enum":[2]})",
                    closed = R"(,"additionalProperties":false)";
  const std::string one = object(x, R"("x")"), two = object(x + "," + y, R"("x","y")"),
                    sealed = object(x, R"("x")", closed.c_str());
  // {"a": {"x": 1, "y": 2}} fits both, for the first is open; so it is behind references, lists and
  // alternatives.
  const auto alike = [&](const std::string& first, const std::string& second, const std::string& more = "") {
    check_refused(both(first, second, more), "#/oneOf", "alternatives 0 and 1");
    check_refused(both(second, first, more), "#/oneOf", "alternatives 0 and 1");
  };
  alike(in(one), in(two));
  alike(in(in(one)), in(in(two)));
  alike(in(list(one)), in(list(two)));
  alike(in(R"({"anyOf":[)" + one + R"(,{"type":"null"}]})"), in(two));
  alike(in(R"({"$ref":"#/$defs/One"})"), in(R"({"anyOf":[{"type":"null"},{"$ref":"#/$defs/Two"}]})"),
        R"(,"$defs":{"One":)" + one + R"(,"Two":)" + two + "}");
  alike(R"({"type":"array","prefixItems":[)" + one + R"(],"minItems":1})",
        R"({"type":"array","prefixItems":[)" + two + R"(],"minItems":1})");
  // A tuple without a maximum takes further elements.
  alike(R"({"type":"array","prefixItems":[{"const":1}],"minItems":1})",
        R"({"type":"array","prefixItems":[{"const":1},{"const":2}],"minItems":2})");
  check_texts(both(in(sealed), in(two)), {R"({"a": {"x": 1}})", R"({"a": {"x": 1, "y": 2}})"},
              {R"({"a": {}})"});
  check_texts(both(R"({"type":"array","prefixItems":[{"const":1}],"minItems":1,"maxItems":1})",
                   R"({"type":"array","prefixItems":[{"const":1},{"const":2}],"minItems":2})"),
              {"[1]", "[1, 2]"}, {"[1, 3]"});
  check_texts(both(in(object(x, R"("x")")), in(object(R"("x":{"enum":[3]})", R"("x")"))),
              {R"({"a": {"x": 1}})", R"({"a": {"x": 3}})"}, {R"({"a": {"x": 2}})"});
  // Trees of two kinds, which hold each other.
  const auto tree = [&](const char* kind) {
    return object(R"("kind":{"const":")" + std::string(kind) + R"("},"parts":)" +
                      list(R"({"oneOf":[{"$ref":"#/$defs/A"},{"$ref":"#/$defs/B"}]})"),
                  R"("kind","parts")");
  };
  check_texts(R"({"$ref":"#/$defs/A","$defs":{"A":)" + tree("a") + R"(,"B":)" + tree("b") + "}}",
              {R"({"kind": "a", "parts": [{"kind": "b", "parts": []}]})"}, {R"({"kind": "b", "parts": []})"});
}

TEST_CASE("1.0 is the integer 1") {
  check_texts(R"({"type":"integer","enum":[1,2.0,2.5]})", {"1", "2"}, {"2.0", "2.5"});
  check_refused(R"({"oneOf":[{"const":1},{"const":1.0}]})", "#/oneOf", "alternatives 0 and 1");
  check_texts(R"({"type":"array","items":{"enum":[1,1.0,-0.0]},"uniqueItems":true})", {"[1, 0]", "[1]", "[]"},
              {"[1, 1]", "[1, 1.0]"});
}

TEST_CASE("tuples, and lists that begin with one") {
  const std::string pair = R"("prefixItems":[{"enum":[1]},{"enum":["a"]}])";
  check_texts(R"({"type":"array",)" + pair + R"(,"minItems":2,"maxItems":2})", {"[1, \"a\"]"},
              {"[]", "[1]", "[1, \"a\", 1]", "[\"a\", 1]"});
  check_texts(R"({"type":"array",)" + pair + "}", {"[]", "[1]", "[1, \"a\"]"}, {"[1, \"a\", 1]", "[, 1]"});
  check_texts(R"({"type":"array",)" + pair + R"(,"items":{"type":"null"},"minItems":3,"maxItems":4})",
              {"[1, \"a\", null]", "[1, \"a\", null, null]"}, {"[1, \"a\"]", "[1, \"a\", null, null, null]"});
  check_texts(R"({"type":"array","minItems":0,"maxItems":0})", {"[]"}, {"[1]"});
  check_texts(R"({"type":"array","prefixItems":[],"items":{"enum":[2]},"maxItems":2})", {"[]", "[2, 2]"},
              {"[2, 2, 2]"});
  check_refused(inside(R"({"type":"array","prefixItems":[{"type":"null"}],"minItems":2})"), "#/properties/a");
  check_refused(inside(R"({"type":"array","prefixItems":{"type":"null"}})"), "#/properties/a/prefixItems");
}

TEST_CASE("sets hold each element once, in the order of the enumeration") {
  const std::string three = R"({"type":"array","uniqueItems":true,"items":{"$ref":"#/$defs/L"},)";
  const std::string labels = R"("$defs":{"L":{"enum":["a","b","c"]}}})";
  check_texts(three + labels, {"[]", "[\"a\"]", "[\"a\", \"c\"]", "[\"a\", \"b\", \"c\"]"},
              {"[\"c\", \"a\"]", "[\"a\", \"a\"]"});
  check_texts(three + R"("minItems":1,"maxItems":2,)" + labels, {"[\"b\"]", "[\"b\", \"c\"]"},
              {"[]", "[\"a\", \"b\", \"c\"]"});
  check_texts(three + R"("minItems":3,)" + labels, {"[\"a\", \"b\", \"c\"]"}, {"[\"a\", \"b\"]"});
  check_refused(three + R"("minItems":4,)" + labels, "#");
  check_refused(inside(R"({"type":"array","uniqueItems":true,"items":{"type":"string"}})"),
                "#/properties/a/uniqueItems", "enum");
}

TEST_CASE("dicts with keys of an enumeration, and bounds on how many keys") {
  const std::string dict = R"({"type":"object","additionalProperties":{"enum":[1]},)"
                           R"("propertyNames":{"enum":["x","y","z"]})";
  check_texts(dict + "}", {"{}", R"({"x": 1})", R"({"x": 1, "z": 1})"},
              {R"({"z": 1, "x": 1})", R"({"x": 1, "x": 1})", R"({"w": 1})"});
  check_texts(dict + R"(,"minProperties":1,"maxProperties":2})", {R"({"y": 1})", R"({"x": 1, "z": 1})"},
              {"{}", R"({"x": 1, "y": 1, "z": 1})"});
  check_texts(dict + R"(,"required":["y"]})", {R"({"y": 1})", R"({"x": 1, "y": 1})"}, {"{}", R"({"x": 1})"});
  check_texts(R"({"type":"object","properties":{"p":{"enum":[0]}},"required":["p"],)"
              R"("additionalProperties":{"enum":[1]},"propertyNames":{"enum":["q"]}})",
              {R"({"p": 0})", R"({"p": 0, "q": 1})"}, {R"({"q": 1})"});
  check_refused(R"({"type":"object","additionalProperties":{"type":"string"}})", "#/additionalProperties",
                "propertyNames");
  check_refused(R"({"type":"object","properties":{"a":{"type":"null"}},"minProperties":2})", "#");
  check_refused(R"({"type":"object"})", "#", "without 'properties'");
}

TEST_CASE("what refers to itself is unrolled, or is told that it has no end") {
  const std::string tree = R"({"$ref":"#/$defs/N","$defs":{"N":{"type":"object","properties":{)"
                           R"("kids":{"type":"array","items":{"$ref":"#/$defs/N"},"maxItems":2}},)"
                           R"("required":["kids"]}}})";
  const auto deep = [](int levels) {
    std::string text = R"({"kids": []})";
    for (int i = 1; i < levels; ++i) text = R"({"kids": [)" + text + "]}";
    return text;
  };
  check_texts(tree, {deep(1), deep(2), deep(4), R"({"kids": [{"kids": []}, {"kids": [{"kids": []}]}]})"},
              {deep(5)});
  // Through the root, an optional key and an alternative.
  check_texts(R"({"type":"object","properties":{"next":{"$ref":"#"}}})", {"{}", R"({"next": {"next": {}}})"},
              {R"({"next": null})"});
  check_texts(R"({"$ref":"#/$defs/A","$defs":{"A":{"anyOf":[{"$ref":"#/$defs/B"},{"type":"null"}]},)"
              R"("B":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"required":["a"]}}})",
              {"null", R"({"a": null})", R"({"a": {"a": null}})"}, {"{}"});
  check_refused(R"({"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":)"
                R"({"a":{"$ref":"#/$defs/A"}},"required":["a"]}}})",
                "#/$defs/A/properties/a", "no way to end");
  check_refused(R"({"$ref":"#"})", "#", "no way to end");
  check_refused(R"({"$ref":"#/$defs/A","$defs":{"A":{"type":"array","uniqueItems":true,"minItems":1,)"
                R"("items":{"$ref":"#/$defs/A"}}}})",
                "#/$defs/A/uniqueItems");
  // Twenty definitions that all refer to each other.
  std::string web = R"({"$ref":"#/$defs/D0","$defs":{)";
  for (int i = 0; i < 20; ++i) {
    web += (i ? ",\"D" : "\"D") + std::to_string(i) + R"(":{"type":"object","properties":{)";
    for (int j = 0; j < 20; ++j)
      web += (j ? ",\"k" : "\"k") + std::to_string(j) + R"(":{"$ref":"#/$defs/D)" + std::to_string(j) + "\"}";
    web += "}}";
  }
  CHECK_THROWS_WITH_AS((void)form_of(web + "}}"), doctest::Contains("too many references"), ConfigError);
}

TEST_CASE("bounds nearer to zero than any decimal that is written") {
  check_texts(R"({"type":"number","minimum":1e-30,"maximum":1})", {"1", "0.000001"}, {"0", "0.0"});
  check_texts(R"({"type":"number","minimum":-1,"maximum":-1e-30})", {"-1", "-0.000001"}, {"0", "-0.0"});
  check_texts(R"({"type":"number","minimum":-1e-30,"maximum":1})", {"0", "1"}, {"-0.000001"});
}

TEST_CASE("multiples of any step") {
  check_texts(R"({"type":"integer","minimum":-7,"maximum":12,"multipleOf":5})", {"-5", "0", "5", "10"},
              {"-10", "-7", "1", "12", "15", "-0"});
  check_texts(R"({"type":"number","exclusiveMinimum":0,"maximum":1,"multipleOf":0.25})",
              {"0.25", "0.5", "0.75", "1"}, {"0", "0.1", "0.50", "1.25"});
  check_texts(R"({"type":"number","minimum":-0.3,"maximum":0.2,"multipleOf":0.15})",
              {"-0.3", "-0.15", "0", "0.15"}, {"0.2", "-0.45"});
  check_texts(R"({"type":"integer","minimum":2000000000,"maximum":2000000100,"multipleOf":50})",
              {"2000000000", "2000000050", "2000000100"}, {"999999999", "999999950", "2000000150"});
  check_texts(R"({"type":"integer","minimum":-5,"multipleOf":100000})", {"0", "999900000"}, {"1000000000"});
  for (const char* beyond : {R"({"type":"number","minimum":1e10,"multipleOf":0.5})",
                             R"({"type":"integer","maximum":-1e15,"multipleOf":7})"})
    check_refused(inside(beyond), "#/properties/a", "no value");
  check_refused(inside(R"({"type":"integer","multipleOf":5})"), "#/properties/a/multipleOf", "smaller range");
  check_refused(inside(R"({"type":"integer","multipleOf":0.5})"), "#/properties/a/multipleOf");
  check_refused(inside(R"({"type":"number","multipleOf":0})"), "#/properties/a/multipleOf");
  check_refused(inside(R"({"type":"number","multipleOf":-2})"), "#/properties/a/multipleOf");
  check_refused(inside(R"({"type":"integer","minimum":1,"maximum":4,"multipleOf":5})"), "#/properties/a",
                "no value");
}

TEST_CASE("formats of strings") {
  const auto format = [](const std::string& name, const std::string& more = "") {
    return R"({"type":"string","format":")" + name + "\"" + more + "}";
  };
  check_texts(format("time"), {"\"00:00:00Z\"", "\"23:59:59Z\""}, {"\"24:00:00Z\"", "\"10:00:00\""});
  check_texts(format("duration"), {"\"P0D\"", "\"P12DT3H\"", "\"P1DT23H59M\""},
              {"\"P\"", "\"P1DT\"", "\"P1DT24H\"", "\"PT5M\""});
  check_texts(format("uuid"), {"\"123e4567-e89b-12d3-a456-426614174000\""},
              {"\"123e4567-e89b-92d3-a456-426614174000\"", "\"123e4567-e89b-12d3-7456-426614174000\""});
  check_texts(format("uuid4"), {"\"123e4567-e89b-42d3-a456-426614174000\""},
              {"\"123e4567-e89b-12d3-a456-426614174000\""});
  check_texts(format("date", R"(,"formatMinimum":"2024-02-28","formatMaximum":"2024-03-01")"),
              {"\"2024-02-28\"", "\"2024-02-29\"", "\"2024-03-01\""}, {"\"2024-02-27\"", "\"2024-03-02\""});
  check_texts(format("binary", R"(,"maxLength":2)"), {"\"\"", "\"ab\""}, {"\"abc\""});
  check_refused(inside(format("email")), "#/properties/a/format", "'email'");
  check_refused(inside(format("date", R"(,"maxLength":10)")), "#/properties/a/format");
  check_refused(inside(format("date", R"(,"formatMinimum":"soon")")), "#/properties/a/formatMinimum");
  check_refused(inside(format("time", R"(,"formatMinimum":"2024-02-28")")), "#/properties/a/formatMinimum");
}

TEST_CASE("a pattern beside a length") {
  const auto text = [](const std::string& pattern, const std::string& lengths) {
    return R"({"type":"string","pattern":")" + pattern + "\"," + lengths + "}";
  };
  check_texts(text("^[a-zé]+$", R"("minLength":2,"maxLength":3)"), {"\"ab\"", "\"éé\"", "\"abé\""},
              {"\"\"", "\"a\"", "\"abcd\""});
  check_texts(text("^(ab|c)*x?$", R"("minLength":2,"maxLength":4)"),
              {"\"ab\"", "\"cx\"", "\"abab\"", "\"cccc\""}, {"\"c\"", "\"x\"", "\"ababc\"", "\"ababx\""});
  // An escaped character is one character, and so is one of several bytes.
  check_texts(text("^(日|x\\\"|.)*$", R"("maxLength":2)"),
              {R"("")", R"("\"\"")", R"("日本")", R"("\\n")", R"("x\"")"}, {R"("\"\"\"")", R"("日本語")"});
  check_texts(text("^[a-z]*$", R"("minLength":1,"maxLength":5000)"), {"\"" + std::string(5000, 'a') + "\""},
              {"\"\"", "\"" + std::string(5001, 'a') + "\""});
  check_refused(inside(text("^[a-z]{2}$", R"("minLength":3)")), "#/properties/a", "no value");
  check_refused(inside(text("^(ab)*$", R"("minLength":1,"maxLength":1)")), "#/properties/a", "no value");
  check_refused(inside(text("^(ab)*$", R"("maxLength":5000)")), "#/properties/a/pattern", "1000");

  // The whole length is open text: it is not cut short, and ends when it must.
  const AnswerForm form = form_of(text("^(ab|c)*$", R"("minLength":3,"maxLength":90)"));
  Random random(4);
  for (const std::size_t open : {0, 10, 200})
    for (std::uint64_t round = 0; round < 40; ++round) {
      FormConstraint constraint(form, open);
      std::size_t tokens = 0;
      while (!constraint.allowed().empty()) {
        const auto ids = constraint.allowed();
        const double u = random.stream(round).uniform_at(tokens++, 0);
        REQUIRE(constraint.accept(ids[static_cast<std::size_t>(u * static_cast<double>(ids.size()))]));
      }
      REQUIRE(constraint.is_complete());
      REQUIRE(constraint.text().size() >= 5);
      REQUIRE(constraint.text().size() <= 92);
      REQUIRE(tokens <= form.longest(open));
    }
}

TEST_CASE("what is outside the subset names its keyword and path") {
  check_refused("{", "json_schema");
  check_refused("3", "#");
  check_refused("{}", "#");
  check_refused(inside(R"({"enum": []})"), "#/properties/a");
  check_refused(inside(R"({"type": "integer", "minimum": 3, "maximum": 2})"), "#/properties/a");
  check_refused(R"({"type": "number", "minimum": 1e10})", "#", "beyond 999999999,");
  check_refused(inside(R"({"type": "integer", "maximum": -1e16})"), "#/properties/a", "beyond");
  check_refused(inside(R"({"type": "string", "const": 5})"), "#/properties/a", "const");
  check_refused(inside(R"({"type": "string", "minLength": 3, "maxLength": 2})"), "#/properties/a");
  check_refused(inside(R"({"type": "string", "pattern": "a("})"), "#/properties/a/pattern");
  check_refused(inside(R"({"type": "array"})"), "#/properties/a");
  check_refused(inside(R"({"type": "array", "items": {"type": "null"}, "uniqueItems": true})"),
                "#/properties/a/uniqueItems");
  check_refused(inside(R"({"type": "what"})"), "#/properties/a");
  check_refused(inside(R"({"$ref": "#/$defs/none"})"), "#/properties/a");
  check_refused(R"({"type":"object","required":["x"]})", "#");
  check_refused(inside(R"({"anyOf": []})"), "#/properties/a");
  check_refused(inside(R"({"not": {"type": "null"}, "type": "null"})"), "#/properties/a/not");
  check_refused(R"({"type":"array","items":{"allOf":[{"type":"null"},{"type":"null"}]}})", "#/items/allOf");
}

TEST_CASE("the key that tells alternatives apart is always written") {
  const auto one = [](const char* kinds, const char* more) {
    return std::string(R"({"type":"object","properties":{"k":{"enum":)") + kinds + R"(},"n":{"enum":[1]})" +
           more + "}}";
  };
  check_texts(R"({"discriminator":{"propertyName":"k"},"oneOf":[)" + one(R"(["a","b"])", "") + "," +
                  one(R"(["c"])", R"(,"k2":{"$ref":"#/oneOf/0"})") + "]}",
              {R"({"k": "a"})", R"({"k": "c", "n": 1})", R"({"k": "c", "k2": {}})"}, {"{}", R"({"n": 1})"});
}

TEST_CASE("rules between values of an object and of objects within it") {
  const std::string stay =
      R"({"type":"object","properties":{"in":{"type":"string","format":"date","formatMinimum":"2024-01-01",)"
      R"("formatMaximum":"2024-12-31"},"out":{"type":"string","format":"date","formatMaximum":"2024-12-31"}},)"
      R"("required":["in","out"],"x-rules":[{"field":"out","given":"in","relation":">="}]})";
  const std::string visit =
      R"({"type":"object","properties":{"sex":{"enum":["f","m"]},"note":{"enum":["x"]},"stay":{"$ref":"#/$defs/S"},)"
      R"("codes":{"type":"array","items":{"enum":[1]}},)"
      R"("finding":{"type":"object","properties":{"term":{"anyOf":[{"enum":["a","b"]},{"type":"null"}]}},"required":["term"]}},)"
      R"("required":["sex","stay","finding"],"$defs":{"S":)" +
      stay + R"(},"x-rules":[{"field":"finding.term","given":"sex","labels":["m"],"categories":["a"]}]})";
  const auto text = [](const char* sex, const char* in, const char* out, const char* term) {
    return std::string(R"({"sex": ")") + sex + R"(", "note": "x", "stay": {"in": ")" + in + R"(", "out": ")" +
           out + R"("}, "codes": [1], "finding": {"term": )" + term + "}}";
  };
  check_texts(visit,
              {text("f", "2024-02-01", "2024-02-01", "\"b\""), text("m", "2024-02-01", "2024-12-31", "\"a\""),
               text("m", "2024-12-31", "2024-12-31", "null")},
              {text("f", "2024-02-02", "2024-02-01", "\"a\""), text("m", "2024-02-01", "2024-02-03", "\"b\""),
               text("f", "2024-02-02", "2025-02-01", "\"a\"")});
  // A later value bounds an earlier one before anything is drawn.
  const std::string late =
      R"({"type":"object","properties":{"a":{"type":"integer","minimum":0,"maximum":50},)"
      R"("b":{"type":"integer","exclusiveMinimum":3,"exclusiveMaximum":9}},"required":["a","b"],)"
      R"("x-rules":[{"field":"b","given":"a","relation":">"}]})";
  check_texts(late, {R"({"a": 7, "b": 8})", R"({"a": 0, "b": 4})"},
              {R"({"a": 8, "b": 9})", R"({"a": 5, "b": 5})"});

  const auto rules = [](const std::string& value, const std::string& rule,
                        const std::string& required = R"(["a","b"])") {
    return R"({"type":"object","properties":{"a":)" + value +
           R"(,"b":{"type":"integer","minimum":0,"maximum":9}},)" + R"("required":)" + required +
           R"(,"x-rules":[)" + rule + "]}";
  };
  const std::string integer = R"({"type":"integer","minimum":0,"maximum":9})";
  check_refused(rules(integer, R"({"field":"b"})"), "#/x-rules", "'given'");
  check_refused(rules(integer, R"({"field":"b","given":"c","relation":">"})"), "c", "does not always occur");
  check_refused(rules(R"({"type":"string"})", R"({"field":"b","given":"a","relation":">"})"),
                "#/properties/a", "enumerations");
  check_refused(
      R"({"type":"array","items":)" + rules(integer, R"({"field":"b","given":"a","relation":">"})") + "}",
      "#/items/x-rules");
  CHECK_THROWS_WITH_AS((void)form_of(rules(integer, R"({"field":"a","given":"b","relation":">"})")),
                       doctest::Contains("before the field"), SchemaError);
  CHECK_THROWS_WITH_AS((void)form_of(rules(integer, R"({"field":"b","given":"a","relation":"~"})")),
                       doctest::Contains("relation '~'"), SchemaError);
}
