#include "synthema/model/answer_text.hpp"

#include <algorithm>
#include <cstddef>

#include "synthema/core/error.hpp"
#include "synthema/core/utf8.hpp"
#include "synthema/prompt/prompt.hpp"

namespace synthema {

AnswerText::AnswerText(std::vector<std::string> stops) : stops_(std::move(stops)) {
  std::ranges::for_each(stops_, check_stop);
}

bool AnswerText::append(std::string_view bytes) {
  const std::size_t before = text_.size();
  text_ += bytes;
  std::size_t end = std::string::npos;
  for (const std::string& stop : stops_) {
    // A new occurrence ends within the new bytes.
    const std::size_t from = before >= stop.size() ? before - (stop.size() - 1) : 0;
    end = std::min(end, text_.find(stop, from));
  }
  if (end == std::string::npos) return false;
  text_.resize(end);
  return true;
}

namespace {

// Whether the bytes from `at` to the end begin a character that is not finished yet.
bool is_half_character(std::string_view text, std::size_t at) {
  const std::string_view tail = text.substr(at);
  const auto lead = static_cast<unsigned char>(tail[0]);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  const auto continues = [](unsigned char byte) { return (byte & 0xC0) == 0x80; };
  return lead >= 0xC2 && lead <= 0xF4 && tail.size() < length &&
         std::ranges::all_of(tail.substr(1), continues);
}

}  // namespace

std::string AnswerText::finish() && {
  if (const auto bad = first_invalid_utf8(text_)) {
    if (!is_half_character(text_, *bad))
      throw ModelError(
          message("The model wrote bytes that are not valid UTF-8 (byte ", *bad, " of its answer)."));
    text_.resize(*bad);
  }
  return std::move(text_);
}

}  // namespace synthema
