#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <regex>
#include <set>

#include "model/toy_tokenizer.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/random.hpp"
#include "synthema/data/json.hpp"
#include "synthema/data/schema_check.hpp"
#include "synthema/data/timestamp.hpp"
#include "synthema/model/answer_form.hpp"

using namespace synthema;
using synthema::testing::ToyTokenizer;

namespace {

std::shared_ptr<const VocabularyTrie> trie_of(std::vector<std::string> tokens) {
  return std::make_shared<const VocabularyTrie>(std::move(tokens));
}

FormConstraint choice_of(std::shared_ptr<const VocabularyTrie> trie,
                         const std::vector<std::string>& choices) {
  return FormConstraint(AnswerForm::choices(choices, {std::move(trie)}));
}

std::vector<TokenId> allowed(const FormConstraint& constraint, std::size_t vocabulary) {
  TokenMask mask(vocabulary);
  mask.allow(0);  // must be cleared
  constraint.fill_mask(mask);
  return mask.ids();
}

bool spells(const std::vector<std::string>& tokens, std::string_view rest) {
  return rest.empty() || std::ranges::any_of(tokens, [&](const std::string& token) {
           return !token.empty() && rest.starts_with(token) && spells(tokens, rest.substr(token.size()));
         });
}

bool holds(std::string_view text, const std::vector<std::string>& banned) {
  return std::ranges::any_of(
      banned, [&](const std::string& one) { return text.find(one) != std::string_view::npos; });
}

// The definition, by brute force.
std::vector<TokenId> expected(const std::vector<std::string>& tokens, const std::vector<std::string>& choices,
                              const std::string& text) {
  std::vector<TokenId> out;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    const std::string next = text + tokens[id];
    const bool fits = !tokens[id].empty() && std::ranges::any_of(choices, [&](const std::string& choice) {
      return choice.starts_with(next) && spells(tokens, std::string_view(choice).substr(next.size()));
    });
    if (fits) out.push_back(static_cast<TokenId>(id));
  }
  return out;
}

// Of one to `longest` bytes, each one of three from `first` on.
std::string random_word(Random& random, std::uint64_t longest, char first) {
  std::string out;
  for (std::uint64_t n = 1 + random.below(longest); n > 0; --n)
    out += static_cast<char>(first + random.below(3));
  return out;
}

}  // namespace

TEST_CASE("any tokenisation of a choice is allowed, and nothing else") {
  const std::vector<std::string> tokens{"", "y", "e", "s", "ye", "yes", "n", "o", "no", "yesno", "es"};
  FormConstraint constraint = choice_of(trie_of(tokens), {"yes", "no"});
  CHECK(allowed(constraint, tokens.size()) == std::vector<TokenId>{1, 4, 5, 6, 8});
  CHECK_FALSE(constraint.accept(9));
  CHECK_FALSE(constraint.accept(0));
  CHECK_FALSE(constraint.accept(-1));
  CHECK_FALSE(constraint.accept(99));
  REQUIRE(constraint.accept(1));
  CHECK(allowed(constraint, tokens.size()) == std::vector<TokenId>{2, 10});
  CHECK_FALSE(constraint.is_complete());
  REQUIRE(constraint.accept(10));
  CHECK(constraint.is_complete());
  CHECK(allowed(constraint, tokens.size()).empty());
  constraint.rollback(2);
  CHECK(allowed(constraint, tokens.size()).size() == 5);
  CHECK(constraint.accept(8));
  CHECK(constraint.is_complete());
  constraint.reset();
  CHECK(constraint.text().empty());
  CHECK_THROWS_AS(constraint.rollback(1), ConfigError);
}

TEST_CASE("a choice that begins another is complete while more can follow") {
  const std::vector<std::string> tokens{"a", "b", "ab"};
  FormConstraint constraint = choice_of(trie_of(tokens), {"ab", "a", "ab"});
  REQUIRE(constraint.accept(0));
  CHECK(constraint.is_complete());
  CHECK(allowed(constraint, 3) == std::vector<TokenId>{1});
}

TEST_CASE("a token that leads nowhere is not allowed") {
  const std::vector<std::string> tokens{"a", "ab", "bc"};  // after "ab" nothing spells "c"
  const FormConstraint constraint = choice_of(trie_of(tokens), {"abc"});
  CHECK(allowed(constraint, 3) == std::vector<TokenId>{0});
  FormConstraint copy = constraint;
  CHECK_FALSE(copy.accept(1));
}

TEST_CASE("what cannot be a choice is refused") {
  const auto trie = trie_of({"a", "b"});
  CHECK_THROWS_AS(choice_of(trie, {}), ConfigError);
  CHECK_THROWS_AS(choice_of(trie, {"a", ""}), ConfigError);
  CHECK_THROWS_AS(choice_of(trie, {"ac"}), ConfigError);
  TokenMask small(1);
  CHECK_THROWS_AS(choice_of(trie, {"a"}).fill_mask(small), ConfigError);
}

