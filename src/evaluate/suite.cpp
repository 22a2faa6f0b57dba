#include "synthema/evaluate/suite.hpp"

#include "synthema/evaluate/fidelity/accuracy.hpp"
#include "synthema/evaluate/fidelity/classifier_two_sample.hpp"
#include "synthema/evaluate/fidelity/column_pairs.hpp"
#include "synthema/evaluate/fidelity/column_shapes.hpp"
#include "synthema/evaluate/fidelity/dependence.hpp"
#include "synthema/evaluate/fidelity/long_tail.hpp"
#include "synthema/evaluate/fidelity/mean_discrepancy.hpp"
#include "synthema/evaluate/fidelity/plausibility.hpp"
#include "synthema/evaluate/fidelity/propensity.hpp"
#include "synthema/evaluate/fidelity/support.hpp"
#include "synthema/evaluate/longitudinal/code_probabilities.hpp"
#include "synthema/evaluate/longitudinal/histories.hpp"
#include "synthema/evaluate/longitudinal/kaplan_meier.hpp"
#include "synthema/evaluate/privacy/anonymity.hpp"
#include "synthema/evaluate/privacy/attribute_inference.hpp"
#include "synthema/evaluate/privacy/attribution.hpp"
#include "synthema/evaluate/privacy/canary_exposure.hpp"
#include "synthema/evaluate/privacy/column_groups.hpp"
#include "synthema/evaluate/privacy/copies.hpp"
#include "synthema/evaluate/privacy/identifiers_in_text.hpp"
#include "synthema/evaluate/privacy/linkability.hpp"
#include "synthema/evaluate/privacy/membership.hpp"
#include "synthema/evaluate/privacy/nearest_note.hpp"
#include "synthema/evaluate/privacy/nearest_rows.hpp"
#include "synthema/evaluate/privacy/singling_out.hpp"
#include "synthema/evaluate/privacy/training_copies.hpp"
#include "synthema/evaluate/text/content.hpp"
#include "synthema/evaluate/text/diversity.hpp"
#include "synthema/evaluate/text/duplicates.hpp"
#include "synthema/evaluate/text/embedding_distance.hpp"
#include "synthema/evaluate/text/label_recovery.hpp"
#include "synthema/evaluate/text/length_profile.hpp"
#include "synthema/evaluate/text/lexical_richness.hpp"
#include "synthema/evaluate/text/literal_name.hpp"
#include "synthema/evaluate/text/memorisation.hpp"
#include "synthema/evaluate/text/readability.hpp"
#include "synthema/evaluate/text/reference_overlap.hpp"
#include "synthema/evaluate/text/run_quality.hpp"
#include "synthema/evaluate/text/self_bleu.hpp"
#include "synthema/evaluate/text/token_scores.hpp"
#include "synthema/evaluate/utility/agreement.hpp"
#include "synthema/evaluate/utility/group_gaps.hpp"
#include "synthema/evaluate/utility/learning_curve.hpp"
#include "synthema/evaluate/utility/survival.hpp"
#include "synthema/evaluate/utility/train_synthetic_test_real.hpp"

