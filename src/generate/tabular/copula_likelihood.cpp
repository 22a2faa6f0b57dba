#include <Eigen/Dense>
#include <cmath>
#include <map>

#include "src/generate/tabular/normal_box.hpp"
#include "src/generate/tabular/normal_scores.hpp"
#include "src/generate/tabular/order_distance.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/gaussian_copula.hpp"

namespace synthema {

namespace {

using detail::kInfinity;

// Rules that leave everything say nothing.
void leave_out_whole(std::vector<detail::Piece>& allowed) {
  if (allowed.size() == 1 && allowed[0].low == -kInfinity && allowed[0].high == kInfinity) allowed.clear();
}

// Of a number that stands for its distance; `numbers` are drawn from where the rules refuse all distances.
detail::ScoreFunction distance_function(const detail::DistanceCounts& distance,
                                        std::span<const double> bounds, const CodeCounts& numbers,
                                        const detail::RuledCell& ruled, double cell) {
  const ColumnCoding& own = ruled.columns[ruled.column];
  if (ruled.determined()) return {{{-kInfinity, kInfinity, 1 / measure_width(own)}}};
  const double base = ruled.row.cells[distance.from];
  const CodeCounts counts = distance.counts.view();
  detail::ScoreFunction out;
  double refused = 0;
  for (std::size_t entry = 0; entry < counts.codes.size(); ++entry) {
    const auto there = detail::cell_of_entry(distance, ruled, counts.codes[entry]);
    if (!there || !ruled.admits(*there)) {
      refused += static_cast<double>(counts.rows_of(entry)) / counts.total();
      continue;
    }
    if (!out.allowed.empty() && out.allowed.back().high == bounds[entry]) {
      out.allowed.back().high = bounds[entry + 1];
    } else {
      out.allowed.push_back({bounds[entry], bounds[entry + 1], 1});
    }
  }
  const auto end = detail::end_at_distance(distance, ruled);
  const double at_end = end && cell == *end ? 1 / measure_width(own) : 0;
  if (out.allowed.empty()) {
    const double density = end ? at_end : ruled.density_redrawn(std::span(&numbers, 1), cell);
    if (density > 0) out.pieces = {{-kInfinity, kInfinity, density}};
    return out;
  }
  leave_out_whole(out.allowed);
  for (const EntryDensity& one :
       detail::densities_at_distance(ruled.columns, ruled.column, distance, base, counts, cell))
    out.pieces.push_back({bounds[one.entry], bounds[one.entry + 1], one.density});
  // The farthest distances of few people are admitted, but seldom come: then it is the end.
  if (out.pieces.empty() && at_end > 0)
    return {{{-kInfinity, kInfinity, at_end * std::pow(refused, detail::kDistanceDraws + 1)}}};
  return out;
}

}  // namespace

// The variable that tells where a number lies: its own; where it is missing and another one is measured from
// it, that one's, which lies about there.
std::size_t GaussianCopula::told_by(std::size_t i, const auto& is_missing) const {
  if (variables_[i].missing || !is_missing(variables_[i].column)) return i;
  const auto stands_in = std::ranges::find_if(variables_, [&](const Variable& v) {
    return v.distance && v.distance->from == variables_[i].column && !is_missing(v.column);
  });
  return stands_in == variables_.end() ? i : static_cast<std::size_t>(stands_in - variables_.begin());
}

// What a row's cells say about the normal scores: for each variable where its score may lie and how likely
// the cell is from there.
std::optional<std::vector<detail::ScoreFunction>> GaussianCopula::score_functions(
    std::span<const std::size_t> active, std::span<const std::vector<double>> bounds,
    std::span<const std::vector<double>> bounds_of_distances, const std::vector<std::vector<double>>& cells,
    std::size_t row) const {
  std::vector<detail::ScoreFunction> out;
  std::vector<EntryDensity> entries;
  detail::RowCells state(coded_.columns.size());
  const auto is_missing = [&](std::size_t column) { return std::isnan(cells[column][row]); };
  for (const std::size_t of : active) {
    const std::size_t i = told_by(of, is_missing);
    const Variable& variable = variables_[i];
    const ColumnCoding& coding = coded_.columns[variable.column];
    const double cell = cells[variable.column][row];
    detail::ScoreFunction& function = out.emplace_back();
    const auto room = !limited_.empty() && !variable.places.empty() ? room_of(variable, state.view())
                                                                    : std::optional<detail::Room>();
    const auto bound = [&](std::size_t entry) {
      const double plain = bounds[i][entry];
      return room ? room->score_of(normal_share(plain)) : plain;
    };
    const auto add = [&](std::size_t entry, double density, std::vector<detail::Piece>& to) {
      if (const detail::Piece piece{bound(entry), bound(entry + 1), density}; piece.low < piece.high)
        to.push_back(piece);
    };
    if (variable.missing) {
      add(std::isnan(cell) ? 1 : 0, 1, function.pieces);
      continue;
    }
    const detail::RuledCell ruled{rules_, coded_.columns, variable.column, state.view()};
    if (!ruled.admits(cell)) return std::nullopt;
    if (const detail::DistanceCounts* const distance = distance_of(variable, state.view())) {
      function = distance_function(*distance, bounds_of_distances[i], variable.counts.view(), ruled, cell);
      if (function.pieces.empty()) return std::nullopt;
      state.set(variable.column, cell);
      continue;
    }
    if (variable.distance && i == of) {  // measured from one that is missing, which another tells of
      const CodeCounts all = variable.counts.view();
      double density = std::exp(log_density(coding, all, cell));
      if (density == 0) density = ruled.density_redrawn(std::span(&all, 1), cell);
      if (density == 0) return std::nullopt;
      function.pieces = {{-kInfinity, kInfinity, density}};
      state.set(variable.column, cell);
      continue;
    }
    entries.clear();
    if (!ruled.is_listed())
      entry_densities(coding, variable.counts.view(), cell, entries);
    else if (const auto entry = detail::listed_entry(coding, variable.counts.view(), cell))
      entries.push_back({*entry, 1 / measure_width(coding)});
    for (const EntryDensity& one : entries) add(one.entry, one.density, function.pieces);
    if (rules_.touches(variable.column)) {
      const auto range = rules_.range(variable.column, state.view(), coded_.columns);
      if (range && range->first == range->second) {  // determined by the others
        function.pieces = {{-kInfinity, kInfinity, 1 / measure_width(coding)}};
        state.set(variable.column, cell);
        continue;
      }
      const OwnedCounts left = ruled.left_of(variable.counts.view());
      if (coding.is_category() && left.codes.size() == 1) {
        const auto only = std::isnan(cell) ? coding.missing_code() : static_cast<std::uint32_t>(cell);
        if (left.codes.front() != only) return std::nullopt;
        function.pieces = {{-kInfinity, kInfinity, 1}};
        state.set(variable.column, cell);
        continue;
      }
      std::size_t entry = 0;
      for (const std::uint32_t code : left.codes) {
        if (room) break;  // it has no other places
        while (variable.counts.codes[entry] != code) ++entry;
        if (!function.allowed.empty() && function.allowed.back().high == bounds[i][entry])
          function.allowed.back().high = bounds[i][entry + 1];
        else
          add(entry, 1, function.allowed);
      }
      leave_out_whole(function.allowed);
      // Not from its own score: drawn again, or an end of the range, where the rules leave nothing else.
      if (function.pieces.empty()) {
        const CodeCounts all = variable.counts.view();
        if (const double density = ruled.density_redrawn(std::span(&all, 1), cell); density > 0)
          function = {{{-kInfinity, kInfinity, density}}};
      }
    }
    if (function.pieces.empty()) return std::nullopt;
    state.set(variable.column, cell);
  }
  return out;
}

std::vector<double> GaussianCopula::log_prob(const Table& table, const ProgressSink& progress,
                                             const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const std::size_t p = variables_.size(), rows = table.rows();
  const std::vector<std::vector<double>> cells = cells_of(coded_.columns, table);
  std::vector<double> out = detail::log_share_of_absent(coded_.columns, cells, rows);
  std::vector<std::vector<double>> bounds, bounds_of_distances;
  std::vector<bool> may_miss(coded_.columns.size());
  for (const Variable& variable : variables_) {
    bounds.push_back(detail::bounds_of(variable.counts));
    bounds_of_distances.push_back(variable.distance ? detail::bounds_of(variable.distance->counts)
                                                    : std::vector<double>());
    if (variable.missing) may_miss[variable.column] = true;
  }
  // One factor for each set of variables that a row says something about: not the number where it is missing.
  struct Active {
    std::vector<std::size_t> variables;
    detail::RowMatrix factor;
  };
  std::map<std::vector<bool>, Active> known;
  std::vector<const Active*> by_row(rows);
  const Eigen::Map<const detail::Matrix> correlations((limited_.empty() ? correlations_ : limited_).data(),
                                                      static_cast<Eigen::Index>(p),
                                                      static_cast<Eigen::Index>(p));
  const double least = detail::least_told(p, rows_behind());
  const bool ruled =
      std::ranges::any_of(variables_, [&](const Variable& v) { return rules_.touches(v.column); });
  std::vector<bool> says(p);
  for (std::size_t row = 0; row < rows; ++row) {
    const auto is_missing = [&](std::size_t column) { return std::isnan(cells[column][row]); };
    for (std::size_t i = 0; i < p; ++i) {
      const Variable& variable = variables_[i];
      const bool missing = is_missing(variable.column);
      const bool category = coded_.columns[variable.column].is_category();
      says[i] = variable.missing ? rules_.may_miss(variable.column) : category || !missing;
      if (missing && !category && (!may_miss[variable.column] || !rules_.may_miss(variable.column)))
        out[row] = -kInfinity;
    }
    for (std::size_t i = 0; i < p; ++i)
      if (const std::size_t by = told_by(i, is_missing); by != i) says[i] = true, says[by] = false;
    auto at = known.find(says);
    if (at == known.end()) {
      Active active;
      for (std::size_t i = 0; i < p; ++i)
        if (says[i]) active.variables.push_back(i);
      // Whether numbers are missing comes first, so that shares sum to one over rows of any set; numbers of
      // many values, which say nearly what their score is, next, so that less is left to the points. Rules
      // are asked in the order of drawing.
      if (!ruled)
        std::ranges::stable_sort(active.variables, std::greater(), [&](std::size_t i) {
          return std::pair(variables_[i].missing, variables_[i].counts.codes.size());
        });
      const std::vector<Eigen::Index> chosen(active.variables.begin(), active.variables.end());
      if (!chosen.empty()) active.factor = detail::lower_factor(correlations(chosen, chosen));
      at = known.emplace(says, std::move(active)).first;
    }
    by_row[row] = &at->second;
  }
  detail::over_rows(
      {.rows = rows, .progress = progress, .cancel = cancel}, options_.threads,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t row = first; row < last; ++row) {
          if (std::isinf(out[row])) continue;
          const Active& active = *by_row[row];
          const auto functions = score_functions(active.variables, bounds, bounds_of_distances, cells, row);
          out[row] = functions ? detail::log_mean_product(
                                     {active.factor.data(), static_cast<std::size_t>(active.factor.size())},
                                     *functions, least)
                               : -kInfinity;
        }
      },
      "log_prob");
  return out;
}

}  // namespace synthema
