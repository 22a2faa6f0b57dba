#include "synthema/prompt/few_shot.hpp"

#include <algorithm>
#include <mutex>

#include "synthema/data/field_rule.hpp"
#include "synthema/data/schema_check.hpp"
#include "synthema/prompt/record_text.hpp"
#include "synthema/text/tf_idf.hpp"

namespace synthema {

namespace {

const Table& pool_of(const Task& task) {
  if (!task.exemplars || task.exemplars->rows() == 0)
    throw ConfigError({.field = "exemplars"},
                      "A few-shot strategy needs a pool of exemplars, but there is none.");
  return *task.exemplars;
}

std::vector<std::uint64_t> shuffled_rows(std::vector<std::uint64_t> rows, Random random) {
  random.shuffle(rows);
  return rows;
}

// A record that no answer could make fit is not asked for.
void require_fits(const Schema& schema, const Record& condition) {
  if (const auto problem = given_misfit(schema, in_kinds(schema, condition)))
    throw GenerationError("The condition does not fit the schema. " + *problem);
}

// An exemplar without the column would show the field as missing.
void require_shows(const Table& pool, const Schema& asked) {
  for (const Field& field : asked.fields)
    if (!pool.has(field.name))
      throw ConfigError(
          {.field = field.name},
          "The schema has this field, but the exemplars do not; add it to them, or leave it out "
          "of the schema.");
}

std::string joined(const Prompt& prompt) {
  std::string all = prompt.text;
  for (const Message& m : prompt.messages) all += m.text;
  return all;
}

}  // namespace

// The TF-IDF index of one pool, built when a pool is first seen.
struct FewShot::PoolIndex {
  std::mutex mutex;
  std::shared_ptr<const Table> pool;
  std::shared_ptr<const TfIdf> vectors;

