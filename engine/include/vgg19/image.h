// Photographs, from a file or memory to pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19 {

/// Somebody else's pixels: 8-bit R, G, B, rows from the top, `stride` bytes from one row to the next.
struct ImageView {
    const std::uint8_t* rgb = nullptr;
    std::size_t width = 0;
    std::size_t height = 0;
    std::size_t stride = 0;
};

/// Pixels of its own, without gaps between rows.
struct Image {
    std::vector<std::uint8_t> rgb;
    std::size_t width = 0;
    std::size_t height = 0;

    ImageView view() const { return {rgb.data(), width, height, width * 3}; }
};

/// What a file may ask for. Checked from its header, before anything is decoded or allocated. The defaults
/// are above what phones make: 16384 × 12288 pixels in JPEGs of 60 MB and more.
struct ImageLimits {
    std::size_t max_file_bytes = std::size_t{256} << 20U;
    std::size_t max_side = 1'000'000;
    std::size_t max_pixels = 250'000'000;
    /// Of a picture that is decoded at its full size for want of another way (see ImageOptions), where memory
    /// is scarcer than max_pixels says.
    std::size_t max_irreducible_pixels = SIZE_MAX;
};

/// How a file becomes pixels.
struct ImageOptions {
    ImageLimits limits;

    /// Whether the picture is turned and mirrored as its EXIF orientation says, or XMP's where EXIF has none
    /// (JPEG, PNG and WebP). Phones
    /// store what the sensor saw and how it was held. Pillow's and torchvision's loaders leave that out:
    /// false gives their pixels.
    bool apply_exif = true;

    /// Pictures of more pixels than this are decoded at 1/2, 1/4 or 1/8 of their sides where the codec can
    /// (JPEG in a build with libjpeg, WebP); the size of the Image is the reduced one. Others are not, so
    /// that they keep every pixel.
    std::size_t full_size_pixels = 100'000'000;
    /// A reduced picture keeps at least this short side: eight times the 256 pixels that a network of 224
    /// scales it to.
    std::size_t reduced_short_side = 2048;
};

/// Decodes JPEG, PNG, BMP, GIF and WebP (of moving ones the first frame), PGM or PPM (binary); the format is
/// found by content. Grey becomes three equal channels; transparent pixels are laid over white; 16-bit
/// samples are cut to 8; palettes are expanded. JPEGs of every kind need a build with libjpeg, WebP one with
/// libwebp: without them the message says so.
///
/// A file that is cut short or damaged is an error: PNG's checksums are verified (the one of a chunk that the
/// picture does not need only discards that chunk, as libpng does), and a JPEG may lack its end marker, but
/// none of its pixels.
///
/// Memory at its peak, in bytes a pixel: JPEG 3, and 2 more for each sample that it stores if it has several
/// scans (3 to 6 a pixel; 8 of CMYK); BMP, PGM and PPM 3; GIF 12; WebP 3 (lossless 7, with alpha or moving
/// 11); PNG twice what it stores unpacked, and at least 6 (8-bit RGB 6, 16-bit RGBA 16; interlaced, 1.25
/// times that). The file itself comes on top, PNG's up to three times. A picture that EXIF turns takes 6 at
/// least. Of a reduced picture the pixels are the reduced ones, except what several scans and lossless WebP
/// store.
///
/// Throws Error (bad_input) with `name` in its message. May be called from several threads at a time.
Image decode_image(std::span<const std::uint8_t> file, const std::string& name, const ImageOptions& options);
Image decode_image(std::span<const std::uint8_t> file, const std::string& name,
                   const ImageLimits& limits = {});

/// The same, from a file, a FIFO or a device that ends, such as /dev/stdin; of those no more than
/// max_file_bytes are read.
Image load_image(const std::filesystem::path& path, const ImageOptions& options);
Image load_image(const std::filesystem::path& path, const ImageLimits& limits = {});

/// The same, from what is left of a binary stream, such as std::cin.
Image read_image(std::istream& stream, const std::string& name, const ImageOptions& options = {});

}  // namespace vgg19

#pragma GCC visibility pop
