#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "engine/image/bytes.h"
#include "engine/image/exif.h"
#include "engine/image/jpeg_segments.h"
#include "engine/image/png_chunks.h"
#include "engine/image/pnm.h"
#include "engine/image/stb.h"
#include "vgg19/error.h"
#include "vgg19/image.h"

namespace vgg19 {
namespace {

[[noreturn]] void fail(const std::string& message) {
    throw Error(ErrorKind::bad_input, message);
}

enum class Format : unsigned char { jpeg, png, bmp, gif, pnm };

struct Signature {
    std::string_view bytes;
    Format format;
    const char* name;
};

constexpr std::array<Signature, 6> signatures = {{{"\xFF\xD8\xFF", Format::jpeg, "JPEG"},
                                                  {"\x89PNG\r\n\x1A\n", Format::png, "PNG"},
                                                  {"BM", Format::bmp, "BMP"},
                                                  {"GIF8", Format::gif, "GIF"},
                                                  {"P5", Format::pnm, "PGM"},
                                                  {"P6", Format::pnm, "PPM"}}};

std::string first_bytes(Bytes file) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (const std::uint8_t byte : file.first(std::min<std::size_t>(file.size(), 8))) {
        text += {' ', digits[byte / 16U], digits[byte % 16U]};
    }
    return text;
}

const Signature& find_signature(Bytes file) {
    if (file.empty()) fail("expected an image, found an empty file");
    const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
    for (const Signature& signature : signatures) {
        if (text.starts_with(signature.bytes)) return signature;
    }
    fail("expected a JPEG, PNG, BMP, GIF, PGM or PPM, found a file that starts with" + first_bytes(file));
}

void check_file_bytes(std::uintmax_t bytes, const ImageLimits& limits) {
    if (bytes <= limits.max_file_bytes) return;
    fail("expected at most " + std::to_string(limits.max_file_bytes) + " bytes, found " +
         std::to_string(bytes));
}

void check_size(const PixelSize& size, const ImageLimits& limits) {
    const auto [width, height] = size;
    const std::string claim =
        "its header names " + std::to_string(width) + "×" + std::to_string(height) + " pixels, ";
    if (width == 0 || height == 0) fail(claim + "expected at least one");
    const bool sides_fit = width <= limits.max_side && height <= limits.max_side;
    if (sides_fit && width <= limits.max_pixels / height) return;
    fail(claim + "expected at most " + std::to_string(limits.max_side) + " a side and " +
         std::to_string(limits.max_pixels) + " in all");
}

std::uint8_t over_white(unsigned sample, unsigned alpha) {
    return static_cast<std::uint8_t>((sample * alpha + 255U * (255U - alpha) + 127U) / 255U);
}

/// One or two channels are grey, the last of two or four is alpha.
Image to_rgb(const stb::Samples& samples) {
    const std::size_t pixels = samples.size.width * samples.size.height;
    const std::uint8_t* from = samples.data.get();
    if (samples.channels == 3) return {{from, from + pixels * 3}, samples.size.width, samples.size.height};

    Image image{std::vector<std::uint8_t>(pixels * 3), samples.size.width, samples.size.height};
    const bool has_alpha = samples.channels % 2 == 0;
    const std::size_t channel_step = samples.channels < 3 ? 0 : 1;
    std::uint8_t* to = image.rgb.data();
    for (std::size_t i = 0; i < pixels; ++i, from += samples.channels, to += 3) {
        const std::uint8_t alpha = has_alpha ? from[samples.channels - 1] : 255;
        for (std::size_t c = 0; c < 3; ++c) to[c] = over_white(from[c * channel_step], alpha);
    }
    return image;
}

Image decode_with_stb(Bytes file, const PixelSize& size, const ImageLimits& limits) {
    check_size(size, limits);
    return to_rgb(stb::decode(file, size));
}

Image decode_jpeg(Bytes file, const ImageLimits& limits) {
    const JpegSegments segments = read_jpeg_segments(file);
    // Without Adobe's marker nothing says which way round the inks are, nor whether they are YCCK.
    if (segments.components == 4 && !segments.has_adobe_marker) {
        fail("expected 1 or 3 components a pixel, or CMYK with Adobe's marker, found 4 without it");
    }
    return oriented(decode_with_stb(file, stb::read_size(file), limits), exif_orientation(segments.exif));
}

Image decode_format(Format format, Bytes file, const ImageLimits& limits) {
    switch (format) {
        case Format::jpeg:
            return decode_jpeg(file, limits);
        case Format::pnm: {
            const PnmHeader header = read_pnm_header(file);
            check_size({header.width, header.height}, limits);
            return decode_pnm(file, header);
        }
        case Format::png:
            return decode_with_stb(file, check_png_chunks(file), limits);
        case Format::bmp:
        case Format::gif:
            break;
    }
    return decode_with_stb(file, stb::read_size(file), limits);
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& path, const ImageLimits& limits) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (status.type() == std::filesystem::file_type::not_found) fail("no such file");
    if (error) fail("cannot be read: " + error.message());
    if (status.type() == std::filesystem::file_type::directory) fail("expected an image, found a directory");
    if (!std::filesystem::is_regular_file(status)) fail("expected an image, found no regular file");
    const std::uintmax_t bytes = std::filesystem::file_size(path, error);
    if (error) fail("cannot be read: " + error.message());
    check_file_bytes(bytes, limits);

    std::ifstream stream(path, std::ios::binary);
    std::vector<std::uint8_t> file(bytes);
    stream.read(reinterpret_cast<char*>(file.data()), static_cast<std::streamsize>(bytes));
    if (!stream) fail("cannot be read: " + std::generic_category().message(errno));
    return file;
}

}  // namespace

Image decode_image(std::span<const std::uint8_t> file, const std::string& name, const ImageLimits& limits) {
    std::string place = name;
    try {
        check_file_bytes(file.size(), limits);
        const Signature& signature = find_signature(file);
        place += std::string(": ") + signature.name;
        return decode_format(signature.format, file, limits);
    } catch (const Error& error) {
        throw Error(error.kind(), place + ": " + error.what());
    }
}

Image load_image(const std::filesystem::path& path, const ImageLimits& limits) {
    std::vector<std::uint8_t> file;
    try {
        file = read_file(path, limits);
    } catch (const Error& error) {
        throw Error(error.kind(), path.string() + ": " + error.what());
    }
    return decode_image(file, path.string(), limits);
}

}  // namespace vgg19
