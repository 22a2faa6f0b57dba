// The text of an answer as its tokens come in: bytes, which may stop inside a character or a stop text.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"

namespace synthema {

class SYNTHEMA_EXPORT AnswerText {
 public:
  // The answer ends before the first of `stops`; none of them may be empty (ConfigError).
  explicit AnswerText(std::vector<std::string> stops = {});

  // Adds the bytes of one token. True if a stop text is now complete, across token borders too: it and all
  // after it are removed, and nothing may be added any more.
  bool append(std::string_view bytes);
  const std::string& text() const { return text_; }  // so far
  const std::vector<std::string>& stops() const { return stops_; }
  // The answer. Half a character at its very end (a cut by length) is removed; nothing is ever replaced by
  // U+FFFD. ModelError if other bytes are not valid UTF-8.
  std::string finish() &&;

 private:
  std::vector<std::string> stops_;
  std::string text_;
};

}  // namespace synthema
