// For tests of errors.
#pragma once

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <utility>

#include "vgg19/error.h"

namespace vgg19::testing {

/// The message of the Error that `action` throws; fails the test if it throws none, or another kind.
template <class Action>
std::string error_of(ErrorKind kind, Action action) {
    try {
        action();
    } catch (const Error& error) {
        CHECK(error.kind() == kind);
        return error.what();
    }
    FAIL_CHECK("no Error was thrown");
    return "";
}

/// Equals every text that contains `part`; if it does not, doctest prints both.
class Containing {
  public:
    explicit Containing(std::string part) : part_(std::move(part)) {}
    friend bool operator==(const std::string& text, const Containing& containing) {
        return text.find(containing.part_) != std::string::npos;
    }
    friend std::ostream& operator<<(std::ostream& stream, const Containing& containing) {
        return stream << "… " << containing.part_ << " …";
    }

  private:
    std::string part_;
};

}  // namespace vgg19::testing
