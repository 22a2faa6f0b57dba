// FewShot: some exemplars of the pool, then the question in the same form. The form for small and base
// models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/prompt/prompt_strategy.hpp"
#include "synthema/prompt/template.hpp"

namespace synthema {

enum class ExemplarChoice : std::uint8_t {
  random,        // k of the pool, all equally likely
  by_label,      // random among those with the condition's label; too few: filled up from the others
  by_similarity  // nearest by TF-IDF cosine of the rendered query
};
enum class ExemplarOrder : std::uint8_t {
  best_last,   // the best chosen one stands next to the question (for random: as drawn)
  best_first,  // the other way round
  shuffled
};

struct FewShotOptions {
  std::string query;  // template over a condition and over an exemplar alike: what asks for the text
  std::string instruction = {};  // template over the condition; stands first. Chat: the system message
  std::string field = "text";    // of the exemplar: what answers its query; of the row: where the answer goes
  // With a schema the answer is a JSON object of its fields, in their order and under its rules, and each of
  // them becomes a field of the row; `field` and `stop` do not count. See prompt/record_text.hpp.
  std::shared_ptr<const Schema> record = {};
  std::size_t k = 4;  // exemplars shown, fewer if the pool or the budget has fewer; 0 only with `record`
  ExemplarChoice choice = ExemplarChoice::random;
  ExemplarOrder order = ExemplarOrder::best_last;
  std::string label_field = "label";  // by_label: of condition and pool
  bool chat = false;                  // true: each exemplar is a turn of user and assistant
  std::string between = "\n\n";       // plain form: between exemplars
  std::string joint = " ";            // plain form: between a query and its text; the prompt ends before it
  std::vector<std::string> stop = {"\n"};
  std::optional<Sampling> sampling = {};
  // With a counter, exemplars are left out, the worst first, until the prompt has at most `budget` tokens.
  // For a chat the counter sees the texts of all turns joined.
  std::size_t budget = 0;
  std::function<std::size_t(std::string_view)> count_tokens = {};
};

class FewShot {
 public:
  explicit FewShot(FewShotOptions options);  // ConfigError

  std::string_view name() const { return options_.record ? "json" : "few_shot"; }
  // ConfigError: no pool, a placeholder or column that is not there. GenerationError: not even the question
  // fits the budget.
  Exchange compose(Task task, Random random) const;
  PartOptions options() const;
  // Rows of the pool for this task, the best first.
  std::vector<std::uint64_t> choose(const Task& task, Random random) const;
  Prompt prompt(const Task& task, const std::vector<std::uint64_t>& shown) const;

 private:
  struct PoolIndex;
  std::vector<std::uint64_t> answered(const Task& task) const;
  std::vector<std::uint64_t> labelled(const Task& task, Random random) const;
  std::vector<std::uint64_t> similar(const Task& task) const;
  std::vector<std::uint64_t> arranged(std::vector<std::uint64_t> chosen, Random random) const;
  bool fits(const Prompt& prompt) const;

  FewShotOptions options_;
  TextTemplate query_, instruction_;
  std::shared_ptr<PoolIndex> index_;  // of the pool last seen; shared by copies
};

static_assert(PromptStrategy<FewShot>);

}  // namespace synthema
