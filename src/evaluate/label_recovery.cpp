#include "synthema/evaluate/text/label_recovery.hpp"

#include <map>
#include <unordered_set>

#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"
#include "synthema/text/tf_idf.hpp"

namespace synthema {

namespace {

using Measure = LabelRecovery::Measure;

// What finding the label at a 1-based place is worth.
double gain(Measure measure, std::optional<std::size_t> rank) {
  if (!rank) return 0;
  if (measure == Measure::mrr) return 1 / static_cast<double>(*rank);
  return *rank <= (measure == Measure::top1 ? 1u : 10u) ? 1 : 0;
}

TfIdf index_of(const std::vector<Term>& terms) {
  std::vector<std::string> documents;
  for (const Term& term : terms) documents.push_back(term.document());
  return TfIdf::fit(documents, {.sublinear_tf = true});
}

// Rows whose label is a known term.
struct LabelledRows {
  std::vector<std::size_t> rows, terms;
};

LabelledRows labelled_rows(const TextSample& sample, const TermList& list, Score& score) {
  LabelledRows out;
  for (std::size_t row = 0; row < sample.size(); ++row)
    if (const auto term = list.find(sample.labels[row])) {
      out.rows.push_back(row);
      out.terms.push_back(*term);
    }
  if (const std::size_t unknown = sample.size() - out.rows.size(); unknown > 0)
    score.warnings.push_back(message("Left out: ", unknown, " of ", counted(sample.size(), "row"),
                                     " with a label that is not in the term list."));
  return out;
}

// gains[row][k]: what row's text is worth if its label were the k-th of the labels that occur.
struct Recovery {
  std::vector<double> own;         // by row: with its own label
  std::vector<double> by_shuffle;  // by row: mean over the labels of all rows
};

Recovery recover(const TfIdf& index, const TextSample& sample, const LabelledRows& rows, Measure measure,
                 const EvaluationContext& context) {
  std::map<std::size_t, double> frequency;  // of each label among the rows
  for (const std::size_t term : rows.terms) frequency[term] += 1 / static_cast<double>(rows.terms.size());
  Recovery out{std::vector<double>(rows.rows.size()), std::vector<double>(rows.rows.size())};
  parallel_for(
      rows.rows.size(),
      [&](std::size_t i) {
        context.cancel.check();
        const std::size_t depth = measure == Measure::mrr ? 0 : measure == Measure::top1 ? 1 : 10;
        const std::vector<Hit> hits = index.search(sample.texts[rows.rows[i]], depth);
        for (std::size_t place = 0; place < hits.size(); ++place) {
          const double worth = gain(measure, place + 1);
          if (hits[place].document == rows.terms[i]) out.own[i] = worth;
          if (const auto found = frequency.find(hits[place].document); found != frequency.end())
            out.by_shuffle[i] += found->second * worth;
        }
      },
      context.threads);
  return out;
}

// What the retriever finds when the text is the label's name and nothing else: more it cannot be asked to do.
Bound name_ceiling(const TfIdf& index, const TermList& list, const LabelledRows& rows, Measure measure) {
  RatioRows ratio;
  std::map<std::size_t, double> known;
  for (const std::size_t term : rows.terms) {
    const auto [entry, fresh] = known.try_emplace(term, 0);
    if (fresh) entry->second = gain(measure, index.rank_of(list.terms()[term].name, term));
    ratio.add(entry->second);
  }
  return {*ratio.value(),
          message("the label's name alone as the text (", counted(known.size(), "label"), ")")};
}

void add_parts(Score& score, const TermList& list, const LabelledRows& rows, const Recovery& recovery) {
  std::map<std::size_t, RatioRows> by_label;
  for (std::size_t i = 0; i < rows.terms.size(); ++i) by_label[rows.terms[i]].add(recovery.own[i]);
  for (const auto& [term, ratio] : by_label)
    score.parts.push_back(
        {list.terms()[term].id, ratio.value(), ratio.numerator.size(), list.terms()[term].name});
}

}  // namespace

std::string_view LabelRecovery::name() const {
  constexpr std::string_view names[] = {"label_recovery_top1", "label_recovery_top10", "label_recovery_mrr"};
  return names[static_cast<int>(measure_)];
}

Score LabelRecovery::evaluate(const Table*, const Table& synthetic, const EvaluationContext& context) const {
  constexpr const char* estimands[] = {
      "Share of rows whose label is the first term that a retriever finds from the text.",
      "Share of rows whose label is among the first ten terms that a retriever finds from the text.",
      "Mean over rows of 1 / place of the row's label among the terms that a retriever finds from the text."};
  Score score = start_score(*this, estimands[static_cast<int>(measure_)],
                            "TF-IDF (1 + ln tf, smooth idf, cosine) over name, synonyms and definition");
  if (!context.terms || context.terms->rows() == 0)
    return undefined(std::move(score), "No term list was given to find labels in.");
  const TextSample sample = text_sample(synthetic, context, score, SplitWords::no);
  if (sample.labels.empty())
    return undefined(std::move(score), sample.size() == 0 ? "There are no texts."
                                                          : "The table has no label column (role 'label').");
  const TermList list(*context.terms);
  const LabelledRows rows = labelled_rows(sample, list, score);
  if (rows.rows.empty()) return undefined(std::move(score), "No row has a label of the term list.");
  const TfIdf index = index_of(list.terms());
  const Recovery recovery = recover(index, sample, rows, measure_, context);
  RatioRows own{.numerator = {}, .denominator = {}, .share = measure_ != Measure::mrr};
  RatioRows shuffled;
  for (std::size_t i = 0; i < rows.rows.size(); ++i)
    own.add(recovery.own[i]), shuffled.add(recovery.by_shuffle[i]);
  set_ratio(score, own, sample.units.take(rows.rows), context);
  score.floor =
      Bound{*shuffled.value(), message("labels shuffled among rows, exact expectation; a blind guess "
                                       "among all terms finds 1 in ",
                                       list.terms().size())};
  score.ceiling = name_ceiling(index, list, rows, measure_);
  add_parts(score, list, rows, recovery);
  return score;
}

}  // namespace synthema
