// Porter's stemmer for English (M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980) with
// the changes that NLTK made to it (its default mode), because published ROUGE numbers rest on those.
#pragma once

#include <string>
#include <string_view>

namespace synthema {

// The stem of one lower-case ASCII word: "relational" -> "relat", "dying" -> "die". Words of one or two
// letters stay as they are.
std::string porter_stem(std::string_view word);

}  // namespace synthema
