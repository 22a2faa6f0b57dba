// Chat templates per family, written out in C++ (no Jinja is executed). A rendered chat is a list of pieces,
// so that the markup of the template becomes control tokens and the user's text never does, whatever it
// contains.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/model/model_file.hpp"
#include "synthema/prompt/prompt.hpp"

namespace synthema {

struct ChatPiece {
  std::string text;
  bool control = false;  // the exact text of a control token
  friend bool operator==(const ChatPiece&, const ChatPiece&) = default;
};

class SYNTHEMA_EXPORT ChatTemplate {
 public:
  // "chatml", "chatml-smollm2" (adds its default system message), "chatml-qwen2", "llama2", "llama3",
  // "mistral", "gemma", "zephyr" (TinyLlama), "none" (base models: chat prompts fail with a sentence).
  // ConfigError if unknown.
  static ChatTemplate named(std::string_view family);
  static ChatTemplate of(
      const ModelFile& file);  // recognised from the file's template text; "none" if there is none

  const std::string& name() const { return name_; }
  // The conversation with an open assistant turn at its end. ConfigError: an unknown role, a system message
  // where the family has none, roles that do not alternate where the family demands it.
  std::vector<ChatPiece> render(std::span<const Message> messages) const;

 private:
  std::string name_ = "none";
};

}  // namespace synthema
