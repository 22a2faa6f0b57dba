#include "synthema/evaluate/fidelity/classifier_two_sample.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/parallel.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/learn/gradient_boosting.hpp"
#include "synthema/learn/linear_model.hpp"
#include "synthema/learn/prediction_metrics.hpp"

namespace synthema {

namespace {

using detail::TwoSamples;
using Rows = std::vector<std::uint32_t>;
using Numbers = std::vector<double>;
constexpr std::size_t kFolds = 5;
constexpr std::size_t kEnoughForOneFold = 20000;  // rows, a fifth of which tells an AUROC to about 0.01

// Fits on some rows and scores others; the columns are encoded once for all folds, without their labels.
class Fitting {
 public:
  Fitting(const TwoSamples& samples, Discriminator discriminator, const EvaluationContext& context)
      : trees_(discriminator == Discriminator::boosted_trees),
        context_(context),
        target_{2, samples.is_synthetic} {
    binning_ = Binning(samples.table, samples.columns);  // of columns alone, too
    binned_ = binning_.apply(samples.table, context.threads);
    if (!trees_) design_ = DesignEncoding(samples.table, samples.columns).apply(samples.table);
  }

  struct Scored {
    Numbers scores, importance;
  };
  Scored fold(const Rows& training, const Rows& test, std::size_t number) const {
    if (!trees_) {
      const LinearModel model(design_, target_, training, {.threads = 1, .cancel = context_.cancel});
      return {model.predict(design_, test).column(1), {}};
    }
    BoostingOptions options;
    options.tree.threads = 1;  // the folds run side by side
    options.cancel = context_.cancel;
    const GradientBoosting model(binned_, binning_.columns(), target_, training, options,
                                 Random(context_.seed).stream(0x63327374).stream(number));
    return {model.predict(binned_, test).column(1), model.importance()};
  }

  // Share of synthetic among the training rows in the same bin, half a row of each kind added.
  Numbers by_column(std::size_t column, const Rows& training, const Rows& test) const {
    const std::span<const std::uint8_t> cells = binned_.column(column);
    Numbers ones(binning_.columns()[column].bins, 0.5), all(binning_.columns()[column].bins, 1.0);
    for (const std::uint32_t row : training) ones[cells[row]] += target_.values[row], ++all[cells[row]];
    Numbers out;
    out.reserve(test.size());
    for (const std::uint32_t row : test) out.push_back(ones[cells[row]] / all[cells[row]]);
    return out;
  }

 private:
  bool trees_;
  const EvaluationContext& context_;
  Target target_;
  Binning binning_;
  BinnedTable binned_;
  DesignMatrix design_;
};

struct Told {
  double auroc = 0.5;
  Numbers influence;            // by row
  Numbers columns, importance;  // by column
};

// Two tables that are told apart in some of the five folds, each of which needs rows of both kinds on both
// sides.
class Comparison {
 public:
  Comparison(TwoSamples samples, Discriminator discriminator, const EvaluationContext& context,
             std::size_t folds, bool with_columns)
      : samples_(std::move(samples)),
        fold_of_row_(samples_.fold_of_row(kFolds, context.seed)),
        fitting_(samples_, discriminator, context),
        with_columns_(with_columns),
        parts_(folds) {}

  const TwoSamples& samples() const { return samples_; }
  std::size_t folds() const { return parts_.size(); }

  // Each fold once; several side by side.
  void try_fold(std::size_t f) {
    Rows training, test;
    Numbers labels;
    for (std::uint32_t row = 0; row < fold_of_row_.size(); ++row) {
      (fold_of_row_[row] == f ? test : training).push_back(row);
      if (fold_of_row_[row] == f) labels.push_back(samples_.is_synthetic[row]);
    }
    const Fitting::Scored scored = fitting_.fold(training, test, f);
    const auto found = auroc_influence(scored.scores, labels);
    Told& out = parts_[f];
    out.auroc = found->auroc;
    out.influence.resize(fold_of_row_.size());
    for (std::size_t i = 0; i < test.size(); ++i) out.influence[test[i]] = found->influence[i];
    out.importance = scored.importance;
    if (!with_columns_) return;
    for (std::size_t c = 0; c < samples_.columns.size(); ++c)
      out.columns.push_back(*auroc(fitting_.by_column(c, training, test), labels));
  }

