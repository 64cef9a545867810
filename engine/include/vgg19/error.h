// What the library throws.
#pragma once

#include <stdexcept>
#include <string>

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19 {

enum class ErrorKind : unsigned char {
    failed,     ///< something went wrong while running: the disk is full, memory is short
    usage,      ///< the caller asked for what cannot be: an unknown option, a size below 32, an ISA this CPU
                ///< lacks
    bad_input,  ///< a model, an image or another file is not what it should be
};

/// The only exception that the library throws on purpose (std::bad_alloc may pass through). Its message names
/// the file, the place in it, what was expected and what was found.
class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
    ErrorKind kind() const noexcept { return kind_; }

  private:
    ErrorKind kind_;
};

}  // namespace vgg19

#pragma GCC visibility pop
