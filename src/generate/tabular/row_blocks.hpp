// Rows drawn in parallel into columns of cells, with progress from the driving thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "synthema/core/parallel.hpp"
#include "synthema/core/progress.hpp"
#include "synthema/generate/generator.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

inline constexpr std::uint64_t kFreshStream = 3;

// Calls block(first, last) for parts of the rows, on any thread.
template <class Block>
void over_rows(const SampleRequest& request, std::size_t threads, const Block& block,
               const char* phase = "sample") {
  constexpr std::size_t kGrain = 256;
  const std::size_t rows = request.rows;
  ProgressCounter progress(request.progress, phase, rows);
  parallel_for((rows + kGrain - 1) / kGrain,
               [&](std::size_t i) {
                 request.cancel.check();
                 const std::size_t first = i * kGrain, last = std::min(rows, first + kGrain);
                 block(first, last);
                 progress.add(last - first);
               },
               threads);
  progress.finish();
}

// `whole`: every row has its identifiers.
inline Table decoded(const CodedTable& coded, const std::vector<std::vector<double>>& cells,
                     std::uint64_t rows, const Random& random, std::size_t threads, bool whole = false) {
  std::vector<Column> out(coded.columns.size());
  parallel_for(
      out.size(),
      [&](std::size_t c) {
        const Random own = random.stream(kFreshStream).stream(c);
        if (whole && coded.columns[c].missing_share > 0) {
          ColumnCoding coding = coded.columns[c];
          coding.missing_share = 0;
          out[c] = decode_column(coding, cells[c], rows, own);
        } else {
          out[c] = decode_column(coded.columns[c], cells[c], rows, own);
        }
      },
      threads);
  return Table(coded.schema, std::move(out));
}

// 0, or -infinity where a column that never has a value has one.
inline std::vector<double> log_share_of_absent(std::span<const ColumnCoding> columns,
                                               const std::vector<std::vector<double>>& cells,
                                               std::size_t rows) {
  std::vector<double> out(rows);
  for (std::size_t c = 0; c < columns.size(); ++c)
    if (columns[c].form == CodingForm::absent)
      for (std::size_t row = 0; row < rows; ++row)
        if (!std::isnan(cells[c][row])) out[row] = -std::numeric_limits<double>::infinity();
  return out;
}

inline void require_fitted(bool fitted) {
  if (!fitted) throw GenerationError("The generator is not fitted; call fit first.");
}

}  // namespace synthema::detail