namespace synthema {

namespace {

void add_rouge(std::vector<AnyEvaluator>& out, const SuiteOptions& options, bool stem) {
  using enum Rouge::Variant;
  for (const auto variant : {rouge1, rouge2, rougel, rougelsum})
    out.emplace_back(Rouge(variant, stem, options.reference_column));
}

// Convention of one measure of a family whose measures have not all of them.
template <class E, class... Arguments>
E with_convention(Convention asked, Arguments... arguments) {
  try {
    return E(arguments..., convention_for<E>(asked));
  } catch (const ConfigError&) {
    return E(arguments...);
  }
}

MeanDiscrepancy mean_discrepancy(bool biased, const SuiteOptions& options) {
  Convention convention = convention_for<MeanDiscrepancy>(options.convention);
  if (convention == Convention::synthcity && !biased) convention = Convention::synthema;
  return MeanDiscrepancy(biased, convention, options.discrepancy_rows);
}

void add_dependence(std::vector<AnyEvaluator>& out, const SuiteOptions& options) {
  using enum DependenceMeasure;
  for (const auto measure : {spearman, cramers_v, correlation_ratio, mutual_information, matrix_difference,
                             information_difference})
    out.emplace_back(with_convention<Dependence>(options.convention, measure));
}

void add_support(std::vector<AnyEvaluator>& out, const SuiteOptions& options) {
  using enum SupportMeasure;
  for (const auto measure :
       {precision, recall, density, coverage, alpha_precision, beta_recall, authenticity})
    out.emplace_back(Support(measure, convention_for<Support>(options.convention)));
  for (const bool biased : {false, true}) out.emplace_back(mean_discrepancy(biased, options));
}

void add_longitudinal(std::vector<AnyEvaluator>& out) {
  for (const CodesOf of : {CodesOf::visit, CodesOf::pair, CodesOf::next})
    out.emplace_back(CodeProbabilities(of));
  using enum HistoryMeasure;
  for (const auto measure : {visits, gaps, spans, codes, differences, autocorrelation, between})
    out.emplace_back(HistoryFidelity(measure));
}

void add_usefulness(std::vector<AnyEvaluator>& out, const SuiteOptions& options) {
  out.emplace_back(RowsWorth(options.learner));
  out.emplace_back(AugmentationGain(options.learner));
  out.emplace_back(ModelRanking(options.ranked_learners));
  out.emplace_back(ImportanceAgreement());
  out.emplace_back(CoefficientOverlap());
  for (const bool brier : {false, true})
    out.emplace_back(SurvivalUsefulness(brier, options.duration_column, options.event_column));
}

void add_more_of_texts(std::vector<AnyEvaluator>& out, const SuiteOptions& options) {
  out.emplace_back(Meteor(options.reference_column));
  for (const bool of_real : {false, true}) out.emplace_back(WordDivergence(of_real));
  out.emplace_back(LabelDistribution());
  out.emplace_back(ConceptCoverage());
  out.emplace_back(TagForm());
  for (const auto m :
       {Richness::mattr, Richness::mtld, Richness::hdd, Richness::yule_k, Richness::zipf_exponent})
    out.emplace_back(LexicalRichness(m));
  using enum ReadingFormula;
  for (const auto formula :
       {flesch_ease, flesch_kincaid, ReadingFormula::gunning_fog, automated, coleman_liau})
    out.emplace_back(Readability(formula));
  out.emplace_back(Perplexity());
  out.emplace_back(BertScore(options.reference_column, options.token_embedder));
  using Embedding = EmbeddingMeasure;
  for (const auto m :
       {Embedding::frechet, Embedding::central_moments, Embedding::similarity, Embedding::mauve})
    out.emplace_back(EmbeddingDistance(m));
}

// Attacks that take a search or a fit each.
void add_attacks(std::vector<AnyEvaluator>& out, const SuiteOptions& options) {
  LinkabilityOptions linkability;
  linkability.convention = convention_for<Linkability>(options.convention);
  linkability.floor = true;
  out.emplace_back(Linkability(linkability));
  AttributeInferenceOptions inference;
  inference.secrets = options.disclosure.secret;
  inference.convention = convention_for<AttributeInference>(options.convention);
  inference.floor = true;
  out.emplace_back(AttributeInference(inference));
  out.emplace_back(MembershipByDensity());
  out.emplace_back(MembershipByModel(options.learner));
  for (const auto m : {ColumnGroups::Measure::dcr_share, ColumnGroups::Measure::nndr})
    out.emplace_back(ColumnGroups(m));
}

// What needs to know the quasi-identifiers.
void add_disclosure(std::vector<AnyEvaluator>& out, const SuiteOptions& options) {
  using enum AttributionRule;
  for (const auto rule : {categorical, zero, generalized, disclosure})
    out.emplace_back(Attribution(rule, options.disclosure));
  using enum AnonymityMeasure;
  for (const auto measure : {k_anonymity, l_diversity, k_map, delta_presence})
    out.emplace_back(Anonymity(measure, options.disclosure));
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
  if (options.full) add_more_of_texts(out, options);
  return out;
}

std::vector<AnyEvaluator> table_suite(const SuiteOptions& options) {
  std::vector<AnyEvaluator> out;
  using enum ColumnMeasure;
  for (const auto measure :
       {shape, missing, boundary_adherence, range_coverage, category_coverage, category_adherence,
        quantile_mse, wasserstein, jensen_shannon, kl_synthetic_to_real, kl_real_to_synthetic, chi_square,
        mean, ColumnMeasure::median, deviation})
    out.emplace_back(with_convention<ColumnFidelity>(options.convention, measure));
  out.emplace_back(ColumnPairs());
  for (const AccuracyOf of :
       {AccuracyOf::overall, AccuracyOf::columns, AccuracyOf::pairs, AccuracyOf::triples})
    out.emplace_back(Accuracy(of, convention_for<Accuracy>(options.convention), options.triples));
  out.emplace_back(SchemaPlausibility());
  out.emplace_back(ClassifierTwoSample(Discriminator::boosted_trees));
  out.emplace_back(ImpliedRules());
  if (options.full) {
    out.emplace_back(LongTail());
    out.emplace_back(SubgroupFidelity());
    add_dependence(out, options);
    add_support(out, options);
    add_longitudinal(out);
    out.emplace_back(ClassifierTwoSample(Discriminator::logistic_regression));
    out.emplace_back(Propensity(Propensity::Measure::ratio));
  }
  if (options.full || (!options.duration_column.empty() && !options.event_column.empty()))
    out.emplace_back(KaplanMeier(options.duration_column, options.event_column));
  out.emplace_back(TrainSyntheticTestReal(options.learner));
  for (const bool odds : {false, true})
    if (options.full || !options.sensitive_column.empty())
      out.emplace_back(GroupGaps(odds, options.learner, options.sensitive_column));
  if (options.full) add_usefulness(out, options);
  out.emplace_back(ExactCopies(true, convention_for<ExactCopies>(options.convention)));
  out.emplace_back(RareValueReuse());
  using enum NearestRowMeasure;
  for (const auto measure :
       {dcr, dcr_share, near_copies, nndr, identifiability, nnaa, nnaa_privacy_loss, membership})
    out.emplace_back(with_convention<NearestRows>(options.convention, measure, options.full));
  SinglingOutOptions singling_out;
  singling_out.floor = options.full;
  for (const bool multivariate : {false, true}) out.emplace_back(SinglingOut(multivariate, singling_out));
  if (options.full) add_attacks(out, options);
  if (!options.disclosure.known.empty()) add_disclosure(out, options);
  return out;
}

std::vector<AnyEvaluator> text_privacy_suite(const SuiteOptions& options) {
  std::vector<AnyEvaluator> out;
  using Copies = TrainingCopies::Measure;
  for (const auto m : {Copies::longest, Copies::texts, Copies::words}) out.emplace_back(TrainingCopies(m));
  using Found = IdentifiersInText::Measure;
  for (const auto m : {Found::texts, Found::reuse}) out.emplace_back(IdentifiersInText(m, options.detectors));
  if (options.canaries) out.emplace_back(CanaryExposure(options.canaries));
  if (!options.full) return out;
  using Near = NearestNote::Measure;
  for (const auto m : {Near::likeness, Near::near_copies, Near::share}) out.emplace_back(NearestNote(m));
  return out;
}

std::vector<AnyEvaluator> all_evaluators(const SuiteOptions& options) {
  SuiteOptions full = options;
  full.full = true;
  std::vector<AnyEvaluator> out = text_suite(full);
  add_rouge(out, options, true);
  for (AnyEvaluator& evaluator : table_suite(full)) out.push_back(std::move(evaluator));
  if (options.disclosure.known.empty()) add_disclosure(out, options);
  for (AnyEvaluator& evaluator : text_privacy_suite(full)) out.push_back(std::move(evaluator));
  if (!options.canaries) out.emplace_back(CanaryExposure());
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
