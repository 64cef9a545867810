// The headers of BMP: Windows 3.0 and later, and OS/2.
#pragma once

#include <array>
#include <vector>

#include "engine/image/bytes.h"
#include "engine/image/colour.h"

namespace vgg19 {

enum class BmpCoding : unsigned char { rows, run_lengths };

struct BmpHeader {
    PixelSize size;
    bool from_top = false;
    unsigned bits = 0;  ///< per pixel: 1, 2, 4 and 8 are palette indices; 16, 24 and 32 are colours
    BmpCoding coding = BmpCoding::rows;
    std::vector<Colour> palette;  ///< 2^bits colours, padded with black where the file has fewer
    std::array<std::uint32_t, 4> masks =
        {};  ///< of red, green, blue and alpha (0: no alpha), for 16 and 32 bits per pixel
    std::size_t pixels_offset = 0;  ///< in the file
};

/// Throws Error (bad_input) for a truncated or inconsistent header, and for kinds of BMP that are not
/// supported.
BmpHeader read_bmp_header(Bytes file);

}  // namespace vgg19
