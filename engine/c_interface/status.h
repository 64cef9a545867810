// What every function of the C interface does with errors.
#pragma once

#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include "vgg19/error.h"
#include "vgg19/vgg19.h"

namespace vgg19::c_interface {

/// Keeps the message for vgg19_last_error on this thread, cut to its room, and returns the status.
vgg19_status failed(vgg19_status status, std::string_view message) noexcept;

vgg19_status status_of(ErrorKind kind);

/// No exception may leave the library through the C interface, not even one of the caller's functions.
template <class Body>
vgg19_status guarded(const Body& body) noexcept {
    try {
        body();
        return VGG19_OK;
    } catch (const Error& error) {
        return failed(status_of(error.kind()), error.what());
    } catch (const std::bad_alloc&) {
        return failed(VGG19_FAILED, "out of memory");
    } catch (const std::exception& error) {
        return failed(VGG19_FAILED, error.what());
    } catch (...) {
        return failed(VGG19_FAILED, "unknown failure");
    }
}

/// What a C program stores in an enumeration, which need not be one of its values.
template <class Enumeration>
int number_of(const Enumeration& callers) {
    static_assert(sizeof(Enumeration) == sizeof(int));
    int number = 0;
    std::memcpy(&number, &callers, sizeof number);
    return number;
}

/// Throws Error (usage) for a null pointer.
void require(const void* pointer, const char* name);

}  // namespace vgg19::c_interface
