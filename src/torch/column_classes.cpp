#include "src/torch/column_classes.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace synthema::detail {

namespace {

constexpr std::size_t kOwn = 127, kGroups = 127;  // and missing: kMostClasses
constexpr std::size_t kDigits = 255;

}  // namespace

ColumnClasses::ColumnClasses(const ColumnCoding& coding, const OwnedCounts& all) {
  const std::size_t labels = coding.codes();
  of_code_.assign(labels + 2, kNothing);
  std::vector<std::uint32_t> rows(labels + 1);
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < all.codes.size(); ++i) {
    rows[all.codes[i]] = all.cumulative[i] - before;
    before = all.cumulative[i];
  }
  if (!coding.is_category()) {
    sizes_ = {coding.classes};
    for (std::uint32_t code = 0; code <= labels; ++code)
      if (code < labels || coding.missing) of_code_[code][0] = coding.class_of_code(code);
    missing_ = coding.missing ? 0 : kUnknownClass;
  } else if (labels < kMostClasses) {
    sizes_ = {labels + (coding.missing ? 1 : 0)};
    for (std::size_t code = 0; code < sizes_[0]; ++code)
      if (rows[code] > 0) of_code_[code][0] = static_cast<std::uint8_t>(code);
    missing_ = coding.missing ? labels : std::size_t{kUnknownClass};
  } else {
    for (std::uint32_t code = 0; code < labels; ++code)
      if (rows[code] > 0) by_frequency_.push_back(code);
    std::ranges::stable_sort(by_frequency_,
                             [&](std::uint32_t a, std::uint32_t b) { return rows[a] > rows[b]; });
    own_ = std::min(kOwn, by_frequency_.size());
    const std::size_t others = by_frequency_.size() - own_;
    group_ = std::max<std::size_t>(1, (others + kGroups - 1) / kGroups);
    part_ = (group_ + kDigits - 1) / kDigits;
    const std::size_t groups = (others + group_ - 1) / group_;
    missing_ = own_ + groups;
    sizes_ = {missing_ + (coding.missing ? 1 : 0)};
    if (group_ > 1) sizes_.push_back((group_ + part_ - 1) / part_);
    if (part_ > 1) sizes_.push_back(part_);
    for (std::size_t r = 0; r < by_frequency_.size(); ++r) {
      Classes& classes = of_code_[by_frequency_[r]];
      if (r < own_) {
        classes[0] = static_cast<std::uint8_t>(r);
        continue;
      }
      const std::size_t u = r - own_;
      classes[0] = static_cast<std::uint8_t>(own_ + u / group_);
      if (group_ > 1) classes[1] = static_cast<std::uint8_t>(u % group_ / part_);
      if (part_ > 1) classes[2] = static_cast<std::uint8_t>(u % group_ % part_);
    }
    if (coding.missing) of_code_[labels][0] = static_cast<std::uint8_t>(missing_);
  }
  counts_.resize(sizes_[0]);
  shares_.resize(sizes_.size());
  for (std::size_t v = 0; v < sizes_.size(); ++v) shares_[v].assign(sizes_[v], 0.0);
  for (std::size_t i = 0; i < all.codes.size(); ++i) {
    const std::uint32_t code = all.codes[i];
    const Classes& classes = of_code_[code];
    if (classes[0] == kUnknownClass) continue;
    OwnedCounts& counts = counts_[classes[0]];
    const std::uint32_t so_far = counts.cumulative.empty() ? 0 : counts.cumulative.back();
    counts.codes.push_back(code);
    counts.cumulative.push_back(so_far + rows[code]);
    for (std::size_t v = 0; v < sizes_.size(); ++v)
      if (classes[v] != kUnknownClass) shares_[v][classes[v]] += rows[code];
  }
  for (std::vector<double>& shares : shares_) {
    const double total = std::max(1.0, std::accumulate(shares.begin(), shares.end(), 0.0));
    for (double& share : shares) share /= total;
  }
}

ColumnClasses::Classes ColumnClasses::of_code(std::uint32_t code) const {
  return of_code_[code];
}

ColumnClasses::Classes ColumnClasses::of_cell(const ColumnCoding& coding, double cell) const {
  if (std::isnan(cell)) return of_code_[coding.missing_code()];
  if (coding.is_category()) return of_code_[static_cast<std::size_t>(cell)];
  return {coding.part_classes[coding.part_of(cell)], kUnknownClass, kUnknownClass};
}

// Of the first label that begins with the classes of `known` variables.
std::size_t ColumnClasses::rank(const Classes& classes, std::size_t known) const {
  std::size_t out = own_ + (classes[0] - own_) * group_;
  if (known > 1) out += classes[1] * part_;
  if (known > 2) out += classes[2];
  return out;
}

bool ColumnClasses::exists(const Classes& begun, std::size_t variable, std::uint8_t next) const {
  Classes classes = begun;
  classes[variable] = next;
  const std::size_t end = std::min(rank(begun, 1) + group_, by_frequency_.size());
  return rank(classes, variable + 1) < end && (variable == 1 || next < part_);
}

std::uint32_t ColumnClasses::label(const Classes& classes) const {
  return by_frequency_[rank(classes, variables())];
}

}  // namespace synthema::detail
