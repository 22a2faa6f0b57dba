// A coded column as variables of a network: a number is the class of its part (column_coding.hpp), a label
// has a class of its own, and where there are more labels than a variable may have classes, the most frequent
// ones do and the others share classes that up to two further variables tell apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/torch/column_network.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema::detail {

class SYNTHEMA_EXPORT ColumnClasses {
 public:
  static constexpr std::size_t kMostVariables = 3;
  using Classes = std::array<std::uint8_t, kMostVariables>;  // kUnknownClass where a variable says nothing

  ColumnClasses() = default;
  // `all` are the counts of the whole column, without labels that are not handed on.
  ColumnClasses(const ColumnCoding& coding, const OwnedCounts& all);

  std::size_t variables() const { return sizes_.size(); }
  std::size_t classes(std::size_t variable) const { return sizes_[variable]; }
  // Codes of the first variable's classes. A class without any is never drawn.
  const std::vector<OwnedCounts>& counts() const { return counts_; }
  // Shares of rows, of the classes of a variable.
  const std::vector<double>& shares(std::size_t variable) const { return shares_[variable]; }

  Classes of_code(std::uint32_t code) const;
  Classes of_cell(const ColumnCoding& coding, double cell) const;
  // Whether further variables follow a class of the first one, and which of their classes exist.
  bool continues(std::uint8_t first) const { return variables() > 1 && first >= own_ && first < missing_; }
  bool exists(const Classes& begun, std::size_t variable, std::uint8_t next) const;
  std::uint32_t label(const Classes& classes) const;  // of a class that continues, all variables known

 private:
  std::size_t rank(const Classes& classes, std::size_t known) const;

  std::vector<std::size_t> sizes_;
  std::vector<OwnedCounts> counts_;
  std::vector<Classes> of_code_;
  std::size_t own_ = 0, missing_ = 0;        // first class that continues; class of missing labels
  std::size_t group_ = 1, part_ = 1;         // labels of a class of the first and of the second variable
  std::vector<std::uint32_t> by_frequency_;  // labels, where there are further variables
  std::vector<std::vector<double>> shares_;
};

inline constexpr ColumnClasses::Classes kNothing{kUnknownClass, kUnknownClass, kUnknownClass};

}  // namespace synthema::detail
