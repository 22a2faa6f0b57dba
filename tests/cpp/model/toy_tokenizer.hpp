// A tokenizer for tests: the 256 bytes, some longer pieces, two control tokens.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/model/tokenizer.hpp"

namespace synthema::testing {

class ToyTokenizer {
 public:
  explicit ToyTokenizer(std::vector<std::string> pieces = {}, std::vector<std::string> controls = {"<end>"})
      : controls_(std::move(controls)) {
    for (int b = 0; b < 256; ++b) pieces_.emplace_back(1, static_cast<char>(b));
    pieces_.insert(pieces_.end(), pieces.begin(), pieces.end());
  }

  std::vector<TokenId> encode(std::string_view text) const {  // the longest piece at each place
    std::vector<TokenId> out;
    while (!text.empty()) {
      std::size_t best = static_cast<unsigned char>(text[0]);
      for (std::size_t i = 256; i < pieces_.size(); ++i)
        if (text.starts_with(pieces_[i]) && pieces_[i].size() > pieces_[best].size()) best = i;
      out.push_back(static_cast<TokenId>(best));
      text.remove_prefix(pieces_[best].size());
    }
    return out;
  }
  std::string decode(std::span<const TokenId> ids) const {
    std::string out;
    for (const TokenId id : ids) out += token_bytes(id);
    return out;
  }
  std::string_view token_bytes(TokenId id) const {
    return static_cast<std::size_t>(id) < pieces_.size()
               ? std::string_view(pieces_[static_cast<std::size_t>(id)])
               : std::string_view();
  }
  std::size_t vocabulary_size() const { return pieces_.size() + controls_.size(); }
  std::vector<TokenId> end_ids() const { return {*special("<end>")}; }
  std::optional<TokenId> special(std::string_view name) const {
    const auto found = std::ranges::find(controls_, name);
    if (found == controls_.end()) return std::nullopt;
    return static_cast<TokenId>(pieces_.size() + static_cast<std::size_t>(found - controls_.begin()));
  }

 private:
  std::vector<std::string> pieces_, controls_;
};

static_assert(Tokenizer<ToyTokenizer>);

}  // namespace synthema::testing