TEST_CASE("random vocabularies and choices follow the definition") {
  Random random(11);
  const auto word = [&](std::uint64_t longest) { return random_word(random, longest, '\xFE'); };
  int walked = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> tokens{""}, choices;
    for (int i = 0; i < 8; ++i) tokens.push_back(word(4));
    for (int i = 0; i < 6; ++i)
      if (std::string choice = word(8); spells(tokens, choice)) choices.push_back(choice);
    if (choices.empty()) continue;
    FormConstraint constraint = choice_of(trie_of(tokens), choices);
    for (;;) {
      const std::vector<TokenId> ids = allowed(constraint, tokens.size());
      REQUIRE(ids == expected(tokens, choices, constraint.text()));
      for (TokenId id = 0; id < static_cast<TokenId>(tokens.size()); ++id) {
        FormConstraint copy = constraint;
        CHECK(copy.accept(id) == std::ranges::binary_search(ids, id));
      }
      CHECK(constraint.is_complete() == (std::ranges::find(choices, constraint.text()) != choices.end()));
      if (ids.empty()) break;
      REQUIRE(constraint.accept(ids[random.below(ids.size())]));
      ++walked;
    }
    CHECK(constraint.is_complete());
  }
  CHECK(walked > 300);
}

TEST_CASE("random bans and forbidden tokens take away what cannot be finished without them, and no more") {
  Random random(12);
  const auto word = [&](std::uint64_t longest) { return random_word(random, longest, 'a'); };
  int walked = 0, refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> tokens{"", "a", "b", "c"}, choices, banned;
    for (int i = 0; i < 6; ++i) tokens.push_back(word(4));
    for (int i = 0; i < 8; ++i) choices.push_back(word(7));
    for (int i = 0; i < 3; ++i) banned.push_back(word(1 + random.below(3)));
    std::vector<TokenId> forbidden;
    std::vector<std::string> left = tokens, free;
    if (round % 2 == 0) forbidden = {static_cast<TokenId>(1 + random.below(3))};
    for (const TokenId id : forbidden) left[static_cast<std::size_t>(id)].clear();
    for (const std::string& choice : choices)
      if (!holds(choice, banned) && spells(left, choice)) free.push_back(choice);
    CAPTURE(banned);
    const auto form = [&] {
      return AnswerForm::choices(choices,
                                 {.trie = trie_of(tokens), .banned = banned, .forbidden = forbidden});
    };
    if (free.empty()) {
      CHECK_THROWS_AS((void)form(), ConfigError);
      ++refused;
      continue;
    }
    FormConstraint constraint(form());
    for (;;) {
      const std::vector<TokenId> ids = allowed(constraint, tokens.size());
      REQUIRE(ids == expected(left, free, constraint.text()));
      for (TokenId id = 0; id < static_cast<TokenId>(tokens.size()); ++id) {
        FormConstraint copy = constraint;
        CHECK(copy.accept(id) == std::ranges::binary_search(ids, id));
      }
      if (ids.empty()) break;
      REQUIRE(constraint.accept(ids[random.below(ids.size())]));
      ++walked;
    }
    CHECK(constraint.is_complete());
  }
  CHECK(walked > 300);
  CHECK(refused > 20);
}

// --- regular expressions, numbers, dates, JSON

namespace {

// Bytes, and pieces that cross every edge.
const ToyTokenizer& toy_tokens() {
  static const ToyTokenizer tokenizer(
      {"\": ", "\", \"", ", ",    "{\"",      "\"}",        "12",       "20",       "-0", "19",   "ab",
       "abc",  "\"a",    "a\"",   "é",        "日本",       "\xE6\x97", "\xA5\xE6", "}",  "null", "tru",
       "e, ",  ": \"",   "5, \"", "\": \"20", "aaaaaaaaaa", " \"",      "\\\"",     "[1", "1]",   "1, "});
  return tokenizer;
}
FormVocabulary toy_vocabulary() {
  static const auto trie = VocabularyTrie::of(toy_tokens());
  return {trie, [](std::string_view text) { return toy_tokens().encode(text); }};
}

bool accepts(FormConstraint constraint, std::string_view text) {
  for (const char c : text)
    if (!constraint.accept(static_cast<unsigned char>(c))) return false;
  return constraint.is_complete();
}
bool matches(std::string_view pattern, std::string_view text) {
  return accepts(FormConstraint(AnswerForm::pattern(pattern, toy_vocabulary())), text);
}

// Draws a whole answer. Each allowed token must be accepted, some others refused; where nothing is complete,
// something is allowed. With `feed`, fixed text is taken as the engine takes it.
std::string random_answer(FormConstraint constraint, Random random, bool feed = true) {
  for (std::uint64_t step = 0;; ++step) {
    REQUIRE(step < 5000);
    if (const auto forced = constraint.forced(); feed && !forced.empty()) {
      for (const TokenId id : forced) REQUIRE(constraint.accept(id));
      continue;
    }
    const auto span = constraint.allowed();
    const std::vector<TokenId> ids(span.begin(), span.end());
    REQUIRE(std::ranges::is_sorted(ids));
    const double u = random.uniform_at(step, 0);
    if (constraint.is_complete() && (ids.empty() || u < 0.3)) return constraint.text();
    REQUIRE_MESSAGE(!ids.empty(), constraint.text());
    for (std::uint64_t probe = 1; probe < 4; ++probe) {
      const auto id = static_cast<TokenId>(random.uniform_at(step, probe) *
                                           static_cast<double>(toy_tokens().vocabulary_size()));
      FormConstraint copy = constraint;
      REQUIRE(copy.accept(id) == std::ranges::binary_search(ids, id));
    }
    REQUIRE(constraint.accept(
        ids[static_cast<std::size_t>(random.uniform_at(step, 9) * static_cast<double>(ids.size()))]));
    REQUIRE_MESSAGE(
        (constraint.is_complete() || !constraint.allowed().empty() || !constraint.failure().empty()),
        constraint.text());
  }
}

// The canonical tokens of `text` are a way through the form, fixed text included.
void check_reachable(FormConstraint constraint, const std::string& text) {
  CAPTURE(text);
  const std::vector<TokenId> ids = toy_tokens().encode(text);
  std::size_t at = 0;
  while (at < ids.size()) {
    for (const TokenId forced : constraint.forced()) {
      REQUIRE(at < ids.size());
      REQUIRE(forced == ids[at++]);
      REQUIRE(constraint.accept(forced));
    }
    if (at == ids.size()) break;
    if (!constraint.forced().empty()) continue;
    const auto allowed = constraint.allowed();
    REQUIRE(std::ranges::binary_search(allowed, ids[at]));
    REQUIRE(constraint.accept(ids[at++]));
  }
  CHECK(constraint.is_complete());
}

std::int64_t below(Random& random, std::int64_t n) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
}

}  // namespace

