// Binary PGM and PPM. stb_image misreads them unless the largest sample is 255.
#pragma once

#include "engine/image/bytes.h"
#include "vgg19/image.h"

namespace vgg19 {

/// The header of netpbm's formats P5 (grey) and P6 (colour).
struct PnmHeader {
    std::size_t channels = 0;  ///< 1 or 3
    std::size_t width = 0;
    std::size_t height = 0;
    std::size_t max_value = 0;      ///< 1 to 65535; above 255 a sample takes two bytes, high byte first
    std::size_t pixels_offset = 0;  ///< in the file
};

/// Throws Error (bad_input).
PnmHeader read_pnm_header(Bytes file);

/// Samples are scaled from 0…max_value to 0…255. Throws Error (bad_input) for a truncated file and for
/// samples above max_value.
Image decode_pnm(Bytes file, const PnmHeader& header);

}  // namespace vgg19
