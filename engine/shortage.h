// Errors of the system that say nothing about the file that was to be read.
#pragma once

#include <cerrno>
#include <string>
#include <system_error>

#include "vgg19/error.h"

namespace vgg19 {

/// Too many open files, too little memory, or an interruption: the same file may be read later.
inline bool is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == EAGAIN || error == EINTR ||
           error == ENOBUFS;
}

/// Throws Error with the system's text for `error` behind `problem`: failed for a shortage, else bad_input.
[[noreturn]] inline void fail_reading(const std::string& problem, int error) {
    throw Error(is_shortage(error) ? ErrorKind::failed : ErrorKind::bad_input,
                problem + ": " + std::generic_category().message(error));
}

}  // namespace vgg19
