#include "synthema/evaluate/text/ontology_linking.hpp"

#include <map>
#include <optional>

#include "src/evaluate/embedded_texts.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

struct Link {
  std::size_t term = 0;
  float cosine = -2;
};

// Every wording of every term, as vectors.
class Linker {
 public:
  Linker(const std::vector<Term>& terms, bool definitions, const EvaluationContext& context)
      : first_(terms.size()) {
    std::vector<std::string> wordings;
    const auto add = [&](std::size_t term, const std::string& wording) {
      if (wording.empty()) return;
      wordings.push_back(wording);
      terms_.push_back(term);
    };
    for (std::size_t term = 0; term < terms.size(); ++term) {
      first_[term] = wordings.size();
      for (const std::string& name : terms[term].names()) add(term, name);
      synonyms_.push_back(wordings.size() - first_[term]);
      if (definitions) add(term, terms[term].definition);
    }
    vectors_ = detail::embedded_texts(context, wordings);
  }

  // Best term for each column of `queries`. `without[i]`: a wording that query i may not be linked by.
  std::vector<Link> link(const Eigen::MatrixXf& queries, const EvaluationContext& context,
                         const std::vector<std::size_t>& without = {}) const {
    constexpr std::size_t block = 32;
    const auto count = static_cast<std::size_t>(queries.cols());
    std::vector<Link> out(count);
    parallel_for((count + block - 1) / block,
                 [&](std::size_t b) {
                   context.cancel.check();
                   const std::size_t begin = b * block, size = std::min(block, count - begin);
                   const Eigen::MatrixXf cosines =
                       vectors_.transpose() *
                       queries.middleCols(static_cast<Eigen::Index>(begin), static_cast<Eigen::Index>(size));
                   for (std::size_t i = 0; i < size; ++i)
                     out[begin + i] =
                         best(cosines.col(static_cast<Eigen::Index>(i)),
                              without.empty() ? std::nullopt : std::optional(without[begin + i]));
                 },
                 context.threads);
    return out;
  }

  // The wording that is a term's name, and those that are its synonyms.
  std::size_t name_of(std::size_t term) const { return first_[term]; }
  std::size_t end_of_synonyms(std::size_t term) const { return first_[term] + synonyms_[term]; }
  Eigen::MatrixXf columns(const std::vector<std::size_t>& wordings) const {
    Eigen::MatrixXf out(vectors_.rows(), static_cast<Eigen::Index>(wordings.size()));
    for (std::size_t i = 0; i < wordings.size(); ++i)
      out.col(static_cast<Eigen::Index>(i)) = vectors_.col(static_cast<Eigen::Index>(wordings[i]));
    return out;
  }

 private:
  template <class Column>
  Link best(const Column& cosines, std::optional<std::size_t> without) const {
    Link out;
    for (std::size_t w = 0; w < terms_.size(); ++w) {
      const float cosine = cosines(static_cast<Eigen::Index>(w));
      if (cosine > out.cosine && w != without) out = {terms_[w], cosine};
    }
    return out;
  }

  std::vector<std::size_t> first_, synonyms_;  // by term: its first wording; how many are names
  std::vector<std::size_t> terms_;             // by wording
  Eigen::MatrixXf vectors_;
};

// Sums over rows: the expected number of correct links, since a floor is an expectation.
struct Links {
  OntologyLinking::Measure measure;
  RatioRows ratio{};
  std::vector<std::size_t> kept{};  // rows that count: all, or for precision the linked ones

  void add(std::size_t row, bool linked, double correct) {
    if (measure == OntologyLinking::Measure::precision && !linked) return;
    kept.push_back(row);
    if (measure == OntologyLinking::Measure::f1)
      ratio.add(2 * correct, linked ? 2 : 1);
    else
      ratio.add(correct);
  }
};

// Rows whose label is a known term.
struct Labelled {
  std::vector<std::size_t> rows, terms;
  std::vector<std::string> texts;
};

Labelled labelled(const TextSample& sample, const TermList& list, Score& score) {
  Labelled out;
  for (std::size_t row = 0; row < sample.size(); ++row)
    if (const auto term = list.find(sample.labels[row])) {
      out.rows.push_back(row);
      out.terms.push_back(*term);
      out.texts.push_back(sample.texts[row]);
    }
  if (const std::size_t unknown = sample.size() - out.rows.size(); unknown > 0)
    score.warnings.push_back(message("Left out: ", unknown, " of ", counted(sample.size(), "row"),
                                     " with a label that is not in the term list."));
  return out;
}

