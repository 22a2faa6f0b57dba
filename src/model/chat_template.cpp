#include "synthema/model/chat_template.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "synthema/core/utf8.hpp"
#include "synthema/model/unicode.hpp"

namespace synthema {

namespace {

using Messages = std::span<const Message>;

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kDefaultSystems{
    {{"chatml-smollm2", "You are a helpful AI assistant named SmolLM, trained by Hugging Face"},
     {"chatml-qwen2", "You are a helpful assistant."},
     {"chatml-qwen2.5", "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."}}};
constexpr std::array<std::string_view, 10> kOtherFamilies{"chatml", "llama2", "llama3", "llama3.1", "mistral",
                                                          "gemma",  "gemma3", "zephyr", "phi3",     "none"};

class Pieces {
 public:
  Pieces& control(std::string_view token) {
    out_.push_back({std::string(token), true});
    return *this;
  }
  Pieces& text(std::string_view text) {
    if (text.empty()) return *this;
    if (out_.empty() || out_.back().control)
      out_.push_back({std::string(text), false});
    else
      out_.back().text += text;
    return *this;
  }
  std::vector<ChatPiece> take() { return std::move(out_); }

 private:
  std::vector<ChatPiece> out_;
};

// What Python's str.strip removes (Jinja's trim is the same).
bool is_stripped(char32_t c) {
  return is_white_space(c) || (c >= 0x1C && c <= 0x1F);
}

std::string_view strip(std::string_view text) {
  while (!text.empty()) {
    const CodePoint first = decode_utf8(text, 0);
    if (first.length == 0 || !is_stripped(first.value)) break;
    text.remove_prefix(first.length);
  }
  while (!text.empty()) {
    std::size_t start = text.size() - 1;
    while (start > 0 && text.size() - start < 4 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80)
      --start;
    const CodePoint last = decode_utf8(text, start);
    if (last.length != text.size() - start || !is_stripped(last.value)) break;
    text.remove_suffix(last.length);
  }
  return text;
}

// The system message at the front, if there is one; `messages` then goes on behind it.
const Message* take_system(Messages& messages) {
  if (messages.empty() || messages.front().role != "system") return nullptr;
  const Message* const system = &messages.front();
  messages = messages.subspan(1);
  return system;
}

// user, assistant, user, ...: ending with the user, so that the assistant is next.
void demand_alternation(Messages messages, std::string_view family) {
  for (std::size_t i = 0; i < messages.size(); ++i)
    if (messages[i].role != (i % 2 == 0 ? "user" : "assistant"))
      throw ConfigError(message("Message ", i + 1, " after any system message is of '", messages[i].role,
                                "', but the chat template '", family, "' wants user and assistant in turn."));
  if (messages.size() % 2 == 0)
    throw ConfigError(message("The chat template '", family, "' wants the last message to be the user's."));
}

std::vector<ChatPiece> render_chatml(Messages messages, std::string_view default_system) {
  Pieces out;
  const auto turn = [&](std::string_view role, std::string_view text) {
    out.control("<|im_start|>").text(role).text("\n").text(text).control("<|im_end|>").text("\n");
  };
  if (messages.front().role != "system" && !default_system.empty()) turn("system", default_system);
  for (const Message& message : messages) turn(message.role, message.text);
  return out.control("<|im_start|>").text("assistant\n").take();
}

std::vector<ChatPiece> render_llama2(Messages messages) {
  const Message* const system = take_system(messages);
  demand_alternation(messages, "llama2");
  Pieces out;
  for (const Message& message : messages) {
    const bool first = &message == &messages.front();
    const std::string opening = first && system ? "<<SYS>>\n" + system->text + "\n<</SYS>>\n\n" : "";
    const std::string content = opening + message.text;
    if (message.role == "user")
      out.control("<s>").text("[INST] ").text(strip(content)).text(" [/INST]");
    else
      out.text(" ").text(strip(content)).text(" ").control("</s>");
  }
  return out.take();
}

void llama3_turn(Pieces& out, std::string_view role, std::string_view text) {
  out.control("<|start_header_id|>")
      .text(role)
      .control("<|end_header_id|>")
      .text("\n\n")
      .text(text)
      .control("<|eot_id|>");
}

std::vector<ChatPiece> render_llama3(Messages messages, bool dated) {
  Pieces out;
  out.control("<|begin_of_text|>");
  if (dated) {
    const Message* const system = take_system(messages);
    const std::string_view text = system ? strip(system->text) : std::string_view();
    llama3_turn(out, "system",
                "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n" + std::string(text));
  }
  for (const Message& message : messages) llama3_turn(out, message.role, strip(message.text));
  return out.control("<|start_header_id|>")
      .text("assistant")
      .control("<|end_header_id|>")
      .text("\n\n")
      .take();
}

std::vector<ChatPiece> render_mistral(Messages messages) {
  demand_alternation(messages, "mistral");
  Pieces out;
  out.control("<s>");
  for (const Message& message : messages) {
    if (message.role == "user")
      out.text("[INST] ").text(message.text).text(" [/INST]");
    else
      out.text(message.text).control("</s>");
  }
  return out.take();
}

// Gemma 3 puts the system message before the first user message; Gemma 1 and 2 have none.
std::vector<ChatPiece> render_gemma(Messages messages, bool has_system) {
  const Message* const system = has_system ? take_system(messages) : nullptr;
  demand_alternation(messages, has_system ? "gemma3" : "gemma");
  Pieces out;
  out.control("<bos>");
  for (const Message& message : messages) {
    out.control("<start_of_turn>").text(message.role == "assistant" ? "model" : "user").text("\n");
    if (system && &message == &messages.front()) out.text(system->text).text("\n\n");
    out.text(strip(message.text)).control("<end_of_turn>").text("\n");
  }
  return out.control("<start_of_turn>").text("model\n").take();
}

std::vector<ChatPiece> render_zephyr(Messages messages) {
  Pieces out;
  for (const Message& message : messages)
    out.text("<|").text(message.role).text("|>\n").text(message.text).control("</s>").text("\n");
  return out.text("<|assistant|>\n").take();
}

// Phi-3's control tokens swallow the white space behind them, the template's line ends among it.
std::vector<ChatPiece> render_phi3(Messages messages) {
  Pieces out;
  for (const Message& message : messages) {
    std::string_view text = message.text;
    for (CodePoint first;
         !text.empty() && (first = decode_utf8(text, 0)).length > 0 && is_white_space(first.value);)
      text.remove_prefix(first.length);
    out.control("<|" + message.role + "|>").text(text).control("<|end|>");
  }
  return out.control("<|assistant|>").take();
}

void check_roles(Messages messages) {
  if (messages.empty()) throw ConfigError("A chat needs at least one message.");
  for (const Message& message : messages)
    if (message.role != "system" && message.role != "user" && message.role != "assistant")
      throw ConfigError(
          synthema::message("There is no role '", message.role, "'; there are system, user and assistant."));
}

// The literal that a ChatML template says as its own system message; empty if it has none.
std::string default_system_of(std::string_view jinja) {
  for (const std::string_view opening : {"<|im_start|>system\\n", "<|im_start|>system\n"})
    for (std::size_t at = 0; (at = jinja.find(opening, at)) != std::string_view::npos;) {
      at += opening.size();
      const std::string_view rest = jinja.substr(at);
      const std::size_t end = rest.find("<|im_end|>");
      const std::string_view text = rest.substr(0, end);
      if (end != std::string_view::npos && end > 0 && text.find_first_of("'\"{}\\") == std::string_view::npos)
        return std::string(text);
    }
  return {};
}

std::string_view family_of(std::string_view jinja) {
  const auto has = [&](std::string_view mark) { return jinja.find(mark) != std::string_view::npos; };
  if (jinja.empty()) return "none";
  if (has("<|im_start|>")) {  // not those that think, set roles apart by a token (Phi-4), or begin with one
    const auto marks = {"<think>", "reasoning", "<|im_sep|>", "bos_token"};
    return std::ranges::any_of(marks, has) ? "unknown" : "chatml";
  }
  if (has("<|start_header_id|>")) return has("Cutting Knowledge Date") ? "llama3.1" : "llama3";
  if (has("<start_of_turn>")) return has("first_user_prefix") ? "gemma3" : "gemma";
  if (has("<<SYS>>") && has("[INST]")) return "llama2";
  if (has("'[INST] '") && has("' [/INST]'")) return "mistral";
  if (has("<|user|>") && has("<|assistant|>")) {
    if (has("<|end|>")) return has("<|end|>\\n") || has("<|end|>\n") || has("'\\n'") ? "phi3" : "unknown";
    if (has("eos_token")) return "zephyr";
  }
  return "unknown";
}

}  // namespace

ChatTemplate ChatTemplate::named(std::string_view family) {
  ChatTemplate out;
  out.name_ = family;
  for (const auto& [name, system] : kDefaultSystems)
    if (family == name) {
      out.default_system_ = system;
      return out;
    }
  if (std::ranges::find(kOtherFamilies, family) == kOtherFamilies.end())
    throw ConfigError(
        message("There is no chat template '", family,
                "'; there are chatml, chatml-smollm2, chatml-qwen2, chatml-qwen2.5, llama2, llama3, "
                "llama3.1, mistral, gemma, gemma3, zephyr, phi3 and none."));
  return out;
}

ChatTemplate ChatTemplate::recognised(std::string_view jinja) {
  ChatTemplate out;
  out.name_ = family_of(jinja);
  if (out.name_ != "chatml") return out;
  out.default_system_ = default_system_of(jinja);
  for (const auto& [name, system] : kDefaultSystems)
    if (out.default_system_ == system) out.name_ = name;
  return out;
}

ChatTemplate ChatTemplate::of(const ModelFile& file) {
  return recognised(file.tokenizer().chat_template);
}

std::vector<ChatPiece> ChatTemplate::render(std::span<const Message> messages) const {
  check_roles(messages);
  if (name_.starts_with("chatml")) return render_chatml(messages, default_system_);
  if (name_ == "llama2") return render_llama2(messages);
  if (name_ == "llama3" || name_ == "llama3.1") return render_llama3(messages, name_ == "llama3.1");
  if (name_ == "mistral") return render_mistral(messages);
  if (name_ == "gemma" || name_ == "gemma3") return render_gemma(messages, name_ == "gemma3");
  if (name_ == "zephyr") return render_zephyr(messages);
  if (name_ == "phi3") return render_phi3(messages);
  throw ConfigError(
      name_ == "none"
          ? "This is a base model without a chat template; ask it with plain prompts."
          : "The chat template of this model is of no family known here; name one, or use plain prompts.");
}

}  // namespace synthema
