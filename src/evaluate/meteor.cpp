#include "synthema/evaluate/text/meteor.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "synthema/text/porter.hpp"

namespace synthema {

namespace {

constexpr std::size_t kFree = static_cast<std::size_t>(-1);
using Forms = std::vector<std::string>;

// Matches what is free in both, from the end, each with the last free word of the same form.
void match(const Forms& text, const Forms& reference, std::vector<std::size_t>& of_text,
           std::vector<bool>& taken) {
  std::map<std::string, std::vector<std::size_t>> places;  // ascending; the last one is taken first
  for (std::size_t j = 0; j < reference.size(); ++j)
    if (!taken[j]) places[reference[j]].push_back(j);
  for (std::size_t i = text.size(); i-- > 0;) {
    if (of_text[i] != kFree) continue;
    const auto found = places.find(text[i]);
    if (found == places.end() || found->second.empty()) continue;
    of_text[i] = found->second.back();
    taken[found->second.back()] = true;
    found->second.pop_back();
  }
}

Forms stems(std::span<const std::string> words) {
  Forms out;
  for (const std::string& word : words) out.push_back(porter_stem(word));
  return out;
}

}  // namespace

double meteor(std::span<const std::string> text, std::span<const std::string> reference,
              const MeteorOptions& options) {
  std::vector<std::size_t> of_text(text.size(), kFree);
  std::vector<bool> taken(reference.size());
  match({text.begin(), text.end()}, {reference.begin(), reference.end()}, of_text, taken);
  match(stems(text), stems(reference), of_text, taken);
  double matches = 0, chunks = 0;
  for (std::size_t i = 0; i < of_text.size(); ++i) {
    if (of_text[i] == kFree) continue;
    ++matches;
    const bool goes_on = i > 0 && of_text[i - 1] != kFree && of_text[i] == of_text[i - 1] + 1;
    chunks += goes_on ? 0 : 1;
  }
  if (matches == 0) return 0;
  const double precision = matches / static_cast<double>(text.size()),
               recall = matches / static_cast<double>(reference.size());
  const double mean = precision * recall / (options.alpha * precision + (1 - options.alpha) * recall);
  return mean * (1 - options.gamma * std::pow(chunks / matches, options.beta));
}

}  // namespace synthema
