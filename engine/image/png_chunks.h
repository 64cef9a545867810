// The outer structure of a PNG.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/image/bytes.h"

namespace vgg19 {

struct PngChunks {
    PixelSize size;
    Bytes exif;                          ///< the TIFF structure of the first eXIf chunk, or empty
    Bytes xmp;                           ///< the first text chunk with a packet of XMP, or empty
    std::vector<std::size_t> discarded;  ///< offsets of chunks whose checksums are wrong
};

/// Walks the chunks of a PNG (ISO/IEC 15948, section 5.3) up to IEND. Throws Error (bad_input) for a first
/// chunk that is not IHDR, for a chunk that passes the end of the file, for a critical chunk with a wrong
/// checksum, and for one that is none of IHDR, PLTE, IDAT and IEND: stb_image's message for those is kept in
/// memory that all threads share, so it must not get to see one.
PngChunks read_png_chunks(Bytes file);

/// The file with its discarded chunks renamed, so that no decoder knows them.
std::vector<std::uint8_t> without_discarded(Bytes file, const PngChunks& chunks);

}  // namespace vgg19
