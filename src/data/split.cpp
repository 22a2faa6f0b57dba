#include "synthema/data/split.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

#include "synthema/core/counted.hpp"

namespace synthema {

namespace {

void check_shares(std::span<const double> shares) {
  double total = 0;
  for (const double share : shares) {
    if (!(share > 0)) throw ConfigError({.field = "shares"}, "Every share of a split must be above 0.");
    total += share;
  }
  if (!(std::abs(total - 1) < 1e-9))
    throw ConfigError({.field = "shares"},
                      message("The shares of a split must sum to 1, but they sum to ", total, "."));
}

// The rows of each subject, subjects in order of first appearance.
std::vector<std::vector<std::size_t>> rows_by_subject(const Table& table) {
  std::vector<std::vector<std::size_t>> out;
  const Field* subject = table.schema().subject();
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const Value name = subject ? table.column(subject->name).value_at(row) : Value{};
    const auto [found, fresh] =
        name.is_null() ? std::pair{known.end(), true} : known.try_emplace(name.display(), out.size());
    if (fresh)
      out.push_back({row});
    else
      out[found->second].push_back(row);
  }
  return out;
}

}  // namespace

std::vector<std::vector<std::size_t>> split(const Table& table, std::span<const double> shares,
                                            Random random) {
  check_shares(shares);
  auto subjects = rows_by_subject(table);
  random.shuffle(subjects);
  std::vector<std::vector<std::size_t>> parts;
  double cumulative = 0;
  std::size_t begin = 0;
  for (const double share : shares) {
    cumulative += share;
    const bool last = parts.size() + 1 == shares.size();
    const auto end =
        last ? subjects.size()
             : static_cast<std::size_t>(std::llround(cumulative * static_cast<double>(subjects.size())));
    if (end <= begin)
      throw ConfigError({.field = "shares"},
                        message("With ", counted(subjects.size(), "subject"), ", part ", parts.size() + 1,
                                " of the split would be empty; use larger shares or more data."));
    std::vector<std::size_t> rows;
    for (; begin < end; ++begin) rows.insert(rows.end(), subjects[begin].begin(), subjects[begin].end());
    std::sort(rows.begin(), rows.end());
    parts.push_back(std::move(rows));
  }
  return parts;
}

}  // namespace synthema
