#include "converter/variants/published_weights.h"

#include <cstddef>
#include <cstdlib>
#include <string_view>

#include "engine/model/foreign_text.h"
#include "engine/model/shell_text.h"
#include "engine/model/users_cache.h"
#include "vgg19/error.h"

namespace vgg19::converter {

namespace {

// The same as in script/fetch-weights (tests/real_weights compares them).
constexpr const char* published_digits = "dcbb9e9d";
constexpr const char* published_folder = "https://download.pytorch.org/models/";

/// The environment variable's value; `otherwise` if it is missing or empty.
std::string variable_or(const char* name, const std::string& otherwise) {
    const char* const value = std::getenv(name);
    return value == nullptr || *value == '\0' ? otherwise : value;
}

std::string chosen_digits() {
    constexpr std::size_t fewest = 8;
    constexpr std::size_t all = 64;
    std::string digits = variable_or("VGG19_WEIGHTS_SHA256", published_digits);
    const bool hexadecimal = digits.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!hexadecimal || digits.size() < fewest || digits.size() > all) {
        throw Error(ErrorKind::usage,
                    "VGG19_WEIGHTS_SHA256: expected 8 to 64 hexadecimal digits in lower case, found \"" +
                        model::printable(digits) + "\"");
    }
    return digits;
}

}  // namespace

PublishedWeights published_weights() {
    PublishedWeights weights;
    weights.digits = chosen_digits();
    // torch.hub names a file after the first eight digits of its SHA-256.
    const std::string name = "vgg19-" + weights.digits.substr(0, 8) + ".pth";
    weights.file = model::users_cache() / name;
    weights.url = variable_or("VGG19_WEIGHTS_URL", published_folder + name);
    return weights;
}

std::string how_to_get(const PublishedWeights& weights) {
    return "torchvision's weights are not in the cache folder. To have them there, run script/fetch-weights, "
           "or\n"
           "  curl --location --create-dirs --output " +
           model::shell_quoted(weights.file.string()) + " " + model::shell_quoted(weights.url) +
           "\nFrom weights of your own, `vgg19 convert` makes a model";
}

}  // namespace vgg19::converter
