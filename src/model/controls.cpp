#include <algorithm>
#include <array>
#include <string_view>

#include "src/model/loaded_model.hpp"

namespace synthema::detail {

namespace {

constexpr std::array<std::string_view, 8> kTurnEnds{"<|im_end|>",    "<|eot_id|>",    "<|eom_id|>",
                                                    "<end_of_turn>", "<|endoftext|>", "<|end_of_text|>",
                                                    "<|end|>",       "</s>"};
constexpr std::array<std::string_view, 9> kTurnMarks{"<|im_start|>",
                                                     "<|start_header_id|>",
                                                     "<|end_header_id|>",
                                                     "<|begin_of_text|>",
                                                     "<start_of_turn>",
                                                     "<s>",
                                                     "<bos>",
                                                     "<eos>",
                                                     "<|finetune_right_pad_id|>"};
constexpr std::uint8_t kNormal = 1, kControl = 3, kUserDefined = 4;

bool one_of(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

void settle_controls(TokenizerData& data) {
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    const bool ends = one_of(kTurnEnds, data.tokens[id]);
    std::uint8_t& type = data.types[id];
    if ((ends || one_of(kTurnMarks, data.tokens[id])) && (type == kNormal || type == kUserDefined))
      type = kControl;
    const auto token = static_cast<std::int32_t>(id);
    if (ends && data.end != token) data.more_ends.push_back(token);
  }
  std::ranges::sort(data.more_ends);
  data.more_ends.erase(std::unique(data.more_ends.begin(), data.more_ends.end()), data.more_ends.end());
  std::erase(data.more_ends, data.end.value_or(-1));
}

}  // namespace synthema::detail
