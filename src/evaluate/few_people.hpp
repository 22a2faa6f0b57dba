// What so few people of the real rows say or have that to name it in a score may be to name one of them.
#pragma once

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

class FewPeople {
 public:
  static constexpr std::size_t kFewest = 5;  // who have what is named

  // Of the real rows.
  explicit FewPeople(Units units) : units_(std::move(units)) {}

  void add(const std::string& what, std::size_t row) {
    std::vector<std::size_t>& people = people_[what];
    const std::size_t person = units_.of_row[row];
    if (people.size() < kFewest && std::ranges::find(people, person) == people.end())
      people.push_back(person);
  }
  // Whether some have it, but too few. What nobody has names nobody.
  bool have(const std::string& what) const {
    const auto found = people_.find(what);
    return found != people_.end() && found->second.size() < kFewest;
  }

 private:
  Units units_;
  std::unordered_map<std::string, std::vector<std::size_t>> people_;
};

}  // namespace synthema::detail
