#include "synthema/learn/gradient_boosting.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "src/learn/links.hpp"
#include "synthema/core/parallel.hpp"

namespace synthema {

namespace {

constexpr std::size_t kChunk = 8192;  // rows that one thread takes at a time

void check(const BoostingOptions& options) {
  if (options.rounds == 0) throw ConfigError({.field = "rounds"}, "Boosting needs at least one round.");
  if (!(options.learning_rate > 0))
    throw ConfigError({.field = "learning_rate"}, "The learning rate must be positive.");
  if (!(options.validation_share > 0 && options.validation_share < 1))
    throw ConfigError({.field = "validation_share"},
                      "The share of validation rows must lie between 0 and 1.");
  if (options.patience == 0)
    throw ConfigError({.field = "patience"}, "Early stopping needs a patience of at least 1.");
}

template <class Body>
void for_chunks(std::size_t n, std::size_t threads, const Body& body) {
  const std::size_t chunks = (n + kChunk - 1) / kChunk;
  parallel_for(
      chunks, [&](std::size_t c) { body(c * kChunk, std::min(n, (c + 1) * kChunk)); },
      n < 4 * kChunk ? 1 : threads);
}

// The loss of the rows of one model in the making.
class Loss {
 public:
  Loss(const Target& target, std::size_t threads) : target_(target), threads_(threads) {}

  // The best constant score of these rows.
  std::vector<double> baseline(std::span<const std::uint32_t> rows) const {
    if (target_.classes == 0) {
      std::vector<double> values;  // sorted, so that the sum does not depend on the order of the rows
      for (const std::uint32_t row : rows) values.push_back(target_.values[row]);
      std::sort(values.begin(), values.end());
      return {std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(rows.size())};
    }
    std::vector<double> counts(target_.classes);
    for (const std::uint32_t row : rows) ++counts[static_cast<std::size_t>(target_.values[row])];
    // A class that no row has keeps a finite score.
    for (double& count : counts) count = std::max(count, 0.5) / static_cast<double>(rows.size());
    if (target_.classes == 2) return {std::log(counts[1] / counts[0])};
    for (double& share : counts) share = std::log(share);
    return counts;
  }

  // What the raw scores, row by row, predict: output by output, as derivatives() reads them. All outputs of a
  // round see the same scores, so that this is done once for all of them.
  void predict(std::span<const double> scores, std::span<const std::uint32_t> rows,
               std::vector<double>& means) const {
    const std::size_t outputs = target_.outputs(), n = target_.values.size();
    means.resize(outputs * n);
    for_chunks(rows.size(), threads_, [&](std::size_t begin, std::size_t end) {
      std::vector<double> shares(outputs);
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t row = rows[i];
        std::copy_n(scores.begin() + static_cast<std::ptrdiff_t>(row * outputs), outputs, shares.begin());
        detail::to_means(shares, target_.classes);
        for (std::size_t k = 0; k < outputs; ++k) means[k * n + row] = shares[k];
      }
    });
  }

  // First and second derivatives by the raw score `output`.
  void derivatives(std::span<const double> means, std::span<const std::uint32_t> rows, std::size_t output,
                   std::vector<float>& gradients, std::vector<float>& hessians) const {
    const std::size_t outputs = target_.outputs(), first = output * target_.values.size();
    for_chunks(rows.size(), threads_, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        const std::size_t row = rows[i];
        const double value = target_.values[row], p = means[first + row];
        if (target_.classes == 0) {
          gradients[row] = static_cast<float>(p - value);
          continue;
        }
        const double hit = outputs == 1 ? value : (value == static_cast<double>(output) ? 1 : 0);
        gradients[row] = static_cast<float>(p - hit);
        hessians[row] = static_cast<float>(p * (1 - p));
      }
    });
  }

  double mean(std::span<const double> scores, std::span<const std::uint32_t> rows) const {
    double sum = 0;
    for (const std::uint32_t row : rows)
      sum += detail::loss(scores.data() + row * target_.outputs(), target_.values[row], target_.classes);
    return sum / static_cast<double>(rows.size());
  }

 private:
  const Target& target_;
  std::size_t threads_;
};

