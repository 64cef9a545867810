// Pictures as the command-line tool reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "vgg19/image.h"
#include "vgg19/map_size.h"

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19::python {

/// How to read pictures for a network of this input size.
ImageOptions image_options(MapSize input_size);

/// Pixels of R, G, B and alpha, without gaps, blended over white, as transparent pixels of files are.
Image over_white(std::span<const std::uint8_t> rgba, std::size_t width, std::size_t height);

}  // namespace vgg19::python

#pragma GCC visibility pop
