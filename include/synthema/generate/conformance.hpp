// What every generator promises, as a test that a plug-in's author can run: nonconformities(generator,
// request) gives one sentence per broken promise; an empty result means that none was found.
#pragma once

#include <string>
#include <vector>

#include "synthema/core/counted.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/data/schema_check.hpp"
#include "synthema/generate/generator.hpp"

namespace synthema {

namespace detail {

inline void check_rows(const Schema& schema, const Table& table, std::vector<std::string>& out) {
  if (!(table.schema().fields == schema.fields))
    return out.push_back("The table has other fields than the generator's schema.");
  for (std::size_t row = 0; row < table.rows(); ++row)
    if (const auto misfit = schema_misfit(schema, table.record(row)))
      return out.push_back(message("Row ", row, " does not fit the schema: ", *misfit));
}

}  // namespace detail

// Fit a FittableGenerator before. Tried: a name; exactly the rows asked for, with the schema's fields, kinds
// and ranges; and the same table for the same request. What the generator throws comes out.
template <Generator G>
std::vector<std::string> nonconformities(G& generator, const SampleRequest& request) {
  std::vector<std::string> out;
  if (std::string_view(generator.name()).empty()) out.push_back("The generator has no name.");
  const Table first = generator.sample(request);
  if (first.rows() != request.rows)
    out.push_back(
        message("It was asked for ", counted(request.rows, "row"), " and gave ", first.rows(), "."));
  detail::check_rows(generator.schema(), first, out);
  if (content_digest(generator.sample(request)) != content_digest(first))
    out.push_back("The same request gave another table.");
  return out;
}

}  // namespace synthema
