#include "synthema/privacy/ledger.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

#include "src/data/strict_json.hpp"
#include "synthema/core/error.hpp"
#include "synthema/core/utf8.hpp"

namespace synthema {

namespace {

using detail::Json;

constexpr double kSlack = 1e-9;  // relative, for the rounding of sums
constexpr const char* kFormat = "synthema privacy ledger 1";

void require(bool holds, const char* field, const std::string& what) {
  if (!holds) throw ConfigError({.field = field}, what);
}

bool valid_delta(double delta) {
  return delta >= 0 && delta < 1;
}

void check_budget(const PrivacyBudget& budget) {
  require(budget.epsilon > 0 && std::isfinite(budget.epsilon), "epsilon",
          message("The epsilon of a budget must be positive, but it is ", budget.epsilon, "."));
  require(valid_delta(budget.delta), "delta",
          message("The delta of a budget must be at least 0 and below 1, but it is ", budget.delta, "."));
}

bool alike(double a, double b) {
  return std::abs(a - b) <= kSlack * std::max(a, b);
}

// 10 * 1e-6 is not quite 1e-5.
bool alike(const PrivacyBudget& a, const PrivacyBudget& b) {
  return alike(a.epsilon, b.epsilon) && alike(a.delta, b.delta);
}

Json budget_json(const std::optional<PrivacyBudget>& budget) {
  if (!budget) return nullptr;
  return {{"epsilon", budget->epsilon}, {"delta", budget->delta}};
}

Json entry_json(const LedgerEntry& entry) {
  return {{"mechanism", entry.mechanism},
          {"sensitivity", entry.sensitivity},
          {"unit", entry.unit},
          {"epsilon", entry.epsilon},
          {"delta", entry.delta},
          {"released", entry.released},
          {"data_digest", entry.data_digest},
          {"private_noise", entry.private_noise},
          {"noise_multiplier", entry.noise_multiplier},
          {"sampling_rate", entry.sampling_rate},
          {"steps", static_cast<std::int64_t>(entry.steps)}};
}

// The member of an object, of the type that is asked for.
template <class T>
T member(const Json& object, const char* name, const Location& where) {
  Location here = where;
  here.field = name;
  if (!object.is_object() || !object.contains(name))
    throw ParseError(here, "A ledger must have this member here.");
  const Json& value = object[name];
  bool fits = false;
  if constexpr (std::is_same_v<T, bool>)
    fits = value.is_boolean();
  else if constexpr (std::is_same_v<T, std::string>)
    fits = value.is_string();
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    fits = value.is_number_integer() && value.get<std::int64_t>() >= 0;
  else
    fits = value.is_number();
  if (!fits) throw ParseError(here, "This member of a ledger has a value of the wrong type.");
  return value.get<T>();
}

std::optional<PrivacyBudget> budget_from(const Json& object, const Location& where) {
  if (!object.is_object() || !object.contains("budget"))
    throw ParseError(where, "A ledger must state its budget (null for none).");
  const Json& budget = object["budget"];
  if (budget.is_null()) return std::nullopt;
  return PrivacyBudget{member<double>(budget, "epsilon", where), member<double>(budget, "delta", where)};
}

LedgerEntry entry_from(const Json& json, const Location& where) {
  return {.mechanism = member<std::string>(json, "mechanism", where),
          .sensitivity = member<double>(json, "sensitivity", where),
          .unit = member<std::string>(json, "unit", where),
          .epsilon = member<double>(json, "epsilon", where),
          .delta = member<double>(json, "delta", where),
          .released = member<std::string>(json, "released", where),
          .data_digest = member<std::string>(json, "data_digest", where),
          .private_noise = member<bool>(json, "private_noise", where),
          .noise_multiplier = member<double>(json, "noise_multiplier", where),
          .sampling_rate = member<double>(json, "sampling_rate", where),
          .steps = member<std::uint64_t>(json, "steps", where)};
}

void require_format(const Json& object, const Location& where) {
  if (member<std::string>(object, "format", where) != kFormat)
    throw ParseError(where, message("This is not a ledger that this version can read: its format must be '",
                                    kFormat, "'."));
}

[[noreturn]] void refuse_file(const std::string& path, const char* what) {
  throw Error({.file = path}, message("The ledger could not be ", what, ": ", std::strerror(errno), "."));
}

// The file, open and locked until the end of the scope.
class LockedFile {
 public:
  explicit LockedFile(const std::string& path) : path_(path) {
    descriptor_ = ::open(path.c_str(), O_RDWR | O_APPEND | O_CLOEXEC);
    if (descriptor_ < 0) refuse("opened");
    int locked = 0;
    do locked = ::flock(descriptor_, LOCK_EX);
    while (locked != 0 && errno == EINTR);
    if (locked == 0) return;
    const int reason = errno;
    ::close(descriptor_);  // a constructor that throws has no destructor
    errno = reason;
    refuse("locked");
  }
  LockedFile(const LockedFile&) = delete;
  LockedFile& operator=(const LockedFile&) = delete;
  ~LockedFile() { ::close(descriptor_); }

