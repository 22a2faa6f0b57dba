// Whatever the bytes: read_csv gives a table or a ParseError, and what it read survives writing and reading
// again.
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "synthema/data/csv.hpp"
#include "synthema/data/digest.hpp"

namespace {

std::string written(const synthema::Table& table, const synthema::CsvOptions& options) {
  std::ostringstream out;
  synthema::write_csv(table, out, options);
  return std::move(out).str();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthema;
  if (size == 0) return 0;
  CsvOptions options{.delimiter = data[0] & 1 ? ';' : ',', .missing = {data[0] & 2 ? "NA" : ""}};
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    const Table table = read_csv(text, options);
    options.schema = &table.schema();
    if (content_digest(read_csv(written(table, options), options)) != content_digest(table)) std::abort();
  } catch (const ParseError&) {
  }
  return 0;
}
