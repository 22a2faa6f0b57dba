#include "synthema/evaluate/privacy/anonymity.hpp"

#include <limits>
#include <set>

#include "src/evaluate/key_cells.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using detail::Key;
using detail::KeyHash;
using enum AnonymityMeasure;

struct Class {
  std::size_t synthetic = 0, training = 0, holdout = 0;
  std::set<Key> secrets, real_secrets;
};
using Classes = std::unordered_map<Key, Class, KeyHash>;

struct Definition {
  std::string_view name;
  const char *estimand, *definition;
  bool secrets, holdout;
};
constexpr Definition kKinds[] = {
    {"k_anonymity", "Fewest synthetic rows that agree in all quasi-identifiers.", "Sweeney 2002", false,
     false},
    {"l_diversity", "Fewest different secrets among synthetic rows that agree in all quasi-identifiers.",
     "distinct l-diversity (Machanavajjhala et al. 2007)", true, false},
    {"k_map", "Fewest real people who agree in all quasi-identifiers with a synthetic row that fits anybody.",
     "El Emam and Dankar 2008; training and holdout rows are the population", false, false},
    {"delta_presence",
     "Largest share of training rows among the real people who agree with a synthetic row in all "
     "quasi-identifiers.",
     "Nergiz et al. 2007; training and holdout rows are the population", false, true}};

const Definition& kind_of(AnonymityMeasure measure) {
  return kKinds[static_cast<std::size_t>(measure)];
}

// Smallest over the classes of `of(class)`; classes for which it is 0 are left out.
template <class Of>
std::size_t fewest(const Classes& classes, const Of& of) {
  std::size_t out = std::numeric_limits<std::size_t>::max();
  for (const auto& [key, one] : classes)
    if (const std::size_t count = of(one); count > 0) out = std::min(out, count);
  return out;
}

void score_minimum(Score& score, AnonymityMeasure measure, const Classes& classes, std::size_t rows) {
  const auto of = [&](const Class& one) -> std::size_t {
    if (measure == k_anonymity) return one.synthetic;
    if (measure == l_diversity) return one.secrets.size();
    return one.synthetic > 0 ? one.training + one.holdout : 0;
  };
  const std::size_t least = fewest(classes, of);
  if (least == std::numeric_limits<std::size_t>::max()) {
    score.undefined = "No synthetic row agrees with a real one in all quasi-identifiers.";
    return;
  }
  score.value = static_cast<double>(least);
  std::size_t at_least = 0;
  for (const auto& [key, one] : classes) at_least += of(one) == least ? one.synthetic : 0;
  score.parts.push_back({"synthetic rows in such classes", static_cast<double>(at_least), rows, ""});
  const auto of_real = [&](const Class& one) -> std::size_t {
    return measure == l_diversity ? one.real_secrets.size() : one.training;
  };
  if (measure != k_map)
    score.parts.push_back({"the training rows' own", static_cast<double>(fewest(classes, of_real)), 0, ""});
}

void score_presence(Score& score, const Classes& classes, std::size_t training, std::size_t holdout) {
  double worst = -1;
  std::size_t certain = 0, rows = 0;
  for (const auto& [key, one] : classes) {
    const std::size_t people = one.training + one.holdout;
    if (one.synthetic == 0 || people == 0) continue;
    const double share = static_cast<double>(one.training) / static_cast<double>(people);
    worst = std::max(worst, share);
    rows += one.training;
    certain += one.holdout == 0 ? one.training : 0;
  }
  if (worst < 0) {
    score.undefined = "No synthetic row agrees with a real one in all quasi-identifiers.";
    return;
  }
  score.value = worst;
  const double base = static_cast<double>(training) / static_cast<double>(training + holdout);
  score.ceiling = Bound{base, "share of training rows among all real rows"};
  score.parts.push_back({"training rows in classes without holdout rows", static_cast<double>(certain), rows,
                         "n: training rows that agree with a synthetic row"});
}

}  // namespace

Anonymity::Anonymity(AnonymityMeasure measure, DisclosureOptions options)
    : measure_(measure), options_(std::move(options)) {
  if (options_.bins == 0) throw ConfigError({.field = "bins"}, "There must be at least one bin.");
  detail::check_disclosure(options_);
}

std::string_view Anonymity::name() const {
  return kind_of(measure_).name;
}
Direction Anonymity::direction() const {
  return measure_ == delta_presence ? Direction::lower : Direction::higher;
}
Range Anonymity::range() const {
  if (measure_ == delta_presence) return {0, 1};
  return {0, std::numeric_limits<double>::infinity()};
}

Score Anonymity::evaluate(const Table* real, const Table& synthetic, const EvaluationContext& context) const {
  const Definition& kind = kind_of(measure_);
  Score score = start_score(*this, kind.estimand, kind.definition);
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (options_.known.empty()) return undefined(std::move(score), "No quasi-identifiers were named.");
  const Table* holdout = context.holdout && context.holdout->rows() > 0 ? context.holdout.get() : nullptr;
  if (kind.holdout && !holdout) return undefined(std::move(score), "No holdout was given.");
  const std::vector<std::string> secrets =
      kind.secrets ? detail::secrets_of(*real, options_) : std::vector<std::string>();
  if (kind.secrets && secrets.empty())
    return undefined(std::move(score), "No sensitive columns were named, and the schema marks none.");
  if (real->rows() == 0 || synthetic.rows() == 0)
    return undefined(std::move(score), "One of the tables has no rows.");
  detail::require_columns(options_.known, *real, synthetic, holdout);
  detail::require_columns(secrets, *real, synthetic, holdout);

  detail::KeyCells known(*real, options_.known, options_.bins), secret(*real, secrets, options_.bins);
  Classes classes;
  const std::vector<Key> keys = known.of(synthetic), values = secret.of(synthetic);
  for (std::size_t row = 0; row < keys.size(); ++row) {
    Class& one = classes[keys[row]];
    ++one.synthetic;
    if (kind.secrets) one.secrets.insert(values[row]);
  }
  const std::vector<Key> real_keys = known.of(*real), real_values = secret.of(*real);
  for (std::size_t row = 0; row < real_keys.size(); ++row) {
    Class& one = classes[real_keys[row]];
    ++one.training;
    if (kind.secrets) one.real_secrets.insert(real_values[row]);
  }
  if (holdout)
    for (const Key& key : known.of(*holdout)) ++classes[key].holdout;

  score.n = synthetic.rows();
  score.no_interval = "It hangs on the smallest class, which a bootstrap of rows does not vary validly.";
  if (measure_ == delta_presence)
    score_presence(score, classes, real->rows(), holdout->rows());
  else
    score_minimum(score, measure_, classes, synthetic.rows());
  return score;
}

}  // namespace synthema
