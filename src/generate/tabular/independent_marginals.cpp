#include "synthema/generate/tabular/independent_marginals.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "src/generate/tabular/candidates.hpp"
#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/exclusive_groups.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "synthema/core/special_numbers.hpp"
#include "synthema/generate/tabular/cell_density.hpp"
#include "synthema/generate/tabular/conditions.hpp"

namespace synthema {

namespace {

using detail::is_set_code;

using detail::kMissing;

// The rows of a member in which none before it is set; of one that is always set there, as the last of a
// one-hot group is, with what the column has where it is not set, next to never drawn unless a rule asks.
OwnedCounts open_counts(const ColumnCoding& coding, const std::vector<std::uint32_t>& codes,
                        std::span<const std::uint8_t> open) {
  std::vector<std::uint32_t> own;
  bool may_be_unset = false;
  for (std::size_t row = 0; row < codes.size(); ++row) {
    if (open[row] == 0) continue;
    own.push_back(codes[row]);
    may_be_unset = may_be_unset || !is_set_code(coding, codes[row]);
  }
  OwnedCounts out = count_codes(coding, std::move(own));
  if (out.codes.empty()) return count_codes(coding, codes);  // never open
  if (may_be_unset) return out;
  const OwnedCounts all = count_codes(coding, codes);
  const std::uint32_t times = (std::uint32_t{1} << 31) / out.view().total();
  OwnedCounts both;
  std::uint32_t total = 0;
  for (std::size_t i = 0, k = 0; i < all.codes.size(); ++i) {
    if (k < out.codes.size() && out.codes[k] == all.codes[i]) {
      total += times * (out.cumulative[k] - (k > 0 ? out.cumulative[k - 1] : 0));
      ++k;
    } else if (!is_set_code(coding, all.codes[i])) {
      ++total;
    } else {
      continue;
    }
    both.codes.push_back(all.codes[i]);
    both.cumulative.push_back(total);
  }
  return both;
}

}  // namespace

void IndependentMarginals::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  cancel.check();
  IndependentMarginals fitted(options_);
  fitted.coded_ = code_table(real, {.rare_below = options_.rare_below, .threads = options_.threads});
  const std::size_t columns = fitted.coded_.columns.size();
  fitted.counts_.resize(columns);
  fitted.rules_ = RowRules(fitted.coded_.schema, fitted.coded_.columns);
  const std::vector<std::size_t> order = detail::modelled_order(fitted.rules_, fitted.coded_.columns);
  const std::vector<std::vector<std::uint8_t>> open =
      detail::open_rows(fitted.coded_, detail::drawn_groups(fitted.rules_, order));
  fitted.distances_ =
      detail::learn_distances(fitted.coded_, fitted.rules_, order, {.rare_below = options_.rare_below});
  for (std::size_t c = 0; c < columns; ++c) {
    const ColumnCoding& coding = fitted.coded_.columns[c];
    std::vector<std::uint32_t>& codes = fitted.coded_.codes[c];
    fitted.counts_[c] =
        open[c].empty() ? count_codes(coding, std::move(codes)) : open_counts(coding, codes, open[c]);
  }
  fitted.coded_.codes.clear();
  fitted.coded_.people.clear();
  if (progress) progress({.phase = "fit", .done = columns, .total = columns, .note = {}});
  *this = std::move(fitted);
}

