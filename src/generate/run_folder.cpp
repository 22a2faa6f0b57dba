#include "synthema/generate/run_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <system_error>
#include <vector>

#include "synthema/data/json.hpp"
#include "synthema/data/timestamp.hpp"
#include "synthema/generate/run_manifest.hpp"

namespace synthema {

namespace fs = std::filesystem;

namespace {

constexpr const char* kManifest = "run.json";
constexpr const char* kRows = "rows.jsonl";
constexpr const char* kRejected = "rejected.jsonl";
constexpr const char* kKey = "run.key";
constexpr const char* kLock = "run.lock";

[[noreturn]] void refuse(const fs::path& file, const std::string& what) {
  throw RunFolderError({.file = file.string()}, what);
}

[[noreturn]] void refuse_errno(const fs::path& file, const char* what) {
  refuse(file, message("The file could not be ", what, ": ", std::strerror(errno), "."));
}

// What `use` does with std::filesystem; what the system refuses there, as in a folder of somebody else, is an
// error of ours.
auto on_disk(const auto& use) {
  try {
    return use();
  } catch (const fs::filesystem_error& e) {
    refuse(e.path1(), message("The system refuses to look at or change this: ", e.code().message(), "."));
  }
}

bool is_there(const fs::path& path) {
  return on_disk([&] { return fs::exists(path); });
}

// A file descriptor that closes itself.
class File {
 public:
  File() = default;
  File(fs::path path, int flags, mode_t mode = 0644)
      : path_(std::move(path)), descriptor_(::open(path_.c_str(), flags | O_CLOEXEC, mode)) {
    if (descriptor_ < 0) refuse_errno(path_, "opened");
  }
  File(File&& other) noexcept
      : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(path_, other.path_), std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int descriptor() const { return descriptor_; }

  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) refuse_errno(path_, "written");
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void sync() const {
    if (::fdatasync(descriptor_) != 0) refuse_errno(path_, "brought to disk");
  }
  void cut(std::uint64_t bytes) const {
    if (::ftruncate(descriptor_, static_cast<off_t>(bytes)) != 0) refuse_errno(path_, "cut");
  }

 private:
  fs::path path_;
  int descriptor_ = -1;
};

std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse(path, "The file could not be read.");
  return {std::istreambuf_iterator<char>(in), {}};
}

// Writes beside and renames, so that a kill leaves the old content or the new one.
void replace(const fs::path& path, std::string_view bytes, mode_t mode = 0644) {
  const fs::path beside = path.string() + ".new";
  {
    const File file(beside, O_WRONLY | O_CREAT | O_TRUNC, mode);
    file.write(bytes);
    file.sync();
  }
  on_disk([&] { fs::rename(beside, path); });
}

std::string manifest_text(const Record& manifest, bool complete) {
  std::string out = "{\n  \"status\": ";
  out += complete ? "\"complete\"" : "\"running\"";
  for (const auto& [name, value] : manifest) out += ",\n  " + to_json(Value(name)) + ": " + to_json(value);
  return out + "\n}\n";
}

// A manifest as it reads after a trip through its file (times become text).
Record as_written(const Record& manifest) {
  return record_from_json(to_json(manifest));
}

void require_same(const fs::path& file, const Record& there, const Record& wanted) {
  if (const std::string name = first_difference(there, wanted); !name.empty())
    refuse(file, message("The folder belongs to another run: '", name,
                         "' differs. Use the settings of that run, or another folder."));
}

// 256 bits from the operating system, as hexadecimal digits.
std::string fresh_key() {
  std::random_device device;
  std::string key;
  for (int i = 0; i < 8; ++i) {
    char digits[9];
    std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(device()));
    key += digits;
  }
  return key;
}

// Where a line of a file ends, and what it says of its row.
struct Line {
  RowOutcome outcome;
  std::uint64_t end = 0;
};

// Whole lines up to the first that is torn. Only a line without its line end can be torn by a kill: lines are
// written with one call each, front to back.
std::vector<Line> whole_lines(const fs::path& path) {
  std::vector<Line> lines;
  std::uint64_t end = 0;
  read_outcomes(path.string(), [&](RowOutcome outcome, std::string_view line) {
    end += line.size() + 1;
    lines.push_back({std::move(outcome), end});
  });
  return lines;
}

struct Decided {
  RunCounts counts;
  std::uint64_t rows_end = 0, rejected_end = 0;  // bytes to keep of each file
  std::vector<RowOutcome> begun;                 // rejected attempts of the next row
};

