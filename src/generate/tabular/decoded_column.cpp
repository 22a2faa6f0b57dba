// Drawn cells as a column again (column_coding.hpp).
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>

#include "src/data/bits.hpp"
#include "src/generate/tabular/fresh_identifiers.hpp"
#include "synthema/generate/tabular/column_coding.hpp"

namespace synthema {

namespace {

constexpr std::uint64_t kHoleStream = 0x686F6C65;

// Where identifiers are, in the share of rows that have one.
Validity some_missing(double share, std::uint64_t rows, const Random& random) {
  detail::BitWriter bits;
  for (std::uint64_t row = 0; row < rows; ++row) bits.push(random.uniform_at(row, 0) >= share);
  return bits.validity();
}

Column joined(std::size_t rows, const auto& text_of, Validity validity) {
  std::vector<std::int64_t> offsets{0};
  std::vector<char> bytes;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::string_view text = text_of(row);
    bytes.insert(bytes.end(), text.begin(), text.end());
    offsets.push_back(static_cast<std::int64_t>(bytes.size()));
  }
  return Column::texts(Buffer<std::int64_t>::from(std::move(offsets)), Buffer<char>::from(std::move(bytes)),
                       std::move(validity));
}

Column fresh_column(const ColumnCoding& coding, std::uint64_t rows, Random random) {
  const Validity there = coding.missing_share > 0
                             ? some_missing(coding.missing_share, rows, random.stream(kHoleStream))
                             : Validity();
  if (coding.field.kind == Kind::integer || coding.field.kind == Kind::real) {
    std::vector<std::int64_t> values;
    values.reserve(rows);
    if (coding.counted_from > 0) {
      for (std::uint64_t row = 0; row < rows; ++row)
        values.push_back(static_cast<std::int64_t>(coding.counted_from + row));
    } else {
      // A leading 1 keeps the number of digits where the pattern does not grow.
      const std::string pattern =
          coding.pattern.size() > 1 ? "\\1" + coding.pattern.substr(1) : coding.pattern;
      for (const std::string& text : detail::fresh_identifiers(pattern, coding.taken, rows, random))
        values.push_back(std::stoll(text));
    }
    if (coding.field.kind == Kind::real)
      return Column::reals(Buffer<double>::from({values.begin(), values.end()}), there);
    return Column::integers(Buffer<std::int64_t>::from(std::move(values)), there);
  }
  const auto texts = detail::fresh_identifiers(coding.pattern, coding.taken, rows, random);
  const auto text_of = [&](std::size_t row) -> std::string_view { return texts[row]; };
  if (coding.field.kind == Kind::text) return joined(texts.size(), text_of, there);
  std::vector<std::int32_t> codes(rows);
  std::iota(codes.begin(), codes.end(), 0);
  return Column::categories(Buffer<std::int32_t>::from(std::move(codes)), Column::texts(texts), false, there);
}

Validity all_missing(std::uint64_t rows) {
  detail::BitWriter bits;
  for (std::uint64_t row = 0; row < rows; ++row) bits.push(false);
  return bits.validity();
}

Column absent_column(const ColumnCoding& coding, std::uint64_t rows) {
  Validity validity = all_missing(rows);
  switch (coding.field.kind) {
    case Kind::real:
      return Column::reals(Buffer<double>::from(std::vector<double>(rows)), validity);
    case Kind::integer:
      return Column::integers(Buffer<std::int64_t>::from(std::vector<std::int64_t>(rows)), validity);
    case Kind::boolean:
      return Column::booleans(std::vector<bool>(rows), validity);
    case Kind::time:
      return Column::times(Buffer<std::int64_t>::from(std::vector<std::int64_t>(rows)), coding.zone,
                           validity);
    case Kind::category:
      return Column::categories(Buffer<std::int32_t>::from(std::vector<std::int32_t>(rows)),
                                Column::texts(coding.field.categories), false, validity);
    default:
      return Column::texts(Buffer<std::int64_t>::from(std::vector<std::int64_t>(rows + 1)),
                           Buffer<char>::from({}), validity);
  }
}

}  // namespace

Column decode_column(const ColumnCoding& coding, std::span<const double> cells, std::uint64_t rows,
                     Random random) {
  if (coding.form == CodingForm::fresh) return fresh_column(coding, rows, random);
  if (coding.form == CodingForm::absent) return absent_column(coding, rows);
  detail::BitWriter valid;
  for (const double cell : cells) valid.push(!std::isnan(cell));
  Validity validity = valid.validity();
  const auto mapped = [&]<class T>(std::vector<T> out, const auto& of) {
    for (std::size_t row = 0; row < cells.size(); ++row)
      if (!std::isnan(cells[row])) out[row] = static_cast<T>(of(cells[row]));
    return out;
  };
  const auto code = [](double cell) { return cell; };
  const auto whole = [&](double cell) {
    return coding.origin + coding.step * static_cast<std::int64_t>(cell);
  };
  switch (coding.field.kind) {
    case Kind::real:
      return Column::reals(Buffer<double>::from(mapped(std::vector<double>(cells.size()),
                                                       [&](double cell) { return coding.number(cell); })),
                           std::move(validity));
    case Kind::integer:
      return Column::integers(
          Buffer<std::int64_t>::from(mapped(std::vector<std::int64_t>(cells.size()), whole)),
          std::move(validity));
    case Kind::time:
      return Column::times(Buffer<std::int64_t>::from(mapped(std::vector<std::int64_t>(cells.size()), whole)),
                           coding.zone, std::move(validity));
    case Kind::boolean: {
      std::vector<bool> out(cells.size());
      for (std::size_t row = 0; row < cells.size(); ++row) out[row] = cells[row] == 1.0;
      return Column::booleans(std::move(out), std::move(validity));
    }
    case Kind::category:
      return Column::categories(
          Buffer<std::int32_t>::from(mapped(std::vector<std::int32_t>(cells.size()), code)),
          Column::texts(coding.labels), coding.ordered, std::move(validity));
    default:
      return joined(
          cells.size(),
          [&](std::size_t row) -> std::string_view {
            if (std::isnan(cells[row])) return {};
            return coding.labels[static_cast<std::size_t>(cells[row])];
          },
          std::move(validity));
  }
}

}  // namespace synthema
