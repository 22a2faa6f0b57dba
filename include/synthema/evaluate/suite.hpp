// The evaluators that make sense together. What one of them lacks (labels, terms, a real table) is said in
// its score, so a suite can always be run whole.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/evaluate/any_evaluator.hpp"
#include "synthema/evaluate/convention.hpp"
#include "synthema/evaluate/privacy/disclosure_options.hpp"
#include "synthema/evaluate/privacy/identifiers_in_text.hpp"
#include "synthema/evaluate/text/ontology_linking.hpp"
#include "synthema/evaluate/text/token_scores.hpp"
#include "synthema/learn/learner.hpp"

namespace synthema {

struct SuiteOptions {
  double near_duplicate_threshold = 0.7;
  std::size_t self_bleu_limit = 0;  // 0: all texts
  std::string reference_column = "reference";
  Convention convention = Convention::synthema;  // of the evaluators that have it
  std::size_t triples = 10000;                   // of columns, for the accuracy of three
  std::size_t discrepancy_rows = 5000;           // most of each table, for the mean discrepancy; 0: all
  std::string duration_column, event_column;     // of survival; empty: there is none
  TokenEmbedder token_embedder;                  // of bert_score; empty: there is none
  OntologyLinkingOptions linking;
  Learner learner = boosted_trees();          // of what is trained on synthetic rows
  std::vector<Learner> ranked_learners;       // of model_ranking_agreement; empty: six of ours
  std::string sensitive_column;               // of the gaps between groups; empty: the role sensitive
  DisclosureOptions disclosure;               // which columns are quasi-identifiers, and which secret
  std::vector<IdentifierDetector> detectors;  // of identifiers in texts, besides our own
  std::shared_ptr<const Table> canaries;      // texts that were planted, or not; may be null
  // Also what takes longer or answers a question that few ask.
  bool full = false;
};

std::vector<AnyEvaluator> text_suite(const SuiteOptions& options = {});
std::vector<AnyEvaluator> table_suite(const SuiteOptions& options = {});
// What synthetic texts give away about real ones.
std::vector<AnyEvaluator> text_privacy_suite(const SuiteOptions& options = {});
// Both in full, and what is in no suite (stemmed ROUGE, pMSE itself).
std::vector<AnyEvaluator> all_evaluators(const SuiteOptions& options = {});
// By name; ConfigError names those there are.
AnyEvaluator evaluator_named(std::string_view name, const SuiteOptions& options = {});

}  // namespace synthema
