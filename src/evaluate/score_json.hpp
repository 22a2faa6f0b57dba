// Scores as JSON objects, for score.cpp and the report.
#pragma once

#include "src/data/strict_json.hpp"
#include "synthema/evaluate/score.hpp"

namespace synthema::detail {

Json to_object(const Score& score);
Score score_from_object(const Json& object);  // ParseError names the member

}  // namespace synthema::detail
