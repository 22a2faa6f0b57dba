#include "synthema/model/model_file.hpp"
