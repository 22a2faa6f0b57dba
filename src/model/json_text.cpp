#include "src/model/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "src/data/strict_json.hpp"
#include "src/model/text_sets.hpp"
#include "synthema/core/error.hpp"

namespace synthema::detail {

Expression quoted(Expressions& pool, Expression content) {
  return pool.sequence({pool.literal("\""), content, pool.literal("\"")});
}

Expression string_text(Expressions& pool, std::uint32_t least, std::uint32_t most) {
  return quoted(pool, pool.repeat(json_character(pool, CharacterSet::all()), least, most));
}

Expression list_text(Expressions& pool, Expression item, std::uint32_t least, std::uint32_t most) {
  if (least > most) return Expressions::kNothing;
  std::vector<Expression> lists;
  if (least == 0) lists.push_back(pool.literal("[]"));
  if (most > 0) {
    const Expression more = pool.sequence(pool.literal(", "), item);
    lists.push_back(
        pool.sequence({pool.literal("["), item, pool.repeat(more, least > 0 ? least - 1 : 0, most - 1),
                       pool.literal("]")}));
  }
  return pool.either(std::move(lists));
}

Expression members_text(Expressions& pool, const std::vector<Member>& members, std::uint32_t least,
                        std::uint32_t most, std::string_view open, std::string_view close) {
  // How many stand before matters up to `last`: for the comma, and where a count binds.
  const std::uint32_t last = most < members.size() ? most + 1 : std::max<std::uint32_t>(1, least);
  // rest[n]: what follows if n members stand before; from the last member to the first.
  std::vector<Expression> rest;
  for (std::uint32_t n = 0; n <= last; ++n)
    rest.push_back(n >= least && n <= most ? pool.literal(close) : Expressions::kNothing);
  for (auto member = members.rbegin(); member != members.rend(); ++member)
    for (std::uint32_t n = 0; n <= last; ++n) {
      const Expression with =
          pool.sequence({pool.literal(n == 0 ? "" : ", "), member->text, rest[std::min(n + 1, last)]});
      rest[n] = member->required ? with : pool.either({rest[n], with});
    }
  return pool.sequence(pool.literal(open), rest[0]);
}

namespace {

// With both ends: where one is missing, that of a real, unless the other lies beyond it.
ValueRange closed(ValueRange range) {
  constexpr auto end = static_cast<double>(kLargestReal);
  const ValueRange given = range;
  if (!range.minimum && given.maximum.value_or(0) >= -end) range.minimum = -end;
  if (!range.maximum && given.minimum.value_or(0) <= end) range.maximum = end;
  return range;
}

}  // namespace

Expression number_text(Expressions& pool, const ValueRange& range, std::optional<unsigned> places) {
  const auto [low, high] = written_numbers(range, places);
  return places ? decimals(pool, low, high, *places) : integers(pool, low, high);
}

std::optional<Expression> multiples_text(Expressions& pool, const ValueRange& range, std::int64_t step,
                                         std::optional<unsigned> places) {
  const WrittenRange written = written_numbers(closed(range), places);
  if (written.empty()) return Expressions::kNothing;
  const auto [low, high] = written;
  const unsigned scale = places.value_or(0);
  const std::int64_t first = low / step + (low > 0 && low % step != 0),
                     last = high / step - (high < 0 && high % step != 0);
  if (last - first >= kMostMultiples) return std::nullopt;
  const auto unit = static_cast<std::int64_t>(std::llround(std::pow(10, scale)));
  std::vector<std::string> texts;
  for (std::int64_t n = first; n <= last; ++n) {
    const std::int64_t value = n * step, size = std::abs(value);
    std::string text = message(value < 0 ? "-" : "", size / unit);
    if (size % unit != 0) {
      text += fmt::format(".{:0{}}", size % unit, scale);
      text.resize(text.find_last_not_of('0') + 1);
    }
    texts.push_back(std::move(text));
  }
  return pool.one_of({texts.begin(), texts.end()});
}

Expression time_text(Expressions& pool, const ValueRange& range, bool date_only) {
  const auto [low, high] = written_times(range, date_only);
  return quoted(pool, date_only ? dates(pool, low, high) : date_times(pool, low, high));
}

Expression boolean_text(Expressions& pool) {
  return pool.either({pool.literal("true"), pool.literal("false")});
}

Expression labels_text(Expressions& pool, const std::vector<std::string>& texts) {
  return pool.one_of({texts.begin(), texts.end()});
}

namespace {

Expression value_text(Expressions& pool, const Field& field) {
  const ValueRange range{field.minimum, field.maximum};
  switch (field.kind) {
    case Kind::real:
      return number_text(pool, range, field.decimals.value_or(kDecimals));
    case Kind::integer:
      return number_text(pool, range, std::nullopt);
    case Kind::boolean:
      return field.categories.empty() ? boolean_text(pool) : labels_text(pool, field.categories);
    case Kind::time:
      return time_text(pool, range, field.unit != "s");
    case Kind::category:
      if (!field.categories.empty()) {
        std::vector<std::string> labels;
        for (const std::string& label : field.categories) labels.push_back(json_quoted(label));
        return labels_text(pool, labels);
      }
      return string_text(pool, 1, kLongestText);
    case Kind::text: {
      const std::uint32_t least = field.minimum_length.value_or(0);
      return string_text(pool, least, field.maximum_length.value_or(std::max(least, kLongestText)));
    }
    case Kind::list: {
      Field item = field;
      item.kind = field.item;
      item.minimum_length = item.maximum_length = std::nullopt;
      item.nullable = false;
      const std::uint32_t least = field.minimum_length.value_or(0);
      return list_text(pool, value_text(pool, item), least,
                       field.maximum_length.value_or(std::max(least, kLongestList)));
    }
  }
  return Expressions::kNothing;
}

}  // namespace

std::string json_quoted(std::string_view text) {
  try {
    return Json(text).dump();
  } catch (const Json::type_error&) {
    throw ConfigError("A text is not valid UTF-8, so it cannot be written as JSON.");
  }
}

Expression field_text(Expressions& pool, const Field& field) {
  require_written(field);
  const Expression out = value_text(pool, field);
  return field.nullable ? pool.either({out, pool.literal("null")}) : out;
}

}  // namespace synthema::detail
