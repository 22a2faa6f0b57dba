#include "bindings/bindings.hpp"

namespace synthema::bindings {

void bind_generate(py::module_&) {}

}  // namespace synthema::bindings
