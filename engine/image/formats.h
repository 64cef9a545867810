// The formats of pictures: which there are, and which this build reads.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace vgg19 {

/// What decodes a format; PGM and PPM share one.
enum class Codec : unsigned char { none, jpeg, png, bmp, gif, webp, pnm };

struct ImageFormat {
    std::string_view name;                         ///< "JPEG"
    std::span<const std::string_view> extensions;  ///< in lower case, with their dots
    Codec codec = Codec::none;                     ///< none: no build reads it

    /// Whether this build does.
    bool is_readable() const;
};

/// All that are known by an extension, those first that some build reads.
std::span<const ImageFormat> image_formats();

/// By the extension of a file's name, with its dot, in upper or lower case; null where no format has it. What
/// a file is, its content says: this is for choosing files in a folder and for messages.
const ImageFormat* format_of_extension(std::string_view extension);

/// What this build reads, for messages: "JPEG, PNG, BMP, GIF, WebP, PGM or PPM".
std::string readable_formats();

}  // namespace vgg19
