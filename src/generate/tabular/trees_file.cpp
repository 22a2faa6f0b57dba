#include <algorithm>

#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "src/generate/tabular/ruled_cell.hpp"
#include "src/generate/tabular/tree_distances.hpp"

namespace synthema {

std::string SequentialTrees::save() const {
  detail::require_fitted(fitted());
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"target", options_.target},         {"first", options_.first},
                           {"min_leaf", options_.min_leaf},     {"min_gain", options_.min_gain},
                           {"rare_below", options_.rare_below}, {"particles", options_.particles},
                           {"predictors", options_.predictors}, {"combinations", options_.combinations}};
  file.about["order"] = order_;
  detail::put_codings(file, coded_);
  const auto put_leaves = [&](const std::string& key, const LeafCounts& counts) {
    file.put(key + "begin", std::vector<std::uint64_t>(counts.begin.begin(), counts.begin.end()));
    file.put(key + "codes", counts.codes);
    file.put(key + "cumulative", counts.cumulative);
    detail::put_counts(file, key + "all", counts.all);
  };
  detail::ArrayJson measured = detail::ArrayJson::array();
  CodedTable distances;
  for (std::size_t p = 0; p < steps_.size(); ++p) {
    const Step& step = steps_[p];
    const std::string key = "step" + std::to_string(p) + ".";
    std::vector<std::uint32_t> left, column, samples;  // left 0: a leaf
    std::vector<std::uint8_t> flags, threshold;
    std::vector<std::uint64_t> left_bins;
    for (const TreeNode& node : step.tree.nodes()) {
      left.push_back(node.is_leaf() ? 0U : static_cast<std::uint32_t>(node.left));
      column.push_back(node.column);
      samples.push_back(node.samples);
      flags.push_back(static_cast<std::uint8_t>((node.categorical ? 1 : 0) | (node.missing_left ? 2 : 0)));
      threshold.push_back(node.threshold);
      left_bins.insert(left_bins.end(), node.left_bins.begin(), node.left_bins.end());
    }
    file.put(key + "left", left);
    file.put(key + "column", column);
    file.put(key + "samples", samples);
    file.put(key + "flags", flags);
    file.put(key + "threshold", threshold);
    file.put(key + "left_bins", left_bins);
    put_leaves(key, step.counts);
    if (step.distances) {
      measured.push_back({{"step", p}, {"from", step.distances->from}});
      distances.schema.fields.push_back(step.distances->coding.field);
      distances.columns.push_back(step.distances->coding);
      put_leaves(key + "distance.", step.distances->counts);
    }
  }
  if (!measured.empty()) {
    file.about["distances"] = measured;
    detail::put_codings(file, distances, "distances.");
  }
  return file.file();
}

SequentialTrees::Step SequentialTrees::load_step(const detail::ModelArrays& file,
                                                 std::size_t position) const {
  const std::string key = "step" + std::to_string(position) + ".";
  Step step;
  step.column = order_[position];
  const ColumnCoding& coding = coded_.columns[step.column];
  const auto left = file.get<std::uint32_t>(key + "left"), column = file.get<std::uint32_t>(key + "column"),
             samples = file.get<std::uint32_t>(key + "samples");
  const auto flags = file.get<std::uint8_t>(key + "flags"),
             threshold = file.get<std::uint8_t>(key + "threshold");
  const auto left_bins = file.get<std::uint64_t>(key + "left_bins");
  const std::size_t size = left.size();
  file.require(size > 0 && size < (std::size_t{1} << 31) && column.size() == size && samples.size() == size &&
                   flags.size() == size && threshold.size() == size && left_bins.size() == 4 * size,
               "a tree with arrays of different lengths");
  std::vector<TreeNode> nodes(size);
  for (std::size_t i = 0; i < size; ++i) {
    TreeNode& node = nodes[i];
    node.samples = samples[i];
    if (left[i] == 0) continue;
    // Children come after their parent, so that every walk ends.
    file.require(left[i] > i && left[i] + std::size_t{1} < size && column[i] < position,
                 "a tree with a node that leads nowhere");
    node.left = static_cast<std::int32_t>(left[i]);
    node.right = node.left + 1;
    node.column = column[i];
    node.categorical = (flags[i] & 1) != 0;
    node.missing_left = (flags[i] & 2) != 0;
    node.threshold = threshold[i];
    std::copy_n(left_bins.begin() + static_cast<std::ptrdiff_t>(4 * i), 4, node.left_bins.begin());
  }
  step.tree = HistogramTree(std::move(nodes));
  step.counts = load_leaves(file, key, coding, step.tree.leaves());
  return step;
}

