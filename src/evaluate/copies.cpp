#include "synthema/evaluate/privacy/copies.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "src/evaluate/fresh_share.hpp"
#include "src/evaluate/library_distances.hpp"
#include "src/evaluate/marginal_floor.hpp"
#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/value_ids.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Names = std::vector<std::string>;
using Ids = std::vector<std::uint64_t>;

// Whole rows as keys, the same for equal rows of every table: the numbers of their values, side by side.
class RowKeys {
 public:
  RowKeys(const Names& names, std::size_t threads) : names_(names), threads_(threads), ids_(names.size()) {}

  std::vector<std::string> of(const Table& table) {
    std::vector<Ids> ids(names_.size());
    parallel_for(
        names_.size(), [&](std::size_t c) { ids[c] = ids_[c].of(table.column(names_[c])); }, threads_);
    std::vector<std::string> out(table.rows());
    parallel_for(
        table.rows(),
        [&](std::size_t row) {
          out[row].reserve(names_.size() * sizeof(Ids::value_type));
          for (const Ids& column : ids)
            out[row].append(reinterpret_cast<const char*>(&column[row]), sizeof column[row]);
        },
        threads_, kGrain);
    return out;
  }

 private:
  static constexpr std::size_t kGrain = 1024;
  const Names& names_;
  std::size_t threads_;
  std::vector<detail::ValueIds> ids_;
};

RatioRows copies(const std::vector<std::string>& rows, const std::unordered_set<std::string_view>& real,
                 std::size_t threads) {
  std::vector<std::uint8_t> copied(rows.size());
  parallel_for(rows.size(), [&](std::size_t row) { copied[row] = real.contains(rows[row]); }, threads, 1024);
  RatioRows out{.numerator = {}, .denominator = {}, .share = true};
  for (const std::uint8_t one : copied) out.add(one != 0);
  return out;
}

// Whether there are rows of others that may repeat all that is compared.
bool tells(const Table* holdout, const Table& real, const Names& names) {
  return holdout && holdout->rows() > 0 && std::ranges::all_of(names, [&](const std::string& name) {
           return holdout->has(name) && detail::may_be_equal(real.column(name), holdout->column(name));
         });
}

// Share of the real rows that equal a row of somebody else.
double copies_among(const std::vector<std::string>& rows, const Units& units) {
  constexpr std::size_t kSeveral = static_cast<std::size_t>(-1);
  std::unordered_map<std::string_view, std::size_t> owner;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const auto [entry, fresh] = owner.try_emplace(rows[row], units.of_row[row]);
    if (!fresh && entry->second != units.of_row[row]) entry->second = kSeveral;
  }
  double count = 0;
  for (const std::string& row : rows) count += owner.find(row)->second == kSeveral;
  return count / static_cast<double>(rows.size());
}

Bound left_out_share(const Score& score, double share, const Table& real) {
  return detail::fresh_share(score, share, Units::of(real).count, "each real row against those of all others",
                             detail::kLeaveOneOutSpread);
}

// How many units have each value, counted up to three.
class Owners {
 public:
  Owners() = default;
  Owners(const Ids& ids, const Units& units) {
    for (std::size_t row = 0; row < ids.size(); ++row)
      if (ids[row] != detail::kMissingValue) add(owners_[ids[row]], units.of_row[row]);
  }
  std::size_t of(std::uint64_t id) const {
    const auto found = owners_.find(id);
    return found == owners_.end() ? 0 : found->second.count;
  }
  std::size_t values_of_one() const {
    return static_cast<std::size_t>(
        std::count_if(owners_.begin(), owners_.end(), [](const auto& one) { return one.second.count == 1; }));
  }

 private:
  struct Few {
    std::size_t first = 0, second = 0, count = 0;
  };
  static void add(Few& few, std::size_t unit) {
    if ((few.count > 0 && few.first == unit) || (few.count > 1 && few.second == unit) || few.count == 3)
      return;
    if (few.count == 0) few.first = unit;
    if (few.count == 1) few.second = unit;
    ++few.count;
  }
  std::unordered_map<std::uint64_t, Few> owners_;
};

// What the rows of one table reuse: of each column, and whether any column.
struct Reuse {
  std::vector<double> share;  // by column, of the rows that have a value
  std::vector<std::size_t> rows;
  std::vector<bool> any;  // by row

  double share_of_any() const {
    double count = 0;
    for (const bool one : any) count += one;
    return any.empty() ? 0 : count / static_cast<double>(any.size());
  }
};

struct OnceOnly {
  Names names;
  std::size_t threads;
  std::vector<detail::ValueIds> ids;
  std::vector<Owners> owners;  // by column

