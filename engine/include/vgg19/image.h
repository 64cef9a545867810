// Decodes photographs from a file or memory into pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#pragma GCC visibility push(default)  // what the shared library exports

namespace vgg19 {

/// A non-owning view of pixels: 8-bit R, G, B, top row first, `stride` bytes between rows.
struct ImageView {
    const std::uint8_t* rgb = nullptr;
    std::size_t width = 0;
    std::size_t height = 0;
    std::size_t stride = 0;
};

/// An image that owns its pixels, without gaps between rows.
struct Image {
    std::vector<std::uint8_t> rgb;
    std::size_t width = 0;
    std::size_t height = 0;

    ImageView view() const { return {rgb.data(), width, height, width * 3}; }
};

/// Limits on image files, checked against the header before anything is decoded or allocated. The defaults
/// exceed the pictures of phones: 16384 × 12288 pixels in JPEGs of 60 MB and more.
struct ImageLimits {
    std::size_t max_file_bytes = std::size_t{256} << 20U;
    std::size_t max_side = 1'000'000;
    std::size_t max_pixels = 250'000'000;
    /// The limit for a picture that cannot be decoded at reduced size (see ImageOptions); set it below
    /// max_pixels if memory is scarce.
    std::size_t max_irreducible_pixels = SIZE_MAX;
    /// The limit for ImageCost::memory_bytes.
    std::size_t max_memory_bytes = SIZE_MAX;
    /// The limit for ImageCost::work. In addition, a JPEG whose scans cost far more than its pixels and its
    /// data explain is always an error.
    std::size_t max_work = SIZE_MAX;
};

/// How to decode a file.
struct ImageOptions {
    ImageLimits limits;

    /// Whether to rotate and mirror the picture as its EXIF orientation says, or XMP's if EXIF has none
    /// (JPEG, PNG and WebP): phones store the sensor's rows and, separately, how the phone was held. Pillow's
    /// and torchvision's loaders ignore the orientation; use false to get their pixels.
    bool apply_exif = true;

    /// Larger pictures are decoded at 1/2, 1/4 or 1/8 of their width and height if the codec can do it (JPEG
    /// in a build with libjpeg, WebP); the Image then has the reduced size. Other codecs always decode every
    /// pixel.
    std::size_t full_size_pixels = 100'000'000;
    /// The short side of a reduced picture is at least this: eight times the 256 pixels to which a network
    /// with input 224 scales it.
    std::size_t reduced_short_side = 2048;

    /// Asked every few milliseconds while a picture is decoded, on the caller's thread; true ends decoding
    /// with Error (cancelled). What it throws leaves the function that decodes. Only libwebp, and stb_image
    /// in a build without libjpeg or zlib, can take longer between two questions: seconds for the largest
    /// pictures.
    std::function<bool()> is_cancelled{};
};

/// What decoding a picture takes at most, as its headers tell.
struct ImageCost {
    std::size_t width = 0;  ///< of the decoded picture: reduced and rotated, as the options ask for
    std::size_t height = 0;
    /// The peak of the memory that decoding takes, the decoded picture included, the file's bytes not.
    std::size_t memory_bytes = 0;
    /// The unit is the time that one pixel of a JPEG with one scan takes, about 10 ns on one core. Scans of a
    /// JPEG, passes over an interlaced or rotated picture, and large files of small pictures add to it.
    std::size_t work = 0;
};

/// Decodes JPEG, PNG, BMP, GIF and WebP (the first frame of animations), and binary PGM or PPM; recognises
/// the format by content. Grey becomes three equal channels, transparent pixels are blended over white,
/// 16-bit samples are reduced to 8 bits, and palettes are expanded. Some kinds of JPEG require a build with
/// libjpeg, and WebP one with libwebp; without them, the error says so.
///
/// A truncated or damaged file is an error. PNG's checksums are verified; if the checksum of an ancillary
/// chunk is wrong, only that chunk is ignored, as in libpng. A JPEG may lack its end marker, but none of its
/// pixels.
///
/// Throws std::bad_alloc where memory is short, Error (cancelled) as ImageOptions says.
///
/// Peak memory, the file's own bytes excluded, is 3 bytes per pixel for BMP, GIF, PNG, PGM, PPM and JPEG, and
/// buffers for some rows. A JPEG with several scans takes 2 more per stored sample (5 to 9 in all). WebP
/// takes 3, lossless 8, with alpha or animated 12; those two up to 400 MB more, as long as that is less than
/// 2,500 times their file. A picture that EXIF rotates takes at least 6. For a picture decoded at reduced
/// size, these are the reduced pixels, except for several scans and lossless WebP. In a build without zlib a
/// PNG takes its unpacked data and a copy of the file in addition, in one without libjpeg a JPEG 11 to 20
/// bytes per pixel and two copies.
///
/// Work is bounded too: data behind a picture are not unpacked, and the scans of a JPEG must have the data
/// that their blocks need, so that a file of 20 kB takes less than a second, whatever is in it.
///
/// Throws Error (bad_input) with `name` in its message. Thread-safe.
Image decode_image(std::span<const std::uint8_t> file, const std::string& name, const ImageOptions& options);
Image decode_image(std::span<const std::uint8_t> file, const std::string& name,
                   const ImageLimits& limits = {});

/// What decode_image() would take. Reads headers alone, so that it is fast and takes no memory to speak of,
/// and throws the same Errors for what they show: an unknown format, damage, and pictures beyond the limits.
/// Thread-safe.
ImageCost image_cost(std::span<const std::uint8_t> file, const std::string& name,
                     const ImageOptions& options = {});

/// Decodes a file, a FIFO or a device that ends, such as /dev/stdin. Reads at most max_file_bytes.
Image load_image(const std::filesystem::path& path, const ImageOptions& options);
Image load_image(const std::filesystem::path& path, const ImageLimits& limits = {});

/// The same from the rest of a binary stream, such as std::cin.
Image read_image(std::istream& stream, const std::string& name, const ImageOptions& options = {});

}  // namespace vgg19

#pragma GCC visibility pop
