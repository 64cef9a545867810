#include "engine/image/jpeg.h"

#include <array>
#include <vector>

#include "engine/image/exif.h"
#include "engine/image/failure.h"
#include "engine/image/jpeg_segments.h"
#include "engine/image/sizes.h"
#if VGG19_HAS_JPEG
#include "engine/image/libjpeg.h"
#else
#include "engine/image/standard_huffman.h"
#include "engine/image/stb.h"
#endif

namespace vgg19 {
namespace {

#if VGG19_HAS_JPEG

Image decode_segments(const JpegSegments& segments, const ImageOptions& options) {
    // Such a decoder takes zeros behind the end for granted: nothing else tells a file that is cut short.
    if (segments.is_arithmetic && !segments.has_end_marker) fail_cut_short(segments.picture);
    return libjpeg::decode(segments, reduction_of(segments.size, options));
}

#else

Image decode_segments(const JpegSegments& segments, const ImageOptions& /*options*/) {
    if (segments.is_arithmetic) {
        fail_image("it has arithmetic coding, which this build does not read, for want of libjpeg");
    }
    if (!segments.has_end_marker) {
        fail_image("it is cut short, or lacks its end marker, which this build needs, for want of libjpeg");
    }
    if (!segments.needs_standard_tables) return stb::to_rgb(stb::decode(segments.picture, segments.size));
    const std::vector<std::uint8_t> file = with_standard_huffman_tables(segments.picture);
    return stb::to_rgb(stb::decode(file, segments.size));
}

#endif

}  // namespace

Image decode_jpeg(Bytes file, const ImageOptions& options) {
    const JpegSegments segments = read_jpeg_segments(file);
    check_size(segments.size, options.limits);
    if (segments.components != 1 && segments.components != 3 &&
        !(segments.components == 4 && segments.has_adobe_marker)) {
        // Without Adobe's marker nothing says which way round the inks are, nor whether they are YCCK.
        fail_image("expected 1 or 3 components a pixel, or CMYK with Adobe's marker, found " +
                   std::to_string(segments.components) + (segments.components == 4 ? " without it" : ""));
    }
    Image image = decode_segments(segments, options);
    return options.apply_exif ? oriented(std::move(image), exif_orientation(segments.exif)) : image;
}

}  // namespace vgg19
