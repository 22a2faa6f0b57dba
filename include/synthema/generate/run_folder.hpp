// RunFolder: what a run leaves on disk, so that a killed run goes on as if nothing had happened.
//
//   run.json        the manifest: what was asked for and who answers, in the caller's words, and whether
//                   it is done
//   rows.jsonl      accepted rows in row-id order, one sealed line each (row.hpp)
//   rejected.jsonl  rejected attempts in row-id and attempt order, each written before its row's accepted
//                   line
//   run.key         only for data that may not leave the machine: the secret that keys their digests; never
//                   publish it
//   run.lock        held while a process works in the folder; it has no content
//
// No file holds a clock time, so an interrupted and resumed folder equals an uninterrupted one byte for byte.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "synthema/core/export.hpp"
#include "synthema/data/value.hpp"
#include "synthema/generate/run_options.hpp"

namespace synthema {

// What makes this run this run, given the key that names private data (empty where there is none).
using ManifestOf = std::function<Record(const std::string& digest_key)>;

class SYNTHEMA_EXPORT RunFolder {
 public:
  // A new run in a folder that does not exist or is empty. RunFolderError: it is not empty (use resume), in
  // use, or cannot be written. `is_private` asks for a key.
  static RunFolder create(const std::string& folder, const ManifestOf& manifest, bool is_private = false);
  // Goes on with an interrupted run: cuts torn lines and attempts of rows that were not decided.
  // RunFolderError: another manifest (names the first key that differs), in use, damaged before its end, or a
  // folder with other things. A folder that does not exist or is empty is created.
  static RunFolder resume(const std::string& folder, const ManifestOf& manifest, bool is_private = false);

  RunFolder(RunFolder&&) noexcept;
  RunFolder& operator=(RunFolder&&) noexcept;
  ~RunFolder();

  // What was decided before; start the driver with it.
  const RunCounts& counts() const;
  const std::string& digest_key() const;  // empty: the data may leave the machine
  const std::string& path() const;

  // All attempts of the next decided row (a RowSink). They are on disk when this returns.
  void write(std::span<const RowOutcome> attempts_of_row);
  // Notes that the run reached its target.
  void complete();

 private:
  struct Impl;
  explicit RunFolder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Reading, without lock: the manifest and whether the run is complete.
struct RunManifest {
  Record manifest;
  bool complete = false;
};
RunManifest read_manifest(const std::string& folder);  // RunFolderError, ParseError
// Empty if there is none; then RunFolderError where the data are private, since nothing can be compared.
std::string read_digest_key(const std::string& folder, bool is_private = false);
// All attempts of each row in order, the rows in row-id order; the last one may not be decided yet. A run
// that is under way may be further. RunFolderError: a line of either file is damaged, missing, doubled or out
// of order, or a complete run has not the rows that it was to have.
std::vector<std::vector<RowOutcome>> read_rows(const std::string& folder);
// Each line of rows.jsonl or rejected.jsonl in order; a torn last line is left out. RunFolderError names file
// and line of a damaged one.
void read_outcomes(const std::string& file,
                   const std::function<void(RowOutcome, std::string_view line)>& use);

// A RunFolder's whole life: goes on from what was decided, writes each row, notes the end. `also` sees the
// rows that are new. Options get the folder's digest key.
template <class Run>
RunCounts run_in_folder(RunFolder& folder, RunOptions options, const Run& run, const RowSink& also = {}) {
  options.digest_key = folder.digest_key();
  const RowSink sink = [&](std::span<const RowOutcome> attempts) {
    folder.write(attempts);
    if (also) also(attempts);
  };
  const RunCounts counts = run(options, sink, folder.counts());
  folder.complete();
  return counts;
}

}  // namespace synthema