  const std::string& path() const { return path_; }
  std::string text() const {
    std::string out;
    char part[1 << 16];
    if (::lseek(descriptor_, 0, SEEK_SET) < 0) refuse("read");
    for (;;) {
      const ssize_t got = ::read(descriptor_, part, sizeof part);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) refuse("read");
      if (got == 0) return out;
      out.append(part, static_cast<std::size_t>(got));
    }
  }
  // After a failure, what was written of it is cut off again.
  void append(std::string_view line) const {
    const off_t before = ::lseek(descriptor_, 0, SEEK_END);
    if (before < 0) refuse("read");
    while (!line.empty()) {
      const ssize_t written = ::write(descriptor_, line.data(), line.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) cut_and_refuse(before);
      line.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(descriptor_) != 0) cut_and_refuse(before);
  }

 private:
  [[noreturn]] void cut_and_refuse(off_t bytes) const {
    const int reason = errno;
    if (::ftruncate(descriptor_, bytes) != 0) errno = reason;
    errno = reason;
    refuse("written");
  }
  [[noreturn]] void refuse(const char* what) const { refuse_file(path_, what); }

  std::string path_;
  int descriptor_ = -1;
};

// A new file has its first line from the start, so that one that is there and empty has lost what it was.
void make_file(const std::string& path, const std::string& first_line) {
  std::string beside = path + ".XXXXXX";
  const int descriptor = ::mkstemp(beside.data());
  if (descriptor < 0) refuse_file(path, "opened");
  ::close(descriptor);
  const std::unique_ptr<const char, void (*)(const char*)> gone(beside.c_str(),
                                                                [](const char* name) { ::unlink(name); });
  LockedFile(beside).append(first_line);
  if (::link(beside.c_str(), path.c_str()) == 0 || errno == EEXIST) return;
  const int made = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);  // no links here
  if (made < 0 && errno == EEXIST) return;
  if (made < 0) refuse_file(path, "made");
  ::close(made);
  LockedFile(path).append(first_line);
}

// A last line that only lacks its end counts. One that is cut may have been an entry, and what it spent is
// unknown: a ledger never forgets, so it is refused, as is what does not begin as a ledger does.
std::string whole_lines(const LockedFile& file) {
  std::string text = file.text();
  const std::size_t whole = text.rfind('\n') + 1;  // npos + 1 is 0
  if (text.empty())
    throw ParseError(
        {.file = file.path()},
        "The file is empty, but a ledger has a first line from the start: it is damaged, and what it had "
        "counted is unknown. Restore it; delete it only where a new ledger is to begin.");
  if (whole == text.size()) return text;
  if (Json::accept(std::string_view(text).substr(whole))) {
    file.append("\n");
    return text + '\n';
  }
  if (whole == 0)
    throw ParseError(
        {.file = file.path(), .line = 1},
        "The file does not begin as a ledger does: it is none, or it is damaged, and what it had "
        "counted is unknown. Restore it, or name another file.");
  throw ParseError(
      {.file = file.path(), .line = static_cast<std::uint64_t>(1 + std::ranges::count(text, '\n'))},
      "The last line of the ledger is cut off: it is damaged, and what that entry spent is unknown. Restore "
      "the file; delete the line only if nothing was released under it.");
}

// An entry that stands in a file.
void add_written(Ledger& ledger, LedgerEntry entry, const Location& where) {
  try {
    ledger.add(std::move(entry));
  } catch (const ConfigError& error) {
    throw ParseError(where, error.what());
  } catch (const PrivacyBudgetError&) {
    throw PrivacyBudgetError(where,
                             "The entries up to this line spend more than the budget that the first line "
                             "states; nothing more can be released under it.");
  }
}

Ledger parse_lines(const std::string& text, const std::string& path) {
  std::optional<Ledger> ledger;
  Location where{.file = path};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    ++where.line;
    const Json line = detail::strict_json(std::string_view(text).substr(at, end - at), where);
    if (ledger) {
      add_written(*ledger, entry_from(line, where), where);
    } else {
      require_format(line, where);
      ledger.emplace(budget_from(line, where));
    }
    at = end + 1;
  }
  if (!ledger)
    throw ParseError({.file = path}, "The ledger has lost its first line, which states its budget.");
  return std::move(*ledger);
}

std::string line_of(const Json& json) {
  return json.dump() + "\n";
}

}  // namespace

