#include "src/generate/tabular/normal_scores.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "src/generate/tabular/normal_box.hpp"
#include "synthema/core/normal.hpp"
#include "synthema/core/special_numbers.hpp"

namespace synthema::detail {

namespace {}  // namespace

std::pair<double, double> share_of(const OwnedCounts& counts, std::uint32_t code) {
  const auto at = static_cast<std::size_t>(std::lower_bound(counts.codes.begin(), counts.codes.end(), code) -
                                           counts.codes.begin());
  const double total = counts.view().total();
  const double below = at == 0 ? 0.0 : counts.cumulative[at - 1];
  const double with = at < counts.codes.size() && counts.codes[at] == code ? counts.cumulative[at] : below;
  return {below / total, with / total};
}

Scores scores_of(const OwnedCounts& counts, std::size_t codes) {
  std::vector<double> scores, cumulative;
  double mean = 0, square = 0, below = 0;
  const double total = counts.view().total();
  for (const std::uint32_t rows : counts.cumulative) {
    const double with = rows / total;
    scores.push_back(normal_quantile((below + with) / 2));
    cumulative.push_back(with);
    mean += (with - below) * scores.back();
    square += (with - below) * scores.back() * scores.back();
    below = with;
  }
  Scores out{std::vector<double>(codes), hermite_coefficients(scores, cumulative)};
  const double deviation = std::sqrt(std::max(square - mean * mean, 0.0));
  if (deviation > 0)
    for (std::size_t i = 0; i < scores.size(); ++i)
      out.by_code[counts.codes[i]] = (scores[i] - mean) / deviation;
  return out;
}

double score_of_share(double share) {
  return share <= 0 ? -kInfinity : share >= 1 ? kInfinity : normal_quantile(share);
}

std::vector<double> bounds_of(const OwnedCounts& counts) {
  std::vector<double> out{-kInfinity};
  const double total = counts.view().total();
  for (const std::uint32_t with : counts.cumulative)
    out.push_back(with == total ? kInfinity : normal_quantile(with / total));
  return out;
}

std::pair<double, double> scores_of_cell(const ColumnCoding& coding, const OwnedCounts& counts, double cell,
                                         bool missing) {
  constexpr double kEdge = 1e-9;
  const bool is_number = !missing && !coding.is_category();
  if (is_number && std::isnan(cell)) return {-kInfinity, kInfinity};
  double below = 0, with = 0;
  if (is_number) {
    const std::size_t part = coding.part_of(cell);
    const auto [first, last] = coding.codes_in(part, part + 1);
    below = share_of(counts, first).first, with = share_of(counts, last).first;
  } else {
    const bool is_there = missing || !std::isnan(cell);
    std::tie(below, with) =
        share_of(counts, is_there ? static_cast<std::uint32_t>(cell) : coding.missing_code());
  }
  return {below > 0 ? normal_quantile(std::min(below, 1 - kEdge)) : -kInfinity,
          with < 1 ? normal_quantile(std::max(with, kEdge)) : kInfinity};
}

OwnedCounts counts_given(const OwnedCounts& counts, std::span<const double> bounds, double mean,
                         double spread) {
  constexpr double kWhole = 1U << 30;
  OwnedCounts out;
  std::uint32_t total = 0;
  double below = 0;
  for (std::size_t i = 0; i < counts.codes.size(); ++i) {
    const double with = normal_share((bounds[i + 1] - mean) / spread);
    const auto weight = static_cast<std::uint32_t>(std::nearbyint(kWhole * (with - below)));
    below = with;
    if (weight == 0) continue;
    out.codes.push_back(counts.codes[i]);
    out.cumulative.push_back(total += weight);
  }
  return out;
}

double told_noise(const std::pair<double, double>& scores, double mean, double spread, double least,
                  double drawn, std::uint32_t bits) {
  if (spread * spread < least) return drawn;
  return std::clamp(
      confined_normal((scores.first - mean) / spread, (scores.second - mean) / spread, unit_of(bits)),
      -kFarthestTold, kFarthestTold);
}

double least_told(std::size_t variables, double rows) {
  return std::clamp(static_cast<double>(variables) / std::max(rows, 1.0), 0.01, 0.1);
}

double share_of_place(std::span<const double> places, double place) {
  const auto above = std::ranges::upper_bound(places, place);
  if (above == places.begin()) return 0;
  if (above == places.end()) return 1;
  const double low = *(above - 1);
  return (static_cast<double>(above - places.begin() - 1) + (place - low) / (*above - low)) /
         static_cast<double>(places.size() - 1);
}
double place_of_share(std::span<const double> places, double share) {
  const double at = share * static_cast<double>(places.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(at), places.size() - 2);
  return places[below] + (at - static_cast<double>(below)) * (places[below + 1] - places[below]);
}

double Room::score_of(double share) const {
  const double place = std::clamp((share - from) / (to - from), 0.0, 1.0);
  return score_of_share(share_of_place(places, place));
}

double Room::share_of(double score) const {
  return from + (to - from) * place_of_share(places, normal_share(score));
}

bool is_determined(const RuledCell& ruled, const OwnedCounts& counts) {
  if (ruled.columns[ruled.column].is_category()) return ruled.left_of(counts.view()).codes.size() == 1;
  const auto range = ruled.rules.range(ruled.column, ruled.row, ruled.columns);
  return range && range->first == range->second;
}

Matrix lower_factor(const Matrix& covariance) {
  for (double ridge = 0; ridge < 1; ridge = ridge == 0 ? 1e-9 : ridge * 10) {
    const Eigen::LLT<Matrix> factor(covariance +
                                    ridge * Matrix::Identity(covariance.rows(), covariance.cols()));
    if (factor.info() == Eigen::Success) return factor.matrixL();
  }
  throw GenerationError(
      "The correlations cannot be factorised; fit again, or leave out columns that are equal.");
}

double unit_of(std::uint32_t bits) {
  return (bits + 0.5) / 4294967296.0;
}

}  // namespace synthema::detail
