#include "synthema/model/answer_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "src/model/answer_chain.hpp"
#include "src/model/expressions.hpp"
#include "src/model/form_stages.hpp"
#include "src/model/json_schema.hpp"
#include "src/model/json_text.hpp"
#include "src/model/regex.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/field_rule.hpp"
#include "synthema/data/json.hpp"
#include "synthema/model/banned_texts.hpp"

namespace synthema {

using detail::AnswerChain;
using detail::Expression;
using detail::Expressions;

namespace {

Expressions::Bytes single_bytes(const VocabularyTrie& trie) {
  Expressions::Bytes out;
  for (unsigned byte = 0; byte < 256; ++byte) out[byte] = trie.spells(static_cast<std::uint8_t>(byte));
  return out;
}

FormVocabulary without_forbidden(FormVocabulary vocabulary) {
  check_banned(vocabulary.banned);
  const auto is_there = [&](TokenId id) { return !vocabulary.trie->token_bytes(id).empty(); };
  if (std::ranges::any_of(vocabulary.forbidden, is_there))
    vocabulary.trie = vocabulary.trie->without(vocabulary.forbidden);
  return vocabulary;
}

}  // namespace

FormVocabulary byte_vocabulary() {
  std::vector<std::string> bytes;
  for (int byte = 0; byte < 256; ++byte) bytes.emplace_back(1, static_cast<char>(byte));
  return {std::make_shared<const VocabularyTrie>(std::move(bytes))};
}

void check_form(AnswerForms& forms, const Prompt& prompt) {
  Prompt form;
  form.choices = prompt.choices, form.pattern = prompt.pattern;
  form.json_schema = prompt.json_schema, form.record_schema = prompt.record_schema;
  (void)forms.of(form);
}

bool matches(AnswerForms& forms, const std::string& pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  FormConstraint constraint(forms.of(Prompt::plain("").matching(pattern)));
  return std::ranges::all_of(text,
                             [&](char c) { return constraint.accept(static_cast<unsigned char>(c)); }) &&
         constraint.is_complete();
}

AnswerForm::Impl::Impl(FormVocabulary v)
    : vocabulary(without_forbidden(std::move(v))),
      pool(single_bytes(*vocabulary.trie), vocabulary.banned),
      spelling(pool, *vocabulary.trie),
      masks(pool, vocabulary, spelling) {}

void AnswerForm::Impl::begin(Expression start, const char* what) {
  made_of = what;
  if (start == Expressions::kNothing)
    throw ConfigError(message("No text fits the ", what, ", so no answer is possible."));
  first = pool.avoiding(start, detail::TextBans::kStart);
  if (first == Expressions::kNothing) refuse_bans(what);
  if (!spelling.completable(first))
    throw ConfigError(
        message("No text that fits the ", what, " can be spelt with the tokens ",
                vocabulary.forbidden.empty() ? "of this model." : "that the biases of -infinity leave."));
  spelling.add_part(start);
  count(first);
}

void AnswerForm::Impl::count(Expression part) {
  remaining += pool.remaining(part);
  open |= pool.is_open(part);
}

void AnswerForm::Impl::refuse_bans(const char* what) const {
  throw ConfigError({.field = "banned"},
                    message("Every text that fits the ", what, " holds a banned text (",
                            named_by_place(pool.blocking()), "); change the ", what, " or ban less."));
}

AnswerForm AnswerForm::of(const Prompt& prompt, FormVocabulary vocabulary) {
  const int given = !prompt.choices.empty() + !prompt.pattern.empty() + !prompt.json_schema.empty() +
                    !prompt.record_schema.empty() + (prompt.constraint.prototype != nullptr);
  if (given != 1)
    throw ConfigError(
        "An answer is limited by exactly one of choices, a pattern, a JSON Schema, a schema or a "
        "constraint.");
  if (prompt.constraint.prototype)
    throw ConfigError("The prompt brings a constraint of its own along, which has no form to compile.");
  vocabulary.banned = prompt.banned;
  if (!prompt.choices.empty()) return choices(prompt.choices, std::move(vocabulary));
  if (!prompt.pattern.empty()) return pattern(prompt.pattern, std::move(vocabulary));
  if (!prompt.json_schema.empty()) return json(prompt.json_schema, std::move(vocabulary));
  return record(schema_from_json(prompt.record_schema), std::move(vocabulary));
}

AnswerForm AnswerForm::choices(const std::vector<std::string>& choices, FormVocabulary vocabulary) {
  if (choices.empty() || std::ranges::find(choices, std::string()) != choices.end())
    throw ConfigError({.field = "choices"},
                      "A choice needs at least one string, and none of them may be empty.");
  auto impl = std::make_shared<Impl>(std::move(vocabulary));
  for (const std::string& choice : choices)
    if (impl->vocabulary.forbidden.empty() && !impl->spelling.completable(impl->pool.literal(choice)))
      throw ConfigError(
          {.field = "choices"},
          message("A choice of ", choice.size(), " bytes cannot be spelt with the tokens of this model."));
  impl->begin(impl->pool.one_of({choices.begin(), choices.end()}), "choices");
  return AnswerForm(std::move(impl));
}

AnswerForm AnswerForm::pattern(std::string_view regex, FormVocabulary vocabulary) {
  auto impl = std::make_shared<Impl>(std::move(vocabulary));
  impl->begin(detail::regex(impl->pool, regex), "regular expression");
  return AnswerForm(std::move(impl));
}

AnswerForm AnswerForm::json(std::string_view json_schema, FormVocabulary vocabulary) {
  auto impl = std::make_shared<Impl>(std::move(vocabulary));
  impl->build(detail::json_schema_chain(impl->pool, json_schema), "JSON Schema");
  return AnswerForm(std::move(impl));
}

namespace {

AnswerChain record_chain(Expressions& pool, const Schema& schema) {
  AnswerChain chain;
  chain.schema = schema;
  for (std::size_t i = 0; i < schema.fields.size(); ++i) {
    chain.links.push_back(
        {pool.literal((i == 0 ? "{" : ", ") + detail::json_quoted(schema.fields[i].name) + ": ")});
    chain.links.push_back({.field = i});
  }
  chain.links.push_back({pool.literal("}")});
  chain.values = [](std::string_view text, std::size_t) {
    return record_from_json(std::string(text) + "null}");
  };
  return chain;
}

}  // namespace

AnswerForm AnswerForm::record(const Schema& schema, FormVocabulary vocabulary) {
  schema.check();
  if (schema.fields.empty())
    throw ConfigError({.field = "fields"}, "The schema has no fields, so there is nothing to write.");
  auto impl = std::make_shared<Impl>(std::move(vocabulary));
  impl->build(record_chain(impl->pool, schema), "schema");
  return AnswerForm(std::move(impl));
}

namespace {

std::string range_name(const Field& field) {
  std::string out;
  for (const auto& bound : {field.minimum, field.maximum})
    out += bound ? fmt::format("{}", *bound) + ";" : ";";
  for (const std::string& label : field.categories) out += detail::json_quoted(label);
  return out;
}

}  // namespace

void AnswerForm::Impl::build(AnswerChain given, const char* what) {
  given.schema = with_reachable_ranges(std::move(given.schema));
  const auto chain = std::make_shared<const AnswerChain>(std::move(given));
  const auto limited = [&](const Field& field) {
    return std::ranges::any_of(chain->schema.rules,
                               [&](const FieldRule& rule) { return rule.field == field.name; });
  };
  // From the last link to the first: what follows until the next limited value, or the end.
  Expression rest = Expressions::kEmpty;
  for (auto link = chain->links.rbegin(); link != chain->links.rend(); ++link) {
    if (!link->field) {
      rest = pool.sequence(link->text, rest);
      continue;
    }
    const Field& field = chain->schema.fields[*link->field];
    const Expression value = detail::field_text(pool, field);
    if (!limited(field)) {
      rest = pool.sequence(value, rest);
      continue;
    }
    const Expression whole = pool.sequence(value, rest);
    if (pool.avoiding(whole, detail::TextBans::kStart) == Expressions::kNothing) refuse_bans(what);
    spelling.add_part(whole);
    count(whole);
    later.push_back({stage(chain, *link->field, rest), value, rest});
    rest = Expressions::kEmpty;
  }
  std::ranges::reverse(later);
  begin(rest, what);
}

// The value of a field as the rules leave it, and what follows.
AnswerForm::Impl::Stage AnswerForm::Impl::stage(const std::shared_ptr<const AnswerChain>& chain,
                                                std::size_t which, Expression rest) {
  const auto known = std::make_shared<std::map<std::string, Expression>>();
  return [this, chain, which, rest, known](std::string_view text, std::string& failure) {
    const Field& here = chain->schema.fields[which];
    std::optional<Field> left = narrowed(chain->schema, here, chain->values(text, which));
    const std::string name = left ? range_name(*left) : "none";
    auto found = known->find(name);
    if (found == known->end()) {
      Expression start = here.nullable ? pool.literal("null") : Expressions::kNothing;
      try {
        if (left) start = detail::field_text(pool, *left);
      } catch (const ConfigError&) {  // no value between the bounds
      }
      found = known->emplace(name, pool.sequence(start, rest)).first;
    }
    const Expression start = pool.avoiding(found->second, pool.bans().after_text(text));
    if (start == Expressions::kNothing)
      failure = message("The rules ", pool.bans().empty() ? "" : "and the banned texts ",
                        "leave no value for the field '", here.name, "' after the values before it.");
    return start;
  };
}

AnswerForm AnswerForms::of(const Prompt& prompt, std::vector<TokenId> forbidden) {
  std::string name = message(prompt.choices.size(), ' ', prompt.banned.size(), ' ', forbidden.size(), ' ',
                             prompt.pattern.size(), ' ', prompt.json_schema.size(), ' ');
  for (const auto* texts : {&prompt.choices, &prompt.banned})
    for (const std::string& text : *texts) name += message(text.size(), ' ', text);
  for (const TokenId id : forbidden) name += message(id, ' ');
  name += prompt.pattern + prompt.json_schema + prompt.record_schema;
  const std::scoped_lock lock(mutex_);
  const auto found = forms_.find(name);
  if (found != forms_.end() && found->second.states() < kMostStates) return found->second;
  // Forms under way keep their own handle; what is used again is compiled again.
  if (forms_.size() >= kMostForms) {
    forms_.clear();
    tries_.clear();
  }
  FormVocabulary vocabulary = vocabulary_;
  if (!forbidden.empty()) {
    std::shared_ptr<const VocabularyTrie>& trie = tries_[forbidden];
    if (!trie) trie = vocabulary.trie->without(forbidden);
    vocabulary.trie = trie;
  }
  vocabulary.forbidden = std::move(forbidden);
  return forms_.insert_or_assign(std::move(name), AnswerForm::of(prompt, std::move(vocabulary)))
      .first->second;
}

AnswerLimit AnswerForms::limit(const Prompt& prompt, std::size_t max_tokens, std::size_t room,
                               std::vector<TokenId> forbidden) {
  if (!prompt.constraint.prototype || prompt.has_written_form()) {
    const AnswerForm form = of(prompt, std::move(forbidden));
    return {{FormConstraint(form, max_tokens, room), vocabulary_.trie->vocabulary_size()},
            form.longest(max_tokens),
            false,
            form.made_of()};
  }
  AnswerLimit limit{*prompt.constraint.prototype, max_tokens, true};
  if (const std::size_t size = limit.constraint.vocabulary_size(); size > vocabulary_.trie->vocabulary_size())
    throw ConfigError(
        {.field = "constraint"},
        message("The constraint is made for a vocabulary of ", size, " tokens, but the model has ",
                vocabulary_.trie->vocabulary_size(), "; make it with this model's tokenizer."));
  limit.constraint.reset();
  return limit;
}

std::size_t AnswerForm::longest(std::size_t open_tokens) const {
  return impl_->remaining + (impl_->open ? open_tokens : 0);
}

const char* AnswerForm::made_of() const {
  return impl_->made_of;
}

std::size_t AnswerForm::states() const {
  const std::scoped_lock lock(impl_->mutex);
  return impl_->pool.size();
}

}  // namespace synthema
