// A form with rules between its values, before it becomes an automaton: fixed text and free values in turn,
// some of which depend on values before them.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "src/model/expressions.hpp"
#include "synthema/data/schema.hpp"
#include "synthema/data/value.hpp"

namespace synthema::detail {

struct AnswerChain {
  struct Link {
    Expression text = Expressions::kEmpty;
    std::optional<std::size_t> field = {};  // then its value stands here, and no text
  };
  Schema schema;  // fields in the order of the text, and the rules between them
  std::vector<Link> links;
  // The values that stand in the text before the one of a field.
  std::function<Record(std::string_view text, std::size_t field)> values;
};

}  // namespace synthema::detail
