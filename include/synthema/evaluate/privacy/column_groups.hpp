// ColumnGroups: the worst of dcr_share or nndr (nearest_rows.hpp) over groups of columns. A leak that a few
// columns carry is averaged away in a distance over all of them. The groups are the two halves of the columns
// shuffled, `shuffles` times, by the seed. (mostlyai-qa also takes groups from a spectral clustering of
// correlations; ours are random alone.)
//
//   dcr_share  largest of the groups; no leak: about 1/2
//              interval: from the highest lower end of the groups to the highest upper one, of intervals as
//              dcr_share has, each at the level 1 - 0.05 / groups
//   nndr       smallest ratio of the synthetic rows' NNDR to the holdout rows'; no leak: about 1
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT ColumnGroups {
 public:
  static constexpr bool needs_reference = true;
  static constexpr bool needs_holdout = true;
  enum class Measure : std::uint8_t { dcr_share, nndr };

  explicit ColumnGroups(Measure measure, std::size_t shuffles = 3);  // ConfigError unless positive
  std::string_view name() const {
    return measure_ == Measure::nndr ? "nndr_worst_group" : "dcr_share_worst_group";
  }
  Direction direction() const { return measure_ == Measure::nndr ? Direction::higher : Direction::lower; }
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Measure measure_;
  std::size_t shuffles_;
};

}  // namespace synthema
