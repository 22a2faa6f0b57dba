// What has been spent on private data: one entry per release, a sum, and a budget that is kept. A ledger is
// inside every artefact that was fitted with differential privacy; a ledger file, named by the user, is where
// several fits on the same data add up.
//
// The sum is basic composition (epsilons and deltas add): valid for any mixture of mechanisms, also where
// later ones depend on earlier ones. An entry itself may stand for many steps under one of the accountants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/core/export.hpp"

namespace synthema {

struct PrivacyBudget {
  double epsilon = 0;  // positive
  double delta = 0;    // 0 or more, below 1
  friend bool operator==(const PrivacyBudget&, const PrivacyBudget&) = default;
};

struct LedgerEntry {
  std::string mechanism = {};    // "DP-SGD, sampled Gaussian", "discrete Laplace", ...
  double sensitivity = 0;        // of what noise was added to, in its norm; positive
  std::string unit = {};         // what is protected: "row", "patient"
  double epsilon = 0;            // at `delta`; 0 or more
  double delta = 0;              // 0 or more, below 1
  std::string released = {};     // "weights of the network", "counts of ward by sex"
  std::string data_digest = {};  // keyed digest of the data (data/digest.hpp)
  bool private_noise = true;     // NoiseSource::is_private(): false for noise that a test could repeat
  // How epsilon came about, for people who check it; 0 where it does not apply.
  double noise_multiplier = 0;
  double sampling_rate = 0;
  std::uint64_t steps = 0;
  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};

// ConfigError names the member that is missing or out of range.
void check_entry(const LedgerEntry& entry);

class SYNTHEMA_EXPORT Ledger {
 public:
  explicit Ledger(std::optional<PrivacyBudget> budget = std::nullopt);

  // PrivacyBudgetError, and no change, if the sum would exceed the budget (by more than 1e-9 of it, so that
  // ten tenths are one).
  void add(LedgerEntry entry);

  PrivacyBudget spent() const;                     // the sum of all entries
  std::optional<PrivacyBudget> remaining() const;  // never negative; empty without a budget
  const std::optional<PrivacyBudget>& budget() const { return budget_; }
  const std::vector<LedgerEntry>& entries() const { return entries_; }
  // Whether every entry used noise that nobody can repeat; only then do the numbers mean anything.
  bool is_private() const;

 private:
  std::optional<PrivacyBudget> budget_;
  std::vector<LedgerEntry> entries_;
};

// The form inside an artefact. Reading checks what add() checks: ParseError where the text is no ledger,
// ConfigError for an entry out of range, PrivacyBudgetError for a sum above the budget it states.
std::string to_json(const Ledger& ledger);
Ledger ledger_from_json(std::string_view json);

// A ledger that processes share: JSON lines, the budget in the first one, one entry in each other,
// append-only. Every call locks the file (flock), reads all of it, and lets go; the lock works between
// processes of one machine, and on network file systems as far as these promise it.
class SYNTHEMA_EXPORT LedgerFile {
 public:
  // Makes the file if there is none. A budget given here must be the one that the file states (ConfigError);
  // none given means the file's. A broken file is a ParseError with its line.
  explicit LedgerFile(std::string path, std::optional<PrivacyBudget> budget = std::nullopt);

  // Writes the entry and brings it to disk, or PrivacyBudgetError and no change. Call it before the release:
  // a spent budget without a release is safe, a release without an entry is not.
  void append(const LedgerEntry& entry) const;
  Ledger read() const;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace synthema
