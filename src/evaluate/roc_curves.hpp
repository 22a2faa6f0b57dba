// ROC curves that a report draws beside an AUROC of several fits.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "synthema/evaluate/score.hpp"
#include "synthema/learn/target.hpp"

namespace synthema::detail {

// The numbers of the labels, at most four, that most rows have; none that fewer than five rows have, which
// would show single people.
std::vector<std::size_t> frequent_labels(const std::vector<double>& classes, std::size_t labels);

// Vertical means over fits (Fawcett, Pattern Recognition Letters 2006, 9.1) at false positive rates in steps
// of 0.01: of the second label where there are two ("ROC"), else over all labels against the rest ("ROC, mean
// of labels", whose area is the mean AUROC) and of the frequent ones ("ROC of C"). `classes` are the true
// ones of the predicted rows. None where fewer than two labels are frequent.
std::vector<Curve> roc_curves(const std::vector<Predictions>& fits, const std::vector<std::string>& labels,
                              const std::vector<double>& classes, const std::string& of);

}  // namespace synthema::detail
