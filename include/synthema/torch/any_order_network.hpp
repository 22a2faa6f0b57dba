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
// A number that a rule of the schema orders against one that is never missing is learnt as its distance from
// that, where distances vary less than half as much as the numbers (order_distance.hpp): the classes are of
// distances, which say something once both numbers are known. Not in a private fit.
//
// Learning: people (rows, or subjects where the schema names one) are set aside; where they are foretold no
// better, the rate falls, and at last learning stops. Kept is the best state, of the moving average of the
// parameters. Progress tells the validation loss (nats a row). A cancelled fit keeps the best state so far
// and returns; before the first round is over it throws Cancelled and leaves what was fitted before.
//
// Several members, as of a small table, each set aside a part of the people of their own. Their scores of
// classes are averaged, which foretells others better than one network does, and is one wider network to
// whoever draws from it. In each, the target's own layer then learns on alone, as long as the target of those
// set aside is foretold better: that needs more rounds than what the many other columns can bear.
//
// Sampling: columns in the order target (last with several members, where its own layer decides), others as
// the table has them; what a rule asks about first.
// Conditions, on any columns, hold exactly, and the others follow their learnt distribution given these, with
// no candidates and no rejection. But what a fixed number is measured from, where that is free: it is drawn
// before the other columns, one of 64 candidates in proportion to how likely the network makes it and the
// distance (sampling and importance resampling, Rubin 1988). Ranges, labels and rules of the schema take away
// classes and values of each column before it is drawn, as SequentialTrees do; a dead end is drawn again, at
// most 100 times.
//
// Privacy: with `privacy` set, what is saved and all that is sampled from it is (epsilon,
// delta)-differentially private; neighbours are those of PrivateMarginals. Columns and what values they have
// are told as there (private_domain.hpp), for `first_share` of the budget, and pairs and triples are chosen
// and measured as there, for `pairs_share` (less what columns take that are tried once more). From rows drawn
// from that model the network learns as it does from any rows (at most 30 rounds), which costs nothing. The
// rest is for DP-SGD from there on: each step takes each person with the probability `sampling_rate`, cuts
// what each adds to the gradient to a norm of `clip` (of all their rows that are used together) and adds
// Gaussian noise. The noise follows from epsilon, delta and the number of steps before anything is read:
// RenyiAccountant, for the steps and all counts together. No real person is set aside, losses are told of
// drawn rows only, and rare_below and members play no part. At last the biases of classes are moved until
// single columns are as frequent among drawn rows as the noisy counts say, which costs nothing. Noise, who
// takes part and the orders in which rows are learnt come from the operating system: no seed repeats a fit. A
// label that may not be told is drawn as one of the others. A cell that the rules of the schema refuse is
// drawn again, from the classes and by their shares, at most 100 times, then the row is; log_prob is then
// that before such draws, and -inf for rows that break a rule.
//
// The same seeds give the same bytes at any number of threads, in fit and sample, on one kind of CPU and with
// one version of torch: products may be summed differently on others. A fitted model loaded there makes rows
// that differ where a draw lies within rounding of a border.
//
// Cost: fit rounds x rows x columns, sample rows x columns; memory 36 bytes a parameter and, while it learns,
// five bytes a cell; from a source one, and four more of numbers that rules order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/tabular/column_source.hpp"
#include "synthema/generate/tabular/private_domain.hpp"
#include "synthema/privacy/ledger.hpp"