TEST_CASE("regular expressions match as a whole") {
  CHECK(matches("abc", "abc"));
  CHECK_FALSE(matches("abc", "abcd"));
  CHECK_FALSE(matches("abc", "ab"));
  CHECK(matches("^a|bc$", "bc"));
  CHECK(matches("(?:ab|c){2,3}", "abcab"));
  CHECK_FALSE(matches("(?:ab|c){2,3}", "c"));
  CHECK(matches("[^a-c]*?x", "zzéx"));
  CHECK(matches("\\d{3}-\\w+", "123-a_9"));
  CHECK(matches("[\\]\\-a]+", "]-a"));
  CHECK(matches("[]a]+", "]a"));
  CHECK(matches("\\u00e9\\x41\\u{65E5}", "éA日"));
  CHECK(matches(".", "日"));
  CHECK_FALSE(matches(".", "\n"));
  CHECK_FALSE(matches(".", "\x80"));
  CHECK_FALSE(matches("[\\u0000-\\u{10FFFF}]", "\xED\xA0\x80"));  // a surrogate is no character
  CHECK(matches("[α-ω]+", "λόγος") == false);                     // ό lies outside the range
  CHECK(matches("[ά-ώ]+", "λόγος"));
  CHECK(matches("a{0,500}", std::string(500, 'a')));
  CHECK_FALSE(matches("a{0,500}", std::string(501, 'a')));
  CHECK(matches("(a|)", ""));
  CHECK(matches("(a*)*b", "aab"));
}

TEST_CASE("classes of characters are those that every dialect agrees on, negated or not") {
  for (const char* pattern : {"\\w", "\\W", "[^\\w]", "[^\\W]", "[\\w\\W]"})
    CHECK_FALSE(matches(pattern, "é"));
  for (const char* pattern : {"\\W", "[^\\w]", "[\\W_]"}) {
    for (const char* sign : {" ", "-", "—", "€", "×", "😀", "\n"}) CHECK(matches(pattern, sign));
    for (const char* other : {"a", "7", "ж", "上", "²", "\u0301", "\u203F", "\u200D"})
      CHECK_FALSE(matches(pattern, other));
  }
  CHECK(matches("[^\\W]", "a"));
  for (const char* pattern : {"\\D", "[^\\d]"}) {
    CHECK_FALSE(matches(pattern, "٣"));
    CHECK(matches(pattern, "é"));
  }
  for (const char* pattern : {"\\S", "[^\\s]", "[^\\s\\d]"}) {
    for (const char* space : {"\u00A0", "\u3000", "\uFEFF", "\x1F", "\u0085"})
      CHECK_FALSE(matches(pattern, space));
    CHECK(matches(pattern, "é"));
  }
  CHECK_FALSE(matches("\\s", "\u00A0"));
  CHECK(matches("[^a]", "\u00A0"));
  CHECK(matches("[^\u00A0]", "é"));
}

TEST_CASE("a broken regular expression is refused with its place") {
  const auto refused = [](std::string_view pattern, std::uint64_t column) {
    CAPTURE(pattern);
    try {
      (void)AnswerForm::pattern(pattern, toy_vocabulary());
      FAIL_CHECK("accepted");
    } catch (const ConfigError& error) {
      CHECK(error.where().column == column);
      CHECK(std::string(error.what()).size() > 40);
    }
  };
  refused("a(b", 2);
  refused("ab)", 3);
  refused("[a", 1);
  refused("[[:alpha:]]+", 2);
  refused("[a-z&&[b]]", 5);
  refused("[a-z--b]", 5);
  refused("[a~~b]", 3);
  refused("[z-a]", 2);
  refused("[a-\\d]", 2);
  refused("*a", 1);
  refused("a|+", 3);
  refused("a{2", 2);
  refused("a{3,2}", 2);
  refused("a{999999999}", 2);
  refused("a**", 3);
  refused("(?=a)", 1);
  refused("(?<n>a)", 1);
  refused("a^", 2);
  refused("$a", 1);
  refused("\\b", 1);
  refused("\\1", 1);
  refused("\\p{L}", 1);
  refused("\\x4", 1);
  refused("a\\012", 2);
  refused("a*+b", 3);
  refused("\\uD800", 1);
  refused("a\\", 2);
  refused("\xFF", 1);
  CHECK_THROWS_WITH_AS((void)AnswerForm::pattern("[^\\u{0}-\\u{10FFFF}]", toy_vocabulary()),
                       doctest::Contains("No text fits"), ConfigError);
}

