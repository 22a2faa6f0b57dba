#include "synthema/evaluate/longitudinal/code_probabilities.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "src/evaluate/association.hpp"
#include "src/evaluate/histories.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/samples.hpp"

namespace synthema {

namespace {

using Codes = std::vector<std::uint32_t>;
using Counts = std::unordered_map<std::uint64_t, double>;

constexpr std::uint64_t key(std::uint32_t a, std::uint32_t b) {
  return (std::uint64_t{a} << 32) | b;
}

// Calls found(key) for everything of this kind in visit v of a subject; a key may come twice.
template <class Found>
void each_key(const std::vector<Codes>& visits, std::size_t v, CodesOf of, const Found& found) {
  const Codes& codes = visits[v];
  switch (of) {
    case CodesOf::visit:
      for (const std::uint32_t code : codes) found(code);
      break;
    case CodesOf::pair:
      for (std::size_t a = 0; a < codes.size(); ++a)
        for (std::size_t b = a + 1; b < codes.size(); ++b) found(key(codes[a], codes[b]));
      break;
    case CodesOf::next:
      if (v == 0) break;
      for (const std::uint32_t before : visits[v - 1])
        for (const std::uint32_t code : codes) found(key(before, code));
      break;
  }
}

struct Probabilities {
  Counts of_visit, of_subject;
};

Probabilities probabilities(const detail::Visits& all, CodesOf of) {
  Probabilities out;
  std::vector<std::uint64_t> seen;
  std::size_t with_next = 0;
  for (const auto& visits : all.of_subject) {
    seen.clear();
    for (std::size_t v = 0; v < visits.size(); ++v)
      each_key(visits, v, of, [&](std::uint64_t found) {
        ++out.of_visit[found];
        seen.push_back(found);
      });
    std::sort(seen.begin(), seen.end());
    seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
    for (const std::uint64_t found : seen) ++out.of_subject[found];
    with_next += visits.size() - 1;
  }
  const auto visits = static_cast<double>(of == CodesOf::next ? with_next : all.visits);
  for (auto& [found, count] : out.of_visit) count /= visits;
  for (auto& [found, count] : out.of_subject) count /= static_cast<double>(all.of_subject.size());
  return out;
}

struct Fit {
  std::optional<double> r2, squared_correlation;
  std::size_t keys = 0;
};

// Over the keys of both, in their order, so that sums do not depend on a hash map.
Fit fit(const Counts& real, const Counts& synthetic) {
  std::vector<std::uint64_t> keys;
  for (const auto& [found, p] : real) keys.push_back(found);
  for (const auto& [found, p] : synthetic)
    if (!real.contains(found)) keys.push_back(found);
  std::vector<std::pair<double, double>> values;
  for (const std::uint64_t found : keys) {
    const auto r = real.find(found), s = synthetic.find(found);
    values.emplace_back(r == real.end() ? 0 : r->second, s == synthetic.end() ? 0 : s->second);
  }
  std::sort(values.begin(), values.end());
  std::vector<double> r, s;
  double sum = 0;
  for (const auto& [a, b] : values) r.push_back(a), s.push_back(b), sum += a;
  Fit out{std::nullopt, std::nullopt, keys.size()};
  if (keys.size() < 2) return out;
  const double mean = sum / static_cast<double>(keys.size());
  double apart = 0, spread = 0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    apart += (r[i] - s[i]) * (r[i] - s[i]);
    spread += (r[i] - mean) * (r[i] - mean);
  }
  if (spread > 0) out.r2 = 1 - apart / spread;
  if (const auto correlation = detail::pearson(r, s)) out.squared_correlation = *correlation * *correlation;
  return out;
}

// What pairs of codes would score that are as frequent as real ones but independent of each other: of all
// pairs, of which only those that occur need to be looked at one by one.
std::optional<double> independent(const Probabilities& real, const Counts& codes, bool ordered) {
  std::map<std::uint64_t, double> sorted(codes.begin(), codes.end());
  double squares = 0, fourths = 0;
  for (const auto& [code, p] : sorted) squares += p * p, fourths += p * p * p * p;
  const auto n = static_cast<double>(sorted.size());
  const double pairs = ordered ? n * n : n * (n - 1) / 2;
  double predicted = ordered ? squares * squares : (squares * squares - fourths) / 2;  // sum of (p q)^2
  double apart = 0, total = 0, total_squares = 0;
  std::map<std::uint64_t, double> found(real.of_visit.begin(), real.of_visit.end());
  for (const auto& [pair, r] : found) {
    const auto a = sorted.find(pair >> 32), b = sorted.find(pair & 0xFFFFFFFF);
    const double product = (a == sorted.end() ? 0 : a->second) * (b == sorted.end() ? 0 : b->second);
    apart += (r - product) * (r - product);
    predicted -= product * product;
    total += r;
    total_squares += r * r;
  }
  const double spread = total_squares - total * total / pairs;
  if (!(pairs >= 2) || !(spread > 0)) return std::nullopt;
  return 1 - (apart + std::max(0.0, predicted)) / spread;
}

constexpr std::string_view kEstimands[] = {
    "How well synthetic code probabilities predict the real ones, by visit.",
    "How well synthetic probabilities of two codes in one visit predict the real ones.",
    "How well synthetic probabilities of a code followed by a code of the next visit predict the real ones."};

}  // namespace

