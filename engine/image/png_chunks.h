// The outer structure of a PNG.
#pragma once

#include "engine/image/bytes.h"

namespace vgg19 {

/// Walks the chunks of a PNG (ISO/IEC 15948, section 5.3) up to IEND and gives the size that IHDR, the
/// first, names. Throws Error (bad_input) for another first chunk, for a chunk that passes the end of the
/// file, and for a critical chunk that is none of IHDR, PLTE, IDAT and IEND: stb_image's message for those is
/// kept in memory that all threads share, so it must not get to see one.
PixelSize check_png_chunks(Bytes file);

}  // namespace vgg19
