#include "bindings/bindings.hpp"

namespace synthema::bindings {

void bind_text(py::module_&) {}

}  // namespace synthema::bindings
