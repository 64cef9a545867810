// For tests: an environment variable with another value.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace vgg19::testing {

/// Has the value during its lifetime, and then what it had before.
class EnvironmentVariable {
  public:
    EnvironmentVariable(std::string name, const std::string& value) : name_(std::move(name)) {
        const char* before = std::getenv(name_.c_str());
        if (before != nullptr) before_ = before;
        setenv(name_.c_str(), value.c_str(), 1);
    }
    ~EnvironmentVariable() {
        if (before_) {
            setenv(name_.c_str(), before_->c_str(), 1);
        } else {
            unsetenv(name_.c_str());
        }
    }
    EnvironmentVariable(const EnvironmentVariable&) = delete;
    EnvironmentVariable& operator=(const EnvironmentVariable&) = delete;

  private:
    std::string name_;
    std::optional<std::string> before_;
};

}  // namespace vgg19::testing
