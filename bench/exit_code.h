// The exit codes of our programs.
#pragma once

#include "vgg19/error.h"

namespace vgg19 {

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_wrong_usage = 2;
inline constexpr int exit_slower = 3;  ///< the bench: slower than the given baseline
inline constexpr int exit_bad_input = 5;

inline int exit_code(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return exit_wrong_usage;
        case ErrorKind::bad_input:
            return exit_bad_input;
        case ErrorKind::failed:
        case ErrorKind::cancelled:
            break;
    }
    return exit_failed;
}

}  // namespace vgg19
