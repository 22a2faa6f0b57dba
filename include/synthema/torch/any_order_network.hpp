// AnyOrderNetwork: an autoregressive network of a table that takes its columns in any order (TabularARGN:
// Tiwald, Krchova, Sidorenko, Vargas-Vieyra, Scriminaci and Platzer, "TabularARGN: a flexible and efficient
// auto-regressive framework for generating high-fidelity synthetic data", 2025; the sums of what is known are
// those of NADE: Uria, Murray and Larochelle, ICML 2014). Tensors stay inside src/torch.
//
// A column is one classifier: labels are its classes, a number has up to 128 of about equally many rows, and
// its value is then drawn from what the whole column has there, under the rules of column_coding.hpp. Labels
// beyond 254 share classes that one or two further classifiers tell apart. Missing is a class. Every row of
// every batch is learnt from in all columns at once, half of them in the order in which samples are drawn,
// half in an order of its own, so that a column can be asked for given any others.
//
// Learning: people (rows, or subjects where the schema names one) are set aside; where they are foretold no
// better, the rate falls, and at last learning stops. Kept is the best state, of the moving average of the
// parameters. Progress tells the validation loss (nats a row). A cancelled fit keeps the best state so far
// and returns; before the first round is over it throws Cancelled and leaves what was fitted before.
//
// Sampling: columns in the order target, others as the table has them; what a rule asks about first.
// Conditions, on any columns, hold exactly, and the others follow their learnt distribution given these, with
// no candidates and no rejection. Ranges, labels and rules of the schema take away classes and values of each
// column before it is drawn, as SequentialTrees do; a dead end is drawn again, at most 100 times.
//
// The same seeds give the same bytes at any number of threads, in fit and sample, on one kind of CPU and with
// one version of torch: products may be summed differently on others. A fitted model loaded there makes rows
// that differ where a draw lies within rounding of a border.
//
// Cost: fit rounds x rows x columns, sample rows x columns; memory 36 bytes a parameter and, while it learns,
// five bytes a cell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/generator.hpp"

namespace synthema {

struct AnyOrderNetworkOptions {
  std::string target = {};      // column that is drawn first; empty: the one with the role target, if any
  std::string size = "medium";  // "small", "medium" or "large"; less where a table is very wide
  std::size_t rare_below = 5;   // people
  std::size_t rounds = 100;     // over the rows, at most
  std::size_t patience = 3;     // rounds without gain before the rate falls
  double validation = 0.1;      // share of people, above 0 and up to 0.5
  double rate = 2e-3;           // first, of learning
  std::uint64_t seed = 0;       // of the fit
  // By column: below 1 likely classes become likelier, above 1 less so; 1 where a column is not named.
  std::map<std::string, double> temperature = {};
  std::size_t threads = 0;
};

class SYNTHEMA_EXPORT AnyOrderNetwork {
 public:
  static constexpr bool honours_conditions = true;

  explicit AnyOrderNetwork(AnyOrderNetworkOptions options = {});  // ConfigError where they are out of range
  ~AnyOrderNetwork();
  AnyOrderNetwork(AnyOrderNetwork&&) noexcept;
  AnyOrderNetwork& operator=(AnyOrderNetwork&&) noexcept;

  std::string_view name() const { return "any_order_network"; }
  const Schema& schema() const;
  const AnyOrderNetworkOptions& options() const { return options_; }
  bool fitted() const;
  std::vector<std::string> order() const;  // of the columns, as they are drawn
  std::size_t parameters() const;          // numbers that were learnt
  double validation_loss() const;          // nats a row, of classes; NaN where nothing was learnt
  std::size_t rounds() const;              // that were learnt

  // Errors of code_table; ConfigError where a named column is not there.
  void fit(const Table& real, const ProgressSink& progress = {}, const CancelToken& cancel = {});
  Table sample(const SampleRequest& request) const;

  // The rows of a table with the columns of the training table; each missing cell is drawn given those of its
  // row that are there, and is not missing where the training table had any value. Cells that are there stay
  // as they are; those that the training table did not have say nothing about the others. SchemaError where
  // columns or kinds differ.
  Table impute(const Table& table, std::uint64_t seed, const ProgressSink& progress = {},
               const CancelToken& cancel = {}) const;

  // See LikelihoodGenerator; along the order in which samples are drawn. Exact but for rules on numbers that
  // are smoothed and for rows that would be drawn again after a dead end. Temperatures count.
  std::vector<double> log_prob(const Table& table, const ProgressSink& progress = {},
                               const CancelToken& cancel = {}) const;

  std::string save() const;  // GenerationError unless fitted
  static AnyOrderNetwork load(std::string_view file, const std::string& path = {});  // ModelError

 private:
  struct Fitted;
  AnyOrderNetworkOptions options_;
  std::unique_ptr<const Fitted> fitted_;
};

static_assert(LikelihoodGenerator<AnyOrderNetwork> && ConditionalGenerator<AnyOrderNetwork>);

}  // namespace synthema
