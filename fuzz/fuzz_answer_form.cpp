// Any bytes as a regular expression, a JSON Schema or a schema with rules: a named error at worst, or a form
// in which a greedy walk ends, and ends in a whole answer.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/model/answer_form.hpp"

namespace {

using namespace synthema;

FormVocabulary small_vocabulary() {
  std::vector<std::string> tokens;
  for (int b = 0; b < 256; ++b) tokens.emplace_back(1, static_cast<char>(b));
  for (const char* piece : {"\": ", ", \"", "{\"", "12", "ab", "null", "20", "é", "\xE6\x97"})
    tokens.emplace_back(piece);
  return {std::make_shared<const VocabularyTrie>(std::move(tokens))};
}

void demand(bool holds) {
  if (!holds) std::abort();
}

void walk(FormConstraint constraint, std::uint8_t choice) {
  constexpr std::size_t limit = 20'000;
  for (std::size_t step = 0; step < limit; ++step) {
    const auto allowed = constraint.allowed();
    if (constraint.is_complete() && (allowed.empty() || step % 7 == choice % 7)) return;
    if (!constraint.failure().empty()) return;
    demand(!allowed.empty());
    demand(constraint.accept(allowed[(step * 31 + choice) % allowed.size()]));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  static const FormVocabulary vocabulary = small_vocabulary();
  const std::string text(reinterpret_cast<const char*>(data) + 2, size - 2);
  try {
    Prompt prompt;
    (data[0] % 3 == 0 ? prompt.pattern : data[0] % 3 == 1 ? prompt.json_schema : prompt.record_schema) = text;
    if (data[0] & 0x40) prompt.banned = {"ab", "1", "\", "};
    walk(FormConstraint(AnswerForm::of(prompt, vocabulary), data[1] % 32), data[1]);
  } catch (const Error&) {
  }
  return 0;
}
