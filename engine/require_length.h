// The lengths of a caller's arrays.
#pragma once

#include <cstddef>
#include <string>

#include "vgg19/error.h"

namespace vgg19 {

/// Throws Error (usage) if an array has not the length that is expected.
inline void require_length(const char* what, std::size_t expected, std::size_t found) {
    if (found == expected) return;
    throw Error(ErrorKind::usage, std::string(what) + ": expected " + std::to_string(expected) +
                                      " values, found " + std::to_string(found));
}

}  // namespace vgg19