SequentialTrees::LeafCounts SequentialTrees::load_leaves(const detail::ModelArrays& file,
                                                         const std::string& key, const ColumnCoding& coding,
                                                         std::size_t leaves) {
  LeafCounts out;
  const auto begin = file.get<std::uint64_t>(key + "begin");
  out.begin.assign(begin.begin(), begin.end());
  out.codes = file.get<std::uint32_t>(key + "codes");
  out.cumulative = file.get<std::uint32_t>(key + "cumulative");
  file.require(out.begin.size() == leaves + 1 && out.begin.front() == 0 &&
                   std::ranges::is_sorted(out.begin) && out.begin.back() == out.codes.size() &&
                   out.codes.size() == out.cumulative.size(),
               "leaves that do not follow each other");
  for (std::size_t leaf = 0; leaf < leaves; ++leaf) {
    const std::size_t from = out.begin[leaf], count = out.begin[leaf + 1] - from;
    file.require(detail::are_counts(coding, std::span(out.codes).subspan(from, count),
                                    std::span(out.cumulative).subspan(from, count)),
                 "counts of codes that do not exist");
  }
  out.all = detail::get_counts(file, key + "all", coding);
  return out;
}

void SequentialTrees::load_distances(const detail::ModelArrays& file) {
  if (!file.about.contains("distances")) return;
  const CodedTable codings = detail::get_codings(file, "distances.");
  const auto measured = file.value<detail::ArrayJson>(file.about, "distances");
  file.require(measured.is_array() && measured.size() == codings.columns.size(), "distances of no column");
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const auto p = file.value<std::size_t>(measured[i], "step"),
               from = file.value<std::size_t>(measured[i], "from");
    const ColumnCoding& coding = codings.columns[i];
    file.require(p < steps_.size() && coding.form == CodingForm::number, "a distance of no column");
    Step& step = steps_[p];
    file.require(detail::may_be_measured(coded_, step.column, from, std::span(order_).first(p)),
                 "a distance from a column that no rule puts before it");
    step.distances = std::make_shared<const Distances>(Distances{
        {from, coding}, load_leaves(file, message("step", p, ".distance."), coding, step.tree.leaves())});
  }
}

SequentialTrees SequentialTrees::load(std::string_view bytes, const std::string& path) {
  const detail::ModelArrays file(bytes, path, "sequential_trees");
  const auto options = file.value<detail::ArrayJson>(file.about, "options");
  SequentialTrees out;
  out.options_ = {.target = file.value<std::string>(options, "target"),
                  .first = file.value<std::vector<std::string>>(options, "first"),
                  .min_leaf = file.value<std::size_t>(options, "min_leaf"),
                  .min_gain = file.value<double>(options, "min_gain"),
                  .rare_below = file.value<std::size_t>(options, "rare_below"),
                  .particles = file.value<std::size_t>(options, "particles"),
                  .predictors = file.value<std::size_t>(options, "predictors"),
                  .combinations = file.value<std::vector<std::vector<std::string>>>(options, "combinations")};
  file.require(out.options_.particles >= 1 && out.options_.particles <= 100'000 && out.options_.min_gain >= 0,
               "options out of range");
  out.coded_ = detail::get_codings(file);
  out.order_ = file.value<std::vector<std::size_t>>(file.about, "order");
  std::vector<bool> seen(out.coded_.columns.size());
  for (const std::size_t column : out.order_) {
    file.require(column < seen.size() && !seen[column] && out.coded_.columns[column].modelled(),
                 "an order of columns that is none");
    seen[column] = true;
  }
  for (std::size_t c = 0; c < seen.size(); ++c)
    file.require(seen[c] == out.coded_.columns[c].modelled(), "an order that lacks a column");
  for (std::size_t p = 0; p < out.order_.size(); ++p) out.steps_.push_back(out.load_step(file, p));
  out.load_distances(file);
  out.rules_ = detail::loaded_rules(file, out.coded_);
  out.note_limits();
  return out;
}

}  // namespace synthema
