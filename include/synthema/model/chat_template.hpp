// Chat templates per family, written out in C++ (no Jinja is executed). A rendered chat is a list of pieces,
// so that the markup of the template becomes control tokens and the user's text never does, whatever it
// contains. (Llama 2, Mistral and Zephyr write part of their markup, such as [INST], as ordinary text; a
// user's text can imitate that part, as it can with the reference.)
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/export.hpp"
#include "synthema/model/model_file.hpp"
#include "synthema/model/tokenizer.hpp"
#include "synthema/prompt/prompt.hpp"

namespace synthema {

struct ChatPiece {
  std::string text;
  bool control = false;  // the exact text of a control token
  friend bool operator==(const ChatPiece&, const ChatPiece&) = default;
};

class SYNTHEMA_EXPORT ChatTemplate {
 public:
  // "chatml", "chatml-smollm2", "chatml-qwen2", "chatml-qwen2.5" (with their default system messages),
  // "llama2", "llama3", "llama3.1" (its date is fixed at 26 Jul 2024), "mistral", "gemma", "gemma3", "zephyr"
  // (TinyLlama), "phi3", "none" (base models). ConfigError if unknown.
  static ChatTemplate named(std::string_view family);
  // Recognised from the file's template text; "none" if there is none, "unknown" if it is of no known family.
  static ChatTemplate of(const ModelFile& file);
  static ChatTemplate recognised(std::string_view jinja);

  const std::string& name() const { return name_; }
  // The conversation with an open assistant turn at its end; text pieces never touch each other. ConfigError:
  // no messages, an unknown role, a system message where the family has none, roles that do not alternate
  // where the family demands it, a template of no known family.
  std::vector<ChatPiece> render(std::span<const Message> messages) const;

 private:
  std::string name_ = "none";
  std::string default_system_;  // chatml: said where the conversation has no system message of its own
};

// The ids of a rendered chat. ConfigError if the tokenizer lacks a control token of the template.
template <Tokenizer T>
std::vector<TokenId> encode_chat(const T& tokenizer, std::span<const ChatPiece> pieces) {
  std::vector<TokenId> out;
  for (const ChatPiece& piece : pieces) {
    if (piece.control) {
      const auto id = tokenizer.special(piece.text);
      if (!id)
        throw ConfigError(message("The chat template needs the control token '", piece.text,
                                  "', which this model's tokenizer does not have."));
      out.push_back(*id);
      continue;
    }
    std::vector<TokenId> ids;
    if constexpr (requires { tokenizer.encode_following(piece.text); })
      ids = out.empty() ? tokenizer.encode(piece.text) : tokenizer.encode_following(piece.text);
    else
      ids = tokenizer.encode(piece.text);
    out.insert(out.end(), ids.begin(), ids.end());
  }
  return out;
}

}  // namespace synthema
