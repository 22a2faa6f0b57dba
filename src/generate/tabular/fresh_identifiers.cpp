#include "src/generate/tabular/fresh_identifiers.hpp"

#include <algorithm>
#include <map>

namespace synthema::detail {

namespace {

constexpr std::uint64_t kMostNumbered = std::uint64_t{1} << 60;  // larger spaces are drawn from, not numbered

// The characters that one of a pattern stands for; none where it stands for itself. 'h' and 'H' are
// hexadecimal digits, as of a UUID.
std::string_view characters_of(char c) {
  switch (c) {
    case '9':
      return "0123456789";
    case 'A':
      return "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    case 'a':
      return "abcdefghijklmnopqrstuvwxyz";
    case 'h':
      return "0123456789abcdef";
    case 'H':
      return "0123456789ABCDEF";
    default:
      return {};
  }
}
bool is_class(char c) {
  return !characters_of(c).empty();
}
std::uint64_t size_of(char c) {
  return characters_of(c).size();
}
bool is_of(char c, char of) {
  return characters_of(of).find(c) != std::string_view::npos;
}
char class_of(char c) {
  for (const char of : {'9', 'A', 'a'})
    if (is_of(c, of)) return of;
  return c;
}

std::string plain_classes(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = class_of(c);
  return out;
}
// The same with hexadecimal digits for all that may be such.
std::string hexadecimal_classes(std::string_view text) {
  const char digit = std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'F'; }) ? 'H' : 'h';
  std::string out(text);
  for (char& c : out) c = is_of(c, digit) ? digit : class_of(c);
  return out;
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

// Behind the last digits, where a number grows; the end where there are none.
std::vector<Place>::iterator end_of_digits(std::vector<Place>& places) {
  const auto last = std::ranges::find_if(places.rbegin(), places.rend(), [](const Place& place) {
    return place.free && is_of('9', place.character);
  });
  return last == places.rend() ? places.end() : last.base();
}

std::string numbered(const std::vector<Place>& places, std::uint64_t number) {
  std::string out(places.size(), ' ');
  for (std::size_t i = places.size(); i-- > 0;) {
    out[i] = places[i].character;
    if (!places[i].free) continue;
    out[i] = characters_of(places[i].character)[number % size_of(places[i].character)];
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

// What many texts look like, and the characters that all of them have; '\0' where they differ.
struct Shape {
  std::string classes, common;
  std::size_t texts = 0;
};

Shape commonest_shape(std::span<const std::string_view> texts, std::string (*classes_of)(std::string_view)) {
  std::map<std::string, Shape> shapes;
  for (const std::string_view text : texts) {
    if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 128; })) continue;
    const std::string classes = classes_of(text);
    Shape& shape = shapes.try_emplace(classes, Shape{classes, std::string(text)}).first->second;
    ++shape.texts;
    for (std::size_t i = 0; i < text.size(); ++i)
      if (shape.common[i] != text[i]) shape.common[i] = '\0';
  }
  const auto best =
      std::ranges::max_element(shapes, {}, [](const auto& entry) { return entry.second.texts; });
  return best == shapes.end() ? Shape{} : best->second;  // the first of equals
}

}  // namespace

std::uint64_t identifier_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, then mixed
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return Random(hash).stream(text.size()).key();
}

std::string identifier_pattern(std::span<const std::string_view> texts, std::size_t least) {
  const Shape plain = commonest_shape(texts, plain_classes),
              hex = commonest_shape(texts, hexadecimal_classes);
  const Shape& best = hex.texts > plain.texts ? hex : plain;
  if (best.texts < std::max<std::size_t>(least, 2)) return "AAAAAAAA";
  std::string out;
  for (std::size_t i = 0; i < best.classes.size(); ++i) {
    const char common = best.common[i];
    if (common == '\0') {
      out += best.classes[i];
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
  while (texts_of(places) / 2 < rows + taken.size()) places.insert(end_of_digits(places), {'9', true});
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
          text += place.free ? characters_of(place.character)[own.below(size_of(place.character))]
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