void check_entry(const LedgerEntry& entry) {
  require(!entry.mechanism.empty(), "mechanism", "An entry of a ledger must name its mechanism.");
  require(!entry.unit.empty(), "unit",
          "An entry of a ledger must name the unit that it protects, such as 'row' or 'patient'.");
  require(!entry.released.empty(), "released", "An entry of a ledger must say what was released.");
  for (const std::string* text : {&entry.mechanism, &entry.unit, &entry.released, &entry.data_digest})
    require(is_valid_utf8(*text), "entry", "The texts of a ledger's entry must be UTF-8.");
  require(entry.sensitivity > 0 && std::isfinite(entry.sensitivity), "sensitivity",
          message("The sensitivity must be positive, but it is ", entry.sensitivity, "."));
  require(
      entry.epsilon >= 0 && std::isfinite(entry.epsilon), "epsilon",
      message("The epsilon of an entry must be a number that is at least 0, but it is ", entry.epsilon, "."));
  require(valid_delta(entry.delta), "delta",
          message("The delta of an entry must be at least 0 and below 1, but it is ", entry.delta, "."));
  require(entry.noise_multiplier >= 0 && std::isfinite(entry.noise_multiplier), "noise_multiplier",
          "The noise multiplier must be at least 0 (0 where there is none).");
  require(entry.sampling_rate >= 0 && entry.sampling_rate <= 1, "sampling_rate",
          "The sampling rate must be between 0 and 1 (0 where there is none).");
  require(entry.steps <= static_cast<std::uint64_t>(INT64_MAX), "steps", "The number of steps is too large.");
}

Ledger::Ledger(std::optional<PrivacyBudget> budget) : budget_(budget) {
  if (budget_) check_budget(*budget_);
}

void Ledger::add(LedgerEntry entry) {
  check_entry(entry);
  if (budget_) {
    const PrivacyBudget before = spent();
    const double epsilon = before.epsilon + entry.epsilon, delta = before.delta + entry.delta;
    if (epsilon > budget_->epsilon * (1 + kSlack) || delta > budget_->delta * (1 + kSlack))
      throw PrivacyBudgetError(message("This release would bring the ledger to epsilon ", epsilon,
                                       " and delta ", delta, ", above its budget of epsilon ",
                                       budget_->epsilon, " and delta ", budget_->delta,
                                       "; release less, add more noise, or stop here."));
  }
  entries_.push_back(std::move(entry));
}

PrivacyBudget Ledger::spent() const {
  PrivacyBudget sum;
  for (const LedgerEntry& entry : entries_) sum.epsilon += entry.epsilon, sum.delta += entry.delta;
  return sum;
}

std::optional<PrivacyBudget> Ledger::remaining() const {
  if (!budget_) return std::nullopt;
  const PrivacyBudget sum = spent();
  return PrivacyBudget{std::max(0.0, budget_->epsilon - sum.epsilon),
                       std::max(0.0, budget_->delta - sum.delta)};
}

bool Ledger::is_private() const {
  return std::all_of(entries_.begin(), entries_.end(),
                     [](const LedgerEntry& entry) { return entry.private_noise; });
}

std::string to_json(const Ledger& ledger) {
  Json entries = Json::array();
  for (const LedgerEntry& entry : ledger.entries()) entries.push_back(entry_json(entry));
  return Json{{"format", kFormat}, {"budget", budget_json(ledger.budget())}, {"entries", std::move(entries)}}
      .dump();
}

Ledger ledger_from_json(std::string_view json) {
  const Json object = detail::strict_json(json);
  require_format(object, {});
  Ledger ledger(budget_from(object, {}));
  if (!object.contains("entries") || !object["entries"].is_array())
    throw ParseError({.field = "entries"}, "A ledger must have a list of entries.");
  for (const Json& entry : object["entries"]) ledger.add(entry_from(entry, {}));
  return ledger;
}

LedgerFile::LedgerFile(std::string path, std::optional<PrivacyBudget> budget) : path_(std::move(path)) {
  const Ledger fresh(budget);
  std::error_code unknown;
  if (!std::filesystem::exists(path_, unknown))
    make_file(path_, line_of({{"format", kFormat}, {"budget", budget_json(budget)}}));
  const LockedFile file(path_);
  const Ledger there = parse_lines(whole_lines(file), path_);
  if (budget && !(there.budget() && alike(*there.budget(), *budget)))
    throw ConfigError(
        {.file = path_},
        "The ledger states another budget than the one that is asked for; a budget is set once, "
        "when the file is made.");
}

void LedgerFile::append(const LedgerEntry& entry) const {
  const LockedFile file(path_);
  Ledger ledger = parse_lines(whole_lines(file), path_);
  ledger.add(entry);
  file.append(line_of(entry_json(entry)));
}

Ledger LedgerFile::read() const {
  const LockedFile file(path_);
  return parse_lines(whole_lines(file), path_);
}

}  // namespace synthema
