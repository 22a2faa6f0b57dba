#include "bindings/bindings.hpp"

namespace synthema::bindings {

void bind_evaluate(py::module_&) {}

}  // namespace synthema::bindings