  // The mean over folds.
  Told told() const {
    Told out = parts_[0];
    const auto add = [](Numbers& to, const Numbers& from) {
      for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
    };
    for (std::size_t f = 1; f < folds(); ++f) {
      out.auroc += parts_[f].auroc;
      add(out.influence, parts_[f].influence);
      add(out.columns, parts_[f].columns);
      add(out.importance, parts_[f].importance);
    }
    const auto n = static_cast<double>(folds());
    out.auroc /= n;
    for (Numbers* numbers : {&out.influence, &out.columns, &out.importance})
      for (double& number : *numbers) number /= n;
    return out;
  }

 private:
  TwoSamples samples_;
  std::vector<std::size_t> fold_of_row_;
  Fitting fitting_;
  bool with_columns_;
  std::vector<Told> parts_;
};

// Whether rows of both kinds have labels, and none that stands in both.
bool differ_in_all_labels(const TwoSamples& samples, const std::string& name) {
  const Column& column = samples.table.column(name);
  if (column.kind() != Kind::category) return false;
  std::vector<bool> seen[2] = {std::vector<bool>(column.labels().size()),
                               std::vector<bool>(column.labels().size())};
  bool any[2] = {false, false};
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.is_null(row)) continue;
    const auto code = static_cast<std::size_t>(column.codes()[row]);
    const std::size_t kind = samples.is_synthetic[row] == 1 ? 1 : 0;
    if (seen[1 - kind][code]) return false;
    seen[kind][code] = any[kind] = true;
  }
  return any[0] && any[1];
}

// Below it the rows are hardly told apart, and no column gives them away.
constexpr double kToldApart = 0.55;

void add_columns(Score& score, const TwoSamples& samples, const Told& told) {
  std::size_t best = 0;
  for (std::size_t c = 0; c < samples.columns.size(); ++c) {
    const std::string note =
        told.importance.empty()
            ? "AUROC of this column alone"
            : message("AUROC of this column alone; ",
                      static_cast<double>(std::lround(told.importance[c] * 1000)) / 10.0, " % of the gain");
    score.parts.push_back({samples.columns[c], told.columns[c], samples.table.rows(), note});
    if (told.columns[c] > told.columns[best]) best = c;
  }
  const double alone = told.columns[best];
  const bool shares_no_label = differ_in_all_labels(samples, samples.columns[best]);
  const bool tells_most = told.auroc >= kToldApart && alone - 0.5 >= 0.8 * (told.auroc - 0.5);
  if (alone >= 0.6 && (shares_no_label || tells_most))
    score.warnings.push_back(message(
        "The column '", samples.columns[best], "' alone gives the synthetic rows away (AUROC ", alone, "): ",
        shares_no_label
            ? "no label of the real rows occurs in the synthetic ones. Where it says whose row it "
              "is, give it the role subject or identifier in a schema; it is then not compared."
            : "look at its rounding, missing values, format and categories before anything else."));
}

// Every fold needs a unit of each kind.
bool large_enough(const TwoSamples& samples) {
  std::vector<bool> seen(samples.units.count);
  std::size_t counts[2] = {0, 0};
  for (std::size_t row = 0; row < samples.is_synthetic.size(); ++row) {
    if (!seen[samples.units.of_row[row]]) ++counts[samples.is_synthetic[row] == 1 ? 1 : 0];
    seen[samples.units.of_row[row]] = true;
  }
  return std::min(counts[0], counts[1]) >= kFolds;
}

// Of what only stands beside the value.
std::size_t folds_of(const TwoSamples& samples) {
  return samples.table.rows() < kEnoughForOneFold ? kFolds : 1;
}

// AUROC of telling two tables apart, that only stands beside the value; none where they cannot be compared.
struct Beside {
  std::optional<double> auroc;
  std::size_t rows = 0, folds = 0;

  explicit Beside(const std::optional<Comparison>& made) {
    if (!made) return;
    rows = made->samples().table.rows();
    folds = made->folds();
    auroc = made->told().auroc;
  }
};

