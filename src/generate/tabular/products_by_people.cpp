#include "src/generate/tabular/products_by_people.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "src/generate/tabular/coding_learner.hpp"
#include "src/generate/tabular/normal_scores.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema::detail {

namespace {

constexpr double kCharged = 2;

// Rows of each person, from the first to below the second of `rows`, in which they stand together.
std::vector<std::pair<Eigen::Index, Eigen::Index>> blocks_of(std::span<const std::uint32_t> rows,
                                                             std::span<const std::uint32_t> people) {
  std::vector<std::pair<Eigen::Index, Eigen::Index>> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    if (i == 0 || people[rows[i]] != people[rows[i - 1]]) out.emplace_back(at, at);
    out.back().second = at + 1;
  }
  return out;
}

}  // namespace

Matrix products_by_people(const Matrix& scores, const Matrix& both, std::span<const std::uint32_t> people,
                          std::size_t threads) {
  Matrix out = scores.transpose() * scores;
  const std::vector<std::uint32_t> rows = rows_by_person(people);
  const auto blocks = blocks_of(rows, people);
  if (blocks.size() == rows.size()) return out;
  RowMatrix sorted(scores.rows(), scores.cols());
  for (std::size_t i = 0; i < rows.size(); ++i)
    sorted.row(static_cast<Eigen::Index>(i)) = scores.row(rows[i]);
  RowMatrix squares(static_cast<Eigen::Index>(blocks.size()), scores.cols());  // sums over a person's rows
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const auto [from, to] = blocks[b];
    squares.row(static_cast<Eigen::Index>(b)) = sorted.middleRows(from, to - from).colwise().squaredNorm();
  }
  const Matrix correlations = (both.array() > 0).select(out.array() / both.array(), 0.0);
  Matrix shrunk = out;
  parallel_for(
      static_cast<std::size_t>(out.cols()),
      [&](std::size_t column) {
        const auto i = static_cast<Eigen::Index>(column);
        const Eigen::ArrayXd correlation = correlations.col(i).head(i) / 2;
        Eigen::ArrayXd variance = Eigen::ArrayXd::Zero(i);
        for (std::size_t b = 0; b < blocks.size(); ++b) {
          const auto [from, to] = blocks[b];
          const auto own = sorted.middleRows(from, to - from);
          const auto square = squares.row(static_cast<Eigen::Index>(b));
          const Eigen::ArrayXd added = (own.leftCols(i).transpose() * own.col(i)).array() -
                                       correlation * (square.head(i).transpose().array() + square(i));
          variance += added.square();
        }
        for (Eigen::Index j = 0; j < i; ++j) {
          const double sum = out(i, j);
          if (sum != 0)
            shrunk(i, j) = shrunk(j, i) = sum * std::max(0.0, 1 - kCharged * variance(j) / (sum * sum));
        }
      },
      threads);
  return shrunk;
}

}  // namespace synthema::detail
