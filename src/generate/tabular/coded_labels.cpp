#include "src/generate/tabular/coded_labels.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>

#include "src/generate/tabular/coded_numbers.hpp"
#include "src/generate/tabular/fresh_identifiers.hpp"
#include "synthema/core/error.hpp"

namespace synthema::detail {

namespace {

constexpr std::size_t kRowsThatCount = 10;
constexpr std::size_t kLongestIdentifier = 64;

constexpr std::size_t kLabelBins = 253, kLabelClasses = 62;

struct Labels {
  std::vector<std::string> all;      // in order
  std::vector<std::uint32_t> codes;  // by row; all.size() is missing
};

Labels labels_of(const Column& column) {
  Labels out;
  out.codes.resize(column.size());
  if (column.kind() == Kind::category) {
    // Different codes may have the same label in a foreign dictionary.
    std::unordered_map<std::string, std::uint32_t> known;
    std::vector<std::uint32_t> of_code(column.labels().size());
    for (std::size_t code = 0; code < of_code.size(); ++code) {
      std::string label(column.labels().text_at(code));
      const auto [at, fresh] = known.try_emplace(label, static_cast<std::uint32_t>(out.all.size()));
      if (fresh) out.all.push_back(std::move(label));
      of_code[code] = at->second;
    }
    const auto codes = column.codes();
    for (std::size_t row = 0; row < out.codes.size(); ++row)
      out.codes[row] = column.is_null(row) ? static_cast<std::uint32_t>(out.all.size())
                                           : of_code[static_cast<std::size_t>(codes[row])];
    return out;
  }
  std::unordered_map<std::string_view, std::uint32_t> known;
  std::vector<std::string_view> different;
  for (std::size_t row = 0; row < out.codes.size(); ++row) {
    if (column.is_null(row)) continue;
    const std::string_view text = column.text_at(row);
    const auto [at, fresh] = known.try_emplace(text, static_cast<std::uint32_t>(different.size()));
    if (fresh) different.push_back(text);
    out.codes[row] = at->second;
  }
  std::vector<std::uint32_t> order(different.size()), place(different.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return different[a] < different[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = static_cast<std::uint32_t>(i);
    out.all.emplace_back(different[order[i]]);
  }
  for (std::size_t row = 0; row < out.codes.size(); ++row)
    out.codes[row] = column.is_null(row) ? static_cast<std::uint32_t>(place.size()) : place[out.codes[row]];
  return out;
}

// The most frequent ones each have a number of their own below `own`; the others share number `own`, or
// the last one where none is left over.
std::vector<std::uint8_t> ranked(std::span<const std::size_t> counts, std::size_t own) {
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  std::vector<std::uint8_t> out(counts.size());
  for (std::size_t i = 0; i < order.size(); ++i) out[order[i]] = static_cast<std::uint8_t>(std::min(i, own));
  return out;
}

void finish_labels(ColumnCoding& out, std::span<const std::uint32_t> codes) {
  std::vector<std::size_t> rows(out.labels.size());
  for (const std::uint32_t code : codes)
    if (code < rows.size()) ++rows[code];
  out.label_bins = ranked(rows, kLabelBins);
  out.label_classes = ranked(rows, kLabelClasses);
  const auto numbers = [](const std::vector<std::uint8_t>& of) {
    return of.empty() ? 0 : *std::ranges::max_element(of) + std::size_t{1};
  };
  out.bins = numbers(out.label_bins) + 2;  // pooled, missing
  out.classes = numbers(out.label_classes) + 2;
}

void learn_fresh(const std::vector<std::string>& texts, std::size_t least, ColumnCoding& out) {
  out.form = CodingForm::fresh;
  std::vector<std::string_view> views(texts.begin(), texts.end());
  out.pattern = identifier_pattern(views, least);
  for (const std::string& text : texts) out.taken.push_back(identifier_hash(text));
  std::sort(out.taken.begin(), out.taken.end());
  out.taken.erase(std::unique(out.taken.begin(), out.taken.end()), out.taken.end());
}

// A text that no two rows share and that has no blank is an identifier, whether the schema says so or not.
bool looks_like_identifiers(const Column& column, const Labels& labels) {
  const std::size_t present = column.size() - column.null_count();
  if (column.kind() != Kind::text || present < kRowsThatCount || labels.all.size() < present) return false;
  return std::ranges::none_of(labels.all, [](const std::string& text) {
    return text.size() > kLongestIdentifier || text.find(' ') != std::string::npos;
  });
}

// Whether too few people have any of them to hand one on. Then none is in the list of categories, declared or
// not: one that only few have would show by its absence.
bool holds_back(const CodingLearner& learner, const Column& column, ColumnCoding& out) {
  const auto has = [&](std::size_t row) { return !column.is_null(row); };
  if (people_with(learner.who, learner.options.rare_below, has) >= learner.options.rare_below) return false;
  out.field.categories.clear();
  out.missing = column.null_count() > 0;
  return true;
}

std::string_view role_drawn_afresh(const Field& field) {
  return name_of(field.has(Role::identifier) ? Role::identifier : Role::subject);
}

// Of whole numbers, which a frame keeps as reals where one is missing.
std::vector<std::string> digits_of(const Column& column, const Field& field) {
  std::vector<std::string> out;
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    if (column.kind() == Kind::integer) {
      out.push_back(std::to_string(column.integers()[row]));
    } else if (const auto whole = whole_of(column.reals()[row], 1, 0)) {
      out.push_back(std::to_string(static_cast<std::int64_t>(*whole)));
    } else {
      throw SchemaError({.field = field.name},
                        message("New values are drawn for a column with the role '", role_drawn_afresh(field),
                                "', which needs texts or whole numbers, but some values are no whole numbers "
                                "below 2^53; make the column text or integer."));
    }
  }
  return out;
}

}  // namespace

bool drawn_afresh(const Field& field) {
  if (!field.has(Role::identifier) && !field.has(Role::subject)) return false;
  if (field.kind == Kind::boolean || field.kind == Kind::time)
    throw SchemaError({.field = field.name},
                      message("New values are drawn for a column with the role '", role_drawn_afresh(field),
                              "', which needs texts or whole numbers, but the column is of kind ",
                              name_of(field.kind), "; make it text, or leave out the role or the column."));
  return true;
}

void learn_boolean(const CodingLearner& learner, const Column& column, ColumnCoding& out,
                   std::vector<std::uint32_t>& codes) {
  std::vector<std::uint32_t> found(column.size());
  for (std::size_t row = 0; row < found.size(); ++row)
    found[row] = column.is_null(row) ? 2U : static_cast<std::uint32_t>(column.boolean_at(row));
  const CodePeople people(learner, found, 2);
  const auto is_rare = [&](std::uint32_t code) {
    return code < 2 && people.count(code) > 0 && people.count(code) < learner.options.rare_below;
  };
  if (std::ranges::none_of(found, [&](std::uint32_t code) { return code < 2 && !is_rare(code); })) return;
  out.form = CodingForm::category;
  out.labels = {"false", "true"};
  codes = std::move(found);
  for (std::uint32_t& code : codes) {
    if (!is_rare(code)) continue;
    out.pooled = true;
    code = out.pooled_code();
  }
  finish_labels(out, codes);
}

void learn_labels(const CodingLearner& learner, const Column& column, ColumnCoding& out,
                  std::vector<std::uint32_t>& codes) {
  Labels labels = labels_of(column);
  if (looks_like_identifiers(column, labels)) return learn_fresh(labels.all, learner.options.rare_below, out);
  if (holds_back(learner, column, out)) return;
  const CodePeople people(learner, labels.codes, labels.all.size());
  std::vector<std::uint32_t> kept(labels.all.size() + 1);
  std::vector<bool> is_kept(labels.all.size());
  for (std::size_t i = 0; i < labels.all.size(); ++i) {
    const std::uint32_t count = people.count(i);
    // A declared one that nobody has goes the way of rare ones: else it would tell which are merely rare.
    is_kept[i] = count > 0 && count >= learner.options.rare_below;
    if (is_kept[i]) {
      kept[i] = static_cast<std::uint32_t>(out.labels.size());
      out.labels.push_back(std::move(labels.all[i]));
    } else if (count > 0) {
      out.pooled = true;
    }
  }
  out.form = CodingForm::category;
  out.ordered = column.ordered();
  std::size_t rows_kept = 0, present = 0;
  codes = std::move(labels.codes);
  for (std::uint32_t& code : codes) {
    const bool there = code < is_kept.size();
    present += there;
    rows_kept += there && is_kept[code];
    code = !there ? out.missing_code() : is_kept[code] ? kept[code] : out.pooled_code();
  }
  if (rows_kept == 0 || (column.kind() == Kind::text && 2 * rows_kept < present))
    throw SchemaError(
        {.field = out.field.name},
        message("Most texts of the column belong to fewer than ", learner.options.rare_below,
                " people, so they cannot be handed on. Dates have to be times, not texts. Else give the "
                "column the role 'identifier' to have new ones drawn, leave it out, or group its values; a "
                "free text needs a text generator."));
  if (!out.field.categories.empty()) out.field.categories = out.labels;
  finish_labels(out, codes);
}

void learn_identifiers(const CodingLearner& learner, const Column& column, ColumnCoding& out) {
  if (column.kind() != Kind::integer && column.kind() != Kind::real)
    return learn_fresh(labels_of(column).all, learner.options.rare_below, out);
  const std::vector<std::string> texts = digits_of(column, out.field);
  learn_fresh(texts, learner.options.rare_below, out);
  std::size_t longest = 1;
  for (const std::string& text : texts) longest = std::max(longest, text.size() - (text[0] == '-' ? 1 : 0));
  out.pattern = "9" + std::string(std::min<std::size_t>(longest, 16) - 1, '9');
}

}  // namespace synthema::detail
