#include "synthema/evaluate/suite.hpp"

#include "synthema/evaluate/fidelity/accuracy.hpp"
#include "synthema/evaluate/fidelity/classifier_two_sample.hpp"
#include "synthema/evaluate/fidelity/column_pairs.hpp"
#include "synthema/evaluate/fidelity/column_shapes.hpp"
#include "synthema/evaluate/fidelity/propensity.hpp"
#include "synthema/evaluate/privacy/copies.hpp"
#include "synthema/evaluate/privacy/nearest_rows.hpp"
#include "synthema/evaluate/privacy/singling_out.hpp"
#include "synthema/evaluate/text/diversity.hpp"
#include "synthema/evaluate/text/duplicates.hpp"
#include "synthema/evaluate/text/label_recovery.hpp"
#include "synthema/evaluate/text/length_profile.hpp"
#include "synthema/evaluate/text/literal_name.hpp"
#include "synthema/evaluate/text/memorisation.hpp"
#include "synthema/evaluate/text/reference_overlap.hpp"
#include "synthema/evaluate/text/run_quality.hpp"
#include "synthema/evaluate/text/self_bleu.hpp"
#include "synthema/evaluate/utility/train_synthetic_test_real.hpp"

namespace synthema {

namespace {

void add_rouge(std::vector<AnyEvaluator>& out, const SuiteOptions& options, bool stem) {
  using enum Rouge::Variant;
  for (const auto variant : {rouge1, rouge2, rougel, rougelsum})
    out.emplace_back(Rouge(variant, stem, options.reference_column));
}

}  // namespace

std::vector<AnyEvaluator> text_suite(const SuiteOptions& options) {
  std::vector<AnyEvaluator> out;
  for (const auto m :
       {LabelRecovery::Measure::top1, LabelRecovery::Measure::top10, LabelRecovery::Measure::mrr})
    out.emplace_back(LabelRecovery(m));
  using Linking = OntologyLinking::Measure;
  for (const auto m : {Linking::precision, Linking::recall, Linking::f1})
    out.emplace_back(OntologyLinking(m, options.linking));
  out.emplace_back(AcceptanceRate());
  out.emplace_back(FreeTokenShare());
  out.emplace_back(FactAgreement());
  out.emplace_back(LiteralNameShare());
  out.emplace_back(ExactDuplicates());
  out.emplace_back(NearDuplicates(options.near_duplicate_threshold));
  for (const std::size_t order : {1, 2, 3}) out.emplace_back(DistinctN(order));
  out.emplace_back(SelfBleu(options.self_bleu_limit));
  out.emplace_back(TypeTokenRatio());
  out.emplace_back(VocabularySize());
  out.emplace_back(LengthProfile());
  for (const auto m : {Memorisation::Measure::overlap, Memorisation::Measure::longest_run,
                       Memorisation::Measure::long_copies})
    out.emplace_back(Memorisation(m));
  out.emplace_back(CorpusBleu(options.reference_column));
  out.emplace_back(CorpusChrf(options.reference_column));
  add_rouge(out, options, false);
  return out;
}

std::vector<AnyEvaluator> table_suite(const SuiteOptions& options) {
  std::vector<AnyEvaluator> out;
  using enum ColumnMeasure;
  for (const auto measure : {shape, missing, boundary_adherence, range_coverage, category_coverage,
                             category_adherence, wasserstein, jensen_shannon, kl_synthetic_to_real,
                             kl_real_to_synthetic, chi_square, mean, ColumnMeasure::median, deviation})
    out.emplace_back(ColumnFidelity(measure, convention_for<ColumnFidelity>(options.convention)));
  out.emplace_back(ColumnPairs());
  for (const AccuracyOf of :
       {AccuracyOf::overall, AccuracyOf::columns, AccuracyOf::pairs, AccuracyOf::triples})
    out.emplace_back(Accuracy(of, convention_for<Accuracy>(options.convention), options.triples));
  out.emplace_back(ClassifierTwoSample(Discriminator::boosted_trees));
  if (options.full) {
    out.emplace_back(ClassifierTwoSample(Discriminator::logistic_regression));
    out.emplace_back(Propensity(Propensity::Measure::ratio));
  }
  out.emplace_back(TrainSyntheticTestReal(options.learner));
  out.emplace_back(ExactCopies());
  out.emplace_back(RareValueReuse());
  using enum NearestRowMeasure;
  for (const auto measure :
       {dcr, dcr_share, near_copies, nndr, identifiability, nnaa, nnaa_privacy_loss, membership})
    out.emplace_back(NearestRows(measure));
  for (const bool multivariate : {false, true}) out.emplace_back(SinglingOut(multivariate));
  return out;
}

std::vector<AnyEvaluator> all_evaluators(const SuiteOptions& options) {
  std::vector<AnyEvaluator> out = text_suite(options);
  add_rouge(out, options, true);
  SuiteOptions full = options;
  full.full = true;
  for (AnyEvaluator& evaluator : table_suite(full)) out.push_back(std::move(evaluator));
  out.emplace_back(Propensity(Propensity::Measure::mse));
  return out;
}

AnyEvaluator evaluator_named(std::string_view name, const SuiteOptions& options) {
  std::string known;
  for (const AnyEvaluator& evaluator : all_evaluators(options)) {
    if (evaluator.name() == name) return evaluator;
    known += (known.empty() ? "'" : ", '") + std::string(evaluator.name()) + "'";
  }
  throw ConfigError(message("There is no evaluator '", name, "'; there are ", known, "."));
}

}  // namespace synthema
