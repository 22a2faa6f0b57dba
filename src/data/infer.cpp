#include "synthema/data/infer.hpp"

#include "src/data/schema_guess.hpp"

namespace synthema {

Schema schema_of_records(std::span<const Record> records) {
  detail::SchemaGuess guess(detail::Texts::as_they_are);
  for (std::size_t row = 0; row < records.size(); ++row) {
    try {
      guess.see(records[row], {});
    } catch (const SchemaError& error) {
      throw SchemaError(message("Record ", row, ", ", error.what()));
    }
  }
  return guess.schema();
}

}  // namespace synthema
