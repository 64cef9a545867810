// Errors for malformed image files.
#pragma once

#include <string>

#include "engine/image/bytes.h"
#include "vgg19/error.h"

namespace vgg19 {

[[noreturn]] inline void fail_image(const std::string& message) {
    throw Error(ErrorKind::bad_input, message);
}

[[noreturn]] inline void fail_cut_short(Bytes file) {
    fail_image("it is cut short: the picture goes on where the file ends, after " +
               std::to_string(file.size()) + " bytes");
}

}  // namespace vgg19
