// What the readers of CSV and JSONL share: files, guessing kinds, times with and without zone, columns that
// say where a value did not fit.
#pragma once

#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <unordered_set>
#include <vector>

#include "src/data/written_form.hpp"
#include "synthema/data/column.hpp"
#include "synthema/data/json.hpp"
#include "synthema/data/table.hpp"
#include "synthema/data/timestamp.hpp"

namespace synthema::detail {

inline std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    if (file && file.peek() == std::ifstream::traits_type::eof()) return {};  // an empty file reads nothing
    throw ParseError({.file = path},
                     message("The file cannot be read: ", std::generic_category().message(errno), "."));
  }
  return std::move(text).str();
}

inline std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <class T>
std::optional<T> whole_number(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

inline std::optional<double> finite_number(std::string_view text) {
  const auto value = whole_number<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

// Infinity as other programs write it, or a number that no double holds.
inline bool beyond_finite(std::string_view text) {
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  double value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return false;
  if (error == std::errc{}) return std::isinf(value);
  return error == std::errc::result_out_of_range &&
         std::abs(std::strtod(std::string(text).c_str(), nullptr)) > 1;
}

// "true" or "false" in lower, upper or title case.
inline std::optional<bool> truth(std::string_view text) {
  for (const char* word : {"true", "True", "TRUE"})
    if (text == word) return true;
  for (const char* word : {"false", "False", "FALSE"})
    if (text == word) return false;
  return {};
}

// A number written so that it is surely a number: no plus sign, no leading zero ("0.5" and "0" are fine).
inline bool plainly_numeric(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || text[0] < '0' || text[0] > '9') return false;
  return text[0] != '0' || text.size() == 1 || text[1] == '.' || text[1] == 'e' || text[1] == 'E';
}

// A whole number of more digits than 64 bits hold.
inline bool is_long_number(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos &&
         !whole_number<std::int64_t>(text);
}

// What stands for a missing value among numbers and times, as other programs write them. Among labels it is a
// label like any other.
inline bool stands_for_missing(std::string_view text) {
  for (const char* word : {"NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "."})
    if (text == word) return true;
  return false;
}

// Sees texts and says whether they are labels of a category rather than free text.
class LabelCount {
 public:
  static constexpr std::size_t kMostLabels = 1000;  // a category has at most so many labels,
  static constexpr std::size_t kLongLabel = 64;     // each used twice on average; where some have more bytes,
  static constexpr std::size_t kMostLongLabels =
      20;  // at most so many, each used ten times: texts repeat less

  void see(std::string_view text) {
    ++seen_;
    if (!plausible_ || !labels_.insert(std::string(text)).second) return;
    long_ = long_ || text.size() > kLongLabel;
    plausible_ = labels_.size() <= (long_ ? kMostLongLabels : kMostLabels);
  }
  bool plausible() const { return plausible_; }  // once false, it stays so
  bool are_labels() const { return plausible_ && labels_.size() * (long_ ? 10 : 2) <= seen_; }

 private:
  bool plausible_ = true, long_ = false;
  std::size_t seen_ = 0;
  std::unordered_set<std::string> labels_;
};

// Sees the texts of one column and says which kind holds them all.
class TextKind {
 public:
  // Only files without kinds of their own have numbers, and markers among them, as texts.
  explicit TextKind(bool may_be_number, const WrittenForm& form = {})
      : form_(form),
        boolean_(may_be_number),
        integer_(may_be_number),
        real_(may_be_number),
        marked_(may_be_number) {}

  void see(std::string_view text) {
    ++seen_;
    const std::string_view bare = trimmed(text);
    labels_.see(text);
    if (marked_ && stands_for_missing(bare)) {
      ++markers_;
      return;
    }
    if (boolean_) boolean_ = truth(bare).has_value();
    if (real_) sees_number(form_.number(bare, room_));
    if (time_) time_ = sees_time(form_.time(bare, room_));
  }
  Kind kind() const {
    if (seen_ == 0) return Kind::text;
    if (seen_ == markers_) return labels_.are_labels() ? Kind::category : Kind::text;
    if (boolean_) return Kind::boolean;
    if (beyond_ == 0 && integer_) return Kind::integer;
    if (beyond_ == 0 && real_) return Kind::real;
    if (time_) return Kind::time;
    return labels_.are_labels() ? Kind::category : Kind::text;
  }

  bool saw_infinite() const { return beyond_ > 0; }
  // Numbers, but for some that are not finite.
  bool holds_infinite_numbers() const { return real_ && beyond_ > 0 && seen_ > markers_ + beyond_; }

 private:
  void sees_number(std::string_view text) {
    if (is_long_number(text)) {
      real_ = integer_ = false;  // a real would round it, and make one of several long numbers of people
      return;
    }
    if (beyond_finite(text)) {
      ++beyond_;
      return;
    }
    real_ = plainly_numeric(text) && finite_number(text);
    integer_ = integer_ && real_ && whole_number<std::int64_t>(text);
  }
  // Times all have a zone or all have none; a mixture stays text.
  bool sees_time(std::string_view text) {
    const auto parsed = parse_iso8601(text);
    if (!parsed) return false;
    if (!zoned_) zoned_ = parsed->zoned;
    return *zoned_ == parsed->zoned;
  }
  WrittenForm form_;
  std::string room_;
  bool boolean_, integer_, real_, marked_;
  bool time_ = true;
  std::optional<bool> zoned_;
  std::size_t seen_ = 0, markers_ = 0, beyond_ = 0;
  LabelCount labels_;
};

// What an error says, without the place in front.
inline std::string bare_message(const Error& error) {
  const std::string text = error.what(), place = error.where().text() + ": ";
  return text.starts_with(place) ? text.substr(place.size()) : text;
}

// A ColumnBuilder whose complaints carry a place, and which sees to it that times are all with a zone or all
// without.
class PlacedColumn {
 public:
  explicit PlacedColumn(const Field& field) : field_(field), builder_(field) {}

  const Field& field() const { return field_; }

  void append(const Value& value, const Location& where) {
    try {
      builder_.append(with_times(value, where));
    } catch (const SchemaError& error) {
      throw ParseError(where, bare_message(error));
    }
  }
  Column finish() { return builder_.finish(zoned_.value_or(false) ? "UTC" : ""); }

 private:
  Value with_times(const Value& value, const Location& where) {
    const bool list = field_.kind == Kind::list;
    if ((list ? field_.item : field_.kind) != Kind::time) return value;
    if (const auto* text = value.get_if<std::string>()) return time_from(*text, where);
    if (const auto* items = value.get_if<ValueList>(); items && list) {
      ValueList out;
      for (const Value& item : *items) {
        const auto* text = item.get_if<std::string>();
        out.push_back(text ? time_from(*text, where) : item);
      }
      return out;
    }
    return value;
  }
  Value time_from(const std::string& text, const Location& where) {
    const auto parsed = parse_iso8601(trimmed(text));
    if (!parsed)
      throw ParseError(where,
                       "The text is no ISO 8601 time of at most microseconds, for example "
                       "2026-11-24T03:30:00Z.");
    if (!zoned_) zoned_ = parsed->zoned;
    if (*zoned_ != parsed->zoned)
      throw ParseError(where, "Some times of this field have a zone and others have none; write all alike.");
    return parsed->time;
  }

  Field field_;
  ColumnBuilder builder_;
  std::optional<bool> zoned_;
};

// Whether a column's times are days: none has a zone, nor a time of day.
inline bool are_days(const Column& column) {
  constexpr std::int64_t kDay = 86'400'000'000;
  if (column.kind() != Kind::time || !column.zone().empty()) return false;
  for (std::size_t row = 0; row < column.size(); ++row)
    if (!column.is_null(row) && column.integers()[row] % kDay != 0) return false;
  return true;
}

// By column, what time_text and cell_json ask for.
inline std::vector<bool> columns_of_days(const Table& table) {
  std::vector<bool> out;
  for (std::size_t c = 0; c < table.columns(); ++c) out.push_back(are_days(table.column(c)));
  return out;
}

inline std::string time_text(const Column& column, std::size_t row, bool days) {
  const std::string text = to_iso8601({column.integers()[row]}, !column.zone().empty());
  return days ? text.substr(0, text.find('T')) : text;
}

// A cell as JSON text; unlike to_json(Value) it knows whether times have a zone.
inline std::string cell_json(const Column& column, std::size_t row, bool days = false) {
  if (column.is_null(row)) return "null";
  if (column.kind() == Kind::time) return '"' + time_text(column, row, days) + '"';
  if (column.kind() != Kind::list) return to_json(column.value_at(row));
  std::string out = "[";
  for (auto i = column.offsets()[row]; i < column.offsets()[row + 1]; ++i)
    out += (out.size() > 1 ? ", " : "") + cell_json(column.items(), static_cast<std::size_t>(i));
  return out + "]";
}

}  // namespace synthema::detail
