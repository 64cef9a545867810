// Photographs, from a file or memory to pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

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

/// What a file may ask for. Checked from its header, before anything is decoded or allocated.
struct ImageLimits {
    std::size_t max_file_bytes = std::size_t{256} << 20U;
    std::size_t max_side = 32768;
    std::size_t max_pixels = 100'000'000;
};

/// Decodes JPEG, PNG, BMP, GIF (its first frame), PGM or PPM (binary); the format is found by content. Grey
/// becomes three equal channels; transparent pixels are laid over white; 16-bit samples are cut to 8;
/// palettes are expanded; a JPEG's EXIF orientation is applied. A file that is cut short is an error. Throws
/// Error (bad_input) with `name` in its message.
Image decode_image(std::span<const std::uint8_t> file, const std::string& name,
                   const ImageLimits& limits = {});

/// The same, from a file.
Image load_image(const std::filesystem::path& path, const ImageLimits& limits = {});

}  // namespace vgg19