// Replays both files row by row for as long as rows are decided: an accepted line with all its rejected
// attempts before it, or rejected attempts that end with `last`.
Decided replay(const std::vector<Line>& rows, const std::vector<Line>& rejected,
               const std::function<void(std::vector<RowOutcome>)>& use = {}) {
  Decided decided;
  auto row = rows.begin(), attempt = rejected.begin();
  for (std::uint64_t id = 0;; ++id) {
    std::vector<RowOutcome> outcomes;
    std::uint64_t rejected_end = decided.rejected_end, rows_end = decided.rows_end;
    for (; attempt != rejected.end() && attempt->outcome.row == id &&
           attempt->outcome.attempt == outcomes.size() && (outcomes.empty() || !outcomes.back().last);
         ++attempt) {
      outcomes.push_back(attempt->outcome);
      rejected_end = attempt->end;
    }
    const bool given_up = !outcomes.empty() && outcomes.back().last;
    if (!given_up) {
      if (row == rows.end() || row->outcome.row != id || row->outcome.attempt != outcomes.size()) {
        decided.begun = std::move(outcomes);
        return decided;
      }
      outcomes.push_back(row->outcome);
      rows_end = row->end;
      ++row;
    }
    decided.counts.add(outcomes);
    decided.rejected_end = rejected_end, decided.rows_end = rows_end;
    if (use) use(std::move(outcomes));
  }
}

// What may stand behind the last decided row: nothing in a complete run; what a kill leaves, lines of the one
// next row; or what another process has written while the other file was read.
enum class Tail : std::uint8_t { none, next_row, later_rows };

// More means that a line in the middle is missing.
void require_tail(const fs::path& path, const std::vector<Line>& lines, std::uint64_t end, std::uint64_t next,
                  Tail tail) {
  const auto may_follow = [&](std::uint64_t row) {
    return tail == Tail::later_rows ? row >= next : tail == Tail::next_row && row == next;
  };
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (lines[i].end > end && !may_follow(lines[i].outcome.row))
      throw RunFolderError({.file = path.string(), .line = i + 1},
                           message("The row ", lines[i].outcome.row, " stands where row ", next,
                                   " or its attempts should: lines are missing or out of order. Restore the "
                                   "folder or start a new one."));
}

// A kill tears no line of a complete run.
void require_whole(const fs::path& path, const std::vector<Line>& lines) {
  if (on_disk([&] { return fs::file_size(path); }) != (lines.empty() ? 0 : lines.back().end))
    throw RunFolderError(
        {.file = path.string(), .line = lines.size() + 1},
        "The run says it is complete, but its last line is not. Restore the folder or start a "
        "new one.");
}

// Texts that these times were written as are times again.
void read_times(Record& record, const std::vector<std::string>& fields) {
  for (const std::string& name : fields) {
    const Value* value = record.find(name);
    const auto* text = value ? value->get_if<std::string>() : nullptr;
    const auto parsed = text ? parse_iso8601(*text) : std::nullopt;
    if (parsed && to_iso8601(parsed->time) == *text) record.set(name, parsed->time);
  }
}

bool has_run(const fs::path& folder) {
  return is_there(folder / kManifest);
}

// Nothing but our own lock, and a key or a manifest that was not finished.
bool is_fresh(const fs::path& folder) {
  return on_disk([&] {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (name != kLock && name != kKey && name != std::string(kKey) + ".new" &&
          name != std::string(kManifest) + ".new")
        return false;
    }
    return true;
  });
}

File locked(const fs::path& folder) {
  File lock(folder / kLock, O_RDWR | O_CREAT);
  if (::flock(lock.descriptor(), LOCK_EX | LOCK_NB) != 0)
    refuse(folder / kLock,
           "Another process is working in this run folder; wait for it or use another folder.");
  return lock;
}

bool is_in_use(const fs::path& folder) {
  if (!is_there(folder / kLock)) return false;
  const File lock(folder / kLock, O_RDONLY);
  return ::flock(lock.descriptor(), LOCK_SH | LOCK_NB) != 0;
}

}  // namespace

struct RunFolder::Impl {
  fs::path folder;
  Record manifest;
  std::string key;
  File lock, rows, rejected;
  RunCounts counts;

  explicit Impl(const std::string& path) : folder(path) {
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) refuse(folder, message("The run folder could not be made: ", error.message(), "."));
    lock = locked(folder);
  }
  void begin(const ManifestOf& manifest_of, bool is_private) {
    on_disk([&] { fs::remove(folder / kKey); });  // of a beginning that was killed
    if (is_private) replace(folder / kKey, fresh_key() + "\n", 0600);
    key = read_digest_key(folder.string());
    manifest = as_written(manifest_of(key));
    replace(folder / kManifest, manifest_text(manifest, false));
    open_files();
  }
  void open_files() {
    rows = File(folder / kRows, O_WRONLY | O_CREAT | O_APPEND);
    rejected = File(folder / kRejected, O_WRONLY | O_CREAT | O_APPEND);
  }
  void go_on(const ManifestOf& manifest_of, bool is_private) {
    key = read_digest_key(folder.string(), is_private);
    manifest = read_manifest(folder.string()).manifest;  // stays as it was begun
    require_same(folder / kManifest, manifest, as_written(manifest_of(key)));
    open_files();
    const auto row_lines = whole_lines(folder / kRows), rejected_lines = whole_lines(folder / kRejected);
    const Decided decided = replay(row_lines, rejected_lines);
    require_tail(folder / kRows, row_lines, decided.rows_end, decided.counts.rows, Tail::next_row);
    require_tail(folder / kRejected, rejected_lines, decided.rejected_end, decided.counts.rows,
                 Tail::next_row);
    rows.cut(decided.rows_end);
    rejected.cut(decided.rejected_end);
    counts = decided.counts;
  }
};

