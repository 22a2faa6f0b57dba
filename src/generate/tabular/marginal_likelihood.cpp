#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "src/generate/tabular/marginal_rows.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"

namespace synthema::detail {

namespace {}  // namespace

struct MarginalRows::Scoring {
  std::vector<double> cells;             // of the row, by column
  std::vector<std::uint8_t> determined;  // by column: whatever its own state was
  std::vector<double> listed_share;      // by column: of a listed number in its state; 0: not listed
  RowCells before, others;
  std::vector<std::vector<std::pair<std::uint32_t, double>>> states;  // by variable: which, and weights

  Scoring(std::size_t columns, std::size_t variables)
      : cells(columns),
        determined(columns),
        listed_share(columns),
        before(columns),
        others(columns),
        states(variables) {}
};

// How many of the model's rows keep the rules: of kDraws that are drawn with a seed of their own.
double MarginalRows::share_kept() const {
  constexpr std::size_t kDraws = 1U << 16;
  if (std::ranges::none_of(modelled_, [&](std::size_t c) { return rules_.touches(c); })) return 1;
  const TreeSampler any = sampler_of(model_);
  const Random random(0);
  std::atomic<std::size_t> kept = 0;
  over_rows({.rows = kDraws}, threads_, [&](std::size_t first, std::size_t last) {
    Row row = new_row();
    std::size_t own = 0;
    for (std::size_t number = first; number < last; ++number)
      own += try_row(any, random, number, row) == columns_.size();
    kept += own;
  });
  return std::max<double>(static_cast<double>(kept), 1) / kDraws;
}

std::vector<double> MarginalRows::log_prob(const std::vector<std::vector<double>>& cells, std::size_t rows,
                                           const ProgressSink& progress, const CancelToken& cancel) const {
  std::vector<double> out = log_share_of_absent(codings_, cells, rows);
  const double log_kept = std::log(share_kept());
  over_rows(
      {.rows = rows, .progress = progress, .cancel = cancel}, threads_,
      [&](std::size_t first, std::size_t last) {
        Scoring row(columns_.size(), modelled_.size());
        for (std::size_t i = first; i < last; ++i) {
          for (const std::size_t c : modelled_) row.cells[c] = cells[c][i];
          out[i] += log_prob_of(row) - log_kept;
        }
      },
      "log_prob");
  return out;
}

// As if no rules were; -inf where the row breaks one.
double MarginalRows::log_prob_of(Scoring& row) const {
  note_determined(row);
  note_listed(row);
  row.before.forget();
  double width = 0;  // logarithm
  for (std::size_t v = 0; v < modelled_.size(); ++v) {
    const std::size_t c = modelled_[v];
    const double cell = row.cells[c];
    if (std::isinf(cell) || !rules_.admits(c, cell, row.before.view(), codings_)) return kNever;
    if (std::isnan(cell) && !columns_[c].missing) return kNever;
    row.before.set(c, cell);
    if (!codings_[c].is_category() && !std::isnan(cell)) width += std::log(measure_width(codings_[c]));
    if (!weigh_states(v, row)) return kNever;
  }
  return model_.log_likelihood(row.states) - width;
}

// What follows from the other cells.
void MarginalRows::note_determined(Scoring& row) const {
  for (const std::size_t c : modelled_) row.others.set(c, row.cells[c]);
  for (const std::size_t c : following_) row.others.known[c] = 0;
  for (const std::size_t c : following_) {
    const auto range = rules_.range(c, row.others.view(), codings_);
    row.determined[c] = range && range->first == range->second;
    row.others.known[c] = 1;
  }
}

void MarginalRows::note_listed(Scoring& row) const {
  std::ranges::fill(row.listed_share, 0.0);
  listed_.each(
      row.cells, [](std::size_t) { return true; },
      [&](std::size_t c) {
        return std::isinf(row.cells[c]) ? columns_[c].states : columns_[c].state_of(row.cells[c]);
      },
      [&](std::size_t c, const std::vector<double>& those) {
        if (!those.empty()) row.listed_share[c] = 1 / static_cast<double>(those.size());
        return row.cells[c];
      });
}

// The states that the cell may come from, by how likely each gives it; false where none does.
bool MarginalRows::weigh_states(std::size_t variable, Scoring& row) const {
  const std::size_t c = modelled_[variable];
  const PrivateColumn& column = columns_[c];
  const double cell = row.cells[c];
  auto& out = row.states[variable];
  out.clear();
  if (row.determined[c]) {
    for (std::uint32_t state = 0; state < column.states; ++state) out.emplace_back(state, 1.0);
    return !std::isnan(cell);
  }
  if (row.listed_share[c] > 0) {
    out.emplace_back(column.state_of(cell), row.listed_share[c]);
    return true;
  }
  const auto add = [&](std::uint32_t state) {
    const double share = column.log_share(state, cell);
    if (!std::isinf(share)) out.emplace_back(state, std::exp(share));
  };
  add(column.state_of(cell));
  if (column.rest && !std::isnan(cell)) add(column.rest_state());
  return !out.empty();
}

}  // namespace synthema::detail
