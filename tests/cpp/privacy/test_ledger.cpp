#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include "synthema/core/error.hpp"
#include "synthema/privacy/ledger.hpp"

using namespace synthema;

namespace {

LedgerEntry entry(double epsilon, double delta = 1e-6) {
  return {.mechanism = "DP-SGD, sampled Gaussian",
          .sensitivity = 1,
          .unit = "patient",
          .epsilon = epsilon,
          .delta = delta,
          .released = "weights of a network",
          .data_digest = "9f86d081",
          .noise_multiplier = 1.1,
          .sampling_rate = 0.01,
          .steps = 1000};
}

// A path in a folder of its own that goes when the test ends.
struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("synthema-ledger-" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file() const { return (path / "ledger.jsonl").string(); }
};

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("entries add up, and the budget is kept") {
  Ledger ledger(PrivacyBudget{1, 1e-5});
  for (int i = 0; i < 10; ++i) ledger.add(entry(0.1));  // ten tenths are one, whatever the rounding
  CHECK(ledger.spent().epsilon == doctest::Approx(1));
  CHECK(ledger.spent().delta == doctest::Approx(1e-5));
  CHECK(ledger.remaining()->epsilon == doctest::Approx(0));
  CHECK_THROWS_WITH_AS(ledger.add(entry(0.001, 0)), doctest::Contains("above its budget"),
                       PrivacyBudgetError);
  CHECK_THROWS_WITH_AS(ledger.add(entry(0, 1e-7)), doctest::Contains("above its budget"), PrivacyBudgetError);
  CHECK(ledger.entries().size() == 10);
  CHECK_FALSE(Ledger().remaining().has_value());
}

TEST_CASE("noise that can be repeated marks the whole ledger") {
  Ledger ledger;
  ledger.add(entry(1));
  CHECK(ledger.is_private());
  LedgerEntry test = entry(1);
  test.private_noise = false;
  ledger.add(test);
  CHECK_FALSE(ledger.is_private());
  CHECK_FALSE(ledger_from_json(to_json(ledger)).is_private());
}

TEST_CASE("the JSON form keeps everything, to the last bit") {
  Ledger ledger(PrivacyBudget{1, 1e-5});
  ledger.add(entry(0.1 + 0.2));
  LedgerEntry other = entry(1.0 / 3);
  other.released = "counts of \"ward\" by sex \u00e4\n";
  ledger.add(other);
  const Ledger back = ledger_from_json(to_json(ledger));
  CHECK(back.entries() == ledger.entries());
  CHECK(back.budget() == ledger.budget());
  CHECK(to_json(back) == to_json(ledger));
  CHECK(ledger_from_json(to_json(Ledger())).entries().empty());
}

TEST_CASE("a ledger that does not hold together is refused when it is read") {
  Ledger ledger(PrivacyBudget{1, 1e-5});
  ledger.add(entry(0.75));
  const std::string good = to_json(ledger);
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  CHECK_THROWS_AS(ledger_from_json(changed("0.75", "1.75")), PrivacyBudgetError);
  CHECK_THROWS_WITH_AS(ledger_from_json(changed("0.75", "-1")), doctest::Contains("epsilon"), ConfigError);
  CHECK_THROWS_WITH_AS(ledger_from_json(changed("0.75", "\"0\"")), doctest::Contains("epsilon"), ParseError);
  CHECK_THROWS_WITH_AS(ledger_from_json(changed("\"unit\"", "\"thing\"")), doctest::Contains("unit"),
                       ParseError);
  CHECK_THROWS_WITH_AS(ledger_from_json(changed("ledger 1", "ledger 9")), doctest::Contains("version"),
                       ParseError);
  CHECK_THROWS_WITH_AS(ledger_from_json(changed("\"steps\":1000", "\"steps\":-1")),
                       doctest::Contains("steps"), ParseError);
  CHECK_THROWS_AS(ledger_from_json("[]"), ParseError);
  CHECK_THROWS_AS(ledger_from_json("{"), ParseError);
}

TEST_CASE("entries that say too little are refused by name") {
  const auto without = [](auto change) {
    LedgerEntry out = entry(1);
    change(out);
    return out;
  };
  CHECK_THROWS_WITH_AS(Ledger().add(without([](auto& e) { e.unit.clear(); })), doctest::Contains("unit"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(Ledger().add(without([](auto& e) { e.mechanism.clear(); })),
                       doctest::Contains("mechanism"), ConfigError);
  CHECK_THROWS_WITH_AS(Ledger().add(without([](auto& e) { e.released.clear(); })),
                       doctest::Contains("released"), ConfigError);
  CHECK_THROWS_WITH_AS(Ledger().add(without([](auto& e) { e.sensitivity = 0; })),
                       doctest::Contains("sensitivity"), ConfigError);
  CHECK_THROWS_WITH_AS(Ledger().add(without([](auto& e) { e.delta = 1; })), doctest::Contains("delta"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(Ledger().add(without([](auto& e) { e.unit = "\xff"; })), doctest::Contains("UTF-8"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(Ledger(PrivacyBudget{0, 0}), doctest::Contains("epsilon"), ConfigError);
}

TEST_CASE("a ledger file adds up over several openings") {
  const Folder folder;
  LedgerFile(folder.file(), PrivacyBudget{1, 1e-5}).append(entry(0.5));
  LedgerFile(folder.file()).append(entry(0.25));
  const LedgerFile again(folder.file(), PrivacyBudget{1, 1e-5});
  CHECK(again.read().spent().epsilon == doctest::Approx(0.75));
  CHECK_NOTHROW(LedgerFile(folder.file(), PrivacyBudget{1, 10 * 1e-6}));  // but for rounding
  const std::string before = contents(folder.file());
  CHECK_THROWS_AS(again.append(entry(0.5)), PrivacyBudgetError);
  CHECK(contents(folder.file()) == before);
  CHECK_THROWS_WITH_AS(LedgerFile(folder.file(), PrivacyBudget{2, 1e-5}), doctest::Contains("another budget"),
                       ConfigError);
}

TEST_CASE("a last line that is cut off is never forgotten, any damage is an error with its line") {
  const Folder folder;
  const LedgerFile ledger(folder.file(), PrivacyBudget{1, 1e-5});
  ledger.append(entry(0.5));
  const std::string whole = contents(folder.file());
  std::ofstream(folder.file(), std::ios::app) << "{\"mechanism\":\"DP";
  const std::string cut = contents(folder.file());
  CHECK_THROWS_WITH_AS(ledger.read(), doctest::Contains("line 3: The last line of the ledger is cut off"),
                       ParseError);
  CHECK_THROWS_WITH_AS(ledger.append(entry(0.1)), doctest::Contains("damaged"), ParseError);
  CHECK_THROWS_WITH_AS(LedgerFile(folder.file()), doctest::Contains("damaged"), ParseError);
  CHECK(contents(folder.file()) == cut);
  std::ofstream(folder.file(), std::ios::binary) << whole << "nonsense\n";
  CHECK_THROWS_WITH_AS(ledger.read(), doctest::Contains("line 3"), ParseError);
  CHECK_THROWS_WITH_AS(ledger.append(entry(0.1)), doctest::Contains("line 3"), ParseError);
  std::filesystem::remove(folder.file());
  CHECK_THROWS_WITH_AS(ledger.read(), doctest::Contains("opened"), Error);
  std::ofstream(folder.file()) << "";
  CHECK_THROWS_WITH_AS(ledger.append(entry(0.1)), doctest::Contains("is empty"), ParseError);
  CHECK_THROWS_WITH_AS(LedgerFile(folder.file(), PrivacyBudget{1, 1e-5}), doctest::Contains("damaged"),
                       ParseError);
  CHECK(contents(folder.file()).empty());
  CHECK_THROWS_WITH_AS(LedgerFile((folder.path / "no" / "such.jsonl").string()), doctest::Contains("opened"),
                       Error);
}

TEST_CASE("an entry that lost only its end counts; what may have been a ledger is refused, not begun anew") {
  const Folder folder;
  const LedgerFile ledger(folder.file(), PrivacyBudget{1, 1e-5});
  ledger.append(entry(0.5));
  std::string whole = contents(folder.file());
  std::filesystem::resize_file(folder.file(), whole.size() - 1);
  CHECK(ledger.read().spent().epsilon == 0.5);
  CHECK(contents(folder.file()) == whole);
  std::ranges::replace(whole, '\n', ' ');
  for (const std::string& damaged :
       {whole, std::string(40, '\0'), std::string("xxxx"), std::string(R"({"budget":{"delta":1e-05,"eps)")}) {
    std::ofstream(folder.file(), std::ios::binary) << damaged;
    CHECK_THROWS_WITH_AS(LedgerFile(folder.file()), doctest::Contains("does not begin"), ParseError);
    CHECK(contents(folder.file()) == damaged);
  }
}

TEST_CASE("an entry that cannot be, and entries beyond the budget, are named by their line") {
  const Folder folder;
  const LedgerFile ledger(folder.file(), PrivacyBudget{1, 1e-5});
  ledger.append(entry(0.5));
  const std::string whole = contents(folder.file()), spent = R"("epsilon":0.5)";
  for (const auto& [other, what] : {std::pair(R"("epsilon":-0.5)", "line 2: field 'epsilon'"),
                                    std::pair(R"("epsilon":1.5)", "line 2: The entries up to this line")}) {
    std::string text = whole;
    text.replace(text.find(spent), spent.size(), other);
    std::ofstream(folder.file(), std::ios::binary) << text;
    CHECK_THROWS_WITH_AS(ledger.read(), doctest::Contains(what), Error);
    CHECK_THROWS_WITH_AS(ledger.append(entry(0.1)), doctest::Contains(what), Error);
  }
}

TEST_CASE("a new ledger leaves nothing beside it") {
  const Folder folder;
  LedgerFile(folder.file(), PrivacyBudget{1, 1e-5});
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("processes that append at the same time lose nothing and stay within the budget") {
  const Folder folder;
  LedgerFile(folder.file(), PrivacyBudget{10, 1e-2});
  constexpr int kProcesses = 4, kTries = 40;  // 160 tries of 0.1 each; 100 fit
  for (int process = 0; process < kProcesses; ++process) {
    if (::fork() != 0) continue;
    const LedgerFile mine(folder.file());
    for (int i = 0; i < kTries; ++i) {
      try {
        mine.append(entry(0.1));
      } catch (const PrivacyBudgetError&) {
      }
    }
    ::_exit(0);
  }
  for (int process = 0; process < kProcesses; ++process) {
    int status = 1;
    ::wait(&status);
    CHECK(status == 0);
  }
  const Ledger all = LedgerFile(folder.file()).read();
  CHECK(all.entries().size() == 100);
  CHECK(all.spent().epsilon == doctest::Approx(10));
}