// What some wordings of the terms score as texts of their own.
std::optional<double> of_wordings(const Linker& linker, const std::vector<std::size_t>& terms,
                                  const std::vector<std::size_t>& wordings, bool without_itself,
                                  const Links& empty, double threshold, const EvaluationContext& context) {
  const std::vector<Link> found =
      linker.link(linker.columns(wordings), context, without_itself ? wordings : std::vector<std::size_t>());
  Links links = empty;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool linked = found[i].cosine >= threshold;
    links.add(i, linked, linked && found[i].term == terms[i] ? 1 : 0);
  }
  return links.ratio.value();
}

void add_ceiling(Score& score, const Linker& linker, const Labelled& rows, const Links& empty,
                 double threshold, const EvaluationContext& context) {
  std::vector<std::size_t> names, terms, synonyms;
  for (const std::size_t term : rows.terms) names.push_back(linker.name_of(term));
  if (const auto value = of_wordings(linker, rows.terms, names, false, empty, threshold, context))
    score.ceiling = Bound{*value, "each label's name alone as the text"};
  std::map<std::size_t, std::size_t> labels;
  for (const std::size_t term : rows.terms) ++labels[term];
  for (const auto& [term, count] : labels)
    for (std::size_t w = linker.name_of(term) + 1; w < linker.end_of_synonyms(term); ++w) {
      terms.push_back(term);
      synonyms.push_back(w);
    }
  score.parts.push_back({"synonyms of the labels, each without itself",
                         of_wordings(linker, terms, synonyms, true, empty, threshold, context),
                         synonyms.size(), ""});
}

}  // namespace

OntologyLinking::OntologyLinking(Measure measure, const OntologyLinkingOptions& options)
    : measure_(measure), options_(options) {
  if (!(options.threshold >= -1 && options.threshold <= 1))
    throw ConfigError({.field = "linking_threshold"}, "The smallest cosine of a link is from -1 to 1.");
}

std::string_view OntologyLinking::name() const {
  constexpr std::string_view names[] = {"ontology_linking_precision", "ontology_linking_recall",
                                        "ontology_linking_f1"};
  return names[static_cast<int>(measure_)];
}

Score OntologyLinking::evaluate(const Table*, const Table& synthetic,
                                const EvaluationContext& context) const {
  constexpr const char* estimands[] = {
      "Share of linked rows whose link is their label.", "Share of rows that are linked to their label.",
      "Harmonic mean of the precision and the recall of links from rows to their labels."};
  Score score =
      start_score(*this, estimands[static_cast<int>(measure_)],
                  message("one link a row, to the term whose name",
                          options_.definitions ? ", synonym or definition" : " or synonym",
                          " has the largest cosine, if at least ", options_.threshold,
                          "; exact identifiers, micro-averaged",
                          context.embedder_name.empty() ? "" : "; encoder " + context.embedder_name));
  if (!context.embedder) return undefined(std::move(score), "No embedder was given.");
  if (!context.terms || context.terms->rows() == 0)
    return undefined(std::move(score), "No term list was given to link texts to.");
  const TextSample sample = text_sample(synthetic, context, score, SplitWords::no);
  if (sample.labels.empty())
    return undefined(std::move(score), sample.size() == 0 ? "There are no texts."
                                                          : "The table has no label column (role 'label').");
  const TermList list(*context.terms);
  const Labelled rows = labelled(sample, list, score);
  if (rows.rows.empty()) return undefined(std::move(score), "No row has a label of the term list.");
  const Linker linker(list.terms(), options_.definitions, context);
  const std::vector<Link> found = linker.link(detail::embedded_texts(context, rows.texts), context);
  std::map<std::size_t, double> frequency;
  for (const std::size_t term : rows.terms) frequency[term] += 1 / static_cast<double>(rows.terms.size());
  const Links empty{measure_};
  Links own = empty, shuffled = empty;
  own.ratio.share = measure_ != Measure::f1;
  std::size_t linked_rows = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const bool linked = found[i].cosine >= options_.threshold;
    const auto chance = frequency.find(found[i].term);
    linked_rows += linked ? 1 : 0;
    own.add(rows.rows[i], linked, linked && found[i].term == rows.terms[i] ? 1 : 0);
    shuffled.add(i, linked, linked && chance != frequency.end() ? chance->second : 0);
  }
  if (own.kept.empty())
    return undefined(std::move(score),
                     message("No text has a cosine of ", options_.threshold, " or more with any term."));
  set_ratio(score, own.ratio, sample.units.take(own.kept), context);
  score.floor = Bound{*shuffled.ratio.value(), "labels shuffled among rows, exact expectation"};
  score.parts.push_back({"linked rows", static_cast<double>(linked_rows) / static_cast<double>(found.size()),
                         found.size(), ""});
  add_ceiling(score, linker, rows, empty, options_.threshold, context);
  return score;
}

}  // namespace synthema
