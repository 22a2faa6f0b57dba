// Measures of anonymity by classes: rows that agree in all quasi-identifiers (numbers in bins).
//
//   k_anonymity     fewest synthetic rows of a class (Sweeney 2002)
//   l_diversity     fewest different secrets in a class of synthetic rows (Machanavajjhala et al. 2007)
//   k_map           fewest real people, training and holdout, of a class that synthetic rows have; classes
//                   without any are left out: they point at nobody (El Emam and Dankar 2008)
//   delta_presence  largest share of training among the real people of a class that synthetic rows have
//                   (Nergiz et al. 2007); needs a holdout
//
// They were made for tables in which a row is a person. A synthetic row is none, so a small class is a reason
// to look at rare_value_reuse and singling_out, and no leak by itself. They hang on single rows: a minimum
// has no valid interval.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"
#include "synthema/evaluate/privacy/disclosure_options.hpp"

namespace synthema {

enum class AnonymityMeasure : std::uint8_t { k_anonymity, l_diversity, k_map, delta_presence };

class SYNTHEMA_EXPORT Anonymity {
 public:
  static constexpr bool needs_reference = true;

  explicit Anonymity(AnonymityMeasure measure = AnonymityMeasure::k_anonymity,
                     DisclosureOptions options = {});
  std::string_view name() const;
  Direction direction() const;
  Range range() const;
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  AnonymityMeasure measure_;
  DisclosureOptions options_;
};

}  // namespace synthema