namespace synthema {

struct NetworkPrivacy {
  double epsilon = 1;
  double delta = 1e-6;         // well below 1 / (number of people)
  double clip = 1;             // of the norm of what a person adds to the gradient
  double sampling_rate = 0.1;  // of people in a step
  std::uint64_t steps = 150;
  std::size_t rows_per_person = 1;  // where the schema names a subject, at random; at most 100
  std::size_t bins = 32;            // of a number, at most 254
  double first_share = 0.2;         // of rho, for single columns
  double pairs_share = 0.4;         // of rho, for pairs and triples of columns
  bool infer = true;                // false: refuse columns whose labels or range the schema does not name
  std::string ledger = {};          // file in which fits on the same people add up; empty: none
};

struct AnyOrderNetworkOptions {
  std::string target =
      {};  // column that is drawn first, or last; empty: the one with the role target, if any
  std::string size = "medium";  // "small", "medium" or "large"; less where a table is very wide
  std::size_t rare_below = 5;   // people
  std::size_t rounds = 100;     // over the rows, at most
  std::size_t patience = 3;     // rounds without gain before the rate falls
  double validation = 0.1;      // share of people, above 0 and up to 0.5; with several members 1 / members
  std::size_t members = 0;  // networks that are joined, at most 20; 0: 5 for fewer than 2,000 people, else 1
  double rate = 0;          // first, of learning; 0: 2e-3, of DP-SGD 1e-2
  std::uint64_t seed = 0;   // of the fit
  // By column: below 1 likely classes become likelier, above 1 less so; 1 where a column is not named.
  std::map<std::string, double> temperature = {};
  std::optional<NetworkPrivacy> privacy = std::nullopt;
  std::size_t threads = 0;
};

// The noise multiplier with which all steps, and counts and choices of `rho`, are (epsilon, delta)-private
// together, rounded up by at most 1e-4 of itself.
SYNTHEMA_EXPORT double private_learning_noise(const NetworkPrivacy& privacy, double delta, double rho);

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
  std::size_t parameters() const;          // numbers that were learnt, of all members
  double validation_loss() const;          // nats a row, of classes; NaN where nothing was learnt
  std::size_t rounds() const;              // that were learnt

  // Errors of code_table; ConfigError where a named column is not there.
  void fit(const Table& real, const ProgressSink& progress = {}, const CancelToken& cancel = {});
  // The same network, to the last bit, from a table that need not fit into memory (column_source.hpp). Kept
  // in memory are one byte for each row and column (two or three of more than 254 labels) and 12 bytes a row,
  // or only the latter where `spill` names a folder: the bytes then are in a file there that has no name.
  // ConfigError with `privacy`, and where the folder cannot be used.
  void fit(const ColumnSource& source, const std::string& spill = {}, const ProgressSink& progress = {},
           const CancelToken& cancel = {});
  // With this noise; ConfigError without `privacy`. For tests: unless it is private, neither is the result,
  // and it says so. What the schema states is taken as public. PrivacyBudgetError, before anything is
  // measured, where the ledger's budget does not allow it; errors of discover_domain. No fit of a private
  // network counts its rows against rare_below.
  void fit(const Table& real, NoiseSource& noise, const ProgressSink& progress = {},
           const CancelToken& cancel = {});
  Table sample(const SampleRequest& request) const;

  // The rows of a table with the columns of the training table; each missing cell is drawn given those of its
  // row that are there, and is not missing where the training table had any value. Cells that are there stay
  // as they are; labels that the training table did not have say nothing about the others. Rules as in
  // SequentialTrees. SchemaError where columns or kinds differ.
  Table impute(const Table& table, std::uint64_t seed, const ProgressSink& progress = {},
               const CancelToken& cancel = {}) const;

  // See LikelihoodGenerator; along the order in which samples are drawn. Exact but for rules on numbers that
  // are smoothed and for rows that would be drawn again after a dead end. Temperatures count.
  std::vector<double> log_prob(const Table& table, const ProgressSink& progress = {},
                               const CancelToken& cancel = {}) const;

  // What a private fit cost: one entry, which covers all that was measured; empty of others.
  const Ledger& ledger() const;
  const std::vector<PrivateSpending>& spending() const;  // on columns and pairs; the rest was for learning
  bool is_private() const;                               // private, with noise that nobody can repeat
  std::vector<std::string> untold() const;               // columns as of PrivateMarginals
  std::vector<std::string> unresolved() const;           // likewise
  std::vector<std::string> one_label() const;            // likewise
  // For people: the promise, and what was spent where, or on how many kinds of release.
  std::string describe(bool each_release = true) const;

  std::string save() const;  // GenerationError unless fitted
  // ModelError where the file is damaged, or its ledger does not cover what was measured and learnt.
  static AnyOrderNetwork load(std::string_view file, const std::string& path = {});

 private:
  void fit_privately(const Table& real, NoiseSource& noise, const ProgressSink& progress,
                     const CancelToken& cancel);
  struct Fitted;
  AnyOrderNetworkOptions options_;
  std::unique_ptr<const Fitted> fitted_;
};

static_assert(LikelihoodGenerator<AnyOrderNetwork> && ConditionalGenerator<AnyOrderNetwork>);

}  // namespace synthema
