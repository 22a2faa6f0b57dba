#include "src/generate/tabular/fresh_identifiers.hpp"

#include <algorithm>
#include <map>

namespace synthema::detail {

namespace {

constexpr std::uint64_t kMostNumbered = std::uint64_t{1} << 60;  // larger spaces are drawn from, not numbered

bool is_class(char c) {
  return c == 'A' || c == 'a' || c == '9';
}
std::uint64_t size_of(char c) {
  return c == '9' ? 10 : 26;
}
char first_of(char c) {
  return c == '9' ? '0' : c;
}
char class_of(char c) {
  if (c >= '0' && c <= '9') return '9';
  if (c >= 'A' && c <= 'Z') return 'A';
  if (c >= 'a' && c <= 'z') return 'a';
  return c;
}

struct Place {
  char character = 0;
  bool free = false;  // any character of the class
};

std::vector<Place> places_of(const std::string& pattern) {
  std::vector<Place> out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size())
      out.push_back({pattern[++i], false});
    else
      out.push_back({pattern[i], is_class(pattern[i])});
  }
  return out;
}

std::uint64_t texts_of(const std::vector<Place>& places) {
  std::uint64_t out = 1;
  for (const Place& place : places)
    if (place.free)
      out = out > kMostNumbered / size_of(place.character) ? kMostNumbered : out * size_of(place.character);
  return out;
}

std::string numbered(const std::vector<Place>& places, std::uint64_t number) {
  std::string out(places.size(), ' ');
  for (std::size_t i = places.size(); i-- > 0;) {
    out[i] = places[i].character;
    if (!places[i].free) continue;
    out[i] = static_cast<char>(first_of(places[i].character) +
                               static_cast<int>(number % size_of(places[i].character)));
    number /= size_of(places[i].character);
  }
  return out;
}

// A permutation of [0, 2^(2 half)): four rounds of Feistel with Philox as the round function.
std::uint64_t permuted(std::uint64_t number, int half, const Random& random) {
  const std::uint64_t mask = (std::uint64_t{1} << half) - 1;
  std::uint64_t left = number >> half, right = number & mask;
  for (std::uint64_t round = 0; round < 4; ++round) {
    const PhiloxBlock out = random.block(right, round);
    const std::uint64_t f = (std::uint64_t{out[0]} << 32 | out[1]) & mask;
    left = std::exchange(right, left ^ f);
  }
  return left << half | right;
}

}  // namespace

std::uint64_t identifier_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, then mixed
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return Random(hash).stream(text.size()).key();
}

std::string identifier_pattern(std::span<const std::string_view> texts, std::size_t least) {
  std::map<std::string, std::pair<std::size_t, std::string>> patterns;  // count; what all have in common
  for (const std::string_view text : texts) {
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 128; })) continue;
    std::string classes(text);
    for (char& c : classes) c = class_of(c);
    auto& [count, common] = patterns.try_emplace(classes, 0, text).first->second;
    ++count;
    for (std::size_t i = 0; i < text.size(); ++i)
      if (common[i] != text[i]) common[i] = '\0';
  }
  const auto best = std::ranges::max_element(
      patterns, {}, [](const auto& entry) { return entry.second.first; });  // the first of equals
  if (best == patterns.end() || best->second.first < std::max<std::size_t>(least, 2)) return "AAAAAAAA";
  std::string out;
  for (std::size_t i = 0; i < best->first.size(); ++i) {
    const char common = best->second.second[i];
    if (common == '\0') {
      out += best->first[i];
    } else {
      if (is_class(class_of(common)) || common == '\\') out += '\\';
      out += common;
    }
  }
  return out;
}

std::vector<std::string> fresh_identifiers(const std::string& pattern, std::span<const std::uint64_t> taken,
                                           std::uint64_t rows, Random random) {
  std::vector<Place> places = places_of(pattern);
  while (texts_of(places) / 2 < rows + taken.size()) places.push_back({'9', true});
  const std::uint64_t texts = texts_of(places);
  const auto is_taken = [&](const std::string& text) {
    return std::ranges::binary_search(taken, identifier_hash(text));
  };
  std::vector<std::string> out;
  out.reserve(rows);
  int half = 1;
  while (half < 31 && (std::uint64_t{1} << (2 * half)) < texts) ++half;
  std::uint64_t next = 0;  // every number comes once; those of no text, or of a taken one, are passed over
  for (std::uint64_t row = 0; row < rows; ++row) {
    std::string text;
    if (texts >= kMostNumbered) {
      Random own = random.stream(row);
      do {
        text.clear();
        for (const Place& place : places)
          text += place.free ? static_cast<char>(first_of(place.character) +
                                                 static_cast<int>(own.below(size_of(place.character))))
                             : place.character;
      } while (is_taken(text));
    } else {
      std::uint64_t number = 0;
      do {
        number = permuted(next++, half, random);
        if (number < texts) text = numbered(places, number);
      } while (number >= texts || is_taken(text));
    }
    out.push_back(std::move(text));
  }
  return out;
}

}  // namespace synthema::detail
