#include "synthema/generate/tabular/gaussian_copula.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>

#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "synthema/generate/tabular/conditions.hpp"

namespace synthema {

namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<double, Eigen::Dynamic, 1>;

constexpr double kLeastEigenvalue = 1e-6, kMostCorrelated = 0.9999;

double normal_density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
}
double normal_share(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

// Share below a code and with it.
std::pair<double, double> share_of(const OwnedCounts& counts, std::uint32_t code) {
  const auto at = static_cast<std::size_t>(std::lower_bound(counts.codes.begin(), counts.codes.end(), code) -
                                           counts.codes.begin());
  const double total = counts.view().total();
  const double below = at == 0 ? 0.0 : counts.cumulative[at - 1];
  const double with = at < counts.codes.size() && counts.codes[at] == code ? counts.cumulative[at] : below;
  return {below / total, with / total};
}

// Normal score of each code, standardised, and the correlation of the score with its normal variable.
struct Scores {
  std::vector<double> by_code;  // labels that are not handed on get that of the middle
  double loading = 0;           // 0: a constant column
};

Scores scores_of(const OwnedCounts& counts, std::size_t codes) {
  Scores out;
  out.by_code.assign(codes, 0.0);
  if (counts.codes.empty()) return out;
  double mean = 0, square = 0, product = 0, below = 0, density = 0;
  const double total = counts.view().total();
  for (std::size_t i = 0; i < counts.codes.size(); ++i) {
    const double with = counts.cumulative[i] / total, share = with - below;
    const double score = normal_quantile((below + with) / 2);
    const double density_with = with < 1 ? normal_density(normal_quantile(with)) : 0;
    out.by_code[counts.codes[i]] = score;
    mean += share * score;
    square += share * score * score;
    product += score * (density - density_with);  // E[score(x) x], part by part
    below = with;
    density = density_with;
  }
  const double deviation = std::sqrt(std::max(square - mean * mean, 0.0));
  if (counts.codes.size() < 2 || !(deviation > 0)) {
    std::fill(out.by_code.begin(), out.by_code.end(), 0.0);
    return out;
  }
  std::vector<bool> counted(codes);
  for (const std::uint32_t code : counts.codes) counted[code] = true;
  for (std::size_t code = 0; code < codes; ++code)
    if (counted[code]) out.by_code[code] = (out.by_code[code] - mean) / deviation;
  out.loading = std::min(1.0, product / deviation);
  return out;
}

// Clips eigenvalues and scales the diagonal back to one.
Matrix nearest_correlation(const Matrix& raw) {
  Matrix out = raw;
  if (Eigen::LLT<Matrix>(raw).info() != Eigen::Success) {
    const Eigen::SelfAdjointEigenSolver<Matrix> solver(raw);
    const Vector values = solver.eigenvalues().cwiseMax(kLeastEigenvalue);
    out = solver.eigenvectors() * values.asDiagonal() * solver.eigenvectors().transpose();
  }
  const Vector scale = out.diagonal().cwiseSqrt().cwiseInverse();
  return scale.asDiagonal() * out * scale.asDiagonal();
}

Matrix lower_factor(Matrix covariance) {
  for (double ridge = 0; ridge < 1; ridge = ridge == 0 ? 1e-9 : ridge * 10) {
    const Eigen::LLT<Matrix> factor(covariance +
                                    ridge * Matrix::Identity(covariance.rows(), covariance.cols()));
    if (factor.info() == Eigen::Success) return factor.matrixL();
  }
  throw GenerationError(
      "The correlations cannot be factorised; fit again, or leave out columns that are equal.");
}

// The normal distribution of the free columns given the fixed ones.
struct Given {
  std::vector<Eigen::Index> fixed, free;
  Matrix weights;  // {free, fixed}
  Matrix factor;   // of the covariance that is left
};

Given given(const Matrix& correlations, const std::vector<bool>& is_fixed) {
  Given out;
  for (std::size_t i = 0; i < is_fixed.size(); ++i)
    (is_fixed[i] ? out.fixed : out.free).push_back(static_cast<Eigen::Index>(i));
  const Matrix across = correlations(out.free, out.fixed);
  Matrix left = correlations(out.free, out.free);
  out.weights = Matrix::Zero(across.rows(), across.cols());
  if (!out.fixed.empty()) {
    const Matrix among = correlations(out.fixed, out.fixed);
    out.weights = among.ldlt().solve(across.transpose()).transpose();
    left -= out.weights * across.transpose();
    left = (left + left.transpose()) / 2;
  }
  if (!out.free.empty()) out.factor = lower_factor(left);
  return out;
}

double unit(std::uint32_t bits) {
  return (bits + 0.5) / 4294967296.0;
}

// A normal score from the share of a fixed cell, or of its being there.
double fixed_score(const ColumnCoding& coding, const OwnedCounts& counts, double cell, bool missing,
                   std::uint32_t bits) {
  auto code = static_cast<std::uint32_t>(cell);
  if (!missing && !coding.is_category())
    code = static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(
        std::lower_bound(coding.values.begin(), coding.values.end(), cell) - coding.values.begin(),
        static_cast<std::ptrdiff_t>(coding.values.size()) - 1));
  const auto [below, with] = share_of(counts, code);
  const double share = below + (with - below) * unit(bits);
  return normal_quantile(std::clamp(share, 1e-9, 1 - 1e-9));
}

}  // namespace

