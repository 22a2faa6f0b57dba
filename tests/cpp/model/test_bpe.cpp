#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "synthema/core/error.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/model/bpe.hpp"

using namespace synthema;

namespace {

using Ids = std::vector<TokenId>;
constexpr std::uint8_t kNormal = 1, kUnknown = 2, kControl = 3, kUser = 4, kByte = 6;

struct Builder {
  TokenizerData data;

  Builder& token(std::string text, std::uint8_t type = kNormal, float score = 0) {
    data.tokens.push_back(std::move(text));
    data.types.push_back(type);
    if (data.kind == "sentencepiece") data.scores.push_back(score);
    return *this;
  }
};

// Letters and the space in GPT-2's spelling (U+0120), a few merges, one control and one user-defined token.
TokenizerData byte_level() {
  Builder b;
  b.data.kind = "byte_bpe";
  b.data.pre_tokenizer = "gpt2";
  b.token("<|end|>", kControl).token("[sex]", kUser).token("[sex][age]", kUser);
  for (const char* letter : {"a", "h", "e", "d", "c", "[", "]", "\xC4\xA0", "\xC3\x83", "\xC2\xA9"})
    b.token(letter);
  for (const char* word : {"he", "ad", "head",
                           "\xC4\xA0"
                           "head"})
    b.token(word);
  b.data.merges = {"h e", "a d", "he ad", "\xC4\xA0 head"};
  b.data.end = 0;
  return b.data;
}

// Pieces with scores, a byte fallback for everything, and a space before the first word.
TokenizerData pieces() {
  Builder b;
  b.data.kind = "sentencepiece";
  b.data.add_space_prefix = true;
  b.token("<unk>", kUnknown).token("<s>", kControl).token("</s>", kControl);
  for (int i = 0; i < 256; ++i) {
    constexpr char digits[] = "0123456789ABCDEF";
    b.token(std::string("<0x") + digits[i / 16] + digits[i % 16] + ">", kByte);
  }
  for (const char* letter : {"\xE2\x96\x81", "a", "b"}) b.token(letter, kNormal, -10);
  b.token("ab", kNormal, -2)
      .token("ba", kNormal, -1)
      .token(
          "\xE2\x96\x81"
          "a",
          kNormal, -3);
  b.data.unknown = 0, b.data.begin = 1, b.data.end = 2;
  return b.data;
}

TokenId id_of(const TokenizerData& data, std::string_view token) {
  const auto hit = std::ranges::find(data.tokens, token);
  REQUIRE(hit != data.tokens.end());
  return static_cast<TokenId>(hit - data.tokens.begin());
}

void refused(TokenizerData data, const char* part) {
  CHECK_THROWS_WITH_AS(BytePairTokenizer::from(data), doctest::Contains(part), ModelError);
}

}  // namespace

TEST_CASE("byte level: merges by rank, within words only") {
  const TokenizerData data = byte_level();
  const BytePairTokenizer t = BytePairTokenizer::from(data);
  const auto id = [&](std::string_view token) { return id_of(data, token); };
  CHECK(t.encode("head") == Ids{id("head")});
  CHECK(t.encode("head head") == Ids{id("head"), id("\xC4\xA0"
                                                    "head")});
  CHECK(t.encode("hea") == Ids{id("he"), id("a")});
  CHECK(t.encode("").empty());
  CHECK(t.decode(t.encode("head head")) == "head head");
  CHECK(t.token_bytes(id("\xC4\xA0"
                         "head")) == " head");
}

TEST_CASE("text never becomes a control token, and the longest user-defined token is matched first") {
  const TokenizerData data = byte_level();
  const BytePairTokenizer t = BytePairTokenizer::from(data);
  const auto ids = t.encode("<|end|>ed");  // < | n > have no token here and are dropped, as in the reference
  CHECK(std::ranges::find(ids, TokenId{0}) == ids.end());
  CHECK(t.encode("[sex][age]a") == Ids{2, id_of(data, "a")});
  CHECK(t.encode("[sex]a") == Ids{1, id_of(data, "a")});
  CHECK(t.special("<|end|>") == TokenId{0});
  CHECK_FALSE(t.special("head"));
  CHECK(t.end_ids() == Ids{0});
  CHECK(t.token_bytes(0).empty());
}

