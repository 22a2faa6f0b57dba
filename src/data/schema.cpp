#include "synthema/data/schema.hpp"
