#include "bindings/bindings.hpp"

namespace synthema::bindings {

void bind_data(py::module_&) {}

}  // namespace synthema::bindings