TEST_CASE("half characters are bytes, and missing bytes are told") {
  const TokenizerData data = byte_level();
  const BytePairTokenizer t = BytePairTokenizer::from(data);
  CHECK(t.encode("\xC3\xA9").size() == 2);
  CHECK(t.decode(t.encode("\xC3\xA9")) == "\xC3\xA9");
  CHECK(t.token_bytes(t.encode("\xC3\xA9")[0]) == "\xC3");
  CHECK(t.missing_bytes().size() == 246);
  CHECK(t.missing_bytes().find('x') != std::string::npos);
  CHECK(t.encode("xax") == Ids{id_of(data, "a")});
}

TEST_CASE("a word that is a token needs no merges where the model says so") {
  TokenizerData data = byte_level();
  data.merges.clear();
  CHECK(BytePairTokenizer::from(data).encode("head").size() == 4);
  data.whole_words = true;
  CHECK(BytePairTokenizer::from(data).encode("head") == Ids{id_of(data, "head")});
}

TEST_CASE("SentencePiece: the best score is merged first, a space goes before the first word") {
  const TokenizerData data = pieces();
  const BytePairTokenizer t = BytePairTokenizer::from(data);
  const auto id = [&](std::string_view token) { return id_of(data, token); };
  CHECK(t.encode("aba") == Ids{id("\xE2\x96\x81"
                                  "a"),
                               id("ba")});
  CHECK(t.encode("b") == Ids{id("\xE2\x96\x81"), id("b")});
  CHECK(t.decode(t.encode("aba b")) == "aba b");
  CHECK(t.encode_following("b") == t.encode("b"));
  TokenizerData first_only = data;
  first_only.prefix_first_only = true;
  CHECK(BytePairTokenizer::from(first_only).encode_following("b") == Ids{id("b")});
}

TEST_CASE("SentencePiece: a character without a piece falls back to its bytes, or to the unknown token") {
  TokenizerData data = pieces();
  const BytePairTokenizer t = BytePairTokenizer::from(data);
  CHECK(t.encode("\xC3\xA9") == Ids{id_of(data, "\xE2\x96\x81"), 3 + 0xC3, 3 + 0xA9});
  CHECK(t.decode(t.encode("\xC3\xA9")) == "\xC3\xA9");
  for (std::size_t i = 3; i < 259; ++i) data.types[i] = 5;  // unused
  CHECK(BytePairTokenizer::from(data).encode("xy") == Ids{id_of(data, "\xE2\x96\x81"), 0, 0});
  data.fuse_unknown = true;
  CHECK(BytePairTokenizer::from(data).encode("xy") == Ids{id_of(data, "\xE2\x96\x81"), 0});
  data.unknown.reset();
  CHECK_THROWS_AS(BytePairTokenizer::from(data).encode("x"), ModelError);
}

TEST_CASE("broken vocabularies are refused") {
  TokenizerData data = byte_level();
  data.kind = "unigram";
  refused(data, "no tokenizer kind 'unigram'");
  data = byte_level(), data.pre_tokenizer = "none";
  refused(data, "none");
  data = byte_level(), data.types.pop_back();
  refused(data, "types");
  data = byte_level(), data.tokens[4] = data.tokens[3];
  refused(data, "3 and 4");
  data = byte_level(), data.merges.push_back("he x");
  refused(data, "Merge 4");
  data = byte_level(), data.merges.push_back("head");
  refused(data, "not two tokens");
  data = pieces(), data.scores.pop_back();
  refused(data, "scores");
  data = pieces(), data.tokens[3] = "<0xZZ>";
  refused(data, "marked as a byte");
  CHECK_THROWS_WITH_AS(BytePairTokenizer::from(byte_level()).token_bytes(99), doctest::Contains("99"),
                       ModelError);
  CHECK_THROWS_AS(BytePairTokenizer::from(byte_level()).token_bytes(-1), ModelError);
}
