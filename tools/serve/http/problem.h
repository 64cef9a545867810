// The error that is sent to a client.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace vgg19::http {

/// Becomes an answer with that status. `code` names the kind for programs, the message is for people.
class Problem : public std::exception {
  public:
    Problem(int status, std::string code, std::string message)
        : status_(status), code_(std::move(code)), message_(std::move(message)) {}

    const char* what() const noexcept override { return message_.c_str(); }

    int status() const { return status_; }
    const std::string& code() const { return code_; }

  private:
    int status_;
    std::string code_;
    std::string message_;
};

/// The system has no memory for a request. Neither this call nor copying its result allocates: texts of up to
/// 15 characters lie in the string itself.
inline Problem memory_is_short() noexcept {
    return {503, "memory_short", "memory is short"};
}

}  // namespace vgg19::http