TEST_CASE("random regular expressions agree with another engine") {
  Random random(3);
  const std::function<std::string(int)> make = [&](int depth) -> std::string {
    switch (depth == 0 ? 0 : random.below(6)) {
      case 0:
        return std::string(1, "abc"[random.below(3)]);
      case 1:
        return "[ac]";
      case 2:
        return make(depth - 1) + make(depth - 1);
      case 3:
        return "(?:" + make(depth - 1) + "|" + make(depth - 1) + ")";
      case 4:
        return "(?:" + make(depth - 1) + ")" +
               std::vector<std::string>{"*", "+", "?", "{2}", "{1,2}", "{2,}"}[random.below(6)];
      default:
        return make(depth - 1) + "b";
    }
  };
  int matching = 0;
  for (int round = 0; round < 200; ++round) {
    const std::string pattern = make(4);
    CAPTURE(pattern);
    const std::regex other(pattern);
    const AnswerForm form = AnswerForm::pattern(pattern, toy_vocabulary());
    for (int i = 0; i < 30; ++i) {
      std::string text;
      for (std::int64_t n = below(random, 7); n > 0; --n) text += "abc"[random.below(3)];
      const bool wanted = std::regex_match(text, other);
      REQUIRE(accepts(FormConstraint(form), text) == wanted);
      matching += wanted;
    }
    const std::string drawn =
        random_answer(FormConstraint(form, 20), random.stream(static_cast<std::uint64_t>(round)));
    REQUIRE(std::regex_match(drawn, other));
    if (drawn.size() < 100) check_reachable(FormConstraint(form), drawn);
  }
  CHECK(matching > 300);
}

namespace {

std::string integer_schema(std::int64_t low, std::int64_t high) {
  return "{\"type\": \"integer\", \"minimum\": " + std::to_string(low) +
         ", \"maximum\": " + std::to_string(high) + "}";
}

}  // namespace

TEST_CASE("integers in a range, all of them and no others") {
  Random random(5);
  for (int round = 0; round < 40; ++round) {
    const std::int64_t low = below(random, 2600) - 1300, high = low + below(random, 1300);
    const FormConstraint constraint(AnswerForm::json(integer_schema(low, high), toy_vocabulary()));
    for (std::int64_t n = -1400; n <= 2700; n += 1 + below(random, 9)) {
      CAPTURE(n);
      REQUIRE(accepts(constraint, std::to_string(n)) == (low <= n && n <= high));
    }
    REQUIRE(accepts(constraint, std::to_string(low)));
    REQUIRE(accepts(constraint, std::to_string(high)));
    for (const char* odd : {"-0", "00", "01", "-", "", "+1", "1.0", "1e2"})
      REQUIRE_FALSE(accepts(constraint, odd));
  }
}

TEST_CASE("decimals in a range, with so many places") {
  const auto number = [](const std::string& keywords) {
    return FormConstraint(AnswerForm::json("{\"type\": \"number\", " + keywords + "}", toy_vocabulary()));
  };
  const FormConstraint dose = number("\"minimum\": 0.5, \"maximum\": 12, \"multipleOf\": 0.1");
  for (const char* good : {"0.5", "1", "1.0", "9.9", "10", "12", "12.0", "11.9"}) CHECK(accepts(dose, good));
  for (const char* bad : {"0", "0.4", "12.1", "1.55", "01", ".5", "1.", "-1", "1e1"})
    CHECK_FALSE(accepts(dose, bad));
  const FormConstraint open =
      number("\"exclusiveMinimum\": -0.05, \"exclusiveMaximum\": 0.05, \"multipleOf\": 0.01");
  for (const char* good : {"0", "0.04", "-0.04", "-0.01", "0.0", "0.00"}) CHECK(accepts(open, good));
  for (const char* bad : {"0.05", "-0.05", "-0.0", "-0", "-0.00", "0.050"}) CHECK_FALSE(accepts(open, bad));
  Random random(6);
  for (int round = 0; round < 40; ++round) {
    const double low = static_cast<double>(below(random, 40000) - 20000) / 1000,
                 high = low + static_cast<double>(below(random, 20000)) / 1000;
    const FormConstraint constraint =
        number("\"minimum\": " + to_json(Value(low)) + ", \"maximum\": " + to_json(Value(high)));
    for (int i = 0; i < 60; ++i) {
      const std::string text = to_json(Value(static_cast<double>(below(random, 50000) - 25000) / 1000));
      const double value = std::stod(text);
      CAPTURE(text);
      REQUIRE(accepts(constraint, text) == (low <= value && value <= high && text != "-0.0"));
    }
  }
}

namespace {

Field time_field(std::int64_t low, std::int64_t high, const char* unit = "") {
  Field field{.name = "t", .kind = Kind::time, .unit = unit};
  field.minimum = static_cast<double>(low), field.maximum = static_cast<double>(high), field.nullable = false;
  return field;
}

}  // namespace

