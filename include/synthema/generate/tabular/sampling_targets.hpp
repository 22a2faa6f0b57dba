// Rows under stated shares: a column balanced, or a target made independent of sensitive columns. Both are
// reached by conditions, so for every generator that keeps these, and as exactly as it keeps them.
//
// Let p be what the generator learnt, c the conditions of the request (of row i, cells that are given), and q
// the stated shares of a column b. What is drawn is
//
//   balance    q(b) p(others | b, c)                    each balanced column independently of the others
//   parity     p(s | c) p(y | c) p(others | s, y, c)    s sensitive columns, y targets; neither sees the
//   other
//
// so that y and s are independent given c, without conditions plainly (statistical or demographic parity:
// Dwork, Hardt, Pitassi, Reingold and Zemel, "Fairness through awareness", ITCS 2012; here by independent
// draws and not by repair of labels), while each keeps the distribution that it had. A target or a sensitive
// column may be balanced too: its q then takes the place of p(y | c) or p(s | c). Cells that the conditions
// give are kept, whatever the shares say. Several targets stay dependent on each other, and so do several
// sensitive columns.
//
// A balanced, sensitive or target column is never missing: p(s | c) and p(y | c) are those of rows that have
// a value. Other columns are not made independent of s: what depends on s still tells it, and with it, in
// real rows, y.
//
// Cost: that of one sample, and of two more for parity, more where values are missing.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/generator.hpp"

namespace synthema {

// Values and their shares. What is left of 1 goes to the other values that 10,000 rows of the generator have,
// in their own proportions; a sum above 1 is one of weights. Empty: all these values, at most 100, are
// equally likely.
struct ColumnShares {
  std::string column;
  std::vector<std::pair<Value, double>> shares = {};
};

struct SamplingTargets {
  std::vector<ColumnShares> balance = {};
  std::vector<std::string> targets = {}, sensitive = {};  // of parity: both or neither

  bool empty() const { return balance.empty() && targets.empty() && sensitive.empty(); }
};

using SampleFunction = std::function<Table(const SampleRequest&)>;

// ConfigError: a column that is not there, is named twice or on both sides of parity; shares that are
// negative, not finite, sum to nothing, or to less than 1 where there is no other value; a column of more
// than 100 values without shares. GenerationError: a value that the generator never makes, a column that is
// nearly always missing.
SYNTHEMA_EXPORT Table sample_with_targets(const Schema& schema, const SampleFunction& sample,
                                          const SampleRequest& request, const SamplingTargets& targets);

template <ConditionalGenerator G>
Table sample_with_targets(const G& generator, const SampleRequest& request, const SamplingTargets& targets) {
  return sample_with_targets(
      generator.schema(), [&](const SampleRequest& one) { return generator.sample(one); }, request, targets);
}

}  // namespace synthema
