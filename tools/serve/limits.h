// Limits on requests: sizes and times.
#pragma once

#include <chrono>
#include <cstddef>

#include "vgg19/image.h"

namespace vgg19::server {

struct Limits {
    std::size_t request_line_bytes = 2048;
    std::size_t head_bytes = 8192;        ///< for request line and header fields; httplib's limit for a line
    std::size_t body_bytes = 80'000'000;  ///< enough for phones' pictures of 200 megapixels and 60 MB
    /// Reduced decoding bounds the memory of pictures larger than this, if their format supports it; others
    /// are refused.
    ImageOptions image = {.limits = {.max_irreducible_pixels = 100'000'000}};
    std::size_t top = 1000;
    std::size_t rounds = 50;

    std::chrono::milliseconds request{20'000};    ///< from a request's first byte to its last
    std::chrono::milliseconds keep_alive{5'000};  ///< for the next request on a connection
    std::chrono::milliseconds write{20'000};      ///< for each piece of an answer
    std::size_t requests_a_connection = 1000;

    ImageOptions image_options() const {
        ImageOptions options = image;
        options.limits.max_file_bytes = body_bytes;
        return options;
    }
};

}  // namespace vgg19::server