// Rows that follow single training rows lie beside them with the other label: where one is held out, the
// other has taught the classifier the wrong answer, and it errs more often than by chance.
void judge_against_fresh_rows(Score& score, const Beside& fresh) {
  if (fresh.auroc)
    score.parts.push_back({"all columns, against the holdout", fresh.auroc, fresh.rows,
                           message("AUROC of telling synthetic rows from holdout rows, ",
                                   fresh.folds == 1 ? "one fold" : "mean of five folds")});
  if (score.interval && score.interval->high < 0.5)
    score.warnings.push_back(message(
        "An AUROC below 0.5 is no merit: the synthetic rows follow single rows of the real table, which "
        "misleads the classifier.",
        fresh.auroc ? message(" Against the holdout it is ", std::round(*fresh.auroc * 100) / 100, ".")
                    : std::string()));
}

}  // namespace

Score ClassifierTwoSample::evaluate(const Table* real, const Table& synthetic,
                                    const EvaluationContext& context) const {
  const bool trees = discriminator_ == Discriminator::boosted_trees;
  Score score = start_score(
      *this, "AUROC of telling synthetic rows from real rows that the classifier has not seen; 0.5 is best.",
      message("Lopez-Paz and Oquab 2017, ", trees ? "boosted trees" : "logistic regression",
              ", mean of five folds by subject"));
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  if (detail::shared_columns(*real, synthetic).empty())
    return undefined(std::move(score), "The tables share no column to compare.");
  TwoSamples pooled = detail::two_samples(*real, synthetic);
  if (!large_enough(pooled))
    return undefined(std::move(score), message("Each of the five folds needs at least one of the ",
                                               pooled.units.name, " of both tables."));
  std::optional<Comparison> whole, fresh, held, loose;
  const auto beside = [&](std::optional<Comparison>& to, TwoSamples made, std::size_t most_folds) {
    if (made.columns.empty() || !large_enough(made)) return;
    const std::size_t folds = std::min(most_folds, folds_of(made));
    to.emplace(std::move(made), discriminator_, context, folds, false);
  };
  const Table* holdout = context.holdout.get();
  parallel_for(
      4,
      [&](std::size_t i) {
        if (i == 0) whole.emplace(std::move(pooled), discriminator_, context, kFolds, true);
        if (i == 1 && holdout && trees) beside(fresh, detail::two_samples(*holdout, synthetic), kFolds);
        if (i == 2 && holdout) beside(held, detail::two_samples(*real, *holdout), kFolds);
        if (i == 3) beside(loose, detail::against_marginals(*real, context.seed), 1);
      },
      context.threads);
  std::vector<std::pair<Comparison*, std::size_t>> fits;  // all side by side: no core waits for a few of them
  for (std::optional<Comparison>* one : {&whole, &fresh, &held, &loose})
    for (std::size_t f = 0; *one && f < (*one)->folds(); ++f) fits.emplace_back(&**one, f);
  parallel_for(fits.size(), [&](std::size_t i) { fits[i].first->try_fold(fits[i].second); }, context.threads);
  const TwoSamples& samples = whole->samples();
  const Told told = whole->told();
  score.n = samples.table.rows();
  score.value = told.auroc;
  // Every row also serves to fit the other folds' classifiers, so that chance moves the folds together.
  std::vector<double> influence = told.influence;
  for (double& value : influence) value *= std::numbers::sqrt2;
  score.interval = detail::influence_interval(told.auroc, influence, samples.units, range());
  if (score.interval) score.interval->method += ", variance doubled for the folds' dependence";
  if (!score.interval)
    score.no_interval = "All rows of a fold score alike or are told apart, which shows no spread.";
  add_columns(score, samples, told);
  judge_against_fresh_rows(score, Beside(fresh));
  const Beside of_holdout(held), of_loose(loose);
  score.ceiling = of_holdout.auroc
                      ? Bound{*of_holdout.auroc, message("holdout in the place of the synthetic rows, ",
                                                         context.holdout->rows(), " rows")}
                      : Bound{0.5, "theory: rows of one distribution cannot be told apart"};
  if (of_loose.auroc)
    score.floor =
        Bound{*of_loose.auroc, "half of the real rows against the other half shuffled apart, one fold"};
  return score;
}

}  // namespace synthema