RunFolder::RunFolder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunFolder::RunFolder(RunFolder&&) noexcept = default;
RunFolder& RunFolder::operator=(RunFolder&&) noexcept = default;
RunFolder::~RunFolder() = default;

RunFolder RunFolder::create(const std::string& folder, const ManifestOf& manifest, bool is_private) {
  auto impl = std::make_unique<Impl>(folder);
  if (has_run(folder))
    refuse(folder, "There is a run in this folder already; resume it or use another folder.");
  if (!is_fresh(folder)) refuse(folder, "The folder is not empty; a run needs a folder of its own.");
  impl->begin(manifest, is_private);
  return RunFolder(std::move(impl));
}

RunFolder RunFolder::resume(const std::string& folder, const ManifestOf& manifest, bool is_private) {
  if (!has_run(folder)) return create(folder, manifest, is_private);
  auto impl = std::make_unique<Impl>(folder);
  impl->go_on(manifest, is_private);
  return RunFolder(std::move(impl));
}

const RunCounts& RunFolder::counts() const {
  return impl_->counts;
}
const std::string& RunFolder::digest_key() const {
  return impl_->key;
}
const std::string& RunFolder::path() const {
  return impl_->folder.native();
}

void RunFolder::write(std::span<const RowOutcome> attempts_of_row) {
  std::string accepted, rejected;
  for (const RowOutcome& outcome : attempts_of_row)
    (outcome.accepted() ? accepted : rejected) += to_json(outcome) + "\n";
  if (!rejected.empty()) {
    impl_->rejected.write(rejected);
    impl_->rejected.sync();
  }
  if (!accepted.empty()) {
    impl_->rows.write(accepted);
    impl_->rows.sync();
  }
  impl_->counts.add(attempts_of_row);
}

void RunFolder::complete() {
  replace(impl_->folder / kManifest, manifest_text(impl_->manifest, true));
}

RunManifest read_manifest(const std::string& folder) {
  const fs::path file = fs::path(folder) / kManifest;
  if (!is_there(file)) refuse(folder, "There is no run here: run.json is missing.");
  const Record all = record_from_json(read_all(file), {.file = file.string()});
  RunManifest result;
  for (const auto& [name, value] : all)
    if (name == "status")
      result.complete = value == Value("complete");
    else
      result.manifest.set(name, value);
  if (!all.find("status")) refuse(file, "The manifest has no 'status', so it is not that of a run.");
  return result;
}

std::string read_digest_key(const std::string& folder, bool is_private) {
  const fs::path file = fs::path(folder) / kKey;
  if (is_private && !is_there(file))
    refuse(file,
           "The data may not leave the machine, but the secret that names them in this run is missing: "
           "restore the file if it was removed; else the run was begun with other data.");
  if (!is_there(file)) return {};
  std::string key = read_all(file);
  while (!key.empty() && key.back() == '\n') key.pop_back();
  return key;
}

std::vector<std::vector<RowOutcome>> read_rows(const std::string& folder) {
  const fs::path path = folder;
  const RunManifest manifest = read_manifest(folder);
  const Tail tail = manifest.complete ? Tail::none : is_in_use(path) ? Tail::later_rows : Tail::next_row;
  // An accepted row comes after its rejected attempts: read in this order, none of these is missed.
  const std::vector<Line> accepted = whole_lines(path / kRows), rejected = whole_lines(path / kRejected);
  std::vector<std::vector<RowOutcome>> rows;
  if (manifest.complete) {
    require_whole(path / kRows, accepted);
    require_whole(path / kRejected, rejected);
  }
  const std::vector<std::string> times = given_times(manifest.manifest).fields;
  const auto keep = [&](std::vector<RowOutcome> attempts) {
    for (RowOutcome& outcome : attempts)
      for (Record* const record : {&outcome.condition, &outcome.values}) read_times(*record, times);
    rows.push_back(std::move(attempts));
  };
  Decided decided = replay(accepted, rejected, keep);
  require_tail(path / kRows, accepted, decided.rows_end, decided.counts.rows, tail);
  require_tail(path / kRejected, rejected, decided.rejected_end, decided.counts.rows, tail);
  const Value* wanted = manifest.manifest.find("rows");
  if (manifest.complete && wanted && !(*wanted == Value(static_cast<std::int64_t>(decided.counts.accepted))))
    refuse(path, message("The run says it is complete with ", wanted->display(), " rows, but has ",
                         decided.counts.accepted, "."));
  if (!decided.begun.empty()) keep(std::move(decided.begun));
  return rows;
}

void read_outcomes(const std::string& file, const std::function<void(RowOutcome, std::string_view)>& use) {
  const std::string bytes = read_all(file);
  std::uint64_t number = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t end = bytes.find('\n', at);
    if (end == std::string::npos) return;  // torn
    const std::string_view line = std::string_view(bytes).substr(at, end - at);
    const Location where{.file = file, .line = ++number};
    try {
      use(row_outcome_from_json(line, where), line);
    } catch (const ParseError& e) {
      throw RunFolderError(e.what());
    }
    at = end + 1;
  }
}

}  // namespace synthema
