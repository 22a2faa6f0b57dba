// Whatever the bytes: read_jsonl gives a table or a ParseError, and what it read survives writing and reading
// again.
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "synthema/data/digest.hpp"
#include "synthema/data/jsonl.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthema;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Table table = read_jsonl(text);
    std::ostringstream out;
    write_jsonl(table, out);
    const JsonlOptions same{.schema = &table.schema()};
    if (table.columns() > 0 && content_digest(read_jsonl(out.str(), same)) != content_digest(table))
      std::abort();
  } catch (const ParseError&) {
  }
  return 0;
}
