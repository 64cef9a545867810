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
    /// `content_type` is the request's. `memory` is what `body` is accounted for.
    Upload(std::string body, std::string content_type, Reservation memory);

    /// Looks for the picture's file: the body, or the only file of a form. Takes a while for a large form.
    /// Throws Problem (400) for a form without one.
    void find_file();
    std::span<const std::uint8_t> file() const {
        return {reinterpret_cast<const std::uint8_t*>(body_.data()) + begin_, size_};
    }

  private:
    std::string body_;
    std::string content_type_;
    std::size_t begin_ = 0;
    std::size_t size_ = 0;
    Reservation memory_;
};

}  // namespace vgg19::server
