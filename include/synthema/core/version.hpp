// The library's version. One place: pyproject.toml and CMake read it from here.
#pragma once

#define SYNTHEMA_VERSION_MAJOR 0
#define SYNTHEMA_VERSION_MINOR 1
#define SYNTHEMA_VERSION_PATCH 0
#define SYNTHEMA_VERSION "0.1.0"
