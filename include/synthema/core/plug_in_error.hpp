// PlugInError: what a caller brought to an evaluation (a learner, an embedder, a text scorer, a detector of
// identifiers) failed, or gave what is no answer of such. Scores that ask it are undefined and say why, the
// others stay (report/evaluate_all.hpp).
#pragma once

#include "synthema/core/error.hpp"

namespace synthema {

class SYNTHEMA_EXPORT PlugInError : public EvaluationError {
 public:
  using EvaluationError::EvaluationError;
};

}  // namespace synthema
