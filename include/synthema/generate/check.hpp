// A Check looks at one finished draft and accepts it or says why not. Checks have names: a rejected row keeps
// both.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "synthema/prompt/part_options.hpp"
#include "synthema/prompt/task.hpp"

namespace synthema {

struct Check {
  std::string name;
  // Nothing: accepted. A text: the reason, one short sentence without private values. Pure: same task and
  // draft, same answer.
  std::function<std::optional<std::string>(const Task&, const Draft&)> test;
  // True for a check that finds copies of exemplars: what it does not pass must not leave the machine when
  // the exemplars must not.
  bool guards_exemplars = false;
  PartOptions options = {};
};

}  // namespace synthema
