// stb_image, in our terms. Its functions are local to stb.cc and stb_zlib.cc, which include it, so that a
// program with an stb_image of its own can link this library.
#pragma once

#include <cstdlib>
#include <memory>

#include "engine/image/bytes.h"
#include "vgg19/image.h"

namespace vgg19::stb {

struct Free {
    void operator()(std::uint8_t* data) const { std::free(data); }
};

/// 8-bit samples, rows from the top, without gaps: grey, grey and alpha, RGB or RGBA by `channels`.
struct Samples {
    std::unique_ptr<std::uint8_t, Free> data;
    PixelSize size;
    std::size_t channels = 0;
};

/// What the header of a GIF says, zero included. Both throw Error (bad_input) with stb_image's reason.
PixelSize read_size(Bytes file);

/// Decodes the picture of a PNG, a GIF (its first) or, in a build without libjpeg, a JPEG. No block of memory
/// that a picture of `size` has no need for is allocated, and a file that ends before its picture is complete
/// is an error, though stb_image would fill in the rest.
Samples decode(Bytes file, const PixelSize& size);

/// Laid over white.
Image to_rgb(const Samples& samples);

}  // namespace vgg19::stb