// Abramowitz and Stegun 26.2.23, then Halley's steps to full precision.
double normal_quantile(double share) {
  if (share > 0.5) return -normal_quantile(1 - share);
  const double t = std::sqrt(-2 * std::log(share));
  double x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (int i = 0; i < 2; ++i) {
    const double error = (normal_share(x) - share) / normal_density(x);
    x -= error / (1 + x * error / 2);
  }
  return x;
}

// The variables of the normal vector: a value of each modelled column, then for each number that may be
// missing whether it is.
std::vector<GaussianCopula::Variable> GaussianCopula::variables_of(const CodedTable& coded,
                                                                   std::span<const OwnedCounts> counts) {
  std::vector<Variable> out;
  for (std::size_t c = 0; c < coded.columns.size(); ++c)
    if (coded.columns[c].modelled()) out.push_back({c, false, counts[c]});
  for (std::size_t i = 0, values = out.size(); i < values; ++i) {
    Variable& value = out[i];
    const ColumnCoding& coding = coded.columns[value.column];
    std::vector<std::uint32_t>& codes = value.counts.codes;
    if (coding.is_category() || codes.empty() || codes.back() != coding.missing_code()) continue;
    const std::uint32_t total = value.counts.cumulative.back();
    codes.pop_back();
    value.counts.cumulative.pop_back();
    const std::uint32_t present = codes.empty() ? 0 : value.counts.cumulative.back();
    out.push_back({value.column, true, {{0, 1}, {present, total}}});
  }
  return out;
}

