// Biases of a network after noisy learning: they are moved, along the order in which samples are drawn, until
// the classes of each column are as frequent among drawn rows as the column's counts say, which know that
// better.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "src/torch/network_block.hpp"
#include "src/torch/threads_guard.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

using detail::ColumnClasses;
using detail::kTile;

constexpr std::size_t kBlocks = 64, kPasses = 30;
constexpr double kFarthest = 5;  // by which a bias moves

// The shares of the classes of a column in a row, each times its factor.
void weigh(std::span<const double> row, std::span<const double> factors, std::vector<double>& to) {
  double total = 0;
  for (std::size_t c = 0; c < factors.size(); ++c) total += to[c] = row[c] * factors[c];
  for (double& share : to) share /= total;
}

}  // namespace

// The rows that are drawn for it, column after column.
class AnyOrderNetwork::Fitted::Settling {
 public:
  Settling(const Fitted& model, const Random& random) : model_(model), random_(random), rows_(kTile) {
    std::iota(rows_.begin(), rows_.end(), std::size_t{0});
    blocks_.reserve(kBlocks);
    for (std::size_t b = 0; b < kBlocks; ++b) {
      std::vector<std::uint64_t> numbers;
      for (const std::size_t row : rows_) numbers.push_back(b * kTile + row);
      blocks_.emplace_back(model).begin(std::move(numbers));
    }
  }

  // The factors of the column's classes; with these it is then drawn.
  std::vector<double> factors(std::size_t column) {
    read_shares(column);
    const std::vector<double> wanted = model_.classes[column].shares(0);
    std::vector<double> out(wanted.size(), 1.0);
    for (std::size_t pass = 0; pass < kPasses; ++pass) {
      const std::vector<double> drawn = mean_shares(out);
      for (std::size_t c = 0; c < out.size(); ++c)
        if (drawn[c] > 0 && wanted[c] > 0)
          out[c] = std::clamp(out[c] * wanted[c] / drawn[c], std::exp(-kFarthest), std::exp(kFarthest));
    }
    draw(column, out);
    return out;
  }

 private:
  template <class Work>
  void over_blocks(const Work& work) {
    parallel_for(
        kBlocks,
        [&](std::size_t b) {
          const detail::ThreadsGuard alone(1);
          work(b, blocks_[b]);
        },
        model_.threads);
  }

  std::span<const double> shares_of(std::size_t block, std::size_t row, std::size_t classes) const {
    return std::span(shares_[block]).subspan(row * classes, classes);
  }

  void read_shares(std::size_t column) {
    shares_.assign(kBlocks, {});
    over_blocks([&](std::size_t b, Block& block) {
      block.ask(column, 0);
      for (const std::size_t row : rows_) {
        block.read_first(row, column, false);
        shares_[b].insert(shares_[b].end(), block.shares.begin(), block.shares.end());
      }
    });
  }

  // Over all rows, in the order of the blocks.
  std::vector<double> mean_shares(std::span<const double> factors) {
    std::vector<std::vector<double>> sums(kBlocks, std::vector<double>(factors.size()));
    over_blocks([&](std::size_t b, Block&) {
      std::vector<double> own(factors.size());
      for (const std::size_t row : rows_) {
        weigh(shares_of(b, row, factors.size()), factors, own);
        for (std::size_t c = 0; c < own.size(); ++c) sums[b][c] += own[c];
      }
    });
    std::vector<double> out(factors.size());
    for (const std::vector<double>& sum : sums)
      for (std::size_t c = 0; c < out.size(); ++c) out[c] += sum[c];
    for (double& share : out) share /= static_cast<double>(kBlocks * kTile);
    return out;
  }

  void draw(std::size_t column, std::span<const double> factors) {
    over_blocks([&](std::size_t b, Block& block) {
      std::vector<ColumnClasses::Classes> drawn(kTile, detail::kNothing);
      block.shares.resize(factors.size());
      for (const std::size_t row : rows_) {
        weigh(shares_of(b, row, factors.size()), factors, block.shares);
        drawn[row][0] =
            block.choose(random_.stream(detail::kClassStream).block(block.numbers[row], column)[0]);
      }
      if (model_.classes[column].variables() > 1) block.draw_labels(column, random_, rows_, drawn);
      const Random cells = random_.stream(detail::kCellStream);
      for (const std::size_t row : rows_)
        block.learn_of(row, column,
                       block.drawn_cell(column, drawn[row], cells.block(block.numbers[row], column)));
    });
  }

  const Fitted& model_;
  Random random_;
  std::vector<std::size_t> rows_;  // of a block
  std::vector<Block> blocks_;
  std::vector<std::vector<double>> shares_;  // of a column's classes, by block, row and class
};

void AnyOrderNetwork::Fitted::settle(const Random& random) {
  const std::vector<double> heat = std::exchange(temperature, std::vector<double>(coded.columns.size(), 1.0));
  Settling settling(*this, random);
  for (const std::size_t column : order) {
    const std::vector<double> factors = settling.factors(column);
    float* const bias = parameters.data() + network->place(first[column]).outer_bias;
    for (std::size_t c = 0; c < factors.size(); ++c) bias[c] += static_cast<float>(std::log(factors[c]));
  }
  temperature = heat;
}

}  // namespace synthema
