#include "bindings/bindings.hpp"

namespace synthema::bindings {

void bind_model(py::module_&) {}

}  // namespace synthema::bindings
