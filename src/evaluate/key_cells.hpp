// Cells of named columns as small numbers, the same in every table: what an attacker knows or wants to know.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/value_ids.hpp"
#include "synthema/core/error.hpp"
#include "synthema/data/table.hpp"
#include "synthema/evaluate/privacy/disclosure_options.hpp"

namespace synthema::detail {

using Key = std::vector<std::uint32_t>;
struct KeyHash {
  std::size_t operator()(const Key& key) const {
    std::uint64_t out = 0xCBF29CE484222325;
    for (const std::uint32_t one : key) out = (out ^ one) * 0x100000001B3;
    return static_cast<std::size_t>(out);
  }
};

// Numbers in bins of equal width between the extremes of the reference, right-closed, the outer ones open
// (SDMetrics); categories by label; missing is a value of its own.
class KeyCells {
 public:
  KeyCells(const Table& reference, std::vector<std::string> names, std::size_t bins)
      : names_(std::move(names)), edges_(names_.size()), ids_(names_.size()) {
    for (std::size_t c = 0; c < names_.size(); ++c) {
      const std::vector<double> values = is_number(reference.column(names_[c]).kind())
                                             ? numbers_of(reference.column(names_[c]))
                                             : std::vector<double>();
      if (values.empty()) continue;
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      for (std::size_t b = 1; b < bins; ++b)
        edges_[c].push_back(*low + (*high - *low) * static_cast<double>(b) / static_cast<double>(bins));
    }
  }

  std::vector<Key> of(const Table& table) {
    std::vector<Key> out(table.rows(), Key(names_.size()));
    for (std::size_t c = 0; c < names_.size(); ++c) {
      const Column& column = table.column(names_[c]);
      const bool number = is_number(column.kind());
      const std::vector<std::uint64_t> ids = number ? std::vector<std::uint64_t>() : ids_[c].of(column);
      for (std::size_t row = 0; row < table.rows(); ++row)
        out[row][c] =
            column.is_null(row) ? 0
            : number            ? 1 + static_cast<std::uint32_t>(
                               std::lower_bound(edges_[c].begin(), edges_[c].end(), column.number_at(row)) -
                               edges_[c].begin())
                     : static_cast<std::uint32_t>(ids[row]);
    }
    return out;
  }

 private:
  std::vector<std::string> names_;
  std::vector<std::vector<double>> edges_;
  std::vector<ValueIds> ids_;
};

// The secrets of the options, else the columns with the role sensitive that are not known.
inline std::vector<std::string> secrets_of(const Table& real, const DisclosureOptions& options) {
  if (!options.secret.empty()) return options.secret;
  std::vector<std::string> out;
  for (const Field* field : real.schema().with_role(Role::sensitive))
    if (std::find(options.known.begin(), options.known.end(), field->name) == options.known.end())
      out.push_back(field->name);
  return out;
}

// ConfigError for a column that is named as both.
inline void check_disclosure(const DisclosureOptions& options) {
  for (const std::string& name : options.secret)
    if (std::find(options.known.begin(), options.known.end(), name) != options.known.end())
      throw ConfigError(
          {.field = "secrets"},
          message("The column '", name,
                  "' is named as a quasi-identifier and as a secret; what an attacker knows is no "
                  "secret, so name it as one of them."));
}

// EvaluationError if a table lacks one of them, or cannot be compared in it.
inline void require_columns(const std::vector<std::string>& names, const Table& real, const Table& synthetic,
                            const Table* holdout) {
  const std::vector<std::string> shared = shared_columns(real, synthetic, holdout);
  for (const std::string& name : names)
    if (std::find(shared.begin(), shared.end(), name) == shared.end())
      throw EvaluationError({.field = name},
                            "Disclosure is measured by columns of numbers or categories that all tables "
                            "have, and this is none of them.");
}

}  // namespace synthema::detail
