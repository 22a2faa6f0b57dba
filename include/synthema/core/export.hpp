// Symbol visibility. Everything is compiled hidden; what must be the same type in two shared objects
// (exceptions, the erased interfaces, the torch classes) is exported by name.
#pragma once

#if defined(_WIN32)
#define SYNTHEMA_EXPORT
#else
#define SYNTHEMA_EXPORT __attribute__((visibility("default")))
#endif
