// An image file must give pixels of the size in its header, or an Error about the input.
#include "vgg19/image.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "vgg19/error.h"

// NOLINTNEXTLINE(readability-identifier-naming): the name is the fuzzer's
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        // Small pictures are decoded at full size, others at reduced size.
        const vgg19::ImageOptions options = {.limits = {.max_side = 1000, .max_pixels = 100'000},
                                             .full_size_pixels = 2000,
                                             .reduced_short_side = 16};
        const vgg19::Image image = vgg19::decode_image(std::span(data, size), "image", options);
        if (image.rgb.size() != image.width * image.height * 3) std::abort();
    } catch (const vgg19::Error& error) {
        if (error.kind() != vgg19::ErrorKind::bad_input) std::abort();
    }
    return 0;
}
