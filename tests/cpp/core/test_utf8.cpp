#include <doctest/doctest.h>

#include "synthema/core/utf8.hpp"

using namespace synthema;

TEST_CASE("every scalar value survives encoding and decoding") {
  std::size_t wrong = 0, lengths[5] = {};
  for (char32_t point = 0; point <= 0x10FFFF; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, point);
    const CodePoint read = decode_utf8(text, 0);
    wrong += read.value != point || read.length != text.size();
    ++lengths[text.size()];
  }
  CHECK(wrong == 0);
  CHECK(lengths[1] == 0x80);
  CHECK(lengths[2] == 0x800 - 0x80);
  CHECK(lengths[3] == 0x10000 - 0x800 - 0x800);  // without the surrogates
  CHECK(lengths[4] == 0x100000);
}

// RFC 3629, section 4: the syntax of UTF-8 byte sequences, from just outside.
TEST_CASE("invalid sequences are found where they start") {
  for (const std::string_view bad :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82",
        "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x9F\x98", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
    const std::string text = "a\xC3\xA9" + std::string(bad);
    CHECK(first_invalid_utf8(text) == 3);
    CHECK(!is_valid_utf8(text + "z"));
  }
}

TEST_CASE("the edges of what is valid") {
  using namespace std::string_view_literals;
  for (const std::string_view good :
       {""sv, "\0"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "\xED\x9F\xBF"sv,
        "\xEE\x80\x80"sv, "\xEF\xBF\xBF"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv})
    CHECK(is_valid_utf8(good));
}

TEST_CASE("a broken byte is found at every place of a long text") {
  for (std::size_t length : {1, 7, 8, 9, 30})
    for (std::size_t at = 0; at < length; ++at) {
      std::string text(length, 'a');
      CHECK(is_valid_utf8(text));
      text[at] = '\xFF';
      CHECK(first_invalid_utf8(text) == at);
    }
}
