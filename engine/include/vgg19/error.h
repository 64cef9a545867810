// The library's exception.
#pragma once

#include <stdexcept>
#include <string>

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19 {

enum class ErrorKind : unsigned char {
    failed,     ///< something failed at run time, such as a full disk or insufficient memory
    usage,      ///< the caller's arguments are invalid: an unknown option, a size below 32, an ISA this CPU
                ///< lacks
    bad_input,  ///< a model, an image or another file is invalid
    cancelled,  ///< the caller asked for the end of a run
};

/// The only exception that the library itself throws (std::bad_alloc may also occur). The message names the
/// file, the place in it, what was expected and what was found.
class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    ErrorKind kind() const noexcept { return kind_; }

  private:
    ErrorKind kind_;
};

}  // namespace vgg19

#pragma GCC visibility pop
