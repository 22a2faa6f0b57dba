// BootstrapCopy: rows of the training table, drawn with replacement. This is no synthetic data: every row is
// somebody's. It shows what evaluators say about a perfect leak, and refuses to give rows unless it is told
// that they may be released. Conditions: only rows that agree are drawn.
#pragma once

#include <string>
#include <string_view>

#include "synthema/core/export.hpp"
#include "synthema/generate/generator.hpp"

namespace synthema {

class SYNTHEMA_EXPORT BootstrapCopy {
 public:
  static constexpr bool honours_conditions = true;

  explicit BootstrapCopy(bool release = false) : release_(release) {}
  std::string_view name() const { return "bootstrap_copy"; }
  const Schema& schema() const { return real_.schema(); }
  bool release() const { return release_; }
  bool fitted() const { return real_.rows() > 0; }

  // GenerationError where there is no row.
  void fit(const Table& real, const ProgressSink& progress = {}, const CancelToken& cancel = {});
  // PolicyError unless `release`; GenerationError where no row agrees with a condition.
  Table sample(const SampleRequest& request) const;

 private:
  bool release_;
  Table real_;
};

static_assert(FittableGenerator<BootstrapCopy> && ConditionalGenerator<BootstrapCopy>);

}  // namespace synthema