  std::shared_ptr<const TfIdf> of(const std::shared_ptr<const Table>& table, const TextTemplate& query) {
    const std::scoped_lock lock(mutex);
    if (pool != table) {
      std::vector<std::string> texts;
      for (std::size_t row = 0; row < table->rows(); ++row) texts.push_back(query.render(table->record(row)));
      vectors = std::make_shared<const TfIdf>(TfIdf::fit(texts));
      pool = table;
    }
    return vectors;
  }
};

FewShot::FewShot(FewShotOptions options)
    : options_(std::move(options)),
      query_(options_.query, "query"),
      instruction_(options_.instruction, "instruction"),
      index_(std::make_shared<PoolIndex>()) {
  std::ranges::for_each(options_.stop, check_stop);
  if (query_.empty()) throw ConfigError({.field = "query"}, "A few-shot strategy needs a query template.");
  if (options_.record) {
    options_.record->check();
    (void)with_reachable_ranges(*options_.record);  // refuses a rule that can never hold
  }
  if (options_.k == 0 && !options_.record)
    throw ConfigError({.field = "k"},
                      "A few-shot strategy shows at least 1 exemplar; use zero-shot for none.");
  if (options_.budget > 0 && !options_.count_tokens)
    throw ConfigError({.field = "count_tokens"}, "A token budget needs a function that counts tokens.");
  for (const std::string& field : query_.fields())
    if (!options_.record && field == options_.field)
      throw ConfigError({.field = field}, "The query must not show the text that answers it.");
}

PartOptions FewShot::options() const {
  const FewShotOptions& o = options_;
  PartOptions out{{{"query", o.query},
                   {"instruction", o.instruction},
                   {"field", o.field},
                   {"record", o.record ? to_json(*o.record) : std::string()},
                   {"k", static_cast<std::int64_t>(o.k)},
                   {"choice", static_cast<std::int64_t>(o.choice)},
                   {"order", static_cast<std::int64_t>(o.order)},
                   {"label_field", o.label_field},
                   {"chat", o.chat},
                   {"between", o.between},
                   {"joint", o.joint},
                   {"budget", static_cast<std::int64_t>(o.budget)}}};
  out.add("stop", o.stop);
  out.add(o.sampling);
  return out;
}

// Rows of the pool that have an answer to show.
std::vector<std::uint64_t> FewShot::answered(const Task& task) const {
  const Table& pool = pool_of(task);
  const Column* texts = !options_.record && pool.has(options_.field) ? &pool.column(options_.field) : nullptr;
  std::vector<std::uint64_t> rows;
  for (std::uint64_t row = 0; row < pool.rows(); ++row)
    if (!texts || !texts->is_null(row)) rows.push_back(row);
  if (rows.empty())
    throw ConfigError({.field = options_.field},
                      "No exemplar has a text in this field, so none can be shown.");
  return rows;
}

std::vector<std::uint64_t> FewShot::labelled(const Task& task, Random random) const {
  const Table& pool = pool_of(task);
  constexpr std::string_view what = "choice of exemplars by label";
  const std::string wanted = needed(task.condition, options_.label_field, what).display();
  (void)needed(pool.record(0), options_.label_field, what);
  const Column& labels = pool.column(options_.label_field);
  std::vector<std::uint64_t> same, other;
  for (const std::uint64_t row : answered(task))
    (labels.value_at(row).display() == wanted ? same : other).push_back(row);
  same = shuffled_rows(std::move(same), random.stream(0));
  other = shuffled_rows(std::move(other), random.stream(1));
  same.insert(same.end(), other.begin(), other.end());
  return same;
}

std::vector<std::uint64_t> FewShot::similar(const Task& task) const {
  const auto vectors = index_->of(task.exemplars, query_);
  const std::vector<std::uint64_t> all = answered(task);
  const std::size_t without = task.exemplars->rows() - all.size();
  std::vector<std::uint64_t> rows;
  for (const Hit& hit : vectors->search(query_.render(task.condition), options_.k + without))
    if (std::ranges::binary_search(all, hit.document)) rows.push_back(hit.document);
  for (auto row = all.begin(); row != all.end() && rows.size() < options_.k; ++row)
    if (std::ranges::find(rows, *row) == rows.end()) rows.push_back(*row);  // shares no word: in pool order
  return rows;
}

std::vector<std::uint64_t> FewShot::choose(const Task& task, Random random) const {
  if (options_.k == 0) return {};
  std::vector<std::uint64_t> rows;
  if (options_.choice == ExemplarChoice::by_similarity)
    rows = similar(task);
  else if (options_.choice == ExemplarChoice::by_label)
    rows = labelled(task, random);
  else
    rows = shuffled_rows(answered(task), random.stream(0));
  rows.resize(std::min(rows.size(), options_.k));
  return rows;
}

std::vector<std::uint64_t> FewShot::arranged(std::vector<std::uint64_t> chosen, Random random) const {
  if (options_.order == ExemplarOrder::best_last) std::ranges::reverse(chosen);
  if (options_.order == ExemplarOrder::shuffled) return shuffled_rows(std::move(chosen), random.stream(2));
  return chosen;
}

Prompt FewShot::prompt(const Task& task, const std::vector<std::uint64_t>& shown) const {
  Prompt prompt;
  const std::optional<Schema> asked =
      options_.record ? std::optional(asked_fields(*options_.record, task.condition)) : std::nullopt;
  const std::string instruction = instruction_.render(task.condition),
                    question = query_.render(task.condition);
  if (options_.chat && !instruction.empty()) prompt.messages.emplace_back("system", instruction);
  if (!options_.chat && !instruction.empty()) prompt.text = instruction + options_.between;
  if (asked && !shown.empty()) require_shows(pool_of(task), *asked);
  for (const std::uint64_t row : shown) {
    const Record exemplar = pool_of(task).record(row);
    const std::string text =
        asked ? record_text(*asked, exemplar) : needed(exemplar, options_.field, "strategy").display();
    if (options_.chat) {
      prompt.messages.emplace_back("user", query_.render(exemplar));
      prompt.messages.emplace_back("assistant", text);
    } else {
      prompt.text += query_.render(exemplar) + options_.joint + text + options_.between;
    }
  }
  if (options_.chat)
    prompt.messages.emplace_back("user", question);
  else
    prompt.text += question + (asked ? options_.joint : "");
  prompt.sampling = options_.sampling;
  if (asked) return std::move(prompt).json(*asked);
  prompt.stop = options_.stop;
  return prompt;
}

bool FewShot::fits(const Prompt& prompt) const {
  return options_.budget == 0 || options_.count_tokens(joined(prompt)) <= options_.budget;
}

Exchange FewShot::compose(Task task, Random random) const {
  if (options_.record) require_fits(*options_.record, task.condition);
  std::vector<std::uint64_t> chosen = choose(task, random);
  std::vector<std::uint64_t> shown = arranged(chosen, random);
  Prompt question = prompt(task, shown);
  while (!fits(question)) {
    if (chosen.empty())
      throw GenerationError(message("The question alone has more than ", options_.budget,
                                    " tokens, so not one exemplar fits beside it."));
    chosen.pop_back();
    shown = arranged(chosen, random);
    question = prompt(task, shown);
  }
  const Completion answer = co_await ask(std::move(question));
  if (options_.record) {
    const Schema asked = asked_fields(*options_.record, task.condition);
    Record known = in_kinds(*options_.record, std::move(task.condition));
    co_return Draft(with_answer(std::move(known), asked, answer.text), std::move(shown));
  }
  co_return Draft(with_text(std::move(task.condition), options_.field, trimmed(answer.text)),
                  std::move(shown));
}

}  // namespace synthema
