#include <doctest/doctest.h>

#include <string>

#include "synthema/core/error.hpp"
#include "synthema/model/pre_tokenizer.hpp"

using namespace synthema;

namespace {

using Words = std::vector<std::string_view>;

Words split(std::string_view rule, std::string_view text) {
  return PreTokenizer::named(rule).split(text);
}

}  // namespace

TEST_CASE("GPT-2: a word takes the space before it, numbers stay whole, contractions split off") {
  CHECK(split("gpt2", "She's 41 years old.") == Words{"She", "'s", " 41", " years", " old", "."});
  CHECK(split("gpt2", "SHE'S") == Words{"SHE", "'", "S"});  // lower case only
  CHECK(split("gpt2", "a  b\n\n") == Words{"a", " ", " b", "\n\n"});
}

TEST_CASE("SmolLM: every digit by itself") {
  CHECK(split("smollm", "in 2024") == Words{"in", " ", "2", "0", "2", "4"});
  CHECK(split("smollm", "\xD9\xA1\xD9\xA2") == Words{"\xD9\xA1", "\xD9\xA2"});  // Arabic-Indic digits too
}

TEST_CASE("Llama 3 groups digits by three from the left, Qwen 2 not at all") {
  CHECK(split("llama3", "12345") == Words{"123", "45"});
  CHECK(split("qwen2", "12345") == Words{"1", "2", "3", "4", "5"});
  for (const char* rule : {"llama3", "qwen2"}) {
    CAPTURE(rule);
    CHECK(split(rule, "SHE'S (ill)\n") == Words{"SHE", "'S", " (", "ill", ")\n"});
    CHECK(split(rule, "a \n b") == Words{"a", " \n", " b"});
  }
}

TEST_CASE("joined, the words are the text, whatever bytes it has") {
  const std::string text =
      "A\xFF\xC3 \xF0\x9F\xA4\x92 caf\xC3\xA9\t\xE2\x80\x83 \xE4\xB8\xAD\xE6\x96\x87 1\xC2\xBD  ";
  for (const char* rule : {"gpt2", "smollm", "llama3", "qwen2"}) {
    CAPTURE(rule);
    std::string joined;
    for (const std::string_view word : split(rule, text)) {
      CHECK_FALSE(word.empty());
      joined += word;
    }
    CHECK(joined == text);
    CHECK(split(rule, "").empty());
  }
}

TEST_CASE("an unknown rule is refused by name") {
  CHECK_THROWS_WITH_AS(PreTokenizer::named("tekken"), doctest::Contains("tekken"), ModelError);
}
