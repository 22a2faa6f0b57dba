#include "bindings/bindings.hpp"

namespace synthema::bindings {

void bind_prompt(py::module_&) {}

}  // namespace synthema::bindings
