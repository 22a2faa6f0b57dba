// How one column's values are told (private_domain.hpp), by kind: labels in private_labels.cpp, numbers and
// times in private_numbers.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "synthema/data/table.hpp"
#include "synthema/generate/tabular/private_domain.hpp"

namespace synthema::detail {

// Noise alone seldom reaches these numbers of standard deviations.
inline constexpr double kClear = 4;  // a count that is there
inline constexpr double kFaint = 3;  // counts below are taken together, or for none

struct PrivateLearner {
  const Table& table;
  std::span<const std::size_t> rows;
  const PrivateDomainOptions& options;
  PrivateBudget& budget;

  double rho(const Field& field) const {
    return field.name == options.target ? options.target_rho : options.column_rho;
  }
  // ConfigError where the schema had to name what it does not: "labels", "range of numbers".
  void require_named(const Field& field, bool is_named, const char* what) const;
};

// What is learnt of a column beside the column itself.
struct LearntColumn {
  std::vector<std::uint32_t> states;  // by row that is used
  NoisyMarginal marginal;

  // The column's next state.
  std::uint32_t add_state(PrivateColumn& column, double count, double precision);
};

// Nothing can be told of the column.
void give_up(PrivateColumn& column);

// Labels, or numbers and times; they decide the form of the column.
void learn_labels(const PrivateLearner& learner, const Column& column, PrivateColumn& out,
                  LearntColumn& learnt);
void learn_numbers(const PrivateLearner& learner, const Column& column, PrivateColumn& out,
                   LearntColumn& learnt);

// SchemaError where the column has a label that the schema's categories lack.
void refuse_unlisted(const PrivateLearner& learner, const Column& column, const Field& field);

// About the noisy count that a label or cell needs to be told.
double label_is_told_from(const PrivateDomainOptions& options, const PrivateBudget& budget, double rho);
double cell_is_told_from(const PrivateBudget& budget, double rho);

// The least rho of a release of a column that is told with this one.
double smallest_part(double rho);

}  // namespace synthema::detail
