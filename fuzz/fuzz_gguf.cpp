// Any bytes as a GGUF model: a ModelError at worst. What opens is dequantized, tokenizes and renders.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/model/bpe.hpp"
#include "synthema/model/gguf.hpp"
#include "synthema/model/model_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthema;
  const auto* const bytes = reinterpret_cast<const std::byte*>(data);
  try {
    const Gguf gguf = Gguf::parse({bytes, size}, "fuzz");
    for (const auto& [key, value] : gguf.metadata) (void)value.summary();
    for (const TensorView& view : gguf.tensors) {
      std::vector<float> out(static_cast<std::size_t>(view.elements()));
      dequantize(view, out);
    }
    const ModelFile file = ModelFile::from_gguf({bytes, bytes + size}, "fuzz");
    (void)BytePairTokenizer::from(file.tokenizer()).encode("It's 12 \xC3\xA9\n\n x");
  } catch (const ModelError&) {
  }
  return 0;
}