// A tree as rows of one table go through it, some side by side: every node has the bits of the bins that go
// left, a leaf leads to itself, and nothing branches.
class FlatTree {
 public:
  FlatTree(const HistogramTree& tree, const BinnedTable& table, std::span<const BinnedColumn> columns) {
    const std::span<const TreeNode> nodes = tree.nodes();
    std::vector<std::size_t> depth(nodes.size());
    for (std::uint32_t i = 0; i < nodes.size(); ++i) {  // children come after their parent
      const TreeNode& node = nodes[i];
      Node flat{table.column(node.column).data(), {}, {i, i}};
      if (!node.is_leaf()) {
        flat.next = {static_cast<std::uint32_t>(node.right), static_cast<std::uint32_t>(node.left)};
        const BinnedColumn& column = columns[node.column];
        for (std::size_t bin = 0; bin < column.bins; ++bin)
          if (node.goes_left(static_cast<std::uint8_t>(bin), column.missing()))
            flat.left[bin / 64] |= std::uint64_t{1} << (bin % 64);
        for (const std::uint32_t child : flat.next) depth[child] = depth[i] + 1;
      }
      deepest_ = std::max(deepest_, depth[i]);
      nodes_.push_back(flat);
      values_.push_back(node.value);
    }
  }

  // visit(i, value of the leaf of rows[i]).
  template <class Visit>
  void each(std::span<const std::uint32_t> rows, const Visit& visit) const {
    constexpr std::size_t kAtOnce = 8;
    for (std::size_t first = 0; first < rows.size(); first += kAtOnce) {
      std::array<std::uint32_t, kAtOnce> at{}, row{};
      const std::size_t count = std::min(kAtOnce, rows.size() - first);
      for (std::size_t i = 0; i < kAtOnce; ++i) row[i] = rows[first + std::min(i, count - 1)];
      for (std::size_t step = 0; step < deepest_; ++step)
        for (std::size_t i = 0; i < kAtOnce; ++i) {
          const Node& node = nodes_[at[i]];
          const std::uint8_t bin = node.cells[row[i]];
          at[i] = node.next[(node.left[bin / 64] >> (bin % 64)) & 1];
        }
      for (std::size_t i = 0; i < count; ++i) visit(first + i, values_[at[i]]);
    }
  }

 private:
  struct Node {
    const std::uint8_t* cells;
    std::array<std::uint64_t, 4> left;  // bins
    std::array<std::uint32_t, 2> next;  // where the rest goes, where those go
  };
  std::vector<Node> nodes_;
  std::vector<double> values_;
  std::size_t deepest_ = 0;
};

// Whether the loss of the last `patience` rounds is no better than the best before them.
bool has_stalled(std::span<const double> losses, std::size_t patience, double tolerance) {
  if (losses.size() <= patience) return false;
  const double before = losses[losses.size() - patience - 1] - tolerance;
  return std::none_of(losses.end() - static_cast<std::ptrdiff_t>(patience), losses.end(),
                      [&](double loss) { return loss < before; });
}

}  // namespace

