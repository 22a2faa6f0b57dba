#include <doctest/doctest.h>

#include "synthema/core/error.hpp"
#include "synthema/model/answer_text.hpp"

using synthema::AnswerText;

namespace {

std::string finished(std::initializer_list<const char*> parts) {
  AnswerText text;
  for (const char* part : parts) text.append(part);
  return std::move(text).finish();
}

}  // namespace

TEST_CASE("a stop text is found across token borders and is not part of the answer") {
  AnswerText text({"\n\n", "END"});
  CHECK(!text.append("one\n"));
  CHECK(!text.append("two E"));
  CHECK(!text.append("N"));
  CHECK(text.append("Dand more"));
  CHECK(std::move(text).finish() == "one\ntwo ");

  AnswerText first({"cd", "b"});  // the earliest place wins, not the first of the list
  CHECK(first.append("abcd"));
  CHECK(std::move(first).finish() == "a");

  AnswerText whole({"aab"});
  CHECK(!whole.append("aa"));
  CHECK(whole.append("ab"));
  CHECK(std::move(whole).finish() == "a");

  AnswerText held({"stop"});  // an unfinished stop text is ordinary text
  CHECK(!held.append("do not sto"));
  CHECK(std::move(held).finish() == "do not sto");
  CHECK_THROWS_AS(AnswerText({""}), synthema::ConfigError);
}

TEST_CASE("half a character at the end is removed; other broken bytes are an error, never a replacement") {
  CHECK(finished({"caf\xC3", "\xA9"}) == "caf\xC3\xA9");
  CHECK(finished({"caf\xC3"}) == "caf");
  CHECK(finished({"\xF0\x9F\x98"}) == "");
  CHECK(finished({"a\xE2\x82"}) == "a");
  CHECK_THROWS_AS(finished({"caf\xC3", " au lait"}), synthema::ModelError);
  CHECK_THROWS_AS(finished({"a\x80"}), synthema::ModelError);
  CHECK_THROWS_AS(finished({"a\xFF"}), synthema::ModelError);
  CHECK_THROWS_AS(finished({"a\xC3\xC3"}), synthema::ModelError);
}
