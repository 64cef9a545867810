// A C++ wrapper of stb_image's JPEG decoder, for builds without libjpeg. stb_image's functions are local to
// stb.cc and inflate_stb.cc, so that a program with its own stb_image can link this library.
#pragma once

#include <cstdlib>
#include <memory>

#include "engine/image/bytes.h"
#include "engine/image/progress.h"
#include "vgg19/image.h"

namespace vgg19::stb {

struct Free {
    void operator()(std::uint8_t* data) const { std::free(data); }
};

/// 8-bit samples, top row first, without padding: grey or RGB.
struct Samples {
    std::unique_ptr<std::uint8_t, Free> data;
    PixelSize size;
    std::size_t channels = 0;  ///< 1 or 3
};

/// Decodes a JPEG. No allocation exceeds what a picture of `size` needs. A file that ends before its picture
/// is complete is an error, though stb_image itself would fill in the rest. Throws Error (bad_input) with
/// stb_image's reason, Error (cancelled), and std::bad_alloc.
Samples decode(Bytes file, const PixelSize& size, Progress& progress);

/// Grey becomes three equal channels.
Image to_rgb(const Samples& samples);

}  // namespace vgg19::stb
