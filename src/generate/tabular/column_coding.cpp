#include "synthema/generate/tabular/column_coding.hpp"

#include <algorithm>
#include <cmath>

#include "src/generate/tabular/coded_numbers.hpp"

namespace synthema {

std::uint8_t ColumnCoding::bin_of_code(std::uint32_t code) const {
  if (code == missing_code()) return static_cast<std::uint8_t>(bins - 1);
  if (form == CodingForm::number) return part_bins[part_of(values[code])];
  return code == pooled_code() ? static_cast<std::uint8_t>(bins - 2) : label_bins[code];
}

std::uint8_t ColumnCoding::class_of_code(std::uint32_t code) const {
  if (form == CodingForm::number)
    return code == missing_code() ? std::uint8_t{0} : part_classes[part_of(values[code])];
  if (code == missing_code()) return static_cast<std::uint8_t>(classes - 1);
  return code == pooled_code() ? static_cast<std::uint8_t>(classes - 2) : label_classes[code];
}

std::uint8_t ColumnCoding::bin_of(double cell) const {
  if (std::isnan(cell)) return bin_of_code(missing_code());
  if (form == CodingForm::category) return label_bins[static_cast<std::size_t>(cell)];
  return part_bins[part_of(cell)];
}

std::size_t ColumnCoding::part_of(double cell) const {
  return static_cast<std::size_t>(std::lower_bound(cuts.begin(), cuts.end(), cell) - cuts.begin());
}

std::pair<std::uint32_t, std::uint32_t> ColumnCoding::codes_in(std::size_t first_part,
                                                               std::size_t last_part) const {
  // Behind the part before this one.
  const auto begin = [&](std::size_t part) {
    const auto at = part == 0            ? values.begin()
                    : part > cuts.size() ? values.end()
                                         : std::upper_bound(values.begin(), values.end(), cuts[part - 1]);
    return static_cast<std::uint32_t>(at - values.begin());
  };
  return {begin(first_part), begin(last_part)};
}

double ColumnCoding::number(double x) const {
  if (!grid) return x;
  return (static_cast<double>(origin) + static_cast<double>(step) * x) / detail::power_of_ten(decimals);
}

double ColumnCoding::cell_of_number(double v) const {
  if (!grid) return v;
  const double power = detail::power_of_ten(decimals);
  // A decimal number is seldom exact in binary; what rounds to itself lies on the grid.
  const double largest =
      values.empty()
          ? std::abs(v)
          : std::max({std::abs(v), std::abs(number(values.front())), std::abs(number(values.back()))});
  const double whole = detail::whole_of(v, power, largest).value_or(v * power);
  return (whole - static_cast<double>(origin)) / static_cast<double>(step);
}

OwnedCounts count_codes(const ColumnCoding& coding, std::vector<std::uint32_t> codes) {
  if (coding.pooled) {
    std::vector<std::uint32_t> kept;
    std::ranges::copy_if(codes, std::back_inserter(kept),
                         [&](std::uint32_t code) { return code != coding.pooled_code(); });
    if (kept.empty()) return {};
    codes = std::move(kept);
  }
  std::sort(codes.begin(), codes.end());
  OwnedCounts out;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    if (out.codes.empty() || out.codes.back() != codes[i]) {
      out.codes.push_back(codes[i]);
      out.cumulative.push_back(0);
    }
    out.cumulative.back() = static_cast<std::uint32_t>(i + 1);
  }
  return out;
}

}  // namespace synthema
