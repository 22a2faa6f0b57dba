// Some rows of AnyOrderNetwork on one thread: draws of their columns one after the other, and how dense cells
// are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "src/generate/tabular/candidates.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "src/torch/fitted_network.hpp"
#include "synthema/core/exponential.hpp"
#include "synthema/core/random.hpp"

namespace synthema {

namespace detail {

// Of a sample, beside kCellStream (candidates.hpp).
inline constexpr std::uint64_t kClassStream = 2, kAttemptStream = 4, kBaseStream = 5;
// Rows that are drawn together, always as many: see ColumnNetwork::scores.
inline constexpr std::size_t kTile = 256;

}  // namespace detail

// Some rows on one thread: what is known of each, and what its next column may be.
struct AnyOrderNetwork::Fitted::Block {
  const Fitted& model;
  std::vector<std::uint64_t> numbers;  // of rows, detail::kTile at most
  std::vector<double> cells;           // rows x columns
  std::vector<std::uint8_t> known;
  detail::Floats sums;  // detail::kTile x width
  detail::ColumnNetwork::Workspace space;
  std::vector<double> shares;  // of classes of one row

  explicit Block(const Fitted& of) : model(of) {}

  std::size_t columns() const { return model.coded.columns.size(); }
  std::size_t width() const { return model.network->shape().width; }
  bool is_known(std::size_t i, std::size_t column) const { return known[i * columns() + column] != 0; }
  KnownCells row(std::size_t i) const {
    return {std::span(cells).subspan(i * columns(), columns()),
            std::span(known).subspan(i * columns(), columns())};
  }
  float* sum(std::size_t i) { return sums.data() + i * width(); }

  void begin(std::vector<std::uint64_t> rows) {
    numbers = std::move(rows);
    cells.assign(numbers.size() * columns(), 0.0);
    known.assign(cells.size(), 0);
    sums.assign(detail::kTile * width(), 0.0F);
  }
  void set(std::size_t i, std::size_t column, double cell) {
    cells[i * columns() + column] = cell;
    known[i * columns() + column] = 1;
  }
  // A distance says something once what it is measured from is known.
  detail::ColumnClasses::Classes classes_in(std::size_t i, std::size_t column) const {
    if (!model.distances[column]) return model.classes_of_cell(column, cells[i * columns() + column]);
    return model.distances[column]->is_measured(row(i)) ? model.classes_of_distance(column, row(i))
                                                        : detail::kNothing;
  }
  void learn_of(std::size_t i, std::size_t column, double cell) {
    set(i, column, cell);
    model.add_known(column, classes_in(i, column), sum(i));
    for (const std::size_t later : model.measured[column])
      if (is_known(i, later)) model.add_known(later, classes_in(i, later), sum(i));
  }
  // Scores of all rows for a variable of a column.
  void ask(std::size_t column, std::size_t variable) {
    model.network->scores(model.parameters.data(), model.first[column] + variable, detail::kTile, sums.data(),
                          space);
  }
  // Of the classes of a row that pass, from what was asked; false where none does.
  template <class Passes>
  bool read_shares(std::size_t i, std::size_t column, std::size_t variable, const Passes& passes) {
    const std::size_t count = model.classes[column].classes(variable);
    const std::size_t padded = model.network->padded_classes(model.first[column] + variable);
    const float* const scores = space.scores.data() + i * padded;
    const auto heat = static_cast<float>(1 / model.temperature[column]);
    float highest = -std::numeric_limits<float>::infinity();
    for (std::size_t c = 0; c < count; ++c)
      if (passes(c)) highest = std::max(highest, scores[c]);
    shares.assign(count, 0.0);
    double total = 0;
    for (std::size_t c = 0; c < count; ++c)
      if (passes(c)) total += shares[c] = detail::exponential((scores[c] - highest) * heat);
    if (total > 0)
      for (double& share : shares) share /= total;
    return total > 0;
  }
  bool read_first(std::size_t i, std::size_t column, bool whole) {
    const std::vector<OwnedCounts>& counts = model.classes[column].counts();
    const std::uint32_t missing = model.missing_code(column);
    const auto passes = [&](std::size_t c) {
      return !counts[c].codes.empty() && !(whole && counts[c].codes.front() == missing);
    };
    return read_shares(i, column, 0, passes);
  }
  bool read_next(std::size_t i, std::size_t column, std::size_t variable,
                 const detail::ColumnClasses::Classes& begun) {
    return read_shares(i, column, variable, [&](std::size_t c) {
      return model.classes[column].exists(begun, variable, static_cast<std::uint8_t>(c));
    });
  }
  std::uint8_t choose(std::uint32_t bits) const {
    double left = (bits + 0.5) / 4294967296.0;
    std::size_t last = 0;
    for (std::size_t c = 0; c < shares.size(); ++c) {
      if (shares[c] <= 0) continue;
      last = c;
      if ((left -= shares[c]) < 0) break;
    }
    return static_cast<std::uint8_t>(last);
  }

  std::vector<std::uint32_t> draw(const CellConditions& conditions, const Random& random, bool whole,
                                  bool forced);
  // `forced`: see RuledCell.
  void draw_column(std::size_t column, const Random& random, bool whole, bool forced,
                   const std::vector<std::size_t>& rows, std::vector<std::size_t>& stuck);
  double drawn_cell(std::size_t column, const detail::ColumnClasses::Classes& drawn,
                    const PhiloxBlock& random) const;
  std::optional<double> cell_at_distance(std::size_t i, std::size_t column, double drawn,
                                         const std::vector<double>& likely, const Random& random,
                                         const detail::RuledCell& cell) const;
  void draw_bases(const Random& random);
  void draw_base(std::size_t column, const Random& random, const std::vector<std::size_t>& rows);
  void weigh_distances(std::size_t column, const std::vector<std::size_t>& rows,
                       std::span<const double> bases, std::span<double> weights);
  double log_gain(std::size_t i, std::size_t column) const;
  double log_share(std::size_t i, std::size_t column) const;
  void draw_labels(std::size_t column, const Random& random, const std::vector<std::size_t>& rows,
                   std::vector<detail::ColumnClasses::Classes>& classes);
  std::vector<double> not_refused(std::size_t column, const std::vector<double>& likely,
                                  const detail::RuledCell& cell) const;
  std::vector<std::vector<double>> listed_by_class(std::size_t column, const detail::RuledCell& cell) const;
  std::optional<double> listed_number(std::size_t i, std::size_t column, const std::vector<double>& likely,
                                      const Random& random, const detail::RuledCell& cell) const;
  std::optional<double> ruled(std::size_t i, std::size_t column, double free,
                              const std::vector<double>& likely, const Random& random,
                              const detail::RuledCell& cell) const;
  std::vector<double> further_shares(std::size_t column,
                                     std::span<const detail::ColumnClasses::Classes> classes);
  std::vector<double> label_ratios(std::size_t column, std::span<const double> labels);
  std::vector<double> told_densities(std::size_t column, std::span<const double> cells_asked);
  double told_under_rules(std::size_t column, double cell, double free, const detail::RuledCell& ruled) const;
  std::pair<std::size_t, std::size_t> classes_near(std::size_t column, double cell) const;
  double log_density(std::size_t column, double cell, double ratio, const detail::RuledCell& ruled) const;
  detail::DistanceShares distance_shares(std::size_t column, const detail::RuledCell& ruled,
                                         double cell) const;
};

}  // namespace synthema
