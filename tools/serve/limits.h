// Limits on requests.
#pragma once

#include <chrono>
#include <cstddef>

#include "tools/serve/http/limits.h"
#include "vgg19/image.h"

namespace vgg19::server {

struct Limits {
    http::Limits http;
    std::size_t body_bytes = 80'000'000;  ///< enough for phones' pictures of 200 megapixels and 60 MB
    /// Reduced decoding bounds the memory of pictures larger than this, if their format supports it; others
    /// are refused.
    ImageOptions image = {.limits = {.max_irreducible_pixels = 100'000'000}};
    std::size_t top = 1000;
    std::size_t rounds = 50;
    /// For all requests together; see MemoryBudget.
    std::size_t memory_bytes = 1'500'000'000;
    std::chrono::milliseconds run{300'000};   ///< for a request to run, from its turn on
    std::chrono::milliseconds grace{20'000};  ///< for requests that run when the server is to stop

    ImageOptions image_options() const {
        ImageOptions options = image;
        options.limits.max_file_bytes = body_bytes;
        return options;
    }
};

}  // namespace vgg19::server