TEST_CASE("dates and times in a range are dates of the calendar") {
  constexpr std::int64_t day = 86'400'000'000, second = 1'000'000;
  Random random(8);
  for (int round = 0; round < 30; ++round) {
    const std::int64_t low = below(random, 40'000) - 20'000,
                       high = low + below(random, round % 2 ? 800 : 9000);
    const FormConstraint dates(
        AnswerForm::record(Schema{.fields = {time_field(low * day, high * day)}}, toy_vocabulary()));
    for (int i = 0; i < 60; ++i) {
      const std::int64_t n = i == 0   ? low
                             : i == 1 ? high
                             : i == 2 ? low - 1
                             : i == 3 ? high + 1
                                      : low - 500 + below(random, high - low + 1000);
      const std::string text = to_iso8601(Timestamp{n * day}).substr(0, 10);
      CAPTURE(text);
      REQUIRE(accepts(dates, "{\"t\": \"" + text + "\"}") == (low <= n && n <= high));
    }
    for (const char* bad : {"2023-02-29", "2023-13-01", "2023-00-10", "2023-04-31", "1900-02-29"})
      REQUIRE_FALSE(accepts(dates, "{\"t\": \"" + std::string(bad) + "\"}"));
    const std::int64_t start = low * 86'400 + below(random, 86'400),
                       end = start + below(random, round % 2 ? 200'000 : 5000);
    const FormConstraint times(AnswerForm::record(
        Schema{.fields = {time_field(start * second, end * second, "s")}}, toy_vocabulary()));
    for (int i = 0; i < 60; ++i) {
      const std::int64_t n = i == 0   ? start
                             : i == 1 ? end
                             : i == 2 ? start - 1
                             : i == 3 ? end + 1
                                      : start - 4000 + below(random, end - start + 8000);
      const std::string text = to_iso8601(Timestamp{n * second});
      CAPTURE(text);
      REQUIRE(accepts(times, "{\"t\": \"" + text + "\"}") == (start <= n && n <= end));
    }
  }
}

namespace {

Schema random_schema(Random& random) {
  Schema schema;
  const std::int64_t fields = 1 + below(random, 6);
  for (std::int64_t i = 0; i < fields; ++i) {
    Field field{.name = std::vector<std::string>{"a", "ab", "é", "note \"x\"", "long name",
                                                 "z"}[static_cast<std::size_t>(i)]};
    field.kind = static_cast<Kind>(random.below(7));
    field.nullable = random.below(3) == 0;
    if (field.kind == Kind::list) {
      do field.item = static_cast<Kind>(random.below(6));
      while (field.item == Kind::text || field.item == Kind::time);
      field.minimum_length = static_cast<std::uint32_t>(random.below(3));
      field.maximum_length = *field.minimum_length + static_cast<std::uint32_t>(random.below(3));
    }
    if (field.kind == Kind::text) {
      field.minimum_length = static_cast<std::uint32_t>(random.below(4));
      field.maximum_length = *field.minimum_length + static_cast<std::uint32_t>(random.below(40));
    }
    if (field.kind == Kind::real) field.decimals = static_cast<std::uint32_t>(random.below(4));
    if ((field.kind == Kind::real || field.kind == Kind::integer) && random.below(2) == 0) {
      field.minimum = static_cast<double>(below(random, 300) - 150);
      field.maximum = *field.minimum + static_cast<double>(below(random, 300));
    }
    if (field.kind == Kind::category || (field.kind == Kind::list && field.item == Kind::category))
      field.categories = {"yes", "no", "abc", "abcd", "日本語", "say \"no\""};
    schema.fields.push_back(std::move(field));
  }
  return schema;
}

}  // namespace

TEST_CASE("records of random schemas parse, fit their schema, and can be reached by canonical tokens") {
  Random random(21);
  for (int round = 0; round < 120; ++round) {
    const Schema schema = random_schema(random);
    CAPTURE(to_json(schema));
    const AnswerForm form = AnswerForm::record(schema, toy_vocabulary());
    for (int i = 0; i < 3; ++i) {
      const std::size_t open = random.below(2) == 0 ? 30 : 4;
      const std::string text =
          random_answer(FormConstraint(form, open), random.stream(static_cast<std::uint64_t>(i)), i > 0);
      CAPTURE(text);
      const Record record = record_from_json(text);
      REQUIRE(record.size() == schema.fields.size());
      for (std::size_t f = 0; f < record.size(); ++f)
        REQUIRE((record.begin() + static_cast<std::ptrdiff_t>(f))->first == schema.fields[f].name);
      REQUIRE_MESSAGE(!schema_misfit(schema, record), schema_misfit(schema, record).value_or(""));
      check_reachable(FormConstraint(form), text);
      // Nothing may follow, and half of it is not complete.
      REQUIRE_FALSE(accepts(FormConstraint(form), text + " "));
      REQUIRE_FALSE(accepts(FormConstraint(form), text.substr(0, text.size() / 2)));
    }
  }
}

TEST_CASE("the open tokens bound the answer, and never cut it short") {
  Random random(22);
  const std::vector<std::string> patterns{"[a-z]*",    "x(ab|c)*y?",     "[a-z]*xyz",
                                          "(a|b)*abb", "\\d+\\.\\d{2,}", "(abc){3,}"};
  for (const std::string& pattern : patterns)
    for (const std::size_t open : {0, 1, 7}) {
      CAPTURE(pattern);
      const AnswerForm form = AnswerForm::pattern(pattern, toy_vocabulary());
      for (int i = 0; i < 20; ++i) {
        const std::string text =
            random_answer(FormConstraint(form, open), random.stream(static_cast<std::uint64_t>(i)));
        REQUIRE(std::regex_match(text, std::regex(pattern)));
        REQUIRE(toy_tokens().encode(text).size() <= form.longest(open));
      }
    }
  // What is not open is not limited: labels are equally possible with no open tokens at all.
  const FormConstraint none(AnswerForm::choices({"a", "abcabcabcabcabc"}, toy_vocabulary()), 0);
  CHECK(accepts(none, "abcabcabcabcabc"));
  CHECK(AnswerForm::choices({"yes", "no"}, toy_vocabulary()).longest(100) == 3);
}

TEST_CASE("what cannot be finished within so many tokens is known") {
  const FormVocabulary few{trie_of({"a", "aaa", "b", "bbbbb", "c"})};
  FormConstraint ten(AnswerForm::pattern("a{10}|a{12}c", few));  // in tokens of at most three bytes
  CHECK_FALSE(ten.fits(3));
  CHECK(ten.fits(4));
  CHECK(ten.fits(FormConstraint::kNoLimit));
  REQUIRE(ten.accept(1));
  CHECK_FALSE(ten.fits(2));
  CHECK(ten.fits(3));
  const FormConstraint huge(AnswerForm::pattern("(a{1000}){1000}", few));
  CHECK_FALSE(huge.fits(333'333));
  CHECK(huge.fits(333'334));
  CHECK(FormConstraint(AnswerForm::pattern("a*", few)).fits(0));
  // Values under a rule count too, before they are known.
  Field a{.name = "a", .kind = Kind::integer, .minimum = 10, .maximum = 99, .nullable = false}, b = a;
  b.name = "b";
  const FormConstraint record(
      AnswerForm::record(Schema{.fields = {a, b}, .rules = {{.field = "b", .given = "a", .relation = ">="}}},
                         {VocabularyTrie::of(ToyTokenizer())}));
  CHECK_FALSE(record.fits(std::string_view(R"({"a": 10, "b": 1})").size()));
  CHECK(record.fits(std::string_view(R"({"a": 10, "b": 10})").size()));
}

TEST_CASE("an answer that fits into so many tokens at its beginning is finished within them") {
  Random random(23);
  const auto check = [&](const AnswerForm& form, auto&& judge) {
    std::size_t least = 0;
    while (!FormConstraint(form).fits(least)) ++least;
    for (std::size_t more = 0; more < 4; ++more)
      for (std::uint64_t i = 0; i < 8; ++i) {
        const std::size_t room = least + more * more;
        FormConstraint constraint(form, FormConstraint::kNoLimit, room);
        REQUIRE(constraint.fits(room));
        const std::string text = random_answer(constraint, random.stream(100 * more + i), i % 2 == 0);
        CAPTURE(text);
        REQUIRE(toy_tokens().encode(text).size() <= 4 * room);  // random tokens are not canonical
        judge(text);
      }
  };
  const auto pattern = [&](const char* regex) {
    CAPTURE(regex);
    check(AnswerForm::pattern(regex, toy_vocabulary()),
          [&](const std::string& text) { REQUIRE(std::regex_match(text, std::regex(regex))); });
  };
  pattern("b|c{90}");
  pattern("[a-z]{30}x*");
  pattern("(a|b)*abb");
  pattern("a{40}|[ab]{20,}c");
  pattern("(abc|ab){5,}");
  for (int round = 0; round < 40; ++round) {
    Schema schema = random_schema(random);
    schema.fields.push_back(
        {.name = "low", .kind = Kind::integer, .minimum = 5, .maximum = 900, .nullable = false});
    schema.fields.push_back(
        {.name = "high", .kind = Kind::integer, .minimum = 5, .maximum = 1200, .nullable = round % 2 == 0});
    schema.rules = {{.field = "high", .given = "low", .relation = ">"}};
    CAPTURE(to_json(schema));
    check(AnswerForm::record(schema, toy_vocabulary()), [&](const std::string& text) {
      const Record record = record_from_json(text);
      REQUIRE_MESSAGE(!schema_misfit(schema, record), schema_misfit(schema, record).value_or(""));
    });
  }
  // Fixed text in canonical tokens, unless only fewer ones leave enough.
  const AnswerForm fixed =
      AnswerForm::choices({"abab" + std::string(11, 'a')}, {toy_vocabulary().trie, [](std::string_view text) {
                                                              std::vector<TokenId> out;
                                                              for (const char c : text) out.push_back(c);
                                                              return out;
                                                            }});
  CHECK(FormConstraint(fixed, 9, 15).forced().size() == 15);
  FormConstraint tight(fixed, 9, 4);  // ab ab aaaaaaaaaa a
  REQUIRE(tight.fits(4));
  CHECK_FALSE(tight.fits(3));
  CHECK(tight.forced().empty());
  for (int i = 0; i < 4; ++i) {
    REQUIRE_FALSE(tight.allowed().empty());
    REQUIRE(tight.accept(tight.allowed().front()));
  }
  CHECK(tight.is_complete());
}

TEST_CASE("bans leave only ways to the end, in patterns, JSON and records") {
  Random random(24);
  const auto banned = [&](std::vector<std::string> texts) {
    FormVocabulary vocabulary = toy_vocabulary();
    vocabulary.banned = std::move(texts);
    return vocabulary;
  };
  const std::vector<std::pair<std::string, std::vector<std::string>>> patterns{
      {"x(a|b){3}y", {"ay", "bb"}},
      {"(a|b)*c", {"ac", "abb", "bbb"}},
      {"[ab]{0,400}c", {"ac", "bbc"}},
      {"[ab]{200}", {"aa", "bab"}},
      {"a*b?c", {"ab", "aac", "aaa"}},
      {"(é|e|日)+x", {"ex", "日x", "ée"}},
      {"[a-z]{3,60} [0-9]{2}", {"a", "e", "th", " 1", "00"}}};
  for (const auto& [regex, texts] : patterns)
    for (const std::size_t open : {std::size_t{0}, std::size_t{5}, std::size_t{300}}) {
      CAPTURE(regex);
      const AnswerForm form = AnswerForm::pattern(regex, banned(texts));
      for (std::uint64_t i = 0; i < 10; ++i) {
        const FormConstraint constraint(form, open);
        const std::string text = random_answer(constraint, random.stream(i), i % 2 == 0);
        CAPTURE(text);
        REQUIRE(matches(regex, text));
        REQUIRE_FALSE(holds(text, texts));
        REQUIRE(toy_tokens().encode(text).size() <= form.longest(open) + 1);
      }
    }
  // Around a ban there may be no room left: after 400 letters without an end this one cannot be finished.
  FormConstraint close(AnswerForm::pattern("a{0,300}(ab|cab)", banned({"aab"})));
  for (int i = 0; i < 300; ++i) REQUIRE(close.accept('a'));
  CHECK(close.allowed().size() == 1);  // no "a" that could not go on
  CHECK(close.accept('c'));
  for (int round = 0; round < 60; ++round) {
    const Schema schema = random_schema(random);
    CAPTURE(to_json(schema));
    const std::vector<std::string> texts{"a\"", "1", "al", "no", "null", "日本", "\""};
    const std::vector<std::string> some{texts[random.below(6)], "zz", texts[random.below(6)]};
    CAPTURE(some);
    std::optional<AnswerForm> form;
    try {
      form = AnswerForm::record(schema, banned(some));
    } catch (const ConfigError& error) {
      REQUIRE(std::string_view(error.what()).find("holds a banned text (banned text") !=
              std::string_view::npos);
      continue;
    }
    for (std::uint64_t i = 0; i < 4; ++i) {
      const std::string text = random_answer(FormConstraint(*form, 10), random.stream(i), i > 1);
      CAPTURE(text);
      REQUIRE_FALSE(holds(text, some));
      REQUIRE_FALSE(schema_misfit(schema, record_from_json(text)));
    }
  }
  const auto refused = [&](std::vector<std::string> texts, const char* what) {
    CHECK_THROWS_WITH_AS(
        (void)AnswerForm::json(
            R"({"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":3}},"required":["n"]})",
            banned(std::move(texts))),
        doctest::Contains(what), ConfigError);
  };
  refused({"x", "n"}, "Every text that fits the JSON Schema holds a banned text (banned text 2);");
  refused({"1", "2}", "3"}, "(banned texts 1, 2, 3); change the JSON Schema or ban less.");
  refused({""}, "A banned text is empty");
  // Values under a rule are looked at when those before them are known.
  Field a{.name = "a", .kind = Kind::integer, .minimum = 5, .maximum = 7, .nullable = false}, b = a;
  b.name = "b";
  const Schema schema{.fields = {a, b}, .rules = {{.field = "b", .given = "a", .relation = ">="}}};
  FormConstraint constraint(AnswerForm::record(schema, banned({"b\": 7", "b\": 6"})));
  CHECK(accepts(constraint, "{\"a\": 5, \"b\": 5}"));
  for (const char c : std::string_view("{\"a\": 6, \"b\": ")) REQUIRE(constraint.accept(c));
  CHECK(constraint.failure().find("the banned texts leave no value for the field 'b'") != std::string::npos);
  CHECK_THROWS_WITH_AS((void)AnswerForm::record(schema, banned({"5", "6", "7"})),
                       doctest::Contains("banned texts 1, 2, 3"), ConfigError);
}

TEST_CASE("fixed text is fed up to the place that no token can span") {
  const auto bytes = [](std::span<const TokenId> ids) { return toy_tokens().decode(ids); };
  // Behind `{"a": ` a digit follows; no token begins in it and ends in a number, so all of it is fed.
  const FormConstraint number(AnswerForm::json(
      R"({"type":"object","properties":{"a":{"type":"integer","minimum":3,"maximum":4}},"required":["a"]})",
      toy_vocabulary()));
  CHECK(bytes(number.forced()) == "{\"a\": ");
  // A text may begin with what the token `": "20` covers, so its beginning is drawn.
  const FormConstraint date(AnswerForm::json(
      R"({"type":"object","properties":{"k":{"type":"string"}},"required":["k"]})", toy_vocabulary()));
  CHECK(bytes(date.forced()) == "{\"k");
  // The whole text is fixed.
  const FormConstraint whole(AnswerForm::choices({"abcabc"}, toy_vocabulary()));
  CHECK(whole.forced().size() == 2);
  // Without canonical tokens nothing is fed.
  CHECK(FormConstraint(AnswerForm::choices({"abc"}, {toy_vocabulary().trie})).forced().empty());
}

TEST_CASE("rules between fields: later values follow earlier ones") {
  constexpr double day = 86'400e6;
  Schema schema;
  Field admission = time_field(0, 0), discharge = time_field(0, 0);
  admission.name = "admission", discharge.name = "discharge";
  admission.minimum = discharge.minimum = 18'000 * day, admission.maximum = 18'400 * day,
  discharge.maximum = 18'300 * day;
  Field sex{.name = "sex", .kind = Kind::category, .categories = {"female", "male"}, .nullable = false};
  Field diagnosis{.name = "diagnosis",
                  .kind = Kind::category,
                  .categories = {"asthma", "prostatitis", "eclampsia"},
                  .nullable = false};
  Field age{.name = "age", .kind = Kind::integer, .minimum = 0, .maximum = 99, .nullable = false};
  Field dose{
      .name = "dose", .kind = Kind::real, .minimum = 0.1, .maximum = 10, .nullable = false, .decimals = 1};
  schema.fields = {admission, sex, age, diagnosis, discharge, dose};
  schema.rules = {
      {.field = "discharge", .given = "admission", .relation = ">="},
      {.field = "diagnosis", .given = "sex", .labels = {"male"}, .categories = {"asthma", "prostatitis"}},
      {.field = "diagnosis", .given = "sex", .labels = {"female"}, .categories = {"asthma", "eclampsia"}},
      {.field = "dose", .given = "age", .highest = 11, .maximum = 2.5}};
  const AnswerForm form = AnswerForm::record(schema, toy_vocabulary());
  Random random(31);
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string text =
        random_answer(FormConstraint(form, 10), random.stream(static_cast<std::uint64_t>(i)));
    CAPTURE(text);
    const Record record = record_from_json(text);
    REQUIRE_MESSAGE(!schema_misfit(schema, record), schema_misfit(schema, record).value_or(""));
    REQUIRE(record.at("admission").text() <= record.at("discharge").text());
    seen.insert(record.at("sex").text() + record.at("diagnosis").text());
    check_reachable(FormConstraint(form), text);
  }
  CHECK(seen == std::set<std::string>{"femaleasthma", "femaleeclampsia", "maleasthma", "maleprostatitis"});
  // The check knows the rules too.
  Record wrong = record_from_json(
      R"({"admission": "2019-05-02", "sex": "male", "age": 5, "diagnosis": "asthma", "discharge": "2019-05-01", "dose": 1.0})");
  CHECK(schema_misfit(schema, wrong).value().find("discharge") != std::string::npos);
  wrong.set("discharge", "2019-05-03");
  CHECK_FALSE(schema_misfit(schema, wrong));
  wrong.set("dose", 2.6);
  CHECK(schema_misfit(schema, wrong).value().find("dose") != std::string::npos);
}

TEST_CASE("what can never be satisfied is refused at once, the rest with a sentence on the way") {
  const auto refused = [](const Schema& schema, const char* what) {
    CHECK_THROWS_WITH_AS((void)AnswerForm::record(schema, toy_vocabulary()), doctest::Contains(what), Error);
  };
  Field a{.name = "a", .kind = Kind::integer, .minimum = 5, .maximum = 9, .nullable = false}, b = a;
  b.name = "b", b.minimum = 0, b.maximum = 4;
  refused(Schema{.fields = {a, b}, .rules = {{.field = "b", .given = "a", .relation = ">"}}},
          "field 'b': The rule that depends on 'a' (relation '>') can never hold");
  refused(Schema{.fields = {a, b}, .rules = {{.field = "a", .given = "b", .relation = ">"}}},
          "before the field");
  refused(Schema{.fields = {a, b}, .rules = {{.field = "b", .given = "a", .relation = "~"}}}, "relation '~'");
  refused(Schema{.fields = {a, b}, .rules = {{.field = "b", .given = "a"}}}, "says nothing");
  refused(Schema{.fields = {a, b}, .rules = {{.field = "b", .given = "a", .minimum = 7}}}, "leaves no value");
  refused(Schema{}, "no fields");
  // Where values may be missing too: the way out would be to leave them all out.
  Field empty_a = a, empty_b = b;
  empty_a.nullable = empty_b.nullable = true;
  refused(Schema{.fields = {empty_a, empty_b}, .rules = {{.field = "b", .given = "a", .relation = ">"}}},
          "can never hold");
  refused(Schema{.fields = {{.name = "load", .kind = Kind::real, .minimum = 1e9, .maximum = 1e12}}},
          "field 'load': No value fits this field");
  refused(Schema{.fields = {{.name = "temperature",
                             .kind = Kind::real,
                             .minimum = 36.51,
                             .maximum = 36.54,
                             .decimals = 1}}},
          "at most 1 decimal,");
  // b >= a holds for some a only.
  b.minimum = 7, b.maximum = 7;
  const Schema narrow{.fields = {a, b},
                      .rules = {{.field = "b", .given = "a", .lowest = 8, .relation = ">="}}};
  FormConstraint constraint(AnswerForm::record(narrow, toy_vocabulary()));
  for (const char c : std::string_view("{\"a\": 8, \"b\":"))
    REQUIRE(constraint.accept(static_cast<unsigned char>(c)));
  REQUIRE(constraint.accept(' '));
  CHECK(constraint.failure().find("'b'") != std::string::npos);
  CHECK(constraint.allowed().empty());
  CHECK_FALSE(constraint.is_complete());
  constraint.reset();
  CHECK(accepts(constraint, "{\"a\": 7, \"b\": 7}"));
}

TEST_CASE("masks are shared and stay few") {
  const AnswerForm form = AnswerForm::pattern("[^x]{0,2000}", toy_vocabulary());
  const FormConstraint constraint(form);
  const auto first = constraint.allowed();
  FormConstraint later = constraint;
  for (int i = 0; i < 100; ++i) REQUIRE(later.accept('a'));
  CHECK(later.allowed().data() == first.data());
  CHECK(form.states() < 5000);
  // With bans too, but where they are in the way.
  FormVocabulary banned = toy_vocabulary();
  banned.banned = {"patient", "the", "x-ray"};
  const AnswerForm without = AnswerForm::pattern("[^x]{0,2000}", banned);
  FormConstraint other(without);
  const auto beginning = other.allowed();
  for (int i = 0; i < 100; ++i) REQUIRE(other.accept('a'));
  CHECK(other.allowed().data() == beginning.data());
  CHECK(without.states() < 8000);
}
