#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <iostream>

#include "synthema/core/error.hpp"
#include "synthema/model/gguf.hpp"
#include "synthema/model/half.hpp"
#include "synthema/model/model_file.hpp"

using namespace synthema;

TEST_CASE("the embedded model opens" * doctest::skip(std::getenv("SYNTHEMA_MODEL") == nullptr)) {
  const ModelFile file = ModelFile::open(std::getenv("SYNTHEMA_MODEL"));
  CHECK(file.format() == "GGUF v3");
  CHECK(file.config().layers == 30);
  CHECK(file.config().tied_head);
  CHECK(file.tokenizer().tokens.size() == 49152);
  CHECK(file.parameters() == 134515008);
  std::vector<float> row(576);
  TensorView one = file.at("output_norm.weight");
  dequantize(one, row);
  CHECK(row[0] != 0);
}
