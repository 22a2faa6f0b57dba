#include "synthema/model/ngram_model.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "synthema/data/digest.hpp"

namespace synthema {

namespace {

constexpr std::uint32_t kEnd = 0;

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(std::move(word));
  return words;
}

// The last `most` entries.
template <class T>
std::vector<T> tail(const std::vector<T>& items, std::size_t most) {
  return {items.end() - static_cast<std::ptrdiff_t>(std::min(most, items.size())), items.end()};
}

// Cuts at the earliest stop text; true if there was one.
bool cut_at_stop(std::string& text, const std::vector<std::string>& stops) {
  std::size_t first = std::string::npos;
  for (const std::string& stop : stops) first = std::min(first, text.find(stop));
  if (first == std::string::npos) return false;
  text.resize(first);
  return true;
}

Completion chosen(const CompletionRequest& request) {
  Random random = request.random;
  Completion out;
  out.text = request.prompt.choices[random.below(request.prompt.choices.size())];
  out.finish = Finish::constraint;
  (request.prompt.choices.size() > 1 ? out.tokens.masked : out.tokens.forced) = 1;
  return out;
}

std::uint64_t prompt_words(const Prompt& prompt) {
  std::uint64_t count = split_words(prompt.text).size();
  for (const Message& m : prompt.messages) count += split_words(m.text).size();
  return count;
}

}  // namespace

NgramModel::NgramModel(const std::vector<std::string>& texts, std::size_t order) : order_(order), words_{""} {
  if (order < 2 || order > 8)
    throw ConfigError({.field = "order"}, "The order of an n-gram model must be between 2 and 8.");
  Sha256 digest;
  digest.field("synthema n-gram model 1").field(std::to_string(order));
  for (const std::string& text : texts) {
    digest.field(text);
    Context sequence;
    for (std::string& word : split_words(text)) {
      const auto [entry, fresh] = ids_.try_emplace(std::move(word), static_cast<Word>(words_.size()));
      if (fresh) words_.push_back(entry->first);
      sequence.push_back(entry->second);
    }
    if (sequence.empty()) continue;
    sequence.push_back(kEnd);
    Context seen{kEnd};  // the end of one text is the start of the next
    for (const Word word : sequence) {
      for (std::size_t length = 0; length < order_ && length <= seen.size(); ++length)
        ++counts_[tail(seen, length)][word];
      seen.push_back(word);
    }
  }
  if (counts_.empty())
    throw ConfigError({.field = "texts"}, "An n-gram model needs at least one text with a word.");
  digest_ = "ngram-" + digest.hex();
}

void NgramModel::submit(std::vector<CompletionRequest> requests) {
  for (CompletionRequest& request : requests) waiting_.push_back(std::move(request));
}

std::vector<FinishedCompletion> NgramModel::poll() {
  std::vector<FinishedCompletion> finished;
  for (const CompletionRequest& request : std::exchange(waiting_, {}))
    finished.push_back({request.id, answer(request)});
  return finished;
}

// The prompt's last words as far back as they are known; else the start of a text.
std::vector<NgramModel::Word> NgramModel::known_context(const Prompt& prompt) const {
  if (!prompt.is_plain()) return {kEnd};
  Context context;
  for (const std::string& word : tail(split_words(prompt.text), order_ - 1)) {
    const auto found = ids_.find(word);
    if (found == ids_.end())
      context.clear();
    else
      context.push_back(found->second);
  }
  const auto continues = counts_.find(context);
  return context.empty() || continues == counts_.end() ? Context{kEnd} : context;
}

NgramModel::Word NgramModel::next(const Context& seen, const CompletionRequest& request,
                                  std::uint64_t token) const {
  auto found = counts_.end();
  for (std::size_t length = order_; length-- > 0 && found == counts_.end();)
    found = counts_.find(tail(seen, length));
  std::vector<std::pair<Word, double>> candidates(found->second.begin(), found->second.end());
  std::ranges::stable_sort(candidates, std::ranges::greater(), [](const auto& c) { return c.second; });
  const Sampling& s = request.sampling;
  if (s.temperature == 0) return candidates.front().first;
  if (s.top_k > 0 && candidates.size() > s.top_k) candidates.resize(s.top_k);
  double total = 0;
  const double best = candidates.front().second;
  for (auto& [word, weight] : candidates) total += weight = std::pow(weight / best, 1 / s.temperature);
  double left = request.random.uniform_at(token, 0) * total;
  for (const auto& [word, weight] : candidates)
    if ((left -= weight) < 0) return word;
  return candidates.back().first;
}

Completion NgramModel::answer(const CompletionRequest& request) const {
  if (!request.prompt.choices.empty()) return chosen(request);
  Completion out;
  if (request.prompt.has_form()) {
    out.finish = Finish::failed;
    out.failure =
        "An n-gram model of words cannot keep to a pattern, to JSON or to a constraint; use a local model.";
    return out;
  }
  out.tokens.prompt = prompt_words(request.prompt);
  out.finish = Finish::length;
  Context seen = known_context(request.prompt);
  while (out.tokens.free < request.sampling.max_tokens) {
    const Word word = next(seen, request, out.tokens.free++);
    if (word == kEnd) {
      out.finish = Finish::stop;
      break;
    }
    if (!out.text.empty()) out.text += ' ';
    out.text += words_[word];
    seen.push_back(word);
    if (cut_at_stop(out.text, request.prompt.stop)) {
      out.finish = Finish::stop;
      break;
    }
  }
  return out;
}

}  // namespace synthema
