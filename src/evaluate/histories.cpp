#include "src/evaluate/histories.hpp"

#include <algorithm>

#include "src/evaluate/shared_columns.hpp"
#include "src/evaluate/two_samples.hpp"
#include "synthema/core/counted.hpp"
#include "synthema/evaluate/resampling.hpp"

namespace synthema::detail {

namespace {

const Field* time_field(const Table& table) {
  for (const Field* field : table.schema().with_role(Role::time))
    if (is_number(table.column(field->name).kind())) return field;
  return nullptr;
}

}  // namespace

std::string lacks_histories(const Table& table) {
  if (!table.schema().subject()) return "The schema names no subject column.";
  if (!time_field(table)) return "The schema names no column of numbers or times with the role time.";
  return {};
}

std::string lacks_histories(const Table& real, const Table& synthetic) {
  if (std::string reason = lacks_histories(real); !reason.empty()) return reason;
  if (!synthetic.schema().subject())
    return message("The synthetic rows have no subject column '", real.schema().subject()->name,
                   "', which the real ones have.");
  if (!time_field(synthetic))
    return message("The synthetic rows have no column '", time_field(real)->name,
                   "' of numbers or times with the role time, which the real ones have.");
  return {};
}

Histories histories_of(const Table& table) {
  const std::string& subject = table.schema().subject()->name;
  const Column &subjects = table.column(subject), &times = table.column(time_field(table)->name);
  Histories out;
  out.time.resize(table.rows());
  out.kind = times.kind();
  std::vector<std::string> names;
  for (const Field& field : table.schema().fields) names.push_back(field.name);
  const Units units = Units::of(table);
  out.rows.resize(units.count);
  for (const std::size_t row : order_by_content(table, names)) {
    if (subjects.is_null(row) || times.is_null(row)) {
      ++out.left_out;
      continue;
    }
    out.time[row] = times.number_at(row);
    out.rows[units.of_row[row]].push_back(row);
  }
  std::erase_if(out.rows, [](const auto& rows) { return rows.empty(); });
  for (auto& rows : out.rows)
    std::stable_sort(rows.begin(), rows.end(), [&](auto a, auto b) { return out.time[a] < out.time[b]; });
  return out;
}

Histories histories_of(const Table& table, std::string_view whose, Score& score) {
  Histories out = histories_of(table);
  if (out.left_out > 0)
    score.warnings.push_back(message("Left out: ", out.left_out, " of ",
                                     counted(table.rows(), message(whose, " row")),
                                     " without a subject or a time."));
  return out;
}

std::vector<std::string> code_columns(const Table& table) {
  std::vector<std::string> systems, lists, labels;
  for (const Field& field : table.schema().fields) {
    const Kind kind = table.column(field.name).kind();
    const bool single = kind == Kind::category || kind == Kind::text || kind == Kind::integer;
    if (!field.code_system.empty() && (single || kind == Kind::list)) systems.push_back(field.name);
    if (kind == Kind::list) lists.push_back(field.name);
    if (field.has(Role::label) && single) labels.push_back(field.name);
  }
  return !systems.empty() ? systems : !lists.empty() ? lists : labels;
}

std::string lacks_codes(const Table& table, const std::vector<std::string>& columns, const Table& real) {
  if (columns.empty()) return "No column has a code system, a list of codes or the role label.";
  for (const std::string& name : columns)
    if (!table.has(name) ||
        (table.column(name).kind() == Kind::list) != (real.column(name).kind() == Kind::list))
      return message("The synthetic table has no column '", name, "' of the real one's kind.");
  return {};
}

namespace {

void add_codes(std::vector<std::uint32_t>& out, const Column& column, std::size_t row,
               const std::string& prefix, CodeBook& book) {
  if (column.is_null(row)) return;
  if (column.kind() != Kind::list) {
    out.push_back(book.of(prefix + column.value_at(row).display()));
    return;
  }
  const Column& items = column.items();
  for (auto i = static_cast<std::size_t>(column.offsets()[row]);
       i < static_cast<std::size_t>(column.offsets()[row + 1]); ++i)
    if (!items.is_null(i)) out.push_back(book.of(prefix + items.value_at(i).display()));
}

}  // namespace

Visits visits_of(const Table& table, const Histories& histories, const std::vector<std::string>& columns,
                 CodeBook& book) {
  Visits out;
  for (const auto& rows : histories.rows) {
    auto& visits = out.of_subject.emplace_back();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i == 0 || histories.time[rows[i]] != histories.time[rows[i - 1]]) visits.emplace_back();
      for (const std::string& name : columns)
        add_codes(visits.back(), table.column(name), rows[i], columns.size() > 1 ? name + " = " : "", book);
    }
    for (auto& codes : visits) {
      std::sort(codes.begin(), codes.end());
      codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    }
    out.visits += visits.size();
  }
  return out;
}

}  // namespace synthema::detail
