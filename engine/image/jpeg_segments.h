// The outer structure of a JPEG.
#pragma once

#include "engine/image/bytes.h"

namespace vgg19 {

/// What stb_image does not tell of a JPEG.
struct JpegSegments {
    Bytes exif;                  ///< the TIFF structure of the first EXIF segment, or empty
    std::size_t components = 0;  ///< of a pixel: 1 grey, 3 colour, 4 CMYK or YCCK; 0 where none was found
    bool has_adobe_marker = false;
};

/// Walks the marker segments of a JPEG (ITU-T T.81, annex B) up to the end of the image or of the file.
/// Throws Error (bad_input) for a segment that passes the end of the file, and for what stb_image 2.27 takes
/// and should not: a Huffman table of more symbols than there are, for which it writes behind its own table,
/// and a scan with a table that no segment defines, which it decodes with what its memory held before.
JpegSegments read_jpeg_segments(Bytes file);

}  // namespace vgg19
