// METEOR of one text against one reference (Banerjee and Lavie, ACL workshop 2005), as nltk.meteor_score
// gives it with a WordNet that knows no synonyms: words are matched if they are equal, then if their Porter
// stems are. Each stage goes through the text from its end and takes the last free word of the reference.
// Synonyms are not matched, so the value is at most that with WordNet.
//   F = P R / (alpha P + (1 - alpha) R), score = F (1 - gamma (chunks / matches)^beta)
// alpha 0.9, beta 3, gamma 0.5; a chunk is a run of matches that are next to each other in both.
#pragma once

#include <span>
#include <string>

#include "synthema/core/export.hpp"

namespace synthema {

struct MeteorOptions {
  double alpha = 0.9, beta = 3, gamma = 0.5;
};

// Of lower-case words. In [0, 1]; 0 where nothing matches.
double meteor(std::span<const std::string> text, std::span<const std::string> reference,
              const MeteorOptions& options = {});

}  // namespace synthema