void GaussianCopula::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  cancel.check();
  GaussianCopula fitted(options_);
  fitted.coded_ = code_table(real, {.rare_below = options_.rare_below, .threads = options_.threads});
  std::vector<OwnedCounts> counts(fitted.coded_.columns.size());
  parallel_for(
      counts.size(),
      [&](std::size_t c) {
        if (fitted.coded_.columns[c].modelled())
          counts[c] = count_codes(fitted.coded_.columns[c], fitted.coded_.codes[c]);
      },
      options_.threads);
  fitted.variables_ = variables_of(fitted.coded_, counts);
  const auto p = static_cast<Eigen::Index>(fitted.variables_.size());
  const auto n = static_cast<Eigen::Index>(real.rows());
  Matrix scores = Matrix::Zero(n, p), present = Matrix::Zero(n, p);
  Vector loadings(p);
  parallel_for(
      fitted.variables_.size(),
      [&](std::size_t i) {
        const Variable& variable = fitted.variables_[i];
        const ColumnCoding& coding = fitted.coded_.columns[variable.column];
        const std::vector<std::uint32_t>& codes = fitted.coded_.codes[variable.column];
        const Scores own = scores_of(variable.counts, variable.missing ? 2 : coding.codes() + 2);
        const auto column = static_cast<Eigen::Index>(i);
        loadings[column] = own.loading;
        for (Eigen::Index row = 0; row < n; ++row) {
          const std::uint32_t code = codes[static_cast<std::size_t>(row)];
          const bool is_missing = code == coding.missing_code();
          if (!variable.missing && is_missing && !coding.is_category()) continue;
          present(row, column) = 1;
          scores(row, column) = own.by_code[variable.missing ? (is_missing ? 1 : 0) : code];
        }
      },
      options_.threads);
  cancel.check();
  // Over the rows in which both are there.
  Matrix raw = scores.transpose() * scores;
  const Matrix rows = present.transpose() * present;
  for (Eigen::Index i = 0; i < p; ++i)
    for (Eigen::Index j = 0; j < p; ++j) {
      const double loading = loadings[i] * loadings[j] * rows(i, j);
      raw(i, j) = i == j        ? 1.0
                  : loading > 0 ? std::clamp(raw(i, j) / loading, -kMostCorrelated, kMostCorrelated)
                                : 0.0;
    }
  const Matrix found = p > 0 ? nearest_correlation(raw) : raw;
  fitted.correlations_.assign(found.data(), found.data() + found.size());
  fitted.coded_.codes.clear();
  fitted.coded_.people.clear();
  if (progress)
    progress(
        {.phase = "fit", .done = fitted.variables_.size(), .total = fitted.variables_.size(), .note = {}});
  *this = std::move(fitted);
}

Table GaussianCopula::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  const std::size_t columns = coded_.columns.size(), p = variables_.size();
  const CellConditions conditions(request.conditions.get(), coded_.columns, name());
  const Random random(request.seed), own = random.stream(1);
  const Eigen::Map<const Matrix> correlations(correlations_.data(), static_cast<Eigen::Index>(p),
                                              static_cast<Eigen::Index>(p));
  // One distribution for each set of columns that a condition fixes.
  std::map<std::vector<bool>, Given> known;
  std::vector<const Given*> by_condition;
  std::vector<double> fixed(columns);
  for (std::size_t i = 0; i < std::max<std::size_t>(1, conditions.rows()); ++i) {
    std::vector<bool> is_fixed(p);
    if (!conditions.empty()) {
      conditions.row(i, fixed);
      for (std::size_t k = 0; k < p; ++k) is_fixed[k] = !std::isnan(fixed[variables_[k].column]);
    }
    auto at = known.find(is_fixed);
    if (at == known.end()) at = known.emplace(is_fixed, given(correlations, is_fixed)).first;
    by_condition.push_back(&at->second);
  }
  std::vector<std::vector<double>> cells(columns);
  for (const Variable& variable : variables_) cells[variable.column].resize(request.rows);
  detail::over_rows(request, options_.threads, [&](std::size_t first, std::size_t last) {
    std::vector<double> wanted(columns);
    for (std::size_t row = first; row < last; ++row) {
      const Given& about = *by_condition[row % by_condition.size()];
      if (!conditions.empty()) conditions.row(row, wanted);
      const auto bits = [&](std::size_t i) { return own.block(row, i); };
      Vector scores(static_cast<Eigen::Index>(about.fixed.size()));
      for (std::size_t k = 0; k < about.fixed.size(); ++k) {
        const auto i = static_cast<std::size_t>(about.fixed[k]);
        const Variable& variable = variables_[i];
        const double cell = wanted[variable.column];
        if (!variable.missing) cells[variable.column][row] = cell;
        scores[static_cast<Eigen::Index>(k)] =
            fixed_score(coded_.columns[variable.column], variable.counts, variable.missing ? 0.0 : cell,
                        variable.missing, bits(i)[0]);
      }
      if (about.free.empty()) continue;
      Vector noise(static_cast<Eigen::Index>(about.free.size()));
      for (std::size_t k = 0; k < about.free.size(); ++k)
        noise[static_cast<Eigen::Index>(k)] =
            normal_quantile(unit(bits(static_cast<std::size_t>(about.free[k]))[0]));
      Vector drawn = about.factor.triangularView<Eigen::Lower>() * noise;
      if (!about.fixed.empty()) drawn += about.weights * scores;
      for (std::size_t k = 0; k < about.free.size(); ++k) {
        const auto i = static_cast<std::size_t>(about.free[k]);
        const Variable& variable = variables_[i];
        double& cell = cells[variable.column][row];
        const double share = normal_share(drawn[static_cast<Eigen::Index>(k)]);
        if (variable.missing) {
          const CodeCounts counts = variable.counts.view();
          if (share * counts.total() >= counts.cumulative[0]) cell = std::numeric_limits<double>::quiet_NaN();
          continue;
        }
        PhiloxBlock block = bits(i);
        block[0] = static_cast<std::uint32_t>(std::clamp(share * 4294967296.0, 0.0, 4294967295.0));
        cell = draw_cell(coded_.columns[variable.column], variable.counts.view(), block);
      }
    }
  });
  return detail::decoded(coded_, cells, request.rows, random, options_.threads);
}

