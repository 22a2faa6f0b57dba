#include <doctest/doctest.h>

#include <utility>

#include "synthema/text/porter.hpp"

using namespace synthema;

TEST_CASE("stems of Porter's paper and of NLTK's changes") {
  // The whole vocabulary test against NLTK is in tests/python/test_metrics_reference.py.
  const std::pair<const char*, const char*> cases[] = {{"caresses", "caress"},
                                                       {"ponies", "poni"},
                                                       {"ties", "tie"},
                                                       {"cats", "cat"},
                                                       {"feed", "feed"},
                                                       {"agreed", "agre"},
                                                       {"plastered", "plaster"},
                                                       {"bled", "bled"},
                                                       {"motoring", "motor"},
                                                       {"sing", "sing"},
                                                       {"hopping", "hop"},
                                                       {"falling", "fall"},
                                                       {"filing", "file"},
                                                       {"happy", "happi"},
                                                       {"relational", "relat"},
                                                       {"vietnamization", "vietnam"},
                                                       {"electrical", "electr"},
                                                       {"adoption", "adopt"},
                                                       {"controlling", "control"},
                                                       {"dying", "die"},
                                                       {"enjoy", "enjoy"},
                                                       {"by", "by"},
                                                       {"ion", "ion"},
                                                       {"archaeology", "archaeolog"},
                                                       {"", ""}};
  for (const auto& [word, stem] : cases) CHECK_MESSAGE(porter_stem(word) == stem, word);
}
