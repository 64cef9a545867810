// The error that is sent to a client.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace vgg19::server {

/// Becomes an answer with that status. `code` is one of the API description's (openapi.json, Problem).
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

/// memory_is_short() if there is no memory for these texts.
Problem make_problem(int status, const char* code, const char* message) noexcept;

/// The system has no memory for this request. Neither this call nor copying its result allocates.
Problem memory_is_short() noexcept;

/// Converts the exception that is being handled; to memory_is_short() if there is no memory for more.
Problem current_problem() noexcept;

}  // namespace vgg19::server
