// The image formats: which exist, and which this build can read.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vgg19 {

/// The decoder of a format; PGM and PPM share one.
enum class Codec : unsigned char { none, jpeg, png, bmp, gif, webp, pnm };

struct ImageFormat {
    std::string_view name;                         ///< "JPEG"
    std::span<const std::string_view> extensions;  ///< in lower case, with their dots
    Codec codec = Codec::none;                     ///< none: no build reads the format

    /// Whether this build can read it.
    bool is_readable() const;
};

/// All formats with a known extension; those that some build can read come first.
std::span<const ImageFormat> image_formats();

/// Looks up a file name's extension (with its dot, upper or lower case); null where no format has it. Use it
/// only to choose files in a folder and for messages: the type of a file follows from its content.
const ImageFormat* format_of_extension(std::string_view extension);

/// The formats that this build reads, for messages: "JPEG, PNG, BMP, GIF, WebP, PGM or PPM".
std::string readable_formats();

}  // namespace vgg19
