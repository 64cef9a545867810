#include "engine/c_interface/status.h"

#include <algorithm>
#include <array>

namespace vgg19::c_interface {

namespace {

/// Of fixed size, so that a message can be stored even if memory is exhausted.
thread_local std::array<char, 4096> last_error{};

}  // namespace

vgg19_status failed(vgg19_status status, std::string_view message) noexcept {
    const std::size_t length = std::min(message.size(), last_error.size() - 1);
    std::copy_n(message.data(), length, last_error.data());
    last_error[length] = '\0';
    return status;
}

vgg19_status status_of(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::failed:
            return VGG19_FAILED;
        case ErrorKind::usage:
            return VGG19_USAGE;
        case ErrorKind::bad_input:
            return VGG19_BAD_INPUT;
        case ErrorKind::cancelled:
            return VGG19_CANCELLED;
    }
    return VGG19_FAILED;
}

void require(const void* pointer, const char* name) {
    if (pointer != nullptr) return;
    throw Error(ErrorKind::usage, std::string(name) + ": expected a pointer, found null");
}

}  // namespace vgg19::c_interface

const char* vgg19_last_error(void) {
    return vgg19::c_interface::last_error.data();
}
