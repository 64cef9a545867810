// A picture's file, as a client has sent it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tools/serve/memory/memory_budget.h"

namespace vgg19::server {

class Upload {
  public:
    Upload() = default;
    /// `content_type` is the request's: of a form, the picture is the only file. `memory` is what `body` is
    /// accounted for. Throws Problem (400) for a form without one.
    Upload(std::string body, std::string_view content_type, Reservation memory);

    std::span<const std::uint8_t> file() const {
        return {reinterpret_cast<const std::uint8_t*>(body_.data()) + begin_, size_};
    }

  private:
    std::string body_;
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
    Reservation memory_;
};

}  // namespace vgg19::server
