#include "src/generate/tabular/marginal_rows.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "src/generate/tabular/row_blocks.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema::detail {

MarginalRows::MarginalRows(const Schema& schema, std::span<const PrivateColumn> columns,
                           std::span<const std::size_t> modelled, const GraphicalModel& model,
                           std::size_t threads)
    : columns_(columns),
      modelled_(modelled),
      model_(model),
      threads_(threads),
      codings_(codings_of(columns)),
      rules_(schema, codings_),
      listed_(rules_, columns_, codings_, modelled_),
      variable_of_(columns.size()),
      order_(rules_.ordered(modelled_)),
      following_(rules_.following(order_, std::vector<std::uint8_t>(columns.size()))) {
  for (std::size_t v = 0; v < modelled_.size(); ++v) variable_of_[modelled_[v]] = v;
}

MarginalRows::Row MarginalRows::new_row() const {
  return {{},
          std::vector<double>(columns_.size()),
          std::vector<std::uint8_t>(columns_.size()),
          following_,
          std::vector<std::uint32_t>(modelled_.size())};
}

// Sets what follows from the other cells of the row: totals of sums. Drawing again until a total fits its
// parts would keep the rows with few and small parts alone. A number beyond what the column may be stays as
// drawn; so the rules refuse the row.
void MarginalRows::set_following(Row& row) const {
  if (row.following.empty()) return;
  std::ranges::fill(row.known, std::uint8_t{0});
  for (const std::size_t c : modelled_) row.known[c] = 1;
  for (const std::size_t c : row.following) row.known[c] = 0;
  for (const std::size_t c : row.following) {
    const auto range = rules_.range(c, {row.cells, row.known}, codings_);
    const auto& ends = codings_[c].values;
    if (range && range->first == range->second &&
        (rules_.is_total(c) || (range->first >= ends.front() && range->first <= ends.back())))
      row.cells[c] = range->first;
    row.known[c] = 1;
  }
}

std::size_t MarginalRows::broken_at(Row& row) const {
  std::ranges::fill(row.known, std::uint8_t{0});
  for (const std::size_t c : modelled_) {
    if (!rules_.touches(c)) continue;
    if (!rules_.admits(c, row.cells[c], {row.cells, row.known}, codings_)) return c;
    row.known[c] = 1;
  }
  return columns_.size();
}

std::size_t MarginalRows::try_row(const TreeSampler& sampler, const Random& random, std::uint64_t number,
                                  Row& row) const {
  sampler.draw(random, number, row.states);
  const Random within = random.stream(2);
  const auto is_free = [&](std::size_t c) { return row.fixed.empty() || std::isnan(row.fixed[c]); };
  for (std::size_t v = 0; v < modelled_.size(); ++v) {
    const std::size_t c = modelled_[v];
    row.cells[c] = is_free(c) ? columns_[c].draw(row.states[v], within.block(number, v)) : row.fixed[c];
  }
  listed_.each(
      row.cells, is_free, [&](std::size_t c) { return row.states[variable_of_[c]]; },
      [&](std::size_t c, const std::vector<double>& left) {
        const std::uint64_t bits = within.block(number, variable_of_[c])[3];
        return left.empty() ? row.cells[c] : row.cells[c] = left[bits * left.size() >> 32];
      });
  set_following(row);
  return broken_at(row);
}

void MarginalRows::draw_row(const TreeSampler& sampler, const CellConditions& conditions,
                            const Random& random, std::uint64_t number, Row& row,
                            std::vector<std::vector<double>>& out) const {
  if (!conditions.empty()) {
    row.fixed.resize(columns_.size());
    conditions.row(number, row.fixed);
    for (std::size_t c = 0; c < row.fixed.size(); ++c) row.known[c] = std::isnan(row.fixed[c]) ? 0 : 1;
    row.following = rules_.following(order_, row.known);
  }
  std::size_t wrong = columns_.size();
  for (std::uint64_t attempt = 0; attempt < kMostAttempts; ++attempt) {
    wrong = try_row(sampler, random.stream(1).stream(attempt), number, row);
    if (wrong == columns_.size()) break;
  }
  if (wrong < columns_.size())
    throw GenerationError({.field = codings_[wrong].field.name},
                          message("In row ", number, ", ", kMostAttempts,
                                  " draws in a row broke the rules of the schema for this column; the rules, "
                                  "the conditions and what was learnt do not go together."));
  for (const std::size_t c : modelled_) out[c][number] = row.cells[c];
}

std::vector<std::vector<double>> MarginalRows::draw(const SampleRequest& request,
                                                    const CellConditions& conditions) const {
  std::vector<std::vector<double>> out(columns_.size());
  for (const std::size_t c : modelled_) out[c].resize(request.rows);
  if (!conditions.empty()) {
    draw_conditioned(request, conditions, out);
    return out;
  }
  const TreeSampler any = sampler_of(model_);
  const Random random(request.seed);
  over_rows(request, threads_, [&](std::size_t first, std::size_t last) {
    Row row = new_row();
    for (std::size_t number = first; number < last; ++number)
      draw_row(any, conditions, random, number, row, out);
  });
  return out;
}

// Rows of the same evidence share the inference.
void MarginalRows::draw_conditioned(const SampleRequest& request, const CellConditions& conditions,
                                    std::vector<std::vector<double>>& out) const {
  using Evidence = std::vector<std::int32_t>;  // by variable; -1: free
  std::map<Evidence, std::vector<std::size_t>> groups;
  std::vector<double> fixed(columns_.size());
  const std::size_t different = std::min<std::size_t>(conditions.rows(), request.rows);
  for (std::size_t i = 0; i < different; ++i) {
    conditions.row(i, fixed);
    Evidence evidence(modelled_.size(), -1);
    for (std::size_t v = 0; v < evidence.size(); ++v)
      if (const double cell = fixed[modelled_[v]]; !std::isnan(cell))
        evidence[v] = static_cast<std::int32_t>(columns_[modelled_[v]].state_of(cell));
    groups[std::move(evidence)].push_back(i);
  }
  const std::vector<std::pair<Evidence, std::vector<std::size_t>>> list(groups.begin(), groups.end());
  const Random random(request.seed);
  ProgressCounter progress(request.progress, "sample", request.rows);
  const auto draw_group = [&](std::size_t g, std::size_t threads) {
    request.cancel.check();
    const std::vector<std::size_t>& rows = list[g].second;
    const auto beliefs = model_.given(list[g].first);
    if (!(std::accumulate(beliefs[0].begin(), beliefs[0].end(), 0.0) > 0))
      throw GenerationError(message("Row ", rows.front(),
                                    " of the conditions asks for values that the model never has together."));
    const TreeSampler given(model_.tree(), model_.sizes(), beliefs);
    parallel_for(
        rows.size(),
        [&](std::size_t k) {
          Row row = new_row();
          std::uint64_t done = 0;
          for (std::size_t number = rows[k]; number < request.rows; number += conditions.rows(), ++done)
            draw_row(given, conditions, random, number, row, out);
          progress.add(done);
        },
        threads);
  };
  if (list.size() == 1)
    draw_group(0, threads_);
  else
    parallel_for(list.size(), [&](std::size_t g) { draw_group(g, 1); }, threads_);
  progress.finish();
}

}  // namespace synthema::detail
