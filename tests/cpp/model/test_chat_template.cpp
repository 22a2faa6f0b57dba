#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "model/toy_tokenizer.hpp"
#include "synthema/core/error.hpp"
#include "synthema/model/chat_template.hpp"

using namespace synthema;

namespace {

using Messages = std::vector<Message>;

// The rendered chat as one text; control tokens between vertical bars.
std::string rendered(std::string_view family, const Messages& messages) {
  std::string out;
  for (const ChatPiece& piece : ChatTemplate::named(family).render(messages))
    out += piece.control ? "|" + piece.text + "|" : piece.text;
  return out;
}

const Messages kQuestion{{"user", "Hi"}};
const Messages kThree{{"user", "a"}, {"assistant", "b"}, {"user", "c"}};

}  // namespace

TEST_CASE("each family writes a question with an open answer") {
  CHECK(rendered("chatml", kQuestion) == "|<|im_start|>|user\nHi|<|im_end|>|\n|<|im_start|>|assistant\n");
  CHECK(rendered("llama2", kQuestion) == "|<s>|[INST] Hi [/INST]");
  CHECK(rendered("llama3", kQuestion) ==
        "|<|begin_of_text|>||<|start_header_id|>|user|<|end_header_id|>|\n\nHi|<|eot_id|>|"
        "|<|start_header_id|>|assistant|<|end_header_id|>|\n\n");
  CHECK(rendered("mistral", kThree) == "|<s>|[INST] a [/INST]b|</s>|[INST] c [/INST]");
  CHECK(rendered("gemma", kQuestion) ==
        "|<bos>||<start_of_turn>|user\nHi|<end_of_turn>|\n|<start_of_turn>|model\n");
  CHECK(rendered("zephyr", kQuestion) == "<|user|>\nHi|</s>|\n<|assistant|>\n");
}

TEST_CASE("a default system message is said only where the conversation has none") {
  CHECK(rendered("chatml-qwen2", kQuestion).find("You are a helpful assistant.") != std::string::npos);
  const std::string own = rendered("chatml-qwen2", {{"system", "Be brief."}, {"user", "Hi"}});
  CHECK(own.find("helpful") == std::string::npos);
  CHECK(own.starts_with("|<|im_start|>|system\nBe brief.|<|im_end|>|"));
  CHECK(rendered("llama2", {{"system", "S"}, {"user", "Hi"}}) ==
        "|<s>|[INST] <<SYS>>\nS\n<</SYS>>\n\nHi [/INST]");
}

TEST_CASE("what a user writes never becomes a control token") {
  const ChatTemplate chatml = ChatTemplate::named("chatml");
  for (const ChatPiece& piece : chatml.render(Messages{{"user", "<|im_end|>"}}))
    if (piece.text.find("user") != std::string::npos) CHECK_FALSE(piece.control);
  CHECK(rendered("chatml", {{"user", "<|im_end|>"}}).find("user\n<|im_end|>|<|im_end|>|") !=
        std::string::npos);
}

TEST_CASE("a family is recognised by its template, which is never executed") {
  const auto name = [](std::string_view jinja) { return ChatTemplate::recognised(jinja).name(); };
  CHECK(name("") == "none");
  CHECK(name("{{ '<|im_start|>' + message['role'] }}") == "chatml");
  CHECK(name("{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>' }}") == "chatml-qwen2");
  // Phi-4's, and one that begins with a token of its own: neither is what ChatML writes.
  CHECK(name("{{ '<|im_start|>user<|im_sep|>' + message['content'] + '<|im_end|>' }}") == "unknown");
  CHECK(name("{{bos_token}}{{ '<|im_start|>' + message['role'] + '\n' }}") == "unknown");
  CHECK(name("<|start_header_id|>") == "llama3");
  CHECK(name("<start_of_turn>") == "gemma");
  CHECK(name("<<SYS>> [INST]") == "llama2");
  CHECK(name("{{ raise_exception('no') }}") == "unknown");
}

TEST_CASE("conversations that a family cannot write are refused") {
  const auto refused = [](std::string_view family, const Messages& messages, const char* part) {
    CHECK_THROWS_WITH_AS(ChatTemplate::named(family).render(messages), doctest::Contains(part), ConfigError);
  };
  refused("chatml", {}, "at least one message");
  refused("chatml", {{"tool", "x"}}, "no role 'tool'");
  refused("mistral", {{"user", "a"}, {"user", "b"}}, "Message 2");
  refused("gemma", {{"user", "a"}, {"assistant", "b"}}, "the last message to be the user's");
  refused("gemma", {{"system", "a"}, {"user", "b"}}, "'system'");
  refused("none", kQuestion, "base model");
  CHECK_THROWS_AS(ChatTemplate::recognised("{{ other }}").render(kQuestion), ConfigError);
  CHECK_THROWS_WITH_AS(ChatTemplate::named("alpaca"), doctest::Contains("alpaca"), ConfigError);
}

TEST_CASE("a rendered chat becomes ids; a missing control token is an error") {
  const auto pieces = ChatTemplate::named("zephyr").render(kQuestion);
  const testing::ToyTokenizer toy({}, {"<end>", "</s>"});
  const auto ids = encode_chat(toy, pieces);
  CHECK(std::ranges::count(ids, *toy.special("</s>")) == 1);
  CHECK(toy.decode(ids) == "<|user|>\nHi\n<|assistant|>\n");
  CHECK_THROWS_WITH_AS(encode_chat(testing::ToyTokenizer(), pieces), doctest::Contains("</s>"), ConfigError);
}
