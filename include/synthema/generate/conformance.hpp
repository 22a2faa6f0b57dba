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

// A condition that is missing asks for nothing.
inline void check_conditions(const Table& conditions, const Table& rows, std::vector<std::string>& out) {
  for (std::size_t c = 0; c < conditions.columns(); ++c) {
    const std::string& name = conditions.schema().fields[c].name;
    const Column* made = rows.has(name) ? &rows.column(name) : nullptr;
    const auto agrees = [&](std::size_t row) {
      const Value wanted = conditions.column(c).value_at(row % conditions.rows());
      return wanted.is_null() || (made && made->value_at(row).display() == wanted.display());
    };
    std::size_t row = 0;
    while (row < rows.rows() && agrees(row)) ++row;
    if (row < rows.rows())
      out.push_back(message("Row ", row, " does not agree with its condition in the field '", name, "'."));
  }
}

// Whether the seed says nothing. Rows that are all alike may be so for every seed.
template <class G>
bool ignores_seed(G& generator, SampleRequest request, const Table& first) {
  if (first.rows() < 2 || first.record(0) == first.record(first.rows() - 1)) return false;
  const std::string digest = content_digest(first);
  for (int i = 0; i < 3; ++i) {
    ++request.seed;
    if (content_digest(generator.sample(request)) != digest) return false;
  }
  return true;
}

}  // namespace detail

// Fit a FittableGenerator before. Tried: a name; exactly the rows asked for, with the schema's fields, kinds
// and ranges; the conditions asked for, of a ConditionalGenerator; the same table for the same request, and,
// where the first row and the last differ, not for four seeds. What the generator throws comes out.
template <Generator G>
std::vector<std::string> nonconformities(G& generator, const SampleRequest& request) {
  std::vector<std::string> out;
  if (std::string_view(generator.name()).empty()) out.push_back("The generator has no name.");
  const Table first = generator.sample(request);
  if (first.rows() != request.rows)
    out.push_back(
        message("It was asked for ", counted(request.rows, "row"), " and gave ", first.rows(), "."));
  detail::check_rows(generator.schema(), first, out);
  if constexpr (ConditionalGenerator<G>)
    if (request.conditions) detail::check_conditions(*request.conditions, first, out);
  if (content_digest(generator.sample(request)) != content_digest(first))
    out.push_back("The same request gave another table.");
  else if (detail::ignores_seed(generator, request, first))
    out.push_back("Other seeds gave the same table.");
  return out;
}

}  // namespace synthema
