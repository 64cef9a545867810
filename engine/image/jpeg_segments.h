// The marker segments of a JPEG.
#pragma once

#include "engine/image/bytes.h"
#include "engine/image/jpeg_scans.h"

namespace vgg19 {

/// How the frame's coefficients are stored.
enum class JpegCoding : unsigned char { sequential, progressive };

/// What must be known about a JPEG in addition to its pixels.
struct JpegSegments {
    PixelSize size;
    std::size_t components = 0;  ///< per pixel: 1 grey, 3 colour, 4 CMYK or YCCK
    JpegCoding coding = JpegCoding::sequential;
    bool is_arithmetic = false;  ///< arithmetic coding instead of Huffman coding
    bool has_adobe_marker = false;
    /// The frame is sequential and the file has no Huffman table: the standard ones (T.81, annex K) apply, as
    /// in Motion JPEG.
    bool needs_standard_tables = false;
    bool has_restarts = false;
    /// Whether the decoder must keep all coefficients until the last scan.
    bool is_buffered = false;
    JpegBlocks blocks;
    JpegWork work;
    Bytes exif;  ///< the TIFF structure of the first EXIF segment, or empty
    Bytes xmp;   ///< the packet of the first XMP segment, or empty

    Bytes picture;  ///< the file up to the end marker, or, without one, up to where its segments end
    bool has_end_marker = false;  ///< whether `picture` ends with it
};

/// Walks the marker segments of a JPEG (ITU-T T.81, annex B) up to the end-of-image marker. If that is
/// missing, stops at the first bytes after the last needed scan that are no segment. Throws Error (bad_input)
/// for
/// - a segment that extends beyond the end of the file, and scans that are missing there;
/// - kinds of JPEG that no build reads (lossless, hierarchical, more than 8 bits per sample);
/// - more scans than any encoder writes;
/// - errors that stb_image 2.27 does not catch: a Huffman table with too many symbols, which makes it write
///   beyond its own table, and a scan whose table no segment defines, which it decodes with uninitialised
///   memory.
JpegSegments read_jpeg_segments(Bytes file);

}  // namespace vgg19
