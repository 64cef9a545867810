// What a client may ask for, and for how long.
#pragma once

#include <chrono>
#include <cstddef>

#include "vgg19/image.h"

namespace vgg19::server {

struct Limits {
    std::size_t request_line_bytes = 2048;
    std::size_t head_bytes = 8192;        ///< request line and header fields; httplib takes no longer line
    std::size_t body_bytes = 80'000'000;  ///< above the pictures of phones, of 200 megapixels and 60 MB
    /// Reduced decoding bounds the memory of larger pictures than these; those of other formats take more.
    ImageOptions image = {.limits = {.max_irreducible_pixels = 100'000'000}};
    std::size_t top = 1000;
    std::size_t rounds = 50;

    std::chrono::milliseconds request{20'000};    ///< from a request's first byte to its last
    std::chrono::milliseconds keep_alive{5'000};  ///< for a connection's next request
    std::chrono::milliseconds write{20'000};      ///< for a piece of an answer
    std::size_t requests_a_connection = 1000;

    ImageOptions image_options() const {
        ImageOptions options = image;
        options.limits.max_file_bytes = body_bytes;
        return options;
    }
};

}  // namespace vgg19::server