std::string GaussianCopula::save() const {
  detail::require_fitted(fitted());
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"rare_below", options_.rare_below}};
  detail::put_codings(file, coded_);
  for (const Variable& variable : variables_) {
    const std::string key = std::to_string(variable.column);
    detail::put_counts(file, key + (variable.missing ? ".missing" : ".present"), variable.counts);
  }
  file.put("correlations", correlations_);
  return file.file();
}

GaussianCopula GaussianCopula::load(std::string_view bytes, const std::string& path) {
  const detail::ModelArrays file(bytes, path, "gaussian_copula");
  GaussianCopula out;
  out.options_.rare_below =
      file.value<std::size_t>(file.value<detail::ArrayJson>(file.about, "options"), "rare_below");
  out.coded_ = detail::get_codings(file);
  for (const bool missing : {false, true})
    for (std::size_t c = 0; c < out.coded_.columns.size(); ++c) {
      const ColumnCoding& coding = out.coded_.columns[c];
      const std::string key = std::to_string(c) + (missing ? ".missing" : ".present");
      if (!coding.modelled() || (missing && !file.has(key + ".codes"))) continue;
      if (!missing) {
        out.variables_.push_back({c, false, detail::get_counts(file, key, coding)});
        continue;
      }
      OwnedCounts counts{file.get<std::uint32_t>(key + ".codes"),
                         file.get<std::uint32_t>(key + ".cumulative")};
      file.require(counts.codes == std::vector<std::uint32_t>{0, 1} && counts.cumulative.size() == 2 &&
                       counts.cumulative[0] < counts.cumulative[1],
                   "counts of missing values that are none");
      out.variables_.push_back({c, true, std::move(counts)});
    }
  out.correlations_ = file.get<double>("correlations");
  const std::size_t p = out.variables_.size();
  file.require(out.correlations_.size() == p * p, "another number of correlations");
  for (std::size_t i = 0; i < p; ++i)
    for (std::size_t j = 0; j < p; ++j) {
      const double r = out.correlations_[i * p + j];
      file.require(std::abs(r) <= 1.000001 && std::abs(r - out.correlations_[j * p + i]) < 1e-9 &&
                       (i != j || std::abs(r - 1) < 1e-6),
                   "correlations that are none");
    }
  return out;
}

}  // namespace synthema
