// The headers of BMP: Windows' from 3.0 on, and OS/2's.
#pragma once

#include <array>
#include <vector>

#include "engine/image/bytes.h"

namespace vgg19 {

enum class BmpCoding : unsigned char { rows, run_lengths };

using BmpColour = std::array<std::uint8_t, 3>;  // red, green, blue

struct BmpHeader {
    PixelSize size;
    bool from_top = false;
    unsigned bits = 0;  ///< of a pixel: 1, 2, 4 and 8 are indices into the palette; 16, 24, 32
    BmpCoding coding = BmpCoding::rows;
    std::vector<BmpColour> palette;           ///< 2^bits colours, black where the file has fewer
    std::array<std::uint32_t, 4> masks = {};  ///< of red, green, blue, and alpha (0: none) in 16 and 32 bits
    std::size_t pixels_offset = 0;            ///< in the file
};

/// Throws Error (bad_input) for a header that is cut short or makes no sense, and for kinds that are not
/// read.
BmpHeader read_bmp_header(Bytes file);

}  // namespace vgg19
