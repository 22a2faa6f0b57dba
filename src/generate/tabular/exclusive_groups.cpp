#include "src/generate/tabular/exclusive_groups.hpp"

#include <algorithm>
#include <cmath>

namespace synthema::detail {

bool is_set_code(const ColumnCoding& coding, std::uint32_t code) {
  return code < coding.codes() && is_set_cell(coding, coding.is_category() ? code : coding.values[code]);
}

std::vector<std::vector<std::size_t>> drawn_groups(const RowRules& rules,
                                                   std::span<const std::size_t> order) {
  std::vector<std::vector<std::size_t>> out = rules.exclusive();
  for (std::vector<std::size_t>& group : out)
    std::ranges::sort(group, {}, [&](std::size_t c) { return std::ranges::find(order, c); });
  return out;
}

std::vector<std::vector<std::uint8_t>> open_rows(const CodedTable& coded,
                                                 std::span<const std::vector<std::size_t>> groups) {
  const bool may_hide = coded.schema.subject() != nullptr;
  std::vector<std::vector<std::uint8_t>> out(coded.columns.size());
  for (const std::vector<std::size_t>& group : groups) {
    std::vector<std::uint8_t> open(coded.rows, 1);
    for (const std::size_t c : group) {
      if (out[c].empty()) out[c].assign(coded.rows, 1);
      for (std::size_t row = 0; row < coded.rows; ++row) {
        out[c][row] &= open[row];
        const std::uint32_t code = coded.codes[c][row];
        const bool is_hidden = may_hide && code == coded.columns[c].pooled_code();
        if (is_hidden || is_set_code(coded.columns[c], code)) open[row] = 0;
      }
    }
  }
  return out;
}

void imply_unset(std::span<const std::vector<std::size_t>> groups, std::span<const ColumnCoding> columns,
                 std::span<double> cells) {
  for (const std::vector<std::size_t>& group : groups) {
    const auto set =
        std::ranges::find_if(group, [&](std::size_t c) { return is_set_cell(columns[c], cells[c]); });
    if (set == group.end()) continue;
    for (auto before = group.begin(); before != set; ++before)
      if (const ColumnCoding& coding = columns[*before]; std::isnan(cells[*before]) && !coding.missing)
        cells[*before] = coding.is_category() ? 0 : coding.cell_of_number(0);
  }
}

}  // namespace synthema::detail
