// Any bytes as a safetensors file and as a config.json: a ModelError at worst.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "synthema/core/error.hpp"
#include "synthema/model/hugging_face.hpp"
#include "synthema/model/safetensors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace synthema;
  try {
    for (const TensorView& view :
         parse_safetensors({reinterpret_cast<const std::byte*>(data), size}, "fuzz")) {
      std::vector<float> out(static_cast<std::size_t>(view.elements()));
      dequantize(view, out);
      (void)canonical_tensor_name({}, view.name);
    }
  } catch (const ModelError&) {
  }
  try {
    (void)model_config_from_json({reinterpret_cast<const char*>(data), size}, "fuzz");
  } catch (const ModelError&) {
  }
  return 0;
}
