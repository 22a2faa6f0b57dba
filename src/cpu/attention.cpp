#include "src/cpu/attention.hpp"

#include <algorithm>
#include <functional>

namespace synthema::cpu {

extern const AttentionKernels attention_kernels_portable;
#if defined(__x86_64__)
extern const AttentionKernels attention_kernels_avx2, attention_kernels_avx512;
#endif

const AttentionKernels& attention_kernels([[maybe_unused]] InstructionSet set) {
#if defined(__x86_64__)
  if (set == InstructionSet::avx2) return attention_kernels_avx2;
  if (set == InstructionSet::avx512) return attention_kernels_avx512;
#endif
  return attention_kernels_portable;
}

namespace {

constexpr std::int64_t kChunk = kKeysPerBlock * kBlocksPerChunk;

RowChunk chunk_of(const RowView& view, std::int64_t index) {
  RowChunk out{};
  const std::int64_t start = index * kChunk;
  const std::int64_t first = std::max(view.first, start), last = std::min(view.last, start + kChunk - 1);
  for (std::int64_t b = first / kKeysPerBlock; b <= last / kKeysPerBlock; ++b)
    out.blocks[b % kBlocksPerChunk] = view.blocks[b];
  out.row = view.row;
  out.first = static_cast<std::uint8_t>(first - start);
  out.last = static_cast<std::uint8_t>(last - start);
  out.starts = first == view.first;
  out.ends = last == view.last;
  return out;
}

// Of rows sorted by their blocks.
bool is_mostly_shared(std::span<const RowChunk> rows) {
  std::size_t different = 0;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (i == 0 || !std::ranges::equal(rows[i].blocks, rows[i - 1].blocks)) ++different;
  return 2 * different <= rows.size();
}

bool has_lower_blocks(const RowChunk& a, const RowChunk& b) {
  return std::ranges::lexicographical_compare(a.blocks, b.blocks, std::less<>());
}

}  // namespace

void AttentionPlan::assign(std::span<const RowView> rows) {
  entries_.clear();
  borders_.assign(1, 0);
  shared_.clear();
  std::int64_t begin = 0, end = 0;
  if (!rows.empty()) {
    begin = std::ranges::min(rows, {}, &RowView::first).first / kChunk;
    end = std::ranges::max(rows, {}, &RowView::last).last / kChunk + 1;
  }
  for (std::int64_t index = begin; index < end; ++index) {
    for (const RowView& row : rows)
      if (row.first < (index + 1) * kChunk && row.last >= index * kChunk)
        entries_.push_back(chunk_of(row, index));
    if (entries_.size() == borders_.back()) continue;
    std::ranges::stable_sort(entries_.begin() + static_cast<std::ptrdiff_t>(borders_.back()), entries_.end(),
                             has_lower_blocks);
    shared_.push_back(is_mostly_shared(std::span(entries_).subspan(borders_.back())));
    borders_.push_back(entries_.size());
  }
}

}  // namespace synthema::cpu
