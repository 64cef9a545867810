// Functions that a caller hands to the library: what they throw is the caller's own.
#pragma once

#include <exception>
#include <utility>

namespace vgg19::kernels {

/// Carries an exception of a caller's function through the library, which turns exceptions of other kinds
/// into its own. Not a std::exception, so that nobody takes it for one of the library's.
struct CallersException {
    std::exception_ptr exception;
};

/// Calls a function of the caller.
template <class Function, class... Arguments>
decltype(auto) call_callers(const Function& function, Arguments&&... arguments) {
    try {
        return function(std::forward<Arguments>(arguments)...);
    } catch (...) {
        throw CallersException{std::current_exception()};
    }
}

}  // namespace vgg19::kernels
