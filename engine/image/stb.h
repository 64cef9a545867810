// stb_image, in our terms. Only stb.cc includes it, with its functions local to that file, so that a program
// with an stb_image of its own can link this library.
#pragma once

#include <cstdlib>
#include <memory>

#include "engine/image/bytes.h"

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

/// What the header of a JPEG, PNG, BMP or GIF says, zero included. Both throw Error (bad_input) with
/// stb_image's reason.
PixelSize read_size(Bytes file);

/// Decodes the picture (a GIF's first). No block of memory that a picture of `size` has no need for is
/// allocated, and a file that ends before its picture is complete is an error, though stb_image would fill in
/// the rest.
Samples decode(Bytes file, const PixelSize& size);

}  // namespace vgg19::stb
