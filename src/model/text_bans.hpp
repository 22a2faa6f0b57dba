// Texts that must not occur, read byte by byte (Aho and Corasick, CACM 1975): a state is what a text ends
// with of them. What is not listed among the steps of a state leads to kStart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace synthema::detail {

class TextBans {
 public:
  using State = std::uint32_t;
  static constexpr State kStart = 0;
  struct Step {
    std::uint8_t byte = 0;
    State to = kStart;
  };

  explicit TextBans(const std::vector<std::string>& texts);  // none of them empty
  TextBans(const TextBans&) = delete;
  TextBans& operator=(const TextBans&) = delete;
  ~TextBans() = default;

  bool empty() const { return nodes_.size() == 1; }
  const std::vector<Step>& steps(State state);  // by byte; stays valid
  State after(State state, std::uint8_t byte);
  State after_text(std::string_view text);
  // Whether a banned text is complete, and the places in the list, from 1, of those that are.
  bool completes(State state) const { return nodes_[state].completes; }
  void add_places(State state, std::set<std::size_t>& out) const;

 private:
  struct Node {
    std::vector<Step> children;       // by byte
    State shorter = kStart;           // the longest other beginning that it ends with
    bool completes = false;           // here, or at a shorter one
    std::vector<std::size_t> places;  // of the texts that are spelt by the way to here
    const std::vector<Step>* steps = nullptr;
  };
  State child(State state, std::uint8_t byte) const;  // kStart: none

  std::vector<Node> nodes_;
  std::deque<std::vector<Step>> steps_;
  std::size_t longest_ = 0;
};

}  // namespace synthema::detail
