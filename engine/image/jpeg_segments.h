// The outer structure of a JPEG.
#pragma once

#include "engine/image/bytes.h"

namespace vgg19 {

/// How the frame's coefficients are stored.
enum class JpegCoding : unsigned char { sequential, progressive };

/// What has to be known of a JPEG before, and beside, its decoding.
struct JpegSegments {
    PixelSize size;
    std::size_t components = 0;  ///< of a pixel: 1 grey, 3 colour, 4 CMYK or YCCK
    JpegCoding coding = JpegCoding::sequential;
    bool is_arithmetic = false;  ///< arithmetic coding in place of Huffman's
    bool has_adobe_marker = false;
    /// A sequential frame and no Huffman table in the file: those of T.81, annex K, are meant, as in the
    /// frames of Motion JPEG.
    bool needs_standard_tables = false;
    bool has_restarts = false;
    Bytes exif;  ///< the TIFF structure of the first EXIF segment, or empty
    Bytes xmp;   ///< the packet of the first XMP segment, or empty

    Bytes picture;                ///< the file up to the end marker, or to where its segments end without one
    bool has_end_marker = false;  ///< at the end of `picture`
};

/// Walks the marker segments of a JPEG (ITU-T T.81, annex B) up to the end of the image, or, where the end
/// marker is missing, to what is no segment behind the last scan that the picture needs. Throws Error
/// (bad_input) for
/// - a segment that passes the end of the file, and scans that are missing there;
/// - kinds of JPEG that no build reads (lossless, hierarchical, more than 8 bits a sample);
/// - more scans than any encoder writes, each of which costs a pass over the whole picture;
/// - what stb_image 2.27 takes and should not: a Huffman table of more symbols than there are, for which it
///   writes behind its own table, and a scan with a table that no segment defines, which it decodes with what
///   its memory held before.
JpegSegments read_jpeg_segments(Bytes file);

}  // namespace vgg19
