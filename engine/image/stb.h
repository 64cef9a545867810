// A C++ wrapper of stb_image. Its functions are local to stb.cc and stb_zlib.cc, so that a program with its
// own stb_image can link this library.
#pragma once

#include <cstdlib>
#include <memory>

#include "engine/image/bytes.h"
#include "vgg19/image.h"

namespace vgg19::stb {

struct Free {
    void operator()(std::uint8_t* data) const { std::free(data); }
};

/// 8-bit samples, top row first, without padding: grey, grey and alpha, RGB or RGBA, depending on `channels`.
struct Samples {
    std::unique_ptr<std::uint8_t, Free> data;
    PixelSize size;
    std::size_t channels = 0;
};

/// The size in a GIF's header, possibly zero. This and decode() throw Error (bad_input) with stb_image's
/// reason.
PixelSize read_size(Bytes file);

/// Decodes a PNG, the first picture of a GIF or, in a build without libjpeg, a JPEG. No allocation exceeds
/// what a picture of `size` needs. A file that ends before its picture is complete is an error, though
/// stb_image itself would fill in the rest.
Samples decode(Bytes file, const PixelSize& size);

/// Transparent pixels are blended over white.
Image to_rgb(const Samples& samples);

}  // namespace vgg19::stb
