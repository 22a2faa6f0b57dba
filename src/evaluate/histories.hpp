// Rows of a table as the histories of its subjects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "synthema/data/table.hpp"
#include "synthema/evaluate/score.hpp"

namespace synthema::detail {

// Rows by subject, each subject's in the order of time; rows of one time in an order that their contents
// decide. Rows without a subject or a time are left out.
struct Histories {
  std::vector<std::vector<std::size_t>> rows;
  std::vector<double> time;  // by row of the table
  Kind kind = Kind::real;    // of the column of times
  std::size_t left_out = 0;
};

// Why a table has none; empty if it has. Of two tables: why they cannot be compared.
std::string lacks_histories(const Table& table);
std::string lacks_histories(const Table& real, const Table& synthetic);
Histories histories_of(const Table& table);
// With a warning where rows are left out; `whose`: "real", "synthetic" or "holdout".
Histories histories_of(const Table& table, std::string_view whose, Score& score);

// The columns that hold codes, which may be numbers: those with a code system, else lists, else the column
// with the role label.
std::vector<std::string> code_columns(const Table& table);
// Why these columns of the real table are no codes of another one; empty if they are.
std::string lacks_codes(const Table& table, const std::vector<std::string>& columns, const Table& real);

// Codes of all tables in one numbering.
class CodeBook {
 public:
  std::uint32_t of(const std::string& code) {
    return known_.try_emplace(code, static_cast<std::uint32_t>(known_.size())).first->second;
  }
  std::size_t size() const { return known_.size(); }

 private:
  std::unordered_map<std::string, std::uint32_t> known_;
};

// A visit is all rows of a subject at one time; its codes are sorted and each is there once. Visits without a
// code are kept.
struct Visits {
  std::vector<std::vector<std::vector<std::uint32_t>>> of_subject;
  std::size_t visits = 0;
};
Visits visits_of(const Table& table, const Histories& histories, const std::vector<std::string>& columns,
                 CodeBook& book);

}  // namespace synthema::detail
