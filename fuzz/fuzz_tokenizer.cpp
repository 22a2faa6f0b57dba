// Any bytes as a tokenizer.json (a ModelError at worst), and as text: a tokenizer that has every byte gives
// the text back, and its words join to the text under every split rule.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "synthema/core/error.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/model/bpe.hpp"
#include "synthema/model/hugging_face.hpp"
#include "synthema/model/pre_tokenizer.hpp"

namespace {

using namespace synthema;

// 256 byte tokens and a few merges, in either kind.
BytePairTokenizer small_tokenizer(bool sentencepiece) {
  TokenizerData data;
  data.kind = sentencepiece ? "sentencepiece" : "byte_bpe";
  data.pre_tokenizer = "llama3";
  constexpr char digits[] = "0123456789ABCDEF";
  for (unsigned b = 0, next = 256; b < 256; ++b) {
    const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
    std::string name;
    append_utf8(name, printable ? b : next++);
    data.tokens.push_back(sentencepiece ? std::string("<0x") + digits[b / 16] + digits[b % 16] + ">" : name);
    data.types.push_back(sentencepiece ? 6 : 1);
  }
  for (const char* word : {"th", "he", "the", "in", "er"})
    data.tokens.emplace_back(word), data.types.push_back(1);
  data.scores.assign(sentencepiece ? data.tokens.size() : 0, -1.0f);
  if (!sentencepiece) data.merges = {"t h", "h e", "th e", "i n", "e r"};
  return BytePairTokenizer::from(data);
}

void demand(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const BytePairTokenizer words = small_tokenizer(false), pieces = small_tokenizer(true);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  demand(words.decode(words.encode(text)) == text);
  if (text.find("\xE2\x96\x81") == std::string_view::npos)
    demand(pieces.decode(pieces.encode(text)).size() >= text.size());
  for (const char* rule : {"gpt2", "smollm", "llama3", "qwen2"}) {
    std::string joined;
    for (const std::string_view word : PreTokenizer::named(rule).split(text)) joined += word;
    demand(joined == text);
  }
  try {
    (void)BytePairTokenizer::from(tokenizer_from_json(text, "fuzz")).encode("the \xFF 12");
  } catch (const ModelError&) {
  }
  return 0;
}
