#include "engine/image/png_samples.h"

#include <algorithm>
#include <cstdlib>

#include "engine/image/over_white.h"

namespace vgg19 {
namespace {

/// Of left, above, and above on the left, the one that is closest to left + above - above on the left.
std::uint8_t paeth(int left, int above, int corner) {
    const int to_left = std::abs(above - corner);
    const int to_above = std::abs(left - corner);
    const int to_corner = std::abs(left + above - 2 * corner);
    if (to_left <= to_above && to_left <= to_corner) return static_cast<std::uint8_t>(left);
    return static_cast<std::uint8_t>(to_above <= to_corner ? above : corner);
}

}  // namespace

bool undo_png_filter(unsigned filter, std::span<std::uint8_t> row, Bytes above, std::size_t pixel_bytes) {
    const std::size_t start = std::min(pixel_bytes, row.size());  // nothing lies on the left before it
    std::uint8_t* const to = row.data();
    const std::uint8_t* const up = above.data();
    const auto add = [&](std::size_t i, unsigned value) { to[i] = static_cast<std::uint8_t>(to[i] + value); };
    switch (filter) {
        case 0:
            return true;
        case 1:
            for (std::size_t i = start; i < row.size(); ++i) add(i, to[i - pixel_bytes]);
            return true;
        case 2:
            for (std::size_t i = 0; i < row.size(); ++i) add(i, up[i]);
            return true;
        case 3:
            for (std::size_t i = 0; i < start; ++i) add(i, up[i] / 2U);
            for (std::size_t i = start; i < row.size(); ++i) add(i, (to[i - pixel_bytes] + up[i]) / 2U);
            return true;
        case 4:
            for (std::size_t i = 0; i < start; ++i) add(i, up[i]);
            for (std::size_t i = start; i < row.size(); ++i) {
                add(i, paeth(to[i - pixel_bytes], up[i], up[i - pixel_bytes]));
            }
            return true;
        default:
            return false;
    }
}

PngColours::PngColours(const PngChunks& chunks)
    : bits_(chunks.bits),
      samples_(samples_of(chunks.colour)),
      has_alpha_(chunks.colour == PngColour::grey_alpha || chunks.colour == PngColour::rgba) {
    const Bytes transparency = chunks.transparency;
    const bool is_palette = chunks.colour == PngColour::palette;
    if (!is_palette && !has_alpha_ && transparency.size() == std::size_t{2} * samples_) {
        has_key_ = true;
        const unsigned mask = (1U << bits_) - 1;
        for (std::size_t i = 0; i < samples_; ++i) {
            key_[i] = static_cast<std::uint16_t>(big_endian(transparency, 2 * i, 2) & mask);
        }
    }
    if (samples_ != 1 || bits_ > 8) return;
    const std::size_t values = std::size_t{1} << bits_;
    table_.assign(values, Colour{});
    for (std::size_t value = 0; value < values; ++value) {
        if (!is_palette) {
            const auto grey = static_cast<std::uint8_t>(value * 255 / (values - 1));
            table_[value].fill(has_key_ && value == key_[0] ? 255 : grey);
        } else if (3 * value < chunks.palette.size()) {
            const unsigned alpha = value < transparency.size() ? transparency[value] : 255;
            for (std::size_t c = 0; c < 3; ++c) {
                table_[value][c] = over_white(chunks.palette[3 * value + c], alpha);
            }
        }
    }
}

void PngColours::convert(Bytes row, std::size_t pixels, std::uint8_t* rgb) const {
    if (!table_.empty()) {
        convert_few_bits(row, pixels, rgb);
    } else if (bits_ == 8 && samples_ == 3 && !has_key_) {
        std::copy_n(row.begin(), 3 * pixels, rgb);
    } else {
        convert_samples(row, pixels, rgb);
    }
}

/// The leftmost pixel is in the highest bits of a byte.
void PngColours::convert_few_bits(Bytes row, std::size_t pixels, std::uint8_t* rgb) const {
    const unsigned in_a_byte = 8 / bits_;
    const unsigned mask = (1U << bits_) - 1;
    for (std::size_t x = 0; x < pixels; ++x, rgb += 3) {
        const auto shift = static_cast<unsigned>(in_a_byte - 1 - x % in_a_byte) * bits_;
        const Colour& colour = table_[static_cast<unsigned>(row[x / in_a_byte]) >> shift & mask];
        std::copy_n(colour.begin(), 3, rgb);
    }
}

bool PngColours::is_transparent(const std::uint8_t* pixel) const {
    for (std::size_t i = 0; i < samples_; ++i) {
        const unsigned value = bits_ == 16 ? pixel[2 * i] * 256U + pixel[2 * i + 1] : pixel[i];
        if (value != key_[i]) return false;
    }
    return true;
}

void PngColours::convert_samples(Bytes row, std::size_t pixels, std::uint8_t* rgb) const {
    const std::size_t sample_bytes = bits_ / 8;
    const std::size_t pixel_bytes = samples_ * sample_bytes;
    const std::size_t next_colour = samples_ < 3 ? 0 : sample_bytes;
    const std::uint8_t* pixel = row.data();
    for (std::size_t x = 0; x < pixels; ++x, pixel += pixel_bytes, rgb += 3) {
        unsigned alpha = has_alpha_ ? pixel[(samples_ - 1) * sample_bytes] : 255;
        if (has_key_ && is_transparent(pixel)) alpha = 0;
        for (std::size_t c = 0; c < 3; ++c) rgb[c] = over_white(pixel[c * next_colour], alpha);
    }
}

}  // namespace vgg19
