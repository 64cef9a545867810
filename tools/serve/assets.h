// Files embedded in the program and served unchanged.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vgg19::server {

struct Asset {
    std::string path;  ///< "/style.css"
    std::string type;
    std::string_view bytes;
    std::string etag;  ///< quoted
};

/// The page's files, the API's description and the sample image.
std::span<const Asset> assets();

}  // namespace vgg19::server
