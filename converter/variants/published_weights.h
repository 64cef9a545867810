// The weights that torchvision publishes for VGG-19, in the user's cache folder.
#pragma once

#include <filesystem>
#include <string>

namespace vgg19::converter {

/// What script/fetch-weights downloads, and where to.
struct PublishedWeights {
    std::filesystem::path file;  ///< in the user's cache folder; need not exist
    std::string digits;          ///< the hexadecimal digits with which the file's SHA-256 begins
    std::string url;
};

/// torchvision's file, unless VGG19_WEIGHTS_URL and VGG19_WEIGHTS_SHA256 name another. Throws Error: usage if
/// the latter is not 8 to 64 hexadecimal digits, failed if there is no cache folder.
PublishedWeights published_weights();

/// For people: that the weights are not there, and how to get them.
std::string how_to_get(const PublishedWeights& weights);

}  // namespace vgg19::converter
