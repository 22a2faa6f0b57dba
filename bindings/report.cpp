#include "bindings/bindings.hpp"

namespace synthema::bindings {

void bind_report(py::module_&) {}

}  // namespace synthema::bindings
