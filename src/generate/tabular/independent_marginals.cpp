#include "synthema/generate/tabular/independent_marginals.hpp"

#include <cmath>

#include "src/generate/tabular/coding_file.hpp"
#include "src/generate/tabular/row_blocks.hpp"
#include "synthema/generate/tabular/conditions.hpp"

namespace synthema {

void IndependentMarginals::fit(const Table& real, const ProgressSink& progress, const CancelToken& cancel) {
  cancel.check();
  IndependentMarginals fitted(options_);
  fitted.coded_ = code_table(real, {.rare_below = options_.rare_below, .threads = options_.threads});
  const std::size_t columns = fitted.coded_.columns.size();
  fitted.counts_.resize(columns);
  for (std::size_t c = 0; c < columns; ++c)
    fitted.counts_[c] = count_codes(fitted.coded_.columns[c], std::move(fitted.coded_.codes[c]));
  fitted.coded_.codes.clear();
  fitted.coded_.people.clear();
  if (progress) progress({.phase = "fit", .done = columns, .total = columns, .note = {}});
  *this = std::move(fitted);
}

Table IndependentMarginals::sample(const SampleRequest& request) const {
  detail::require_fitted(fitted());
  const std::size_t columns = coded_.columns.size();
  const CellConditions conditions(request.conditions.get(), coded_.columns, name());
  const Random random(request.seed), own = random.stream(1);
  std::vector<std::vector<double>> cells(columns);
  for (std::size_t c = 0; c < columns; ++c)
    if (coded_.columns[c].modelled()) cells[c].resize(request.rows);
  detail::over_rows(request, options_.threads, [&](std::size_t first, std::size_t last) {
    std::vector<double> fixed(conditions.empty() ? 0 : columns);
    for (std::size_t row = first; row < last; ++row) {
      if (!conditions.empty()) conditions.row(row, fixed);
      for (std::size_t c = 0; c < columns; ++c)
        if (coded_.columns[c].modelled())
          cells[c][row] = !fixed.empty() && !std::isnan(fixed[c])
                              ? fixed[c]
                              : draw_cell(coded_.columns[c], counts_[c].view(), own.block(row, c));
    }
  });
  return detail::decoded(coded_, cells, request.rows, random, options_.threads);
}

std::string IndependentMarginals::save() const {
  detail::require_fitted(fitted());
  detail::ModelArrays file{std::string(name())};
  file.about["options"] = {{"rare_below", options_.rare_below}};
  detail::put_codings(file, coded_);
  for (std::size_t c = 0; c < coded_.columns.size(); ++c)
    if (coded_.columns[c].modelled()) detail::put_counts(file, std::to_string(c), counts_[c]);
  return file.file();
}

IndependentMarginals IndependentMarginals::load(std::string_view bytes, const std::string& path) {
  const detail::ModelArrays file(bytes, path, "independent_marginals");
  IndependentMarginals out;
  out.options_.rare_below =
      file.value<std::size_t>(file.value<detail::ArrayJson>(file.about, "options"), "rare_below");
  out.coded_ = detail::get_codings(file);
  out.counts_.resize(out.coded_.columns.size());
  for (std::size_t c = 0; c < out.counts_.size(); ++c)
    if (out.coded_.columns[c].modelled())
      out.counts_[c] = detail::get_counts(file, std::to_string(c), out.coded_.columns[c]);
  return out;
}

}  // namespace synthema