GradientBoosting::GradientBoosting(const BinnedTable& table, std::span<const BinnedColumn> columns,
                                   const Target& target, std::span<const std::uint32_t> rows,
                                   const BoostingOptions& options, Random random)
    : columns_(columns.begin(), columns.end()),
      classes_(target.classes),
      target_outputs_(target.outputs()),
      threads_(options.tree.threads) {
  check(options);
  detail::check_target(target, table.rows(), rows);
  if (columns.empty()) throw EvaluationError("A model cannot be fitted without columns.");
  std::vector<std::uint32_t> training(rows.begin(), rows.end()), validation;
  if (rows.size() > options.early_stopping_from) {
    random.shuffle(training);
    const auto apart = static_cast<std::size_t>(options.validation_share * static_cast<double>(rows.size()));
    validation.assign(training.end() - static_cast<std::ptrdiff_t>(apart), training.end());
    training.resize(training.size() - apart);
    std::sort(training.begin(), training.end());
    std::sort(validation.begin(), validation.end());
  }
  const std::size_t outputs = target_outputs_;
  const Loss loss(target, threads_);
  baseline_ = loss.baseline(training);
  std::vector<double> scores(table.rows() * outputs);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = baseline_[i % outputs];
  std::vector<float> gradients(table.rows()), hessians(classes_ > 0 ? table.rows() : 0);
  TreeGrower grower(table, columns, options.tree);
  std::vector<double> losses, means;
  if (!validation.empty()) losses.push_back(loss.mean(scores, validation));
  for (std::size_t round = 0; round < options.rounds; ++round) {
    options.cancel.check();
    loss.predict(scores, training, means);
    bool cut = false;
    for (std::size_t k = 0; k < outputs; ++k) {
      loss.derivatives(means, training, k, gradients, hessians);
      GrownTree grown = grower.grow(gradients, hessians, training);
      grown.tree.scale(options.learning_rate);
      cut = cut || grown.tree.leaves() > 1;
      for (const TreeNode& node : grown.tree.nodes())
        if (node.is_leaf())
          for (std::size_t i = grown.begin[node.leaf]; i < grown.begin[node.leaf + 1]; ++i)
            scores[grown.rows[i] * outputs + k] += node.value;
      FlatTree(grown.tree, table, columns).each(validation, [&](std::size_t i, double value) {
        scores[validation[i] * outputs + k] += value;
      });
      trees_.push_back(std::move(grown.tree));
    }
    if (!cut) break;  // nothing was left to gain, and nothing changes from here
    if (validation.empty()) continue;
    losses.push_back(loss.mean(scores, validation));
    if (has_stalled(losses, options.patience, options.tolerance)) break;
  }
}

Predictions GradientBoosting::predict(const BinnedTable& table, std::span<const std::uint32_t> rows) const {
  if (table.columns() != columns_.size())
    throw EvaluationError(message("The model was fitted on ", columns_.size(), " columns, but the table has ",
                                  table.columns(), "; use the same binning."));
  const std::vector<std::uint32_t> every =
      rows.empty() ? all_rows(table.rows()) : std::vector<std::uint32_t>();
  const std::span<const std::uint32_t> chosen = rows.empty() ? std::span<const std::uint32_t>(every) : rows;
  const std::size_t outputs = target_outputs_;
  Predictions out{.width = std::max<std::size_t>(classes_, 1), .values = {}};
  out.values.resize(chosen.size() * out.width);
  std::vector<FlatTree> flat;
  for (const HistogramTree& tree : trees_) flat.emplace_back(tree, table, columns_);
  for_chunks(chosen.size(), threads_, [&](std::size_t begin, std::size_t end) {
    std::vector<double> scores((end - begin) * outputs);
    for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = baseline_[i % outputs];
    // Tree by tree: its nodes and the rows' cells then stay in the cache.
    for (std::size_t t = 0; t < flat.size(); ++t)
      flat[t].each(chosen.subspan(begin, end - begin),
                   [&](std::size_t i, double value) { scores[i * outputs + t % outputs] += value; });
    for (std::size_t i = begin; i < end; ++i) {
      double* row = out.values.data() + i * out.width;
      std::copy_n(scores.begin() + static_cast<std::ptrdiff_t>((i - begin) * outputs), outputs, row);
      detail::to_means({row, outputs}, classes_);
      if (classes_ == 2) row[1] = row[0], row[0] = 1 - row[1];
    }
  });
  return out;
}

std::vector<double> GradientBoosting::importance() const {
  std::vector<double> out(columns_.size());
  double sum = 0;
  for (const HistogramTree& tree : trees_)
    for (const TreeNode& node : tree.nodes())
      if (!node.is_leaf()) out[node.column] += node.gain, sum += node.gain;
  if (sum > 0)
    for (double& share : out) share /= sum;
  return out;
}

}  // namespace synthema
