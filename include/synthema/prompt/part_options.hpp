// PartOptions: what a strategy or check was made with, so that a run is not resumed with another of its name.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "synthema/data/table.hpp"
#include "synthema/data/value.hpp"
#include "synthema/prompt/sampling.hpp"

namespace synthema {

struct PartOptions {
  Record values = {};                            // empty: it does not tell
  std::shared_ptr<const Table> table = nullptr;  // a term list or a pool; may be null

  void add(std::string name, const std::vector<std::string>& texts);
  void add(const std::optional<Sampling>& sampling);  // nothing: the run's
  // Names them: "none" where nothing is told. Keyed where `key` is not empty; without a key a table that may
  // not leave the machine is not looked at.
  std::string digest(const std::string& key) const;
};

// Each value under its own name.
void add_sampling(Record& record, const Sampling& sampling);

}  // namespace synthema
