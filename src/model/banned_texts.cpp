#include "synthema/model/banned_texts.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "synthema/prompt/prompt.hpp"

namespace synthema {

TokenIndex::TokenIndex(std::vector<std::string> bytes) : bytes_(std::move(bytes)) {
  for (std::size_t id = 0; id < bytes_.size(); ++id)
    if (!bytes_[id].empty()) order_.push_back(static_cast<TokenId>(id));
  std::ranges::stable_sort(
      order_, {}, [this](TokenId id) -> const std::string& { return bytes_[static_cast<std::size_t>(id)]; });
}

std::span<const TokenId> TokenIndex::beginning_with(std::string_view text) const {
  const auto head = [&](TokenId id) {
    return std::string_view(bytes_[static_cast<std::size_t>(id)]).substr(0, text.size());
  };
  const auto found = std::ranges::equal_range(order_, text, {}, head);
  return {found.begin(), found.end()};
}

std::vector<TokenId> TokenIndex::containing(std::string_view text) const {
  std::vector<TokenId> out;
  for (const TokenId id : order_)
    if (bytes_[static_cast<std::size_t>(id)].find(text) != std::string::npos) out.push_back(id);
  return out;
}

std::vector<TokenId> TokenIndex::spelling(std::string_view text) const {
  std::vector<TokenId> out;
  for (const TokenId id : beginning_with(text))
    if (bytes_[static_cast<std::size_t>(id)].size() == text.size()) out.push_back(id);
  return out;
}

BannedTexts::BannedTexts(std::shared_ptr<const TokenIndex> index, std::vector<std::string> texts)
    : index_(std::move(index)), texts_(std::move(texts)) {
  check_banned(texts_);
  for (const std::string& text : texts_) {
    const std::vector<TokenId> ids = index_->containing(text);
    always_.insert(always_.end(), ids.begin(), ids.end());
  }
  std::ranges::sort(always_);
  const auto repeated = std::ranges::unique(always_);
  always_.erase(repeated.begin(), repeated.end());
}

void BannedTexts::forbid(std::string_view text, std::vector<LogitBias>& biases) const {
  constexpr float never = -std::numeric_limits<float>::infinity();
  for (const TokenId id : always_) biases.push_back({id, never});
  for (const std::string_view banned : texts_)
    for (std::size_t begun = 1; begun < banned.size(); ++begun)
      if (text.ends_with(banned.substr(0, begun)))
        for (const TokenId id : index_->beginning_with(banned.substr(begun))) biases.push_back({id, never});
}

std::set<std::size_t> BannedTexts::completed_by(std::string_view text, std::string_view bytes) const {
  std::set<std::size_t> out;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const std::size_t begun = std::min(text.size(), texts_[i].size() - 1);
    std::string end(text.substr(text.size() - begun));
    end += bytes;
    if (end.find(texts_[i]) != std::string::npos) out.insert(i + 1);
  }
  return out;
}

std::string named_by_place(const std::set<std::size_t>& banned) {
  constexpr std::size_t most = 5;
  std::string out;
  std::size_t named = 0;
  for (const std::size_t place : banned) {
    if (named == most) return out + message(" and ", banned.size() - most, " more");
    out += named++ > 0 ? ", " : banned.size() == 1 ? "banned text " : "banned texts ";
    out += std::to_string(place);
  }
  return out;
}

}  // namespace synthema