Table IndependentMarginals::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  const std::size_t columns = coded_.columns.size();
  const CellConditions conditions(request.conditions.get(), coded_.columns, rules_, name());
  detail::refuse_contradictions(rules_, coded_.columns, conditions);
  rules_.refuse_too_many(request.rows, coded_.columns);
  const std::vector<std::size_t> order = detail::modelled_order(rules_, coded_.columns);
  const std::vector<std::vector<std::size_t>> groups = detail::drawn_groups(rules_, order);
  const Random random(request.seed);
  std::vector<std::vector<double>> bounds(conditions.empty() ? 0 : columns);  // of columns that rules touch
  std::vector<std::vector<double>> bounds_of_distances(bounds.size());
  for (std::size_t c = 0; c < bounds.size(); ++c) {
    if (rules_.touches(c)) bounds[c] = detail::bounds_of(counts_[c]);
    if (distances_[c]) bounds_of_distances[c] = detail::bounds_of(distances_[c]->counts);
  }
  const auto at_distance = [&](std::size_t c, const KnownCells& known) {
    return distances_[c] && distances_[c]->is_measured(known) ? distances_[c].get() : nullptr;
  };
  std::vector<std::vector<double>> cells(columns);
  for (std::size_t c = 0; c < columns; ++c)
    if (coded_.columns[c].modelled()) cells[c].resize(request.rows);
  // Nothing, or the column that is left no value.
  const auto try_row = [&](const Random& of_row, std::uint64_t row, std::span<const double> fixed,
                           std::span<const std::uint8_t> weighed,
                           detail::RowCells& state) -> std::optional<std::size_t> {
    const Random own = of_row.stream(1);
    state.forget();
    for (std::size_t c = 0; c < fixed.size(); ++c)
      if (!std::isnan(fixed[c])) state.set(c, fixed[c]);
    const auto turn = [&](std::size_t, std::size_t c, const KnownCells& past) {
      const detail::DistanceCounts* const distance = at_distance(c, past);
      return detail::WeighedCell{.past = {rules_, coded_.columns, c, past},
                                 .now = {rules_, coded_.columns, c, state.view()},
                                 .counts = (distance ? distance->counts : counts_[c]).view(),
                                 .bounds = distance ? bounds_of_distances[c] : bounds[c],
                                 .measured = distances_[c] != nullptr,
                                 .distance = distance,
                                 .numbers = counts_[c].view()};
    };
    std::vector<double> noises(static_cast<std::size_t>(std::ranges::count(weighed, 1)));
    if (!noises.empty())
      if (const auto stuck = detail::draw_weighed({order, weighed, fixed, turn, coded_.columns, distances_},
                                                  state, noises, of_row, row, request.cancel))
        return stuck;
    for (const std::size_t c : order) {
      if (state.known[c]) continue;
      const CodeCounts from[] = {counts_[c].view()};
      const detail::RuledCell ruled{rules_, coded_.columns, c, state.view()};
      const detail::DistanceCounts* const distance = at_distance(c, state.view());
      std::optional<double> cell =
          distance ? detail::draw_at_distance(*distance, std::array{distance->counts.view()}, ruled, own, row)
                   : ruled.draw_freely(from[0], own.block(row, c));
      if (!cell || !ruled.admits(*cell)) cell = ruled.draw(from, cell.value_or(kMissing), own, row);
      if (!cell) return c;
      state.set(c, *cell);
    }
    return std::nullopt;
  };
  const auto draw = [&](std::size_t row, const Random& from) {
    std::vector<double> fixed(conditions.empty() ? 0 : columns);
    std::vector<std::uint8_t> weighed;
    detail::RowCells state(columns);
    if (!conditions.empty()) {
      conditions.row(row, fixed);
      detail::imply_unset(groups, coded_.columns, fixed);
      weighed = detail::weighed_columns(rules_, order, fixed);
    }
    detail::draw_row(row, from, coded_.columns,
                     [&](const Random& of_row) { return try_row(of_row, row, fixed, weighed, state); });
    for (const std::size_t c : order) cells[c][row] = state.cells[c];
  };
  detail::over_rows(request, options_.threads, [&](std::size_t first, std::size_t last) {
    for (std::size_t row = first; row < last; ++row) draw(row, random);
  });
  detail::make_unique(rules_, coded_.columns, cells, request, random, draw);
  return detail::decoded(coded_, cells, request.rows, random, options_.threads);
}

std::vector<double> IndependentMarginals::log_prob(const Table& table, const ProgressSink& progress,
                                                   const CancelToken& cancel) const {
  detail::require_fitted(fitted());
  const std::vector<std::vector<double>> cells = cells_of(coded_.columns, table);
  const std::vector<std::size_t> order = detail::modelled_order(rules_, coded_.columns);
  std::vector<double> out = detail::log_share_of_absent(coded_.columns, cells, table.rows());
  detail::over_rows(
      {.rows = table.rows(), .progress = progress, .cancel = cancel}, options_.threads,
      [&](std::size_t first, std::size_t last) {
        detail::RowCells state(coded_.columns.size());
        for (std::size_t row = first; row < last; ++row) {
          state.forget();
          for (const std::size_t c : order) {
            if (std::isinf(out[row])) break;
            const CodeCounts from[] = {counts_[c].view()};
            const detail::RuledCell ruled{rules_, coded_.columns, c, state.view()};
            out[row] += distances_[c] && distances_[c]->is_measured(ruled.row)
                            ? detail::log_density_at_distance(*distances_[c],
                                                              std::array{distances_[c]->counts.view()}, from,
                                                              ruled, cells[c][row])
                            : ruled.log_density(from, cells[c][row]);
            state.set(c, cells[c][row]);
          }
        }
      },
      "log_prob");
  return out;
}

std::string IndependentMarginals::save() const {
  detail::require_fitted(fitted());
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"rare_below", options_.rare_below}};
  detail::put_codings(file, coded_);
  for (std::size_t c = 0; c < coded_.columns.size(); ++c)
    if (coded_.columns[c].modelled()) detail::put_counts(file, std::to_string(c), counts_[c]);
  detail::put_distances(file, distances_);
  return file.file();
}

IndependentMarginals IndependentMarginals::load(std::string_view bytes, const std::string& path) {
  const detail::ModelArrays file(bytes, path, "independent_marginals");
  IndependentMarginals out;
  out.options_.rare_below =
      file.value<std::size_t>(file.value<detail::ArrayJson>(file.about, "options"), "rare_below");
  out.coded_ = detail::get_codings(file);
  out.counts_.resize(out.coded_.columns.size());
  for (std::size_t c = 0; c < out.counts_.size(); ++c)
    if (out.coded_.columns[c].modelled())
      out.counts_[c] = detail::get_counts(file, std::to_string(c), out.coded_.columns[c]);
  out.rules_ = detail::loaded_rules(file, out.coded_);
  out.distances_ =
      detail::get_distances(file, out.coded_, detail::modelled_order(out.rules_, out.coded_.columns));
  return out;
}

}  // namespace synthema