  OnceOnly(const Table& real, Names columns, std::size_t threads_used)
      : names(std::move(columns)), threads(threads_used), ids(names.size()), owners(names.size()) {
    const Units units = Units::of(real);
    parallel_for(
        names.size(), [&](std::size_t c) { owners[c] = Owners(ids[c].of(real.column(names[c])), units); },
        threads);
  }
  // Values that `owned_by` units of the real table have: 1, or 2 for its own rows, each of which is one.
  Reuse in(const Table& table, std::size_t owned_by = 1) {
    Reuse out{{}, {}, std::vector<bool>(table.rows(), false)};
    std::vector<std::size_t> of_column(names.size());
    std::vector<std::vector<std::size_t>> reusing(names.size());  // rows
    parallel_for(
        names.size(),
        [&](std::size_t c) {
          const Ids here = ids[c].of(table.column(names[c]));
          for (std::size_t row = 0; row < here.size(); ++row) {
            of_column[c] += here[row] != detail::kMissingValue;
            if (owners[c].of(here[row]) == owned_by) reusing[c].push_back(row);
          }
        },
        threads);
    for (std::size_t c = 0; c < names.size(); ++c) {
      const std::size_t present = of_column[c], reused = reusing[c].size();
      for (const std::size_t row : reusing[c]) out.any[row] = true;
      out.share.push_back(present > 0 ? static_cast<double>(reused) / static_cast<double>(present) : 0);
      out.rows.push_back(present);
    }
    return out;
  }
};

}  // namespace

namespace {

Score new_rows(Score score, const Table& real, const Table& synthetic, const EvaluationContext& context) {
  score.estimand = "Share of synthetic rows that equal no real row.";
  score.definition = "numbers within a hundredth of the synthetic one; missing equals missing";
  const Names columns = detail::shared_columns(real, synthetic);
  if (columns.empty())
    return undefined(std::move(score), "The tables share no column of numbers or categories.");
  if (std::max(real.rows(), synthetic.rows()) > detail::kMostLibraryRows)
    return undefined(std::move(score), message("The convention measures all pairs, for at most ",
                                               detail::kMostLibraryRows, " rows."));
  score.n = synthetic.rows();
  score.value = detail::sdmetrics_new_rows(real, synthetic, columns, context);
  score.no_interval = "The convention has none.";
  return score;
}

}  // namespace

Score ExactCopies::evaluate(const Table* real, const Table& synthetic,
                            const EvaluationContext& context) const {
  Score score = start_score(*this, "Share of synthetic rows that equal a real row in every shared column.",
                            "identifier and subject columns left out; missing equals missing");
  score.convention = name_of(convention_);
  if (!real) return undefined(std::move(score), "No real table was given.");
  const Names names = detail::compared_columns(*real, synthetic);
  if (names.empty()) return undefined(std::move(score), "The tables share no column to compare.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  if (convention_ == Convention::sdmetrics) return new_rows(std::move(score), *real, synthetic, context);
  RowKeys keys(names, context.threads);
  const std::vector<std::string> rows = keys.of(*real);
  const std::unordered_set<std::string_view> known(rows.begin(), rows.end());
  set_ratio(score, copies(keys.of(synthetic), known, context.threads), Units::of(synthetic), context);
  if (tells(context.holdout.get(), *real, names))
    score.ceiling =
        detail::fresh_share(score, *copies(keys.of(*context.holdout), known, context.threads).value(),
                            Units::of(*context.holdout).count,
                            message("holdout, ", counted(context.holdout->rows(), "real row")));
  else if (real->rows() > 1)
    score.ceiling = left_out_share(score, copies_among(rows, Units::of(*real)), *real);
  if (floor_) detail::set_marginal_floor(score, ExactCopies(false), *real, synthetic, context);
  return score;
}

Score RareValueReuse::evaluate(const Table* real, const Table& synthetic,
                               const EvaluationContext& context) const {
  Score score =
      start_score(*this,
                  "Share of synthetic rows with a value, in any column, that only one training row (or "
                  "subject) has.",
                  "exact values; identifier and subject columns left out; parts: by column");
  if (!real) return undefined(std::move(score), "No real table was given.");
  const Names names = detail::compared_columns(*real, synthetic);
  if (names.empty()) return undefined(std::move(score), "The tables share no column to compare.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  OnceOnly rare(*real, names, context.threads);
  const Reuse found = rare.in(synthetic);
  RatioRows ratio{.numerator = {}, .denominator = {}, .share = true};
  for (const bool one : found.any) ratio.add(one);
  set_ratio(score, ratio, Units::of(synthetic), context);
  const bool compared = tells(context.holdout.get(), *real, names);
  const Reuse of_holdout = compared ? rare.in(*context.holdout) : Reuse{};
  for (std::size_t c = 0; c < names.size(); ++c)
    score.parts.push_back({names[c], found.share[c], found.rows[c],
                           message(counted(rare.owners[c].values_of_one(), "such value"),
                                   compared ? message("; holdout rows reuse ", of_holdout.share[c]) : "")});
  if (compared)
    score.ceiling = detail::fresh_share(score, of_holdout.share_of_any(), Units::of(*context.holdout).count,
                                        message("holdout, ", counted(context.holdout->rows(), "real row")));
  else if (real->rows() > 1)
    score.ceiling = left_out_share(score, rare.in(*real, 2).share_of_any(), *real);
  if (floor_) detail::set_marginal_floor(score, RareValueReuse(false), *real, synthetic, context);
  return score;
}

}  // namespace synthema
