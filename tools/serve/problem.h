// Why a request is not answered as it wished.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace vgg19::server {

/// Becomes an answer of that status. `code` is one of the description's (openapi.json, Problem).
class Problem : public std::runtime_error {
  public:
    Problem(int status, std::string code, const std::string& message)
        : std::runtime_error(message), status_(status), code_(std::move(code)) {}

    int status() const { return status_; }
    const std::string& code() const { return code_; }

  private:
    int status_;
    std::string code_;
};

}  // namespace vgg19::server