Score CodeProbabilities::evaluate(const Table* real, const Table& synthetic,
                                  const EvaluationContext& context) const {
  Score score = start_score(*this, std::string(kEstimands[static_cast<int>(of_)]),
                            "r2_score over all keys of both tables (HALO; Theodorou et al. 2023)");
  if (!real) return undefined(std::move(score), "No real table was given.");
  if (std::string reason = detail::lacks_histories(*real, synthetic); !reason.empty())
    return undefined(std::move(score), std::move(reason));
  const std::vector<std::string> columns = detail::code_columns(*real);
  if (std::string reason = detail::lacks_codes(synthetic, columns, *real); !reason.empty())
    return undefined(std::move(score), std::move(reason));
  detail::CodeBook book;
  const auto visits = [&](const Table& table, std::string_view whose) {
    return detail::visits_of(table, detail::histories_of(table, whose, score), columns, book);
  };
  const detail::Visits of_real = visits(*real, "real"), of_synthetic = visits(synthetic, "synthetic");
  if (of_real.visits == 0 || of_synthetic.visits == 0)
    return undefined(std::move(score), "One of the tables has no visit.");
  const Probabilities r = probabilities(of_real, of_), s = probabilities(of_synthetic, of_);
  const Fit found = fit(r.of_visit, s.of_visit), by_subject = fit(r.of_subject, s.of_subject);
  score.n = of_synthetic.visits;
  if (!found.r2)
    return undefined(
        std::move(score),
        "There are fewer than two different keys in the real visits, or all are equally likely.");
  score.value = found.r2;
  score.no_interval =
      "Resampled patients add noise to every probability, which lowers R2: a bootstrap is biased.";
  score.parts = {{"keys", static_cast<double>(found.keys), found.keys, "that either table has"},
                 {"by patient", by_subject.r2, of_synthetic.of_subject.size(), "R2 of shares of patients"},
                 {"squared correlation", found.squared_correlation, found.keys, "hides a wrong scale"}};
  if (of_ == CodesOf::visit)
    score.floor = Bound{0, "theory: every code has the mean probability"};
  else if (const auto loose =
               independent(r, probabilities(of_real, CodesOf::visit).of_visit, of_ == CodesOf::next))
    score.floor = Bound{*loose, "real codes, independent of each other"};
  if (context.holdout && detail::lacks_histories(*context.holdout).empty() &&
      detail::lacks_codes(*context.holdout, columns, *real).empty()) {
    const detail::Visits held = visits(*context.holdout, "holdout");
    if (held.visits > 0)
      if (const Fit fresh = fit(r.of_visit, probabilities(held, of_).of_visit); fresh.r2)
        score.ceiling = Bound{*fresh.r2, message("holdout, ", counted(held.of_subject.size(), "patient"))};
  }
  return score;
}

}  // namespace synthema
