// The chunks of a PNG.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/image/bytes.h"

namespace vgg19 {

/// The colour type in the header.
enum class PngColour : std::uint8_t { grey = 0, rgb = 2, palette = 3, grey_alpha = 4, rgba = 6 };

/// Per pixel; 0 for a colour type that PNG does not have.
unsigned samples_of(PngColour colour);

struct PngChunks {
    PixelSize size;
    unsigned bits = 0;  ///< per sample: 1, 2, 4, 8 or 16
    PngColour colour = PngColour::grey;
    bool is_interlaced = false;
    Bytes palette;            ///< red, green and blue of each colour; empty where there is none
    Bytes transparency;       ///< of the first intact tRNS chunk, or empty
    std::vector<Bytes> data;  ///< of the IDAT chunks: pieces of a zlib stream
    std::size_t data_bytes = 0;
    Bytes exif;  ///< the TIFF structure of the first eXIf chunk, or empty
    Bytes xmp;   ///< the first text chunk with a packet of XMP, or empty
};

/// Walks the chunks of a PNG (ISO/IEC 15948, section 5.3) up to IEND. Ancillary chunks with a wrong checksum
/// are left out. Throws Error (bad_input) if the first chunk is not IHDR or names what the standard does not
/// have, a chunk extends beyond the end of the file, a critical chunk has a wrong checksum or is none of
/// IHDR, PLTE, IDAT and IEND.
PngChunks read_png_chunks(Bytes file);

}  // namespace vgg19
