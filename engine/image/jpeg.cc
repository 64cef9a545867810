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

/// libjpeg's buffers for some rows, on the safe side.
std::size_t row_buffer_bytes(const JpegSegments& segments) {
    constexpr std::size_t rows = 64;
    constexpr std::size_t tables = std::size_t{256} << 10U;
    return rows * (segments.size.width + 64) * segments.components + tables;
}

Picture open_segments(const JpegSegments& segments, const ImageOptions& options) {
    // The arithmetic decoder continues with zeros after the end of the data, so a truncated file shows only
    // by its missing end marker.
    if (segments.is_arithmetic && !segments.has_end_marker) fail_cut_short(segments.picture);
    constexpr std::size_t block_bytes = 64 * sizeof(std::int16_t);
    const std::size_t reduction = reduction_of(segments.size, options);
    Picture picture;
    picture.size = {(segments.size.width + reduction - 1) / reduction,
                    (segments.size.height + reduction - 1) / reduction};
    picture.memory_bytes = 3 * pixels_of(picture.size) + row_buffer_bytes(segments) +
                           (segments.is_buffered ? block_bytes * segments.blocks.in_all() : 0);
    picture.decode = [segments, reduction](Progress& progress) {
        return libjpeg::decode(segments, static_cast<unsigned>(reduction), progress);
    };
    return picture;
}

#else

constexpr Reducible reducible = Reducible::no;

stb::Samples decode_file(Bytes file, const JpegSegments& segments, Progress& progress) {
    if (!segments.needs_standard_tables) return stb::decode(file, segments.size, progress);
    return stb::decode(with_standard_huffman_tables(file), segments.size, progress);
}

/// stb_image silently substitutes zeros for missing data. To detect that, decode twice with different bytes
/// appended: bytes that the picture does not need change nothing.
stb::Samples decode_without_end_marker(const JpegSegments& segments, Progress& progress) {
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
        return decode_file(file, segments, progress);
    };
    try {
        stb::Samples samples = decode_filled(0);
        const stb::Samples others = decode_filled(0xFE);
        const std::size_t count = samples.size.width * samples.size.height * samples.channels;
        if (std::equal(samples.data.get(), samples.data.get() + count, others.data.get())) return samples;
    } catch (const Error& error) {  // the appended bytes were invalid codes: data is missing
        if (error.kind() != ErrorKind::bad_input) throw;
    }
    fail_cut_short(segments.picture);
}

Picture open_segments(const JpegSegments& segments, const ImageOptions& /*options*/) {
    if (segments.is_arithmetic) {
        fail_image(
            "it has arithmetic coding, which this build does not read because it was built without libjpeg");
    }
    // Samples, coefficients if they are kept, pixels as stb_image gives them and ours, and copies of the
    // file.
    const std::size_t samples = 64 * segments.blocks.in_all();
    Picture picture;
    picture.size = segments.size;
    picture.memory_bytes =
        (segments.is_buffered ? 3 : 1) * samples + 7 * pixels_of(segments.size) + 2 * segments.picture.size();
    picture.decode = [segments](Progress& progress) {
        return stb::to_rgb(segments.has_end_marker ? decode_file(segments.picture, segments, progress)
                                                   : decode_without_end_marker(segments, progress));
    };
    return picture;
}

#endif

/// Half of a pixel's work is to decode its one or more blocks; other scans add theirs.
std::size_t work_of(const JpegSegments& segments, const Picture& picture) {
    constexpr std::size_t pixels_a_block = 20;
    return pixels_of(picture.size) / 2 + pixels_a_block * segments.work.blocks + segments.picture.size() / 4;
}

}  // namespace

Picture open_jpeg(Bytes file, const ImageOptions& options) {
    const JpegSegments segments = read_jpeg_segments(file);
    check_size(segments.size, options.limits, reducible);
    if (segments.components != 1 && segments.components != 3 &&
        !(segments.components == 4 && segments.has_adobe_marker)) {
        // Without Adobe's marker it is unknown whether the inks are inverted, and whether they are YCCK.
        fail_image("expected 1 or 3 components per pixel, or CMYK with Adobe's marker, found " +
                   std::to_string(segments.components) + (segments.components == 4 ? " without it" : ""));
    }
    check_work(segments.work, segments.blocks.in_all(), segments.is_arithmetic);
    Picture picture = open_segments(segments, options);
    picture.work = work_of(segments, picture);
    picture.orientation = exif_orientation(segments.exif, segments.xmp);
    return picture;
}

}  // namespace vgg19
