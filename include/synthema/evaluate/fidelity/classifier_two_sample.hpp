// ClassifierTwoSample: can a classifier tell synthetic rows from real ones? (Lopez-Paz and Oquab, "Revisiting
// classifier two-sample tests", ICLR 2017.) The value is the AUROC of rows that the classifier was not fitted
// to, the mean of five folds: 0.5 where it cannot, 1 where it always can. Folds keep subjects whole. The real
// rows are those that the generator learnt from, as elsewhere in the field. A value below 0.5 is no merit:
// rows that follow single training rows mislead a classifier that was fitted to those. A holdout shows the
// difference: for the trees one part is the AUROC of the synthetic rows against it.
//   classifier_two_sample             boosted trees: sees marginals and dependence
//   classifier_two_sample_logistic    logistic regression: sees means and shares only; independent marginals
//                                     are perfect to it, so it never stands alone
// Interval: DeLong's variance within each fold (LeDell, Petersen and van der Laan, Electronic Journal of
// Statistics 2015), summed by subject and doubled: rows that are tested in one fold fit the classifiers of
// the others, and where there is little to find the folds err together. In simulations the plain 95 %
// interval held 84 % at an AUROC of 0.5 and 94 % at 0.8, the doubled one about 95 and 99 %. Ceiling: the
// holdout in the place of the synthetic rows, else 0.5. From 20,000 rows of both tables together on, the
// ceiling and the part against the holdout are one of the five folds, not their mean: a fifth of so many rows
// says enough of a number that is only read beside the value. Floor: half of the real rows against the other
// half shuffled apart. Parts: the AUROC by each column alone, from the frequencies of its bins in the other
// folds, with its share of the trees' gain. Identifier and subject columns, texts and lists are left out.
#pragma once

#include <cstdint>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/evaluate/evaluator.hpp"

namespace synthema {

enum class Discriminator : std::uint8_t { boosted_trees, logistic_regression };

class SYNTHEMA_EXPORT ClassifierTwoSample {
 public:
  static constexpr bool needs_reference = true;

  explicit ClassifierTwoSample(Discriminator discriminator = Discriminator::boosted_trees)
      : discriminator_(discriminator) {}
  std::string_view name() const {
    return discriminator_ == Discriminator::boosted_trees ? "classifier_two_sample"
                                                          : "classifier_two_sample_logistic";
  }
  Direction direction() const { return Direction::none; }
  Range range() const { return {0, 1}; }
  Score evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const;

 private:
  Discriminator discriminator_;
};

}  // namespace synthema
