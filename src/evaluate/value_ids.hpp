// Cells as whole numbers: the same number for equal values of a column, in every table. 2 and 2.0 are one
// value, integers are told apart to the last bit, a category is its label, missing is a value of its own.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/evaluate/shared_columns.hpp"
#include "synthema/data/json.hpp"
#include "synthema/data/table.hpp"

namespace synthema::detail {

constexpr std::uint64_t kMissingValue = 0;

// Whether a value of one may be equal to one of the other. Where 40 is a number here and a text there, no
// row would be a copy, whatever else it repeats; a column without values is missing, whatever its kind.
inline bool may_be_equal(const Column& a, const Column& b) {
  const auto like = [](Kind kind) {
    if (kind == Kind::real) return Kind::integer;
    return is_category(kind) ? Kind::text : kind;
  };
  return is_empty(a) || is_empty(b) || (like(a.kind()) == like(b.kind()) && same_clock(a, b));
}

// The columns that two tables share. Unlike in fidelity, texts and lists count too: a copied note is a copy.
// Identifiers and subjects are left out.
inline std::vector<std::string> compared_columns(const Table& real, const Table& synthetic) {
  std::vector<std::string> out;
  for (const Field& field : real.schema().fields)
    if (synthetic.has(field.name) && !field.has(Role::identifier) && !field.has(Role::subject) &&
        may_be_equal(real.column(field.name), synthetic.column(field.name)))
      out.push_back(field.name);
  return out;
}

// Numbers the different values of one column as they come, from 1.
class ValueIds {
 public:
  std::vector<std::uint64_t> of(const Column& column) {
    std::vector<std::uint64_t> out(column.size(), kMissingValue);
    std::vector<std::uint64_t> of_code;  // each label of a category is looked up once
    if (column.kind() == Kind::category)
      for (std::size_t code = 0; code < column.labels().size(); ++code)
        of_code.push_back(id_of_text(std::string(column.labels().text_at(code))));
    for (std::size_t row = 0; row < column.size(); ++row) {
      if (column.is_null(row)) continue;
      switch (column.kind()) {
        case Kind::real:
          out[row] = recent_reals_.id(std::bit_cast<std::uint64_t>(column.reals()[row]),
                                      [&] { return id_of_real(column.reals()[row]); });
          break;
        case Kind::integer:
          out[row] = recent_integers_.id(static_cast<std::uint64_t>(column.integers()[row]),
                                         [&] { return id_of_integer(column.integers()[row]); });
          break;
        case Kind::category:
          out[row] = of_code[static_cast<std::size_t>(column.codes()[row])];
          break;
        case Kind::text:
          out[row] = id_of_text(std::string(column.text_at(row)));
          break;
        default:
          out[row] = id_of_text(to_json(column.value_at(row)));
      }
    }
    return out;
  }

 private:
  // Of values that came lately: most columns have few, which are found here and not in a map.
  class Recent {
   public:
    template <class Find>
    std::uint64_t id(std::uint64_t bits, const Find& find) {
      if (known_.empty()) known_.resize(kKnown);
      Known& one = known_[bits * 0x9E3779B97F4A7C15 >> 54];
      if (one.id == kMissingValue || one.bits != bits) one = {bits, find()};
      return one.id;
    }

   private:
    static constexpr std::size_t kKnown = 1024;
    struct Known {
      std::uint64_t bits = 0, id = kMissingValue;
    };
    std::vector<Known> known_;
  };

  std::uint64_t id_of_integer(std::int64_t value) {
    return integers_.try_emplace(value, next()).first->second;
  }
  std::uint64_t id_of_real(double value) {
    constexpr double kEnd = 9223372036854775808.0;  // 2^63
    if (std::trunc(value) == value && value >= -kEnd && value < kEnd)
      return id_of_integer(static_cast<std::int64_t>(value));
    return reals_.try_emplace(value, next()).first->second;
  }
  std::uint64_t id_of_text(const std::string& value) {
    return texts_.try_emplace(value, next()).first->second;
  }
  std::uint64_t next() const { return 1 + integers_.size() + reals_.size() + texts_.size(); }

  Recent recent_integers_, recent_reals_;
  std::unordered_map<std::int64_t, std::uint64_t> integers_;
  std::unordered_map<double, std::uint64_t> reals_;  // those that are no integer
  std::unordered_map<std::string, std::uint64_t> texts_;
};

}  // namespace synthema::detail
