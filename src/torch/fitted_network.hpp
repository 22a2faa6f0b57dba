// What a fit of AnyOrderNetwork finds out, for its parts: learning (network_learning.cpp), drawing and
// densities (network_block.hpp), files (network_file.cpp) and the class itself (any_order_network.cpp).
// Private learning is in private_network.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "src/generate/tabular/order_distance.hpp"
#include "src/generate/tabular/private_terms.hpp"
#include "src/torch/column_classes.hpp"
#include "src/torch/column_network.hpp"
#include "src/torch/network_training.hpp"
#include "synthema/generate/tabular/conditions.hpp"
#include "synthema/generate/tabular/private_domain.hpp"
#include "synthema/generate/tabular/row_rules.hpp"
#include "synthema/torch/any_order_network.hpp"

namespace synthema {

namespace detail {

inline constexpr std::size_t kMostMembers = 20;

struct NetworkSize {
  const char* name;
  std::size_t width, head;
};
inline constexpr std::array<NetworkSize, 3> kNetworkSizes{
    {{"small", 64, 16}, {"medium", 128, 32}, {"large", 256, 64}}};

// Streams of a fit's random numbers.
inline constexpr std::uint64_t kInitialStream = 1, kTrainingStream = 2;

// How the network's variables are grouped and ordered, and the shares of their classes, with which it begins.
struct ArrangedRows {
  TrainingTable table;
  std::vector<std::vector<double>> shares;
};

// The modelled columns as they are drawn: the target first, or last.
std::vector<std::size_t> order_of(const CodedTable& coded, const RowRules& rules, const std::string& target,
                                  bool target_last = false);
// Classes of all variables, row by row.
ClassColumns class_columns(const CodedTable& coded, const std::vector<ColumnClasses>& classes,
                           std::size_t threads);
[[noreturn]] void refuse_network_keys();

PrivateTerms terms_of(const NetworkPrivacy& privacy);

}  // namespace detail

// Everything that a fit finds out; never changed afterwards, so that threads may share it.
struct AnyOrderNetwork::Fitted {
  struct Block;
  class Settling;

  CodedTable coded;  // without codes
  // Of a private fit: the columns again, whose states are what the network's classes are of.
  std::vector<PrivateColumn> told;
  Ledger ledger;
  std::vector<PrivateSpending> spending;
  std::vector<std::size_t> order;
  RowRules rules;
  std::vector<OwnedCounts> all;  // by column, as all of these
  // Numbers whose classes are those of a distance, from one that is always there; and, by column, of which
  // numbers that one is what they are measured from.
  detail::Distances distances;
  std::vector<std::vector<std::size_t>> measured;
  std::vector<detail::ColumnClasses> classes;
  std::vector<std::size_t> first;  // variable of the column
  std::vector<double> temperature;
  detail::NetworkShape member;                   // of each network that learnt
  std::optional<detail::ColumnNetwork> network;  // all of them, joined
  detail::Floats parameters;
  double loss = std::numeric_limits<double>::quiet_NaN();
  std::size_t rounds = 0, members = 1, threads = 0;

  void arrange(const AnyOrderNetworkOptions& options);
  bool is_private() const { return !told.empty(); }
  // States stand in for labels where a column was told privately.
  detail::ColumnClasses classes_of(std::size_t column) const {
    if (distances[column]) return {distances[column]->coding, distances[column]->counts};
    if (!is_private()) return {coded.columns[column], all[column]};
    return {states_of(told[column]), all[column]};
  }
  static ColumnCoding states_of(const PrivateColumn& column) {
    ColumnCoding out;
    out.form = CodingForm::category;
    out.missing = column.missing;
    out.labels.resize(column.states - (column.missing ? 1 : 0));
    return out;
  }
  std::uint32_t missing_code(std::size_t column) const {
    if (distances[column]) return distances[column]->coding.missing_code();
    if (!is_private()) return coded.columns[column].missing_code();
    const PrivateColumn& own = told[column];
    return own.missing ? own.missing_state() : own.states;  // no class has that
  }
  // Of a distance in a row that knows what it is measured from.
  detail::ColumnClasses::Classes classes_of_distance(std::size_t column, const KnownCells& row) const {
    const detail::DistanceCounts& distance = *distances[column];
    const double cell = row.cells[column];
    if (std::isnan(cell)) return classes[column].of_code(distance.coding.missing_code());
    return classes[column].of_cell(distance.coding,
                                   distance.cell_of(coded.columns, column, cell, row.cells[distance.from]));
  }
  detail::ColumnClasses::Classes classes_of_cell(std::size_t column, double cell) const {
    if (!is_private()) return classes[column].of_cell(coded.columns[column], cell);
    const PrivateColumn& own = told[column];
    if (std::isnan(cell) ? !own.missing : std::isinf(cell)) return detail::kNothing;
    return classes[column].of_code(own.state_of(cell));
  }
  bool is_ordered(std::size_t column) const {
    if (is_private() && coded.columns[column].is_category() &&
        states_of(told[column]).labels.size() != coded.columns[column].labels.size())
      return false;
    return !coded.columns[column].is_category() ||
           (coded.columns[column].ordered && classes[column].variables() == 1);
  }
  // Rules, order and network of a coded table; then what its rows teach, given as classes: of each member by
  // itself, and joined.
  void arrange_coded(const AnyOrderNetworkOptions& options);
  void measure(const CodingOptions& options);
  void learn(const AnyOrderNetworkOptions& options, const detail::ClassColumns& rows,
             const ProgressSink& progress, const CancelToken& cancel);
  void learn_pairs(AnyOrderNetworkOptions options, const detail::ClassColumns& drawn,
                   const ProgressSink& progress, const CancelToken& cancel);
  std::vector<std::uint32_t> variables_of(const std::string& target) const;  // empty: the one with the role
  detail::ArrangedRows arranged(const detail::ClassColumns& rows) const;     // which must outlive it
  void add_known(std::size_t column, const detail::ColumnClasses::Classes& known, float* sum) const;
  Table draw_rows(const SampleRequest& request, const CellConditions& conditions, bool whole) const;
  void settle(const Random& random);
};

}  // namespace synthema
