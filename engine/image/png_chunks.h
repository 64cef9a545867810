// The chunks of a PNG.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/image/bytes.h"

namespace vgg19 {

struct PngChunks {
    PixelSize size;
    Bytes exif;                          ///< the TIFF structure of the first eXIf chunk, or empty
    Bytes xmp;                           ///< the first text chunk with a packet of XMP, or empty
    std::vector<std::size_t> discarded;  ///< offsets of ancillary chunks with a wrong checksum
};

/// Walks the chunks of a PNG (ISO/IEC 15948, section 5.3) up to IEND. Throws Error (bad_input) if the first
/// chunk is not IHDR, a chunk extends beyond the end of the file, a critical chunk has a wrong checksum, or a
/// critical chunk is none of IHDR, PLTE, IDAT and IEND. stb_image must never see such an unknown chunk: it
/// writes the message into memory that all threads share.
PngChunks read_png_chunks(Bytes file);

/// A copy of the file in which the discarded chunks have a type that no decoder knows.
std::vector<std::uint8_t> without_discarded(Bytes file, const PngChunks& chunks);

}  // namespace vgg19
