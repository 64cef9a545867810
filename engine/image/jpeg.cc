#include "engine/image/jpeg.h"

#include <algorithm>
#include <string>
#include <utility>
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

constexpr Reducible reducible = Reducible::yes;

Image decode_segments(const JpegSegments& segments, const ImageOptions& options) {
    // The arithmetic decoder continues with zeros after the end of the data, so a truncated file shows only
    // by its missing end marker.
    if (segments.is_arithmetic && !segments.has_end_marker) fail_cut_short(segments.picture);
    return libjpeg::decode(segments, reduction_of(segments.size, options));
}

#else

constexpr Reducible reducible = Reducible::no;

stb::Samples decode_file(Bytes file, const JpegSegments& segments) {
    if (!segments.needs_standard_tables) return stb::decode(file, segments.size);
    return stb::decode(with_standard_huffman_tables(file), segments.size);
}

/// stb_image silently substitutes zeros for missing data. To detect that, decode twice with different bytes
/// appended: bytes that the picture does not need change nothing.
stb::Samples decode_without_end_marker(const JpegSegments& segments) {
    constexpr std::size_t fill_bytes = 256;
    if (segments.has_restarts) {  // at a restart marker stb_image stops without an error
        fail_image(
            "it is cut short, or lacks its end marker, which this build needs because it was built without "
            "libjpeg");
    }
    Bytes picture = segments.picture;
    while (picture.back() == 0xFF) picture = picture.first(picture.size() - 1);  // half a marker
    const auto decode_filled = [&](std::uint8_t fill) {
        std::vector<std::uint8_t> file(picture.begin(), picture.end());
        file.insert(file.end(), fill_bytes, fill);
        file.insert(file.end(), {0xFF, 0xD9});
        return decode_file(file, segments);
    };
    try {
        stb::Samples samples = decode_filled(0);
        const stb::Samples others = decode_filled(0xFE);
        const std::size_t count = samples.size.width * samples.size.height * samples.channels;
        if (std::equal(samples.data.get(), samples.data.get() + count, others.data.get())) return samples;
    } catch (const Error&) {  // the appended bytes were invalid codes: data is missing
    }
    fail_cut_short(segments.picture);
}

Image decode_segments(const JpegSegments& segments, const ImageOptions& /*options*/) {
    if (segments.is_arithmetic) {
        fail_image(
            "it has arithmetic coding, which this build does not read because it was built without libjpeg");
    }
    return stb::to_rgb(segments.has_end_marker ? decode_file(segments.picture, segments)
                                               : decode_without_end_marker(segments));
}

#endif

}  // namespace

Image decode_jpeg(Bytes file, const ImageOptions& options) {
    const JpegSegments segments = read_jpeg_segments(file);
    check_size(segments.size, options.limits, reducible);
    if (segments.components != 1 && segments.components != 3 &&
        !(segments.components == 4 && segments.has_adobe_marker)) {
        // Without Adobe's marker it is unknown whether the inks are inverted, and whether they are YCCK.
        fail_image("expected 1 or 3 components per pixel, or CMYK with Adobe's marker, found " +
                   std::to_string(segments.components) + (segments.components == 4 ? " without it" : ""));
    }
    Image image = decode_segments(segments, options);
    return options.apply_exif ? oriented(std::move(image), exif_orientation(segments.exif, segments.xmp))
                              : image;
}

}  // namespace vgg19
